from __future__ import annotations

import pytest

from kptui.probes.abi import (
    ARGUMENT_REGISTERS,
    PT_REGS,
    REGISTERS,
    argument_number,
    argument_place,
    mistaken_register,
    syscall_arg_offset,
    syscall_of,
    wrapper_abi,
)


def test_pt_regs_is_dense_and_has_every_register() -> None:
    assert sorted(PT_REGS.values()) == list(range(0, 168, 8))
    assert set(PT_REGS) == set(REGISTERS)


def test_offsets_of_syscall_arguments() -> None:
    assert [syscall_arg_offset(n) for n in range(1, 7)] == [112, 104, 96, 56, 72, 64]
    assert [syscall_arg_offset(n, "ia32") for n in range(1, 7)] == [40, 88, 96, 104, 112, 32]
    for n in (0, 7):
        with pytest.raises(ValueError, match="arguments 1 to 6"):
            syscall_arg_offset(n)


def test_places_of_arguments() -> None:
    assert [argument_place(n) for n in range(1, 9)] == [
        "%di", "%si", "%dx", "%cx", "%r8", "%r9", "$stack1", "$stack2",
    ]  # fmt: skip
    assert [argument_number(name) for name in (*ARGUMENT_REGISTERS, "ax")] == [1, 2, 3, 4, 5, 6, None]
    with pytest.raises(ValueError, match="count from 1"):
        argument_place(0)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rdi", "di"), ("edi", "di"), ("DI", "di"), ("RDI", "di"), ("dil", "di"), ("al", "ax"), ("ah", "ax"),
        ("rax", "ax"), ("r8d", "r8"), ("r10b", "r10"), ("rip", "ip"), ("rsp", "sp"), ("rflags", "flags"),
        ("orig_rax", "orig_ax"), ("di", None), ("fs", None), ("xmm0", None), ("", None), ("x0", None),
    ],
)  # fmt: skip
def test_mistaken_registers(typed: str, meant: str | None) -> None:
    assert mistaken_register(typed) == meant
    assert meant is None or meant in REGISTERS


@pytest.mark.parametrize(
    ("symbol", "call", "abi"),
    [
        ("__x64_sys_execve", "execve", "x64"),
        ("__ia32_sys_execve", "execve", "ia32"),
        ("__ia32_compat_sys_execve", "execve", "ia32"),
        ("__x64_compat_sys_execve", "execve", "x64"),
        ("__se_sys_read", "read", None),
        ("__do_sys_read", "read", None),
        ("sys_execve", "execve", None),
        ("SyS_execve", "execve", None),
        ("__x64_sys_", None, None),
        ("vfs_read", None, None),
    ],
)
def test_system_calls_by_symbol(symbol: str, call: str | None, abi: str | None) -> None:
    assert syscall_of(symbol) == call
    assert wrapper_abi(symbol) == abi
