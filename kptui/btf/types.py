"""The records of BTF as values, and the numbers of its kinds (include/uapi/linux/btf.h)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD = 1, 2, 3, 4, 5, 6, 7
TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, PROTO = 8, 9, 10, 11, 12, 13
VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = 14, 15, 16, 17, 18, 19

MODIFIERS: Final = frozenset({TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG})
"""Kinds that stand in front of a type without changing its layout."""

_BOOL: Final = 1 << 2
_FLOATS: Final = frozenset({"float", "double", "long double"})


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct: ``name`` ('' if anonymous), type id, position in bits, bit field width or 0.

    As a parameter of a prototype only name and type count; name '' and type 0 at the end stand for ``...``.
    """

    name: str
    type: int
    bits: int
    width: int = 0


@dataclass(frozen=True, slots=True)
class Type:
    """One record. ``ref`` is the union of a size in bytes and a referred type id, as in the kernel.

    ``members`` are a struct's members or a prototype's parameters; ``encoding`` is an INT's word
    (encoding << 24 | offset << 16 | bits); ``element`` an ARRAY's element type and ``count`` its length (of
    other kinds: the record's own count, for a FUNC its linkage); ``flag`` the kind flag: an enum is signed, a
    forward declaration is of a union, a tag is an attribute.
    """

    kind: int
    name: str
    ref: int
    members: tuple[Member, ...] = ()
    encoding: int = 0
    element: int = 0
    count: int = 0
    flag: bool = False

    @property
    def signed(self) -> bool:
        return bool(self.encoding >> 24 & 1)

    @property
    def is_bool(self) -> bool:
        return self.kind == INT and bool(self.encoding >> 24 & _BOOL)

    @property
    def is_float(self) -> bool:
        """Floating point; writers before 2021 have it as an INT (BTF of 5.10)."""
        return self.kind == FLOAT or (self.kind == INT and self.name in _FLOATS)

    @property
    def int_bits(self) -> int:
        return self.encoding & 0xFF

    @property
    def int_offset(self) -> int:
        return self.encoding >> 16 & 0xFF


VOID: Final = Type(0, "", 0)
