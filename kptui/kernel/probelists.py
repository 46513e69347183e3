"""The kernel's own lists of what may be probed: both may be closed, and both take their time.

``available_filter_functions`` is formatted by the kernel as it is read (0.1 s for 50,000 functions), the blacklist is
in debugfs. Read them in a child or on a thread. The one reader for the symbol list and for verdicts on definitions.
"""

from __future__ import annotations

from pathlib import Path

from kptui.kernel.files import KernelFiles, TracefsFiles, find_tracefs, mount_points
from kptui.symbols.lists import ProbeLists

TRACEABLE = "available_filter_functions"
BLACKLIST = "kprobes/blacklist"


def read_probe_lists(files: KernelFiles | None = None, *, debugfs: str | None = None) -> ProbeLists:
    """What can be read of the two; a list that is closed, not there or empty is None. ``files`` is the tracefs (None:
    the one that is mounted), ``debugfs`` where that is (None: looked for). A simulated kernel has none.
    """
    if files is None:
        root = find_tracefs()
        files = TracefsFiles(root) if root is not None else None
    traceable = _read(files, TRACEABLE) if files is not None else None
    places = [debugfs] if debugfs is not None else [at for kind, at in mount_points() if kind == "debugfs"]
    found = (
        [] if files is not None and files.simulated else [_read(TracefsFiles(at), BLACKLIST) for at in places]
    )
    return ProbeLists.parse(next(filter(None, found), None), traceable)


def _read(files: KernelFiles, path: str) -> bytes | None:
    """The whole file, however long that takes: what a list that was cut lacks would be taken for untraceable. None
    where it isn't readable.
    """
    try:
        data = files.read(path) if files.simulated else Path(files.root, path).read_bytes()
    except (OSError, ValueError):
        return None
    return data if data.endswith(b"\n") else None
