"""Reading BTF, and what the checker makes of parameters and members."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kptui.probes.check import Target, check_definition
from kptui.probes.check.btf import ARRAY, FUNC, INT, PROTO, PTR, STRUCT, TYPEDEF, Btf


class Writer:
    """Builds BTF bytes record by record; each call returns the new type's id."""

    def __init__(self) -> None:
        self.text = bytearray(b"\0")
        self.types = bytearray()
        self.count = 0

    def name(self, text: str) -> int:
        if not text:
            return 0
        at = len(self.text)
        self.text += text.encode() + b"\0"
        return at

    def add(self, kind: int, name: str, ref: int, extra: bytes = b"", members: int = 0, flag: int = 0) -> int:
        info = kind << 24 | members | flag << 31
        self.types += struct.pack("<III", self.name(name), info, ref) + extra
        self.count += 1
        return self.count

    def members(self, *items: tuple[str, int, int]) -> bytes:
        return b"".join(struct.pack("<III", self.name(name), kind, at) for name, kind, at in items)

    def params(self, *items: tuple[str, int]) -> bytes:
        return b"".join(struct.pack("<II", self.name(name), kind) for name, kind in items)

    def data(self) -> bytes:
        header = struct.pack(
            "<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.text)
        )
        return header + self.types + self.text


def sample() -> bytes:
    """``long demo(struct box *box, char *text, int n)`` and its types."""
    w = Writer()
    char = w.add(INT, "char", 1, struct.pack("<I", 8))
    number = w.add(INT, "int", 4, struct.pack("<I", 1 << 24 | 32))
    long = w.add(INT, "long", 8, struct.pack("<I", 1 << 24 | 64))
    text = w.add(PTR, "", char)
    letters = w.add(ARRAY, "", 0, struct.pack("<III", char, number, 16))
    inner = w.add(STRUCT, "", 8, w.members(("low", number, 0), ("high", number, 32)), 2)
    packed = (3 << 24) | 5  # three bits from bit 5
    box = w.add(
        STRUCT,
        "box",
        40,
        w.members(("", inner, 64), ("name", text, 128), ("label", letters, 192), ("bits", number, packed)),
        4,
        flag=1,
    )
    alias = w.add(TYPEDEF, "box_t", box)
    pointer = w.add(PTR, "", alias)
    proto = w.add(PROTO, "", long, w.params(("box", pointer), ("text", text), ("n", number)), 3)
    w.add(FUNC, "demo", proto)
    nothing = w.add(PROTO, "", 0)
    w.add(FUNC, "nothing", nothing)
    return w.data()


TARGET = Target(btf=Btf.parse(sample()))


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
    assert btf.struct("box") is not None


@pytest.mark.parametrize(
    "line",
    [
        "p demo box text n",
        "p demo text:string",
        "p demo box->name:string",
        "p demo box->label:string",
        "p demo box->high box->low",
        "p demo b=box->bits",
        "p demo $arg*",
        "p demo $arg3:s32",
        "r demo $retval n",
        "p demo text:ustring",
    ],
)
def test_accepted(line: str) -> None:
    assert check_definition(line, TARGET).ok


@pytest.mark.parametrize(
    ("line", "message", "column", "errno"),
    [
        ("p demo nosuch", "This variable is not found at this probe point", 7, "ENOENT"),
        ("p demo box->nosuch", "This field is not found.", 12, "ENOENT"),
        ("p demo n->x", "This is not a pointer to union/structure.", 10, "EINVAL"),
        ("p demo text->x", "Failed to get BTF type info.", 13, "EINVAL"),
        ("p demo box.name", "Non pointer structure/union argument is not supported.", 11, "EOPNOTSUPP"),
        ("p demo box-name", "Failed to parse single hyphen. Forgot '>'?", 10, "EINVAL"),
        ("p demo $arg4", "This variable is not found at this probe point", 7, "ENOENT"),
        ("p demo $arg1->x", "Invalid $-variable specified", 7, "ENOENT"),
        ("p demo $arg* $arg*", "$arg* can be used only once in the parameters", 13, "EINVAL"),
        ("p demo+8 n", "BTF is not available or not supported", 9, "EINVAL"),
        ("p demo box:string", "This type does not fit for string.", 7, "EINVAL"),
        ("r nothing $retval", "This function returns 'void' type", 10, "ENOENT"),
        ("p nothing n", "No BTF entry for this probe point", 10, "ENOENT"),
    ],
)
def test_refused(line: str, message: str, column: int, errno: str) -> None:
    verdict = check_definition(line, TARGET)
    (problem,) = verdict.problems
    assert (problem.message, problem.column, verdict.errno) == (message, column, errno)


def test_carets_after_arg_star_count_the_expanded_words() -> None:
    line = "p demo $arg* %rdi"
    (problem,) = check_definition(line, TARGET).problems
    assert problem.column == len(line) + 1
    assert problem.at == len(line)


def test_arg_star_without_btf_for_the_function_is_two_entries() -> None:
    verdict = check_definition("p unknown $arg*", TARGET)
    assert [p.message for p in verdict.problems] == [
        "BTF is not available or not supported",
        "Invalid $-variable specified",
    ]


@given(st.binary(max_size=80), st.integers(0, 400))
def test_damaged_btf_is_refused_or_read(junk: bytes, cut: int) -> None:
    for data in (junk, sample()[:cut] + junk):
        with contextlib.suppress(ValueError):
            Btf.parse(data).prototype("demo")
