"""The one screen of the program: status, symbols and editor, probes, events, footer.

From 120x30 all panes are side by side; below that one pane has the screen, with the digits and tab to switch, and
the line being written stays visible under the symbols.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from kptui.events.log import EventLog
from kptui.ui.hero import hero_lines
from kptui.ui.paint import to_strip
from kptui.ui.pane import Pane
from kptui.ui.panes.chrome import FooterLine, NoticeLine, StatusLine
from kptui.ui.panes.editor import EditorPane
from kptui.ui.panes.events import EventsPane
from kptui.ui.panes.probes import ProbesPane
from kptui.ui.panes.symbols import SymbolsPane

PANES = ("symbols", "editor", "probes", "events")
WIDE = (120, 30)


class HeroBar(Widget):
    """The line being written and its verdict, under the symbols of a small terminal."""

    def __init__(self, editor: EditorPane, *, id: str) -> None:
        super().__init__(id=id)
        self.editor = editor
        self._shown: list[Strip] = []

    def _lines(self, width: int) -> list[Strip]:
        if self.editor.draft is None:
            return []
        rows = hero_lines(self.editor.line, self.editor.shown_verdict, width, steady=False)
        return [to_strip([("─" * width, "rule")], width), *(to_strip(row, width) for row in rows)]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width))

    def render_line(self, y: int) -> Strip:
        if y == 0:
            self._shown = self._lines(self.size.width)
        return (self._shown[y] if y < len(self._shown) else Strip.blank(self.size.width)).apply_offsets(0, y)


class Workspace(Screen[None]):
    """The panes and how they share the terminal."""

    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = "#symbols"

    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self.status = StatusLine(id="status")
        self.notice = NoticeLine(id="notice")
        self.symbols = SymbolsPane(id="symbols")
        self.editor = EditorPane(id="editor")
        self.probes = ProbesPane(id="probes")
        self.events = EventsPane(log, id="events")
        self.footer = FooterLine(id="footer")
        self.hero = HeroBar(self.editor, id="hero")
        self.zoomed = False
        self.current = "symbols"

    def compose(self) -> ComposeResult:
        self._arrange()  # so that the first frame is as the others
        yield self.status
        yield self.notice
        with Container(id="panes"):
            with Container(id="authoring"):
                yield self.symbols
                yield self.editor
            yield self.hero
            yield self.probes
            yield self.events
        yield self.footer

    @property
    def narrow(self) -> bool:
        size = self.size or self.app.size  # a screen that isn't laid out yet has none
        return size.width < WIDE[0] or size.height < WIDE[1]

    def pane(self, name: str) -> Pane:
        pane = {"symbols": self.symbols, "editor": self.editor, "probes": self.probes, "events": self.events}[
            name
        ]
        assert isinstance(pane, Pane)
        return pane

    @property
    def number(self) -> int:
        """The digit of the pane in focus."""
        return PANES.index(self.current) + 1

    @property
    def current_pane(self) -> Pane:
        return self.pane(self.current)

    def go(self, name: str) -> None:
        """Show a pane and give it the focus."""
        self.current = name
        self._arrange()
        self.pane(name).focus()

    def step(self, by: int) -> None:
        self.go(PANES[(PANES.index(self.current) + by) % len(PANES)])

    def zoom(self) -> None:
        self.zoomed = not self.zoomed
        self._arrange()

    def _arrange(self) -> None:
        self.set_class(self.narrow, "narrow")
        self.set_class(self.zoomed and not self.narrow, "zoomed")
        for name in PANES:
            self.set_class(name == self.current, f"show-{name}")

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget is not self.focused:  # late: the focus has gone on since
            return
        for name in PANES:
            if event.widget is self.pane(name) and name != self.current:
                self.current = name
                self._arrange()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        # Textual takes the focus from a widget that it hides, also when that one is being shown again.
        if self.focused is None and self.app.app_focus:
            self.current_pane.focus()
