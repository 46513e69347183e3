"""What the first bytes of a file of type information tell of it."""

from __future__ import annotations

import random

import pytest

from kptui.btf import Btf
from kptui.btf.header import flaw_of, is_split
from tests.btf.writer import Writer


def kernel() -> Writer:
    w = Writer()
    w.function("vfs_read", w.integer("long", 8, signed=True), ("count", w.integer("long unsigned int", 8)))
    return w


def test_a_kernels_and_a_modules() -> None:
    base = kernel()
    module = Writer(base)
    module.function("mod_open", 1, ("file", 1))
    assert (flaw_of(base.data()), is_split(base.data())) == ("", False)
    assert (flaw_of(module.data()), is_split(module.data())) == ("", True)
    assert Btf.parse(module.data(), Btf.parse(base.data())).prototype("mod_open") is not None


def test_cut_anywhere_is_told_from_a_module() -> None:
    data = kernel().data()
    for length in range(2, len(data)):
        assert flaw_of(data[:length]).startswith("was cut short: "), length
        assert not is_split(data[:length])
    assert flaw_of(data[:40]) == f"was cut short: it has 40 of {len(data)} bytes; copy it again"


@pytest.mark.parametrize("seed", range(20))
def test_garbage_behind_the_mark(seed: int) -> None:
    noise = random.Random(seed).randbytes(5000)
    assert flaw_of(b"\x9f\xeb\x01\x00" + noise).startswith("is damaged: ")
    assert flaw_of(b"\x9f\xeb" + noise).startswith("is damaged: ")
    data = bytearray(kernel().data())
    data[-1] = 1 + seed
    assert flaw_of(bytes(data)) == "is damaged: its texts have no end"


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (b"", "is empty"),
        (b"\x9f", "is no BTF"),
        (b"\x7fELF" + b"\0" * 100, "is no BTF"),
        (b"\xeb\x9f\x01\x00" + b"\0" * 40, "is the BTF of a big-endian machine"),
        (
            b"\x9f\xeb\x02\x00\x18\x00\x00\x00" + b"\0" * 16,
            "is damaged: behind the first two bytes comes no header of BTF",
        ),
    ],
)
def test_none_at_all(data: bytes, flaw: str) -> None:
    assert flaw_of(data) == flaw
    assert not is_split(data)
