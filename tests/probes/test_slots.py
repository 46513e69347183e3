"""Where the ABI puts parameters, against what gcc does."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from kptui.btf import Btf
from kptui.btf.types import FLOAT, FWD, PTR, UNION
from kptui.probes.abi import ARGUMENT_REGISTERS
from kptui.probes.slots import parameter_slots, result_slot
from tests.btf.writer import Writer
from tests.probes import calls

GCC = shutil.which("gcc")


@pytest.mark.skipif(GCC is None or platform.machine() != "x86_64", reason="no gcc for x86-64 here")
@pytest.mark.parametrize("seed", [1, 2])
def test_slots_are_where_gcc_puts_the_bytes(seed: int, tmp_path: Path) -> None:
    assert GCC is not None
    data, made = calls.run(seed, 60, GCC, tmp_path)
    compared = disagreeing(Btf.parse(data), made)
    assert compared[0] > 150
    assert compared[1] == []


def disagreeing(btf: Btf, made: list[calls.Call]) -> tuple[int, list[str]]:
    """How many parameters were compared, and those whose bytes aren't where the slot says."""
    compared, wrong = 0, []
    for call in made:
        proto = btf.prototype(call.function)
        assert proto is not None
        for index, slot in enumerate(parameter_slots(btf, proto)):
            ctype = call.params[index].c
            if slot.reason or ctype == "long double":  # its copy through the x87 changes the pattern
                assert slot.reason or slot.stack
                continue
            if slot.stack is not None:
                words = call.words[6 + slot.stack :]
            else:
                words = tuple(call.words[ARGUMENT_REGISTERS.index(name)] for name in slot.registers)
            found = b"".join(word.to_bytes(8, "little") for word in words)
            compared += 1
            if not call.agrees(index, found):
                wrong.append(f"{call.function} p{index} {ctype} at {slot.text}")
    return compared, wrong


def test_floating_point_takes_no_general_register() -> None:
    w = Writer()
    number, double = w.integer("int", 4, signed=True), w.add(FLOAT, "double", 8)
    mixed = w.struct("mixed", 16, ("n", number, 0), ("d", double, 64))
    w.function("f", double, ("a", double), ("b", number), ("m", mixed), ("c", number))
    btf = Btf.parse(w.data())
    proto = btf.prototype("f")
    assert proto is not None
    slots = parameter_slots(btf, proto)
    assert [slot.text for slot in slots] == ["", "%di", "", "%dx"]
    assert slots[0].reason == "in %xmm0, a register that probes can't read"
    assert slots[2].reason == "in %xmm1, a register that probes can't read"
    assert "floating point" in result_slot(btf, proto.ref).reason


def test_what_follows_an_unknown_size_is_unknown() -> None:
    w = Writer()
    number, later = w.integer("int", 4), w.add(FWD, "later", 0)
    pointer = w.add(PTR, "", later)
    empty = w.struct("empty", 0)
    w.function("f", later, ("a", pointer), ("e", empty), ("b", number), ("x", later), ("c", number), ("", 0))
    btf = Btf.parse(w.data())
    proto = btf.prototype("f")
    assert proto is not None
    slots = parameter_slots(btf, proto)
    assert [slot.text for slot in slots] == ["%di", "", "%si", "", "", ""]
    assert slots[1].reason == "it has no size and is not passed"
    assert slots[4].reason == "the size of x is unknown, and so is where it is"
    assert slots[5].reason == "variable arguments: each call has others"
    assert result_slot(btf, proto.ref).reason == "the size of the result is unknown"


def test_packed_structures_go_where_gcc_puts_them() -> None:
    """What gcc 12 does with ``void f(struct ten t, struct odd o, long n)``."""
    w = Writer()
    long, number = w.integer("long", 8, signed=True), w.integer("int", 4, signed=True)
    word, char = w.integer("unsigned int", 4), w.integer("char", 1)
    five = w.struct("five", 5, ("i", number, 0), ("c", char, 32))  # the second int of two lies across
    ten = w.struct("ten", 10, ("a", w.array(five, 2), 0))
    field = w.struct(
        "", 4, ("b", word, 19 << 24), kind=UNION, flag=1
    )  # unsigned b:19, from the second byte on
    odd = w.struct("odd", 5, ("c", char, 0), ("u", field, 8))
    w.function("f", 0, ("t", ten), ("o", odd), ("n", long))
    btf = Btf.parse(w.data())
    proto = btf.prototype("f")
    assert proto is not None
    assert [slot.text for slot in parameter_slots(btf, proto)] == ["%di:%si", "$stack1", "%dx"]


def test_floating_point_of_old_type_information() -> None:
    """Writers before 2021 have it as integers: BTF of 5.10."""
    w = Writer()
    double, number = w.integer("double", 8), w.integer("int", 4, signed=True)
    w.function("f", double, ("a", double), ("b", number))
    btf = Btf.parse(w.data())
    proto = btf.prototype("f")
    assert proto is not None
    assert [slot.text for slot in parameter_slots(btf, proto)] == ["", "%di"]
    assert "floating point" in result_slot(btf, proto.ref).reason


def test_results() -> None:
    w = Writer()
    long = w.integer("long", 8, signed=True)
    pair = w.struct("pair", 16, ("a", long, 0), ("b", long, 64))
    large = w.struct("large", 24, ("p", pair, 0), ("c", long, 128))
    either = w.struct("either", 8, ("a", long, 0), kind=UNION)
    w.function("f", large, ("a", long))
    btf = Btf.parse(w.data())
    assert [result_slot(btf, n).text for n in (long, pair, large, either)] == [
        "$retval", "$retval:%dx", "$retval", "$retval",
    ]  # fmt: skip
    assert result_slot(btf, 0).reason == "it returns nothing (void)"
    proto = btf.prototype("f")
    assert proto is not None
    assert parameter_slots(btf, proto)[0].text == "%si"  # %di has the result's address
