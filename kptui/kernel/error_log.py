"""tracefs' ``error_log``: which of its entries a write has just added, as problems with a caret.

The log is a window over the last eight entries without ids, shared by everybody; clearing it would take other
people's messages away, so it is compared before and after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kptui.safetext import decode, neutralise
from kptui.verdict import Problem

_HEADER = re.compile(r"\[ *(?P<time>\d+\.\d{6})\] (?P<where>.+?): error: (?P<message>.*)")
_COMMAND = "  Command: "
_CARET_INDENT = 11  # blanks before column 0: "  Command: " is as long (kernel/trace/trace.c, tracing_log_err)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry: ``time`` as printed (seconds), ``where`` (``trace_kprobe``), the command, the caret's
    byte in it.
    """

    time: str
    where: str
    message: str
    command: str
    column: int


def parse_error_log(data: bytes) -> list[LogEntry]:
    """Entries oldest first; what has no shape of an entry is passed over. A command may contain newlines."""
    entries: list[LogEntry] = []
    block: list[str] = []
    header: re.Match[str] | None = None
    for line in decode(data).split("\n"):
        match = _HEADER.fullmatch(line)
        if match is None:
            block.append(line)
            continue
        if header is not None:
            entries.append(_entry(header, block))
        header, block = match, []
    if header is not None:
        entries.append(_entry(header, block))
    return entries


def _entry(header: re.Match[str], block: list[str]) -> LogEntry:
    while block and not block[-1]:
        block.pop()
    column = 0
    if block and block[-1].strip() == "^":
        column = max(0, block.pop().index("^") - _CARET_INDENT)
    command = "\n".join(block).removeprefix(_COMMAND)
    return LogEntry(header["time"], header["where"], neutralise(header["message"]), command, column)


def new_entries(before: Sequence[LogEntry], after: Sequence[LogEntry]) -> list[LogEntry]:
    """What ``after`` has that ``before`` had not, in order: both are windows over one growing list."""
    for old in range(min(len(before), len(after)), 0, -1):
        if list(before[-old:]) == list(after[:old]):
            return list(after[old:])
    return list(after)


def problems_of(entries: Sequence[LogEntry], line: str) -> tuple[Problem, ...]:
    """The entries that speak of ``line`` (all of them when none does) as problems, ``at`` pointing into
    ``line``.
    """
    joined = " ".join(line.split())
    stripped = line.strip()
    own = [entry for entry in entries if entry.command in {joined, stripped}]
    return tuple(
        Problem(entry.message, entry.column, caret_in(line, entry.command, entry.column))
        for entry in own or entries
    )


def caret_in(line: str, command: str, column: int) -> int:
    """Byte ``column`` of ``command`` (as logged: words joined by one blank) as a character index into
    ``line``.
    """
    start = len(line) - len(line.lstrip())
    encoded = command.encode("utf-8", "surrogateescape")
    chars = len(encoded[:column].decode("utf-8", "surrogateescape")) + max(0, column - len(encoded))
    if command == line.strip():
        return min(start + chars, len(line))
    index = command[:chars].count(" ")
    offset = chars - (command[:chars].rfind(" ") + 1)
    words = [(match.start(), match.end()) for match in re.finditer(r"\S+", line)]
    if index >= len(words):
        return len(line.rstrip())
    begin, end = words[index]
    return min(begin + offset, end)


_FILTER_ERROR = re.compile(r"\n(?P<blanks> *)\^\n(?:parse_error: )(?P<message>[^\n]*)\n*\Z")


def filter_file(data: bytes) -> tuple[str | None, str | None, int]:
    """An event's ``filter`` file as (active filter or None, the kernel's error or None, its column).

    A refused text stays in the file with ``parse_error:`` or ``Error:`` under it, and then *no* filter is
    active.
    """
    text = decode(data)
    match = _FILTER_ERROR.search(text)
    if match is not None:
        return None, neutralise(match["message"]), len(match["blanks"])
    if re.search(r"\nError: \(\d+\)\n*\Z", text):
        return None, "Error", 0
    text = text.removesuffix("\n")
    return (None if text in {"none", ""} else text), None, 0
