"""What is read of the kernel at the start, beside the event loop, in the order in which somebody may want it: symbols,
their index, the kernel's types, what can be probed, what verdicts ask.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.symbols import SymbolSearch, SymbolTable
from kptui.ui.knowledge import Knowledge
from kptui.ui.world import World

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp


def preload() -> None:
    """Load, on a thread, what the first list didn't need, so that the first key that does needn't wait for it."""
    import kptui.probes.check
    import kptui.ui.actions  # noqa: F401

    if not gc.isenabled():  # whoever started us has switched it off for the start
        # A thread that computes gives way to a key within a millisecond, not five.
        sys.setswitchinterval(0.001)


class Learning:
    """Reads on threads, and gives what has been read to the panes."""

    def __init__(self, app: KptuiApp, world: World) -> None:
        self._app = app
        self._world = world
        self.table: SymbolTable | None = None
        self.knowledge = Knowledge(world)
        self._collects = not gc.isenabled()  # who started us left it to us when there is something to collect
        self.listed = asyncio.Event()  # the first list of symbols is on the screen, or won't come

    async def load(self) -> None:
        """Read and index the symbols off the event loop, then the rest."""
        try:
            search = await self._list_symbols()
        finally:
            self._app.call_after_refresh(self.listed.set)
        try:
            await self._read_on(search)
        finally:
            self._settle()

    def _settle(self) -> None:
        """What is loaded now stays: to look through it again and again would only hold up the keys."""
        if self._collects:
            gc.freeze()
            gc.enable()

    async def _read_on(self, search: SymbolSearch | None) -> None:
        if search is not None:
            # The first list is on the screen; the index is made while the user reads it.
            await asyncio.to_thread(search.prepare)
            self._app.workspace.symbols.search_ready()
        await self._app.helper.read()
        if search is not None:
            await asyncio.to_thread(search.warm)
            await asyncio.gather(self._find_probing(search), self._prepare_verdicts())
        else:
            await self._prepare_verdicts()

    async def _find_probing(self, search: SymbolSearch) -> None:
        probing = await asyncio.to_thread(search.find_probing, self._world.read_lists)
        self._app.workspace.symbols.set_probing(search, probing)

    async def _prepare_verdicts(self) -> None:
        await asyncio.to_thread(preload)
        await self._learn()

    async def _learn(self) -> None:
        """Gather, on a thread, what else is known of the kernel; the verdict is made anew with it."""
        await asyncio.to_thread(self.knowledge.learn, self.table)
        self._app.judge(self._app.workspace.editor.line)

    async def _list_symbols(self) -> SymbolSearch | None:
        pane = self._app.workspace.symbols

        def read() -> tuple[SymbolTable, SymbolSearch]:
            found = self._world.read_symbols()
            search = SymbolSearch(SymbolTable.parse(found)) if isinstance(found, bytes) else found
            search.search("")  # counts the functions, which the first list tells
            return search.table, search

        try:
            table, search = await asyncio.to_thread(read)
        except (OSError, ValueError) as error:
            pane.set_search(None, 0, f"no symbols: {neutralise(str(error))}")
            return None
        if not len(table):
            pane.set_search(None, 0, f"no symbols: none of its {table.bad_lines:,} lines is one of kallsyms")
            return None
        self.table = table
        self.knowledge.begin(table)
        hidden = self._hidden() if table.addresses_hidden else ""
        damaged = f"{table.bad_lines:,} lines are no symbols: a damaged file?" if table.bad_lines else ""
        pane.set_search(search, len(table), warning=hidden or damaged)
        self._app.judge(self._app.workspace.editor.line)
        return search

    def _hidden(self) -> str:
        """What is said of a table without addresses: what would show them, where it is this machine's."""
        found = (item.remedy for item in self._world.findings.items if item.key == "addresses")
        how = next(found, "") or "kptr_restrict or no root"
        return f"addresses hidden ({how}): names still work"
