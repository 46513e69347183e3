"""Write a probe: fields, arguments and what can be read here as rows, the line and its verdict always below.

Rows and text are two views of one value, the draft's line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.strip import Strip

from kptui.ui.editor_rows import Row, text_of
from kptui.ui.paint import Line
from kptui.ui.panes.offered import OfferedPane

if TYPE_CHECKING:
    from kptui.ui.draft import Draft


class EditorPane(OfferedPane):
    """The commands on the draft, its arguments and what is offered."""

    scope = "editor"

    @property
    def foremost(self) -> tuple[str, ...]:
        return (
            ("copy",) if self.without and self.draft is not None else ()
        )  # all that can be done with a line

    # -- commands

    def run(self, command: str) -> bool:
        """Run a command of this pane; False if it is none of them."""
        if self.cursor.key(command, len(self.rows), max(self.size.height - 8, 2)):
            self.redraw()
            return True
        draft, row = self.draft, self.row
        if not command.startswith("editor.") or draft is None:
            return False
        match command:
            case "editor.act":
                self._act(draft, row)
            case "editor.line":
                self.edit(Row("line"), draft.line)
            case "editor.kind":
                self.set_draft(draft.toggle_kind(self.kptui.taken_names()) or draft)
            case "editor.add":
                self._add(draft)
            case "editor.open" | "editor.close":
                if not (self.open_row(row) if command == "editor.open" else self.close_row(row)):
                    self._cycle(draft, row, 1 if command == "editor.open" else -1)
            case "editor.find":
                self.find()
            case "editor.native":
                self.toggle_native()
            case "editor.type" | "editor.type_back":
                self._cycle(draft, row, 1 if command == "editor.type" else -1)
            case "editor.remove":
                self._remove(draft, row)
            case "editor.deref":
                self._dereference(draft, row)
            case "editor.move_up" | "editor.move_down":
                self._move(draft, row, -1 if command == "editor.move_up" else 1)
            case "editor.undo":
                self.undo()
            case "editor.new":
                self.set_draft(replace(draft, replacing=None))
            case "editor.fix":
                self.fix()
            case "editor.verdict":
                self.show_all()
            case _:
                return False
        return True

    def _act(self, draft: Draft, row: Row | None) -> None:
        if row is None:
            return
        probe = draft.probe
        if row.what == "kind":
            self.set_draft(draft.toggle_kind(self.kptui.taken_names()) or draft)
        elif row.what == "offer":
            self._take_row(draft, row)
        elif row.what == "line":
            self.edit(row, draft.line)
        elif probe is not None:
            at = Row("add", len(probe.args)) if row.what == "add" else row
            self.edit(at, text_of(probe, row))

    def _take_row(self, draft: Draft, row: Row) -> None:
        item = self.item
        if item is not None and item.offer is None and item.opens:
            self.open_row(row)
        elif item is not None:
            self.take(item)

    def _add(self, draft: Draft) -> None:
        if draft.probe is None:
            self.edit(Row("line"), draft.line)
            return
        at = next(i for i, row in enumerate(self.rows) if row.what == "add")
        self.cursor.move(at, len(self.rows))
        self.edit(Row("add", len(draft.probe.args)), "")

    def _argument(self, draft: Draft, row: Row | None) -> int | None:
        """The argument that a row stands for: itself, or the one taken from an offer."""
        if row is None:
            return None
        if row.what == "arg":
            return row.index
        item = self.item
        return draft.taken(item.offer) if item is not None and item.offer is not None else None

    def _cycle(self, draft: Draft, row: Row | None, step: int) -> None:
        if row is not None and row.what == "kind":
            self.set_draft(draft.toggle_kind(self.kptui.taken_names()) or draft)
            return
        index = self._argument(draft, row)
        if index is None and row is not None and row.what == "offer":
            self._take_row(draft, row)
        elif index is not None:
            self.set_draft(draft.cycle_arg(index, step) or draft)

    def _remove(self, draft: Draft, row: Row | None) -> None:
        index = self._argument(draft, row)
        if index is not None:
            self.set_draft(draft.with_arg(index, "") or draft)

    def _dereference(self, draft: Draft, row: Row | None) -> None:
        index = self._argument(draft, row)
        if index is not None and draft.probe is not None:
            from kptui.probes.suggest import wrap_deref

            self.set_draft(draft.set_arg(index, wrap_deref(draft.probe.args[index])) or draft)

    def _move(self, draft: Draft, row: Row | None, step: int) -> None:
        index = self._argument(draft, row)
        moved = draft.move_arg(index, step) if index is not None else None
        if moved is not None:
            self.set_draft(moved)
            if row is not None and row.what == "arg":
                self.cursor.move(self.cursor.at + step, len(self.rows))

    # -- drawing

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        from kptui.ui.panes.editor_view import draw_editor

        return draw_editor(self, width, height)
