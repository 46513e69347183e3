"""A symbol that doesn't exist is mostly a misspelt one: the nearest that does is offered in its place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.verdict import Fix, Verdict

if TYPE_CHECKING:
    from kptui.symbols import SymbolSearch

UNKNOWN = "Invalid probed address or symbol"
NEAR = 80.0  # of 100: one or two letters lost, doubled or exchanged
_PLACE = re.compile(r"(?:[\w.]+:)?(?P<name>[A-Za-z_.][\w.$]*)")


def is_unknown_symbol(verdict: Verdict) -> bool:
    """Whether a verdict refuses a symbol for being unknown, and nothing is offered for that yet."""
    problem = next(iter(verdict.problems), None)
    return problem is not None and not problem.fixes and problem.message == UNKNOWN


def offer_near(verdict: Verdict, line: str, search: SymbolSearch | None) -> Verdict:
    """``verdict`` of ``line``; where it refuses a symbol for being unknown, with a fix that names the nearest one."""
    if search is None or not search.prepared or not is_unknown_symbol(verdict):
        return verdict
    problem = verdict.problems[0]
    found = _PLACE.match(line, problem.at)
    if found is None:
        return verdict
    name = found["name"]
    if search.table.lookup(name):
        return verdict
    best = next(iter(search.search(name, limit=1, data=False).hits), None)
    if best is None or best.score < NEAR:
        return verdict
    fix = Fix(*found.span("name"), best.symbol.name, f"use {neutralise(best.symbol.name)}")
    return replace(verdict, problems=(replace(problem, fixes=(fix,)), *verdict.problems[1:]))
