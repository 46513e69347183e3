"""Where x86-64 keeps arguments and results, and how the kernel's probe language calls those places.

Sources: System V ABI for x86-64 (arguments in rdi, rsi, rdx, rcx, r8, r9, then the stack; syscalls take r10
for rcx); the register names of arch/x86/kernel/ptrace.c ``regoffset_table``; ``struct pt_regs`` in
arch/x86/include/asm/ptrace.h. Since 4.17 a syscall's entry function takes one argument, a pointer to the
``pt_regs`` of the user's registers.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal

ARGUMENT_REGISTERS: Final = ("di", "si", "dx", "cx", "r8", "r9")
"""Registers of the first six integer arguments at a function's entry, in order."""

REGISTERS: Final = (
    "r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8", "bx", "cx", "dx", "si", "di", "bp", "ax", "orig_ax",
    "ip", "cs", "flags", "sp", "ss",
)  # fmt: skip
"""Every name that may follow ``%``: exact and in lower case."""

PT_REGS: Final = MappingProxyType({
    "r15": 0, "r14": 8, "r13": 16, "r12": 24, "bp": 32, "bx": 40, "r11": 48, "r10": 56, "r9": 64, "r8": 72,
    "ax": 80, "cx": 88, "dx": 96, "si": 104, "di": 112, "orig_ax": 120, "ip": 128, "cs": 136, "flags": 144,
    "sp": 152, "ss": 160,
})  # fmt: skip
"""Byte offset of each saved register in ``struct pt_regs`` (168 bytes)."""

WrapperAbi = Literal["x64", "ia32"]
"""Who called: a 64-bit program (or x32), or a 32-bit one, whose arguments travel in other registers."""

SYSCALL_REGISTERS: Final = MappingProxyType[WrapperAbi, tuple[str, ...]]({
    "x64": ("di", "si", "dx", "r10", "r8", "r9"),  # the syscall instruction overwrites rcx: r10 instead
    "ia32": ("bx", "cx", "dx", "si", "di", "bp"),
})  # fmt: skip

_WRAPPERS: Final[tuple[tuple[str, WrapperAbi], ...]] = (
    ("__x64_sys_", "x64"),
    ("__x64_compat_sys_", "x64"),
    ("__x32_compat_sys_", "x64"),
    ("__ia32_compat_sys_", "ia32"),
    ("__ia32_sys_", "ia32"),
)
_PLAIN = ("__se_sys_", "__do_sys_", "__se_compat_sys_", "__do_compat_sys_")
_ALIASES = ("SyS_", "sys_")
_INDEXED = {"di": 0, "si": 1, "dx": 2, "cx": 3, "r8": 4, "r9": 5}

# The low parts of the registers and their 64-bit owners, as an assembler would call them.
_OWNERS: Final = MappingProxyType(
    {
        alias: name
        for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip", "flags")
        for alias in (f"r{name}", f"e{name}")
    }
    | {f"{letter}{part}": f"{letter}x" for letter in "abcd" for part in "lh"}
    | {"sil": "si", "dil": "di", "bpl": "bp", "spl": "sp", "orig_rax": "orig_ax", "orig_eax": "orig_ax"}
    | {f"r{n}{part}": f"r{n}" for n in range(8, 16) for part in "dwb"}
    | {"pc": "ip", "fp": "bp", "lr": "ip"}
)


def syscall_arg_offset(n: int, abi: WrapperAbi = "x64") -> int:
    """Byte offset in ``struct pt_regs`` of the syscall's argument ``n`` (1 to 6). ValueError beyond."""
    registers = SYSCALL_REGISTERS[abi]
    if not 1 <= n <= len(registers):
        raise ValueError(f"a system call has arguments 1 to 6, not {n}")
    return PT_REGS[registers[n - 1]]


def argument_place(n: int) -> str:
    """Where argument ``n`` (from 1) of an ordinary function is at its entry: ``%di`` … ``%r9``, ``$stack1``,
    ``$stack2`` …

    ``$stack0`` is the return address there. Counts integers and pointers only: structs by value shift the
    rest.
    """
    if n < 1:
        raise ValueError(f"arguments count from 1, not {n}")
    return f"%{ARGUMENT_REGISTERS[n - 1]}" if n <= len(ARGUMENT_REGISTERS) else f"$stack{n - 6}"


def argument_number(register: str) -> int | None:
    """1 to 6 for the register of a function's argument at its entry, else None."""
    index = _INDEXED.get(register)
    return None if index is None else index + 1


def mistaken_register(name: str) -> str | None:
    """The register that was meant by a name that the kernel does not know: ``rdi``, ``edi``, ``DI``, ``r8d``
    -> ``di``, ``r8``.

    None for a correct name and for one that means nothing here (segment registers, xmm0).
    """
    if name in REGISTERS:
        return None
    lower = name.lower().lstrip("%")
    if lower in REGISTERS:
        return lower
    return _OWNERS.get(lower)


def wrapper_abi(symbol: str) -> WrapperAbi | None:
    """For a syscall entry that takes a ``struct pt_regs *``: whose registers these are; else None."""
    for prefix, abi in _WRAPPERS:
        if symbol.startswith(prefix) and len(symbol) > len(prefix):
            return abi
    return None


def syscall_of(symbol: str) -> str | None:
    """The system call behind a function's name: ``__x64_sys_execve``, ``__se_sys_execve``, ``sys_execve`` ->
    ``execve``; else None.
    """
    for prefix in (*(prefix for prefix, _ in _WRAPPERS), *_PLAIN, *_ALIASES):
        if symbol.startswith(prefix) and len(symbol) > len(prefix):
            return symbol.removeprefix(prefix)
    return None
