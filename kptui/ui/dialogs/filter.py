"""Build a filter: rows of field, operator and value, or the text; two views of one value.

The verdict stands under the text while it grows, and what is already captured says how many events would pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from kptui.filters import Row
from kptui.ui.dialogs.base import Dialog
from kptui.ui.dialogs.filter_view import bottom_lines, draw_filter
from kptui.ui.dialogs.fixes import choose_fix
from kptui.ui.dialogs.text import text_dialog
from kptui.ui.filter_value import CELLS, FilterValue, bare
from kptui.ui.hero import everything
from kptui.ui.judging import FilterJudge
from kptui.ui.paint import Line
from kptui.ui.pane import Cursor, Pane
from kptui.ui.textline import TextLine
from kptui.verdict import Fix, Verdict


@dataclass(frozen=True, slots=True)
class FilterWanted:
    """What is to be set: ``text`` '' clears the filter; ``group`` sets it for the whole group."""

    text: str
    group: bool


class FilterPane(Pane):
    """One filter, as rows and as text."""

    scope = "filter"

    class Changed(Message):
        """The text changed: count what it would let through."""

    def __init__(
        self,
        group: str,
        value: FilterValue,
        pick: Callable[[FilterPane], None],
        set_: Callable[[FilterPane, FilterWanted], None],
    ) -> None:
        super().__init__()
        self.group = group
        self.value = value
        self.cell = 1
        self.cursor = Cursor()
        self.editing: TextLine | None = None
        self.editing_text = False
        self.refused: Verdict | None = None  # the kernel's own word on exactly this text
        self.remark = ""  # what is to be said about that
        self.counted = ""
        self._pick = pick
        self._set = set_
        self._judge: FilterJudge | None = None

    def on_mount(self) -> None:
        self.post_message(self.Changed())

    def changed(self) -> None:
        """The value is another one now."""
        self.refused = None
        self.cursor.move(self.cursor.at, len(self.value.rows))
        self.redraw()
        self.refresh(layout=True)
        self.post_message(self.Changed())

    @property
    def typed(self) -> str:
        """The text as it stands, or as it is being typed."""
        return self.editing.text if self.editing is not None and self.editing_text else self.value.text

    @property
    def verdicts(self) -> dict[str, Verdict] | None:
        """What the kernel would say, by event; None while that is waited for."""
        if self._judge is None:
            self._judge = FilterJudge(self.app, self.value, self._judged)
        return self._judge.verdicts(self.typed)

    def _judged(self) -> None:
        if self.is_attached:
            self.redraw()

    @property
    def verdict(self) -> Verdict | None:
        """The kernel's own refusal, or what it would say of the text; None for no filter, or not known yet."""
        if self.refused is not None or not self.typed.strip():
            return self.refused
        verdicts = self.verdicts
        return None if verdicts is None else self.value.foremost(verdicts)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        verdict = self.verdict
        return verdict.fixes if verdict else ()

    @property
    def row(self) -> Row | None:
        return self.value.rows[self.cursor.at] if self.cursor.at < len(self.value.rows) else None

    # -- typing

    @property
    def typing(self) -> bool:
        return self.editing is not None

    def text_key(self, event: events.Key) -> bool:
        if self.editing is None:
            return False
        if event.key in ("enter", "tab"):
            self._commit(self.editing.text)
            if event.key == "tab" and not self.editing_text:
                self.cell = min(self.cell + 1, 3)
        elif self.kptui.keymap.command(self.scope, event.key) == "filter.fix" and not event.is_printable:
            if self.fixes and self.editing_text:
                choose_fix(self.kptui, self.fixes, self._apply_fix)
        elif self.kptui.keymap.command(self.scope, event.key) == "filter.verdict" and not event.is_printable:
            self.run("filter.verdict")
        elif event.key in ("escape", "ctrl+c"):
            self.editing = None
        else:
            changed = self.editing.key(event.key, event.character)
            if changed is None:
                return False
            self.editing = changed
            self.refused = None
        self.redraw()
        return True

    def text_paste(self, text: str) -> None:
        if self.editing is not None:
            self.editing = self.editing.paste(text)
            self.redraw()

    def _commit(self, text: str) -> None:
        self.editing = None
        if self.editing_text:
            self.value.take_text(text.strip())
        elif CELLS[self.cell] == "field":
            self.value.set_field(self.cursor.at, text.strip())
        else:
            self.value.set_value(self.cursor.at, text)
        self.changed()

    def on_key(self, event: events.Key) -> None:
        # On a field or a value, what is no command starts typing it; on a value digits and quotes always do; an
        # operator is chosen by its sign.
        if self.typing or self.row is None or not event.character:
            return
        if CELLS[self.cell] == "op" and event.character in "=<>~&":
            self.value.choose_operator(self.cursor.at, event.character)
            self.changed()
            event.stop()
            event.prevent_default()
            return
        if CELLS[self.cell] not in ("value", "field"):
            return
        known = self.kptui.keymap.command(self.scope, event.key)
        digit = event.character.isdigit() or event.character in "-\"'/*"
        if (known is None and event.is_printable) or (CELLS[self.cell] == "value" and digit):
            self.editing_text = False
            self.editing = TextLine.of(event.character)
            event.stop()
            event.prevent_default()
            self.redraw()

    # -- commands

    def run(self, command: str) -> bool:
        """Run a command of this pane; False if it is none of them."""
        if self.cursor.key(command, len(self.value.rows), self.size.height - 6):
            self.redraw()
            return True
        if not self._run_on_rows(command) and not self._run_on_all(command):
            return False
        self.redraw()
        return True

    def _run_on_rows(self, command: str) -> bool:
        at = self.cursor.at
        match command:
            case "filter.left" | "filter.right":
                first = 1 if at == 0 else 0  # the first row is joined to nothing
                self.cell = min(max(self.cell + (1 if command == "filter.right" else -1), first), 3)
                return True
            case "filter.edit":
                self._edit()
                return True
            case "filter.add_and" | "filter.add_or":
                if self.value.as_rows:
                    self.value.add("&&" if command == "filter.add_and" else "||")
                    self.cursor.move(len(self.value.rows) - 1, len(self.value.rows))
                    self.cell = 1
            case "filter.cycle" | "filter.remove" | "filter.open" | "filter.close" | "filter.negate":
                if self.row is None:
                    return True
                if command == "filter.cycle" and CELLS[self.cell] == "value":
                    self._edit()
                    return True
                if command == "filter.cycle":
                    self.value.cycle(at, CELLS[self.cell])
                elif command == "filter.remove":
                    self.value.remove(at)
                else:
                    self.value.bracket(at, command.removeprefix("filter."))
            case _:
                return False
        self.changed()
        return True

    def _run_on_all(self, command: str) -> bool:
        match command:
            case "filter.text":
                self.editing_text = True
                self.editing = TextLine.of(self.value.text)
            case "filter.processes":
                self._pick(self)
            case "filter.group":
                self.value.set_group(not self.value.whole_group)
                self.changed()
            case "filter.fix":
                if self.fixes:
                    choose_fix(self.kptui, self.fixes, self._apply_fix)
            case "filter.verdict":
                if self.verdict is not None:
                    self.app.push_screen(text_dialog("What is said of the filter", everything(self.verdict)))
            case "filter.none":
                self._set(self, FilterWanted("", self.value.whole_group))
            case "filter.apply":
                # Also what kptui takes for wrong: the kernel has the last word, and a trial harms nothing.
                self._set(self, FilterWanted(self.value.text.strip(), self.value.whole_group))
            case "filter.close_dialog":
                self.screen.dismiss(None)
            case _:
                return False
        return True

    def show_kernel(self, verdict: Verdict, remark: str) -> None:
        """The last word on this text, in the place of ours, until it changes."""
        self.refused, self.remark = verdict, remark
        self.redraw()
        self.refresh(layout=True)

    def _apply_fix(self, fix: Fix) -> None:
        if self.editing is not None:
            self.editing = TextLine(fix.apply(self.editing.text), fix.start + len(fix.text))
            self.refused = None
            self.redraw()
        else:
            self.value.take_text(fix.apply(self.value.text))
            self.changed()

    def _edit(self) -> None:
        row = self.row
        if row is None:
            self.run("filter.add_and" if self.value.as_rows else "filter.text")
        elif CELLS[self.cell] in ("field", "value"):
            self.editing_text = False
            self.editing = (
                TextLine.offer(row.field) if CELLS[self.cell] == "field" else TextLine.of(bare(row.value))
            )
        else:
            self.value.cycle(self.cursor.at, CELLS[self.cell])
            self.changed()

    # -- drawing

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its rows and the text need, with room for a verdict, so that it seldom changes."""
        wanted = max(len(self.value.rows), 3) + len(bottom_lines(self, max(width, 10))) + 2
        return min(max(wanted, 13), max(container.height - 3, 3))

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        return draw_filter(self, width, height)


def filter_dialog(pane: FilterPane) -> Dialog[None]:
    """The builder on the screen, until it is closed or the filter is set."""
    return Dialog(pane, width="90%", height="auto")
