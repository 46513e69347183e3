"""One complete record of trace text to a value, with the event's argument list or without it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from kptui.events import body, lines
from kptui.events.assemble import LineAssembler
from kptui.events.model import (
    Annotate,
    Arg,
    ArgSpec,
    Header,
    Lost,
    Raw,
    Record,
    Ref,
    StackFrame,
    TraceEvent,
)

_MAX_REFS = 4096
_MAX_EVENTS = 1024
_FORMATS = re.compile(
    r" (?P<name>[A-Za-z_]\w*)="
    r"(?P<value>\{(?P<first>[^,}]*)(?P<more>[^}]*)\}|\\?\"%s\\?\"|'%c'|0x%\w+|%\w+|\S+)"
)


def arg_specs(print_fmt: str) -> tuple[ArgSpec, ...]:
    """The arguments of a probe event from the ``print fmt:`` line of its format file.

    ``"(%lx) fd=%d path=\\"%s\\" at=%pS", REC->__probe_ip, …``: names, kinds and array sizes stand in the
    quoted part (kernel/trace/trace_probe.c __set_print_fmt).
    """
    match = re.match(r'\s*"((?:[^"\\]|\\.)*)"', print_fmt)
    if match is None:
        return ()
    specs = []
    for found in _FORMATS.finditer(match[1]):
        many = found["first"] is not None
        specs.append(
            ArgSpec(
                found["name"],
                _kind(found["first"] if many else found["value"]),
                found["more"].count(",") + 1 if many else None,
            )
        )
    return tuple(specs)


def _kind(fmt: str) -> Literal["num", "str", "char", "sym"]:
    if "%s" in fmt:
        return "str"
    if "%c" in fmt:
        return "char"
    return "sym" if "%pS" in fmt or "%ps" in fmt else "num"


class TraceParser:
    """``parse`` one record as a LineAssembler gives it.

    ``formats``: argument lists by event name (the group is not printed); an event without one, or whose
    record does not fit it (redefined since), is read by shape alone, helped by what its other records looked
    like.
    """

    def __init__(self, formats: Mapping[str, Sequence[ArgSpec]] | None = None) -> None:
        self._specs = {name: tuple(specs) for name, specs in (formats or {}).items()}
        self._plain = {
            name: tuple((s.name, s.kind) for s in specs)
            for name, specs in self._specs.items()
            if all(s.kind in ("num", "str") and s.count is None for s in specs)
        }
        self._seen: dict[str, tuple[str, ...]] = {}
        self._refs: dict[str, Ref] = {}
        self._assembler = LineAssembler()

    def feed(self, data: bytes) -> list[Record]:
        """Chunks of any cut to records; see LineAssembler."""
        return [self.parse(line) for line in self._assembler.feed(data)]

    def close(self) -> list[Record]:
        return [self.parse(line) for line in self._assembler.close()]

    def parse(self, line: bytes) -> Record:
        """The record in ``line`` (no last newline). Never raises: what has no known shape is Raw."""
        match = lines.NORMAL.match(line)
        if match is None:
            return self._other(line)
        return self._event(line, match)

    def _other(self, line: bytes) -> Record:
        if match := lines.LATENCY.match(line):
            return self._event(line, match)
        if b"\n" in line[: lines.COMM_WIDTH] and (match := lines.NORMAL_SPLIT.match(line)):
            return self._event(line, match)
        text = line.decode("utf-8", "surrogateescape")
        if lost := lines.LOST.fullmatch(line):
            return Lost(int(lost[1]), int(lost[2]) if lost[2] else None, text)
        if line.startswith(b" => "):
            return StackFrame(text)
        if line.startswith(b"#"):
            return Annotate(text) if lines.ANNOTATE.fullmatch(line) else Header(text)
        return Raw(text)

    def _event(self, line: bytes, match: re.Match[bytes]) -> TraceEvent:
        mark: str | None = None
        tgid: bytes | None = None
        if match.re is lines.LATENCY:
            comm, pid, cpu, flags, ts, note = match.groups()
            mark = note.decode() if note.strip() else None
        else:
            comm, pid, tgid, cpu, flags, ts = match.groups()
        rest = line[match.end() :].decode("utf-8", "surrogateescape")
        named = lines.NAME.match(rest)
        event = named[1] if named else ""
        text = rest[named.end() :] if named else rest
        if rest in lines.STACKS:
            event, text = rest, ""
        ip = ret_ip = None
        func: str | None = None
        args: tuple[Arg, ...] = ()
        ambiguous = False
        shown: str | None = text
        if named and event != lines.MARKER and (place := body.head(text)):
            found = self._args(event, text, place.end())
            if found is not None:
                args, ambiguous = found
                shown = None
                func = place["func"]
                if func is None:
                    ip = self._ref(place["at"])
                else:
                    ret_ip = self._ref(place["at"])
        return TraceEvent(
            comm.lstrip(b" ").decode("utf-8", "surrogateescape"),
            int(pid),
            int(tgid) if tgid and tgid[-1:].isdigit() else None,
            int(cpu),
            flags.decode("utf-8", "surrogateescape") if flags else None,
            ts.decode(),
            event,
            ip,
            ret_ip,
            func,
            args,
            shown,
            line.decode("utf-8", "surrogateescape"),
            mark,
            ambiguous,
        )

    def _ref(self, text: str) -> Ref:
        ref = self._refs.get(text)
        if ref is None:
            if len(self._refs) >= _MAX_REFS:
                self._refs.clear()
            ref = self._refs[text] = body.place(text)
        return ref

    def _args(self, event: str, text: str, pos: int) -> tuple[tuple[Arg, ...], bool] | None:
        """The arguments and whether they are ambiguous; None when the text is no list of arguments."""
        if pos == len(text):
            return (), False
        args = body.simple(text, pos)
        specs = self._specs.get(event)
        if specs is not None:
            plain = self._plain.get(event)
            if args is not None and plain is not None and _matches(args, plain):
                return args, False
            if (known := body.by_specs(text, pos, specs)) is not None:
                return known
        if args is not None:
            names = tuple([arg.name for arg in args])
            seen = self._seen.get(event)
            if names == seen:
                return args, False
            if len(set(names)) == len(names):
                if len(self._seen) >= _MAX_EVENTS:
                    self._seen.clear()
                self._seen[event] = names
                return args, False
        if (seen := self._seen.get(event)) is not None:
            likely = body.by_names(text, pos, seen)
            if likely is not None:
                return likely[0], False
        guessed = body.guess(text, pos)
        if guessed is None:
            return None
        likely = body.by_names(text, pos, [arg.name for arg in guessed])
        return (guessed if likely is None else likely[0]), False


def _matches(args: tuple[Arg, ...], plain: tuple[tuple[str, str], ...]) -> bool:
    return len(args) == len(plain) and all(
        arg.name == name and (arg.type == kind or (kind == "str" and arg.type == "fault"))
        for arg, (name, kind) in zip(args, plain, strict=True)
    )
