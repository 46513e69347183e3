"""Which names of an index the filters of a query leave: one big integer a chunk, made when it is first needed.

A byte a name says its type, two its module, one what is known of probes; a chunk of them is turned into bits by two
steps in C. A name that several symbols have stays if any of them fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kptui.symbols.grounds import Ground
from kptui.symbols.index import CHUNK, NameIndex, Pool, numbers_of
from kptui.symbols.probeable import Probing
from kptui.symbols.query import Query
from kptui.symbols.table import SymbolTable

_GATHERED = 4000  # names that are put into the table's order where nothing is looked for

FIT = frozenset({Ground.FINE, Ground.UNKNOWN})  # nothing is known against a probe


class Narrowing:
    """``probing`` is what is known of probes; None: nothing yet, so that ``probe:`` leaves all."""

    def __init__(self, index: NameIndex, table: SymbolTable, query: Query, probing: Probing | None) -> None:
        self._index = index
        self._table = table
        self._planes: list[Callable[[Pool, int, int], bytes]] = []
        self._line_tests: list[Callable[[int], bool]] = []
        self._rough = False
        if query.types:
            self._by_type(query.types)
        if query.module:
            self._by_module(table.module_numbers(query.modules_of(table.modules)))
        if query.probe is not None and probing is not None:
            self._by_ground(probing.grounds, query.probe)
        self._masks: list[list[int | None]] = [[None] * pool.chunks for pool in index.pools]

    def mask(self, kind: int, chunk: int) -> int:
        """A bit for each name of the chunk that stays."""
        mask = self._masks[kind][chunk]
        if mask is None:
            mask = self._masks[kind][chunk] = self._make(kind, chunk)
        return mask

    def line(self, kind: int, number: int) -> int:
        """The first line of the table with this name that fits."""
        for line in self._index.lines(kind, number):
            if self.fits(line):
                return line
        return self._index.pools[kind].first[number]

    def fits(self, line: int) -> bool:
        return all(test(line) for test in self._line_tests)

    def list(self, kinds: Sequence[int], limit: int) -> tuple[list[int], int]:
        """What stays, nothing being looked for: lines in the table's order, and how many names there are. Of
        thousands, the shortest."""
        lines: list[int] = []
        total = 0
        for kind in kinds:
            for chunk in range(self._index.pools[kind].chunks):
                mask = self.mask(kind, chunk)
                total += mask.bit_count()
                if mask and len(lines) < _GATHERED:
                    lines += [self.line(kind, number) for number in numbers_of(mask, chunk * CHUNK)]
        lines.sort()
        return lines[:limit], total

    def _make(self, kind: int, chunk: int) -> int:
        pool = self._index.pools[kind]
        start = chunk * CHUNK
        end = min(start + CHUNK, len(pool.lower))
        mask = (1 << (end - start)) - 1
        for plane in self._planes:
            mask &= int(plane(pool, start, end)[::-1], 2)
        if self._rough:
            for number in numbers_of(mask, start):
                if not self.fits(pool.first[number]):
                    mask &= ~(1 << (number - start))
        for number in self._index.repeated(kind, start, end):
            if any(self.fits(line) for line in self._index.lines(kind, number)):
                mask |= 1 << (number - start)
        return mask

    def _by_type(self, types: str) -> None:
        digits = _digits(map(ord, types))
        self._planes.append(lambda pool, start, end: pool.types[start:end].translate(digits))
        letters = self._index.types
        wanted = frozenset(map(ord, types))
        self._line_tests.append(lambda line: letters[line] in wanted)

    def _by_module(self, numbers: frozenset[int]) -> None:
        number_of = self._table.module_number
        digits = _digits(number & 255 for number in numbers)
        self._rough = len(self._table.modules) > 255  # a byte takes some modules for others
        self._planes.append(lambda pool, start, end: pool.modules[start:end].translate(digits))
        self._line_tests.append(lambda line: number_of(line) in numbers)

    def _by_ground(self, grounds: bytes, probe: bool) -> None:
        wanted = frozenset(ground for ground in Ground if (ground in FIT) is probe)
        digits = _digits(wanted)
        self._planes.append(
            lambda pool, start, end: bytes(map(grounds.__getitem__, pool.first[start:end])).translate(digits)
        )
        self._line_tests.append(lambda line: grounds[line] in wanted)


def _digits(wanted: Iterable[int]) -> bytes:
    """A table for bytes.translate: ``1`` for the wanted values, ``0`` for the others."""
    chosen = set(wanted)
    return bytes(48 + (value in chosen) for value in range(256))
