"""Watch the events: the newest at the bottom, or held still; search, a view filter, columns, detail.

Only the rows on the screen are ever decoded; a flood costs the same to paint as a trickle.
"""

from __future__ import annotations

import time
from functools import partial

from textual import events as textual_events
from textual.strip import Strip

from kptui.events.log import EventLog, LogView
from kptui.events.model import Record, TraceEvent
from kptui.events.values import event_values
from kptui.safetext import neutralise
from kptui.ui.event_rows import DEFAULT_COLUMNS, RIGHT, cell, columns, seconds
from kptui.ui.paint import Line, clip, highlight, pad, right, rule, wrap
from kptui.ui.pane import Pane
from kptui.ui.textline import TextLine

_FILTER_SIGNS = "=<>~&|!()\"'"
_SLICE = 0.007  # s of the event loop that going through the captured events may take at once
_AT_ONCE = 100  # events between two looks at the clock
_PAUSE = 0.001  # s for keys and frames in between


class EventsPane(Pane):
    """A view over the event log."""

    scope = "events"

    def __init__(self, log: EventLog, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.captured = log
        self.view_text = ""
        self.view = LogView(log, None)
        self.follow = True
        self.at = 0  # position in the view
        self.top = 0
        self.columns = set(DEFAULT_COLUMNS)
        self.longest_name = 12  # of the events that can come
        self.needle = ""
        self.input: TextLine | None = None
        self.input_kind = ""
        self.error = ""
        self.hint: list[str] = []
        self._advancing = False  # a timer will go on testing
        self._sought = 0  # which search it is: a later one ends those before
        self._seen = (-1, -1, -1)
        self._stamp = 11  # cells of the time column; they only grow

    # -- the log grew

    def tick(self) -> bool:
        """Look at what arrived since the last tick; True if it is to be painted because something shown changed."""
        self._advance()
        seen = (self.captured.received, self.captured.evicted, len(self.view))
        if seen == self._seen:
            return False
        self._seen = seen
        if self.follow:
            self.at = max(len(self.view) - 1, 0)
        self.redraw()
        return self.display

    def set_hint(self, lines: list[str]) -> None:
        """What to say while there are no events."""
        if lines != self.hint:
            self.hint = lines
            self.redraw()

    def set_view(self, text: str) -> bool:
        """Show only events for which a filter is true; '' shows all. False and a message where it is no filter.

        Bare words, as ``&`` of less takes them, are looked for in the whole line.
        """
        text = text.strip()
        if text and not any(sign in text for sign in _FILTER_SIGNS):
            text = f'line ~ "*{text}*"'
        predicate = None
        if text:
            from kptui.filters import FilterSyntaxError, compile_filter, parse_filter

            try:
                test = compile_filter(parse_filter(text))
            except FilterSyntaxError as error:
                self.error = f"{error.message} (at character {error.column + 1})"
                self.redraw()
                return False

            def predicate(record: Record) -> bool:
                return isinstance(record, TraceEvent) and test({"line": record.raw, **event_values(record)})

        held = (
            None if self.follow or not len(self.view) else self.view.index(min(self.at, len(self.view) - 1))
        )
        self.error = ""
        self.view_text = text
        self.view = LogView(self.captured, predicate)
        self._sought += 1
        self._seen = (-1, -1, -1)
        self.tick()
        if held is not None:
            # Whoever holds the view looks at something: the cursor stays on it, or on the nearest that is shown.
            self.at = min(self.view.position(held), max(len(self.view) - 1, 0))
        return True

    @property
    def record(self) -> Record | None:
        """The record under the cursor."""
        return self.record_at(self.at)

    def record_at(self, position: int) -> Record | None:
        if not 0 <= position < len(self.view):
            return None
        index = self.view.index(position)
        return self.captured.record(index) if index >= self.captured.first else None

    # -- typing: search and view filter

    @property
    def typing(self) -> bool:
        return self.input is not None

    def start_input(self, kind: str, text: str = "") -> None:
        self.input_kind = kind
        self.input = TextLine.offer(text)
        self.error = ""
        self.redraw()

    def text_key(self, event: textual_events.Key) -> bool:
        if self.input is None:
            return False
        if event.key == "enter":
            self._accept(self.input.text)
            return True
        if event.key in ("escape", "ctrl+c"):
            self.input = None
            self.error = ""
            self.redraw()
            return True
        changed = self.input.key(event.key, event.character)
        if changed is None:
            return False
        self.input = changed
        self.error = ""
        self.redraw()
        return True

    def text_paste(self, text: str) -> None:
        if self.input is not None:
            self.input = self.input.insert(text)
            self.redraw()

    def _accept(self, text: str) -> None:
        if self.input_kind == "view":
            if self.set_view(text):
                self.input = None
        else:
            self.input = None
            self.needle = text
            if text:
                self.seek(-1, from_here=True)
        self.redraw()

    def _advance(self) -> None:
        """Test against the view filter what isn't yet, as much as there is time for; the rest soon."""
        end = time.monotonic() + _SLICE
        while self.view.behind and time.monotonic() < end:
            self.view.advance(_AT_ONCE)
        if self.view.behind and not self._advancing:
            self._advancing = True
            self.set_timer(_PAUSE, self._advance_on)

    def _advance_on(self) -> None:
        self._advancing = False
        self._advance()

    def seek(self, step: int, *, from_here: bool = False) -> None:
        """Move to the next event (``step`` 1 or -1) whose text holds the search text, or say that there is none.

        A search that takes long goes on by and by, until another one begins or the view is another.
        """
        self._sought += 1
        if self.needle:
            self._seek(step, self.at if from_here else self.at + step, self._sought)

    def _seek(self, step: int, position: int, number: int) -> None:
        if number != self._sought:
            return
        needle = self.needle.casefold()
        end = time.monotonic() + _SLICE
        looked = 0
        while 0 <= position < len(self.view):
            index = self.view.index(position)
            if index >= self.captured.first and needle in self._text(index).casefold():
                self.follow = False
                self.at = position
                self.error = ""
                self.redraw()
                return
            position += step
            looked += 1
            if looked % _AT_ONCE == 0 and time.monotonic() > end:
                self.error = f"searching for {self.needle!r} …"
                self.redraw()
                self.set_timer(_PAUSE, partial(self._seek, step, position, number))
                return
        self.error = f"no {'earlier' if step < 0 else 'later'} event with {self.needle!r}"
        self.redraw()

    def _text(self, index: int) -> str:
        return self.captured.line(index).decode("utf-8", "replace")

    # -- commands

    def run(self, command: str) -> bool:
        count = len(self.view)
        page = max(self.size.height - 3, 1)
        step = {
            "list.up": -1,
            "list.down": 1,
            "list.page_up": -page,
            "list.page_down": page,
            "list.top": -count,
            "list.bottom": count,
        }.get(command)
        self.error = ""
        if step is not None:
            self.at = min(max(self.at + step, 0), max(count - 1, 0))
            self.follow = command == "list.bottom" or (self.follow and step > 0)
            self.redraw()
            return True
        match command:
            case "events.follow":
                self.follow = not self.follow
                if self.follow:
                    self.at = max(count - 1, 0)
            case "events.hold":
                self.follow = False
            case "events.next":
                self.seek(1)
            case "events.previous":
                self.seek(-1)
            case "events.view":
                self.start_input("view", self.view_text)
            case "events.exclude":
                self._exclude()
            case "events.reset":
                self.needle = ""
                self.set_view("")
            case _:
                return False
        self.redraw()
        return True

    def _exclude(self) -> None:
        record = self.record
        if isinstance(record, TraceEvent):
            name = neutralise(record.comm).replace('"', "?")
            without = f'!(comm == "{name}" && event == "{neutralise(record.event)}")'
            self.set_view(f"{self.view_text} && {without}" if self.view_text else without)

    # -- drawing

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        lines: list[Line | Strip] = [self._title(width)]
        bottom = self._bottom(width)
        room = height - 2 - len(bottom)
        count = len(self.view)
        if not count:
            lines.extend(self._empty(width))
            lines.extend([] for _ in range(max(room + 2 - len(lines) - len(bottom) + 1, 0)))
            lines[height - len(bottom) :] = bottom
            return lines
        newest = self.record_at(count - 1)
        if isinstance(newest, TraceEvent):
            self._stamp = min(max(self._stamp, len(newest.ts)), 16)
        lines.append(self._header(width))
        self.at = min(self.at, count - 1)
        if self.follow:
            self.top = max(count - room, 0)
        elif self.at < self.top:
            self.top = self.at
        elif self.at >= self.top + room:
            self.top = self.at - room + 1
        self.top = max(min(self.top, count - room), 0)
        previous = self._time(self.top - 1) if "delta" in self.columns else None
        for position in range(self.top, min(self.top + room, count)):
            line, previous = self._row(position, width, previous)
            lines.append(line)
        lines.extend([] for _ in range(height - len(bottom) - len(lines)))
        lines.extend(bottom)
        return lines

    def _title(self, width: int) -> Line:
        state = ("following", "ok") if self.follow else ("holding", "warn")
        side: Line = [state, (f" · {len(self.captured):,} kept", "")]
        if self.captured.evicted:
            side.append((f" · {self.captured.evicted:,} evicted", "dim"))
        if self.captured.lost:
            side.append((f" · {self.captured.lost:,} lost", "refused"))
        if self.view_text:
            side.append(
                (
                    f" · view {len(self.view):,}: {clip(neutralise(self.view_text), max(width // 3, 12))}",
                    "warn",
                )
            )
        return rule([("Events", "title")], side, width, self.has_focus)

    def _bottom(self, width: int) -> list[Line | Strip]:
        if self.input is not None:
            sign = " / " if self.input_kind == "search" else " & "
            lines: list[Line | Strip] = [[(sign, "focus"), *self.input.spans(width - 5, "bold")]]
            if self.input_kind == "view" and not self.input.text:
                lines[0] = [
                    *lines[0],
                    (clip('a word, or comm == "cat" && ret < 0; nothing shows all', width - 6), "dim"),
                ]
            if self.error:
                lines.insert(0, [(" ✗ ", "refused"), (clip(neutralise(self.error), width - 4), "refused")])
            return lines
        if self.error:
            return [[(" ! ", "warn"), (clip(neutralise(self.error), width - 4), "warn")]]
        return []

    def _empty(self, width: int) -> list[Line]:
        if len(self.captured):
            key = self.kptui.keymap.key("events.reset")
            return [[(clip(f" No captured event matches the view filter; {key} shows all.", width), "dim")]]
        return [[(" ", ""), (piece, "dim")] for line in self.hint for _, piece in wrap(line, width - 2)]

    def _header(self, width: int) -> Line:
        line: Line = [("  ", "")]
        for name, title, size in columns(self.columns, width, self.longest_name, self._stamp):
            line.append(((right if name in RIGHT else pad)(title, size) if size else title, "dim"))
            line.append(("  ", ""))
        return line

    def _time(self, position: int) -> float | None:
        record = self.record_at(position)
        return seconds(record.ts) if isinstance(record, TraceEvent) else None

    def _row(self, position: int, width: int, previous: float | None) -> tuple[Line, float | None]:
        """One row, and the time against which the next one's delta counts."""
        record = self.record_at(position)
        current = position == self.at and not self.follow
        line: Line = [("▌ ", "focus")] if current else [("  ", "")]
        if record is None:
            return [*line, ("(evicted)", "dim")], previous
        if not isinstance(record, TraceEvent):
            style, sign = ("refused", "✗ ") if record.kind == "lost" else ("dim", "")
            return [*line, (clip(sign + neutralise(record.text).strip(), width - 3), style)], previous
        used = 2
        for name, _, size in columns(self.columns, width, self.longest_name, self._stamp):
            text = cell(record, name, size, previous)
            if name == "args":
                text = clip(text, max(width - used - 1, 1))
            if name in ("task", "event", "args"):
                line.extend(self._marked(text, current))
            else:
                line.append((text, "bold" if current else "" if name == "place" else "dim"))
            line.append(("  ", ""))
            used += size + 2
        time = seconds(record.ts)
        return line, time if time is not None else previous

    def _marked(self, text: str, current: bool) -> Line:
        base = "bold" if current else ""
        needle = self.needle.casefold()
        folded = text.casefold()
        if not needle or needle not in folded or len(folded) != len(text):
            return [(text, base)]
        positions: list[int] = []
        start = folded.find(needle)
        while start >= 0:
            positions.extend(range(start, start + len(needle)))
            start = folded.find(needle, start + len(needle))
        return highlight(text, positions, "match", base)
