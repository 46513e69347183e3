"""The kernel's own lists of what may be probed: both may be closed, and both take their time.

``available_filter_functions`` is formatted by the kernel as it is read (0.1 s for 50,000 functions), the blacklist is
in debugfs. Read them in a child or on a thread. The one reader for the symbol list and for verdicts on definitions.
"""

from __future__ import annotations

import os

from kptui.kernel.files import DEFAULT_READ_LIMIT, KernelFiles, TracefsFiles, find_tracefs, mount_points
from kptui.symbols.lists import NO_LISTS, ProbeLists

TRACEABLE = "available_filter_functions"
BLACKLIST = "kprobes/blacklist"


def read_probe_lists(
    files: KernelFiles | None = None, *, mounts: str | os.PathLike[str] = "/proc/mounts"
) -> ProbeLists:
    """What can be read of the two; a list that is closed, not there or empty is None. ``files`` is the tracefs (None:
    the one that is mounted); a simulated one has no debugfs beside it.
    """
    if files is None:
        root = find_tracefs(mounts)
        files = TracefsFiles(root) if root is not None else None
    traceable = _read(files, TRACEABLE) if files is not None else None
    simulated = files is not None and files.simulated
    blacklist = None if simulated else _read_debugfs(BLACKLIST, mounts)
    return ProbeLists.parse(blacklist, traceable) if blacklist or traceable else NO_LISTS


def _read_debugfs(path: str, mounts: str | os.PathLike[str]) -> bytes | None:
    for kind, point in mount_points(mounts):
        if kind == "debugfs" and (data := _read(TracefsFiles(point), path)) is not None:
            return data
    return None


def _read(files: KernelFiles, path: str) -> bytes | None:
    """The whole file; None where it isn't readable, or so large or slow that only a part came."""
    try:
        data = files.read(path)
    except (OSError, ValueError):
        return None
    return data if data.endswith(b"\n") and len(data) < DEFAULT_READ_LIMIT else None
