"""What can be read at the place of the draft: asked of the kernel's types beside the event loop, and kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kptui.kernel.target.known import Types
    from kptui.probes.definition import Kind, Place
    from kptui.ui.app import KptuiApp
    from kptui.ui.walking import Guide

AT_ONCE = 0.004  # s that the event loop waits for an answer, which takes that long once types are warm
KEPT = 64
_STARTS = ("_text", "_stext")


class Helper:
    """Gives guides. While the kernel's types are being read nobody knows; who asks then is answered later."""

    def __init__(self, app: KptuiApp) -> None:
        self._app = app
        self._types: Types | None = None
        self._read = asyncio.Event()
        self._known: OrderedDict[tuple[Place, Kind], Guide] = OrderedDict()
        self._asked: tuple[Place, Kind] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kptui-helper")

    async def read(self) -> None:
        """Read the kernel's types, and answer what was asked meanwhile."""
        self._types = await asyncio.to_thread(self._read_types)
        self._read.set()

    def _read_types(self) -> Types:
        from kptui.kernel.target.known import NO_TYPES  # 40 ms the first time, for all that comes with it

        try:
            return self._app.world.read_types()
        except (OSError, ValueError):
            return NO_TYPES

    @property
    def waits(self) -> bool:
        """Whether the kernel's types aren't there yet."""
        return self._types is None

    def ask(self, place: Place, kind: Kind) -> Guide | None:
        """What is known of a place; None: that is given to the editor when it is known."""
        key = (place, kind)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        self._asked = key
        if self._types is not None:
            asked = self._thread.submit(self._make, *key)
            try:
                return self._keep(key, asked.result(AT_ONCE))
            except TimeoutError:
                self._app.run_worker(self._later(key, asked), group="help")
        else:
            self._app.run_worker(self._later(key, None), group="help")
        return None

    async def _later(self, key: tuple[Place, Kind], asked: Future[Guide] | None) -> None:
        if asked is None:
            await self._read.wait()
            asked = self._thread.submit(self._make, *key)
        guide = self._keep(key, await asyncio.wrap_future(asked))
        if key == self._asked and self._app.screen_stack:
            self._app.workspace.editor.take_guide(guide)

    def _keep(self, key: tuple[Place, Kind], guide: Guide) -> Guide:
        self._known[key] = guide
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return guide

    def _make(self, place: Place, kind: Kind) -> Guide:
        from kptui.ui.walking import guide

        assert self._types is not None
        table = self._app.table
        symbol, module = place.symbol or "", place.module
        if symbol in _STARTS and table is not None:
            # how one copy of a duplicate name is placed
            start = table.lookup(symbol)
            found = table.resolve(start[0].address + place.offset) if start and start[0].address else None
            if found is not None and not found[1]:
                symbol, module = found[0].name, found[0].module
        return guide(place, kind, self._types.at(symbol, module, table), symbol)
