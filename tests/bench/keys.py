"""How long from a key to the list that it asked for, on the screen."""

from __future__ import annotations

import contextlib
import functools
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

from kptui.symbols import SymbolSearch, SymbolTable
from tests.bench.measure import Figure, Settings, percentile, python, ratio
from tests.bench.search import symbols
from tests.bench.terminal import Terminal, painted

QUERIES = ("vfsread", "tcpcon", "sys_execve", "doexit", "sched", "kmalloc", "shcedule", "openat2")
_QUIET = 0.12  # s without a byte: the screen is done
_BACKSPACE = b"\x7f"


def keys(settings: Settings) -> list[Figure]:
    """Key to painted list over the long list; beside it a Textual app that only repaints, and fzf over the same names,
    query by query in turns.
    """
    data, source = symbols(settings)
    table = SymbolTable.parse(data)
    kallsyms, names = settings.home / "kallsyms", settings.home / "names"
    kallsyms.write_bytes(data)
    names.write_text("".join(f"{name}\n" for name in dict.fromkeys(table.names)))
    search = SymbolSearch(table)
    best = {
        beginning: [hit.symbol.name for hit in search.search(beginning, limit=1).hits]
        for beginning in (query[:end] for query in QUERIES for end in range(1, len(query) + 1))
    }
    ours: list[list[float]] = []
    echo: list[list[float]] = []
    fzf: list[list[float]] = []
    for _ in range(max(settings.rounds // 2, 3)):
        with contextlib.ExitStack() as stack:
            environ = settings.environ()
            program = python("-m", "kptui", "--demo", "--kallsyms", str(kallsyms))
            mine = stack.enter_context(Terminal(program, environ))
            plain = stack.enter_context(Terminal(python("-m", "tests.bench.emptyapp", "--echo"), environ))
            other = None
            if settings.fzf is not None:
                other = stack.enter_context(Terminal([settings.fzf], environ, stdin=names, answer=True))
            mine.settle(4.0, 20.0)
            mine.send(b"/")
            mine.settle()
            plain.settle(1.0)
            ours.append([])
            echo.append([])
            fzf.append([])
            for query in QUERIES:
                ours[-1] += _type(mine, query, best.__getitem__)
                echo[-1] += _type(
                    plain,
                    query,
                    lambda typed: [f"[{typed[-1]}]"] if typed[-1].isalnum() else ["[underscore]"],
                )
                if other is not None:
                    fzf[-1] += _type(other, query, lambda typed: _best(settings.fzf or "", typed, names))
    every = [ms for one in ours for ms in one]
    note = f"{len(every)} keys, {len(table):,} symbols ({source})"
    figures = []
    for share, label in ((0.5, "p50"), (0.95, "p95")):
        own = [percentile(one, share) for one in ours]
        peers = [("bare Textual repaint", echo, None), ("fzf", fzf, 1.0 if label == "p95" else None)]
        for peer, times, target in peers[: 2 if settings.fzf else 1]:
            theirs = [percentile(one, share) for one in times]
            figures.append(
                Figure(
                    f"keys: key to list {label}",
                    statistics.median(own),
                    "ms",
                    statistics.median(theirs),
                    peer,
                    ratio(own, theirs),
                    target,
                    note,
                )
            )
    figures.append(Figure("keys: slowest", max(every), note=f"mean {statistics.mean(every):.1f} ms"))
    if settings.fzf is None:
        figures[-1] = Figure("keys: slowest", max(every), note="no fzf found: not compared")
    return figures


def _type(terminal: Terminal, query: str, expected: Callable[[str], list[str]]) -> list[float]:
    """Milliseconds from each key of a query to the row that it brings to the top.

    A key after which that row isn't painted within a second, because it stood there before, isn't counted.
    """
    times: list[float] = []
    for end in range(1, len(query) + 1):
        wanted = expected(query[:end])
        terminal.forget()
        pressed = terminal.send(query[end - 1].encode())
        moment = terminal.wait(functools.partial(_shows, wanted), 1.0, quiet=_QUIET)
        if moment is not None:
            times.append((moment - pressed) * 1000)
        terminal.settle(0.05)
    for _ in query:
        terminal.send(_BACKSPACE)
        terminal.settle(0.03)
    terminal.settle(0.1)
    if not times:
        raise RuntimeError(f"no key was ever answered; painted was: {painted(terminal.data)[-300:]!r}")
    return times


def _shows(wanted: list[str], data: bytes) -> bool:
    text = painted(data)
    return all(name in text for name in wanted)


def _best(program: str, query: str, names: Path) -> list[str]:
    with names.open("rb") as list_:
        found = subprocess.run([program, "-f", query], stdin=list_, capture_output=True, check=False).stdout
    return found.decode().splitlines()[:1]
