"""Spans to strips: how a pane turns text and style names into terminal cells.

Panes draw whole lines themselves (the line API), because a stock list or log widget is one to three orders of
magnitude slower at kernel rates. Text is always literal, never markup. Styles are few and named by meaning; each
meaning also has a sign in the text, so that a terminal without colours loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Span = tuple[str, str]
Line = list[Span]

STYLES: dict[str, Style] = {
    "": Style(),
    "dim": Style(dim=True),
    "bold": Style(bold=True),
    "title": Style(bold=True),
    "rule": Style(dim=True),
    "focus": Style(color="cyan", bold=True),
    "ok": Style(color="green"),
    "warn": Style(color="yellow"),
    "refused": Style(color="red", bold=True),
    "match": Style(bold=True, underline=True),
    "cursor": Style(reverse=True),
    "demo": Style(color="yellow", bold=True, reverse=True),
    "key": Style(bold=True),
}
_BLANK = Style()


def clip(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something was cut."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = text[: width - 1]
    while cell_len(kept) > width - 1:
        kept = kept[:-1]
    return kept + "…"


def pad(text: str, width: int) -> str:
    """``text`` clipped or filled with blanks to exactly ``width`` cells."""
    text = clip(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    text = clip(text, width)
    return " " * (width - cell_len(text)) + text


def length(line: Iterable[Span]) -> int:
    return sum(cell_len(text) for text, _ in line)


def wrap(text: str, width: int) -> list[tuple[int, str]]:
    """``text`` cut into rows of at most ``width`` cells, at blanks where possible: (start index, row) each.

    Nothing is dropped: the rows joined are the text.
    """
    width = max(width, 4)
    rows: list[tuple[int, str]] = []
    start = 0
    while cell_len(text[start:]) > width:
        end = start + 1
        while end < len(text) and cell_len(text[start : end + 1]) <= width:
            end += 1
        blank = text.rfind(" ", start + 1, end)
        if end < len(text) and blank > start + width // 3:
            end = blank + 1
        rows.append((start, text[start:end]))
        start = end
    rows.append((start, text[start:]))
    return rows


def rule(left: Sequence[Span], right_side: Sequence[Span], width: int, focused: bool) -> Line:
    """A pane's title line: ``▌Symbols ───────── 41 of 191,204 ─``, the mark and weight telling the focus."""
    mark: Span = ("▌", "focus") if focused else ("─", "rule")
    line: Line = [mark, *((t, "focus" if focused and s == "title" else s) for t, s in left), (" ", "")]
    tail: Line = [(" ", ""), *right_side, (" ─", "rule")] if right_side else []
    room = width - length(line) - length(tail)
    if room < 1:
        tail = []
        room = width - length(line)
    return [*line, ("─" * max(room, 0), "rule"), *tail]


def shown_of(window: range, count: int) -> Line:
    """Which rows of a list are shown, for a title line, where not all are: ``4–18 of 31``."""
    return [] if len(window) >= count else [(f"{window.start + 1}–{window.stop} of {count:,}", "dim")]


def highlight(text: str, positions: Iterable[int], style: str = "match", base: str = "") -> Line:
    """``text`` with the characters at ``positions`` in another style, as few spans as possible."""
    marked = set(positions)
    line: Line = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or (i in marked) != (start in marked):
            line.append((text[start:i], style if start in marked else base))
            start = i
    return line


def to_strip(line: Iterable[Span], width: int, *, reverse: bool = False) -> Strip:
    """Spans to a strip of exactly ``width`` cells."""
    segments = []
    for text, name in line:
        style = STYLES[name]
        segments.append(Segment(text, style + STYLES["cursor"] if reverse else style))
    fill = STYLES["cursor"] if reverse else _BLANK
    return Strip(segments).adjust_cell_length(width, fill)
