"""What the first two words of a probe definition come to, whatever its kind, and the rules for its name."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from kptui.probes.check import ktext
from kptui.probes.check.log import Log, Probe, Refused
from kptui.probes.check.target import Target

MAX_NAME: Final = 64  # MAX_EVENT_NAME_LEN, with the terminating NUL
MAX_ARGS: Final = 128

DEFAULT_GROUPS: Final = MappingProxyType({
    "kernel": "kprobes", "user": "uprobes", "function": "fprobes", "tracepoint": "tracepoints",
    "event": "eprobes", "synthetic": "synthetic",
})  # fmt: skip
"""The group of a probe that was given none, by Head.probe."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the first two words come to. ``event`` None: the hash of an address ends up in the name, so that
    it can't be told.

    ``probe``: what kind it is, and so what its arguments may read. ``returns``: a return probe;
    ``sees_return``: the argument parser knows it (not for raw addresses). ``entry``: at a function's entry,
    with its parameters at hand. Kernel probes have either ``symbol`` or ``address``; for uprobes ``symbol``
    is None and ``path``, ``offset`` and ``counter`` (reference counter, 0: none) tell the place; event probes
    have none but are ``attached`` to an event (group and name), and ``arguments_end`` is the word at which
    their arguments end, if any does not belong to them.
    """

    returns: bool
    sees_return: bool
    entry: bool
    symbol: str | None
    offset: int
    group: str
    event: str | None
    address: int | None = None
    probe: Probe = "kernel"
    path: str = ""
    counter: int = 0
    attached: tuple[str, str] | None = None
    arguments_end: int | None = None

    @property
    def in_kernel(self) -> bool:
        """Whether the probe is on the kernel, so that arguments may name its symbols (TPARG_FL_KERNEL)."""
        return self.probe != "user"

    @property
    def at_function(self) -> bool:
        """Whether the parameters of a kernel function are at hand: at its entry, or kept until its return."""
        return self.in_kernel and (self.entry or self.sees_return)

    @property
    def module(self) -> str | None:
        name, colon, _ = (self.symbol or "").partition(":")
        return name if colon else None

    @property
    def function(self) -> str:
        """The symbol without its module."""
        module, colon, name = (self.symbol or "").partition(":")
        return name if colon else module


class NotMine(Exception):
    """The line is none of this kind's: the next one is asked, and if none takes it, the answer is EINVAL
    without a log entry (-ECANCELED in the kernel). ``reason``: what to say then.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def limit_count(log: Log, target: Target, words: list[str]) -> list[str]:
    """The argument words that this kernel reads: the first 128 where it drops the others in silence."""
    if len(words) <= MAX_ARGS or target.traits.count == "cut":
        return words[:MAX_ARGS]
    if target.traits.count == "message":
        log.index = 2
        raise log.refuse(0, "TOO_MANY_ARGS", "E2BIG")
    raise Refused("E2BIG", f"A probe has at most {MAX_ARGS} arguments.")


def event_name(log: Log, target: Target, spec: str, at: int) -> tuple[str, str | None]:
    """Group and event of what follows the colon, ``at`` bytes into word 0; the event is None where it is to
    be generated (traceprobe_parse_event_name).
    """
    traits = target.traits
    group = DEFAULT_GROUPS[log.probe]
    cut = spec.find("/")
    if cut < 0 and traits.dot_group:
        cut = spec.find(".")
    event = spec
    if cut >= 0:
        group, event = spec[:cut], spec[cut + 1 :]
        if not group:
            raise log.refuse(at, "NO_GROUP_NAME")
        if cut + 1 > MAX_NAME:
            raise log.refuse(at, "GROUP_TOO_LONG")
        good = ktext.is_good_group(group) if traits.hyphen_group else ktext.is_good_name(group)
        if not good:
            raise log.refuse(at, "BAD_GROUP_NAME")
        at += cut + 1
    if not event:
        if cut >= 0 and traits.optional_event:
            return group, None
        raise log.refuse(at, "NO_EVENT_NAME")
    if len(event) > traits.name_limit:
        raise log.refuse(at, "EVENT_TOO_LONG")
    if not ktext.is_good_name(event):
        raise log.refuse(at, "BAD_EVENT_NAME")
    return group, event


def sanitised(name: str) -> str:
    """A generated name cut to its length, with ``_`` for what may stand in a symbol (sanitize_event_name);
    the first byte stays.
    """
    name = name[: MAX_NAME - 1]
    return name[:1] + name[1:].translate(str.maketrans(":.*", "___"))
