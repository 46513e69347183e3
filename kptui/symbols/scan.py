"""Which names of a pool fit a query, as far as they were looked at: a keystroke narrows what the one before left."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kptui.symbols.index import CHUNK, Allowance, Pool
from kptui.symbols.narrowing import Narrowing
from kptui.symbols.terms import Terms, are_quick, beginnings, containing, lengths

_ENOUGH = (2000, 600, 600)  # names of a pool after which a scan stops; the count is then "at least"
_REMEMBERED = 96  # scans, a keystroke takes up to three
_COMMON = "_etasrpnicolmdfuxbkgyvhw."  # letters of kernel names, the commonest first
LETTERS = _COMMON + "jqz0123456789"
_AT_ONCE = 8  # chunks of a pool, when more is wanted than was enough


class Marks(NamedTuple):
    """What shows at once that a name doesn't fit: ``letters`` that it must have, the rarest first; ``edges`` that it
    must begin (0) or end (-1) with.
    """

    letters: list[str]
    edges: list[tuple[int, str]]


class Sift(NamedTuple):
    """What is looked for in one of the pools."""

    kind: int
    pool: Pool
    terms: Terms
    narrowing: Narrowing | None

    def chunks(self) -> range:
        """Those that have names neither too short nor too long."""
        within = self.pool.of_length(*lengths(self.terms))
        return range(within.start // CHUNK, -(-within.stop // CHUNK)) if within else range(0)

    def marks(self) -> Marks:
        """What to sieve by."""
        letters = {letter for term in self.terms for letter in term.letters}
        edges = [
            (place, edge) for term in self.terms for place, edge in zip((0, -1), term.edges, strict=True)
        ]
        return Marks(sorted(letters, key=_rarity), [(place, edge) for place, edge in edges if edge])

    def chunk(self, chunk: int, marks: Marks, allowance: Allowance) -> list[int]:
        """Numbers of the names of a chunk that fit."""
        mask = -1 if self.narrowing is None else self.narrowing.mask(self.kind, chunk)
        for place, edge in marks.edges:
            mask &= self.pool.edge(chunk, place, edge)
        dense = self.narrowing is None and are_quick(self.terms)
        candidates = self.pool.candidates(chunk, marks.letters, allowance, mask, dense=dense)
        return containing(self.terms, self.pool.lower, candidates, CHUNK)

    def line(self, number: int) -> int:
        """The line of a name: the first that the filters leave."""
        return self.pool.first[number] if self.narrowing is None else self.narrowing.line(self.kind, number)


class Scan(NamedTuple):
    """What is left of a pool for a query: numbers of names up to ``next_chunk``, where the scan goes on unless that is
    all.
    """

    numbers: Sequence[int]
    next_chunk: int
    complete: bool


class Scans:
    """The last scans of an index."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Narrowing | None, int, Terms], Scan] = OrderedDict()

    def scan(self, sift: Sift, allowance: Allowance) -> Scan:
        """What fits, until it is enough, from the longest beginning of the words that was looked for before."""
        kind, pool, terms, narrowing = sift
        numbers: list[int] = []
        chunks = sift.chunks()
        chunk = chunks.start
        for earlier in beginnings(terms):
            known = self._known.get((narrowing, kind, earlier))
            if known is not None:
                self._known.move_to_end((narrowing, kind, earlier))
                if earlier == terms:
                    return known
                numbers = containing(terms, pool.lower, known.numbers, CHUNK)
                chunk = max(chunk, known.next_chunk)
                break
        marks = sift.marks()
        while chunk < chunks.stop and len(numbers) < _ENOUGH[kind]:
            numbers += sift.chunk(chunk, marks, allowance)
            chunk += 1
        scan = self._known[narrowing, kind, terms] = Scan(numbers, chunk, chunk >= chunks.stop)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return scan


def onward(sift: Sift, scan: Scan) -> Iterator[tuple[list[int], bool]]:
    """What fits behind a scan's end, in steps of a few ms, and whether that was the last; nothing is remembered."""
    marks = sift.marks()
    allowance = Allowance(len(marks.letters) * sift.pool.chunks)
    stop = sift.chunks().stop
    for start in range(scan.next_chunk, stop, _AT_ONCE):
        end = min(start + _AT_ONCE, stop)
        found: list[int] = []
        for chunk in range(start, end):
            found += sift.chunk(chunk, marks, allowance)
        yield found, end == stop


def _rarity(letter: str) -> int:
    return -_COMMON.find(letter) if letter in _COMMON else -len(_COMMON)
