"""Reads BTF without taking it apart: one pass finds where each record starts, the rest is read when asked for.

The format is that of Documentation/bpf/btf.rst: a header, type records, a string table. A module's BTF (split
BTF) continues the ids and the strings of the kernel's. (:mod:`kptui.btf.names` finds records by their names.)
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kptui.btf.names import Names, Strings
from kptui.btf.types import (
    ARRAY,
    CONST,
    DATASEC,
    DECL_TAG,
    ENUM,
    ENUM64,
    FLOAT,
    FUNC,
    INT,
    MODIFIERS,
    PROTO,
    PTR,
    STRUCT,
    UNION,
    VAR,
    VOID,
    Member,
    Type,
)
from kptui.safetext import decode

if TYPE_CHECKING:
    from mmap import mmap

POINTER_SIZE: Final = 8
MAX_CHAIN: Final = 64
"""Modifiers and array levels in a row; the kernel allows 32 (MAX_RESOLVE_DEPTH). Ends cycles of damaged input."""

_MAGIC: Final = 0xEB9F
_RESERVED: Final = 0x60FF0000  # of a record's info word; zero in all BTF that kernels accept
_KINDS: Final = 20
# Words after the three of each record: fixed and per member.
_EXTRA: Final = {INT: (1, 0), ARRAY: (3, 0), STRUCT: (0, 3), UNION: (0, 3), ENUM: (0, 2), PROTO: (0, 2),
                 VAR: (1, 0), DATASEC: (0, 3), DECL_TAG: (1, 0), ENUM64: (0, 3)}  # fmt: skip
_NAMES_TRIED: Final = 64
_KEPT: Final = 2048  # decoded records and found names; a task_struct is the largest at about 50 KB


class _Steps(dict[int, int]):
    """Words of a record by its info word: there are a few hundred different ones."""

    def __missing__(self, info: int) -> int:
        kind = info >> 24 & 0x1F
        if info & _RESERVED or not 0 < kind < _KINDS:
            raise ValueError(f"BTF has a record of an unknown kind (info 0x{info:08x})")
        fixed, each = _EXTRA.get(kind, (0, 0))
        self[info] = 3 + fixed + each * (info & 0xFFFF)
        return self[info]


class Btf:
    """Types by id, everything else by name. Make it with parse(), once, and keep it: lookups are remembered."""

    def __init__(self, data: bytes | mmap, base: Btf | None = None) -> None:
        if len(data) < 24 or struct.unpack_from("<H", data)[0] != _MAGIC:
            raise ValueError("not BTF in little-endian order")
        header, type_at, type_len, text_at, text_len = struct.unpack_from("<IIIII", data, 4)
        self._data = data
        self._base = base
        self._first = 1 if base is None else len(base) + 1
        self._types, self._types_end = header + type_at, header + type_at + type_len
        text, text_end = header + text_at, header + text_at + text_len
        if header < 24 or type_len % 4 or max(self._types_end, text_end) > len(data):
            raise ValueError("BTF ends inside a section")
        self._strings: Strings = Strings(data, text, text_end, None if base is None else base._strings)
        # x86-64 and arm64 kernels are little-endian, as the machine's own order is that cast() takes
        self._words = memoryview(data)[self._types : self._types_end].cast("I")
        self._at = self._walk()
        self._records = Names(self._strings, array("I", map(self._words.__getitem__, self._at)))
        self._decoded: dict[int, Type] = {}
        self._found: dict[tuple[str, tuple[int, ...]], tuple[int, ...]] = {}
        self._pointers: dict[int, int | None] = {}
        if base is not None and not self._continues():
            raise ValueError("it continues another kernel's BTF than the one given")

    @classmethod
    def parse(cls, data: bytes | mmap, base: Btf | None = None) -> Btf:
        """From the bytes of /sys/kernel/btf/vmlinux, or of a module's BTF with the kernel's as ``base``.

        ``data`` is kept, not copied: bytes, or a read-only mmap that then stays open. ValueError if it is no
        BTF, damaged or another base's; nothing else here raises afterwards (ids and names that lead nowhere give None).
        """
        return cls(data, base)

    def _walk(self) -> array[int]:
        """The word at which each record starts."""
        starts = array("I")
        add, words, steps = starts.append, self._words, _Steps()
        at, end = 0, len(words)
        try:
            while at < end:
                add(at)
                at += steps[words[at + 1]]
        except IndexError:
            at = -1
        if at != end:
            raise ValueError("BTF ends inside a record")
        return starts

    def _continues(self) -> bool:
        """Whether the names begin where strings begin: on another base than its own they lie anywhere."""
        offsets = (self._words[at] for at in self._at[:: max(1, len(self._at) // _NAMES_TRIED)])
        return all(self._strings.begins(offset) for offset in offsets if offset)

    def __len__(self) -> int:
        """The highest id: those of the base count, too."""
        return self._first - 1 + len(self._at)

    def text(self, offset: int) -> str:
        """The string at that offset, '' if there is none; bytes that are no UTF-8 as surrogates."""
        return decode(self._strings.at(offset))

    def type(self, number: int) -> Type | None:
        """The record with that id, VOID for 0; None if there is none."""
        found = self._decoded.get(number)
        if found is not None:
            return found
        if number == 0:
            return VOID
        index = number - self._first
        if index < 0 and self._base is not None:
            return self._base.type(number)
        if not 0 <= index < len(self._at):
            return None
        if len(self._decoded) >= _KEPT:
            self._decoded.clear()
        found = self._decoded[number] = self._decode(self._at[index])
        return found

    def _decode(self, at: int) -> Type:
        words, text = self._words, self.text
        name, info, ref = words[at : at + 3]
        kind, count, flag = info >> 24 & 0x1F, info & 0xFFFF, bool(info >> 31)
        members: tuple[Member, ...] = ()
        encoding = element = 0
        if kind in {STRUCT, UNION}:
            members = tuple(
                Member(text(words[n]), words[n + 1], words[n + 2] & 0xFFFFFF, words[n + 2] >> 24)
                if flag
                else Member(text(words[n]), words[n + 1], words[n + 2])
                for n in range(at + 3, at + 3 + 3 * count, 3)
            )
        elif kind == PROTO:
            members = tuple(
                Member(text(words[n]), words[n + 1], 0) for n in range(at + 3, at + 3 + 2 * count, 2)
            )
        elif kind == ARRAY:
            element, count = words[at + 3], words[at + 5]
        elif kind in {INT, VAR, DECL_TAG}:
            encoding = words[at + 3]
        return Type(kind, text(name), ref, members, encoding, element, count, flag)

    def resolved(self, number: int) -> Type | None:
        """The type behind typedefs, const and the like; None if an id leads nowhere."""
        found = self.type(number)
        for _ in range(MAX_CHAIN):
            if found is None or found.kind not in MODIFIERS:
                return found
            found = self.type(found.ref)
        return None

    def size(self, number: int) -> int | None:
        """Bytes of a type; None for what has no size (void, functions, forward declarations) or leads nowhere."""
        factor = 1
        for _ in range(MAX_CHAIN):
            found = self.resolved(number)
            if found is None:
                return None
            if found.kind != ARRAY:
                if found.kind == PTR:
                    return POINTER_SIZE * factor
                return found.ref * factor if found.kind in _SIZED else None
            factor *= found.count
            number = found.element
        return None

    def find(self, name: str, *kinds: int) -> tuple[int, ...]:
        """Ids of the records of that name and one of the kinds (types.FUNC, types.STRUCT …), lowest first."""
        key = (name, kinds)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            text = name.encode("utf-8", "surrogateescape")
            ids = self._named(text, frozenset(kinds)) if text and b"\0" not in text else ()
            found = self._found[key] = tuple(sorted(ids))
        return found

    def _named(self, text: bytes, kinds: frozenset[int]) -> Iterator[int]:
        if self._base is not None:
            yield from self._base._named(text, kinds)
        for place in self._records.places(text):
            if self._words[self._at[place] + 1] >> 24 & 0x1F in kinds:
                yield place + self._first

    def pointer_to(self, number: int) -> int | None:
        """The id of a pointer to that type, or to a const of it; None if there is none."""
        if number not in self._pointers:
            targets = (number, *self._referring(CONST, number))
            pointers = (found for target in targets for found in self._referring(PTR, target))
            self._pointers[number] = next(pointers, None)
        return self._pointers[number]

    def _referring(self, kind: int, target: int) -> Iterator[int]:
        """Nameless records of a kind that refer to an id."""
        if self._base is not None:
            yield from self._base._referring(kind, target)
        record = struct.pack("<III", 0, kind << 24, target)
        at = self._data.find(record, self._types, self._types_end)
        while at >= 0:
            number = self._id_at(at)
            if number:
                yield number
            at = self._data.find(record, at + 1, self._types_end)

    def _id_at(self, position: int) -> int:
        """The id of the record that starts at this byte of the data; 0 if none starts there."""
        word, odd = divmod(position - self._types, 4)
        index = bisect_left(self._at, word)
        return 0 if odd or index == len(self._at) or self._at[index] != word else index + self._first

    def prototype(self, function: str) -> Type | None:
        """The prototype of a function, or None if BTF has no function of that name."""
        for number in self.find(function, FUNC):
            found = self.type(number)
            proto = self.type(found.ref) if found is not None else None
            if proto is not None and proto.kind == PROTO:
                return proto
        return None

    def struct(self, name: str) -> Type | None:
        """The structure of that tag, or None."""
        return next(map(self.type, self.find(name, STRUCT)), None)

    def numbers(self, *kinds: int) -> Iterator[int]:
        """The ids of all records of these kinds, in order; the base's first. One pass, names aren't read."""
        if self._base is not None:
            yield from self._base.numbers(*kinds)
        words = self._words
        for number, at in enumerate(self._at, self._first):
            if words[at + 1] >> 24 & 0x1F in kinds:
                yield number

    def name(self, number: int) -> str:
        """The name of a record without decoding the rest; '' if it has none or there is no such id."""
        index = number - self._first
        if index < 0 and self._base is not None:
            return self._base.name(number)
        return self.text(self._words[self._at[index]]) if 0 <= index < len(self._at) else ""

    def values(self, number: int) -> tuple[tuple[str, int], ...]:
        """Names and values of an enum's enumerators; () if the id is no enum's."""
        index = number - self._first
        if index < 0 and self._base is not None:
            return self._base.values(number)
        if not 0 <= index < len(self._at):
            return ()
        at, words = self._at[index], self._words
        info = words[at + 1]
        kind, count, flag = info >> 24 & 0x1F, info & 0xFFFF, info >> 31
        if kind == ENUM:
            # negative values are stored as such even by writers that don't set the flag (pahole before 1.24)
            return tuple(
                (self.text(words[n]), words[n + 1] - (words[n + 1] >> 31 << 32))
                if flag or words[n + 1] >= 1 << 31
                else (self.text(words[n]), words[n + 1])
                for n in range(at + 3, at + 3 + 2 * count, 2)
            )
        if kind == ENUM64:
            longs = [
                (words[n], words[n + 1] | words[n + 2] << 32) for n in range(at + 3, at + 3 + 3 * count, 3)
            ]
            return tuple((self.text(name), value - (value >> 63 << 64) * flag) for name, value in longs)
        return ()

    def enumerators(self, prefix: str) -> dict[str, int]:
        """Enumerators whose names start with ``prefix`` (``TP_ERR_``) and their values, of all enums."""
        found = {} if self._base is None else self._base.enumerators(prefix)
        seen: set[int] = set()
        for offset in self._strings.beginning(prefix.encode("utf-8", "surrogateescape")) if prefix else ():
            if self.text(offset) not in found:
                for number in self._users(offset):
                    if number not in seen:
                        seen.add(number)
                        found |= {
                            name: value for name, value in self.values(number) if name.startswith(prefix)
                        }
        return found

    def _users(self, offset: int) -> Iterator[int]:
        """Ids of the records that have this string's offset somewhere inside."""
        pattern = struct.pack("<I", offset)
        at = self._data.find(pattern, self._types, self._types_end)
        while at >= 0:
            word, odd = divmod(at - self._types, 4)
            if not odd:
                yield bisect_left(self._at, word + 1) - 1 + self._first
            at = self._data.find(pattern, at + 1, self._types_end)


_SIZED: Final = frozenset({INT, STRUCT, UNION, ENUM, FLOAT, ENUM64, DATASEC})
