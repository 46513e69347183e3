"""Reading BTF."""

from __future__ import annotations

import contextlib
import mmap
import struct
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.btf import Btf
from kptui.btf.types import (
    ARRAY,
    CONST,
    DATASEC,
    DECL_TAG,
    ENUM,
    ENUM64,
    FLOAT,
    FUNC,
    FWD,
    INT,
    PTR,
    STRUCT,
    TYPE_TAG,
    TYPEDEF,
    UNION,
    VAR,
)
from kptui.kernel.sim.data import unpack
from tests.btf.writer import Writer, sample, sample_writer


@cache
def kernel() -> Btf:
    """A cut of a real 6.12's."""
    return Btf.parse(unpack("vmlinux.btf.xz"))


def test_functions_and_types_are_found() -> None:
    btf = Btf.parse(sample())
    proto = btf.prototype("demo")
    assert proto is not None
    assert [(m.name, getattr(btf.resolved(m.type), "kind", None)) for m in proto.members] == [
        ("box", PTR),
        ("text", PTR),
        ("n", INT),
    ]
    assert btf.prototype("nosuch") is None
    assert btf.prototype("box") is None
    box = btf.struct("box")
    assert box is not None
    assert [(m.name, m.bits, m.width) for m in box.members] == [
        ("", 64, 0), ("name", 128, 0), ("label", 192, 0), ("bits", 5, 3),
    ]  # fmt: skip
    assert btf.find("box_t", TYPEDEF, STRUCT) == (btf.find("box", STRUCT)[0] + 1,)
    assert [btf.name(number) for number in btf.numbers(FUNC)] == ["demo", "nothing"]
    assert btf.type(0) is not None
    assert btf.type(len(btf) + 1) is None
    assert btf.type(-1) is None


def test_a_name_is_found_where_it_stands_first_last_and_inside_others() -> None:
    w = Writer()
    w.name("first")
    for name in ("first", "xfirst", "firstx", "last"):
        w.struct(name, 0)
    btf = Btf.parse(w.data())
    assert [btf.find(name, STRUCT) for name in ("first", "xfirst", "firstx", "last", "irst", "")] == [
        (1,), (2,), (3,), (4,), (), (),
    ]  # fmt: skip


def test_an_offset_that_occurs_as_a_type_id_or_across_words_is_no_hit() -> None:
    w = Writer()
    w.name("a")  # offset 1, which is also type 1's id, and appears at odd positions
    number = w.integer("a", 1)
    for _ in range(20):
        w.struct("b", 4, ("a", number, 0), ("x", number, 1 << 8), ("y", number, 0x100))
    w.struct("a", 0)
    btf = Btf.parse(w.data())
    assert btf.find("a", INT) == (1,)
    assert btf.find("a", STRUCT) == (22,)
    assert btf.find("b", STRUCT) == tuple(range(2, 22))


def test_every_kind_is_stepped_over() -> None:
    w = Writer()
    number = w.integer("int", 4, signed=True)
    w.add(FWD, "later", 0, flag=1)
    w.add(CONST, "", number)
    w.add(VAR, "jiffies", number, struct.pack("<I", 1))
    w.add(DATASEC, ".data", 4, struct.pack("<III", 4, 0, 4), 1)
    w.add(FLOAT, "double", 8)
    w.add(DECL_TAG, "bpf_fastcall", number, struct.pack("<i", -1))
    user = w.add(TYPE_TAG, "user", number)
    w.enum("small", [("A", 0), ("B", -1)], flag=1)
    w.enum("large", [("C", 1 << 40), ("D", -5)], size=8, flag=1)
    w.add(UNION, "u", 4, w.members(("n", number, 0)), 1)
    assert w.function("end", user) == len(Btf.parse(w.data()))
    btf = Btf.parse(w.data())
    assert btf.name(len(btf)) == "end"
    assert btf.values(btf.find("small", ENUM)[0]) == (("A", 0), ("B", -1))
    assert btf.values(btf.find("large", ENUM64)[0]) == (("C", 1 << 40), ("D", -5))
    assert btf.resolved(user) == btf.type(number)
    forward = btf.type(btf.find("later", FWD)[0])
    assert forward is not None
    assert forward.flag
    assert btf.size(btf.find("double", FLOAT)[0]) == 8
    assert btf.size(btf.find("later", FWD)[0]) is None


def test_enum_values_of_old_writers_and_of_unsigned_enums() -> None:
    w = Writer()
    w.enum("old", [("E", 1), ("MINUS", -1)])
    w.enum("big", [("TOP", (1 << 64) - 1)], size=8)
    btf = Btf.parse(w.data())
    assert btf.values(1) == (("E", 1), ("MINUS", -1))
    assert btf.values(2) == (("TOP", (1 << 64) - 1),)
    assert btf.values(3) == ()


def test_enumerators_by_prefix() -> None:
    w = Writer()
    w.enum("", [("TP_ERR_A", 0), ("TP_ERR_B", 1), ("OTHER", 2)])
    w.enum("more", [("TP_ERR_C", 7)])
    w.struct("TP_ERR_no", 0)
    w.name("TP_ERR_unused")
    btf = Btf.parse(w.data())
    assert btf.enumerators("TP_ERR_") == {"TP_ERR_A": 0, "TP_ERR_B": 1, "TP_ERR_C": 7}
    assert btf.enumerators("FILT_ERR_") == {}
    assert btf.enumerators("") == {}


def test_sizes() -> None:
    w = Writer()
    number = w.integer("int", 4)
    pointer = w.add(PTR, "", 0)
    alias = w.add(TYPEDEF, "n_t", number)
    inner = w.array(alias, 3)
    outer = w.array(inner, 5)
    btf = Btf.parse(w.data())
    assert [btf.size(n) for n in (number, pointer, alias, inner, outer, 0, 99)] == [
        4,
        8,
        4,
        12,
        60,
        None,
        None,
    ]


def test_a_modules_types_and_names_continue_the_kernels() -> None:
    base = sample_writer()
    box = Btf.parse(base.data()).find("box", STRUCT)[0]
    w = Writer(base)
    w.text += b"modname\0"  # at the table's very start: no NUL of its own before it
    pointer = w.add(PTR, "", box)
    w.function("modname", pointer, ("box", pointer))
    w.add(STRUCT, "", 0)
    w.types[-12:-8] = struct.pack("<I", base.name("box"))  # the kernel's string, the module's struct
    w.enum("states", [("MOD_ON", 1)])
    btf = Btf.parse(w.data(), Btf.parse(base.data()))
    assert len(btf) == base.count + 5
    proto = btf.prototype("modname")
    assert proto is not None
    assert proto.members[0].name == "box"
    assert btf.resolved(proto.ref) == btf.type(pointer)
    assert btf.prototype("demo") is not None
    assert btf.find("box", STRUCT) == (box, base.count + 4)
    assert btf.enumerators("MOD_") == {"MOD_ON": 1}
    assert list(btf.numbers(FUNC)) == [base.count - 2, base.count, base.count + 3]
    assert btf.name(box) == "box"
    other = sample_writer()
    other.text[0:0] = b"\0other"  # another kernel, whose strings lie elsewhere
    with pytest.raises(ValueError, match="another kernel"):
        Btf.parse(w.data(), Btf.parse(other.data()))
    with contextlib.suppress(ValueError):  # a module on the wrong kernel: anything but a crash
        Btf.parse(w.data()).prototype("modname")


def test_a_mapped_file_serves_as_well(tmp_path: Path) -> None:
    path = tmp_path / "btf"
    path.write_bytes(sample())
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert Btf.parse(mapped).prototype("demo") == Btf.parse(sample()).prototype("demo")


def test_the_kernels_functions_and_structs_are_all_found_by_name() -> None:
    btf = kernel()
    for kind in (FUNC, STRUCT):
        numbers = list(btf.numbers(kind))
        assert len(numbers) > 100
        for number in numbers[:: len(numbers) // 200 or 1]:
            name = btf.name(number)
            assert not name or number in btf.find(name, kind)
    proto = btf.prototype("vfs_read")
    assert proto is not None
    assert [m.name for m in proto.members] == ["file", "buf", "count", "pos"]


def test_who_asks_for_many_names_gets_the_same_answers_without_searching(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = unpack("vmlinux.btf.xz")
    base = Btf.parse(data)
    w = Writer(sample_writer())
    w.count, w.first_text = len(base), struct.unpack_from("<I", data, 20)[0]
    w.text = bytearray(b"modname\0")
    w.function("modname", 0)
    w.add(STRUCT, "file", 8)  # a second of that name
    split = Btf.parse(w.data(), base)
    kinds = (FUNC, STRUCT, UNION, TYPEDEF, ENUM)
    by_name: dict[str, list[int]] = {}
    for number in base.numbers(*kinds):
        by_name.setdefault(base.name(number), []).append(number)
    by_name.pop("", None)
    by_name["file"].append(len(base) + 3)
    by_name["modname"] = [len(base) + 2]
    by_name |= {name: [] for name in ("nosuch", "vfs_rea", "fs_read", "é", "a\0b", "")}
    assert len(by_name) > 300
    for name, wanted in by_name.items():  # at first searched for, in the end looked up
        assert list(split.find(name, *kinds)) == wanted, name

    def searched(_strings: object, _text: bytes) -> None:
        raise AssertionError

    monkeypatch.setattr("kptui.btf.names.Strings.offsets", searched)
    for name, wanted in by_name.items():
        for kind in kinds:
            assert list(split.find(name, kind)) == [n for n in wanted if _kind(split, n) == kind]


def _kind(btf: Btf, number: int) -> int:
    found = btf.type(number)
    assert found is not None
    return found.kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF" + bytes(60),
        sample()[:-1],
        sample()[:100],
        b"\xeb\x9f" + sample()[2:],
        sample()[:4] + struct.pack("<I", 8) + sample()[8:],
        sample()[:24] + struct.pack("<III", 0, 31 << 24, 0) + sample()[36:],
        sample()[:24] + struct.pack("<III", 0, STRUCT << 24 | 0xFFFF, 0) + sample()[36:],
    ],
    ids=["empty", "elf", "cut", "cut in types", "big-endian", "header", "kind", "count"],
)
def test_what_is_no_btf_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="BTF"):
        Btf.parse(data)


def test_cycles_end() -> None:
    w = Writer()
    w.add(TYPEDEF, "a", 2)
    w.add(CONST, "", 1)
    w.array(3, 2)
    w.add(FUNC, "f", 1)
    btf = Btf.parse(w.data())
    assert btf.resolved(1) is None
    assert btf.size(1) is None
    assert btf.size(3) is None
    assert btf.prototype("f") is None


@settings(deadline=None)  # a hang is what the time-out of the tests is for
@given(st.data())
def test_damaged_btf_is_refused_or_read(data: st.DataObject) -> None:
    blob = bytearray(sample())
    for _ in range(data.draw(st.integers(0, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    blob = blob[: data.draw(st.integers(0, len(blob)))] + data.draw(st.binary(max_size=20))
    base = Btf.parse(sample()) if data.draw(st.booleans()) else None
    try:
        btf = Btf.parse(bytes(blob), base)
    except ValueError:
        return
    btf.prototype("demo")
    btf.struct("box")
    btf.enumerators("b")
    for number in range(-1, len(btf) + 2):
        btf.type(number)
        btf.resolved(number)
        btf.size(number)
        btf.values(number)
        btf.name(number)
    for kind in (FUNC, STRUCT, ARRAY):
        list(btf.numbers(kind))
