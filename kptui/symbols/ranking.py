"""What is left of a pool for a query, put into order: abbreviations and misspellings on one scale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from operator import contains
from typing import NamedTuple

from kptui.symbols import score as scoring
from kptui.symbols.index import CHUNK, NOISE, TEXT, Allowance, Pool
from kptui.symbols.narrowing import Narrowing

_RANKED = (240, 80, 40)  # names of a pool that are scored one by one
_BY_CLOSENESS = (100, 30, 20)  # of these, the share for the closest in length
_INITIALS = 1500  # names that are tried for words that begin with the query's letters
_TYPO_FROM, _TYPO_RATIO, _TYPO_HITS = 4, 76.0, 40  # letters; rapidfuzz ratio; hits of a pool
_TYPO_BELOW = 82.0  # a pool whose best score is higher isn't looked through for more than one slip
_SHORTEST, _LONGEST = 0.613, 1.632  # times the query's length: beyond that no ratio reaches _TYPO_RATIO
_PENALTY = (0.0, scoring.DATA_PENALTY, scoring.NOISE_PENALTY)


class Found(NamedTuple):
    """A name of a pool that fits, and the places of the letters."""

    score: float
    kind: int
    number: int
    positions: tuple[int, ...]


_NO_FIT = Found(-100.0, TEXT, 0, ())


def ranked(
    kind: int,
    pool: Pool,
    query: str,
    numbers: Sequence[int],
    *,
    allowance: Allowance,
    narrowing: Narrowing | None,
) -> tuple[list[Found], int]:
    """The names among ``numbers`` that are worth a score, and misspelt ones where none of them fits well; how many
    those are.
    """
    found = _rank(kind, pool, query, numbers)
    if len(query) < _TYPO_FROM or kind == NOISE:
        return found, 0
    best = max(found, default=_NO_FIT)[0]
    if best < _TYPO_BELOW:
        within = pool.of_length(int(len(query) * _SHORTEST), int(len(query) * _LONGEST))
    elif best < scoring.best_typo(len(query)):
        within = pool.of_length(len(query) - 1, len(query) + 1)  # one slip may still go before
    else:
        return found, 0
    known = set(numbers)
    near = [
        one
        for one in _misspelt(kind, pool, query, within, allowance=allowance, narrowing=narrowing)
        if one.number not in known
    ]
    return found + near, len(near)


def containing(query: str, pool: Pool, numbers: Sequence[int]) -> list[int]:
    """Those of ``numbers`` whose name has the letters of ``query`` in order; a chunk at a time."""
    from kptui.symbols.match import subsequence

    lower = pool.lower
    found: list[int] = []
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK]
        found += map(part.__getitem__, subsequence(query, list(map(lower.__getitem__, part))))
    return found


def _rank(kind: int, pool: Pool, query: str, numbers: Sequence[int]) -> list[Found]:
    """The scores of the names worth one. A name that is the query, letter for letter, pays no penalty."""
    lower = pool.lower
    found: list[Found] = []
    for number in _shortlist(kind, pool, query, numbers):
        name = lower[number]
        points, positions = scoring.abbreviation(query, name)
        if name != query:
            points -= _PENALTY[kind]
            dot = name.find(".")
            if 0 < dot <= positions[-1] and "." not in query:
                points -= scoring.SUFFIX_PENALTY
        found.append(Found(points, kind, number, positions))
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


def _misspelt(
    kind: int, pool: Pool, query: str, within: range, *, allowance: Allowance, narrowing: Narrowing | None
) -> list[Found]:
    from kptui.symbols.match import common_positions, edits, similar

    lower = pool.lower
    if not within:
        return []
    letters = sorted(set(query))
    missing = 1 if len(query) < 8 else 2
    near: list[tuple[float, int]] = []
    for chunk in range(within.start // CHUNK, (within.stop - 1) // CHUNK + 1):
        mask = -1 if narrowing is None else narrowing.mask(kind, chunk)
        numbers = [n for n in pool.near(chunk, letters, missing, allowance, mask) if n in within]
        for ratio, at in similar(query, [lower[n] for n in numbers], _TYPO_RATIO):
            near.append((-ratio, numbers[at]))
    near.sort()
    penalty = _PENALTY[kind]
    return [
        Found(
            scoring.typo(-ratio, edits(query, lower[n])) - penalty, kind, n, common_positions(query, lower[n])
        )
        for ratio, n in near[:_TYPO_HITS]
    ]
