"""What can be read at the draft's place: a tree that opens under the draft's fields, searched by members' names, and
taken into the line row by row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events

from kptui.ui.editor_rows import Row, rows_of
from kptui.ui.pane import Cursor
from kptui.ui.panes.drafting import DraftPane

if TYPE_CHECKING:
    from kptui.ui.finding import Finder
    from kptui.ui.walking import Guide, Item, Tree


class OfferedPane(DraftPane):
    """The draft as rows, and what can be read at its place."""

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

    # -- taking and opening

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

    def open_row(self, row: Row | None) -> bool:
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

    def close_row(self, row: Row | None) -> bool:
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

    # -- typing, and finding a member

    @property
    def typing(self) -> bool:
        return self.editing is not None or self.finder is not None

    @property
    def typing_hints(self) -> tuple[tuple[str, str], ...]:
        if self.finder is None:
            return self.typing_keys
        key = self.kptui.keymap.typing_key("editor.native")
        native = ((key, "native form"),) if key else ()
        return (("enter", "take"), ("space", "take, go on"), ("↑↓", "choose"), ("esc", "back"), *native)

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

    def find(self) -> None:
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
