"""A symbol that doesn't exist is mostly a misspelt one: the nearest that do are named, and put in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from kptui.safetext import neutralise
from kptui.symbols.hits import Hit
from kptui.symbols.search import SymbolSearch
from kptui.symbols.table import SymbolTable
from kptui.verdict import Fix, Problem, Verdict

NEAR: Final = 72.0  # of 100: worth a mention
CLEAR: Final = 80.0  # one or two letters lost, doubled or exchanged
AHEAD: Final = 4.0  # of the next one, for being the one that is meant
NAMED: Final = 3
_UNKNOWN: Final = frozenset({"Invalid probed address or symbol", "Failed to register probe event"})
_PLACE: Final = re.compile(r"(?:(?P<module>\w+):)?(?P<name>[A-Za-z_.][\w.]*)")
_DATA: Final = re.compile(r"@(?P<name>[A-Za-z_.][\w.]*)")


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A name in a line that no symbol has, ``module``'s or anybody's; ``start`` to ``end``: with the module."""

    name: str
    module: str | None
    start: int
    end: int
    data: bool = False


def may_be_unknown(verdict: Verdict) -> bool:
    """Whether a verdict may be about a symbol that isn't there, and nothing is offered for that yet."""
    problem = next(iter(verdict.problems), None)
    return problem is not None and not problem.fixes and problem.message in _UNKNOWN


def offer_near(verdict: Verdict, line: str, search: SymbolSearch | None) -> Verdict:
    """``verdict`` of ``line``; where it refuses a symbol for being unknown, with the names of the nearest, and with a
    fix where there can be no doubt. A look through all symbols, some hundredths of a second.
    """
    if search is None or not may_be_unknown(verdict):
        return verdict
    problem = verdict.problems[0]
    unknown = list(_unknown(problem, line, search.table))
    if not unknown:
        return verdict
    first = unknown[0]
    names, clear = _elsewhere(first, search.table) or _nearest(first, search)
    if not names:
        return verdict
    fix = Fix(first.start, first.end, names[0], f"use {neutralise(names[0])}")
    # The message stands as long as there is another one that is unknown
    fixes = (fix,) if clear and len(unknown) == 1 else ()
    shown = ", ".join(map(neutralise, names))
    sentence = f"{problem.sentence.rstrip('.')}; the nearest: {shown}."
    return replace(
        verdict, problems=(replace(problem, fixes=fixes, sentence=sentence), *verdict.problems[1:])
    )


def _unknown(problem: Problem, line: str, table: SymbolTable) -> Iterator[_Unknown]:
    place = _PLACE.match(line, problem.at)
    if place is None:
        return
    name, module = place["name"], place["module"]
    if not _has(table, name, module):
        yield _Unknown(name, module, *place.span())
    for found in _DATA.finditer(line.partition("#")[0], place.end()):
        if not _has(table, found["name"], None):
            yield _Unknown(found["name"], None, *found.span("name"), data=True)


def _has(table: SymbolTable, name: str, module: str | None) -> bool:
    return any(module in (None, symbol.module) for symbol in table.lookup(name))


def _elsewhere(unknown: _Unknown, table: SymbolTable) -> tuple[list[str], bool] | None:
    """The same name, where it isn't the module's that was given."""
    found = table.lookup(unknown.name) if unknown.module is not None else []
    names = [symbol.name if symbol.module is None else f"{symbol.module}:{symbol.name}" for symbol in found]
    return (names[:NAMED], len(names) == 1) if names else None


def _nearest(unknown: _Unknown, search: SymbolSearch) -> tuple[list[str], bool]:
    """The nearest names, nearest first, and whether it is the first for certain."""
    query = unknown.name if unknown.module is None else f"{unknown.name} mod:{unknown.module}"
    hits: list[Hit] = []
    for hit in search.search(query, limit=4 * NAMED, data=unknown.data).hits:
        fits = unknown.module in (None, hit.symbol.module) and hit.score >= NEAR
        if fits and all(hit.symbol.name != other.symbol.name for other in hits):
            hits.append(hit)
    clear = bool(hits) and hits[0].score >= CLEAR and not unknown.data
    clear = clear and (len(hits) == 1 or hits[0].score - hits[1].score >= AHEAD)
    prefix = "" if unknown.module is None else f"{unknown.module}:"
    return [prefix + hit.symbol.name for hit in hits[:NAMED]], clear
