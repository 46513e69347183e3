"""How long from a key to the list that it asked for, on the screen."""

from __future__ import annotations

import functools
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

from kptui.kernel.sim import demo_kallsyms
from kptui.symbols import SymbolSearch, SymbolTable
from tests.bench.measure import Figure, Settings, percentile, python
from tests.bench.start import KALLSYMS
from tests.bench.terminal import Terminal, painted

QUERIES = ("vfsread", "tcpcon", "sys_execve", "doexit", "sched", "kmalloc", "shcedule", "openat2")
_QUIET = 0.12  # s without a byte: the screen is done
_BACKSPACE = b"\x7f"


def keys(settings: Settings) -> list[Figure]:
    """Key to painted list over this machine's symbols (the demo's where it lists none); beside it a Textual app that
    only repaints, and fzf over the same names."""
    source = settings.kallsyms or KALLSYMS
    data = source.read_bytes() if source.is_file() else b""
    table = SymbolTable.parse(data or demo_kallsyms())
    program = python("-m", "kptui", "--demo", *(["--kallsyms", str(source)] if data else []))
    ours: list[float] = []
    echo: list[float] = []
    fzf: list[float] = []
    search = SymbolSearch(table)
    names = settings.home / "names"
    names.write_text("".join(f"{name}\n" for name in dict.fromkeys(table.names)))
    rounds = max(settings.rounds // 3, 1)
    for _ in range(rounds):
        with Terminal(program, settings.environ()) as terminal:
            terminal.settle(2.0)
            terminal.send(b"/")
            terminal.settle()
            ours += _type(
                terminal, lambda query: [hit.symbol.name for hit in search.search(query, limit=1).hits]
            )
        with Terminal(python("-m", "tests.bench.emptyapp", "--echo"), settings.environ()) as terminal:
            terminal.settle(1.0)
            echo += _type(
                terminal, lambda query: [f"[{query[-1]}]"] if query[-1].isalnum() else ["[underscore]"]
            )
        if settings.fzf is not None:
            with Terminal([settings.fzf], settings.environ(), stdin=names, answer=True) as terminal:
                terminal.settle(1.0)
                fzf += _type(terminal, lambda query: _best(settings.fzf or "", query, names))
    note = f"{len(ours)} keys, {len(table):,} symbols"
    figures = []
    for share, label in ((0.5, "p50"), (0.95, "p95")):
        own = percentile(ours, share)
        other = percentile(echo, share)
        figures.append(
            Figure(
                f"keys: key to list {label}",
                own,
                "ms",
                other,
                "bare Textual repaint",
                own / other,
                None,
                note,
            )
        )
        if fzf:
            other = percentile(fzf, share)
            figures.append(
                Figure(f"keys: key to list {label}", own, "ms", other, "fzf", own / other, None, note)
            )
    figures.append(Figure("keys: slowest", max(ours), note=f"mean {statistics.mean(ours):.1f} ms"))
    if not fzf:
        figures[-1] = Figure("keys: slowest", max(ours), note="no fzf found: not compared")
    return figures


def _type(terminal: Terminal, expected: Callable[[str], list[str]]) -> list[float]:
    """Milliseconds from each key of the queries to the row that it brings to the top.

    A key after which that row isn't painted within a second, because it stood there before, isn't counted.
    """
    times: list[float] = []
    for query in QUERIES:
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
