"""One source, read in other ways: what a key cycles through when the first guess of a type was wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kptui.probes.exprs import (
    ArgStar,
    ArgType,
    Comm,
    Deref,
    Expr,
    FetchArg,
    FileOffset,
    ImmString,
    MemAddr,
    MemSym,
)
from kptui.probes.fetch import parse_type

NUMBERS: Final = ("x64", "s32", "u32", "x32", "s64", "u64", "u16", "x16", "u8", "char", "symbol")
TEXTS: Final = ("string", "ustring")


def with_type(arg: FetchArg, type_: ArgType | str | None) -> FetchArg:
    """The argument with another type (a value, its text, or None for none). ProbeSyntaxError if the text is
    no type.
    """
    return replace(arg, type=parse_type(type_) if isinstance(type_, str) else type_)


def with_name(arg: FetchArg, name: str | None) -> FetchArg:
    """The argument under another name (not checked: the name is judged with the whole definition)."""
    return replace(arg, name=name)


def wrap_deref(arg: FetchArg, offset: int = 0, user: bool = False) -> FetchArg:
    """What the argument points to: ``+OFFSET(EXPR)``, name and number type kept; a string type moves to the
    new pointer.

    ValueError for ``$comm``, constant strings and ``$arg*``, which the kernel can't dereference.
    """
    if isinstance(arg.expr, (Comm, ImmString, ArgStar)):
        raise ValueError(f"{arg.expr} can not be dereferenced")
    return replace(arg, expr=Deref(offset, arg.expr, user))


def variants(arg: FetchArg) -> tuple[FetchArg, ...]:
    """The same source read as other things, the argument itself first: numbers, kernel and user text, what it
    points to.

    A cycle: each member of the result gives the same readings, rotated. An argument of another type (arrays,
    bitfields) comes first and is not among the rest. ``$comm``, constant strings and ``$arg*`` have one
    reading.
    """
    if isinstance(arg.expr, (Comm, ImmString, ArgStar)):
        return (arg,)
    value: Expr = arg.expr
    if isinstance(value, Deref) and _is_plain(value) and (arg.type is None or arg.type.is_string):
        value = value.expr
    ring = [replace(arg, expr=value, type=ArgType(name)) for name in NUMBERS]
    ring += [replace(arg, expr=Deref(0, value), type=ArgType(name)) for name in TEXTS]
    ring.append(replace(arg, expr=Deref(0, value), type=None))
    if isinstance(value, (MemAddr, MemSym, FileOffset)) or (
        isinstance(value, Deref) and not _is_plain(value)
    ):
        ring += [replace(arg, expr=value, type=ArgType(name)) for name in TEXTS]
    if arg in ring:
        at = ring.index(arg)
        return tuple(ring[at:] + ring[:at])
    return (arg, *ring)


def _is_plain(expr: Deref) -> bool:
    """Whether it reads just what a pointer points to, so that the pointer is the value to vary."""
    return expr.offset == 0 and not expr.user
