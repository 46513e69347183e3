"""Find a member by its name, several levels behind the parameters, while its letters are typed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kptui.probes.walk.search import Hit, search
from kptui.safetext import neutralise
from kptui.ui.pane import Cursor
from kptui.ui.textline import TextLine

if TYPE_CHECKING:
    from textual.worker import Worker

    from kptui.probes.walk import Spot
    from kptui.ui.walking import Item, Tree

SLICE = 0.004  # s of the event loop at a time
SHOWN = 0.1  # s between two looks at what was found so far


class Finder:
    """A query and what it leads to. ``first`` is the parameter that is looked under; where nothing is, the others."""

    def __init__(self, tree: Tree, first: Spot | None, redraw: Callable[[], None]) -> None:
        self.tree = tree
        self.line = TextLine()
        self.cursor = Cursor()
        self.hits: list[Hit] = []
        self.complete = True
        self._redraw = redraw
        self._starts = tree.starts if first is None else (first, *(s for s in tree.starts if s is not first))
        self._first = first
        self._items: dict[str, Item] = {}
        self.work: Worker[None] | None = None

    @property
    def item(self) -> Item | None:
        """The row under the cursor."""
        return self.row(self.cursor.at) if self.cursor.at < len(self.hits) else None

    def row(self, index: int) -> Item:
        """What taking a hit takes."""
        spot = self.hits[index].spot
        if spot.path not in self._items:
            self._items[spot.path] = self.tree.taken_at(spot)
        return self._items[spot.path]

    def said(self) -> str:
        """What came of it, in words."""
        query = neutralise(self.line.text.strip())
        where = self._first.path if self._first is not None else "the parameters"
        if not query:
            return f"letters of a member's name, anywhere under {where}"
        if not self.complete:
            return f"{len(self.hits)} paths so far …"
        if not self.hits:
            return f"nothing here leads to “{query}”"
        roots = {hit.spot.path.replace(".", "-").replace("[", "-").partition("-")[0] for hit in self.hits}
        paths, lead = ("path", "leads") if len(self.hits) == 1 else ("paths", "lead")
        return f"{len(self.hits)} {paths} under {', '.join(sorted(roots))} {lead} to “{query}”"

    async def done(self) -> None:
        """Wait until what is typed has been looked for."""
        while self.work is not None and not self.work.is_finished:
            await asyncio.sleep(SLICE)

    async def run(self) -> None:
        """Look for what is typed, a slice at a time; begun anew with each letter."""
        self.hits, self.complete = [], not self.line.text.strip()
        self.cursor.at = self.cursor.top = 0
        query = self.line.text
        began = shown = time.monotonic()
        found: list[Hit] = []
        for hit in self._search(query):
            if hit is not None:
                found.append(hit)
                continue
            now = time.monotonic()
            if now - shown >= SHOWN:
                self._show(found)
                shown = now
            if now - began >= SLICE:
                await asyncio.sleep(0)
                began = time.monotonic()
        self.complete = True
        self._show(found)

    def _search(self, query: str) -> Iterator[Hit | None]:
        walker = self.tree.guide.walker
        if walker is None:
            return
        for number, start in enumerate(self._starts):
            some = False
            for hit in search(walker, start, query):
                some = some or hit is not None
                yield hit
            if some and number == 0 and self._first is not None:
                return

    def _show(self, found: list[Hit]) -> None:
        """The best first; the cursor stays on its hit, unless it was on the best."""
        at = self.hits[self.cursor.at].spot.path if self.cursor.at else None
        self.hits = sorted(found, key=lambda hit: hit.key)
        if at is not None:
            self.cursor.at = next(i for i, hit in enumerate(self.hits) if hit.spot.path == at)
        self._redraw()
