"""How long until something is on the screen, and until there are symbols to choose from."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from kptui.kernel.sim import demo_kallsyms
from kptui.symbols import SymbolSearch, SymbolTable
from tests.bench.measure import Figure, Settings, interleave, python, ratio
from tests.bench.terminal import Terminal, painted

FIRST_FRAME, USABLE = 1.2, 1.8  # times the first frame of an empty Textual app
KALLSYMS = Path("/proc/kallsyms")
SCREEN = " Quit "  # stands in the footer of the whole screen, and not in the skeleton before it


def start(settings: Settings) -> list[Figure]:
    """Spawn to first frame, to the whole screen, and to the symbol list's first rows: in the demo and, without rights
    or kprobes just as well, on this machine's own symbols; beside them an empty Textual app's first frame."""
    sources = [("demo", demo_kallsyms(), ["--demo"])]
    own = settings.kallsyms or KALLSYMS
    if own.is_file() and (data := own.read_bytes()):
        sources.append(("this machine", data, ["--kallsyms", str(own)] if settings.kallsyms else []))
    times: dict[str, list[float]] = {}

    def empty() -> float:
        with Terminal(python("-m", "tests.bench.emptyapp"), settings.environ()) as terminal:
            return _since(terminal, terminal.wait(terminal.has_frame))

    programs = [empty, *(_timed(settings, times, *source) for source in sources)]
    peers = interleave(settings.rounds, programs)[0]

    def figure(what: str, target: float | None, note: str) -> Figure:
        measured = times[what][-len(peers) :]
        return Figure(
            f"start: {what}",
            statistics.median(measured),
            peer=statistics.median(peers),
            peer_name="empty Textual app",
            ratio=ratio(measured, peers),
            target=target,
            note=note,
        )

    figures: list[Figure] = []
    for name, data, _ in sources:
        figures.append(figure(f"{name}, first frame", FIRST_FRAME, ""))
        figures.append(figure(f"{name}, whole screen", None, ""))
        figures.append(
            figure(f"{name}, symbol list usable", USABLE, f"{len(SymbolTable.parse(data)):,} symbols")
        )
    return figures


def _timed(
    settings: Settings, times: dict[str, list[float]], name: str, data: bytes, arguments: list[str]
) -> Callable[[], float]:
    """A start of kptui, which adds its three times to ``times``."""
    rows = [hit.symbol.name for hit in SymbolSearch(SymbolTable.parse(data)).search("", limit=3).hits]
    marks: dict[str, Callable[[str], bool]] = {
        f"{name}, whole screen": lambda text: SCREEN in text,
        f"{name}, symbol list usable": lambda text: all(row in text for row in rows),
    }

    def run() -> float:
        with Terminal(python("-m", "kptui", *arguments), settings.environ()) as terminal:
            frame = _since(terminal, terminal.wait(terminal.has_frame))
            times.setdefault(f"{name}, first frame", []).append(frame)
            left = dict(marks)

            def seen(data: bytes) -> bool:
                text = painted(data)
                for mark in [mark for mark, shows in left.items() if shows(text)]:
                    times.setdefault(mark, []).append((terminal.last - terminal.started) * 1000)
                    del left[mark]
                return not left

            _since(terminal, terminal.wait(seen))
            return frame

    return run


def _since(terminal: Terminal, moment: float | None) -> float:
    """Milliseconds from the start; RuntimeError with what was painted instead."""
    if moment is None:
        raise RuntimeError(f"what was waited for never came; painted was: {painted(terminal.data)[-400:]!r}")
    return (moment - terminal.started) * 1000
