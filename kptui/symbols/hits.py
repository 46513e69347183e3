"""What a search finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import overload

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


class HitList(Sequence[Hit]):
    """Hits that are made when they are asked for: of hundreds, a screen shows a few."""

    __slots__ = ("_make", "_places")

    def __init__(self, places: list[Hit | Place], make: Callable[[int, tuple[int, ...], float], Hit]) -> None:
        self._places = places
        self._make = make

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
            found = self._places[at] = self._make(*found)
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
    hits: Sequence[Hit]
    total: int
    complete: bool
    asked: Query = field(default_factory=Query)
