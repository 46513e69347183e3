"""Offsets and sizes of members on real kernels; ``python -m tests.btf.layout`` does all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.btf.layout import Pair, check, programs
from tests.btf.sources import from_image, real_btf
from tests.btf.writer import Writer

KERNELS = 2


def test_2000_members_of_two_kernels_are_where_gcc_has_them(tmp_path: Path) -> None:
    tools = programs()
    if tools is None:
        pytest.skip("bpftool and gcc are needed to compare the members' offsets")
    kernels = []
    for name, data in real_btf():
        kernels.append((name, data))
        if len(kernels) == KERNELS:
            break
    if not kernels:
        pytest.skip(
            "no BTF of a real kernel: neither this machine's nor one that tests.realkernel has fetched"
        )
    for name, data in kernels:
        path = tmp_path / "vmlinux.btf"
        path.write_bytes(data)
        found = check(path, tools)
        assert len(found.pairs) > 1900, name
        assert sum(pair.is_field for pair in found.pairs) > 250, name
        assert found.wrong == [], name
        assert len(found.by_pahole) < 30, name
    if len(kernels) < KERNELS:
        pytest.skip(
            f"only one real kernel ({kernels[0][0]}): its members are right; fetch one with tests.realkernel"
        )


def test_the_comparison_finds_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = programs()
    if tools is None:
        pytest.skip("bpftool and gcc are needed to compare the members' offsets")
    w = Writer()
    number = w.integer("int", 4, signed=True)
    w.struct("box", 12, ("a", number, 0), ("b", number, 32), ("c", number, 3 << 24 | 64), flag=1)
    path = tmp_path / "box.btf"
    path.write_bytes(w.data())
    assert check(path, tools).wrong == []
    wrong = [
        Pair("struct box", "a", 0, 32, False),
        Pair("struct box", "b", 33, 32, False),
        Pair("struct box", "c", 64, 4, True),
        Pair("struct box", "d", 96, 32, False),
    ]
    monkeypatch.setattr("tests.btf.layout.pairs", lambda *_: wrong)
    monkeypatch.setattr("tests.btf.layout.is_const", lambda *_: False)
    assert check(path, tools).wrong == [
        "struct box d: ours bit 96, 32 wide; gcc's -1, -1",
        "struct box b: ours bit 33, 32 wide; gcc's 32, 32",
        "struct box c: ours bit 64, 4 wide; gcc's 64, 3",
    ]


def test_an_image_without_btf_gives_none() -> None:
    assert from_image(b"MZ" + bytes(100)) is None
