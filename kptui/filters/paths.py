"""Paths as programs give them to the kernel, which are relative more often than filters of them expect."""

from __future__ import annotations

import re
from typing import Final

from kptui.events.format import EventFormat
from kptui.filters.scan import RawPredicate

# What arguments that are paths are called, by the system calls and by those who write probes
_NAMES: Final = re.compile(
    r"(?:\w+_)?(?:path|file|pathname|filename|name|oldname|newname|library|special|specialfile|put_old|new_root)\d*|u?path"
)
_WILD: Final = frozenset("*?[\\")
# Where the kernel has found the file, whatever it was called: its entry and the folder around it are at hand
_FOUND: Final = (
    ("unlink", "vfs_unlink"),
    ("rmdir", "vfs_rmdir"),
    ("mkdir", "vfs_mkdir"),
    ("open", "vfs_open"),
)


def may_be_relative(event: EventFormat) -> bool:
    """Whether paths in an event's records may be as a program gave them: probes, system calls, and exec's event.

    Other events of the kernel make theirs from the root on (``cgroup_mkdir``).
    """
    return event.is_probe or event.name == "sched_process_exec" or event.field("__syscall_nr") is not None


def remark_on_path(p: RawPredicate, event: EventFormat) -> str:
    """That relative names don't match, of a path compared with one that begins at the root; '' for other terms."""
    if p.op == "!=" or not p.value.startswith("/") or _NAMES.fullmatch(p.name) is None:
        return ""
    folder, _, leaf = p.value.rpartition("/")
    example = ""
    if not _WILD & set(folder):
        shown = leaf if leaf and not _WILD & set(leaf) else "c"
        example = f' ("{shown}" after cd {folder or "/"})'
    found = next((function for part, function in _FOUND if part in event.name), "")
    instead = f"; {found} sees those too" if found and found != event.name else ""
    return f"{p.name}: relative names{example} don't match{instead}."
