"""What a keystroke costs in the search itself, over a quarter of a million symbols, beside fzf on the same list."""

from __future__ import annotations

import gc
import random
import re
import statistics
import subprocess
import time
from pathlib import Path

from kptui.symbols import SymbolSearch, SymbolTable
from tests.bench.measure import Figure, Settings, percentile

QUERIES = (
    "vfsread",
    "tcpcon",
    "sys_execve",
    "x64sysexec",
    "schedule",
    "kmalloc",
    "do_sys_openat2",
    "dofopen",
    "tcp_conect",
    "vfs_raed",
    "netif_receive",
    "ext4filewrite",
    "blkmqstart",
    "handle_mm_fault",
    "jiffies",
    "tvc",
)
_AVERAGE = re.compile(r"avg: ([\d.]+)(ms|µs|us|s)\b")
_IN_MS = {"s": 1000.0, "ms": 1.0, "µs": 0.001, "us": 0.001}


def search(settings: Settings) -> list[Figure]:
    """Parse, index, typed keystrokes (each letter of the queries); fzf's own time for the same beginnings."""
    data, source = symbols(settings)
    gc.collect()
    before = _resident()
    table = SymbolTable.parse(data)
    searching = SymbolSearch(table)
    start = time.perf_counter()
    searching.prepare()
    prepared = (time.perf_counter() - start) * 1000
    searching.warm()
    memory = (_resident() - before) / 1e6
    parse: list[float] = []
    for _ in range(3):
        start = time.perf_counter()
        SymbolTable.parse(data)
        parse.append((time.perf_counter() - start) * 1000)
    typed: list[float] = []
    for _ in range(max(settings.rounds // 2, 1)):
        searching = SymbolSearch(table)
        searching.prepare()
        searching.warm()
        for beginning in _beginnings():
            start = time.perf_counter()
            searching.search(beginning)
            typed.append((time.perf_counter() - start) * 1000)
    note = f"{len(table):,} symbols ({source}), {len(typed)} keys"
    figures = [
        Figure("search: parse", min(parse), note=f"{len(data) / 1e6:.1f} MB"),
        Figure("search: index", prepared),
        Figure("search: memory", memory, "MB", note="table, index, sieves"),
        Figure("search: keystroke p50", percentile(typed, 0.5), note=note),
    ]
    p95 = percentile(typed, 0.95)
    if settings.fzf is None:
        figures.append(Figure("search: keystroke p95", p95, note="no fzf found: not compared"))
    else:
        names = settings.home / "all-names"
        names.write_text("".join(f"{name}\n" for name in dict.fromkeys(table.names)))
        inside = [_fzf_inside(settings.fzf, names, beginning) for beginning in _beginnings()]
        alone = [_fzf_filter(settings.fzf, names, beginning) for beginning in _beginnings()]
        idle = statistics.median(_fzf_filter(settings.fzf, Path("/dev/null"), "x") for _ in range(9))
        other = percentile(inside, 0.95)
        figures.append(Figure("search: keystroke p95", p95, "ms", other, "fzf --bench p95", p95 / other, 0.5))
        other = percentile(alone, 0.95) - idle
        figures.append(
            Figure(
                "search: keystroke p95",
                p95,
                "ms",
                other,
                "fzf --filter p95",
                p95 / other,
                0.1,
                "less its start",
            )
        )
    figures.append(Figure("search: keystroke max", max(typed)))
    return figures


def symbols(settings: Settings) -> tuple[bytes, str]:
    """A kallsyms of ``settings.symbols`` lines and where it is from: a file's, filled up with invented modules."""
    path = settings.kallsyms or Path("/proc/kallsyms")
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    names = [line.split()[2] for line in lines[:200_000] if len(line.split()) > 2]
    wanted = settings.symbols - len(lines)
    if wanted <= 0 or not names:
        return data, str(path)
    dice = random.Random(20240607)
    made = []
    for number in range(wanted):
        one, other = dice.choice(names), dice.choice(names)
        name = one[: dice.randint(3, 14)].rstrip(b"_.") + b"_" + other[-dice.randint(3, 14) :].lstrip(b"_.")
        made.append(b"%016x t %s\t[mod%d]\n" % (0xFFFFFFFFC0000000 + 32 * number, name, number // 500))
    return data + b"".join(made), f"{path}, {wanted:,} of them invented"


def _beginnings() -> list[str]:
    return [query[:end] for query in QUERIES for end in range(1, len(query) + 1)]


def _fzf_inside(program: str, names: Path, query: str) -> float:
    """fzf's own average for the query, ms, without start and reading."""
    with names.open("rb") as list_:
        done = subprocess.run(
            [program, "--bench", "120ms", "-f", query],
            stdin=list_,
            capture_output=True,
            text=True,
            check=False,
        )
    average = _AVERAGE.search(done.stdout + done.stderr)
    if average is None:
        raise RuntimeError(f"fzf --bench said: {(done.stdout + done.stderr)[:200]!r}")
    return float(average[1]) * _IN_MS[average[2]]


def _fzf_filter(program: str, names: Path, query: str) -> float:
    start = time.perf_counter()
    with names.open("rb") as list_:
        subprocess.run([program, "-f", query], stdin=list_, stdout=subprocess.DEVNULL, check=False)
    return (time.perf_counter() - start) * 1000


def _resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
