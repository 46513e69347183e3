"""How long the screen's event loop is held up in one piece while somebody types into the symbol list."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A callback of the event loop, ms: by the clock, of the thread's processor time, and of that the garbage
    collector's; ``line`` is what the search line held after it.
    """

    wall: float
    own: float
    collecting: float
    line: str


def loop(settings: Settings) -> list[Figure]:
    """Type the queries, with and without words that narrow, at 120 by 40 over the long list."""
    data, source = symbols(settings)
    pieces: list[Piece] = []
    for _ in range(max(settings.rounds // 3, 1)):
        gc.collect()
        gc.disable()  # as the program does until it is up
        try:
            asyncio.run(_type(settings.home, data, pieces))
        finally:
            gc.enable()
            gc.unfreeze()
    note = f"{len(pieces):,} pieces, {source}"
    p99 = percentile([piece.wall for piece in pieces], 0.99)
    wall = max(pieces, key=lambda piece: piece.wall)
    own = max(pieces, key=lambda piece: piece.own)
    collecting = max(pieces, key=lambda piece: piece.collecting)
    return [
        Figure("loop: one piece p99", p99, "ms", LIMIT, "wanted", p99 / LIMIT, 1.0, note),
        Figure(
            "loop: one piece p99, processor",
            percentile([piece.own for piece in pieces], 0.99),
            note="the loop's own, not what it waited for",
        ),
        Figure("loop: longest piece", wall.wall, note=f"{wall.own:.1f} ms of it processor, at {wall.line!r}"),
        Figure("loop: longest piece, processor", own.own, note=f"at {own.line!r}"),
        Figure("loop: longest garbage collection", collecting.collecting, note="processor, within a piece"),
    ]


async def _type(home: Path, data: bytes, pieces: list[Piece]) -> None:
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
        while pane.search is None or pane.search.probing is None or not gc.isenabled():
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        await pilot.press("slash")
        with _timed(pieces, lambda: pane.query_line.text):
            for query in (*QUERIES, *NARROWED):
                for letter in query:
                    await pilot.press(_NAMES.get(letter, letter))
                await pilot.press("ctrl+u")


@contextmanager
def _timed(pieces: list[Piece], line: Callable[[], str]) -> Iterator[None]:
    """Time each callback of the event loop."""
    real = asyncio.Handle._run
    collecting = began = 0.0

    def collected(phase: str, _info: dict[str, int]) -> None:
        nonlocal collecting, began
        if phase == "start":
            began = time.thread_time()
        else:
            collecting += time.thread_time() - began

    def timed(handle: asyncio.Handle) -> None:
        nonlocal collecting
        collecting = 0.0
        start, used = time.perf_counter(), time.thread_time()
        real(handle)
        own, wall = time.thread_time() - used, time.perf_counter() - start
        pieces.append(Piece(wall * 1000, own * 1000, collecting * 1000, line()))

    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]
    gc.callbacks.append(collected)
    try:
        yield
    finally:
        gc.callbacks.remove(collected)
        asyncio.Handle._run = real  # type: ignore[method-assign]
