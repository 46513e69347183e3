"""The symbols for a name that isn't theirs: a system call's, one of another kernel, or an address."""

from __future__ import annotations

import re
from typing import NamedTuple

from kptui.symbols import names as naming
from kptui.symbols import renames
from kptui.symbols.index import TEXT, NameIndex, fold
from kptui.symbols.narrowing import Narrowing
from kptui.symbols.table import SymbolTable

_ADDRESS = re.compile(r"(?:0x)?([0-9a-f]{16})", re.IGNORECASE)


class Other(NamedTuple):
    """A symbol by its line, the places of what is the query's in its name, and the query, if that is no name of it."""

    line: int
    positions: tuple[int, ...]
    alias: str | None


def other_names(query: str, table: SymbolTable, index: NameIndex, narrowing: Narrowing | None) -> list[Other]:
    """The symbol for another name of it. When a function has just that name, it comes first, and then the one
    that the work went to, if that is there, too. Nothing where there is no other.
    """
    if (address := _ADDRESS.fullmatch(query)) is not None:
        at = table.function_around(int(address[1], 16))
        return (
            [] if at is None or (narrowing is not None and not narrowing.fits(at)) else [Other(at, (), query)]
        )
    known: list[Other] = []
    if index.pools[TEXT].find(fold(query)) is not None:  # at C speed, but not told apart by case
        known = [
            Other(line, tuple(range(len(query))), None)
            for line in table.indices(query)
            if table.symbol(line).is_text and (narrowing is None or narrowing.fits(line))
        ][:1]
    later = renames.successors(query)
    names = later if known else (*naming.aliases(query), *later, *renames.predecessors(query))
    for name in names:
        number = index.named(name)
        if number is not None:
            line = index.pools[TEXT].first[number] if narrowing is None else narrowing.line(TEXT, number)
            if narrowing is None or narrowing.fits(line):
                return [*known, Other(line, _positions(query, name), query)]
    return []


def _positions(query: str, name: str) -> tuple[int, ...]:
    """The letters of ``name`` that are the query's: its longest end that ends the name."""
    call = fold(query.partition("(")[0])
    while call and not name.endswith(call):
        call = call[1:]
    return tuple(range(len(name) - len(call), len(name)))
