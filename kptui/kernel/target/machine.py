"""What this machine tells of its kernel, as far as it may be read: nothing here raises."""

from __future__ import annotations

import errno
import os
import re
import stat
from functools import cached_property
from pathlib import Path

from kptui.kernel.definitions import enabled_places
from kptui.kernel.files import TracefsFiles, find_tracefs
from kptui.kernel.listing import Listed, read_lists
from kptui.kernel.probelists import read_probe_lists
from kptui.probes.check.target import File
from kptui.safetext import decode
from kptui.symbols.lists import ProbeLists

_LARGE = 64 << 20


class Machine:
    """``sys``, ``proc`` and ``release`` are for tests; ``tracefs`` is where it is mounted (None: looked for)."""

    def __init__(
        self,
        tracefs: str | None = None,
        *,
        sys: str = "/sys",
        proc: str = "/proc",
        release: str | None = None,
    ) -> None:
        self._sys = sys
        self._proc = proc
        root = tracefs or find_tracefs(os.path.join(proc, "mounts"))
        self._files = TracefsFiles(root) if root is not None else None
        uname = os.uname()
        self.release: str | None = release or (uname.release if uname.sysname == "Linux" else None)

    def _traced(self, path: str) -> str | None:
        if self._files is None:
            return None
        try:
            return decode(self._files.read(path, _LARGE))
        except OSError:
            return None

    def _bytes(self, *path: str) -> bytes | None:
        try:
            return Path(*path).read_bytes() or None
        except OSError:
            return None

    @cached_property
    def readme(self) -> str | None:
        return self._traced("README") or None

    def kallsyms(self) -> bytes | None:
        return self._bytes(self._proc, "kallsyms")

    def btf(self) -> bytes | None:
        return self._bytes(self._sys, "kernel/btf/vmlinux")

    def module_btf(self, module: str) -> bytes | None:
        """The type information of a loaded module, which continues that of the kernel."""
        return self._bytes(self._sys, "kernel/btf", module) if re.fullmatch(r"\w+", module) else None

    @cached_property
    def listed(self) -> list[Listed] | None:
        """The dynamic events that stand; None if that can't be seen."""
        if self._files is None or not self._files.exists("events"):
            return None
        try:
            return read_lists(self._files)
        except OSError:
            return None

    def enabled(self) -> frozenset[str]:
        """Those of them that are enabled somewhere, as ``group/event``."""
        if self._files is None:
            return frozenset()
        names = {(item.group, item.event) for item in self.listed or ()}
        return frozenset(f"{g}/{e}" for g, e in names if enabled_places(self._files, g, e))

    def static_event(self, group: str, event: str) -> bool | None:
        """Whether tracefs has that event and it is none of ``listed``; None if that can't be seen."""
        if self._files is None or not self._files.exists("events/enable"):
            return None
        if not group or not event or {group, event} & {".", ".."} or "/" in group + event:
            return False
        if any((item.group, item.event) == (group, event) for item in self.listed or ()):
            return False
        try:
            return self._files.exists(f"events/{group}/{event}/format")
        except ValueError:
            return False

    def event_format(self, group: str, event: str) -> str | None:
        """The event's ``format`` file; None if there is none to be read."""
        if not group or not event or {group, event} & {".", ".."} or "/" in group + event:
            return None
        try:
            return self._traced(f"events/{group}/{event}/format")
        except ValueError:
            return None

    @cached_property
    def _lists(self) -> ProbeLists:
        return read_probe_lists(self._files, debugfs=os.path.join(self._sys, "kernel/debug"))

    def blacklist(self) -> frozenset[str] | None:
        """Names in kprobes' blacklist (debugfs)."""
        return None if self._lists.blacklist is None else self._lists.blacklist.names

    def traceable(self) -> frozenset[str] | None:
        """Names in ``available_filter_functions``."""
        lines = self._lists.traceable
        return None if lines is None else frozenset(line.partition(" ")[0] for line in lines)

    def modules(self) -> frozenset[str]:
        text = decode(self._bytes(self._proc, "modules") or b"")
        return frozenset(line.partition(" ")[0] for line in text.split("\n") if line)

    def cpus(self) -> int | None:
        """How many CPUs are possible."""
        text = decode(self._bytes(self._sys, "devices/system/cpu/possible") or b"")
        last = re.search(r"(\d+)\s*$", text)
        return int(last[1]) + 1 if last else None


def find_file(path: str) -> File | str:
    """What a path leads to on this machine, or the errno's name."""
    try:
        found = os.stat(path)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "EIO")
    except ValueError:
        return "ENOENT"
    return File(stat.S_ISREG(found.st_mode), (found.st_dev, found.st_ino))
