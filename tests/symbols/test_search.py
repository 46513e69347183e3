"""Searching: the symbol that is meant comes first, and no shortcut changes an answer."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from kptui.symbols import Hit, SymbolSearch, SymbolTable
from kptui.symbols.index import fold
from kptui.symbols.query import parse_query
from kptui.symbols.terms import spelt, terms_of
from tests.symbols.golden import FIRST, TOP, kallsyms, pairs, table

LETTERS = "abc_x.0"
NAMES = st.lists(st.text(LETTERS, min_size=1, max_size=14), min_size=1, max_size=40)
QUERY = st.text(LETTERS, min_size=1, max_size=8)


def of(names: list[str], types: str = "t") -> SymbolTable:
    lines = [f"{i + 1:016x} {types[i % len(types)]} {name}\n" for i, name in enumerate(names)]
    return SymbolTable.parse("".join(lines).encode())


@pytest.fixture(scope="module")
def search() -> SymbolSearch:
    return SymbolSearch(table())


def names(hits: Sequence[Hit]) -> list[str]:
    return [hit.symbol.name for hit in hits]


@pytest.mark.parametrize(("query", "wanted"), pairs(FIRST))
def test_first_hit(search: SymbolSearch, query: str, wanted: str) -> None:
    assert names(search.search(query).hits)[:1] == [wanted]


@pytest.mark.parametrize(("query", "wanted"), pairs(TOP))
def test_among_the_first_five(search: SymbolSearch, query: str, wanted: str) -> None:
    assert wanted in names(search.search(query).hits)[:5]


def test_there_are_enough_pairs() -> None:
    assert len(set(pairs(FIRST) + pairs(TOP))) >= 160


@pytest.mark.parametrize("query", ["sys_execve", "SyS_execve", "execve(2)", "__se_sys_execve"])
def test_other_names_are_marked(search: SymbolSearch, query: str) -> None:
    first = search.search(query).hits[0]
    assert (first.symbol.name, first.alias) == ("__x64_sys_execve", query)
    assert "".join(first.symbol.name[i] for i in first.positions).endswith("execve")
    assert names(search.search(query).hits).count("__x64_sys_execve") == 1


def test_an_address_leads_to_its_function(search: SymbolSearch) -> None:
    (wanted,) = search.table.lookup("vfs_read")
    assert wanted.address is not None
    for query in (f"{wanted.address + 9:016x}", f"0x{wanted.address:X}"):
        (hit,) = search.search(query).hits
        assert (hit.symbol, hit.alias) == (wanted, query)
        assert len(search.search(f"mod:kernel {query}").hits) == 1
        assert not search.search(f"type:data {query}").hits
    assert not search.search("0000000000000001").hits


def test_an_alias_stands_back_when_the_name_itself_is_there() -> None:
    found = SymbolSearch(of(["sys_open", "__x64_sys_open"])).search("sys_open").hits
    assert names(found) == ["sys_open", "__x64_sys_open"]
    assert found[0].alias is None


def test_functions_go_before_data_of_the_same_fit() -> None:
    found = SymbolSearch(of(["vfs_data_a", "vfs_text_a"], "dT")).search("vfsa")
    assert names(found.hits) == ["vfs_text_a", "vfs_data_a"]
    assert names(SymbolSearch(of(["vfs_data_a", "vfs_text_a"], "dT")).search("vfsa", data=False).hits) == [
        "vfs_text_a"
    ]
    assert names(SymbolSearch(of(["jiffies", "jiffies_read"], "dT")).search("jiffies").hits)[0] == "jiffies"


def test_noise_is_shown_only_when_asked_for(search: SymbolSearch) -> None:
    assert not [n for n in names(search.search("pfx_vfs_read", limit=1000).hits) if n.startswith("__pfx_")]
    assert "__pfx_x" in names(SymbolSearch(of(["x", "__pfx_x", "$x"])).search("x", noise=True).hits)
    assert names(SymbolSearch(of(["x", "__pfx_x", "__cfi_x", "$x"])).search("").hits) == ["x"]


def test_copies_are_counted_and_shown_once() -> None:
    found = SymbolSearch(of(["init", "exit", "init", "init"], "ttdt")).search("init")
    assert [(h.symbol.name, h.symbol.address, h.copies) for h in found.hits if h.symbol.is_text] == [
        ("init", 1, 3)
    ]
    assert len(SymbolSearch(table()).search("", limit=10_000).hits) == table().text_count


def test_nothing_typed_lists_the_first_functions_without_an_index() -> None:
    search = SymbolSearch(table())
    found = search.search("", limit=50)
    assert not search.prepared
    assert len(found.hits) == 50
    assert all(h.symbol.is_text and not h.symbol.is_noise for h in found.hits)
    assert (found.total, found.complete) == (table().text_count, True)
    assert search.search("  \t").hits == search.search("").hits


@pytest.mark.parametrize(
    "query", ["", "a", "sys_execve", "é", "\x1b[31m", "x" * 400, "x" * 5000, "%()[", "ſ", "İ", "💥"]
)
def test_odd_queries_and_an_empty_table(query: str) -> None:
    assert SymbolSearch(SymbolTable.parse(b"")).search(query).hits == ()
    assert len(SymbolSearch(table()).search(query).hits) >= 0


def test_limit() -> None:
    search = SymbolSearch(table())
    assert len(search.search("vfs", limit=3).hits) == 3
    assert search.search("vfs", limit=3).hits == search.search("vfs").hits[:3]
    assert search.search("sys_execve", limit=1).hits[0].alias == "sys_execve"
    assert search.search("sys_execve", limit=0).hits == ()


def fits(query: str, name: str) -> bool:
    rest = iter(fold(name))
    return all(letter in rest for letter in query)


@settings(max_examples=120, deadline=None)
@given(NAMES, QUERY)
def test_hits_are_what_fits_and_positions_are_right(given_names: list[str], query: str) -> None:
    found = SymbolSearch(of(given_names, "tTd")).search(query)
    shown = names(found.hits)
    assert found.complete
    assert found.total == len(found.hits)
    for name in given_names:
        if fits(query, name):
            assert name in shown
    for hit in found.hits:
        if hit.alias is not None:
            continue
        letters = "".join(hit.symbol.name[i] for i in hit.positions)
        assert list(hit.positions) == sorted(set(hit.positions))
        if fits(query, hit.symbol.name):
            assert letters == query
        else:
            assert fuzz.ratio(query, hit.symbol.name) >= 76
            assert fits(letters, query)
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    if query in given_names:
        assert shown[0] == query


@settings(max_examples=60, deadline=None)
@given(NAMES, st.lists(QUERY, min_size=1, max_size=3))
def test_typing_gives_what_a_fresh_search_gives(given_names: list[str], queries: list[str]) -> None:
    made = of(given_names, "td")
    typed = SymbolSearch(made)
    for query in queries:
        for end in range(1, len(query) + 1):
            assert typed.search(query[:end]) == SymbolSearch(made).search(query[:end])


def test_typing_gives_what_a_fresh_search_gives_when_scans_stop_early() -> None:
    dice = random.Random(5)
    words = ["vfs", "read", "tcp", "v4", "sched", "page", "init", "ext4", "lock", "do", "file", "q", "irq"]
    made = of(["_".join(dice.choices(words, k=dice.randint(2, 5))) + str(i) for i in range(15_000)], "ttd")
    typed = SymbolSearch(made)
    queries = ("vfsreadpage", "tcpv4lock3", "q", "irqinit9", "tcpv", "do_file_q_1")
    for query in (*queries, "re vfs 1", "vfs_*q?7", "^tcp 4$", "!q do 'i", "type:data *_1*", "????????"):
        for end in range(1, len(query) + 1):
            assert typed.search(query[:end]) == SymbolSearch(made).search(query[:end]), query[:end]
        assert typed.search(query[:3]) == SymbolSearch(made).search(query[:3])
    assert not typed.search("e").complete
    assert typed.search("e").total >= 2000


@pytest.fixture(scope="module")
def broad() -> SymbolSearch:
    """More names of a kind than a scan looks at, many of them twice, functions, data and noise."""
    dice = random.Random(6)
    words = ["vfs", "read", "tcp", "v4", "sched", "page", "init", "ext4", "lock", "do", "file", "q", "irq"]
    made = ["_".join(dice.choices(words, k=dice.randint(2, 5))) + str(i % 4000) for i in range(15_000)]
    return SymbolSearch(of([*made, *(f"__pfx_{name}" for name in made[:2000])], "tttd"))


QUERIES = ["a", "vfs", "e_1", "read page", "vfs_*", "*1", "^tcp", "9$", "!a", "do !irq lock", "shced", "vfs_raed",
           "type:data a", "type:text", "probe:no !q", "type:data,text !^vfs"]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_every_match_can_be_reached(broad: SymbolSearch, query: str) -> None:
    table, asked = broad.table, parse_query(query)
    terms = terms_of(asked.text)
    expected = {
        name
        for name, type_ in zip(table.names, table.types, strict=True)
        if not name.startswith("__pfx_")
        and (not asked.types or type_ in asked.types)
        and all(term.pick([name]) for term in terms)
    }
    first = broad.search(query)
    ranked = names(first.hits)
    everything = broad.search(query, limit=1_000_000)
    found = names(everything.hits)
    assert expected <= set(found)
    if set(found) - expected:
        assert spelt(terms)  # and misspelt ones
    pools = [(hit.symbol.name, hit.symbol.is_text) for hit in everything.hits]
    assert len(set(pools)) == len(pools)
    assert found[: len(ranked)] == ranked
    assert everything.complete
    assert everything.total == len(found) >= first.total
    for count in (50, 450, 2600, 5000):
        first = first.grown(count)
        assert len(first.hits) >= min(count, len(found))
        assert names(first.hits) == found[: len(first.hits)]
        assert names(broad.search(query, limit=count).hits) == found[:count]
        assert len(first.hits) <= first.total <= len(found)


def test_what_is_not_worth_a_rank_has_the_word_in_one_piece_first(broad: SymbolSearch) -> None:
    found = broad.search("re", data=False)
    ranked = len(found.hits)
    found = found.grown(ranked + 1)  # what the first scan found, too
    behind = names(found.hits[ranked:])
    assert len(behind) > 1000
    tiers = [
        0 if name.startswith("re") else 1 if "_re" in name else 2 if "re" in name else 3 for name in behind
    ]
    assert {0, 1, 3} <= set(tiers)
    assert tiers == sorted(tiers)
    late = found.hits[-1]
    assert "".join(late.symbol.name[at] for at in late.positions) == "re"
    assert late.score > 0


def test_nothing_typed_lists_every_function(broad: SymbolSearch) -> None:
    listed = broad.search("")
    assert 0 < len(listed.hits) < 1000
    lines = [hit.line for hit in listed.grown(1_000_000).hits]
    assert lines == [i for i, type_ in enumerate(broad.table.types) if type_ == "t"
                     and not broad.table.names[i].startswith("__pfx_")]  # fmt: skip
    narrowed = broad.search("type:data", limit=1_000_000)
    assert [hit.line for hit in narrowed.hits] == sorted(hit.line for hit in narrowed.hits)


def test_a_row_for_each_copy() -> None:
    search = SymbolSearch(of(["init", "exit", "init", "init_x"], "ttdt"))
    assert [(row.line, row.copies) for row in search.rows(search.search("init"))] == [(0, 2), (2, 2), (3, 1)]
    assert [row.line for row in search.rows(search.search("type:text init"))] == [0, 3]
    executed = SymbolSearch(of(["__x64_sys_execve"]))
    assert [row.alias for row in executed.rows(executed.search("execve(2)"))] == ["execve(2)"]


def test_a_neighbour_is_a_name_that_only_one_has() -> None:
    names = ["first", "twin_load", "twin_open", "__pfx_x", "x.part.0", "twin_load", "twin_open", "last"]
    search = SymbolSearch(of(names))
    beside = [search.neighbour(hit) for hit in search.copies(search.search("twin_open").hits[0])]
    assert [symbol.name if symbol else "" for symbol in beside] == ["first", "last"]
    alone = SymbolSearch(of(["twin", "twin"]))
    assert alone.neighbour(alone.search("twin").hits[0]) is None


def test_sieves_change_no_answer() -> None:
    warm = SymbolSearch(table())
    warm.warm()
    cold = SymbolSearch(table())
    for query in ("vfs_raed", "tcpcon", "netif_recieve_skb", "shcedule", "x64sysop", "zzz"):
        assert warm.search(query) == cold.search(query)


def test_a_keystroke_is_quick() -> None:
    """Over 100,000 real-looking names; the bound is ten times what a quiet machine needs."""
    base = [line.split()[2] for line in kallsyms().decode().splitlines()]
    made = of([f"{name}_{i}" if i else name for i in range(16) for name in base])
    search = SymbolSearch(made)
    search.prepare()
    search.warm()
    times = []
    for query in ("vfsread", "tcp_conect", "netif_receive", "x64sysopenat"):
        for end in range(1, len(query) + 1):
            start = time.thread_time()
            search.search(query[:end])
            times.append(time.thread_time() - start)
    times.sort()
    assert times[int(len(times) * 0.95)] < 0.08
