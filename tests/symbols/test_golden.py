"""The order beside fzf's, over the same real names: as good on abbreviations, better on misspellings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kptui.symbols import SymbolSearch
from tests.symbols.golden import TYPOS, pairs
from tests.symbols.rank_fzf import demo_table, golden, recorded

MISSPELT = frozenset(pairs(TYPOS))
SECOND = {("dev_queue_xmti", "__dev_queue_xmit")}  # dev_queue_xmit_nit has all these letters in order


@cache
def ranks() -> dict[tuple[str, str], int]:
    """Our rank of each pair; 0: not found."""
    search = SymbolSearch(demo_table())
    found = {}
    for query, symbol in golden():
        names = [hit.symbol.name for hit in search.search(query).hits]
        found[query, symbol] = names.index(symbol) + 1 if symbol in names else 0
    return found


def first(values: Iterable[int]) -> int:
    return sum(rank == 1 for rank in values)


def mean_reciprocal(values: list[int]) -> float:
    return sum(1 / rank for rank in values if rank) / len(values)


def test_the_ranks_are_of_these_pairs() -> None:
    version, theirs = recorded()
    assert version.startswith("fzf 0.")
    assert theirs.keys() == set(golden())
    assert len([pair for pair in golden() if pair not in MISSPELT]) >= 270
    assert len([pair for pair in golden() if pair in MISSPELT]) >= 40


def test_abbreviations_are_ordered_at_least_as_well_as_by_fzf() -> None:
    _, fzf = recorded()
    pairs_ = [pair for pair in golden() if pair not in MISSPELT]
    ours, theirs = [ranks()[pair] for pair in pairs_], [fzf[pair] for pair in pairs_]
    assert first(ours) > first(theirs)
    assert mean_reciprocal(ours) > mean_reciprocal(theirs)
    for limit in (3, 5, 10):
        assert sum(0 < rank <= limit for rank in ours) >= sum(0 < rank <= limit for rank in theirs), limit
    better = sum((mine or 999) < (other or 999) for mine, other in zip(ours, theirs, strict=True))
    worse = sum((mine or 999) > (other or 999) for mine, other in zip(ours, theirs, strict=True))
    assert better > 2 * worse


def test_what_is_meant_is_seen_without_scrolling() -> None:
    lost = {pair: rank for pair, rank in ranks().items() if not 0 < rank <= 15}
    assert not lost


def test_misspellings_come_first_that_fzf_does_not_find() -> None:
    _, fzf = recorded()
    typos = [pair for pair in golden() if pair in MISSPELT]
    assert {pair for pair in typos if ranks()[pair] != 1} == SECOND
    assert {ranks()[pair] for pair in SECOND} == {2}
    assert first(fzf[pair] for pair in typos) < len(typos) / 4
