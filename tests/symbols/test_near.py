"""The nearest names in place of one that no symbol has."""

from __future__ import annotations

import pytest

from kptui.symbols import SymbolSearch, SymbolTable
from kptui.symbols.near import may_be_unknown, offer_near
from kptui.verdict import Fix, Problem, Verdict

KALLSYMS = b"""\
ffffffff81000000 T _text
ffffffff81001000 T vfs_read
ffffffff81001100 T vfs_readv
ffffffff81001200 T vfs_write
ffffffff81002000 T tcp_connect
ffffffff81002100 t tcp_v4_connect
ffffffff81003000 t name_show
ffffffff81003100 t name_show
ffffffff82000000 D jiffies
ffffffff82000008 D jiffies_64
ffffffffc0001000 t ext4_file_open\t[ext4]
ffffffffc0001100 t ext4_file_mmap\t[ext4]
ffffffffc0002000 t shared_open\t[one]
ffffffffc0003000 t shared_open\t[two]
"""
UNKNOWN = "Invalid probed address or symbol"


@pytest.fixture(scope="module")
def search() -> SymbolSearch:
    return SymbolSearch(SymbolTable.parse(KALLSYMS))


def refused(line: str, message: str = UNKNOWN, *fixes: Fix) -> Verdict:
    at = line.index(" ") + 1
    return Verdict(False, line, (Problem(message, at, at, "There is none.", fixes),), "EINVAL")


def offered(line: str, search: SymbolSearch, message: str = UNKNOWN) -> tuple[str, list[str]]:
    (problem,) = offer_near(refused(line, message), line, search).problems
    return problem.sentence, [fix.apply(line) for fix in problem.fixes]


@pytest.mark.parametrize(
    ("line", "names", "mended"),
    [
        ("p:e vfs_raed+8 a=%di", "vfs_read", "p:e vfs_read+8 a=%di"),
        ("p tcp_conect", "tcp_connect, tcp_v4_connect", "p tcp_connect"),
        ("p ext4:ext4_fil_open", "ext4:ext4_file_open", "p ext4:ext4_file_open"),
        ("p ext4:vfs_read%return", "vfs_read", "p vfs_read%return"),
        ("p ext4:shared_open", "one:shared_open, two:shared_open", None),
        ("p name_shw", "name_show", "p name_show"),
        ("p vfs_write a=@jifies", "jiffies", None),
        ("p vfs_write a=@jifies_64:u64", "jiffies_64", None),
        ("p vfs", "vfs_read, vfs_readv, vfs_write", None),
        ("p vfs_raed a=@jifies", "vfs_read", None),  # two are unknown, and the kernel says so once
    ],
)
def test_the_nearest_are_named(line: str, names: str, mended: str | None, search: SymbolSearch) -> None:
    sentence, fixes = offered(line, search)
    assert sentence == f"There is none; the nearest: {names}."
    assert fixes == ([] if mended is None else [mended])


@pytest.mark.parametrize(
    "line", ["p nothing_like_it", "p vfs_read", "p 0xffffffff81000000", "p ext4:nothing", "p x!"]
)
def test_nothing_is_near(line: str, search: SymbolSearch) -> None:
    assert offer_near(refused(line), line, search) == refused(line)


def test_only_unknown_symbols_are_looked_for(search: SymbolSearch) -> None:
    line = "p vfs_raed"
    assert offered(line, search, "Failed to register probe event")[1] == ["p vfs_read"]
    for verdict in (
        refused(line, "Invalid register name"),
        refused(line, UNKNOWN, Fix(2, 10, "x", "x")),
        Verdict(True, line),
    ):
        assert not may_be_unknown(verdict)
        assert offer_near(verdict, line, search) is verdict
    assert offer_near(refused(line), line, None) == refused(line)
