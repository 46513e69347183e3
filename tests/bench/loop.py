"""How long the screen's event loop is held up in one piece while somebody types into the symbol list."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kptui.host.config import Config
from kptui.kernel.capabilities import Findings
from kptui.kernel.target.known import NO_TYPES
from kptui.symbols import ProbeLists
from kptui.ui.app import KptuiApp
from kptui.ui.world import World
from tests.bench.measure import Figure, Settings, percentile
from tests.bench.search import NARROWED, QUERIES, symbols

LIMIT = 10.0  # ms at the 99th percentile
_NAMES = {"_": "underscore", ":": "colon", " ": "space"}


def loop(settings: Settings) -> list[Figure]:
    """Type the queries, with and without words that narrow, at 120 by 40 over the long list."""
    data, source = symbols(settings)
    wall: list[float] = []
    own: list[float] = []
    for _ in range(max(settings.rounds // 3, 1)):
        asyncio.run(_type(settings.home, data, wall, own))
    note = f"{len(wall):,} pieces, {source}"
    p99 = percentile(wall, 0.99)
    return [
        Figure("loop: one piece p99", p99, "ms", LIMIT, "wanted", p99 / LIMIT, 1.0, note),
        Figure(
            "loop: one piece p99, processor",
            percentile(own, 0.99),
            note="the loop's own, not what it waited for",
        ),
        Figure("loop: longest piece", max(wall), note=f"{max(own):.1f} ms of processor at most"),
    ]


async def _type(home: Path, data: bytes, wall: list[float], own: list[float]) -> None:
    world = World(
        read_symbols=lambda: data,
        open_session=lambda: None,
        know=lambda table: None,
        read_types=lambda: NO_TYPES,
        findings=Findings(None, ()),
        config=Config(),
        state_dir=home,
        environ={"HOME": str(home), "PATH": os.environ.get("PATH", "")},
        read_lists=ProbeLists,
    )
    app = KptuiApp(world)
    async with app.run_test(size=(120, 40)) as pilot:
        pane = app.workspace.symbols
        while pane.search is None or pane.search.probing is None:
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        await pilot.press("slash")
        with _pieces(wall, own):
            for query in (*QUERIES, *NARROWED):
                for letter in query:
                    await pilot.press(_NAMES.get(letter, letter))
                await pilot.press("ctrl+u")


@contextmanager
def _pieces(wall: list[float], own: list[float]) -> Iterator[None]:
    """Time each callback of the event loop, ms: by the clock, and the thread's processor time."""
    real = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        start, used = time.perf_counter(), time.thread_time()
        real(handle)
        own.append((time.thread_time() - used) * 1000)
        wall.append((time.perf_counter() - start) * 1000)

    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        asyncio.Handle._run = real  # type: ignore[method-assign]
