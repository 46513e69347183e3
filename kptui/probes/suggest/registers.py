"""Rows for places of which no prototype is known: registers, the stack, the returned value in its likely types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kptui.probes.abi import (
    ARGUMENT_REGISTERS,
    SYSCALL_REGISTERS,
    WrapperAbi,
    argument_place,
    syscall_arg_offset,
)
from kptui.probes.exprs import ArgN, Deref, Register, Retval
from kptui.probes.fetch import parse_expr
from kptui.probes.suggest.rows import Suggestion, row

_OTHERS: Final = ("ax", "bx", "bp", "r10", "r11", "r12", "r13", "r14", "r15", "sp", "flags")


def of_function(warning: str) -> Iterator[Suggestion]:
    """Registers and stack words of a function of which nothing is known."""
    for n in range(1, 9):
        place = argument_place(n)
        note = warning or (f"argument {n}" if n <= 6 else f"argument {n}, if the function has so many")
        yield row(place, f"arg{n}", "", parse_expr(place), "x64", note=note)
    for prefix, type_, whose in (("str", "string", "kernel"), ("ustr", "ustring", "user")):
        for n, register in enumerate(ARGUMENT_REGISTERS, 1):
            note = warning or f"argument {n} as a pointer to text in {whose} memory"
            yield row(f"%{register}", f"{prefix}{n}", "", Deref(0, Register(register)), type_, note=note)


def inside_function(note: str) -> Iterator[Suggestion]:
    """All registers, at a place that is no entry."""
    for register in (*ARGUMENT_REGISTERS, *_OTHERS):
        yield row(f"%{register}", register, "", Register(register), "x64", note=note)


def returned(*, long: bool = False) -> Iterator[Suggestion]:
    """The result of a function whose type is unknown; ``long``: but that it is 64 bits wide."""
    value = Retval()
    if long:
        yield row("$retval", "ret", "long", value, "s64", note="errors are -1 to -4095")
    else:
        yield row("$retval", "ret", "int", value, "s32", note="int; errors are -1 to -4095")
        yield row("$retval", "ret64", "long, ssize_t", value, "s64", note="long; errors are -1 to -4095")
    yield row("$retval", "retptr", "pointer", value, "x64", note="pointer or flags")
    yield row("$retval", "retu", "unsigned int", value, "u32")
    yield row("$retval", "retbool", "bool", value, "u8", note="only the low 8 bits are defined")
    yield row("$retval", "retstr", "char *", Deref(0, value), "string", note="text in kernel memory")
    yield row("$retval", "retustr", "char __user *", Deref(0, value), "ustring", note="text in user memory")
    yield row("$retval", "retsym", "function pointer", value, "symbol", note="as a kernel symbol")


def at_return(warning: str) -> Iterator[Suggestion]:
    """Arguments of a function of which nothing is known, as its entry had them."""
    for n in range(1, 7):
        note = warning or f"argument {n}, as it was at the entry"
        yield row(f"$arg{n}", f"arg{n}", "", ArgN(n), "x64", note=note)


def of_unknown_call(abi: WrapperAbi) -> Iterator[Suggestion]:
    """The six places of a system call's arguments."""
    for n in range(1, 7):
        expr = Deref(syscall_arg_offset(n, abi), Register("di"))
        ctype = f"user's %{SYSCALL_REGISTERS[abi][n - 1]}"
        yield row(
            str(expr), f"arg{n}", ctype, expr, "x32" if abi == "ia32" else "x64", note="through pt_regs"
        )
