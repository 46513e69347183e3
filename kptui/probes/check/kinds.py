"""Which kind of probe a line defines: by the file it is written to and its first byte.

Each file asks one kind after the other until one takes the line, in the order in which the kernel has
registered them (dyn_event_create); kprobe_events and uprobe_events ask one only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kptui.probes.check import place, standing, uprobe
from kptui.probes.check.fetch import Parsed
from kptui.probes.check.head import Head, NotMine
from kptui.probes.check.log import Log, Probe, Refused
from kptui.probes.check.target import Interface, Target

Reader = Callable[[Log, Target], Head | None]
"""Reads words 0 and 1, in the kernel's order of checks. None: the whole line was judged, and accepted.
Refused as the kernel does; NotMine for a line of another kind.
"""

_READERS: Final[dict[Interface, dict[str, tuple[Reader, ...]]]] = {
    "kprobe": {"p": (place.read_head,), "r": (place.read_head,)},
    "uprobe": {"p": (uprobe.read_head,), "r": (uprobe.read_head,)},
    "dynamic": {
        "p": (place.read_head, uprobe.read_head),
        "r": (place.read_head, uprobe.read_head),
    },
}

REWRITTEN: Final[frozenset[Probe]] = frozenset({"kernel", "function", "tracepoint"})
"""Kinds whose ``$arg*``, ``$argN`` and ``%pd`` are rewritten before parsing."""

REGISTER: Final[dict[Probe, Callable[[Log, Target, Head, list[Parsed]], None]]] = {
    "kernel": standing.register,
    "user": uprobe.register,
}
"""What follows the arguments, by kind: the rules for taken names and for the place."""

_FILES: Final[dict[Interface, str]] = {
    "kprobe": "kprobe_events",
    "uprobe": "uprobe_events",
    "dynamic": "dynamic_events",
}


def read_head(log: Log, target: Target) -> Head | None:
    """Words 0 and 1 of a definition; None if nothing is left to be judged. Refused as the kernel does."""
    letter = log.words[0][0]
    readers = _READERS[target.interface].get(letter, ())
    reason = _unknown_letter(letter, target.interface) if not readers else ""
    for reader in readers:
        try:
            return reader(log, target)
        except NotMine as other:
            reason = other.reason
    raise Refused("EINVAL", reason)


def _unknown_letter(letter: str, interface: Interface) -> str:
    if letter in "fte" and interface != "dynamic":
        return f"“{letter}” probes are defined in dynamic_events, not in {_FILES[interface]}."
    if letter == "-":
        return "A removal must start in the first column of the line."
    return f"A definition starts with p (probe), r (return probe) or - (remove), not with “{letter}”."
