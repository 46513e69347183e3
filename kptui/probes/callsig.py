"""The parameters of a system call, which its entry function finds in the caller's saved registers.

The function itself has one parameter, a ``struct pt_regs *``; what people ask for is what the program passed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kptui.btf import Btf, ctext
from kptui.btf.types import ENUM, ENUM64, INT, STRUCT, TYPEDEF, UNION
from kptui.probes.abi import SYSCALL_REGISTERS, WrapperAbi, syscall_of, wrapper_abi
from kptui.probes.exprs import ArgType, Deref, Expr, FetchArg, Retval
from kptui.probes.params import RESULT, Parameter, Signature, argument_name
from kptui.probes.slots import Slot
from kptui.probes.syscalls import SyscallArg, known_call, natural_kind

ARGV_ARRAY: Final = 6
"""Strings of an argv that are fetched as an array."""

NARROW_STRUCTS: Final = {"iovec": "compat_iovec"}
"""What lies behind a 32-bit program's pointer to a structure that the call's declaration names in its 64-bit form."""

_LONG: Final = {
    "unsigned long": "long unsigned int", "long": "long int", "unsigned": "unsigned int",
    "unsigned short": "short unsigned int",
}  # fmt: skip
_TAGGED: Final = {"struct": (STRUCT,), "union": (UNION,), "enum": (ENUM, ENUM64)}


def call_arguments(
    symbol: str, btf: Btf | None = None, own: tuple[SyscallArg, ...] | None = None
) -> tuple[SyscallArg, ...] | None:
    """The arguments of the system call behind a function's name; None if nobody knows them.

    ``own`` is what the target's tracefs says of the call (syscalls.enter_event). The table's way to read an argument
    is kept where the target has one of that name: it knows buffers from text.
    """
    table = known_call(symbol)
    told = own if own is not None else _by_btf(symbol, btf)
    if told is None:
        return table
    known = {arg.name: arg for arg in table or ()}
    return tuple(known.get(arg.name, arg) for arg in told)


def _by_btf(symbol: str, btf: Btf | None) -> tuple[SyscallArg, ...] | None:
    call = syscall_of(symbol)
    if btf is None or call is None:
        return None
    compat = "compat_" if "_compat_sys_" in symbol else ""
    proto = btf.prototype(f"__do_{compat}sys_{call}")
    if proto is None:
        return None
    args = []
    for member in proto.members:
        ctype = ctext.declaration(btf, member.type)
        if ctype == "const struct pt_regs *":  # SYSCALL_DEFINE0
            return ()
        if ctype.endswith("*") and "__user" not in ctype:
            ctype = f"{ctype[:-1].rstrip()} __user *"
        kind = natural_kind(ctype)
        args.append(
            SyscallArg(member.name, ctype, "x64" if kind == "ustring" and "const" not in ctype else kind)
        )
    return tuple(args)


def call_signature(
    symbol: str, btf: Btf | None = None, own: tuple[SyscallArg, ...] | None = None
) -> Signature | None:
    """The signature of the call whose entry takes a ``struct pt_regs *``; None for other functions and unknown calls.

    Types have an id where ``btf`` has them (pointers only), else 0. Slots are ``saved`` registers.
    """
    abi = wrapper_abi(symbol)
    args = call_arguments(symbol, btf, own) if abi is not None else None
    if abi is None or args is None:
        return None
    parameters = []
    taken: set[str] = set()
    for index, (arg, register) in enumerate(zip(args, SYSCALL_REGISTERS[abi], strict=False), 1):
        slot = Slot((register,), size=4 if abi == "ia32" else 8, saved=True)
        name = argument_name(arg.name, taken)
        taken.add(name)
        assert slot.word is not None
        pointer = arg.ctype.endswith("*")
        struct = NARROW_STRUCTS.get(arg.struct or "") if abi == "ia32" else None
        told = arg.ctype if struct is None else f"struct {struct} *"
        parameters.append(
            Parameter(
                index,
                arg.name,
                arg.ctype,
                (type_id(btf, told) if btf is not None and pointer else None) or 0,
                slot,
                call_fetch(arg, name, slot.word, abi),
                note="in user memory" if pointer else "",
                user=pointer,
            )
        )
    value = FetchArg(Retval(), argument_name("ret", taken), ArgType("s64"))
    returns = Parameter(0, RESULT, "long", 0, Slot(("retval",), size=8), value)
    return Signature(symbol, call_prototype(symbol, args), tuple(parameters), returns)


def call_prototype(symbol: str, args: Sequence[SyscallArg]) -> str:
    """``long sys_close(unsigned int fd)``, for whatever function of that call ``symbol`` is."""
    shown = ", ".join(f"{a.ctype}{'' if a.ctype.endswith('*') else ' '}{a.name}" for a in args) or "void"
    return f"long {'compat_' if '_compat_sys_' in symbol else ''}sys_{syscall_of(symbol)}({shown})"


def call_fetch(arg: SyscallArg, name: str, source: Expr, abi: WrapperAbi | None) -> FetchArg:
    """What reads an argument that is at ``source``: the text behind a pointer to text, else the value."""
    if arg.kind in {"ustring", "string"}:
        return FetchArg(Deref(0, source), name, ArgType(arg.kind))
    if arg.kind == "argv" and abi != "ia32":
        return FetchArg(Deref(0, source), name, ArgType("ustring", ARGV_ARRAY))
    return FetchArg(source, name, ArgType(narrowed("x64" if arg.kind == "argv" else arg.kind, abi)))


def narrowed(kind: str, abi: WrapperAbi | None) -> str:
    """A 32-bit caller's registers hold 32 bits."""
    return kind.replace("64", "32") if abi == "ia32" else kind


def type_id(btf: Btf, ctype: str) -> int | None:
    """The id of a type as C writes it (``const struct sockaddr __user *``), qualifiers apart; None if BTF has none."""
    words = re.sub(r"\b(?:const|volatile|__user)\b|\*", " ", ctype).split()
    name, pointers = " ".join(words), ctype.count("*")
    if len(words) == 2 and words[0] in _TAGGED:
        found = btf.find(words[1], *_TAGGED[words[0]])
    else:
        found = (0,) if name == "void" else btf.find(_LONG.get(name, name), TYPEDEF, INT)
    number = found[0] if found else None
    for _ in range(pointers):
        number = None if number is None else btf.pointer_to(number)
    return number
