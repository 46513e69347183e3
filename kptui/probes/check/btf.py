"""Just enough of BTF, the kernel's type information, to judge parameter names and member accesses.

The format is that of Documentation/bpf/btf.rst: a header, type records, a string table. A module's BTF
continues the kernel's ids and strings. Functions are looked up by name, types by id; everything is read from
the bytes on demand but for one pass over the records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

INT, PTR, ARRAY, STRUCT, UNION, ENUM = 1, 2, 3, 4, 5, 6
TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, PROTO = 8, 9, 10, 11, 12, 13
TYPE_TAG, ENUM64 = 18, 19
_MODIFIERS: Final = frozenset({TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG})
# Bytes after the 12 of each record: fixed and per member.
_EXTRA: Final = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12), ENUM: (0, 8), PROTO: (0, 8),
                 14: (4, 0), 15: (0, 12), 17: (4, 0), ENUM64: (0, 12)}  # fmt: skip
_MAGIC: Final = 0xEB9F


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct: ``name`` ('' if anonymous), type id, position in bits, bit field width or 0."""

    name: str
    type: int
    bits: int
    width: int = 0


@dataclass(frozen=True, slots=True)
class Type:
    """One record. ``ref`` is the union of a size in bytes and a referred type id, as in the kernel.

    ``members`` are a struct's members or a prototype's parameters; ``encoding`` is an INT's word
    (encoding << 24 | offset << 16 | bits).
    """

    kind: int
    name: str
    ref: int
    members: tuple[Member, ...] = ()
    encoding: int = 0
    element: int = 0

    @property
    def signed(self) -> bool:
        return bool(self.encoding >> 24 & 1)

    @property
    def int_bits(self) -> int:
        return self.encoding & 0xFF

    @property
    def int_offset(self) -> int:
        return self.encoding >> 16 & 0xFF


VOID: Final = Type(0, "", 0)


class Btf:
    """Types by id, functions and structures by name. ``types`` may be built by hand (tests) or by parse()."""

    def __init__(
        self, types: Mapping[int, Type], functions: Mapping[str, int], structs: Mapping[str, int]
    ) -> None:
        self._types = types
        self._functions = functions
        self._structs = structs

    @classmethod
    def parse(cls, data: bytes) -> Btf:
        """From the bytes of /sys/kernel/btf/vmlinux. ValueError if they are no BTF."""
        records = _Records(data)
        return cls(records, records.functions, records.structs)

    def type(self, number: int) -> Type | None:
        """The record with that id; None if there is none."""
        return VOID if number == 0 else self._types.get(number)

    def resolved(self, number: int) -> Type | None:
        """The type behind typedefs, const and the like; None if an id leads nowhere."""
        found = self.type(number)
        while found is not None and found.kind in _MODIFIERS:
            found = self.type(found.ref)
        return found

    def prototype(self, function: str) -> Type | None:
        """The prototype of a function, or None if BTF has no function of that name."""
        found = self.type(self._functions.get(function, -1))
        return self.type(found.ref) if found is not None and found.kind == FUNC else None

    def struct(self, name: str) -> Type | None:
        """The structure of that tag, or None."""
        return self.type(self._structs.get(name, -1))


class _Records(Mapping[int, Type]):
    """The type records of a BTF blob, decoded when asked for."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 24 or struct.unpack_from("<H", data)[0] != _MAGIC:
            raise ValueError("not BTF in little-endian order")
        header, type_at, type_len, text_at, text_len = struct.unpack_from("<IIIII", data, 4)
        self._data = data
        self._text = header + text_at
        self._text_end = self._text + text_len
        self._at = [0]
        self.functions: dict[str, int] = {}
        self.structs: dict[str, int] = {}
        at, end = header + type_at, header + type_at + type_len
        unpack = struct.Struct("<III").unpack_from
        while at < end:
            try:
                name, info, _ = unpack(data, at)
            except struct.error:
                raise ValueError("BTF ends inside a record") from None
            kind = info >> 24 & 0x1F
            if kind == FUNC:
                self.functions.setdefault(self.text(name), len(self._at))
            elif kind == STRUCT and name:
                self.structs.setdefault(self.text(name), len(self._at))
            self._at.append(at)
            fixed, each = _EXTRA.get(kind, (0, 0))
            at += 12 + fixed + each * (info & 0xFFFF)
        if at != end or end > len(data):
            raise ValueError("BTF ends inside a record")

    def text(self, offset: int) -> str:
        start = self._text + offset
        return self._data[start : self._data.find(b"\0", start, self._text_end)].decode("latin-1")

    def __len__(self) -> int:
        return len(self._at) - 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, len(self._at)))

    def __getitem__(self, number: int) -> Type:
        if not 0 < number < len(self._at):
            raise KeyError(number)
        at = self._at[number]
        name, info, ref = struct.unpack_from("<III", self._data, at)
        kind, count, flag = info >> 24 & 0x1F, info & 0xFFFF, info >> 31
        members: list[Member] = []
        encoding = element = 0
        if kind == INT:
            (encoding,) = struct.unpack_from("<I", self._data, at + 12)
        elif kind == ARRAY:
            (element,) = struct.unpack_from("<I", self._data, at + 12)
        elif kind in {STRUCT, UNION}:
            for n in range(count):
                text, type_id, bits = struct.unpack_from("<III", self._data, at + 12 + 12 * n)
                place = (bits & 0xFFFFFF, bits >> 24) if flag else (bits, 0)
                members.append(Member(self.text(text), type_id, *place))
        elif kind == PROTO:
            for n in range(count):
                text, type_id = struct.unpack_from("<II", self._data, at + 12 + 8 * n)
                members.append(Member(self.text(text), type_id, 0))
        return Type(kind, self.text(name), ref, tuple(members), encoding, element)
