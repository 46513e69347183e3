"""How a value of a C type is read and printed: the type behind the colon of a fetch argument.

The upper bits of a register that holds less than 64 bits are undefined, so that every number gets its own
width and sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kptui.btf import Btf, Type
from kptui.btf.types import (
    ARRAY,
    CONST,
    ENUM,
    ENUM64,
    FWD,
    INT,
    MODIFIERS,
    PROTO,
    PTR,
    STRUCT,
    TYPE_TAG,
    TYPEDEF,
    UNION,
)

Text = Literal["", "pointer", "array"]

MAX_ARRAY: Final = 64  # MAX_ARRAY_LEN in kernel/trace/trace_probe.h
_MAX_DEPTH: Final = 32
_HEX_TYPES: Final = frozenset({
    "gfp_t", "fmode_t", "umode_t", "mode_t", "blk_opf_t", "netdev_features_t", "xdp_features_t",
    "blk_features_t", "pteval_t", "pgprotval_t", "vm_fault_t", "__poll_t", "upf_t", "isolate_mode_t", "rmap_t",
    "fpi_t", "mhp_t", "fgf_t", "rwf_t", "phys_addr_t", "dma_addr_t", "resource_size_t", "gpa_t", "gva_t",
    "hpa_t", "compat_uptr_t", "acpi_physical_address", "acpi_io_address", "pmdval_t", "pudval_t", "p4dval_t",
    "pgdval_t", "access_mask_t", "key_perm_t", "blk_mode_t", "blk_insert_t", "netmem_ref", "__wsum", "__sum16",
})  # fmt: skip
"""Words of flags, and addresses; so is what is called ``…_flags_t``."""

_HEX_NAMES: Final = re.compile(
    r"(?:.*_)?(?:flags|addr|address|mask)|[pv]addr|iova|(?:parent_)?ip|prot|attrs|call_site|error_code|msr"
)
"""What unsigned numbers are called that nobody reads in decimal."""

_BIG_ENDIAN: Final = frozenset({"__be16", "__be32", "__be64"})
_BYTE_TYPES: Final = frozenset({"u8", "__u8", "uint8_t", "BYTE", "u_char", "u_int8_t"})
_SCALARS: Final = frozenset({1, 2, 4, 8})


@dataclass(frozen=True, slots=True)
class Reading:
    """``base`` is the probe type of the value itself, '' with a ``reason`` if it has none; ``count`` makes it
    an array.

    ``text``: it is text: behind the ``pointer`` that the value is, or an ``array`` that is read in place;
    ``sure`` if that is what it is read as first. ``user``: a pointer into user memory, as BTF says it.
    ``is_number``: a number that is too wide to be read.
    """

    base: str = ""
    count: int | None = None
    text: Text = ""
    sure: bool = True
    user: bool = False
    note: str = ""
    reason: str = ""
    is_number: bool = False


def reading(btf: Btf, number: int, name: str = "", *, chars: bool = True) -> Reading:
    """The reading of a type. ``name`` of the variable tells flags and text from numbers and bytes; ``chars``:
    the kernel knows the type ``char`` (6.0 and later).
    """
    return _read(btf, number, name, chars, 0)


def _read(btf: Btf, number: int, name: str, chars: bool, depth: int) -> Reading:
    names, kind = _unwrapped(btf, number)
    if kind is None or depth > _MAX_DEPTH:
        return Reading(reason="its type is unknown")
    if kind.is_float:
        return Reading(reason="floating point: probes have no type for it")
    if kind.kind == INT:
        return _integer(kind, names, name, chars)
    if kind.kind in {ENUM, ENUM64}:
        return _enum(btf, kind, number)
    if kind.kind == PTR:
        return _pointer(btf, kind, name)
    if kind.kind == ARRAY:
        return _array(btf, kind, name, chars, depth)
    if kind.kind in {STRUCT, UNION}:
        inner = single(btf, kind)
        if inner is not None:
            return _read(btf, inner, name, chars, depth + 1)
        return Reading(reason=f"a {'union' if kind.kind == UNION else 'structure'}: open one of its members")
    if kind.kind == FWD:
        return Reading(reason="its type is declared, but not described")
    return Reading(reason="it has no value" if kind.kind == 0 else "its type has no value")


def single(btf: Btf, kind: Type) -> int | None:
    """The type of a structure's only member, where that is a value and fills it (``kuid_t``, ``atomic_t``); else
    None.
    """
    if kind.kind != STRUCT or len(kind.members) != 1 or kind.ref not in _SCALARS:
        return None
    (member,) = kind.members
    inner = btf.resolved(member.type)
    whole = not member.width and btf.size(member.type) == kind.ref
    return member.type if whole and inner is not None and inner.kind != ARRAY else None


def _unwrapped(btf: Btf, number: int) -> tuple[list[str], Type | None]:
    """Names of the typedefs on the way, outermost first, and the type behind them."""
    names: list[str] = []
    kind = btf.type(number)
    for _ in range(_MAX_DEPTH):
        if kind is None or kind.kind not in MODIFIERS:
            return names, kind
        if kind.kind == TYPEDEF:
            names.append(kind.name)
        kind = btf.type(kind.ref)
    return names, None


def _integer(kind: Type, names: list[str], name: str, chars: bool) -> Reading:
    if kind.ref not in _SCALARS:
        return Reading(reason=f"{kind.ref * 8} bits: probes read 64 at most", is_number=True)
    bits = kind.ref * 8
    if kind.is_bool:
        return Reading("u8", note="only the low 8 bits are defined")
    if not _BIG_ENDIAN.isdisjoint(names):
        return Reading(f"x{bits}", note="network byte order")
    if any(text in _HEX_TYPES or text.endswith("_flags_t") for text in names):
        return Reading(f"x{bits}")
    if kind.kind == INT and kind.name == "char" and not names:
        return Reading("char" if chars else "s8")
    signed = kind.signed or kind.name == "char"
    if not signed and _HEX_NAMES.fullmatch(name):
        return Reading(f"x{bits}")
    return Reading(f"{'s' if signed else 'u'}{bits}")


def _enum(btf: Btf, kind: Type, number: int) -> Reading:
    if kind.ref not in _SCALARS:
        return Reading(reason=f"an enum of {kind.ref} bytes")
    return Reading(f"{'s' if is_signed_enum(btf, kind, number) else 'u'}{kind.ref * 8}")


def is_signed_enum(btf: Btf, kind: Type, number: int) -> bool:
    """By BTF's flag, or by a negative value: writers set the flag only since 2022."""
    if kind.flag:
        return True
    for _ in range(_MAX_DEPTH):
        values = btf.values(number)
        found = btf.type(number)
        if values or found is None or found.kind not in MODIFIERS:
            return kind.kind == ENUM and any(value < 0 for _, value in values)
        number = found.ref
    return False


def _pointer(btf: Btf, kind: Type, name: str) -> Reading:
    user = const = False
    names: list[str] = []
    target = btf.type(kind.ref)
    for _ in range(_MAX_DEPTH):
        if target is None or target.kind not in MODIFIERS:
            break
        user = user or (target.kind == TYPE_TAG and target.name == "user")
        const = const or target.kind == CONST
        names += [target.name] if target.kind == TYPEDEF else []
        target = btf.type(target.ref)
    if target is not None and target.kind == PROTO:
        return Reading("symbol", note="a function")
    if target is not None and _is_text(target, names, name):
        return Reading("x64", text="pointer", sure=const, user=user)
    return Reading("x64", user=user)


def _array(btf: Btf, kind: Type, name: str, chars: bool, depth: int) -> Reading:
    names, element = _unwrapped(btf, kind.element)
    if element is not None and _is_text(element, names, name):
        return Reading("x8", _count(kind.count), text="array")
    inner = _read(btf, kind.element, name, chars, depth + 1)
    if inner.reason:
        return Reading(reason="an array: open one of its elements")
    if inner.count is not None:
        return Reading(inner.base, _count(inner.count * kind.count), note="rows one after the other")
    note = f"the first {MAX_ARRAY} of {kind.count}" if kind.count > MAX_ARRAY else inner.note
    base = "x8" if inner.base == "u8" and not _BYTE_TYPES.isdisjoint(names) else inner.base
    return Reading(base, _count(kind.count), note=note)


def _count(count: int) -> int:
    return min(max(count, 1), MAX_ARRAY)


def _is_text(kind: Type, typedefs: list[str], name: str) -> bool:
    """``char``, and ``unsigned char`` in something that is called a name (``qstr.name``)."""
    if kind.kind != INT or kind.ref != 1 or kind.is_bool:
        return False
    if kind.name == "char":
        return _BYTE_TYPES.isdisjoint(typedefs)
    return not typedefs and not kind.signed and name.endswith("name")
