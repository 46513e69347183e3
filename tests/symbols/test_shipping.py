"""A search that went through bytes answers as one that was made here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.symbols import SymbolSearch, SymbolTable
from kptui.symbols.shipping import ShippedSearch, pack_search

LINES = [
    b"0000000000000000 A fixed_percpu_data",
    b"ffffffff81000000 T _text",
    b"ffffffff81000040 t vfs_read",
    b"ffffffff81000080 T __x64_sys_execve",
    b"ffffffff81000090 t __pfx_vfs_read",
    b"ffffffff810000c0 t twice",
    b"ffffffff810000d0 t twice",
    b"ffffffff810000e0 T SomeCamelCase",
    b"ffffffff82000000 D some_data",
    b"ffffffffc0000000 t ext4_read\t[ext4]",
    b"ffffffffc0000100 t twice\t[ext4]",
    b"ffffffffc0000200 t na\xc3\xafve\xff\t[odd]",
    b"garbage",
]
QUERIES = (
    "",
    "v",
    "vfsread",
    "twice",
    "execve",
    "sys_execve",
    "camel",
    "data",
    "vsf_read",
    "na",
    "nothing_like_it",
)


def shipped(data: bytes, *, pieces: int = 3) -> ShippedSearch:
    made: Iterator[bytes] = pack_search(data)
    kept = [next(made) for _ in range(3)][:pieces]
    return ShippedSearch(lambda: kept.pop(0) if kept else b"")


def same(ours: SymbolSearch, data: bytes) -> None:
    table = SymbolTable.parse(data)
    here = SymbolSearch(table)
    here.prepare()  # without, nothing is known of copies
    there = ours.table
    assert len(there) == len(table)
    assert [there.symbol(i) for i in range(len(table))] == [table.symbol(i) for i in range(len(table))]
    assert there.modules == table.modules
    assert there.bad_lines == table.bad_lines
    assert there.addresses_hidden == table.addresses_hidden
    assert (there.text_count, there.data_count) == (table.text_count, table.data_count)
    assert list(there.by_length()) == list(table.by_length())
    for query in QUERIES:
        assert ours.search(query, noise=True) == here.search(query, noise=True)


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_it_answers_the_same_whatever_came(pieces: int) -> None:
    data = b"\n".join(LINES) + b"\n"
    search = shipped(data, pieces=pieces)
    prepared = [search.prepared]
    search.prepare()
    assert [*prepared, search.prepared] == [False, True]
    search.warm()
    same(search, data)


def test_the_index_is_taken_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    search = shipped(b"\n".join(LINES) + b"\n")
    monkeypatch.setattr("kptui.symbols.index.NameIndex.__init__", None)
    search.prepare()
    search.warm()
    assert search.search("vfsread").hits[0].symbol.name == "vfs_read"


def test_asked_before_anything_came_it_finds_all_the_same() -> None:
    data = b"\n".join(LINES) + b"\n"
    search = shipped(data)
    assert search.search("vfsread").hits[0].symbol.name == "vfs_read"
    search.prepare()
    search.warm()
    same(search, data)


def test_no_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="no table"):
        ShippedSearch(lambda: b"")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=30), max_size=30).map(b"\n".join))
def test_any_bytes_travel(data: bytes) -> None:
    search = shipped(data)
    search.prepare()
    search.warm()
    same(search, data)
