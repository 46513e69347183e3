"""Lines from articles written before 4.17, made to fit today's system call entries.

Until 4.17 ``sys_execve`` had the call's arguments in registers. Since then ``__x64_sys_execve`` has one
argument, a pointer to the user's saved registers, so that ``+0(%di):string`` there reads the registers
themselves as text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kptui.probes.abi import PT_REGS, WrapperAbi, argument_number, syscall_arg_offset, wrapper_abi
from kptui.probes.exprs import ArgN, ArgType, Deref, Expr, FetchArg, Register

_REGISTER_SLOTS: Final = frozenset(PT_REGS.values()) - {0, 8, 16, 24, 32, 48}
"""Offsets in pt_regs worth reading: those of r15 to r12, bp and r11 are likelier offsets into what a register
points to.
"""


def rewrite_for_wrapper(arg: FetchArg, symbol: str) -> FetchArg | None:
    """An argument written for a call's own registers, as it must read on the wrapper ``symbol`` that gets a
    pt_regs.

    ``filename=+0(%di):string`` on ``__x64_sys_execve`` -> ``filename=+0(+112(%di)):ustring``. Numbers keep
    their type. None where nothing is to be rewritten: no wrapper, no argument register, or pt_regs are read
    already.
    """
    abi = wrapper_abi(symbol)
    if abi is None or _reads_pt_regs(arg.expr, abi):
        return None
    expr = _through_pt_regs(arg.expr, abi)
    if expr is None:
        return None
    kind = arg.type
    if kind is not None and kind.is_string:
        if not isinstance(arg.expr, Deref):
            expr = Deref(0, expr)
        kind = ArgType("ustring", kind.count)
    return replace(arg, expr=expr, type=kind)


def _reads_pt_regs(expr: Expr, abi: WrapperAbi) -> bool:
    if not isinstance(expr, Deref):
        return False
    if expr.expr in {Register("di"), ArgN(1)}:
        slots = {syscall_arg_offset(n, abi) for n in range(1, 7)} | _REGISTER_SLOTS
        return not expr.user and expr.offset in slots
    return _reads_pt_regs(expr.expr, abi)


def _through_pt_regs(expr: Expr, abi: WrapperAbi) -> Expr | None:
    if isinstance(expr, Deref):
        inner = _through_pt_regs(expr.expr, abi)
        return None if inner is None else replace(expr, expr=inner)
    number: int | None = None
    if isinstance(expr, Register):
        number = 4 if expr.name == "r10" else argument_number(expr.name)
    elif isinstance(expr, ArgN):
        number = expr.index
    if number is None or number > 6:
        return None
    return Deref(syscall_arg_offset(number, abi), Register("di"))
