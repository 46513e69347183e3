"""Parameter names and members (``file->f_inode->i_ino``) as plain fetch expressions, by the kernel's type
information.

After parse_btf_arg and find_fetch_type_from_btf_type in kernel/trace/trace_probe.c.
"""

from __future__ import annotations

from dataclasses import dataclass

from kptui.btf import Btf, Type
from kptui.btf.types import ARRAY, ENUM, ENUM64, INT, PTR, STRUCT, UNION
from kptui.probes.exprs import ArgN, Bitfield, BtfPath, Deref, Expr, Member, Retval

POINTER_BITS = 64


@dataclass(frozen=True, slots=True)
class Prototype:
    """A function as BTF describes it; ``parameters`` in order."""

    btf: Btf
    parameters: tuple[str, ...]
    types: tuple[int, ...]
    result: int

    def lower(self, path: BtfPath, base: str | None) -> tuple[Expr, str | Bitfield | None]:
        """``path`` as registers and dereferences, and the type it has without a given one.

        ``base`` is the given type: a string of a ``char *`` needs one more dereference. Unknown names come
        back as they are: the checker has refused them before.
        """
        if path.root == "$retval":
            expr: Expr = Retval()
            kind = self.btf.resolved(self.result)
        elif path.root in self.parameters:
            index = self.parameters.index(path.root)
            expr = ArgN(index + 1)
            kind = self.btf.resolved(self.types[index])
        else:
            return path, None
        width, bits = 0, 0
        for step in _steps(path.members):
            pointed = self.btf.resolved(kind.ref) if kind is not None and kind.kind == PTR else None
            reached = _walk(self.btf, pointed, step)
            if reached is None:
                return path, None
            bits, width, kind = reached
            expr = Deref(bits // 8, expr)
        if base in {"string", "ustring"}:
            return (Deref(0, expr, user=base == "ustring") if _points(kind) else expr), None
        if width and kind is not None:
            return expr, Bitfield(width, bits % 8, max(8, kind.ref * 8))
        return expr, default_type(kind)


def prototype(btf: Btf, function: str) -> Prototype | None:
    """None for a function that BTF doesn't know."""
    found = btf.prototype(function)
    if found is None:
        return None
    return Prototype(
        btf, tuple(m.name for m in found.members), tuple(m.type for m in found.members), found.ref
    )


def default_type(kind: Type | None) -> str | None:
    """The type that the kernel gives an argument of this C type; None where it falls back to x64."""
    if kind is None:
        return None
    if kind.kind == PTR:
        return f"x{POINTER_BITS}"
    if kind.kind == INT and kind.int_bits in {8, 16, 32, 64}:
        return f"{'s' if kind.signed else 'u'}{kind.int_bits}"
    if kind.kind == ENUM:
        return "s32"
    return "s64" if kind.kind == ENUM64 else None


def _points(kind: Type | None) -> bool:
    return kind is not None and kind.kind != ARRAY


def _steps(members: tuple[Member, ...]) -> list[list[str]]:
    """Cut before each arrow: ``->a.b->c`` is [[a, b], [c]]."""
    steps: list[list[str]] = []
    for member in members:
        if member.arrow or not steps:
            steps.append([])
        steps[-1].append(member.name)
    return steps


def _walk(btf: Btf, kind: Type | None, names: list[str]) -> tuple[int, int, Type] | None:
    """Position in bits, width of a bit field (0: none) and type of ``a.b`` in a structure."""
    bits, width = 0, 0
    for name in names:
        if kind is None:
            return None
        found = _find(btf, kind, name)
        if found is None:
            return None
        at, width, type_id = found
        bits += at
        kind = btf.resolved(type_id)
    return None if kind is None else (bits, width, kind)


def _find(btf: Btf, kind: Type, name: str) -> tuple[int, int, int] | None:
    if kind.kind not in {STRUCT, UNION}:
        return None
    for member in kind.members:
        if member.name == name:
            return member.bits, member.width, member.type
        if not member.name:
            inner = btf.resolved(member.type)
            found = _find(btf, inner, name) if inner is not None else None
            if found is not None:
                return member.bits + found[0], found[1], found[2]
    return None
