"""Text on the whole screen: help, the trace snapshot, the writes made, one event's detail, the doctor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual import events
from textual.strip import Strip

from kptui.ui.dialogs.base import Dialog
from kptui.ui.paint import Line, highlight, rule, wrap
from kptui.ui.pane import Pane
from kptui.ui.textline import TextLine

_DEEPEST = 8  # cells that the rest of an indented row is indented at most

TextLines = Sequence[tuple[str, str]]


class TextPane(Pane):
    """Rows of (text, style), wrapped, to scroll and search. The texts are neutralised by whoever gives them."""

    scope = "text"

    def __init__(
        self,
        title: str,
        rows: TextLines,
        *,
        reload: Callable[[], Awaitable[TextLines]] | None = None,
        copy: Callable[[str], None] | None = None,
        bottom: bool = False,
        hang: int = 0,
    ) -> None:
        super().__init__()
        self._hang = hang
        self.title_text = title
        self.rows = rows
        self._reload = reload
        self._copy = copy
        offered = {"text.copy": copy, "text.reload": reload}
        self.without = frozenset(command for command, what in offered.items() if what is None)
        self.top = 0
        self._bottom = bottom
        self._wrapped: list[tuple[str, str]] = []
        self._wrapped_for: tuple[int, int] = (-1, -1)
        self.needle = ""
        self.input: TextLine | None = None
        self.note = ""

    @property
    def typing(self) -> bool:
        return self.input is not None

    @property
    def foremost(self) -> tuple[str, ...]:
        return ("text.next", "text.previous") if self.needle else ()

    def text_key(self, event: events.Key) -> bool:
        if self.input is None:
            return False
        if event.key == "enter":
            self.needle, self.input = self.input.text, None
            self._seek(1, self.top)
        elif event.key in ("escape", "ctrl+c"):
            self.input = None
        else:
            changed = self.input.key(event.key, event.character)
            if changed is None:
                return False
            self.input = changed
        self.redraw()
        return True

    def _seek(self, step: int, start: int) -> None:
        needle = self.needle.casefold()
        self.note = ""
        at = start
        while needle and 0 <= at < len(self._wrapped):
            if needle in self._wrapped[at][0].casefold():
                self.top = at
                return
            at += step
        self.note = f"no {'later' if step > 0 else 'earlier'} {self.needle!r}" if needle else ""

    def run(self, command: str) -> bool:
        page = max(self.size.height - 2, 1)
        step = {
            "list.up": -1,
            "list.down": 1,
            "list.page_up": -page,
            "list.page_down": page,
            "list.top": -len(self._wrapped),
            "list.bottom": len(self._wrapped),
        }.get(command)
        self.note = ""
        if step is not None:
            self.top += step
        elif command == "text.search":
            self.input = TextLine.offer(self.needle)
        elif command == "text.next":
            self._seek(1, self.top + 1)
        elif command == "text.previous":
            self._seek(-1, self.top - 1)
        elif command == "text.close":
            self.screen.dismiss(None)
        elif command == "text.copy" and self._copy is not None:
            self._copy("\n".join(text for text, _ in self.rows))
        elif command == "text.reload" and self._reload is not None:
            self.run_worker(self._read_again(self._reload))
        else:
            return False
        self.redraw()
        return True

    async def _read_again(self, reload: Callable[[], Awaitable[TextLines]]) -> None:
        self.rows = await reload()
        self._wrapped_for = (-1, -1)
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        if self._wrapped_for != (width, len(self.rows)):
            self._wrapped = [
                (piece, style) for text, style in self.rows for piece in self._pieces(text, width - 2)
            ]
            self._wrapped_for = (width, len(self.rows))
            if self._bottom:
                self.top = len(self._wrapped)
        room = height - 2 if self.input is not None or self.note else height - 1
        self.top = max(min(self.top, len(self._wrapped) - room), 0)
        shown = self._wrapped[self.top : self.top + room]
        last = self.top + len(shown)
        side: Line = (
            [(f"{self.top + 1}–{last} of {len(self._wrapped)}", "dim")] if len(self._wrapped) > room else []
        )
        lines: list[Line | Strip] = [rule([(self.title_text, "title")], side, width, True)]
        for text, style in shown:
            lines.append([(" ", ""), *self._marked(text, style)])
        if self.input is not None:
            lines.extend([] for _ in range(height - 1 - len(lines)))
            lines.append([(" / ", "focus"), *self.input.spans(width - 5, "bold")])
        elif self.note:
            lines.extend([] for _ in range(height - 1 - len(lines)))
            lines.append([(" ! ", "warn"), (self.note, "warn")])
        return lines

    def _pieces(self, text: str, width: int) -> list[str]:
        """A row in at most ``width`` cells; of one that is indented, the rest stands under its last column."""
        hang = 0
        if text.startswith("  "):
            hang = self._hang or min(len(text) - len(text.lstrip()), _DEEPEST)
            hang = hang if width >= hang + 20 else min(hang, width // 3)
        first, *rest = wrap(text, width)
        if not rest:
            return [first[1]]
        continued = text[rest[0][0] :]
        return [first[1], *(" " * hang + piece for _, piece in wrap(continued, width - hang))]

    def _marked(self, text: str, style: str) -> Line:
        needle = self.needle.casefold()
        at = text.casefold().find(needle) if needle else -1
        return highlight(text, range(at, at + len(needle)), "match", style) if at >= 0 else [(text, style)]


def text_dialog(
    title: str,
    rows: TextLines,
    *,
    reload: Callable[[], Awaitable[TextLines]] | None = None,
    copy: Callable[[str], None] | None = None,
    bottom: bool = False,
    hang: int = 0,
) -> Dialog[None]:
    """A whole-screen text that esc closes; indented rows are continued ``hang`` cells from the left."""
    pane = TextPane(title, rows, reload=reload, copy=copy, bottom=bottom, hang=hang)
    return Dialog(pane, width="100%", height="1fr")
