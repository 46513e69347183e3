"""Words that narrow a search: how they are read, and that a narrowed search is the search of what is left."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.symbols import ProbeLists, SymbolSearch, SymbolTable
from kptui.symbols.query import Query, parse_query
from tests.symbols.test_search import fits

MODULES = ("ext4", "ext2", "jbd2", "snd_hda")


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("vfs \t read", Query("vfs read")),
        ("mod:ext4 sync", Query("sync", module="ext4")),
        ("sync module:ext4", Query("sync", module="ext4")),
        ("ext4:ext4_sync_fs", Query("ext4_sync_fs", module="ext4")),
        ("snd-hda:probe", Query("probe", module="snd-hda")),
        ("EXT4:ext4_*", Query("ext4_*", module="EXT4")),
        ("ext4:", Query("", module="ext4")),
        ("vmlinux:read", Query("read", module="vmlinux")),
        ("ext4_sync_fs [ext4]", Query("ext4_sync_fs", module="ext4")),
        ("ext4_sync_fs+0x1b/0x90 [ext4]", Query("ext4_sync_fs", module="ext4")),
        ("vfs_read+12 +0x", Query("vfs_read +0x")),
        ("'vfs_*' \"tcp_*\"", Query("vfs_* tcp_*")),
        ("'open(2)'", Query("open(2)")),
        ("'mod:ext4 sync'", Query("'mod:ext4 sync")),
        ("'mod:ext4' 'sync'", Query("'sync", module="ext4")),
        ("'.cold' 'vfs_*", Query("'.cold 'vfs_*")),
        ("' '' x", Query("' '' x")),
        ("MOD:EXT4 Type:Data PROBE:YES x", Query("x", "EXT4", parse_query("type:data").types, True)),
        ("type:text x", Query("x", types="tTwW")),
        ("type:te", Query("", types="tTwW")),
        ("type:t", Query("", types="t")),
        ("type:T,d", Query("", types="Td")),
        ("type:weak", Query("", types="wWvV")),
        ("probe:yes", Query("", probe=True)),
        ("probe:n x", Query("x", probe=False)),
        ("mod: x", Query("x")),
        ("mod:, type:, x", Query("x")),
        ("type: probe: y", Query("y")),
        ("", Query()),
    ],
)
def test_reading(typed: str, wanted: Query) -> None:
    assert parse_query(typed, MODULES) == wanted


@pytest.mark.parametrize(
    ("typed", "modules", "said"),
    [
        (
            "mod:nosuch x",
            MODULES,
            "no module with symbols is called nosuch; there are ext4, ext2, jbd2, snd_hda",
        ),
        ("[nosuch]", MODULES, "no module with symbols is called nosuch"),
        (
            "nosuch:name",
            MODULES,
            "nosuch: is none of mod: type: probe:, and no module with symbols; there are ext4",
        ),
        ("mod:nosuch", (), "called nosuch; no module has any"),
        ("mod:e\u202ext4", MODULES, "called e\\u202ext4;"),
        ("mod:m1234", [f"m{i}" for i in range(100)], "of 100, the nearest: m"),
    ],
)
def test_a_module_that_is_not_there_is_told(typed: str, modules: Sequence[str], said: str) -> None:
    asked = parse_query(typed, modules)
    assert said in asked.missing
    assert len(asked.missing) < 150
    assert not parse_query(typed).missing  # not known which there are


@pytest.mark.parametrize("typed", ["type:nonsense x", "probe:maybe", "type:€"])
def test_a_word_that_means_nothing_is_a_problem(typed: str) -> None:
    asked = parse_query(typed)
    assert asked.problem
    assert SymbolSearch(SymbolTable.parse(b"ffffffff81000000 T x\n")).search(typed).hits == ()


def test_data_are_all_that_are_no_functions() -> None:
    assert not set(parse_query("type:data").types) & set("tTwWiI")
    assert set("dDbBrRaA") <= set(parse_query("type:data").types)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("ext4", {"ext4"}),
        ("ext", {"ext4", "ext2"}),
        ("hda", {"snd_hda"}),
        ("snd-hda", {"snd_hda"}),
        ("kernel", {None}),
        ("vmlinux", {None}),
        ("nosuch", set()),
        ("EXT", {"ext4", "ext2"}),
        ("Snd-HDA", {"snd_hda"}),
        ("ext4,jbd,", {"ext4", "jbd2"}),
        ("KERNEL,ext2", {None, "ext2"}),
    ],
)
def test_modules_by_their_names_or_parts_of_them(word: str, wanted: set[str | None]) -> None:
    assert Query(module=word).modules_of(MODULES) == wanted


def test_modules_that_differ_in_case_only() -> None:
    known = ("xt_DSCP", "xt_dscp")
    assert Query(module="xt_DSCP").modules_of(known) == {"xt_DSCP"}
    assert Query(module="xt_dscp").modules_of(known) == {"xt_dscp"}
    assert Query(module="XT_dscp").modules_of(known) == {"xt_DSCP", "xt_dscp"}


MODULE = st.sampled_from([None, "ext4", "ext2", "jbd2"])
NAME = st.text("ab_x", min_size=1, max_size=8)
LINES = st.lists(st.tuples(NAME, st.sampled_from("tTdDw"), MODULE), min_size=1, max_size=60)
WORDS = st.lists(
    st.sampled_from(
        ["mod:ext4", "mod:ext", "mod:kernel", "type:text", "type:data", "type:t", "probe:yes", "probe:no"]
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda word: word[:4],
)


@settings(max_examples=150, deadline=None)
@given(LINES, WORDS, st.text("abx_", max_size=3))
def test_what_is_left_is_what_the_words_say(
    lines: list[tuple[str, str, str | None]], words: list[str], text: str
) -> None:
    data = "".join(
        f"{0xFFFFFFFF81000000 + 16 * i:016x} {type_} {name}{f'{chr(9)}[{module}]' if module else ''}\n"
        for i, (name, type_, module) in enumerate(lines)
    )
    table = SymbolTable.parse(data.encode())
    search = SymbolSearch(table)
    probing = search.find_probing(ProbeLists)
    search.probing = probing
    asked = parse_query(" ".join(words), table.modules)
    modules = asked.modules_of(table.modules)
    expected = {
        i
        for i, (name, type_, module) in enumerate(lines)
        if (not asked.types or type_ in asked.types)
        and (not asked.module or module in modules)
        and (asked.probe is None or probing.symbol(i).against is not asked.probe)
        and fits(text, name)
    }
    found = search.search(" ".join([*words, text]), limit=1000)
    assert found.complete
    names = {hit.symbol.name for hit in found.hits}
    assert names == {lines[i][0] for i in expected}
    assert {hit.line for hit in found.hits} <= expected
    copies = {copy.line for hit in found.hits for copy in search.copies(hit, found.asked)}
    assert copies == expected


def test_more_modules_than_a_byte_counts() -> None:
    data = "".join(f"{0xFFFFFFFFC0000000 + 16 * i:016x} t init_{i}\t[m{i}]\n" for i in range(700))
    search = SymbolSearch(SymbolTable.parse(data.encode()))
    for number in (0, 3, 255, 256, 511, 699):
        found = search.search(f"mod:m{number} init")
        assert [hit.symbol.module for hit in found.hits] == [f"m{number}"]


def test_filters_do_not_slow_a_key_down() -> None:
    """Over 100,000 names; the bound is ten times what a quiet machine needs."""
    words = ["vfs_read", "tcp_connect", "schedule", "init_once", "ext4_file", "do_it", "page"]
    lines = []
    for i in range(100_000):
        module = f"\t[m{i % 50}]" if i > 60_000 else ""
        lines.append(f"{0xFFFFFFFF81000000 + 16 * i:016x} {'tTdr'[i % 4]} {words[i % 7]}_{i // 7}{module}\n")
    data = "".join(lines)
    search = SymbolSearch(SymbolTable.parse(data.encode()))
    search.prepare()
    search.warm()
    search.probing = search.find_probing(ProbeLists)
    times = []
    for filters in ("mod:m7", "type:data", "probe:yes", "mod:m1 type:t probe:no"):
        for end in range(9):
            start = time.thread_time()
            search.search(f"{filters} {'vfs_raed1'[:end]}")
            times.append(time.thread_time() - start)
    times.sort()
    assert times[int(len(times) * 0.95)] < 0.1
