"""Watch the events: the newest at the bottom, or held still; search, a view filter, columns, detail."""

from __future__ import annotations

from textual import events as textual_events
from textual.strip import Strip

from kptui.events.log import EventLog
from kptui.events.model import TraceEvent
from kptui.safetext import neutralise
from kptui.ui.event_rows import DEFAULT_COLUMNS
from kptui.ui.paint import Line
from kptui.ui.panes.captured import CapturedPane
from kptui.ui.panes.events_view import draw_events
from kptui.ui.textline import TextLine


class EventsPane(CapturedPane):
    """The captured events with what is typed over them, and their commands."""

    scope = "events"

    def __init__(self, log: EventLog, *, id: str | None = None) -> None:
        super().__init__(log, id=id)
        self.top = 0  # position of the first row shown
        self.columns = set(DEFAULT_COLUMNS)
        self.longest_name = 12  # of the events that can come
        self.stamp = 11  # cells of the time column; they only grow
        self.input: TextLine | None = None
        self.input_kind = ""
        self.hint: list[str] = []

    def set_hint(self, lines: list[str]) -> None:
        """What to say while there are no events."""
        if lines != self.hint:
            self.hint = lines
            self.redraw()

    # -- typing: search and view filter

    @property
    def typing(self) -> bool:
        return self.input is not None

    @property
    def foremost(self) -> tuple[str, ...]:
        found = ("events.next", "events.previous") if self.needle else ()
        return (*found, "events.reset") if self.needle or self.view_text else ()

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
            self.input = self.input.paste(text)
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

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        return draw_events(self, width, height)
