"""Definitions that stand already: reading their listing, and what a new one of the same name must obey."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, overload

from kptui.probes.check import ktext
from kptui.probes.check.fetch import Arguments, Parsed
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log, Probe, Refused
from kptui.probes.check.meta import Prototype
from kptui.probes.check.place import waits_for_module
from kptui.probes.check.target import NOWHERE, TEXT_STARTS, Landing, Target
from kptui.probes.check.types import find_type

_JOINED: Final[frozenset[Probe]] = frozenset({"function", "tracepoint"})  # one kind for the kernel
_KERNEL_HALF = 0xFFFF_8000_0000_0000
_MAX_ERRNO = 4096  # include/linux/err.h has 4095, and means that too


PROBES: Final[MappingProxyType[str, Probe]] = MappingProxyType({
    "p": "kernel", "r": "kernel", "f": "function", "t": "tracepoint", "e": "event", "s": "synthetic",
})  # fmt: skip
"""Kinds of dynamic events by the letter with which they are listed; with a path as place p and r are uprobes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A listed event. ``kind``: its letter; ``probe``: what that letter and the place mean, None: unknown."""

    kind: str
    probe: Probe | None
    group: str
    event: str
    place: str
    args: tuple[str, ...]

    @property
    def returns(self) -> bool:
        """Whether it probes a function's return or exit."""
        return self.kind == "r" or self.place.endswith("%return")

    @property
    def symbol(self) -> str:
        """The function or tracepoint of an ``f`` or ``t`` probe."""
        return self.place.removesuffix("%return")

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields of a synthetic event, or of a probe on a function or tracepoint."""
        if self.probe == "synthetic":
            parts = " ".join((self.place, *self.args)).split(";")
            return tuple(words[-1] for part in parts if (words := part.split()))
        names = tuple(arg.partition("=")[0] for arg in self.args)
        return (*(("__probe_func", "__probe_ret_ip") if self.returns else ("__probe_ip",)), *names)

    @property
    def name(self) -> str:
        return f"{self.group}/{self.event}"


@lru_cache(maxsize=4096)  # of thousands that stand, one changes
def read_standing(line: str) -> Standing | None:
    """A line of kprobe_events or dynamic_events; None for what is none (comments, blank lines)."""
    words = ktext.words_of(line)
    if len(words) < 1 or words[0].startswith("#"):
        return None
    command, colon, name = words[0].partition(":")
    group, slash, event = name.partition("/")
    if not colon or not command:
        return None
    place = words[1] if len(words) > 1 else ""
    kind = command[0]
    probe = "user" if kind in "pr" and "/" in place else PROBES.get(kind)
    if not slash:
        group, event = "synthetic" if kind == "s" else "", name
    return Standing(kind, probe, group, event, place, tuple(words[2:]))


class Listing(Sequence[str]):
    """Definitions that stand, as the kernel lists them, found by name; it can grow and shrink."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._lines: dict[int, str] = {}
        self._standing: dict[int, Standing] = {}
        self._by_event: dict[str, list[int]] = {}
        self._next = 0
        for line in lines:
            self.add(line)

    def add(self, line: str) -> None:
        """Lines that list nothing (comments) are left out."""
        raw = line if line.isascii() else line.encode("utf-8", "surrogateescape").decode("latin-1")
        found = read_standing(raw)
        if found is not None:
            self._lines[self._next] = line
            self._standing[self._next] = found
            self._by_event.setdefault(found.event, []).append(self._next)
            self._next += 1

    def discard(self, gone: Iterable[Standing]) -> None:
        """Take these away."""
        for old in gone:
            for number in tuple(self._by_event.get(old.event, ())):
                if self._standing[number] == old:
                    self._by_event[old.event].remove(number)
                    del self._standing[number], self._lines[number]

    def standing(self, event: str = "") -> list[Standing]:
        """All of them, or those with this event name in whatever group, in order."""
        if not event:
            return list(self._standing.values())
        return [self._standing[number] for number in self._by_event.get(event, ())]

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return tuple(self._lines.values())[index]

    def __len__(self) -> int:
        return len(self._lines)


@lru_cache(maxsize=8)
def _listing(lines: tuple[str, ...]) -> Listing:
    return Listing(lines)


def standing_of(target: Target, event: str = "") -> list[Standing]:
    """The target's existing definitions: all, or those with this event name."""
    lines = target.existing
    return (lines if isinstance(lines, Listing) else _listing(tuple(lines))).standing(event)


def _place_of(standing: Standing) -> tuple[str, int]:
    """Symbol and offset; every raw address is ``unknown``, as for the kernel."""
    if ktext.is_digit(standing.place):
        return "unknown", 0
    symbol, _, offset = standing.place.partition("+")
    return symbol, int(offset) if offset.isdecimal() else 0


def _listed_type(target: Target, standing: Standing, arg: str, head: Head) -> tuple[str, str, int]:
    """Name, type and array length of a listed argument."""
    log = Log(f"p x {arg}", target.traits)
    symbol, offset = _place_of(standing)
    probe = standing.probe or "kernel"
    returns = standing.returns
    entry = probe == "kernel" and not returns and target.entry(symbol, offset)
    if probe in _JOINED:
        symbol, offset, entry = standing.symbol, 0, not returns
    old = Head(returns, returns, entry, symbol, offset, standing.group, standing.event, probe=probe)
    try:
        parsed = Arguments(log, target, old, Prototype(target, old)).parse(arg)
    except Refused:
        name, _, body = arg.partition("=")
        kind = find_type(body.partition(":")[2].partition("[")[0] or None, target.traits.types)
        return name, kind or "x64", 0
    return parsed.name, parsed.type, parsed.count


def register(log: Log, target: Target, head: Head, args: list[Parsed]) -> None:
    """The rules for events of the same name, then what the kernel finds when it puts the kprobe in place."""
    if head.event is not None:
        same_name(log, target, head, args, _same_place)
    landed = target.lands(head.symbol, head.offset if head.address is None else head.address)
    raw = head.symbol is None
    waits = landed in {None, NOWHERE} if raw else waits_for_module(target, head.symbol)
    log.index = 1
    if not waits and _is_refused(target, head, landed):
        raise log.refuse(0, "FAIL_REG_PROBE")
    for name in (name for arg in args for name in arg.symbols):
        if not look_up_data(log, target, name):
            if waits:
                return  # forgiven as if the module would bring it; nothing after it is looked at
            raise log.refuse(0, "BAD_PROBE_ADDR", "ENOENT")
    if raw and waits:
        _far(log, target, head)
    elif not waits and landed == NOWHERE and not target.traits.far_address and not head.returns:
        raise log.refuse(0, "FAIL_REG_PROBE")
    elif not waits and (landed == NOWHERE or (not raw and target.count(head.function, head.module) == 0)):
        raise log.refuse(0, "BAD_PROBE_ADDR", "ENOENT")
    if landed is not None and not waits:
        if raw and head.returns and landed.offset:
            raise log.refuse(0, "FAIL_REG_PROBE")
        if landed.inside:
            raise log.refuse(0, "BAD_INSN_BNDRY", "EILSEQ")


def _is_refused(target: Target, head: Head, landed: Landing | None) -> bool:
    """Whether the kernel allows no probe in the function at that place."""
    elsewhere = head.symbol in TEXT_STARTS and head.offset and landed is None
    if target.not_probeable is None or elsewhere or landed == NOWHERE:
        return False
    place = (head.function, head.module) if landed is None else (landed.function, None)
    return target.not_probeable(*place) is not None


def _far(log: Log, target: Target, head: Head) -> None:
    """A raw address at which we know no symbol: if the kernel knows none either, it waits for a module's."""
    address = head.address or 0
    if address and target.traits.far_address:
        return
    error = (1 << 64) - address
    if address and error < _MAX_ERRNO:  # taken for an error that some function has returned
        name = errno.errorcode.get(error, "EINVAL")
        if name in {"EEXIST", "ENOMEM"}:
            raise Refused(name, "The kernel takes this address for an error number.")
        if name != "ENOENT":
            raise log.refuse(0, "BAD_INSN_BNDRY" if name == "EILSEQ" else "FAIL_REG_PROBE", name)
    elif not address or (not head.returns and not _may_be_code(target, address)):
        raise log.refuse(0, "FAIL_REG_PROBE")


def _may_be_code(target: Target, address: int) -> bool:
    """Whether the kernel's half of the addresses may hold code there; unknown counts as yes."""
    return address >= _KERNEL_HALF and target.lands(None, address) != NOWHERE


def _same_place(target: Target, head: Head, old: Standing) -> bool:
    return _place_of(old) == (head.symbol if head.symbol is not None else "unknown", head.offset)


def same_name(
    log: Log,
    target: Target,
    head: Head,
    args: list[Parsed],
    same_place: Callable[[Target, Head, Standing], bool],
) -> None:
    """What a new probe must obey where its name stands already: another probe of its kind is joined."""
    same = [old for old in standing_of(target, head.event or "") if old.group == head.group]
    family = _JOINED if head.probe in _JOINED else {head.probe}
    probes = [old for old in same if old.probe in family]
    if not probes:
        foreign = target.event_exists and target.event_exists(head.group, head.event or "")
        if same or foreign:
            log.index = 0
            raise log.refuse(0, "EVENT_EXIST", "EEXIST")
        return
    if probes[0].returns != head.returns or probes[0].probe != head.probe:
        log.index = 0
        raise log.refuse(0, "DIFF_PROBE_TYPE", "EEXIST")
    differs = _first_difference(target, head, args, probes[0])
    if differs is not None:
        log.index = differs + 2
        raise log.refuse(0, "DIFF_ARG_TYPE", "EEXIST")
    bodies = [arg.body for arg in args]
    for old in probes:
        if same_place(target, head, old) and [arg.partition("=")[2] for arg in old.args] == bodies:
            log.index = 0
            raise log.refuse(0, "SAME_PROBE", "EEXIST")


def joins(target: Target, head: Head) -> bool:
    """Whether an event of that name stands already."""
    return any(old.group == head.group for old in standing_of(target, head.event or "-"))


def _first_difference(target: Target, head: Head, args: list[Parsed], old: Standing) -> int | None:
    """Index of the first argument that differs in name, type or length; None if none does."""
    if len(args) != len(old.args):
        return min(len(args), len(old.args))
    for i, (new, listed) in enumerate(zip(args, old.args, strict=True)):
        if (new.name, new.type, new.count) != _listed_type(target, old, listed, head):
            return i
    return None


def look_up_data(log: Log, target: Target, text: str, *, logged: bool = True) -> bool:
    """Whether ``@SYM[+-OFF]`` leads somewhere; refused for a bad offset (traceprobe_update_arg)."""
    log.index = 1
    cut = min((i for i in (text.find("+"), text.find("-")) if i >= 0), default=len(text))
    if text[cut:]:
        try:
            ktext.kstrtol(text[cut:])
        except ktext.NumberError as error:
            if not logged:
                raise Refused(error.errno, f"{text[cut:]} is no offset.") from None
            raise log.refuse(0, "FAIL_REG_PROBE", error.errno) from None
    module, colon, name = text[:cut].partition(":")
    return bool(text[:cut]) and target.count(name if colon else module, module if colon else None) > 0
