"""How the captured events look: title, rows, what is typed or complained of below.

Only the rows on the screen are ever decoded; a flood costs the same to paint as a trickle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

from kptui.events.model import TraceEvent
from kptui.safetext import neutralise
from kptui.ui.event_rows import RIGHT, cell, columns, seconds
from kptui.ui.paint import Line, clip, highlight, pad, right, rule, wrap

if TYPE_CHECKING:
    from kptui.ui.panes.events import EventsPane


def draw_events(pane: EventsPane, width: int, height: int) -> list[Line | Strip]:
    """The pane's lines; the view scrolls as little as the cursor needs."""
    lines: list[Line | Strip] = [_title(pane, width)]
    bottom = _bottom(pane, width)
    room = height - 2 - len(bottom)
    count = len(pane.view)
    if not count:
        lines.extend(_empty(pane, width))
        lines.extend([] for _ in range(max(room + 2 - len(lines) - len(bottom) + 1, 0)))
        lines[height - len(bottom) :] = bottom
        return lines
    newest = pane.record_at(count - 1)
    if isinstance(newest, TraceEvent):
        pane.stamp = min(max(pane.stamp, len(newest.ts)), 16)
    lines.append(_header(pane, width))
    pane.at = min(pane.at, count - 1)
    if pane.follow:
        pane.top = max(count - room, 0)
    elif pane.at < pane.top:
        pane.top = pane.at
    elif pane.at >= pane.top + room:
        pane.top = pane.at - room + 1
    pane.top = max(min(pane.top, count - room), 0)
    previous = _time(pane, pane.top - 1) if "delta" in pane.columns else None
    for position in range(pane.top, min(pane.top + room, count)):
        line, previous = _row(pane, position, width, previous)
        lines.append(line)
    lines.extend([] for _ in range(height - len(bottom) - len(lines)))
    lines.extend(bottom)
    return lines


def _title(pane: EventsPane, width: int) -> Line:
    state = ("following", "ok") if pane.follow else ("holding", "warn")
    side: Line = [state, (f" · {len(pane.captured):,} kept", "")]
    if pane.captured.evicted:
        side.append((f" · {pane.captured.evicted:,} evicted", "dim"))
    if pane.captured.lost:
        side.append((f" · {pane.captured.lost:,} lost", "refused"))
    if pane.view_text:
        side.append(
            (
                f" · view {len(pane.view):,}: {clip(neutralise(pane.view_text), max(width // 3, 12))}",
                "warn",
            )
        )
    return rule([("Events", "title")], side, width, pane.has_focus)


def _bottom(pane: EventsPane, width: int) -> list[Line | Strip]:
    if pane.input is not None:
        sign = " / " if pane.input_kind == "search" else " & "
        lines: list[Line | Strip] = [[(sign, "focus"), *pane.input.spans(width - 5, "bold")]]
        if pane.input_kind == "view" and not pane.input.text:
            lines[0] = [
                *lines[0],
                (clip('a word, or comm == "cat" && ret < 0; empty: all of them', width - 6), "dim"),
            ]
        if pane.error:
            lines.insert(0, [(" ✗ ", "refused"), (clip(neutralise(pane.error), width - 4), "refused")])
        return lines
    if pane.error:
        return [[(" ! ", "warn"), (clip(neutralise(pane.error), width - 4), "warn")]]
    return []


def _empty(pane: EventsPane, width: int) -> list[Line]:
    if len(pane.captured):
        key = pane.kptui.keymap.key("events.reset")
        return [[(clip(f" No captured event matches the view filter; {key} shows all.", width), "dim")]]
    return [[(" ", ""), (piece, "dim")] for line in pane.hint for _, piece in wrap(line, width - 2)]


def _header(pane: EventsPane, width: int) -> Line:
    line: Line = [("  ", "")]
    for name, title, size in columns(pane.columns, width, pane.longest_name, pane.stamp):
        line.append(((right if name in RIGHT else pad)(title, size) if size else title, "dim"))
        line.append(("  ", ""))
    return line


def _time(pane: EventsPane, position: int) -> float | None:
    record = pane.record_at(position)
    return seconds(record.ts) if isinstance(record, TraceEvent) else None


def _row(pane: EventsPane, position: int, width: int, previous: float | None) -> tuple[Line, float | None]:
    """One row, and the time against which the next one's delta counts."""
    record = pane.record_at(position)
    current = position == pane.at and not pane.follow
    line: Line = [("▌ ", "focus")] if current else [("  ", "")]
    if record is None:
        return [*line, ("(evicted)", "dim")], previous
    if not isinstance(record, TraceEvent):
        style, sign = ("refused", "✗ ") if record.kind == "lost" else ("dim", "")
        return [*line, (clip(sign + neutralise(record.text).strip(), width - 3), style)], previous
    used = 2
    for name, _, size in columns(pane.columns, width, pane.longest_name, pane.stamp):
        text = cell(record, name, size, previous)
        if name == "args":
            text = clip(text, max(width - used - 1, 1))
        if name in ("task", "event", "args"):
            line.extend(_marked(pane, text, current))
        else:
            line.append((text, "bold" if current else "" if name == "place" else "dim"))
        line.append(("  ", ""))
        used += size + 2
    time = seconds(record.ts)
    return line, time if time is not None else previous


def _marked(pane: EventsPane, text: str, current: bool) -> Line:
    base = "bold" if current else ""
    needle = pane.needle.casefold()
    folded = text.casefold()
    if not needle or needle not in folded or len(folded) != len(text):
        return [(text, base)]
    positions: list[int] = []
    start = folded.find(needle)
    while start >= 0:
        positions.extend(range(start, start + len(needle)))
        start = folded.find(needle, start + len(needle))
    return highlight(text, positions, "match", base)
