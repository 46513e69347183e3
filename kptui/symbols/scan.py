"""Which names of a pool fit a query, as far as they were looked at: a keystroke narrows what the one before left."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kptui.symbols.index import CHUNK, Allowance, Pool
from kptui.symbols.narrowing import Narrowing
from kptui.symbols.terms import Terms, beginnings, containing

_ENOUGH = (2000, 600, 600)  # names of a pool after which a scan stops; the count is then "at least"
_REMEMBERED = 96  # scans, a keystroke takes up to three
_COMMON = "_etasrpnicolmdfuxbkgyvhw."  # letters of kernel names, the commonest first
LETTERS = _COMMON + "jqz0123456789"
_AT_ONCE = 8  # chunks of a pool, when more is wanted than was enough


class Sift(NamedTuple):
    """What is looked for in one of the pools."""

    kind: int
    pool: Pool
    terms: Terms
    narrowing: Narrowing | None

    def letters(self) -> list[str]:
        """Those that a name must have, the rarest first."""
        return sorted({letter for term in self.terms for letter in term.letters}, key=_rarity)

    def chunk(self, chunk: int, letters: Sequence[str], allowance: Allowance) -> list[int]:
        """Numbers of the names of a chunk that fit."""
        mask = -1 if self.narrowing is None else self.narrowing.mask(self.kind, chunk)
        candidates = self.pool.candidates(chunk, letters, allowance, mask)
        return containing(self.terms, self.pool.lower, candidates, CHUNK)

    def line(self, number: int) -> int:
        """The line of a name: the first that the filters leave."""
        return self.pool.first[number] if self.narrowing is None else self.narrowing.line(self.kind, number)


class Scan(NamedTuple):
    """What is left of a pool for a query: numbers of names up to ``next_chunk``, where the scan goes on."""

    numbers: Sequence[int]
    next_chunk: int


class Scans:
    """The last scans of an index."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Narrowing | None, int, Terms], Scan] = OrderedDict()

    def scan(self, sift: Sift, allowance: Allowance) -> Scan:
        """What fits, until it is enough, from the longest beginning of the words that was looked for before."""
        kind, pool, terms, narrowing = sift
        numbers: list[int] = []
        chunk = 0
        for earlier in beginnings(terms):
            known = self._known.get((narrowing, kind, earlier))
            if known is not None:
                self._known.move_to_end((narrowing, kind, earlier))
                if earlier == terms:
                    return known
                numbers = containing(terms, pool.lower, known.numbers, CHUNK)
                chunk = known.next_chunk
                break
        letters = sift.letters()
        while chunk < pool.chunks and len(numbers) < _ENOUGH[kind]:
            numbers += sift.chunk(chunk, letters, allowance)
            chunk += 1
        scan = self._known[narrowing, kind, terms] = Scan(numbers, chunk)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return scan


def onward(sift: Sift, scan: Scan) -> Iterator[tuple[list[int], bool]]:
    """What fits behind a scan's end, in steps of a few ms, and whether that was the last; nothing is remembered."""
    letters = sift.letters()
    allowance = Allowance(len(letters) * sift.pool.chunks)
    for start in range(scan.next_chunk, sift.pool.chunks, _AT_ONCE):
        end = min(start + _AT_ONCE, sift.pool.chunks)
        found: list[int] = []
        for chunk in range(start, end):
            found += sift.chunk(chunk, letters, allowance)
        yield found, end == sift.pool.chunks


def _rarity(letter: str) -> int:
    return -_COMMON.find(letter) if letter in _COMMON else -len(_COMMON)
