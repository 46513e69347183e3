"""What a keystroke costs in the search itself, over a quarter of a million symbols, beside fzf on the same list."""

from __future__ import annotations

import gc
import os
import random
import re
import statistics
import subprocess
import time
from pathlib import Path

from kptui.symbols import ProbeLists, SymbolSearch, SymbolTable
from tests.bench.measure import Figure, Settings, percentile, ratio

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
BUDGET = 8.0  # ms of a key at the 95th percentile
NARROWED = (
    "mod:kernel vfsread",
    "type:data jiffies",
    "probe:yes netif_receive",
    "mod:mod7 type:t probe:yes do_sys",
    "vfs read",
    "tcp !v6 conn",
    "*_read_iter",
    "^vfs read$",
)
_BENCH = re.compile(r"avg: ([\d.]+)(ms|µs|us|s)\b.*ingestion: ([\d.]+)(ms|µs|us|s)\b")
_IN_MS = {"s": 1000.0, "ms": 1.0, "µs": 0.001, "us": 0.001}


def search(settings: Settings) -> list[Figure]:
    """Parse, index, typed keystrokes (each letter of the queries), plain and narrowed; fzf's own time for the same
    beginnings, in turns with ours.
    """
    data, source = symbols(settings)
    gc.collect()
    before = _resident()
    table = SymbolTable.parse(data)
    searching = SymbolSearch(table)
    searching.prepare()
    searching.warm()
    searching.probing = searching.find_probing(ProbeLists)
    memory = (_resident() - before) / 1e6
    names = settings.home / "all-names"
    names.write_text("".join(f"{name}\n" for name in dict.fromkeys(table.names)))
    typed: list[list[float]] = []
    narrowed: list[list[float]] = []
    used: list[float] = []
    built: list[float] = []
    inside: list[list[float]] = []
    read: list[float] = []
    rounds = max(settings.rounds // 2, 3)
    for _ in range(rounds):
        start = time.perf_counter()
        searching = SymbolSearch(SymbolTable.parse(data))
        searching.prepare()
        built.append((time.perf_counter() - start) * 1000)
        searching.warm()
        searching.probing = searching.find_probing(ProbeLists)
        typed.append(_keys(searching, _beginnings(), used))
        narrowed.append(_keys(searching, _narrowed(), used))
        if settings.fzf is not None:
            figures = [_fzf_inside(settings.fzf, names, beginning) for beginning in _beginnings()]
            inside.append([figure[0] for figure in figures])
            read.append(statistics.median(figure[1] for figure in figures))
    every = [ms for one in typed for ms in one]
    note = f"{len(table):,} symbols ({source}), {len(every)} keys in {rounds} rounds"
    spent = percentile(used, 0.95)
    result = [
        Figure("search: key p50", percentile(every, 0.5), note=note),
        Figure(
            "search: key p95, processor",
            spent,
            "ms",
            BUDGET,
            "wanted",
            spent / BUDGET,
            1.0,
            "narrowed ones, words and globs, too",
        ),
    ]
    p95 = [percentile(one, 0.95) for one in typed]
    p95_narrowed = [percentile(one, 0.95) for one in narrowed]
    if settings.fzf is None:
        result.append(Figure("search: key p95", statistics.median(p95), note="no fzf found: not compared"))
        result.append(Figure("search: narrowed key p95", statistics.median(p95_narrowed)))
        result.append(Figure("search: parse and index", statistics.median(built)))
        result.append(Figure("search: memory", memory, "MB", note="table, index, sieves, grounds"))
    else:
        other = [percentile(one, 0.95) for one in inside]
        for name, own in (("key", p95), ("narrowed key", p95_narrowed)):
            result.append(_beside(f"search: {name} p95", own, other, "fzf --bench p95", 0.5, "of the rounds"))
        whole, idle, alone = _whole(settings.fzf, names)
        result.append(
            Figure(
                "search: key p95",
                statistics.median(p95),
                "ms",
                whole,
                "fzf --filter less its start",
                statistics.median(p95) / whole,
                0.1,
                f"its start {idle:.1f} ms",
            )
        )
        result.append(
            _beside("search: parse and index", built, read, "fzf ingestion", None, "fzf: names only")
        )
        result.append(
            Figure(
                "search: memory",
                memory,
                "MB",
                alone,
                "fzf, whole process",
                memory / alone,
                None,
                "table, index, sieves, grounds",
            )
        )
    result.append(Figure("search: key max", max(every)))
    return result


def _beside(
    name: str, own: list[float], other: list[float], peer: str, target: float | None, note: str
) -> Figure:
    """Medians of the rounds, and of their ratios."""
    middle = statistics.median
    return Figure(name, middle(own), "ms", middle(other), peer, ratio(own, other), target, note)


def _keys(searching: SymbolSearch, beginnings: list[str], used: list[float]) -> list[float]:
    """Milliseconds for each key by the clock; those of the processor are added to ``used``."""
    times = []
    for beginning in beginnings:
        start, before = time.perf_counter(), time.thread_time()
        searching.search(beginning)
        used.append((time.thread_time() - before) * 1000)
        times.append((time.perf_counter() - start) * 1000)
    return times


def _narrowed() -> list[str]:
    """The beginnings of the last words of queries that are more than letters."""
    found = []
    for query in NARROWED:
        words, _, letters = query.rpartition(" ")
        found += [f"{words} {letters[:end]}".lstrip() for end in range(0 if words else 1, len(letters) + 1)]
    return found


def _whole(fzf: str, names: Path) -> tuple[float, float, float]:
    """The 95th percentile of fzf as a process less its start, its start, both ms; the most memory it took, MB."""
    alone = [_fzf_filter(fzf, names, beginning) for beginning in _beginnings()]
    idle = statistics.median(_fzf_filter(fzf, Path("/dev/null"), "x")[0] for _ in range(9))
    return percentile([ms for ms, _ in alone], 0.95) - idle, idle, max(size for _, size in alone)


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


def _fzf_inside(program: str, names: Path, query: str) -> tuple[float, float]:
    """fzf's own average for the query, and for reading the list; ms, without its start."""
    with names.open("rb") as list_:
        done = subprocess.run(
            [program, "--bench", "120ms", "-f", query],
            stdin=list_,
            capture_output=True,
            text=True,
            check=False,
        )
    found = _BENCH.search(done.stdout + done.stderr)
    if found is None:
        raise RuntimeError(f"fzf --bench said: {(done.stdout + done.stderr)[:200]!r}")
    return float(found[1]) * _IN_MS[found[2]], float(found[3]) * _IN_MS[found[4]]


def _fzf_filter(program: str, names: Path, query: str) -> tuple[float, float]:
    """Milliseconds of the whole process, and the most memory that it had, MB."""
    start = time.perf_counter()
    with names.open("rb") as list_:
        process = subprocess.Popen([program, "-f", query], stdin=list_, stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return (time.perf_counter() - start) * 1000, usage.ru_maxrss * 1024 / 1e6


def _resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
