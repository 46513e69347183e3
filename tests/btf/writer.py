"""BTF for tests, record by record."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from kptui.btf.types import ARRAY, ENUM, ENUM64, FUNC, INT, PROTO, PTR, STRUCT, TYPEDEF


class Writer:
    """Builds BTF bytes; each call returns the new type's id. With ``base``, the BTF of a module on that one."""

    def __init__(self, base: Writer | None = None) -> None:
        self.first_text: int = 0 if base is None else base.first_text + len(base.text)
        self.text: bytearray = bytearray(b"\0" if base is None else b"")
        self.types = bytearray()
        self.count: int = 0 if base is None else base.count

    def name(self, text: str) -> int:
        if not text:
            return 0
        entry = text.encode() + b"\0"
        at = (b"\0" + self.text).find(b"\0" + entry)
        if at < 0:
            at = len(self.text)
            self.text += entry
        return self.first_text + at

    def add(self, kind: int, name: str, ref: int, extra: bytes = b"", members: int = 0, flag: int = 0) -> int:
        info = kind << 24 | members | flag << 31
        self.types += struct.pack("<III", self.name(name), info, ref) + extra
        self.count += 1
        return self.count

    def members(self, *items: tuple[str, int, int]) -> bytes:
        return b"".join(struct.pack("<III", self.name(name), kind, at) for name, kind, at in items)

    def params(self, *items: tuple[str, int]) -> bytes:
        return b"".join(struct.pack("<II", self.name(name), kind) for name, kind in items)

    def integer(self, name: str, size: int, *, signed: bool = False, boolean: bool = False) -> int:
        return self.add(INT, name, size, struct.pack("<I", (signed | boolean << 2) << 24 | size * 8))

    def array(self, element: int, count: int, index: int = 0) -> int:
        return self.add(ARRAY, "", 0, struct.pack("<III", element, index, count))

    def struct(
        self, name: str, size: int, *items: tuple[str, int, int], kind: int = STRUCT, flag: int = 0
    ) -> int:
        return self.add(kind, name, size, self.members(*items), len(items), flag)

    def enum(self, name: str, values: Sequence[tuple[str, int]], *, size: int = 4, flag: int = 0) -> int:
        if size == 8:
            parts = ((self.name(text), n & 0xFFFFFFFF, n >> 32 & 0xFFFFFFFF) for text, n in values)
            return self.add(
                ENUM64, name, 8, b"".join(struct.pack("<III", *p) for p in parts), len(values), flag
            )
        words = b"".join(struct.pack("<II", self.name(text), n & 0xFFFFFFFF) for text, n in values)
        return self.add(ENUM, name, size, words, len(values), flag)

    def function(self, name: str, result: int, *items: tuple[str, int]) -> int:
        proto = self.add(PROTO, "", result, self.params(*items), len(items))
        return self.add(FUNC, name, proto)

    def data(self) -> bytes:
        header = struct.pack(
            "<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.text)
        )
        return header + self.types + self.text


def sample() -> bytes:
    """``long demo(struct box *box, char *text, int n)`` and its types; ``void nothing(void)``."""
    return sample_writer().data()


def sample_writer() -> Writer:
    """The writer of sample(), to build on."""
    w = Writer()
    char = w.integer("char", 1)
    number = w.integer("int", 4, signed=True)
    long = w.integer("long", 8, signed=True)
    text = w.add(PTR, "", char)
    letters = w.array(char, 16, number)
    inner = w.struct("", 8, ("low", number, 0), ("high", number, 32))
    packed = (3 << 24) | 5  # three bits from bit 5
    box = w.struct(
        "box",
        40,
        ("", inner, 64),
        ("name", text, 128),
        ("label", letters, 192),
        ("bits", number, packed),
        flag=1,
    )
    alias = w.add(TYPEDEF, "box_t", box)
    pointer = w.add(PTR, "", alias)
    w.function("demo", long, ("box", pointer), ("text", text), ("n", number))
    w.function("nothing", 0)
    return w
