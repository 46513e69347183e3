"""How well a query fits a name, and which letters match: one scale for abbreviations and for typos.

The scale runs from 0 to 100. An abbreviation (the query's letters in order) earns what fzf would give for
runs and word starts, relative to the best possible for that query, and as much again for being close in
length; a typo earns its similarity, discounted, so that a clean abbreviation goes before a misspelling and
a misspelling before letters scattered over a long name.
"""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

MATCH, BOUNDARY, CONSECUTIVE, FIRST = 16, 8, 4, 2  # fzf's src/algo/algo.go: points a letter, bonuses, factor
GAP_START, GAP_MORE = -3, -1
SHAPE, LENGTH = (
    60.0,
    40.0,
)  # weights of the letters' places and of the closeness in length; they add up to 100
TYPO = 85.0  # what a perfect similarity would earn if found as a typo
ONE_SLIP = 9.0  # more for a single one
DATA_PENALTY, NOISE_PENALTY = 12.0, 20.0
SUFFIX_PENALTY = 12.0  # letters found in what the compiler added to a name weren't meant
START = 9  # bonus for the name's first letter; with SHAPE the best of a dozen pairs on the golden sets
_SEPARATORS = "_.$"
_NOTHING = -(1 << 30)  # less than any way earns


class Match(NamedTuple):
    score: float
    positions: tuple[int, ...]


_Way = tuple[
    int, int, int, "_Way | None"
]  # points, where it ends, the bonus that its run carries, the way before


def abbreviation(query: str, name: str) -> Match:
    """The score of ``query``, whose letters are in ``name`` in order (both lower case), and their best
    places.

    ValueError if they are not.
    """
    length = len(query)  # points(), best_points() and scale() written out: hundreds of names a keystroke
    at = best_run(query, name)
    if at >= 0:
        bonus = _bonus(name, at)
        earned = MATCH * length + bonus * FIRST + max(bonus, CONSECUTIVE) * (length - 1)
        positions = tuple(range(at, at + length))
    else:
        earned, positions = _scattered(query, name)
    shape = max(earned, 0) / (MATCH * length + BOUNDARY * (length - 1 + FIRST))
    return Match(SHAPE * shape * shape + LENGTH * 2 * length / (length + len(name)), positions)


def scale(earned: int, best: int, letters: int, length: int) -> float:
    """0..100 (a little more for a name's beginning): ``earned`` of ``best`` points for the places of ``letters`` in a
    name of ``length``.
    """
    shape = max(earned, 0) / best if best else 0.0
    return SHAPE * shape * shape + LENGTH * 2 * letters / (letters + length)


def as_short_as(letters: int, length: int, other: int) -> float:
    """What a name of ``length`` earns more if it counts as one of the ``other`` length."""
    return LENGTH * 2 * letters * (1 / (letters + other) - 1 / (letters + length))


def best_points(length: int) -> int:
    """What ``length`` letters in one piece at a word's start earn; 0 for none."""
    return MATCH * length + BOUNDARY * (length - 1 + FIRST) if length else 0


def points(query: str, name: str) -> tuple[int, tuple[int, ...]]:
    """Points and places of the best way to lay ``query`` over ``name``. ValueError if its letters aren't there in
    order.
    """
    at = best_run(query, name)
    return run_points(query, name, at) if at >= 0 else _scattered(query, name)


def run_points(query: str, name: str, at: int) -> tuple[int, tuple[int, ...]]:
    """The same for ``query`` in one piece from ``at``."""
    length = len(query)
    bonus = _bonus(name, at)
    earned = MATCH * length + bonus * FIRST + max(bonus, CONSECUTIVE) * (length - 1)
    return earned, tuple(range(at, at + length))


def best_typo(length: int) -> float:
    """The most that a misspelt query of ``length`` letters can earn: one letter left out."""
    return typo(100 * 2 * length / (2 * length + 1), 1)


def typo(similarity: float, edits: int) -> float:
    """The score of a misspelling: ``similarity`` is rapidfuzz's ratio, 0..100, ``edits`` how many letters
    were left out, put in, exchanged or swapped with the next (optimal string alignment).
    """
    return TYPO * similarity / 100 + (ONE_SLIP if edits <= 1 else 0)


def best_run(query: str, name: str) -> int:
    """Where ``query`` stands in one piece: at the start, else at a word's start, else anywhere, else -1."""
    first = at = name.find(query)
    while at > 0 and name[at - 1] not in _SEPARATORS:
        at = name.find(query, at + 1)
    return at if at >= 0 else first


def _bonus(name: str, at: int) -> int:
    if at == 0:
        return START
    before = name[at - 1]
    if before in _SEPARATORS:
        return BOUNDARY
    return CONSECUTIVE if before.isdigit() != name[at].isdigit() else 0


def _scattered(query: str, name: str) -> tuple[int, tuple[int, ...]]:
    """Points and places of the best way to lay ``query`` over ``name``.

    Dynamic programming over the places where each letter can stand: from the leftmost that leaves room for
    the letters before to the rightmost that leaves room for those after; for most letters that is one or
    two.
    """
    latest: list[int] = []
    end = len(name)
    for letter in reversed(query):
        end = name.rindex(letter, 0, end)
        latest.append(end)
    ways: list[_Way] = []
    lowest = 0
    for letter in query:
        last = latest.pop()
        at = name.index(letter, lowest)
        lowest = at + 1
        reached: list[_Way] = []
        while 0 <= at <= last:
            own = _bonus(name, at)
            if ways:
                reached.append(_extend(ways, at, own))
            else:
                reached.append((MATCH + own * FIRST, at, own, None))
            at = name.find(letter, at + 1)
        ways = reached
    way: _Way | None = max(ways, key=_points)
    points = way[0] if way else 0
    positions: list[int] = []
    while way is not None:
        positions.append(way[1])
        way = way[3]
    positions.reverse()
    return points, tuple(positions)


_points = itemgetter(0)


def _extend(ways: list[_Way], at: int, own: int) -> _Way:
    """The best of ``ways`` (in order of their ends, the first of which lies before ``at``) with ``at``
    added.
    """
    best = ways[0]
    most = _NOTHING
    carried = own
    for way in ways:
        gap = at - way[1] - 1
        if gap < 0:
            break
        if gap:
            run = own
            points = way[0] + own + GAP_START + GAP_MORE * (gap - 1)
        else:
            run = max(own, way[2], CONSECUTIVE)
            points = way[0] + run
        if points > most:
            best, most, carried = way, points, run
    return most + MATCH, at, carried, best
