"""Write a probe: fields, arguments and what can be read here as rows, the line and its verdict always below.

Rows and text are two views of one value, the draft's line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events
from textual.strip import Strip

from kptui.ui.editor_rows import Row, rows_of, text_of
from kptui.ui.paint import Line
from kptui.ui.pane import Cursor
from kptui.ui.panes.drafting import DraftPane

if TYPE_CHECKING:
    from kptui.ui.draft import Draft
    from kptui.ui.finding import Finder
    from kptui.ui.walking import Guide, Item, Tree


class EditorPane(DraftPane):
    """The draft as rows, with what can be read at its place as a tree that opens."""

    scope = "editor"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = Cursor()
        self.offered: Tree | None = None
        self.finder: Finder | None = None
        self.native = False
        self.rows: list[Row] = []

    # -- rows

    def lay_out(self, elsewhere: bool) -> None:
        draft = self.draft
        probe = draft.probe if draft is not None else None
        guide = None if self.offered is None else self.offered.guide
        if probe is None:
            self.offered = self.finder = None
        elif guide is None or (guide.place, guide.kind) != (probe.place, probe.kind):
            self.offered = self.finder = None
            self._plant(self.kptui.helper.ask(probe.place, probe.kind))
        self._count()
        if elsewhere:
            self._begin()
        self.cursor.move(self.cursor.at, len(self.rows))

    def take_guide(self, guide: Guide) -> None:
        """What is known of the draft's place has come: it stands where it was waited for."""
        probe = self.draft.probe if self.draft is not None else None
        if (
            self.offered is not None
            or probe is None
            or (guide.place, guide.kind) != (probe.place, probe.kind)
        ):
            return
        waited = self.row is not None and self.row.what == "waiting"
        self._plant(guide)
        self._count()
        if waited:
            self._begin()
        self.redraw()

    def _plant(self, guide: Guide | None) -> None:
        if guide is not None:
            from kptui.ui.walking import Tree

            self.offered = Tree(guide)

    def _count(self) -> None:
        self.rows = (
            rows_of(self.draft, None if self.offered is None else len(self.offered)) if self.draft else []
        )

    def _begin(self) -> None:
        """Put the cursor on what is most likely wanted of what is offered."""
        first = next((i for i, row in enumerate(self.rows) if row.what in ("offer", "waiting")), 0)
        self.cursor.at = first + (
            self.offered.start() if self.offered is not None and len(self.offered) else 0
        )
        self.cursor.top = 0

    @property
    def row(self) -> Row | None:
        return self.rows[self.cursor.at] if self.cursor.at < len(self.rows) else None

    @property
    def item(self) -> Item | None:
        """What can be read, under the cursor."""
        if self.finder is not None:
            return self.finder.item
        row = self.row
        return (
            self.offered.item(row.index) if self.offered is not None and row and row.what == "offer" else None
        )

    # -- typing

    @property
    def typing(self) -> bool:
        return self.editing is not None or self.finder is not None

    @property
    def typing_hints(self) -> tuple[tuple[str, str], ...]:
        if self.finder is None:
            return self.typing_keys
        key = self.kptui.keymap.key
        return (
            ("enter", "take"),
            ("space", "take, go on"),
            ("↑↓", "choose"),
            (key("editor.native"), ""),
            ("esc", "back"),
        )

    def text_key(self, event: events.Key) -> bool:
        if self.finder is None:
            return super().text_key(event)
        from kptui.ui.panes.finderkeys import finder_key

        return finder_key(self, self.finder, event)

    def text_paste(self, text: str) -> None:
        if self.finder is None:
            super().text_paste(text)
        else:
            from kptui.ui.panes.finderkeys import typed

            typed(self, self.finder, self.finder.line.insert(" ".join(text.split())))

    def _find(self) -> None:
        """Open the search line, under the parameter that the cursor is at."""
        tree, row = self.offered, self.row
        if tree is None or not tree.starts:
            self.kptui.say(
                "Nothing to search in: no structure is known behind the parameters here.", "warning"
            )
            return
        from kptui.ui.finding import Finder

        first = tree.root(row.index) if row is not None and row.what == "offer" else None
        self.finder = Finder(tree, first, self.redraw)
        self.redraw()

    def stop_finding(self) -> None:
        self.finder = None
        self.redraw()

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
                if not (self._open(row) if command == "editor.open" else self._close(row)):
                    self._cycle(draft, row, 1 if command == "editor.open" else -1)
            case "editor.find":
                self._find()
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
            self._open(row)
        elif item is not None:
            self.take(item)

    def has_taken(self, item: Item) -> bool:
        """Whether an argument reads what a row offers."""
        return self.draft is not None and item.offer is not None and self.draft.taken(item.offer) is not None

    def take(self, item: Item) -> None:
        """Take or give back what a row offers; the cursor stays on it though the list above it grows."""
        changed = self.draft.take(item.offer, native=self.native) if self.draft and item.offer else None
        if changed is None:
            if item.note:
                self.kptui.say(f"{item.name}: {item.note}", "warning")
            return
        before = len(self.rows)
        below = self.row is not None and self.row.what == "offer"
        self.set_draft(changed)
        if below:
            self.cursor.move(self.cursor.at + len(self.rows) - before, len(self.rows))
            self.cursor.top = max(0, self.cursor.top + len(self.rows) - before)
        self.redraw()

    def toggle_native(self) -> None:
        """Take the kernel's own words from now on, or the plain form; what is taken here changes with it."""
        self.native = not self.native
        item, draft = self.item, self.draft
        offer = item.offer if item is not None else None
        index = draft.taken(offer) if draft is not None and offer is not None else None
        if index is not None and draft is not None and draft.probe is not None and offer is not None:
            arg = offer.native if self.native and offer.native is not None else offer.arg
            self.set_draft(draft.set_arg(index, replace(arg, name=draft.probe.args[index].name)) or draft)
        self.redraw()

    def _open(self, row: Row | None) -> bool:
        """Open a row, or go into one that is open; False where there is nothing to open."""
        tree, item = self.offered, self.item
        if tree is None or row is None or item is None or not item.opens:
            return False
        if tree.open(row.index):
            self._count()
        else:
            self.cursor.move(self.cursor.at + 1, len(self.rows))
        self.redraw()
        return True

    def _close(self, row: Row | None) -> bool:
        """Close a row, or go back to the one that it is in; False where there is neither."""
        tree = self.offered
        if tree is None or row is None or row.what != "offer":
            return False
        at = tree.close(row.index)
        if at is None:
            return False
        self.cursor.at += at - row.index
        self._count()
        self.redraw()
        return True

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
