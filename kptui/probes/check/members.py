"""Parameter names and member accesses through BTF: ``file``, ``file->f_path.dentry``, ``$retval->name``."""

from __future__ import annotations

from typing import Final, Protocol

from kptui.btf import Btf, Member, Type
from kptui.btf.types import ARRAY, ENUM, ENUM64, INT, PTR, STRUCT, UNION
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.meta import Prototype

_SCALARS: Final = {8, 16, 32, 64}


class Ops(Protocol):
    """The fetch operations written so far: what parse_btf_arg needs of the argument parser. ``kept``: the
    parameter, counted from 0, that is read, or kept for the return.
    """

    log: Log
    offset: int
    kept: int | None

    def set(self, op: str) -> None: ...
    def push(self, op: str) -> bool:
        """The next operation; False if the buffer is full."""
        ...


class Last:
    """The type at which a chain of members ended, and the bits of a bit field there."""

    def __init__(self) -> None:
        self.type: Type | None = None
        self.bit_offset = 0
        self.bit_size = 0
        self.in_struct = False  # reached through a typecast

    def clear(self) -> None:
        self.type = None


def split_field(ops: Ops, text: str) -> tuple[str, str | None, bool]:
    """Up to the first ``.`` or ``->``: the name, the rest (None: no separator), whether an arrow."""
    at = min((i for i in (text.find("."), text.find("-")) if i >= 0), default=-1)
    if at < 0:
        return text, None, False
    if text[at] == ".":
        return text[:at], text[at + 1 :], False
    if text[at + 1 : at + 2] == ">":
        return text[:at], text[at + 2 :], True
    raise ops.log.refuse(ops.offset + at, "BAD_HYPHEN")


def parse_variable(
    ops: Ops, last: Last, proto: Prototype, text: str, *, returns: bool, current: bool = False
) -> None:
    """A parameter's name, ``$retval`` or ``$current``, with members (parse_btf_arg)."""
    name, field, arrow = split_field(ops, text)
    if field is not None and not arrow:
        raise ops.log.refuse(ops.offset + len(name) + 1, "NOSUP_DAT_ARG", "EOPNOTSUPP")
    if proto.btf is None:
        ops.set("RETVAL" if name == "$retval" else "ARG")
        _believe(ops, field)
        return
    start: Type | None
    if current and name == "$current":
        ops.set("CURRENT")
        last.in_struct = True
        task = proto.btf.struct("task_struct")
        if task is None:
            raise ops.log.refuse(ops.offset, "NO_BTF_ENTRY", "ENOENT")
        start = task
    elif returns and name == "$retval":
        ops.set("RETVAL")
        if not proto.query():
            if field is not None:
                raise ops.log.refuse(ops.offset + len(name) + 2, "NO_BTF_ENTRY", "ENOENT")
            return
        assert proto.proto is not None
        if proto.proto.ref == 0:
            raise ops.log.refuse(ops.offset, "NO_RETVAL", "ENOENT")
        start = proto.btf.resolved(proto.proto.ref)
    else:
        if not proto.asked and (not proto.query() or not proto.params):
            raise ops.log.refuse(ops.offset, "NO_BTF_ENTRY", "ENOENT")
        number = next((n for n, (param, _) in enumerate(proto.params) if param == name), None)
        if number is None:
            raise ops.log.refuse(ops.offset, "NO_BTFARG", "ENOENT")
        ops.set("EDATA" if returns else "ARG")
        ops.kept = number
        start = proto.btf.resolved(proto.params[number][1])
    if start is None:
        raise ops.log.refuse(ops.offset, "BAD_BTF_TID")
    last.type, last.bit_offset, last.bit_size = start, 0, 0
    if field is not None:
        ops.offset += len(name) + 2
        parse_members(ops, last, proto.btf, field, start, cast=last.in_struct)


def _believe(ops: Ops, field: str | None) -> None:
    """Members of an unknown type: one read for each arrow."""
    while field is not None:
        _, rest, arrow = split_field(ops, field)
        while rest is not None and not arrow:
            _, rest, arrow = split_field(ops, rest)
        if not ops.push("DEREF"):
            raise ops.log.refuse(ops.offset, "TOO_MANY_OPS")
        field = rest


def parse_members(ops: Ops, last: Last, btf: Btf, text: str, kind: Type, *, cast: bool) -> None:
    """``member.member->member`` of a pointer, or with ``cast`` of the structure itself (parse_btf_field)."""
    field: str | None = text
    while field is not None:
        if not cast:
            if kind.kind != PTR:
                raise ops.log.refuse(ops.offset, "NO_PTR_STRCT")
            pointed = btf.resolved(kind.ref)
            if pointed is None:
                raise ops.log.refuse(ops.offset, "BAD_BTF_TID")
            kind = pointed
        cast = False
        bits, field, kind = walk_dots(ops, last, btf, field, kind)
        if not ops.push("DEREF"):
            raise ops.log.refuse(ops.offset, "TOO_MANY_OPS")
        last.bit_offset, last.type = bits % 8, kind


def walk_dots(ops: Ops, last: Last, btf: Btf, text: str, kind: Type) -> tuple[int, str | None, Type]:
    """``a.b`` up to the next arrow: position in bits, what is left after the arrow, the type reached."""
    bits = 0
    field: str | None = text
    while True:
        assert field is not None
        name, rest, arrow = split_field(ops, field)
        if kind.kind not in {STRUCT, UNION}:
            raise ops.log.refuse(ops.offset, "BAD_BTF_TID")
        found = _member(btf, kind, name)
        if found is None:
            raise ops.log.refuse(ops.offset, "NO_BTF_FIELD", "ENOENT")
        outer, member = found
        bits += outer + member.bits
        last.bit_size = member.width
        reached = btf.resolved(member.type)
        if reached is None:
            raise ops.log.refuse(ops.offset, "BAD_BTF_TID")
        kind = reached
        if rest is not None:
            ops.offset += len(field) - len(rest)
        field = rest
        if arrow or field is None:
            return bits, field, kind


def _member(btf: Btf, kind: Type, name: str) -> tuple[int, Member] | None:
    """A member by name, also inside anonymous structures: bits of what is around it, and the member."""
    queue = [(0, kind)]
    while queue:
        outer, struct = queue.pop()
        for member in struct.members:
            if not member.name:
                inner = btf.resolved(member.type)
                if inner is not None and inner.kind in {STRUCT, UNION}:
                    queue.append((outer + member.bits, inner))
            elif member.name == name:
                return outer, member
    return None


def fetch_type(last: Last) -> str:
    """The probe type that a BTF type stands for when none was written."""
    kind = last.type
    if kind is None:
        return "x64"
    if kind.kind == ENUM:
        return "s32"
    if kind.kind == ENUM64:
        return "s64"
    if kind.kind == INT:
        if kind.int_bits in _SCALARS:
            return f"{'s' if kind.signed else 'u'}{kind.int_bits}"
        if not kind.signed:
            last.bit_size = kind.int_bits
            last.bit_offset += kind.int_offset
            return "u64"
    return "x64"


def string_source(btf: Btf, kind: Type) -> str:
    """``array`` for char[], ``pointer`` for char *, '' for what can't be a string.

    The kernel doesn't ask whether the thing is a pointer: it takes the field that holds a pointer's target
    for one. In an integer that field is its size, so that a ``long`` counts as ``char *`` on kernels where
    the type number 8 happens to be a char.
    """
    if kind.kind == ARRAY:
        return "array" if _is_char(btf.resolved(kind.element)) else ""
    return "pointer" if _is_char(btf.resolved(kind.ref)) else ""


def _is_char(kind: Type | None) -> bool:
    return kind is not None and kind.kind == INT and not kind.signed and kind.int_bits == 8


__all__ = [
    "Last", "Ops", "Refused", "fetch_type", "parse_members", "parse_variable", "split_field", "string_source",
    "walk_dots",
]  # fmt: skip
