"""The captured events as a pane looks at them: those that a view filter lets through, the one under the cursor, the
search for text in them.

Going through many of them is done a slice at a time, with keys and frames in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from kptui.events.log import EventLog, LogView
from kptui.events.model import Record, TraceEvent
from kptui.events.values import event_values
from kptui.ui.pane import Pane

_FILTER_SIGNS = "=<>~&|!()\"'"
_SLICE = 0.007  # s of the event loop that going through the captured events may take at once
_AT_ONCE = 100  # events between two looks at the clock
_PAUSE = 0.001  # s for keys and frames in between


class CapturedPane(Pane):
    """A view over the event log: following its newest event, or held at one."""

    def __init__(self, log: EventLog, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.captured = log
        self.view_text = ""
        self.view = LogView(log, None)
        self.follow = True
        self.at = 0  # position in the view
        self.needle = ""
        self.error = ""
        self._advancing = False  # a timer will go on testing
        self._sought = 0  # which search it is: a later one ends those before
        self._seen = (-1, -1, -1)

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

    # -- what is looked at

    @property
    def record(self) -> Record | None:
        """The record under the cursor."""
        return self.record_at(self.at)

    def record_at(self, position: int) -> Record | None:
        """The record at a position in the view; None where there is none, or it is evicted."""
        if not 0 <= position < len(self.view):
            return None
        index = self.view.index(position)
        return self.captured.record(index) if index >= self.captured.first else None

    def set_view(self, text: str) -> bool:
        """Show only events for which a filter is true; '' shows all. False and a message where it is no filter.

        Bare words, as ``&`` of less takes them, are looked for in the whole line.
        """
        from kptui.filters import FilterSyntaxError

        text = text.strip()
        if text and not any(sign in text for sign in _FILTER_SIGNS):
            text = f'line ~ "*{text}*"'
        try:
            test = _test(text) if text else None
        except FilterSyntaxError as error:
            self.error = f"{error.message} (at character {error.column + 1})"
            self.redraw()
            return False
        held = (
            None if self.follow or not len(self.view) else self.view.index(min(self.at, len(self.view) - 1))
        )
        self.error = ""
        self.view_text = text
        self.view = LogView(self.captured, test)
        self._sought += 1
        self._seen = (-1, -1, -1)
        self.tick()
        if held is not None:
            # Whoever holds the view looks at something: the cursor stays on it, or on the nearest that is shown.
            self.at = min(self.view.position(held), max(len(self.view) - 1, 0))
        return True

    # -- search

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


def _test(text: str) -> Callable[[Record], bool]:
    """A view filter as a test of records; ``line`` is an event's whole line. Raises FilterSyntaxError."""
    from kptui.filters import compile_filter, parse_filter

    test = compile_filter(parse_filter(text))
    return lambda record: (
        isinstance(record, TraceEvent) and test({"line": record.raw, **event_values(record)})
    )
