"""Words of a search: each has to fit, and how fzf's signs and the kernel's globs are read."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.symbols import SymbolSearch, SymbolTable
from kptui.symbols.terms import Term, beginnings, lay, near_enough, spelt, terms_of
from tests.symbols.golden import table
from tests.symbols.test_search import fits, names, of


@pytest.fixture(scope="module")
def search() -> SymbolSearch:
    return SymbolSearch(table())


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("vfs", Term("letters", "vfs")),
        ("VFS_Read", Term("letters", "vfs_read")),
        ("'vfs", Term("part", "vfs")),
        ("^vfs", Term("start", "vfs")),
        ("read$", Term("end", "read")),
        ("^vfs_read$", Term("whole", "vfs_read")),
        ("!cold", Term("part", "cold", True)),
        ("!^__", Term("start", "__", True)),
        ("!.cold$", Term("end", ".cold", True)),
        ("!*.isra*", Term("glob", "*.isra*", True)),
        ("vfs_*", Term("glob", "vfs_*")),
        ("^vfs_*$", Term("glob", "vfs_*")),
        ("vfs_?ead", Term("glob", "vfs_?ead")),
        ("vfs_[rw]*", Term("glob", "vfs_[rw]*")),
        ("execve(2)", Term("letters", "execve")),
        ("$", Term("letters", "$")),
        ("[x", Term("letters", "[x")),
    ],
)
def test_signs(typed: str, wanted: Term) -> None:
    assert terms_of(typed) == (wanted,)


@pytest.mark.parametrize("typed", ["", "  ", "^", "!", "'", "^$", "! ^ '"])
def test_a_sign_alone_means_nothing_yet(typed: str) -> None:
    assert terms_of(typed) == ()


GLOB = st.text("ab_*?", min_size=1, max_size=8).filter(lambda glob: "*" in glob or "?" in glob)
NAME = st.text("ab_x.", min_size=1, max_size=10)


@settings(max_examples=300, deadline=None)
@given(st.one_of(GLOB, st.sampled_from(["[ab]*", "*[!a]", "a[^a]?*", "[x.]*b", "*[a-x]_"])), NAME)
def test_globs_are_what_fnmatch_says(glob: str, name: str) -> None:
    term = Term("glob", glob)
    expected = fnmatch.fnmatchcase(name, glob.replace("[^", "[!"))
    assert term.pick([name]) == ([0] if expected else [])
    if expected:
        match = lay((term,), name)
        assert "".join(name[at] for at in match.positions) == term.letters
    assert Term("glob", glob, True).pick([name]) == ([] if expected else [0])


def test_a_glob_of_many_stars_and_one_that_is_none_end_soon() -> None:
    start = time.thread_time()
    assert Term("glob", "*a" * 250 + "b").pick(["a" * 511] * 50) == []
    assert Term("glob", "[z-a]*").pick(["z-a"]) == []
    assert Term("glob", "[\\]*").pick(["\\x", "x"]) == [0]
    assert time.thread_time() - start < 2


@settings(max_examples=200, deadline=None)
@given(
    st.lists(NAME, min_size=1, max_size=30),
    st.lists(st.tuples(st.sampled_from(["", "!", "'", "^", "$", "!^"]), st.text("ab_x.", min_size=1, max_size=3)),
             min_size=1, max_size=3),
)  # fmt: skip
def test_every_word_has_to_fit(given_names: list[str], words: list[tuple[str, str]]) -> None:
    tests: dict[str, Callable[[str, str], bool]] = {
        "": lambda text, name: fits(text, name),
        "!": lambda text, name: text not in name,
        "'": lambda text, name: text in name,
        "^": lambda text, name: name.startswith(text),
        "$": lambda text, name: name.endswith(text),
        "!^": lambda text, name: not name.startswith(text),
    }
    query = " ".join(f"{text}$" if sign == "$" else f"{sign}{text}" for sign, text in words)
    found = SymbolSearch(of(given_names)).search(query, limit=100)
    expected = {name for name in given_names if all(tests[sign](text, name) for sign, text in words)}
    shown = {hit.symbol.name for hit in found.hits if hit.alias is None}
    terms = terms_of(query)
    assert expected <= {hit.symbol.name for hit in found.hits}
    for name in shown - expected:  # misspelt
        assert spelt(terms)
        assert near_enough(terms, name)
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("typed", ["vfs read", "^vfs", "'read vfs", "x !ab", "a*b q"])
def test_what_was_typed_before_fits_no_less(typed: str) -> None:
    every = [hit.symbol.name for hit in SymbolSearch(table()).search("", limit=4000).hits]

    def picked(terms: tuple[Term, ...]) -> set[str]:
        return {name for name in every if all(term.pick([name]) for term in terms)}

    now, *before = beginnings(terms_of(typed))
    assert before
    for earlier in before:
        assert picked(now) <= picked(earlier)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("vfs read", "vfs_read"),
        ("read vfs", "vfs_read"),
        ("^vfs read$", "vfs_read"),
        ("vfs_?ead", "vfs_read"),
        ("*_read_iter ext4", "ext4_file_read_iter"),
        ("'sys_open at2 ^do", "do_sys_openat2"),
        ("tcp !v6 !v4 connect", "tcp_connect"),
        ("up wake !.cold$ try", "try_to_wake_up"),
        ("vfs raed", "vfs_read"),
        ("tcp conect", "tcp_connect"),
        ("shcedule timeout", "schedule_timeout"),
        ("sys_execve !compat", "__x64_sys_execve"),
    ],
)
def test_the_first_hit_of_several_words(search: SymbolSearch, query: str, wanted: str) -> None:
    assert names(search.search(query).hits)[0] == wanted


def test_a_word_that_is_not_there_is_no_misspelling() -> None:
    search = SymbolSearch(of(["vfs_read", "vfs_read_x", "vfs_write"]))
    assert names(search.search("vfs_read extra").hits) == []
    assert names(search.search("vfs_read zz").hits) == []
    assert names(search.search("vfs_raed").hits)[0] == "vfs_read"


def test_words_in_the_order_of_the_name_go_before_others() -> None:
    found = SymbolSearch(of(["fault_page", "page_fault"])).search("page fault")
    assert names(found.hits) == ["page_fault", "fault_page"]


@pytest.mark.parametrize("letter", ["é", "€", "İ", "\udcff"])
def test_first_and_last_letters_of_any_alphabet(letter: str) -> None:
    made = [f"{letter}ab", f"ab{letter}", "ab", "?ab", "ab?"]
    data = "".join(f"{i + 1:016x} t {name}\n" for i, name in enumerate(made))
    search = SymbolSearch(SymbolTable.parse(data.encode("utf-8", "surrogateescape")))
    assert names(search.search(f"^{letter}").hits) == [f"{letter}ab"]
    assert names(search.search(f"{letter}$").hits) == [f"ab{letter}"]
    assert names(search.search(f"{letter}*").hits) == [f"{letter}ab"]
    assert names(search.search(f"*{letter}").hits) == [f"ab{letter}"]
    assert names(search.search("^ab$").hits) == ["ab"]


def test_lengths_bound_what_is_looked_at() -> None:
    made = [f"{'x' * (i // 40)}{i:04d}" for i in range(12_000)]
    search = SymbolSearch(of(made))
    for query in ("????", "?????", "x???[0-4]", "*x11??", "^x0041$", "!x", "????*"):
        terms = terms_of(query)
        expected = {name for name in made if all(term.pick([name]) for term in terms)}
        assert {hit.symbol.name for hit in search.search(query, limit=20_000).hits} == expected


def test_globs_go_by_length_functions_first() -> None:
    found = SymbolSearch(of(["vfs_zzzz", "vfs_ab", "vfs_abc", "xvfs_a", "vfs_d"], "tttdd")).search("vfs_*")
    assert names(found.hits) == ["vfs_ab", "vfs_abc", "vfs_zzzz", "vfs_d"]
    assert found.hits[0].positions == (0, 1, 2, 3)
