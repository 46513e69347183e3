"""The least that Textual can do: an empty screen; with ``--echo`` a screen that is painted anew at every key."""

from __future__ import annotations

import sys

from textual.app import App, RenderResult
from textual.events import Key
from textual.widget import Widget


class Empty(App[None]):
    pass


class Sheet(Widget, can_focus=True):
    """As many rows of text as the screen has, which say the last key."""

    DEFAULT_CSS = "Sheet { height: 1fr; }"
    pressed = ""

    def on_key(self, event: Key) -> None:
        self.pressed = event.key
        self.refresh()

    def render(self) -> RenderResult:
        return "\n".join(f"row {number} shows [{self.pressed}]" for number in range(self.size.height))


class Echo(App[None]):
    def compose(self):  # type: ignore[no-untyped-def]
        yield Sheet()

    def on_mount(self) -> None:
        self.query_one(Sheet).focus()


if __name__ == "__main__":
    app = Echo() if "--echo" in sys.argv else Empty()
    app.run()
