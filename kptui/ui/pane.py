"""What every pane shares: drawing by lines, a cursor in a list, and keys that become commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kptui.ui.paint import Line, to_strip

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp


class Pane(Widget, can_focus=True):
    """A widget that draws itself as lines and takes its own keys.

    Subclasses give ``scope`` (the commands that apply here, see ``commands``) and ``draw``; they call ``redraw``
    when what they show has changed. ``text_key`` gets each key first while a line of text is being edited.
    """

    scope: ClassVar[str] = ""
    typing_keys: ClassVar[tuple[tuple[str, str], ...]] = (
        ("enter", "take"),
        ("esc", "back"),
    )  # for the footer
    without: frozenset[str] = frozenset()  # commands of the scope that mean nothing here: not to be told of

    class CommandWanted(Message):
        """A key of this pane's scope was pressed; the app runs the command."""

        def __init__(self, command: str, pane: Pane) -> None:
            super().__init__()
            self.command = command
            self.pane = pane

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._strips: list[Strip] | None = None

    @property
    def kptui(self) -> KptuiApp:
        return cast("KptuiApp", self.app)

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        """The pane's lines for a size in cells; at most ``height`` of them are shown."""
        raise NotImplementedError

    def run(self, command: str) -> bool:
        """Run a command of this pane; False if it is none of them."""
        return False

    @property
    def typing_hints(self) -> tuple[tuple[str, str], ...]:
        """What keys do while a line is being typed: (key, what) pairs for the footer."""
        return self.typing_keys

    @property
    def foremost(self) -> tuple[str, ...]:
        """Commands that the footer tells of before all others, because of what is going on."""
        return ()

    def redraw(self) -> None:
        self._strips = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size.width, self.size.height
        if self._strips is None:
            drawn = self.draw(width, height) if width > 0 and height > 0 else []
            self._strips = [
                (line if isinstance(line, Strip) else to_strip(line, width)).crop_extend(0, width, None)
                for line in drawn[:height]
            ]
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(width)
        return strip.apply_offsets(0, y)

    def on_resize(self, _event: events.Resize) -> None:
        self.redraw()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    @property
    def typing(self) -> bool:
        """Whether printable keys are text at the moment."""
        return False

    def text_key(self, event: events.Key) -> bool:
        """Take a key of an edited line; False leaves it to the commands."""
        return False

    def on_key(self, event: events.Key) -> None:
        # Textual calls the handlers of every class in the hierarchy; subclasses end that with prevent_default.
        if self.typing and self.text_key(event):
            event.stop()
            event.prevent_default()
            self.kptui.show_footer()
            return
        if self.typing and event.is_printable:
            return
        command = self.kptui.keymap.command(self.scope, event.key)
        if command is not None:
            event.stop()
            event.prevent_default()
            # At once, not by a message: the next key, typed ahead, must meet what this one changed.
            self.kptui.run_command(command, self)

    def on_paste(self, event: events.Paste) -> None:
        if self.typing:
            event.stop()
            self.text_paste(event.text)

    def text_paste(self, text: str) -> None:
        """Take pasted text while a line is being edited."""


class Cursor:
    """A cursor and a scroll position in a list whose length changes under it."""

    __slots__ = ("at", "top")

    def __init__(self) -> None:
        self.at = 0
        self.top = 0

    def move(self, to: int, count: int) -> None:
        self.at = min(max(to, 0), max(count - 1, 0))

    def window(self, count: int, height: int) -> range:
        """The rows to show so that the cursor is visible, scrolling as little as possible."""
        self.at = min(self.at, max(count - 1, 0))
        height = max(height, 1)
        if self.at < self.top:
            self.top = self.at
        elif self.at >= self.top + height:
            self.top = self.at - height + 1
        self.top = max(0, min(self.top, count - height))
        return range(self.top, min(self.top + height, count))

    def key(self, command: str, count: int, page: int) -> bool:
        """Move by one of the list commands; False if it is none."""
        step = {
            "list.up": -1,
            "list.down": 1,
            "list.page_up": -max(page - 1, 1),
            "list.page_down": max(page - 1, 1),
            "list.top": -count,
            "list.bottom": count,
        }.get(command)
        if step is None:
            return False
        self.move(self.at + step, count)
        return True
