"""What a person would want to see at a place, as ready fetch arguments: the argument helper's rows.

System call entries get the call's own arguments through pt_regs; other functions the registers and stack
words that hold arguments at their first instruction; return probes the returned value in its likely types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kptui.probes.abi import (
    ARGUMENT_REGISTERS,
    SYSCALL_REGISTERS,
    WrapperAbi,
    argument_place,
    syscall_arg_offset,
    syscall_of,
    wrapper_abi,
)
from kptui.probes.definition import Kind, Place
from kptui.probes.exprs import (
    ArgType,
    Comm,
    Deref,
    Expr,
    FetchArg,
    Register,
    Retval,
    StackEntry,
)
from kptui.probes.fetch import parse_expr
from kptui.probes.syscalls import FUNCTIONS, STRUCTS, SYSCALLS, SyscallArg
from kptui.probes.variants import variants, with_name, with_type, wrap_deref

__all__ = [
    "Suggestion", "suggestions", "variants",
    "with_name", "with_type", "wrap_deref",
]  # fmt: skip

ARGV_STRINGS: Final = 3
ARGV_ARRAY: Final = 6

_CLONE = re.compile(r"\.(isra|constprop|part|cold|llvm|lto_priv)\b")
_CLONE_NOTES = {
    "isra": "clone (.isra): the compiler changed its parameters",
    "constprop": "clone (.constprop): the compiler dropped parameters",
    "part": "a part of a function (.part): registers may hold anything",
    "cold": "the cold part of a function: registers may hold anything",
}
_SECTION_STARTS = frozenset({"_text", "_stext"})  # how one copy of a duplicate symbol is named: _text+OFFSET
_UNKNOWN = "an argument only if this is a function's first instruction"
_MOVED = "not at the function's first instruction: no longer an argument"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One row. ``where`` is the place in short (``%di``, ``+112(%di)``, ``$retval``), ``name`` and ``ctype``
    what is known
    of it ('' if nothing), ``arg`` the argument to add, ``note`` one remark ('' if none).
    """

    where: str
    name: str
    ctype: str
    arg: FetchArg
    note: str = ""


def suggestions(place: Place, kind: Kind) -> tuple[Suggestion, ...]:
    """The rows for an entry (``p``) or return (``r``) probe at ``place``, likeliest first.

    All argument names are different and valid; every row's ``arg`` stands alone in a definition at that
    place.
    """
    if kind == "r":
        rows = list(_returned())
    elif not place.is_entry:
        known_place = place.symbol is not None and place.symbol not in _SECTION_STARTS
        rows = list(_registers(_MOVED if known_place else _UNKNOWN))
    else:
        rows = list(_entry(place.symbol or ""))
    rows.append(_row("$comm", "comm", "char [16]", Comm(), None, note="name of the current task"))
    if kind == "p" and place.is_entry:
        rows.append(
            _row("$stack0", "caller", "return address", StackEntry(0), "symbol", note="who called it")
        )
    return _unique(rows)


def _row(where: str, name: str, ctype: str, expr: Expr, type_: str | None, *, note: str = "") -> Suggestion:
    return Suggestion(where, name, ctype, FetchArg(expr, name, ArgType(type_) if type_ else None), note)


def _entry(symbol: str) -> Iterator[Suggestion]:
    call = syscall_of(symbol)
    abi = wrapper_abi(symbol)
    if abi is not None and call is not None:
        known = SYSCALLS.get(call)
        yield from _numbered_syscall(abi) if known is None else _call(known, abi)
        yield _row(
            "+120(%di)", "nr", "unsigned long", Deref(120, Register("di")), "u64", note="number of the call"
        )
        return
    known = FUNCTIONS.get(symbol)
    if known is None and call is not None and (symbol.startswith("__") or call in SYSCALLS):
        known = SYSCALLS.get(call)
    if known is not None:
        yield from _call(known, None)
        return
    clone = _CLONE.search(symbol)
    yield from _function(_CLONE_NOTES.get(clone[1], f"clone (.{clone[1]})") if clone else "")


def _function(warning: str) -> Iterator[Suggestion]:
    """Registers and stack words of a function of which nothing is known."""
    for n in range(1, 9):
        place = argument_place(n)
        note = warning or (f"argument {n}" if n <= 6 else f"argument {n}, if the function has so many")
        yield _row(place, f"arg{n}", "", parse_expr(place), "x64", note=note)
    for prefix, type_, whose in (("str", "string", "kernel"), ("ustr", "ustring", "user")):
        for n, register in enumerate(ARGUMENT_REGISTERS, 1):
            note = warning or f"argument {n} as a pointer to text in {whose} memory"
            yield _row(f"%{register}", f"{prefix}{n}", "", Deref(0, Register(register)), type_, note=note)


def _registers(note: str) -> Iterator[Suggestion]:
    for register in (
        *ARGUMENT_REGISTERS,
        "ax",
        "bx",
        "bp",
        "r10",
        "r11",
        "r12",
        "r13",
        "r14",
        "r15",
        "sp",
        "flags",
    ):
        yield _row(f"%{register}", register, "", Register(register), "x64", note=note)


def _returned() -> Iterator[Suggestion]:
    value = Retval()
    yield _row("$retval", "ret", "int", value, "s32", note="int; errors are -1 to -4095")
    yield _row("$retval", "ret64", "long, ssize_t", value, "s64", note="long; errors are -1 to -4095")
    yield _row("$retval", "retptr", "pointer", value, "x64", note="pointer or flags")
    yield _row("$retval", "retu", "unsigned int", value, "u32")
    yield _row("$retval", "retbool", "bool", value, "u8", note="only the low 8 bits are defined")
    yield _row("$retval", "retstr", "char *", Deref(0, value), "string", note="text in kernel memory")
    yield _row("$retval", "retustr", "char __user *", Deref(0, value), "ustring", note="text in user memory")
    yield _row("$retval", "retsym", "function pointer", value, "symbol", note="as a kernel symbol")


def _numbered_syscall(abi: WrapperAbi) -> Iterator[Suggestion]:
    note = "through pt_regs: the call is not in the table"
    for n in range(1, 7):
        offset = syscall_arg_offset(n, abi)
        expr = Deref(offset, Register("di"))
        yield _row(
            str(expr), f"arg{n}", f"user's %{SYSCALL_REGISTERS[abi][n - 1]}", expr, _word(abi), note=note
        )


def _word(abi: WrapperAbi | None) -> str:
    return "x32" if abi == "ia32" else "x64"


def _call(parameters: Sequence[SyscallArg], abi: WrapperAbi | None) -> Iterator[Suggestion]:
    """Parameters in order, each with what can be read behind it; pointers as bare addresses come last."""
    late: list[Suggestion] = []
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
            if abi != "ia32" and name == "argv":
                yield from _argv(name, ctype, source)
            elif abi != "ia32":
                late += _argv(name, ctype, source)
            late.append(
                _row(
                    where, name if abi == "ia32" else f"{name}_ptr", ctype, source, _word(abi), note="address"
                )
            )
        elif kind in {"ustring", "string"}:
            yield _row(where, name, ctype, Deref(0, source), kind, note="(fault) until its page was touched")
            late.append(_row(where, f"{name}_ptr", ctype, source, _word(abi), note="address"))
        elif ctype.endswith("*"):
            yield _row(where, name, ctype, source, _word(abi), note="address")
            late += _behind(parameter, source)
        else:
            yield _row(where, name, ctype, source, _narrowed(kind, abi))
    yield from late


def _narrowed(kind: str, abi: WrapperAbi | None) -> str:
    """A 32-bit caller's registers hold 32 bits."""
    return kind.replace("64", "32") if abi == "ia32" else kind


def _argv(name: str, ctype: str, source: Expr) -> Iterator[Suggestion]:
    for index in range(ARGV_STRINGS):
        pointer = Deref(8 * index, source)
        yield _row(
            str(pointer), f"{name}{index}", ctype, Deref(0, pointer), "ustring", note=f"{name}[{index}]"
        )
    note = f"first {ARGV_ARRAY}; after the last one come (fault) and foreign text"
    strings = FetchArg(Deref(0, source), name, ArgType("ustring", ARGV_ARRAY))
    yield Suggestion(str(source), name, ctype, strings, note)


def _behind(parameter: SyscallArg, source: Expr) -> Iterator[Suggestion]:
    name, where, user = parameter.name, str(source), "__user" in parameter.ctype
    if "char" in parameter.ctype:
        text = "ustring" if user else "string"
        yield _row(
            where, f"{name}_text", parameter.ctype, Deref(0, source), text, note="as text, up to a NUL byte"
        )
    for member, offset, type_ in STRUCTS.get(parameter.struct or "", ()):
        note = "network byte order" if member.endswith("_be") else ""
        expr = Deref(offset, source, user)
        yield _row(str(expr), f"{name}_{member}", f"{parameter.struct}.{member}", expr, type_, note=note)


def _unique(rows: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    taken: set[str] = set()
    result: list[Suggestion] = []
    for row in rows:
        name, number = row.name, 2
        while name in taken:
            name, number = f"{row.name}_{number}", number + 1
        taken.add(name)
        result.append(row if name == row.name else replace(row, name=name, arg=replace(row.arg, name=name)))
    return tuple(result)
