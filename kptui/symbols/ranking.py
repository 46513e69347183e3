"""What is left of a pool for a query, put into order: abbreviations and misspellings on one scale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

from kptui.symbols import score as scoring
from kptui.symbols.index import CHUNK, NOISE, TEXT, Allowance, Pool
from kptui.symbols.renames import PROFILED
from kptui.symbols.scan import Scan, Sift, onward
from kptui.symbols.terms import TIERS, Terms, lay, near_enough, plain, spelt, tiers

_RANKED = (240, 80, 40)  # names of a pool that are scored one by one
_BY_CLOSENESS = (100, 30, 20)  # of these, the share for the closest in length
_INITIALS = 1500  # names that are tried for words that begin with the query's letters
_TYPO_FROM, _TYPO_RATIO, _TYPO_HITS = 4, 76.0, 40  # letters; rapidfuzz ratio; hits of a pool
_TYPO_BELOW = 82.0  # a pool whose best score is higher isn't looked through for more than one slip
_SHORTEST, _LONGEST = 0.613, 1.632  # times the query's length: beyond that no ratio reaches _TYPO_RATIO
_NEARLY = 3.0  # points by which a hit may be better than any misspelling, and still not be what was meant
_SLIPPED = 3  # letters that a name may be longer: one that was left out, and "__" in front
_PENALTY = (0.0, scoring.DATA_PENALTY, scoring.NOISE_PENALTY)


class Found(NamedTuple):
    """A name of a pool that fits, and the places of the letters."""

    score: float
    kind: int
    number: int
    positions: tuple[int, ...]


_NO_FIT = Found(-100.0, TEXT, 0, ())


def ranked(sift: Sift, numbers: Sequence[int], allowance: Allowance) -> tuple[list[Found], int]:
    """The names among ``numbers`` that are worth a score, and misspelt ones where none of them fits well; how many
    those are.
    """
    kind, pool, terms, _ = sift
    found = _rank(kind, pool, terms, numbers)
    query = spelt(terms)
    if len(query) < _TYPO_FROM or kind == NOISE:
        return found, 0
    best = max(found, default=_NO_FIT)[0]
    if best < _TYPO_BELOW:
        within = pool.of_length(int(len(query) * _SHORTEST), int(len(query) * _LONGEST))
    elif best < scoring.best_typo(len(query)) + _NEARLY:
        within = pool.of_length(len(query) - 1, len(query) + _SLIPPED)  # one slip may still go before
    else:
        return found, 0
    known = set(numbers)
    near = [
        one
        for one in _misspelt(sift, query, within, allowance)
        if one.number not in known and near_enough(terms, pool.lower[one.number])
    ]
    return found + near, len(near)


def unranked(
    begun: Sequence[tuple[Sift, Scan]], found: Iterable[Found], total: int
) -> Iterator[tuple[list[tuple[Sift, int]], int, bool]]:
    """The names that fit and were not worth a rank, in blocks: those of the scans, then what the scans left out. With
    each block, ``total`` with what else was found by then, and whether that is all.
    """
    known = {(one.kind, one.number) for one in found}
    going: list[tuple[Sift, Iterator[tuple[list[int], bool]]]] = []
    some: list[tuple[Sift, list[int]]] = []
    for sift, scan in begun:
        some.append((sift, [number for number in scan.numbers if (sift.kind, number) not in known]))
        if not scan.complete:
            going.append((sift, onward(sift, scan)))
    while True:
        yield in_tiers(some), total, not going
        if not going:
            return
        some, left = [], []
        for sift, steps in going:
            more, last = next(steps)
            some.append((sift, [number for number in more if (sift.kind, number) not in known]))
            total += len(some[-1][1])
            if not last:
                left.append((sift, steps))
        going = left


def in_tiers(some: Sequence[tuple[Sift, Sequence[int]]]) -> list[tuple[Sift, int]]:
    """Names of the pools without scores: those that have the words best first, of them functions, of these the
    shortest.
    """
    levels: list[list[tuple[Sift, int]]] = [[] for _ in range(TIERS + 1)]
    told: set[tuple[int, int]] = set()
    for sift, numbers in some:
        names = list(map(sift.pool.lower.__getitem__, numbers))
        for level, tier in zip(levels, (*tiers(sift.terms, names, numbers), numbers), strict=False):
            new = [number for number in tier if (sift.kind, number) not in told]
            told.update((sift.kind, number) for number in new)
            level += [(sift, number) for number in new]
    return [one for level in levels for one in level]


def _rank(kind: int, pool: Pool, terms: Terms, numbers: Sequence[int]) -> list[Found]:
    """The scores of the names worth one. A name that is the query, letter for letter, pays no penalty."""
    lower = pool.lower
    query = plain(terms)
    exact = terms[0].text if len(terms) == 1 else ""
    dotted = any("." in term.text for term in terms)
    found: list[Found] = []
    for number in _shortlist(kind, pool, terms, numbers):
        name = lower[number]
        points, positions = scoring.abbreviation(query, name) if query else lay(terms, name)
        if name != exact:
            points -= _PENALTY[kind]
            dot = name.find(".")
            if positions and 0 < dot <= positions[-1] and not dotted:
                points -= scoring.SUFFIX_PENALTY
            elif name.endswith(PROFILED) and positions and positions[-1] < len(name) - len(PROFILED):
                points += scoring.as_short_as(len(positions), len(name), len(name) - len(PROFILED))
        found.append(Found(points, kind, number, positions))
    return found


def _shortlist(kind: int, pool: Pool, terms: Terms, numbers: Sequence[int]) -> Iterable[int]:
    """The names worth a score: those that begin with the query, have a word that does, contain it, or are
    closest.
    """
    room = _RANKED[kind]
    if len(numbers) <= room:
        return numbers
    chosen = dict.fromkeys(numbers[: _BY_CLOSENESS[kind]])  # they go by length: the first are the closest
    names = list(map(pool.lower.__getitem__, numbers))
    better = tiers(terms, names, numbers)
    query = plain(terms)
    if 1 < len(query) <= 6 and "_" not in query and len(better[-1]) < room:
        better.append(list(compress(numbers, map(initials_pattern(query).match, names[:_INITIALS]))))
    for tier in better:
        for number in tier:
            if len(chosen) >= room:
                return chosen
            chosen[number] = None
    return chosen


def initials_pattern(query: str) -> re.Pattern[str]:
    """A pattern for names in which every letter of ``query`` begins a word or follows the letter before."""
    first, *rest = (re.escape(letter) for letter in query)
    return re.compile("_*" + first + "".join(f"(?:.*?_)??{letter}" for letter in rest))


def _misspelt(sift: Sift, query: str, within: range, allowance: Allowance) -> list[Found]:
    from kptui.symbols.match import common_positions, edits, similar

    kind, pool, _, narrowing = sift
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
            scoring.typo(-ratio, min(edits(query, lower[n]), edits(query, lower[n].removeprefix("__"))))
            - penalty,
            kind,
            n,
            common_positions(query, lower[n]),
        )
        for ratio, n in near[:_TYPO_HITS]
    ]
