"""Search as you type: a few letters, in order or misspelt, to the likeliest of 250,000 symbols.

Every keystroke narrows what the keystroke before left over. Short queries fit almost everything; the scan
stops when it has enough, and goes on from there when the query grows, so that no keystroke pays for the
whole list. What is left is ranked on one scale (see :mod:`kptui.symbols.score`) that abbreviations and
misspellings share. All of it is a series of short steps in C, so that it may run on the screen's own loop.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from kptui.symbols import names as naming
from kptui.symbols import renames
from kptui.symbols.hits import Hit, HitList, Hits, Place
from kptui.symbols.index import CHUNK, DATA, NOISE, TEXT, Allowance, NameIndex, Pool, fold
from kptui.symbols.lists import ProbeLists
from kptui.symbols.narrowing import Narrowing
from kptui.symbols.probeable import Probeability, Probing, at_a_glance, find_probing
from kptui.symbols.query import Query, only_other, only_text, parse_query
from kptui.symbols.ranking import Found, containing, ranked
from kptui.symbols.table import SymbolTable

_ENOUGH = (2000, 600, 600)  # names of a pool after which a scan stops; the count is then "at least"
_SIEVES = 12  # that one keystroke may make
_NEAREST = (45.0, 25.0, 1.0)  # rapidfuzz ratios of names that are offered where nothing fits
_FILTERS = 8  # that are remembered
_REMEMBERED = 96  # scans, a keystroke takes up to three
_LONGEST_NAME = 512  # KSYM_NAME_LEN
_COMMON = "_etasrpnicolmdfuxbkgyvhw."  # letters of kernel names, the commonest first
_LETTERS = _COMMON + "jqz0123456789"
_ALIAS_SCORE = 200.0


class _Scan(NamedTuple):
    """What is left of a pool for a query: numbers of names up to ``next_chunk``, where the scan goes on."""

    numbers: Sequence[int]
    next_chunk: int


class SymbolSearch:
    """Searches one table; remembers the last queries so that the next letter is cheap. For one thread at a
    time.

    The first search that is not empty builds an index (about 1 µs a symbol) unless :meth:`prepare` did so
    before, on another thread if wished.
    """

    def __init__(self, table: SymbolTable) -> None:
        self.table = table
        self._index: NameIndex | None = None
        self._scans: OrderedDict[tuple[Narrowing | None, int, str], _Scan] = OrderedDict()
        self._narrowings: OrderedDict[Query, Narrowing] = OrderedDict()
        self._start: tuple[Hit, ...] = ()
        self._probing: Probing | None = None

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

    @property
    def probing(self) -> Probing | None:
        """What is known of probes on the table's symbols; None: not yet known."""
        return self._probing

    @probing.setter
    def probing(self, probing: Probing) -> None:
        self._probing = probing
        self._narrowings.clear()

    def find_probing(self, lists: Callable[[], ProbeLists]) -> Probing:
        """Look through the table for what can be probed, on another thread if wished; sets nothing."""
        return find_probing(self.table, lists())

    def search(self, query: str, *, limit: int = 400, data: bool = True, noise: bool = False) -> Hits:
        """The symbols that fit ``query``: its letters in order, or a misspelling, or another name of a
        syscall; words such as ``mod:ext4`` narrow where (:mod:`kptui.symbols.query`).

        White space is ignored, case too. Without letters: the first functions of the table, as it has them.
        """
        asked = parse_query(query, self.table.modules)
        wanted = fold(naming.without_parentheses(asked.text))
        if asked.problem or len(wanted) > _LONGEST_NAME:
            return Hits(query, (), 0, True, asked)
        if not wanted and not asked.narrows:
            return Hits(query, self._first(limit), self.table.text_count, True, asked)
        index = self._ready()
        kinds = _kinds(asked.types, data=data, noise=noise)
        narrowing = self._narrowing(asked)
        if not wanted:
            assert narrowing is not None
            lines, total = narrowing.list(kinds, limit)
            listed = HitList([(line, (), 0.0) for line in lines], self._hit)
            return Hits(query, listed, total, True, asked)
        allowance = Allowance(_SIEVES)
        found: list[Found] = []
        total, complete = 0, True
        for kind in kinds:
            pool = index.pools[kind]
            scan = self._scan(kind, pool, wanted, allowance, narrowing)
            total += len(scan.numbers)
            complete = complete and scan.next_chunk >= pool.chunks
            fits, near = ranked(kind, pool, wanted, scan.numbers, allowance=allowance, narrowing=narrowing)
            total += near
            found += fits
        found.sort(key=_order)
        first = self._aliases(asked.text, index, limit, narrowing)
        others = {hit.symbol.name for hit in first}
        kept: list[Hit | Place] = [*first]
        for one in found[: limit + len(first)]:
            line = self._line(narrowing, one.kind, one.number)
            if not others or self.table.names[line] not in others:
                kept.append((line, one.positions, one.score))
        hits = HitList(kept[:limit], self._hit)
        return Hits(query, hits, max(total, len(hits)), complete, asked)

    def _line(self, narrowing: Narrowing | None, kind: int, number: int) -> int:
        """The line of a name: the first that fits."""
        return self._ready().pools[kind].first[number] if narrowing is None else narrowing.line(kind, number)

    def copies(self, hit: Hit, asked: Query | None = None) -> list[Hit]:
        """Every symbol that has the name of ``hit``, in the table's order; those that fit the filters ``asked`` for."""
        lines = self.table.indices(hit.symbol.name)
        narrowing = self._narrowing(asked) if asked is not None else None
        return [
            replace(hit, symbol=self.table.symbol(line), line=line, copies=len(lines))
            for line in lines
            if narrowing is None or narrowing.fits(line)
        ]

    def nearest(self, text: str, limit: int = 5) -> list[str]:
        """Names that look most like ``text`` where nothing fits it, functions before data. Compares all: 50 ms."""
        from kptui.symbols.match import similar

        wanted = fold(text)
        for ratio in _NEAREST:
            found: list[tuple[float, int, int]] = []
            for kind in (TEXT, DATA):
                pool = self._ready().pools[kind]
                for start in range(0, len(pool.lower), CHUNK):
                    near = similar(wanted, pool.lower[start : start + CHUNK], ratio)
                    found += [(-like, kind, start + at) for like, at in near]
            if found:
                found.sort()
                pools = self._ready().pools
                return [self.table.names[pools[kind].first[number]] for _, kind, number in found[:limit]]
        return []

    def probeability(self, hit: Hit) -> Probeability:
        """Whether a probe can be put on a hit."""
        if self._probing is None:
            return at_a_glance(hit.symbol)
        return self._probing.symbol(hit.line, hit.copies)

    def _hit(self, line: int, positions: tuple[int, ...], score: float) -> Hit:
        symbol = self.table.symbol(line)
        return Hit(symbol, positions, score, self._ready().copies(symbol.name), line=line)

    def _narrowing(self, asked: Query) -> Narrowing | None:
        """None where nothing is filtered."""
        if not asked.narrows:
            return None
        key = replace(asked, text="")
        known = self._narrowings.get(key)
        if known is None:
            known = self._narrowings[key] = Narrowing(self._ready(), self.table, key, self._probing)
            while len(self._narrowings) > _FILTERS:
                self._narrowings.popitem(last=False)
        self._narrowings.move_to_end(key)
        return known

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
                    start.append(Hit(self.table.symbol(i), (), 0.0, line=i))
            self._start = tuple(start)
        return self._start[:limit]

    def _aliases(self, query: str, index: NameIndex, limit: int, narrowing: Narrowing | None) -> list[Hit]:
        """The symbol for another name of it. When a function has just that name, it comes first, and then the one
        that the work went to, if that is there, too.
        """
        if limit < 1:
            return []
        known: list[Hit] = []
        if index.pools[TEXT].find(fold(query)) is not None:  # at C speed, but not told apart by case
            known = [
                self._hit(line, tuple(range(len(query))), _ALIAS_SCORE)
                for line in self.table.indices(query)
                if self.table.symbol(line).is_text and (narrowing is None or narrowing.fits(line))
            ][:1]
        later = renames.successors(query)
        names = later if known else (*naming.aliases(query), *later, *renames.predecessors(query))
        for name in names:
            number = index.named(name)
            if number is not None:
                line = self._line(narrowing, TEXT, number)
                if narrowing is None or narrowing.fits(line):
                    alias = self._hit(line, _alias_positions(query, name), _ALIAS_SCORE)
                    return [*known, replace(alias, alias=query)]
        return []

    def _scan(
        self, kind: int, pool: Pool, query: str, allowance: Allowance, narrowing: Narrowing | None
    ) -> _Scan:
        """What fits ``query`` in ``pool``, from the longest beginning of it that was looked for before."""
        numbers: list[int] = []
        chunk = 0
        for length in range(len(query), 0, -1):
            known = self._scans.get((narrowing, kind, query[:length]))
            if known is not None:
                self._scans.move_to_end((narrowing, kind, query[:length]))
                if length == len(query):
                    return known
                numbers = containing(query, pool, known.numbers)
                chunk = known.next_chunk
                break
        letters = sorted(set(query), key=_rarity)
        while chunk < pool.chunks and len(numbers) < _ENOUGH[kind]:
            mask = -1 if narrowing is None else narrowing.mask(kind, chunk)
            numbers += containing(query, pool, pool.candidates(chunk, letters, allowance, mask))
            chunk += 1
        scan = _Scan(numbers, chunk)
        self._scans[narrowing, kind, query] = scan
        while len(self._scans) > _REMEMBERED:
            self._scans.popitem(last=False)
        return scan


def _kinds(types: str, *, data: bool, noise: bool) -> list[int]:
    """The pools to look in; types that are asked for by their letters are shown in any case."""
    text = not only_other(types)
    data = not only_text(types) if types else data
    return [*([TEXT] if text else []), *([DATA] if data else []), *([NOISE] if noise else [])]


def _rarity(letter: str) -> int:
    return -_COMMON.find(letter) if letter in _COMMON else -len(_COMMON)


def _order(one: Found) -> tuple[float, int, int]:
    return -one.score, one.kind, one.number


def _alias_positions(query: str, name: str) -> tuple[int, ...]:
    """The letters of ``name`` that are the query's: its longest end that ends the name."""
    call = fold(query.partition("(")[0])
    while call and not name.endswith(call):
        call = call[1:]
    return tuple(range(len(name) - len(call), len(name)))
