"""What a search finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, overload

from kptui.symbols.query import Query
from kptui.symbols.table import Symbol


@dataclass(frozen=True, slots=True)
class Hit:
    """A symbol that fits.

    ``positions`` are the indices of the letters of its name that matched; ``score`` is 0..100 (more for an
    alias); ``copies`` is how many symbols have this name; ``alias`` is the query when this is the same
    thing under another name; ``line`` is where the symbol is in its table.
    """

    symbol: Symbol
    positions: tuple[int, ...]
    score: float
    copies: int = 1
    alias: str | None = None
    line: int = -1


Place = tuple[int, tuple[int, ...], float]  # line, positions, score: what a hit is made of


class Block(NamedTuple):
    """More hits: a line of the table each. ``total`` and ``complete`` are what is known of all of them by then."""

    lines: Sequence[int]
    total: int
    complete: bool


class HitList(Sequence[Hit]):
    """Hits that are made when they are asked for: of hundreds, a screen shows a few. Behind the ranked ones, ``blocks``
    has those that weren't worth it, to be asked for with :meth:`grow`.
    """

    __slots__ = ("_blocks", "_make", "_places", "latest")

    def __init__(
        self,
        places: list[Hit | Place | int],
        make: Callable[[Place | int], Hit],
        blocks: Iterator[Block] | None = None,
    ) -> None:
        self._places = places
        self._make = make
        self._blocks = blocks
        self.latest: Block | None = None

    def grow(self, count: int) -> None:
        """Have at least ``count``, or all if there are fewer."""
        while self._blocks is not None and len(self._places) < count:
            block = next(self._blocks, None)
            if block is None:
                self._blocks = None
            else:
                self.latest = block
                self._places.extend(block.lines)

    def cut(self, count: int) -> HitList:
        """The first ``count``, with nothing behind."""
        return HitList(self._places[:count], self._make)

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """The line and the alias of each hit, without making it."""
        for place in self._places:
            if isinstance(place, Hit):
                yield place.line, place.alias
            else:
                yield (place if isinstance(place, int) else place[0]), None

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, at: int | slice) -> Hit | tuple[Hit, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        found = self._places[at]
        if not isinstance(found, Hit):
            found = self._places[at] = self._make(found)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Hits:
    """The best fits first. ``total`` names fit; when not ``complete``, at least so many do. ``asked`` is what the
    words of the query were taken for.
    """

    query: str
    hits: HitList
    total: int
    complete: bool
    asked: Query = field(default_factory=Query)

    def grown(self, count: int) -> Hits:
        """The same with at least ``count`` hits, or all if there are fewer; those that were there stay in place."""
        self.hits.grow(count)
        latest = self.hits.latest
        if latest is None:
            return self
        return replace(self, total=max(latest.total, len(self.hits)), complete=latest.complete)


def _never(_place: Place | int) -> Hit:
    raise LookupError


def no_hits(query: str = "", asked: Query | None = None) -> Hits:
    return Hits(query, HitList([], _never), 0, True, asked or Query())
