"""Which names of an index the filters of a query leave: one big integer a chunk, made when it is first needed.

A byte a line of the table says whether it fits, and a byte a name, made by a few steps in C; a chunk of these is turned
into bits by two more. A name that several symbols have stays if any of them fits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from kptui.symbols.grounds import Ground
from kptui.symbols.index import CHUNK, NameIndex, Pool, bits_of
from kptui.symbols.probeable import Probing
from kptui.symbols.query import Query
from kptui.symbols.table import SymbolTable

FIT = frozenset({Ground.FINE, Ground.UNKNOWN})  # nothing is known against a probe
_BYTE = 256


class Narrowing:
    """``probing`` is what is known of probes; None: nothing yet, so that ``probe:`` leaves all."""

    def __init__(self, index: NameIndex, table: SymbolTable, query: Query, probing: Probing | None) -> None:
        self._index = index
        self._tests: list[Callable[[int, Pool], int]] = []  # kind, pool: a byte a name, 1 if it fits
        self._exact = True  # else the tests leave a few too many
        flags = _ones(len(table))
        if query.types:
            flags &= self._by_type(query.types)
        if query.module:
            flags &= self._by_module(table, query)
        if query.probe is not None and probing is not None:
            flags &= self._by_ground(probing, query.probe)
        self._flags = flags.to_bytes(len(table), "little")
        self._late = [self._find_late(kind) for kind in range(len(index.pools))]
        self._late_numbers = [sorted(late) for late in self._late]
        self._planes: list[bytes | None] = [None] * len(index.pools)
        self._masks: list[list[int | None]] = [[None] * pool.chunks for pool in index.pools]

    def mask(self, kind: int, chunk: int) -> int:
        """A bit for each name of the chunk that stays."""
        mask = self._masks[kind][chunk]
        if mask is None:
            mask = self._masks[kind][chunk] = self._make(kind, chunk)
        return mask

    def line(self, kind: int, number: int) -> int:
        """The first line of the table with this name that fits."""
        late = self._late[kind].get(number)
        return self._index.pools[kind].first[number] if late is None else late

    def fits(self, line: int) -> bool:
        return bool(self._flags[line])

    def rows(self, kinds: Sequence[int]) -> tuple[Iterator[int], int]:
        """What stays, nothing being looked for: a line for each name, in the table's order, and how many."""
        wanted = bytes(code in kinds for code in range(_BYTE))
        firsts = _number(self._index.rows.translate(wanted)) & _number(self._flags)
        rows = bytearray(firsts.to_bytes(len(self._flags), "little"))
        for kind in kinds:
            for line in self._late[kind].values():
                rows[line] = 1
        return _places(rows), rows.count(1)

    def _make(self, kind: int, chunk: int) -> int:
        pool = self._index.pools[kind]
        start = chunk * CHUNK
        end = min(start + CHUNK, len(pool.lower))
        mask = bits_of(
            self._plane(kind, pool)[start:end]
            if self._exact
            else bytes(map(self._flags.__getitem__, pool.first[start:end]))
        )
        late = self._late_numbers[kind]
        for number in late[bisect_left(late, start) : bisect_left(late, end)]:
            mask |= 1 << (number - start)
        return mask

    def _plane(self, kind: int, pool: Pool) -> bytes:
        """A byte a name: 1 if its first line fits."""
        plane = self._planes[kind]
        if plane is None:
            flags = _ones(len(pool.lower))
            for test in self._tests:
                flags &= test(kind, pool)
            plane = self._planes[kind] = flags.to_bytes(len(pool.lower), "little")
        return plane

    def _find_late(self, kind: int) -> dict[int, int]:
        """The names of a pool whose first line doesn't fit, but another does, and that line."""
        flags, first = self._flags, self._index.pools[kind].first
        late: dict[int, int] = {}
        for number, line in self._index.repeated(kind):
            if flags[line] and not flags[first[number]]:
                late.setdefault(number, line)
        return late

    def _by_type(self, types: str) -> int:
        table = _table(map(ord, types))
        self._tests.append(lambda _kind, pool: _number(pool.types.translate(table)))
        return _number(self._index.types.translate(table))

    def _by_module(self, table: SymbolTable, query: Query) -> int:
        numbers = table.module_numbers(query.modules_of(table.modules))
        self._tests.append(lambda _kind, pool: _of_modules(pool.modules, numbers))
        return _of_modules(table.module_bytes(), numbers)

    def _by_ground(self, probing: Probing, probe: bool) -> int:
        table = _table(ground for ground in Ground if (ground in FIT) is probe)
        pools = probing.in_pools
        if pools:
            self._tests.append(lambda kind, _pool: _number(pools[kind].translate(table)))
        else:
            self._exact = False
        return _number(probing.grounds.translate(table))


def _places(rows: bytearray) -> Iterator[int]:
    at = rows.find(1)
    while at >= 0:
        yield at
        at = rows.find(1, at + 1)


def _of_modules(pairs: bytes, numbers: Iterable[int]) -> int:
    """A byte of 0 or 1 for each pair that makes one of the ``numbers``."""
    lower, upper = pairs[::2], pairs[1::2]
    found = 0
    for high in {number >> 8 for number in numbers}:
        low = _table(number & 255 for number in numbers if number >> 8 == high)
        found |= _number(lower.translate(low)) & _number(upper.translate(_table((high,))))
    return found


def _table(wanted: Iterable[int]) -> bytes:
    """A table for bytes.translate: 1 for the wanted values, 0 for the others."""
    chosen = set(wanted)
    return bytes(value in chosen for value in range(_BYTE))


def _ones(length: int) -> int:
    return _number(b"\1" * length)


def _number(flags: bytes) -> int:
    return int.from_bytes(flags, "little")
