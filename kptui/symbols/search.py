"""Search as you type: a few letters, in order or misspelt, to the likeliest of 250,000 symbols.

Every keystroke narrows what the keystroke before left over. Short queries fit almost everything; the scan
stops when it has enough, and goes on from there when the query grows, so that no keystroke pays for the
whole list. What is left is ranked on one scale (see :mod:`kptui.symbols.score`) that abbreviations and
misspellings share. All of it is a series of short steps in C, so that it may run on the screen's own loop.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from operator import contains
from typing import NamedTuple

from kptui.symbols import names as naming
from kptui.symbols import score as scoring
from kptui.symbols.index import CHUNK, DATA, NOISE, TEXT, Allowance, NameIndex, Pool, fold
from kptui.symbols.table import Symbol, SymbolTable

_ENOUGH = (2000, 600, 600)  # names of a pool after which a scan stops; the count is then "at least"
_RANKED = (240, 80, 40)  # names of a pool that are scored one by one
_BY_CLOSENESS = (100, 30, 20)  # of these, the share for the closest in length
_TYPO_FROM, _TYPO_RATIO, _TYPO_HITS = 4, 76.0, 40  # letters; rapidfuzz ratio; hits of a pool
_TYPO_BELOW = (
    82.0  # a pool whose best score is higher isn't looked through for misspellings: none would go before
)
_SHORTEST, _LONGEST = 0.613, 1.632  # times the query's length: beyond that no ratio reaches _TYPO_RATIO
_INITIALS = 1500  # names that are tried for words that begin with the query's letters
_SIEVES = 12  # that one keystroke may make
_REMEMBERED = 96  # scans, a keystroke takes up to three
_LONGEST_NAME = 512  # KSYM_NAME_LEN
_COMMON = "_etasrpnicolmdfuxbkgyvhw."  # letters of kernel names, the commonest first
_LETTERS = _COMMON + "jqz0123456789"
_ALIAS_SCORE = 200.0
_PENALTY = (0.0, scoring.DATA_PENALTY, scoring.NOISE_PENALTY)


@dataclass(frozen=True, slots=True)
class Hit:
    """A symbol that fits.

    ``positions`` are the indices of the letters of its name that matched; ``score`` is 0..100 (more for an
    alias); ``copies`` is how many symbols have this name; ``alias`` is the query when this is the same
    thing under another name.
    """

    symbol: Symbol
    positions: tuple[int, ...]
    score: float
    copies: int = 1
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """The best fits first. ``total`` names fit; when not ``complete``, at least so many do."""

    query: str
    hits: tuple[Hit, ...]
    total: int
    complete: bool


class _Scan(NamedTuple):
    """What is left of a pool for a query: numbers of names up to ``next_chunk``, where the scan goes on."""

    numbers: Sequence[int]
    next_chunk: int


class _Found(NamedTuple):
    score: float
    kind: int
    number: int
    positions: tuple[int, ...]


_NO_FIT = _Found(-100.0, TEXT, 0, ())


class SymbolSearch:
    """Searches one table; remembers the last queries so that the next letter is cheap. For one thread at a
    time.

    The first search that is not empty builds an index (about 1 µs a symbol) unless :meth:`prepare` did so
    before, on another thread if wished.
    """

    def __init__(self, table: SymbolTable) -> None:
        self.table = table
        self._index: NameIndex | None = None
        self._scans: OrderedDict[tuple[int, str], _Scan] = OrderedDict()
        self._start: tuple[Hit, ...] = ()

    @property
    def prepared(self) -> bool:
        """The index is there: a search is quick."""
        return self._index is not None

    @property
    def index(self) -> NameIndex:
        """The index, built now if it isn't there."""
        return self._ready()

    def adopt(self, packed: bytes) -> None:
        """Take an index of an equal table, as it was packed, instead of building one."""
        if self._index is None:
            self._index = NameIndex.unpack(packed, self.table)

    def prepare(self) -> None:
        """Build the index and load the matcher."""
        from kptui.symbols import match  # noqa: F401

        self._ready()

    def beside(self) -> SymbolSearch:
        """Another search over the same table and index, for another thread."""
        other = SymbolSearch(self.table)
        other._index = self._ready()
        return other

    def warm(self) -> None:
        """Make the sieves that keystrokes would make one by one: some 2 µs a symbol, in short steps.

        Safe on another thread while this one searches.
        """
        for pool in self._ready().pools[: DATA + 1]:
            for _ in pool.warm(_LETTERS):
                pass

    def search(self, query: str, *, limit: int = 400, data: bool = True, noise: bool = False) -> Hits:
        """The symbols that fit ``query``: its letters in order, or a misspelling, or another name of a
        syscall.

        White space is ignored, case too. Without letters: the first functions of the table, as it has them.
        """
        wanted = fold("".join(query.split()))
        if not wanted:
            return Hits(query, self._first(limit), self.table.text_count, True)
        if len(wanted) > _LONGEST_NAME:
            return Hits(query, (), 0, True)
        index = self._ready()
        allowance = Allowance(_SIEVES)
        kinds = [TEXT, *([DATA] if data else []), *([NOISE] if noise else [])]
        found: list[_Found] = []
        total, complete = 0, True
        for kind in kinds:
            pool = index.pools[kind]
            scan = self._scan(kind, pool, wanted, allowance)
            total += len(scan.numbers)
            complete = complete and scan.next_chunk >= pool.chunks
            ranked = _rank(kind, pool, wanted, scan.numbers)
            if len(wanted) >= _TYPO_FROM and kind != NOISE and max(ranked, default=_NO_FIT)[0] < _TYPO_BELOW:
                known = set(scan.numbers)
                misspelt = [
                    one for one in _misspelt(kind, pool, wanted, allowance) if one.number not in known
                ]
                total += len(misspelt)
                ranked += misspelt
            found += ranked
        found.sort(key=_order)
        hits = self._aliases("".join(query.split()), index, limit)
        other_name = {hit.symbol.name for hit in hits}
        for one in found[:limit]:
            symbol = self.table.symbol(index.pools[one.kind].first[one.number])
            if symbol.name not in other_name:
                hits.append(Hit(symbol, one.positions, one.score, index.copies(symbol.name)))
        hits = hits[:limit]
        return Hits(query, tuple(hits), max(total, len(hits)), complete)

    def _ready(self) -> NameIndex:
        if self._index is None:
            self._index = NameIndex(self.table)
        return self._index

    def _first(self, limit: int) -> tuple[Hit, ...]:
        if len(self._start) < min(limit, len(self.table)):
            start: list[Hit] = []
            for i, type_ in enumerate(self.table.types):
                if len(start) >= limit:
                    break
                if type_ in naming.TEXT_TYPES and not naming.is_noise(self.table.names[i]):
                    start.append(Hit(self.table.symbol(i), (), 0.0))
            self._start = tuple(start)
        return self._start[:limit]

    def _aliases(self, query: str, index: NameIndex, limit: int) -> list[Hit]:
        """The symbol for another name of it; nothing when a function has just that name."""
        known = index.pools[TEXT].find  # at C speed, but not told apart by case
        if limit < 1 or (
            known(fold(query)) is not None and any(symbol.is_text for symbol in self.table.lookup(query))
        ):
            return []
        for name in (*naming.aliases(query), *naming.successors(query)):
            for symbol in self.table.lookup(name) if known(fold(name)) is not None else ():
                if symbol.is_text:
                    return [
                        Hit(symbol, _alias_positions(query, name), _ALIAS_SCORE, index.copies(name), query)
                    ]
        return []

    def _scan(self, kind: int, pool: Pool, query: str, allowance: Allowance) -> _Scan:
        """What fits ``query`` in ``pool``, from the longest beginning of it that was looked for before."""
        numbers: list[int] = []
        chunk = 0
        for length in range(len(query), 0, -1):
            known = self._scans.get((kind, query[:length]))
            if known is not None:
                self._scans.move_to_end((kind, query[:length]))
                if length == len(query):
                    return known
                numbers = _containing(query, pool, known.numbers)
                chunk = known.next_chunk
                break
        letters = sorted(set(query), key=_rarity)
        while chunk < pool.chunks and len(numbers) < _ENOUGH[kind]:
            numbers += _containing(query, pool, pool.candidates(chunk, letters, allowance))
            chunk += 1
        scan = _Scan(numbers, chunk)
        self._scans[kind, query] = scan
        while len(self._scans) > _REMEMBERED:
            self._scans.popitem(last=False)
        return scan


def _rarity(letter: str) -> int:
    return -_COMMON.find(letter) if letter in _COMMON else -len(_COMMON)


def _order(one: _Found) -> tuple[float, int, int]:
    return -one.score, one.kind, one.number


def _containing(query: str, pool: Pool, numbers: Sequence[int]) -> list[int]:
    """Those of ``numbers`` whose name has the letters of ``query`` in order; a chunk at a time."""
    from kptui.symbols.match import subsequence

    lower = pool.lower
    found: list[int] = []
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK]
        found += map(part.__getitem__, subsequence(query, list(map(lower.__getitem__, part))))
    return found


def _rank(kind: int, pool: Pool, query: str, numbers: Sequence[int]) -> list[_Found]:
    """The scores of the names worth one. A name that is the query, letter for letter, pays no penalty."""
    lower = pool.lower
    found: list[_Found] = []
    for number in _shortlist(kind, pool, query, numbers):
        name = lower[number]
        points, positions = scoring.abbreviation(query, name)
        found.append(_Found(points - (_PENALTY[kind] if name != query else 0), kind, number, positions))
    return found


def _shortlist(kind: int, pool: Pool, query: str, numbers: Sequence[int]) -> Iterable[int]:
    """The names worth a score: those that begin with the query, have a word that does, contain it, or are
    closest.
    """
    room = _RANKED[kind]
    if len(numbers) <= room:
        return numbers
    chosen = dict.fromkeys(numbers[: _BY_CLOSENESS[kind]])  # they go by length: the first are the closest
    names = list(map(pool.lower.__getitem__, numbers))
    whole = list(compress(zip(names, numbers, strict=True), map(contains, names, repeat(query))))
    word = "_" + query
    tiers = [
        [number for name, number in whole if name.startswith(query)],
        [number for name, number in whole if word in name],
        [number for _, number in whole],
    ]
    if 1 < len(query) <= 6 and "_" not in query and len(whole) < room:
        tiers.append(list(compress(numbers, map(initials_pattern(query).match, names[:_INITIALS]))))
    for tier in tiers:
        for number in tier:
            if len(chosen) >= room:
                return chosen
            chosen[number] = None
    return chosen


def initials_pattern(query: str) -> re.Pattern[str]:
    """A pattern for names in which every letter of ``query`` begins a word or follows the letter before."""
    first, *rest = (re.escape(letter) for letter in query)
    return re.compile("_*" + first + "".join(f"(?:.*?_)??{letter}" for letter in rest))


def _misspelt(kind: int, pool: Pool, query: str, allowance: Allowance) -> list[_Found]:
    from kptui.symbols.match import common_positions, edits, similar

    lower = pool.lower
    within = pool.of_length(int(len(query) * _SHORTEST), int(len(query) * _LONGEST))
    if not within:
        return []
    letters = sorted(set(query))
    missing = 1 if len(query) < 8 else 2
    near: list[tuple[float, int]] = []
    for chunk in range(within.start // CHUNK, (within.stop - 1) // CHUNK + 1):
        numbers = [n for n in pool.near(chunk, letters, missing, allowance) if n in within]
        for ratio, at in similar(query, [lower[n] for n in numbers], _TYPO_RATIO):
            near.append((-ratio, numbers[at]))
    near.sort()
    penalty = _PENALTY[kind]
    return [
        _Found(
            scoring.typo(-ratio, edits(query, lower[n])) - penalty, kind, n, common_positions(query, lower[n])
        )
        for ratio, n in near[:_TYPO_HITS]
    ]


def _alias_positions(query: str, name: str) -> tuple[int, ...]:
    """The letters of ``name`` that are the query's: its longest end that ends the name."""
    call = fold(query.partition("(")[0])
    while call and not name.endswith(call):
        call = call[1:]
    return tuple(range(len(name) - len(call), len(name)))
