"""A place that a walk from a parameter has reached, and what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kptui.btf import Btf, ctext
from kptui.probes.exprs import ArgType, Bitfield, BtfPath, Deref, Expr, FetchArg
from kptui.probes.params import argument_name
from kptui.probes.reading import Reading, reading

MAX_BODY = 63
"""Characters that the kernel takes for one argument behind the ``=`` (MAX_ARGSTR_LEN)."""

_CONTAINERS = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value is: ``bits`` behind the address that ``base`` gives, or in the registers ``words``.

    ``path`` is its name in C (``file->f_path.dentry``), ``name`` the last part of it; ``type`` a BTF id,
    ``width`` a bit field's bits (0: none). ``user``: in user memory; ``leads_to_user``: it is a pointer into
    user memory. ``native``: the kernel's own spelling, None if it has none. ``steps`` counts the pointers on the
    way, ``root`` whether it is the parameter itself.
    """

    path: str
    name: str
    type: int
    bits: int = 0
    width: int = 0
    base: Expr | None = None
    words: tuple[Expr, ...] = ()
    user: bool = False
    leads_to_user: bool = False
    native: BtfPath | None = None
    steps: int = 0
    root: bool = False

    @property
    def value(self) -> Expr | None:
        """The expression that reads the bytes here; None in the middle of a register or a byte."""
        if self.base is not None:
            return None if self.bits % 8 else Deref(self.bits // 8, self.base, self.user)
        index, inside = divmod(self.bits, 64)
        return self.words[index] if not inside and index < len(self.words) else None


@dataclass(frozen=True, slots=True)
class Reached:
    """A spot with what reads it: ``fetch`` for every kernel, ``native`` for those with BTF members (None where
    the path can't be spelled so). ``fetch`` is None with a ``reason``; ``others`` read it in other ways.
    ``offsets`` are those of the dereferences in the path's order: (24, 40, 0) for ``+0(+40(+24(%di)))``.
    """

    spot: Spot
    ctype: str
    fetch: FetchArg | None
    native: FetchArg | None = None
    offsets: tuple[int, ...] = ()
    others: tuple[FetchArg, ...] = ()
    reason: str = ""
    note: str = ""


def offsets_of(expr: Expr) -> tuple[int, ...]:
    """The offsets of nested dereferences, innermost first."""
    found: list[int] = []
    while isinstance(expr, Deref):
        found.append(expr.offset)
        expr = expr.expr
    return tuple(reversed(found))


def reach(btf: Btf, spot: Spot, name: str | None = None, *, chars: bool = True) -> Reached:
    """What reads the spot, as an argument called ``name`` (default: after the spot)."""
    label = argument_name(spot.name) if name is None else name
    ctype = ctext.declaration(btf, spot.type) + (f":{spot.width}" if spot.width else "")
    how = reading(btf, spot.type, spot.name, chars=chars)
    if spot.user and how.base == "symbol":  # the program's function
        how = replace(how, base="x64", note="")
    plain = list(_ways(btf, spot, label, how))
    if not plain:
        offsets = offsets_of(spot.value) if spot.value is not None else ()
        reason = how.reason or _no_expression(spot, array=how.count is not None)
        return Reached(spot, ctype, None, offsets=offsets, reason=reason, note=how.note)
    fetch = plain[0]
    note = "in user memory" if spot.user or _to_user(spot, how) else how.note
    if isinstance(fetch.type and fetch.type.base, Bitfield) and how.base.startswith("s"):
        note = "shown without its sign"
    if _body_length(fetch) > MAX_BODY:
        note = f"longer than the {MAX_BODY} characters that the kernel takes"
    offsets = offsets_of(fetch.expr)
    return Reached(spot, ctype, fetch, _native(spot, fetch), offsets, tuple(plain[1:]), "", note)


def _to_user(spot: Spot, how: Reading) -> bool:
    """A pointer into user memory: marked or known to be, or one that lies in user memory itself."""
    return how.base == "x64" and how.count is None and (spot.leads_to_user or spot.user or how.user)


def _ways(btf: Btf, spot: Spot, name: str, how: Reading) -> Iterator[FetchArg]:
    if how.reason:
        return
    if spot.width:
        bits = _bit_field(spot.bits, spot.width, spot.base is not None)
        if bits is not None:
            yield from _at_bits(spot, name, *bits)
        return
    value = spot.value
    if value is None:
        size = btf.size(spot.type) or 0
        bits = None if how.count else _bit_field(spot.bits, size * 8, spot.base is not None)
        if bits is not None:
            yield from _at_bits(spot, name, *bits)
        return
    if how.count is not None:
        if spot.base is None:
            return
        if how.text == "array":
            bare = replace(value, user=False) if isinstance(value, Deref) else value
            yield FetchArg(bare, name, ArgType("ustring" if spot.user else "string"))
        if (
            not spot.user
        ):  # of numbers the kernel reads arrays from its own memory only (trace_probe.c, FETCH_OP_ST_UMEM)
            yield FetchArg(value, name, ArgType(how.base, how.count))
        return
    number = FetchArg(value, name, ArgType(how.base))
    if how.text == "pointer":
        text = FetchArg(Deref(0, value), name, ArgType("ustring" if _to_user(spot, how) else "string"))
        # a parameter that isn't const is a buffer to be filled; a member is text already
        yield from (text, number) if how.sure or not spot.root else (number, text)
    else:
        yield number


def _at_bits(spot: Spot, name: str, at: int, kind: Bitfield) -> Iterator[FetchArg]:
    """The argument that cuts bits out of the container at bit ``at``."""
    if spot.base is not None:
        yield FetchArg(Deref(at // 8, spot.base, spot.user), name, ArgType(kind))
    elif at // 64 < len(spot.words):
        yield FetchArg(spot.words[at // 64], name, ArgType(kind))


def _bit_field(bits: int, width: int, memory: bool) -> tuple[int, Bitfield] | None:
    """Where the container of a bit field starts, in bits, and the type that cuts the field out of it.

    The smallest aligned container that holds it, so that nothing behind the structure is read; where the field
    crosses all of them (packed structures), one that starts at the field's first byte. None if none is wide
    enough. In registers the whole register is the container.
    """
    for size in _CONTAINERS if memory else (64,):
        start = bits // size * size
        if 0 < width <= start + size - bits:
            return start, Bitfield(width, bits - start, size)
    start = bits // 8 * 8
    for size in _CONTAINERS if memory else ():
        if 0 < width <= start + size - bits:
            return start, Bitfield(width, bits - start, size)
    return None


def _no_expression(spot: Spot, *, array: bool) -> str:
    if spot.base is None and not spot.words:
        return "nothing reads it"
    if array and spot.user:
        return "an array in user memory: open one of its elements"
    return "no type of the probe language cuts it out of where it is"


def _native(spot: Spot, fetch: FetchArg) -> FetchArg | None:
    """The kernel's spelling with the same type. A bit field gets its type from BTF, and only without a given
    one; arrays of numbers are left to the plain form.
    """
    if spot.native is None or spot.user or fetch.type is None or fetch.type.count is not None:
        return None
    native = FetchArg(spot.native, fetch.name, None if isinstance(fetch.type.base, Bitfield) else fetch.type)
    return native if _body_length(native) <= MAX_BODY else None


def _body_length(arg: FetchArg) -> int:
    return len(str(replace(arg, name=None)))
