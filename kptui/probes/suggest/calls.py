"""Rows for system calls: what the program passed, and what is behind its pointers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from kptui.probes.abi import WrapperAbi, argument_place, syscall_arg_offset
from kptui.probes.callsig import ARGV_ARRAY, NARROW_STRUCTS, narrowed, type_id
from kptui.probes.exprs import ArgType, Deref, Expr, FetchArg, Register
from kptui.probes.fetch import parse_expr
from kptui.probes.suggest.rows import Knowledge, Suggestion, row
from kptui.probes.suggest.userstructs import AS_TEXT, in_layout
from kptui.probes.syscalls import STRUCTS, SyscallArg
from kptui.probes.walk import Spot
from kptui.probes.walk.spot import reach
from kptui.probes.walk.walker import flattened

ARGV_STRINGS: Final = 3
_FILLER: Final = re.compile(r"_*(?:pad|unused|reserved|spare)\w*")
MEMBERS: Final = 8
"""Members of a user's structure that are offered; the walker has them all."""


def of_call(
    parameters: Sequence[SyscallArg], abi: WrapperAbi | None, known: Knowledge
) -> Iterator[Suggestion]:
    """Parameters in order, each with what can be read behind it; pointers as bare addresses come last.

    ``abi`` None: they are in the registers of an ordinary function.
    """
    late: list[Suggestion] = []
    word = narrowed("x64", abi)
    for n, parameter in enumerate(parameters, 1):
        source: Expr
        source = (
            parse_expr(argument_place(n))
            if abi is None
            else Deref(syscall_arg_offset(n, abi), Register("di"))
        )
        where = str(source)
        name, ctype, kind = parameter.name, parameter.ctype, parameter.kind
        if kind == "argv":
            if abi != "ia32":
                strings = list(_argv(name, ctype, source))
                if name == "argv":
                    yield from strings
                else:
                    late += strings
            late.append(
                row(where, name if abi == "ia32" else f"{name}_ptr", ctype, source, word, note="address")
            )
        elif kind in {"ustring", "string"}:
            yield row(where, name, ctype, Deref(0, source), kind, note="(fault) until its page was touched")
            late.append(row(where, f"{name}_ptr", ctype, source, word, note="address"))
        elif ctype.endswith("*"):
            yield row(where, name, ctype, source, word, note="address")
            late += _behind(parameter, source, known, abi)
        else:
            yield row(where, name, ctype, source, narrowed(kind, abi))
    yield from late


def _argv(name: str, ctype: str, source: Expr) -> Iterator[Suggestion]:
    for index in range(ARGV_STRINGS):
        pointer = Deref(8 * index, source)
        yield row(
            str(pointer), f"{name}{index}", ctype, Deref(0, pointer), "ustring", note=f"{name}[{index}]"
        )
    note = f"first {ARGV_ARRAY}; after the last one come (fault) and foreign text"
    strings = FetchArg(Deref(0, source), name, ArgType("ustring", ARGV_ARRAY))
    yield Suggestion(str(source), name, ctype, strings, note)


def _behind(
    parameter: SyscallArg, source: Expr, known: Knowledge, abi: WrapperAbi | None
) -> Iterator[Suggestion]:
    name, where, user = parameter.name, str(source), "__user" in parameter.ctype
    if "char" in parameter.ctype or ("void" in parameter.ctype and "buf" in name):
        text = "ustring" if user else "string"
        yield row(
            where,
            f"{name}_text",
            parameter.ctype,
            Deref(0, source),
            text,
            note=AS_TEXT,
        )
    tag = parameter.struct
    if tag is not None and abi == "ia32":
        tag = NARROW_STRUCTS.get(tag, tag)
    if tag is None:
        yield from _number(parameter, source, known)
        return
    if tag not in STRUCTS:
        yield from _members(parameter, source, known)
    yield from in_layout(name, tag, source, user)


def _number(parameter: SyscallArg, source: Expr, known: Knowledge) -> Iterator[Suggestion]:
    """The number behind a pointer to one (``loff_t *``, ``int *``)."""
    pointed = None if known.btf is None else type_id(known.btf, parameter.ctype.replace("*", "", 1))
    if known.btf is None or not pointed or parameter.ctype.count("*") != 1:
        return
    spot = Spot(f"*{parameter.name}", parameter.name, pointed, base=source, user="__user" in parameter.ctype)
    reached = reach(known.btf, spot, f"{parameter.name}_value", chars="char" in known.features)
    if reached.fetch is not None and "char" not in parameter.ctype:
        yield Suggestion(
            str(reached.fetch.expr),
            f"{parameter.name}_value",
            reached.ctype,
            reached.fetch,
            "behind the pointer",
        )


def _members(parameter: SyscallArg, source: Expr, known: Knowledge) -> Iterator[Suggestion]:
    """The first members of a structure in the program's memory, as the kernel's types have it."""
    number = None if known.btf is None else type_id(known.btf, parameter.ctype.removesuffix("*").rstrip())
    struct = None if known.btf is None or number is None else known.btf.resolved(number)
    if known.btf is None or struct is None:
        return
    shown = 0
    for member, _ in flattened(known.btf, struct):
        if _FILLER.fullmatch(member.name):
            continue
        name = f"{parameter.name}_{member.name}"
        spot = Spot(
            f"{parameter.name}->{member.name}",
            member.name,
            member.type,
            member.bits,
            member.width,
            source,
            user="__user" in parameter.ctype,
        )
        reached = reach(known.btf, spot, name, chars="char" in known.features)
        if reached.fetch is None:
            continue
        yield Suggestion(
            str(reached.fetch.expr), name, reached.ctype, reached.fetch, reached.note or spot.path
        )
        shown += 1
        if shown == MEMBERS:
            return
