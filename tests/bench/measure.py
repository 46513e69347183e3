"""What every measurement shares: rounds that alternate between us and the peer, medians, and the table of figures.

Times of different minutes on a shared machine must not be divided by each other; a ratio is the median of the
ratios of rounds in which both ran side by side.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``ours`` and ``peer`` in ``unit``; ``target`` is the largest ratio wanted, ``limit``
    the largest ``ours``.
    """

    name: str
    ours: float
    unit: str = "ms"
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    target: float | None = None
    note: str = ""
    limit: float | None = None

    @property
    def met(self) -> bool | None:
        """The target or limit is met; None where there is none, or no ratio."""
        if self.limit is not None:
            return self.ours <= self.limit
        return None if self.target is None or self.ratio is None else self.ratio <= self.target

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for. ``home`` is an empty directory for the programs that are started."""

    rounds: int
    home: Path
    kallsyms: Path | None
    symbols: int
    fzf: str | None

    def environ(self) -> Mapping[str, str]:
        """The environment of a program: no settings of ours, byte code written and used, a plain terminal."""
        kept = {
            name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV") if name in os.environ
        }
        return {**kept, "TERM": "xterm-256color", "HOME": str(self.home), "PYTHONPATH": str(ROOT)}


def interleave(rounds: int, programs: Sequence[Callable[[], float]]) -> list[list[float]]:
    """The results of each program in each round; the order turns around every round. One round before isn't counted:
    it fills the caches and writes the byte code."""
    results: list[list[float]] = [[] for _ in programs]
    for number in range(-1, rounds):
        order = range(len(programs)) if number % 2 else reversed(range(len(programs)))
        for which in order:
            result = programs[which]()
            if number >= 0:
                results[which].append(result)
    return results


def ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """The median of the ratios of the rounds."""
    return statistics.median(own / other for own, other in zip(ours, peers, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _number(value: float) -> str:
    return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def _wanted(figure: Figure) -> str:
    if figure.limit is not None:
        return f"<= {figure.limit:g} {figure.unit}"
    return "" if figure.target is None else f"<= {figure.target:g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("", "ours", "peer", "ratio", "target", "")]
    for figure in figures:
        verdict = {True: "ok", False: "MISSED", None: ""}[figure.met]
        rows.append(
            (
                figure.name,
                f"{_number(figure.ours)} {figure.unit}",
                "" if figure.peer is None else f"{_number(figure.peer)} {figure.unit} {figure.peer_name}",
                "" if figure.ratio is None else f"{figure.ratio:.2f}",
                _wanted(figure),
                f"{verdict} {figure.note}".strip(),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = []
    for name, *cells, note in rows:
        middle = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:5], strict=True))
        lines.append(f"{name.ljust(widths[0])}  {middle}  {note}".rstrip())
    return "\n".join(lines)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
