"""What the helper's rows are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from kptui.btf import Btf
from kptui.probes.check.fetch import RESERVED
from kptui.probes.exprs import ArgType, Expr, FetchArg
from kptui.probes.fetch import MAX_NAME
from kptui.probes.params import argument_name
from kptui.probes.syscalls import SyscallArg

LONGEST: Final = 62
"""Characters of an argument behind its name that every kernel takes (MAX_ARGSTR_LEN is 63)."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One row. ``where`` is the place in short (``%di``, ``+112(%di)``, ``$retval``), ``name`` and ``ctype``
    what is known of it ('' if nothing), ``arg`` the argument to add, ``note`` one remark ('' if none).
    ``native`` reads the same in the kernel's own words, where the target understands them.
    """

    where: str
    name: str
    ctype: str
    arg: FetchArg
    note: str = ""
    native: FetchArg | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """The rows for a place, likeliest first; above them the ``prototype`` in C ('' if unknown) and one ``remark``."""

    rows: tuple[Suggestion, ...]
    prototype: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of the kernel that a suggestion is for.

    ``btf``: the types of the kernel, or of the module that has the function. ``features``: as
    check.traits.README_FEATURES names them. ``call``: what tracefs says of the system call at the place.
    """

    btf: Btf | None = None
    features: frozenset[str] = field(default_factory=frozenset)
    call: tuple[SyscallArg, ...] | None = None


NOTHING: Final = Knowledge()


def row(where: str, name: str, ctype: str, expr: Expr, type_: str | None, *, note: str = "") -> Suggestion:
    return Suggestion(where, name, ctype, FetchArg(expr, name, ArgType(type_) if type_ else None), note)


def renamed(arg: FetchArg | None, name: str) -> FetchArg | None:
    return None if arg is None else replace(arg, name=name)


def finished(rows: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The rows whose arguments every kernel can read, under names of their own."""
    taken: set[str] = set()
    result: list[Suggestion] = []
    for found in rows:
        if _too_long(found.arg):
            continue
        native = found.native if found.native is not None and not _too_long(found.native) else None
        name = found.name
        if name in taken or name in RESERVED or len(name) > MAX_NAME:
            name = argument_name(name, taken)
        taken.add(name)
        result.append(
            replace(found, name=name, arg=replace(found.arg, name=name), native=renamed(native, name))
        )
    return tuple(result)


def _too_long(arg: FetchArg) -> bool:
    return len(str(replace(arg, name=None)).encode()) > LONGEST
