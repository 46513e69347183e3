"""Search as you type: a few letters, in order or misspelt, to the likeliest of 250,000 symbols.

Every keystroke narrows what the keystroke before left over. Short queries fit almost everything; the scan
stops when it has enough, and goes on from there when the query grows or more is asked for, so that no
keystroke pays for the whole list. What is left is ranked on one scale (see :mod:`kptui.symbols.score`) that
abbreviations and misspellings share. All of it is a series of short steps in C, so that it may run on the
screen's own loop.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from kptui.symbols import names as naming
from kptui.symbols import terms as wording
from kptui.symbols.hits import Block, Hit, HitList, Hits, Place, no_hits
from kptui.symbols.index import CHUNK, DATA, NOISE, TEXT, Allowance, NameIndex, fold
from kptui.symbols.lists import ProbeLists
from kptui.symbols.narrowing import Narrowing
from kptui.symbols.othernames import other_names
from kptui.symbols.probeable import Probeability, Probing, at_a_glance, find_probing
from kptui.symbols.query import Query, only_other, only_text, parse_query
from kptui.symbols.ranking import Found, ranked, unranked
from kptui.symbols.scan import LETTERS, Scan, Scans, Sift
from kptui.symbols.table import Symbol, SymbolTable
from kptui.symbols.terms import Terms

SHOWN = 400  # symbols that are listed at a time, nothing being looked for
_SIEVES = 12  # that one keystroke may make
_NEAREST = (45.0, 25.0, 1.0)  # rapidfuzz ratios of names that are offered where nothing fits
_FILTERS = 8  # that are remembered
_NEAR = 100  # lines in which a neighbour is looked for
_LONGEST_NAME = 512  # KSYM_NAME_LEN
_ALIAS_SCORE = 200.0


class Row(NamedTuple):
    """A symbol by its line; how many have its name; what it was asked for as, if that is another name."""

    line: int
    copies: int
    alias: str | None


class SymbolSearch:
    """Searches one table; remembers the last queries so that the next letter is cheap. For one thread at a
    time.

    The first search that is not empty builds an index (about 1 µs a symbol) unless :meth:`prepare` did so
    before, on another thread if wished.
    """

    def __init__(self, table: SymbolTable) -> None:
        self.table = table
        self._index: NameIndex | None = None
        self._scans = Scans()
        self._narrowings: OrderedDict[Query, Narrowing] = OrderedDict()
        self._probing: Probing | None = None
        self._repeated: dict[str, list[int]] = {}

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
            for _ in pool.warm(LETTERS):
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
        probing = self._judge(lists)
        if self._index is not None:
            probing.in_pools = self._index.in_pools(probing.grounds)
        return probing

    def _judge(self, lists: Callable[[], ProbeLists]) -> Probing:
        return find_probing(self.table, lists())

    def search(self, query: str, *, limit: int | None = None, data: bool = True, noise: bool = False) -> Hits:
        """The symbols that fit ``query``: letters of a name in order, or a misspelling, or another name of a syscall,
        or several words (:mod:`kptui.symbols.terms`); words such as ``mod:ext4`` narrow where
        (:mod:`kptui.symbols.query`).

        Case doesn't count. Without letters: the functions of the table, as it has them. With a ``limit`` so many, if
        there are; without, those that are worth a rank, and the rest when it is asked for (:meth:`Hits.grown`).
        """
        hits = self._search(query, data=data, noise=noise)
        if limit is None:
            return hits
        hits = hits.grown(limit)
        return replace(hits, hits=hits.hits.cut(limit))

    def _search(self, query: str, *, data: bool, noise: bool) -> Hits:
        asked = parse_query(query, self.table.modules)
        if asked.problem or asked.missing or len(asked.text) > _LONGEST_NAME:
            return no_hits(query, asked)
        terms = wording.terms_of(asked.text)
        if not terms and not asked.narrows:
            return self._listed(query, asked, self._functions(), self.table.text_count)
        index = self._ready()
        kinds = _kinds(asked.types, data=data, noise=noise)
        narrowing = self._narrowing(asked)
        if not terms:
            assert narrowing is not None
            return self._listed(query, asked, *narrowing.rows(kinds))
        allowance = Allowance(_SIEVES)
        found: list[Found] = []
        sifts = {kind: Sift(kind, index.pools[kind], terms, narrowing) for kind in kinds}
        begun: list[tuple[Sift, Scan]] = []
        total = 0
        for sift in sifts.values():
            scan = self._scans.scan(sift, allowance)
            begun.append((sift, scan))
            fits, near = ranked(sift, scan.numbers, allowance)
            total += len(scan.numbers) + near
            found += fits
        found.sort(key=_order)
        names = self.table.names
        kept: list[Hit | Place | int] = []
        if len(terms) == 1:
            for line, positions, alias in other_names(asked.text, self.table, index, narrowing):
                kept.append(replace(self._hit(line, positions, _ALIAS_SCORE), alias=alias))
        others = {hit.symbol.name for hit in kept if isinstance(hit, Hit)}
        for one in found:
            line = sifts[one.kind].line(one.number)
            if not others or names[line] not in others:
                kept.append((line, one.positions, one.score))

        def blocks() -> Iterator[Block]:
            for some, so_far, last in unranked(begun, found, total):
                lines = [sift.line(number) for sift, number in some]
                yield Block([line for line in lines if names[line] not in others], so_far, last)

        complete = all(scan.complete for _, scan in begun)
        hits = HitList(kept, lambda place: self._hit_of(place, terms), blocks())
        return Hits(query, hits, max(total, len(hits)), complete, asked)

    def _listed(self, query: str, asked: Query, lines: Iterator[int], total: int) -> Hits:
        """Symbols in the table's order, nothing being looked for."""

        def blocks() -> Iterator[Block]:
            while some := list(islice(lines, SHOWN)):
                yield Block(some, total, True)

        hits = HitList([], lambda place: self._hit_of(place, ()), blocks())
        hits.grow(min(SHOWN, total))
        return Hits(query, hits, total, True, asked)

    def copies(self, hit: Hit, asked: Query | None = None) -> list[Hit]:
        """Every symbol that has the name of ``hit``, in the table's order; those that fit the filters ``asked`` for."""
        lines = self.same_name(hit.line)
        fits = self._fits(asked)
        return [
            replace(hit, symbol=self.table.symbol(line), line=line, copies=len(lines))
            for line in lines
            if fits(line)
        ]

    def neighbour(self, hit: Hit) -> Symbol | None:
        """The function nearest to ``hit`` in the table whose name nothing else has: functions of one source file stand
        together, so it tells which of several copies this is. None where there is none near.
        """
        copies = self._ready().copies
        for away in range(1, _NEAR):
            for line in (hit.line - away, hit.line + away):
                if 0 <= line < len(self.table):
                    symbol = self.table.symbol(line)
                    if (
                        symbol.is_text
                        and not symbol.is_noise
                        and "." not in symbol.name
                        and symbol.module == hit.symbol.module
                        and copies(symbol.name) == 1
                    ):
                        return symbol
        return None

    def same_name(self, line: int) -> Sequence[int]:
        """The lines that have the name of this one, in order."""
        name = self.table.names[line]
        if self._index is None:
            return self.table.indices(name)
        copies = self._index.copies
        if copies(name) == 1:
            return (line,)
        if not self._repeated:
            for at, other in enumerate(self.table.names):
                if copies(other) > 1:
                    self._repeated.setdefault(other, []).append(at)
        return self._repeated[name]

    def rows(self, found: Hits) -> Iterator[Row]:
        """Every symbol of the names that were found, as far as the filters leave it, without what matched."""
        fits = self._fits(found.asked)
        told: set[int] = set()
        for first, alias in found.hits.lines():
            lines = self.same_name(first)
            for line in lines:
                if line not in told and fits(line):
                    told.add(line)
                    yield Row(line, len(lines), alias)

    def _fits(self, asked: Query | None) -> Callable[[int], bool]:
        narrowing = self._narrowing(asked) if asked is not None else None
        return _any_line if narrowing is None else narrowing.fits

    def nearest(self, text: str, limit: int = 5) -> list[str]:
        """Names that look most like ``text`` where nothing fits it, functions before data. Compares all: 50 ms."""
        from kptui.symbols.match import similar

        wanted = fold(text[:_LONGEST_NAME])
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
        copies = 1 if self._index is None else self._index.copies(symbol.name)
        return Hit(symbol, positions, score, copies, line=line)

    def _hit_of(self, place: Place | int, terms: Terms) -> Hit:
        if not isinstance(place, int):
            return self._hit(*place)
        if not terms:
            return self._hit(place, (), 0.0)
        match = wording.lay(terms, fold(self.table.names[place]))
        return self._hit(place, match.positions, match.score)

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

    def _functions(self) -> Iterator[int]:
        names, text = self.table.names, naming.TEXT_TYPES
        for line, type_ in enumerate(self.table.types):
            if type_ in text and not naming.is_noise(names[line]):
                yield line


def _kinds(types: str, *, data: bool, noise: bool) -> list[int]:
    """The pools to look in; types that are asked for by their letters are shown in any case."""
    text = not only_other(types)
    data = not only_text(types) if types else data
    return [*([TEXT] if text else []), *([DATA] if data else []), *([NOISE] if noise else [])]


def _any_line(_line: int) -> bool:
    return True


def _order(one: Found) -> tuple[float, int, int]:
    return -one.score, one.kind, one.number
