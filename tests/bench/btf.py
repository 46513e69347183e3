"""What the kernel's type information costs: opening, first and next prototype, beside bpftool's dump."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from kptui.btf import Btf
from kptui.btf.types import FUNC
from tests.bench.measure import ROOT, Figure, Settings, interleave, percentile, python, ratio

KERNEL = Path("/sys/kernel/btf/vmlinux")
NEXT, LATER = 40, 40  # prototypes after the first, and after many
_MANY = 200
_PLACES = "/usr/sbin:/sbin:/usr/local/sbin"


def btf(settings: Settings) -> list[Figure]:
    """Open, first and next prototypes in a fresh process each round; ``bpftool btf dump file`` as a whole."""
    path = Path(os.environ.get("KPTUI_BENCH_BTF", KERNEL))
    if not path.exists():
        return [Figure("btf: not measured", 0, note=f"there is no {path}")]
    kernel = Btf.parse(path.read_bytes())
    functions = sorted({kernel.name(number) for number in kernel.numbers(FUNC)})
    names = random.Random(20240607).sample(functions, min(1 + _MANY, len(functions)))
    results: list[dict[str, Any]] = []

    def ours() -> float:
        command = python("-m", "tests.bench.btf_once", str(path), *names)
        done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=settings.environ())
        results.append(json.loads(done.stdout))
        return float(results[-1]["first"])

    bpftool = shutil.which("bpftool", path=f"{os.environ.get('PATH', '')}:{_PLACES}")

    def theirs() -> float:
        assert bpftool is not None
        start = time.perf_counter()
        subprocess.run([bpftool, "btf", "dump", "file", path], check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - start) * 1000

    first, *dumps = interleave(settings.rounds, [ours, theirs] if bpftool else [ours])
    results = results[1:]
    nexts = [took for result in results for took in result["nexts"][:NEXT]]
    later = [took for result in results for took in result["nexts"][-LATER:]]
    note = f"{results[0]['types']:,} types, {len(functions):,} functions ({path})"
    figures = [Figure("btf: open", percentile([result["opened"] for result in results], 0.5), note=note)]
    if dumps:
        other, share = percentile(dumps[0], 0.5), ratio(first, dumps[0])
        figures.append(
            Figure(
                "btf: first prototype", percentile(first, 0.5), "ms", other, "bpftool btf dump", share, 0.5
            )
        )
    else:
        figures.append(
            Figure("btf: first prototype", percentile(first, 0.5), note="no bpftool found: not compared")
        )
    figures.append(_within("btf: next prototype p50", percentile(nexts, 0.5), "ms", 5))
    figures.append(Figure("btf: next prototype p95", percentile(nexts, 0.95), note="of the processor's time"))
    figures.append(Figure(f"btf: after {_MANY} p50", percentile(later, 0.5), note="once there is an index"))
    figures.append(_within("btf: memory", max(result["memory"] for result in results), "MB", 10))
    return figures


def _within(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, limit, "allowed", value / limit, 1)
