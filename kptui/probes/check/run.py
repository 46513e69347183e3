"""check_definition: one line for kprobe_events, uprobe_events or dynamic_events, judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from kptui.probes.check import advice, eprobe, kinds, meta
from kptui.probes.check.fetch import Arguments, Parsed
from kptui.probes.check.head import Head, limit_count
from kptui.probes.check.ktext import split_words
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.remove import is_removal, remove
from kptui.probes.check.target import Target
from kptui.probes.check.warn import notes_for
from kptui.verdict import Note, Problem, Verdict

Said = TypeVar("Said", Problem, Note)

MAX_WRITE = 4095
"""Bytes of a line that the kernel takes, its newline included if there is one (WRITE_BUFSIZE - 1)."""


def check_definition(line: str, target: Target) -> Verdict:
    """What the target's kernel would say of a line written to the target's interface.

    ``line`` may end with its newline; with more lines in it, the verdict is that of the first one refused,
    all judged against the same existing definitions, and else that of the last. Bytes that are no UTF-8 stand
    as surrogates. Positions: see kptui.verdict. Pure; takes well under 2 ms.

    Sources: kernel/trace/trace_kprobe.c, trace_uprobe.c, trace_probe.c, trace_dynevent.c and trace.c from
    5.10 to 7.3, and those kernels' answers to the definitions in tests/probes/data.
    """
    lines = line.split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    at = 0
    verdict = Verdict(True, "")
    for i, text in enumerate(lines):
        ended = i < len(lines) - 1 or line.endswith("\n")
        verdict = _check_line(text, at, target, ended=ended)
        if not verdict.ok:
            break
        at += len(text) + 1
    return verdict


def _check_line(line: str, shift: int, target: Target, *, ended: bool) -> Verdict:
    data = _bytes(line)
    if len(data) + ended > MAX_WRITE or b"\0" in data:
        why = (
            f"longer than the {MAX_WRITE} bytes the kernel takes"
            if b"\0" not in data
            else "cut by a NUL byte"
        )
        return Verdict(False, "", errno="EINVAL", sentence=f"The line is {why}.")
    raw = data.decode("latin-1").partition("#")[0]
    words = split_words(raw)
    if not words:
        return Verdict(True, "")
    log = Log(raw, target.traits)
    head: Head | None = None
    args: list[str] = []
    reason, errno = "", None
    try:
        if is_removal(raw if target.traits.raw_dash else words[0][1], target):
            remove(log.words, target)
        else:
            head = kinds.read_head(log, target)
            if head is not None:
                args, parsed = parse_arguments(log, target, head)
                kinds.REGISTER[head.probe](log, target, head, parsed)
    except Refused as refused:
        errno, reason = refused.errno, refused.reason
    at = _Positions(line, shift)
    if errno is not None and log.filter is not None and not log.filter[0].ok:
        return _filter_refused(log, at, errno)
    problems = tuple(
        Problem(
            log.message(entry),
            log.column(entry),
            at.char(log.typed_at(entry)),
            *advice.advise(entry, log, target, at),
            command=None if entry.words is None else _text(" ".join(entry.words)),
        )
        for entry in log.entries
    )
    if errno is not None:
        return Verdict(False, _text(log.command), problems, errno, reason)
    notes = notes_for(log, target, head, args, at) if head is not None else ()
    if log.filter is not None:
        notes += tuple(_in_line(note, log, at) for note in log.filter[0].notes)
    return Verdict(True, _text(log.command), notes=notes)


def parse_arguments(log: Log, target: Target, head: Head) -> tuple[list[str], list[Parsed]]:
    """The words after the place: as the kernel rewrote them, and what they come to. Refused as the kernel does."""
    traits = target.traits
    words = log.words[2 : head.arguments_end]
    proto = meta.Prototype(target, head)
    rewritten = False
    rewrites = head.probe in kinds.REWRITTEN
    if traits.moving_caret and rewrites:
        words, rewritten = meta.expand(log, target, head, proto)
    words = limit_count(log, target, words)
    if rewrites:
        words = meta.expand_dentries(log, target, words, logged=not rewritten)
    arguments = Arguments(log, target, head, proto, eprobe.fields_of(target, head))
    for i, word in enumerate(words):
        log.index = i + 2
        parsed = arguments.parse(word)
        if head.probe == "event":
            eprobe.finish_argument(log, target, head, parsed)
    return words, arguments.parsed


def _filter_refused(log: Log, at: _Positions, errno: str) -> Verdict:
    """The verdict on an event probe's filter as that of the line: the log shows the filter alone."""
    assert log.filter is not None
    verdict, first = log.filter
    problems = tuple(
        _in_line(
            replace(problem, at=at.char(eprobe.filter_in_line(verdict, log, first, problem.at))), log, at
        )
        for problem in verdict.problems
    )
    return Verdict(False, verdict.command, problems, errno, verdict.sentence)


def _in_line(said: Said, log: Log, at: _Positions) -> Said:
    """What was said of a filter, with its fixes as edits of the whole line."""
    assert log.filter is not None
    verdict, first = log.filter

    def place(position: int) -> int:
        return at.char(eprobe.filter_in_line(verdict, log, first, position))

    moved = tuple(replace(fix, start=place(fix.start), end=place(fix.end)) for fix in said.fixes)
    return replace(said, fixes=moved)


def _bytes(line: str) -> bytes:
    try:
        return line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return line.encode("utf-8", "replace")


def _text(command: str) -> str:
    return command.encode("latin-1").decode("utf-8", "surrogateescape")


class _Positions:
    """Turns byte positions of a line into characters of the text it is part of."""

    def __init__(self, line: str, shift: int) -> None:
        self._shift = shift
        self._chars: list[int] | None = None
        self._length = len(line)
        if not line.isascii():
            self._chars = [i for i, char in enumerate(line) for _ in _bytes(char)]

    def char(self, byte: int) -> int:
        if self._chars is None:
            return self._shift + min(byte, self._length)
        return self._shift + (self._chars[byte] if byte < len(self._chars) else self._length)

    def begins(self, byte: int) -> bool:
        if self._chars is None or not 0 < byte < len(self._chars):
            return True
        return self._chars[byte] != self._chars[byte - 1]
