"""How long until something is on the screen, and until there are symbols to choose from."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from kptui.kernel.sim import demo_kallsyms
from kptui.symbols import SymbolSearch, SymbolTable
from tests.bench.measure import Figure, Settings, interleave, python, ratio
from tests.bench.terminal import Terminal, painted

FIRST_FRAME, USABLE = 1.2, 1.8  # times the first frame of an empty Textual app


def start(settings: Settings) -> list[Figure]:
    """Spawn to first frame, spawn to the symbol list's first rows; beside them an empty Textual app's first frame."""
    rows = [
        hit.symbol.name for hit in SymbolSearch(SymbolTable.parse(demo_kallsyms())).search("", limit=3).hits
    ]
    lists: list[float] = []

    def ours() -> float:
        with Terminal(python("-m", "kptui", "--demo"), settings.environ()) as terminal:
            frame = _since(terminal, terminal.wait(terminal.has_frame))
            listed = terminal.wait(lambda data: all(name in painted(data) for name in rows))
            lists.append(_since(terminal, listed))
            return frame

    def empty() -> float:
        with Terminal(python("-m", "tests.bench.emptyapp"), settings.environ()) as terminal:
            return _since(terminal, terminal.wait(terminal.has_frame))

    programs: list[Callable[[], float]] = [ours, empty]
    frames, peers = interleave(settings.rounds, programs)
    usable = lists[-len(frames) :]
    peer = statistics.median(peers)
    name = "empty Textual app"
    return [
        Figure(
            "start: first frame",
            statistics.median(frames),
            peer=peer,
            peer_name=name,
            ratio=ratio(frames, peers),
            target=FIRST_FRAME,
        ),
        Figure(
            "start: symbol list usable",
            statistics.median(usable),
            peer=peer,
            peer_name=name,
            ratio=ratio(usable, peers),
            target=USABLE,
            note=f"{len(SymbolTable.parse(demo_kallsyms())):,} symbols",
        ),
    ]


def _since(terminal: Terminal, moment: float | None) -> float:
    """Milliseconds from the start; RuntimeError with what was painted instead."""
    if moment is None:
        raise RuntimeError(f"what was waited for never came; painted was: {painted(terminal.data)[-400:]!r}")
    return (moment - terminal.started) * 1000
