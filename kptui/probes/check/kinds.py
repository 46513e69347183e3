"""Which kind of probe a line defines: by the file it is written to and its first byte.

Each file asks one kind after the other until one takes the line, in the order in which the kernel has
registered them (dyn_event_create); kprobe_events and uprobe_events ask one only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kptui.probes.check import eprobe, fprobe, place, standing, synth, uprobe
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
        "f": (fprobe.read_head,),
        "t": (fprobe.read_head,),
        "e": (eprobe.read_head,),
        "s": (synth.read,),
    },
}

_NEEDED: Final[dict[Reader, tuple[str, str]]] = {
    place.read_head: ("kprobe", "This kernel has no kprobes."),
    uprobe.read_head: ("uprobe", "This kernel has no uprobes."),
}
"""The feature without which dynamic_events doesn't ask that kind, and what to say then."""

REWRITTEN: Final[frozenset[Probe]] = frozenset({"kernel", "function", "tracepoint"})
"""Kinds whose ``$arg*``, ``$argN`` and ``%pd`` are rewritten before parsing."""

REGISTER: Final[dict[Probe, Callable[[Log, Target, Head, list[Parsed]], None]]] = {
    "kernel": standing.register,
    "user": uprobe.register,
    "function": fprobe.register,
    "tracepoint": fprobe.register,
    "event": eprobe.register,
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
    reasons = [] if readers else [_unknown_letter(letter, target.interface)]
    for reader in readers:
        feature, without = _NEEDED.get(reader, ("", ""))
        if target.interface == "dynamic" and feature and feature not in target.features:
            reasons.append(without)
            continue
        try:
            return reader(log, target)
        except NotMine as other:
            reasons.append(other.reason)
    if target.interface == "dynamic" and target.traits.no_match_logged:
        log.show(log.line, 0)
        log.err(0, "NO_MATCH")
    # Of two kinds that share a letter, the second is on files
    raise Refused("EINVAL", reasons[-1 if "/" in log.line else 0])


def _unknown_letter(letter: str, interface: Interface) -> str:
    if letter in "ftes" and interface != "dynamic":
        return f"“{letter}” definitions belong into dynamic_events, not into {_FILES[interface]}."
    if letter == "-":
        return "A removal must start in the first column of the line."
    kinds = "p, r, f, t, e, s" if interface == "dynamic" else "p (probe), r (return probe)"
    if letter == "\xef":  # U+FEFF in UTF-8: what some editors put before the first line
        return f"A definition starts with {kinds} or - (remove); a byte-order mark stands before it, perhaps."
    return f"A definition starts with {kinds} or - (remove), not with “{letter}”."
