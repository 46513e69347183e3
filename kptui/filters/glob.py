"""The patterns of ``~`` as the kernel matches them.

``filter_parse_regex()`` (kernel/trace/trace_events_filter.c) tells plain prefix, suffix and substring
patterns from real globs, which ``glob_match()`` (lib/glob.c) takes. Here every ``*`` splits the pattern into
pieces of fixed length, each found leftmost, so that no pattern takes more than pieces times length.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kptui.filters import lexis

Matcher = Callable[[str], bool]


def pattern_matcher(pattern: str, *, digits_literal: bool = True) -> Matcher:
    """A function that tells whether a whole text matches ``pattern``.

    ``*``, ``?``, ``[abc]``, ``[a-z]``, ``[!x]``, ``\\`` escapes; a leading ``!`` inverts. An empty pattern
    never matches. With ``digits_literal`` a pattern that begins with a digit is compared literally, as the
    kernel does (MATCH_INDEX); without it, wildcards work there too. ``?`` is one byte.
    """
    inverted = pattern.startswith("!")
    body = pattern[1:] if inverted else pattern
    if not body:
        # Seen on real kernels for ~ ""; the same with the sign before it.
        return (lambda text: True) if inverted else (lambda text: False)
    raw = lexis.to_raw(body)
    literal = digits_literal and raw[0] in lexis.DIGITS
    positive: Matcher = body.__eq__ if literal else _matcher(raw)
    return (lambda text: not positive(text)) if inverted else positive


def _matcher(raw: str) -> Matcher:
    glob = any(char in raw for char in "?[\\") or "*" in raw[1:-1]
    if not glob:
        plain = raw.strip("*") if raw != "*" else ""
        front, end = raw.endswith("*"), raw.startswith("*")
        text = lexis.from_raw(plain)
        if raw in ("*", "**"):
            return lambda value: True
        if front and end:
            return lambda value: text in value
        if front:
            return lambda value: value.startswith(text)
        if end:
            return lambda value: value.endswith(text)
        return lambda value: value == text
    return _glob(raw)


def _pieces(raw: str) -> list[str]:
    """Regular expressions of fixed length for what stands between the stars; the first and last may be
    empty.
    """
    pieces = [""]
    at = 0
    while at < len(raw):
        char = raw[at]
        at += 1
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif char == "[" and (found := _character_class(raw, at)) is not None:
            expression, at = found
            pieces[-1] += expression
        elif char == "\\":
            if at < len(raw):
                pieces[-1] += re.escape(raw[at])
            at += 1  # a backslash at the end ends the pattern
        else:
            pieces[-1] += re.escape(char)
    return pieces


def _character_class(raw: str, at: int) -> tuple[str, int] | None:
    """``[...]`` from behind its bracket; None when it isn't closed (then the bracket is a plain one)."""
    inverted = raw[at : at + 1] == "!"
    at += inverted
    ranges = ""
    first = True
    while at < len(raw):
        low = raw[at]
        if low == "]" and not first:
            if not ranges:
                return ("." if inverted else "(?!)"), at + 1
            return f"[{'^' if inverted else ''}{ranges}]", at + 1
        first = False
        at += 1
        high = low
        if raw[at : at + 1] == "-" and raw[at + 1 : at + 2] != "]":
            if at + 1 >= len(raw):
                return None
            high = raw[at + 1]
            at += 2
        if low <= high:  # a range from high to low holds nothing
            ranges += f"\\x{ord(low):02x}-\\x{ord(high):02x}"
    return None


def _glob(raw: str) -> Matcher:
    pieces = [re.compile(piece, re.DOTALL) for piece in _pieces(raw)]
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return lambda text: first.fullmatch(lexis.to_raw(text)) is not None
    middle = pieces[1:-1]
    tail = re.compile(f"(?:{last.pattern})\\Z", re.DOTALL)

    def matches(text: str) -> bool:
        value = lexis.to_raw(text)
        found = first.match(value)
        if found is None:
            return False
        at = found.end()
        for piece in middle:
            found = piece.search(value, at)
            if found is None:
                return False
            at = found.end()
        return tail.search(value, at) is not None

    return matches
