"""Event names for people: short, valid, and taken by nothing else."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from kptui.probes.abi import syscall_of, wrapper_abi
from kptui.probes.definition import MAX_EVENT_NAME, Kind

RESERVED: Final = frozenset({"enable", "filter"})
"""Files of an event group's own directory; the kernel accepts events of these names, and then one hides the
other.
"""

_SYSCALL_PARTS: Final = ("__se_sys_", "__do_sys_", "__se_compat_sys_", "__do_compat_sys_")


def default_event_name(symbol: str, kind: Kind = "p", taken: Container[str] = ()) -> str:
    """A valid event name for a probe on ``symbol``: ``vfs_read``, ``vfs_read_ret``, ``execve`` for
    ``__x64_sys_execve``.

    At most 63 characters, a C identifier, never ``enable`` or ``filter``; ``_2``, ``_3`` … where ``taken``
    has it. An empty symbol (a raw address) gives ``probe``.
    """
    base = symbol
    if wrapper_abi(symbol) is not None or symbol.startswith(_SYSCALL_PARTS):
        base = syscall_of(symbol) or symbol
    base = re.sub(r"[^A-Za-z0-9_]", "_", base) or "probe"
    if base[0].isdigit():
        base = f"_{base}"
    suffix = "_ret" if kind == "r" else ""
    name = base[: MAX_EVENT_NAME - len(suffix)] + suffix
    number = 2
    while name in taken or name in RESERVED:
        tail = f"{suffix}_{number}"
        name = base[: MAX_EVENT_NAME - len(tail)] + tail
        number += 1
    return name
