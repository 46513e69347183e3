"""Parsing: real files, wrong files, and the two parsers agreeing with each other."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.symbols import Symbol, SymbolTable, aliases, base_name
from kptui.symbols import table as module
from tests.symbols.golden import kallsyms, table

ADDRESS = st.integers(0, 2**64 - 1).map(lambda n: b"%016x" % n)
NAME = st.text("abz_09.$é\udcff", min_size=1, max_size=12).map(lambda s: s.encode("utf-8", "surrogateescape"))
MODULE = st.one_of(st.just(b""), st.sampled_from([b"\t[ext4]", b"\t[nf_tables]", b"\t[bpf]"]))
GOOD = st.builds(
    lambda a, t, n, m: a + b" " + t + b" " + n + m, ADDRESS, st.sampled_from([b"t", b"T", b"d"]), NAME, MODULE
)
ODD = st.one_of(
    st.binary(max_size=30).filter(lambda b: b"\n" not in b),
    st.sampled_from(
        [
            b"",
            b" ",
            b"0 T x",
            b"ffffffff81000000 T",
            b"ffffffff81000000 T ",
            b"ffffffff81000000  x y",
            b"\t[x]",
            b"ffffffff81000000 T a b",
            b"ffffffff81000000 T a\t",
            b"ffffffff81000000 T a\t[b]\t[c]",
            b"ffffffff81000000 T a\t[]",
            b"ffffffff8100000 TT ax",
            b"ffffffff81000000 T a\r",
            b"fffff\tff81000000 T abc",
        ]
    ),
)


def rows(parsed: SymbolTable) -> list[Symbol]:
    return [parsed.symbol(i) for i in range(len(parsed))]


def test_a_real_kernels_symbols() -> None:
    parsed = table()
    lines = kallsyms().decode().splitlines()
    assert len(parsed) == len(lines) == 6200
    assert parsed.bad_lines == 0
    assert not parsed.addresses_hidden
    for line, symbol in zip(lines, rows(parsed), strict=True):
        text = f"{symbol.address:016x} {symbol.type} {symbol.name}"
        assert line == (f"{text}\t[{symbol.module}]" if symbol.module else text)
    assert parsed.text_count + parsed.data_count + parsed.noise_count == len(parsed)
    assert parsed.noise_count == sum(" __pfx_" in line for line in lines) == 351
    assert parsed.text_count == sum(s.is_text and not s.is_noise for s in rows(parsed))
    assert "ext4" in parsed.modules


def test_look_up_gives_every_copy() -> None:
    assert [s.address for s in table().lookup("vfs_read")] == [0xFFFFFFFF81441D40]
    assert table().lookup("vfs_rea") == []
    assert table().lookup("") == []
    assert table().lookup("x" * 5000) == []
    parsed = SymbolTable.parse(b"%016x t init\n%016x t init\t[a]\n%016x d init\t[b]\n" % (1, 2, 3))
    assert [s.module for s in parsed.lookup("init")] == [None, "a", "b"]
    assert [s.address for s in parsed.lookup("init", "b")] == [3]


def test_resolve_finds_the_function_and_the_distance() -> None:
    symbol = table().lookup("vfs_read")[0]
    assert symbol.address is not None
    found = table().resolve(symbol.address + 5)
    assert found is not None
    assert (found[0].name, found[1]) == ("vfs_read", 5)
    parsed = SymbolTable.parse(b"%016x T _text\n%016x T f\n%016x D d\n%016x t __pfx_f\n" % (16, 32, 32, 32))
    assert parsed.resolve(15) is None
    assert parsed.resolve(17) == (parsed.symbol(0), 1)
    assert parsed.resolve(40) == (parsed.symbol(1), 8)


def test_hidden_addresses_are_told_from_a_first_line_at_zero() -> None:
    hidden = SymbolTable.parse(b"0000000000000000 T a\n0000000000000000 t b\t[m]\n")
    assert hidden.addresses_hidden
    assert hidden.symbol(1) == Symbol(None, "t", "b", "m")
    assert hidden.resolve(4) is None
    normal = SymbolTable.parse(b"0000000000000000 A fixed_percpu_data\nffffffff81000000 T _text\n")
    assert not normal.addresses_hidden
    assert normal.symbol(0).address == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\n\n\n", b"\0" * 1000, b"x", bytes(range(256)) * 40, b"ELF\x7f\n" * 500, b" \n" * 9],
)
def test_what_is_no_kallsyms_gives_an_empty_table(data: bytes) -> None:
    parsed = SymbolTable.parse(data)
    assert len(parsed) == parsed.text_count == parsed.data_count == 0
    assert parsed.bad_lines == sum(bool(line.strip()) for line in data.split(b"\n"))
    assert not parsed.addresses_hidden
    assert parsed.resolve(1) is None


def test_a_truncated_file_keeps_its_good_lines() -> None:
    data = kallsyms()
    random_cuts = random.Random(1)
    for _ in range(8):
        cut = random_cuts.randrange(len(data) - 400, len(data))
        parsed = SymbolTable.parse(data[:cut])
        whole = data[:cut].count(b"\n")
        assert len(parsed) + parsed.bad_lines in (whole, whole + 1)
        assert rows(parsed)[:whole] == rows(table())[:whole]


def test_one_odd_line_costs_only_itself() -> None:
    lines = kallsyms().splitlines(True)
    parsed = SymbolTable.parse(b"".join([*lines[:3000], b"what is this\n", *lines[3000:]]))
    assert parsed.bad_lines == 1
    assert rows(parsed) == rows(table())


def test_older_kernels_and_32_bit_addresses() -> None:
    parsed = SymbolTable.parse(b"c0100000 T _text\nc0100010 t f\t[m]\n")
    assert rows(parsed) == [Symbol(0xC0100000, "T", "_text", None), Symbol(0xC0100010, "t", "f", "m")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(GOOD, GOOD, ODD), max_size=6), st.booleans())
def test_both_parsers_agree(lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    slow = module._parse_any(data)
    fast = module._parse_regular(data)
    if fast is not None:
        assert rows(fast) == rows(slow)
        assert slow.bad_lines == 0
        assert fast.modules == slow.modules
    assert len(slow) + slow.bad_lines == sum(bool(line.strip()) for line in data.split(b"\n"))


@settings(max_examples=60, deadline=None)
@given(st.lists(GOOD, min_size=1, max_size=6))
def test_good_lines_take_the_fast_way_and_come_back(lines: list[bytes]) -> None:
    fast = module._parse_regular(b"\n".join(lines) + b"\n")
    assert fast is not None
    printed = [
        b"%016x %s %s%s"
        % (
            int(line[:16], 16),
            s.type.encode(),
            s.name.encode("utf-8", "surrogateescape"),
            f"\t[{s.module}]".encode() if s.module else b"",
        )
        for s, line in zip(rows(fast), lines, strict=True)
    ]
    assert printed == lines


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_garbage_never_raises(data: bytes) -> None:
    parsed = SymbolTable.parse(data)
    assert len(rows(parsed)) == len(parsed)


def test_a_large_table_is_parsed_at_c_speed() -> None:
    data = b"".join(
        b"%016x t function_number_%d\n" % (0xFFFFFFFF81000000 + 16 * i, i) for i in range(200_000)
    )
    best = min(_seconds(data) for _ in range(3))
    assert (
        best < 1.0
    )  # 0.1 s on a quiet machine: a loop with a regular expression a line takes ten times that


def _seconds(data: bytes) -> float:
    start = time.process_time()
    assert len(SymbolTable.parse(data)) == 200_000
    return time.process_time() - start


def test_other_names_of_syscalls() -> None:
    for name in (
        "sys_execve",
        "SyS_execve",
        "execve(2)",
        "execve()",
        "execve(",
        "__se_sys_execve",
        "__do_sys_execve",
    ):
        assert aliases(name)[0] == "__x64_sys_execve", name
    assert aliases("compat_sys_ioctl")[0] == "__ia32_compat_sys_ioctl"
    assert "__x64_sys_execve" not in aliases("__x64_sys_execve")
    for name in ("", "(2)", "a b(2)", "é(2)", "7up"):
        assert aliases(name) == (), name
    assert aliases("execve")[0] == "__x64_sys_execve"  # the call's own name, as manuals have it
    assert aliases("stat(2)")[0] == "__x64_sys_newstat"  # what x86-64's table of calls has for it
    assert aliases("sys_execve(2)")[0] == "__x64_sys_execve"


@pytest.mark.parametrize(
    ("name", "base"),
    [("vfs_read", "vfs_read"), ("do_execveat_common.isra.0.cold", "do_execveat_common"), (".cold", ".cold")],
)
def test_compilers_suffixes(name: str, base: str) -> None:
    assert base_name(name) == base


def test_the_function_around_an_address() -> None:
    parsed = SymbolTable.parse(
        b"ffffffff81000000 T _text\nffffffff81000000 t first\nffffffff81000100 T __pfx_second\n"
        b"ffffffff81000110 T second\nffffffff81000110 d datum\nffffffff81000200 D data\n"
        b"ffffffffc0000000 t low\t[mod]\n"
    )

    def around(offset: int) -> str | None:
        line = parsed.function_around(0xFFFFFFFF81000000 + offset)
        return None if line is None else parsed.names[line]

    assert [around(at) for at in (-1, 0, 0xFF, 0x110, 0x1FF)] == [None, "first", "first", "second", "second"]
    assert around(0x208) is None  # data
    assert around(0x20000) is None  # beyond every function
    assert around(0x3F000010) == "low"
    assert SymbolTable.parse(b"0000000000000000 T hidden\n").function_around(4) is None
