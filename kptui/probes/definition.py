"""Probe definitions: one line of ``kprobe_events`` as a value, for entry (``p``) and return (``r``) probes.

Source: kernel/trace/trace_kprobe.c (``__trace_kprobe_create``) and trace_probe.c
(``traceprobe_parse_event_name``). A line as the kernel lists it (``r10:kprobes/open_ret do_sys_openat2
ret=$retval:s32``) reads like one that was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from kptui.probes.cnumber import parse_unsigned
from kptui.probes.errors import ProbeSyntaxError
from kptui.probes.exprs import FetchArg
from kptui.probes.fetch import is_identifier, parse_fetcharg

__all__ = [
    "DEFAULT_GROUP", "MAX_EVENT_NAME", "MAX_MAXACTIVE", "Kind", "Place", "Probe", "ProbeSyntaxError",
    "generated_event_name", "parse_place", "parse_probe", "removal",
]  # fmt: skip

Kind = Literal["p", "r"]

DEFAULT_GROUP: Final = "kprobes"
MAX_EVENT_NAME: Final = 63  # MAX_EVENT_NAME_LEN is 64 with the NUL
MAX_MAXACTIVE: Final = 4096  # KRETPROBE_MAXACTIVE_MAX

_WORD = re.compile(r"[^ \t\r\n\v\f]+")
_GROUP = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*", re.ASCII)
_SYMBOL = re.compile(r"[^\s#%:/+\-()=,@*\"'\\]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a probe sits: ``symbol`` plus ``offset`` bytes, looked for in ``module`` if given; or a raw
    ``address``.
    """

    symbol: str | None
    offset: int = 0
    module: str | None = None
    address: int | None = None

    def __str__(self) -> str:
        if self.symbol is None:
            return hex(self.address or 0)
        head = "" if self.module is None else f"{self.module}:"
        return f"{head}{self.symbol}{f'+{self.offset}' if self.offset else ''}"

    @property
    def is_entry(self) -> bool:
        """Whether it names a function's first instruction, where registers hold the arguments."""
        return self.symbol is not None and self.offset == 0


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe definition. ``group`` and ``event`` may be left to the kernel; ``maxactive`` (1 to 4096) is
    for ``r`` only.
    """

    kind: Kind
    place: Place
    group: str | None = None
    event: str | None = None
    maxactive: int | None = None
    args: tuple[FetchArg, ...] = ()

    def __str__(self) -> str:
        count = "" if self.maxactive is None else str(self.maxactive)
        if self.group is None:
            name = "" if self.event is None else f":{self.event}"
        else:
            name = f":{self.group}/{self.event or ''}"
        return " ".join((f"{self.kind}{count}{name}", str(self.place), *map(str, self.args)))

    def named(self, event: str, group: str | None = None) -> Probe:
        """The same probe with ``event`` (and ``group``) filled in where none was given."""
        return replace(self, event=self.event or event, group=self.group or group)


def generated_event_name(probe: Probe) -> str | None:
    """The event name that the kernel makes up for a definition without one: ``p_vfs_read_16``.

    None for a raw address: there the kernel prints a hashed pointer, which can't be foretold.
    """
    place = probe.place
    if place.symbol is None:
        return None
    where = place.symbol if place.module is None else f"{place.module}:{place.symbol}"
    name = f"{probe.kind}_{where}_{place.offset}"[:MAX_EVENT_NAME]
    return name[0] + re.sub(r"[:.*]", "_", name[1:])


def removal(group: str, event: str) -> str:
    """The command that removes an event: ``-:group/event``."""
    return f"-:{group}/{event}"


def parse_probe(line: str) -> Probe:
    """A definition line, as typed or as listed. A comment (``#`` to the end) is left out; ``%return`` makes
    an ``r``.

    Raises ProbeSyntaxError, with columns in ``line``.
    """
    text = line.partition("#")[0]
    if "\n" in text.strip("\n"):
        raise ProbeSyntaxError(
            "One definition is one line", text.index("\n", len(text) - len(text.lstrip("\n")))
        )
    words = [(match.group(), match.start()) for match in _WORD.finditer(text)]
    if not words:
        raise ProbeSyntaxError("A definition is p or r, a place, and arguments", 0)
    kind, maxactive, group, event = _command(*words[0], more=len(words) > 1)
    if len(words) < 2:
        raise ProbeSyntaxError("No place to probe is given", len(text.rstrip()))
    place, returns = parse_place(*words[1])
    if returns:
        kind = "r"
    args = tuple(parse_fetcharg(word, column) for word, column in words[2:])
    return Probe(kind, place, group, event, maxactive, args)


def _command(word: str, column: int, *, more: bool) -> tuple[Kind, int | None, str | None, str | None]:
    kind: Kind
    if word.startswith("p"):
        kind = "p"
    elif word.startswith("r"):
        kind = "r"
    else:
        raise ProbeSyntaxError("A definition begins with p (entry) or r (return)", column)
    head, colon, spec = word[1:].partition(":")
    maxactive: int | None = None
    if head:
        if not head[0].isdigit():
            raise ProbeSyntaxError("Only : and a name may follow p or r", column + 1)
        if kind == "p":
            raise ProbeSyntaxError("Maxactive is only for function exit", column + 1)
        maxactive = parse_unsigned(head)
        if not maxactive:
            raise ProbeSyntaxError("Invalid maxactive number", column + 1)
        if maxactive > MAX_MAXACTIVE:
            raise ProbeSyntaxError("Maxactive is too big", column + 1)
    if not colon:
        return kind, maxactive, None, None
    group, event = _event_spec(spec, column + len(word) - len(spec), more=more)
    return kind, maxactive, group, event


def _event_spec(spec: str, column: int, *, more: bool) -> tuple[str | None, str | None]:
    group: str | None = None
    event = spec
    separator = "/" if "/" in spec else "."
    if separator in spec:
        group, _, event = spec.partition(separator)
        if not group:
            raise ProbeSyntaxError("Group name is not specified", column)
        if len(group) > MAX_EVENT_NAME:
            raise ProbeSyntaxError("Group name is too long", column)
        if not _GROUP.fullmatch(group):
            raise ProbeSyntaxError("Group name must follow the same rules as C identifiers", column)
        column += len(group) + 1
        if not event and more:
            return group, None
    if not event:
        raise ProbeSyntaxError("Event name is not specified", column)
    if len(event) > MAX_EVENT_NAME:
        raise ProbeSyntaxError("Event name is too long", column)
    if not is_identifier(event):
        raise ProbeSyntaxError("Event name must follow the same rules as C identifiers", column)
    return group, event


def parse_place(word: str, column: int = 0) -> tuple[Place, bool]:
    """The second word of a definition, and whether it ends in ``%return``. Raises ProbeSyntaxError."""
    address = parse_unsigned(word)
    if address is not None:
        return Place(None, address=address), False
    where, percent, suffix = word.partition("%")
    if percent and suffix != "return":
        raise ProbeSyntaxError("Invalid probed address suffix", column + len(where))
    module: str | None = None
    name = where
    if ":" in where:
        module, _, name = where.partition(":")
        if not _SYMBOL.fullmatch(module.replace("-", "_")):
            raise ProbeSyntaxError("Invalid probed address or symbol", column)
    match = _SYMBOL.match(name)
    if match is None or match.group()[0].isdigit():
        raise ProbeSyntaxError("Invalid probed address or symbol", column)
    offset = 0
    rest = name[match.end() :]
    if rest:
        value = parse_unsigned(rest, 32) if rest[0] == "+" and rest[1:2].isdigit() else None
        if value is None:
            raise ProbeSyntaxError("Invalid probed address or symbol", column)
        offset = value
    return Place(match.group(), offset, module), bool(percent)
