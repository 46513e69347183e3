"""Fetch expressions over known registers and memory."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.kernel.sim.events import make_arg
from kptui.kernel.sim.machine import Cell, Memory, State, text_of, value_of
from kptui.kernel.sim.symbols import SimSymbols, demo_symbols
from kptui.kernel.sim.values import number_of, print_arg
from kptui.probes.fetch import parse_expr

CELLS = (
    Cell(0x1000, struct.pack("<4Q", 0x2000, 0x3000, 0xFFFFFFFFFFFFFF9C, 0)),
    Cell(0x2000, b"/etc/passwd\0", text=True),
    Cell(0x3000, bytes(range(1, 17))),
    Cell(0x8000, struct.pack("<2Q", 0xFFFFFFFF8143EC05, 77)),
)
STATE = State(
    {"di": 0x1000, "si": 0x2000, "dx": 0xDEADBEEF, "sp": 0x8000, "ax": 5},
    Memory(CELLS),
    {"di": 0x1000, "si": 0x2000, "dx": 0xDEADBEEF, "sp": 0x8000},
    "bash",
    -2,
    {"there": 0x3000}.get,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%di", 0x1000), ("%ax", 5), ("%r15", 0), ("$stack", 0x8000), ("$stack1", 77), ("$stack9", None),
        ("$arg2", 0x2000), ("$arg7", 77), ("$retval", (1 << 64) - 2), ("\\42", 42), ("\\-1", (1 << 64) - 1),
        ("+8(%di)", 0x3000), ("+0(+8(%di))", 0x0807060504030201), ("-8(+8(%di))", None), ("@0x1000", 0x2000),
        ("@there+8", 0x100F0E0D0C0B0A09), ("@elsewhere", None), ("+u0(%di)", 0x2000),
    ],
)  # fmt: skip
def test_values(text: str, value: int | None) -> None:
    assert value_of(parse_expr(text), STATE) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+0(%si)", b"/etc/passwd"), ("+5(%si)", b"passwd"), ("+0(+0(%di))", b"/etc/passwd"), ("$comm", b"bash"),
        ('\\"hello"', b"hello"), ("+0(%dx)", None), ("+0(+0(%dx))", None), ("@there", bytes(range(1, 17))),
    ],
)  # fmt: skip
def test_texts(text: str, value: bytes | None) -> None:
    assert text_of(parse_expr(text), STATE) == value


@pytest.mark.parametrize(
    ("word", "printed"),
    [
        ("a=%dx:u8", b" a=239"), ("a=%dx:s8", b" a=-17"), ("a=%dx:x16", b" a=0xbeef"), ("a=%dx:b4@4/32", b" a=14"),
        ("a=+0(+8(%di)):u8[3]", b" a={1,2,3}"), ("a=+16(%di):s32", b" a=-100"), ("%dx", b" arg1=0xdeadbeef"),
        ("a=+0(%di):string[2]", b' a={"/etc/passwd","' + bytes(range(1, 17)) + b'"}'),
        ("a=$stack0:symbol", b" a=__x64_sys_openat+0x55/0xa0"),
        ("a=$stack0:symstr", b' a="__x64_sys_openat+0x55/0xa0"'), ("a=\\65:char", b" a='A'"),
        ("a=+0(%dx):u8[2]", b" a={0,0}"), ("a=+0(%dx):string", b" a=(fault)"), ("a=+0(%di)junk", b" a=0x2000"),
        ("a=++8(%di)", b" a=0x3000"), ("a=+0(+-8(+4294967304(%di)))", b" a=0x0"),
        ("a=+4294967304(%di)", b" a=0x3000"),
    ],
)  # fmt: skip
def test_prints(word: str, printed: bytes) -> None:
    assert print_arg(make_arg(word, 1), STATE, demo_symbols()) == printed


@settings(max_examples=60)
@given(st.integers(0, (1 << 64) - 1), st.sampled_from([8, 16, 32, 64]))
def test_numbers_are_cut_to_their_width(value: int, bits: int) -> None:
    state = State({"di": value}, Memory(()), {}, "x", None, lambda _: None)
    unsigned = number_of(make_arg(f"%di:u{bits}", 1), state)
    signed = number_of(make_arg(f"%di:s{bits}", 1), state)
    assert unsigned == value % (1 << bits)
    assert -(1 << (bits - 1)) <= signed < 1 << (bits - 1)
    assert (signed - unsigned) % (1 << bits) == 0


def test_symbols_resolve_to_the_function_around() -> None:
    symbols = SimSymbols(b"1000 Te 40 first\n40 tn 20 second\n100 d 8 datum\n40 t 10 third ext4")
    assert symbols.describe(0x1004) == "first+0x4/0x40"
    assert symbols.describe(0x1041) == "second+0x1/0x20"
    assert symbols.describe(0x1061) == "0x00001061"
    assert symbols.describe(0) == "0"
    assert symbols.describe(0x1182) == "third+0x2/0x10 [ext4]"
    assert symbols.kallsyms().splitlines()[-1] == b"0000000000001180 t third\t[ext4]"
    assert [s.name for s in symbols.lookup("third", "ext4")] == ["third"]
    assert symbols.available_filter_functions() == b"first\nthird [ext4]\n"


def test_importing_it_is_cheap() -> None:
    code = "import sys, kptui.kernel.sim; print({'textual', 'lzma', 'rapidfuzz'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
