"""``python -m tests.bench [NAME…]``: our figures beside a peer's, measured in turns in one run, as ratios."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.btf import btf
from tests.bench.keys import keys
from tests.bench.loop import loop
from tests.bench.measure import Figure, Settings, table
from tests.bench.search import search
from tests.bench.start import start
from tests.bench.verdict import verdict

MEASUREMENTS: dict[str, Callable[[Settings], list[Figure]]] = {
    "start": start,
    "keys": keys,
    "loop": loop,
    "search": search,
    "btf": btf,
    "verdict": verdict,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; default: all"
    )
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default: 7)")
    parser.add_argument("--kallsyms", type=Path, help="symbols to search (default: /proc/kallsyms)")
    parser.add_argument("--symbols", type=int, default=250_000, help="fill up to so many (default: 250000)")
    parser.add_argument(
        "--fzf", help="the fzf to compare with (default: KPTUI_FZF, beside python, or on the PATH)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no measurement is called {unknown[0]}; there are {', '.join(MEASUREMENTS)}")
    beside = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    fzf = options.fzf or os.environ.get("KPTUI_FZF") or shutil.which("fzf", path=beside)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="kptui-bench-") as home:
        settings = Settings(max(options.rounds, 1), Path(home), options.kallsyms, options.symbols, fzf)
        for name in options.names or MEASUREMENTS:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            figures += MEASUREMENTS[name](settings)
    print(table(figures))
    print(f"\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs; ratios are medians over rounds")
    if options.json is not None:
        options.json.write_text(json.dumps([figure.as_json() for figure in figures], indent=1) + "\n")
    return 1 if options.check and any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
