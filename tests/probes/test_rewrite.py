from __future__ import annotations

import pytest

from kptui.probes.fetch import parse_fetcharg
from kptui.probes.rewrite import modern_symbol, rewrite_for_wrapper, rewrite_line


def test_the_line_of_the_article() -> None:
    assert rewrite_line(
        "p:test_probe sys_execve filename=+0(%di):string arg1=+0(+0(%si)):string"
    ) == (
        "p:test_probe __x64_sys_execve filename=+0(+112(%di)):ustring arg1=+0(+0(+104(%di))):ustring"
    )  # fmt: skip


@pytest.mark.parametrize("symbol", ["sys_execve", "SyS_execve"])
def test_a_rewritten_line_is_left_alone(symbol: str) -> None:
    once = rewrite_line(f"p:x {symbol} filename=+0(%di):string n=%dx:u64")
    assert once == "p:x __x64_sys_execve filename=+0(+112(%di)):ustring n=+96(%di):u64"
    assert rewrite_line(once) is None


@pytest.mark.parametrize(
    ("typed", "rewritten"),
    [
        ("a=%di", "a=+112(%di)"),
        ("a=%si:s32", "a=+104(%di):s32"),
        ("a=%dx:u64", "a=+96(%di):u64"),
        ("a=%cx", "a=+56(%di)"),  # written as a function's fourth argument
        ("a=%r10", "a=+56(%di)"),  # or as the call's
        ("a=%r8", "a=+72(%di)"),
        ("a=%r9:x32", "a=+64(%di):x32"),
        ("a=$arg2:s32", "a=+104(%di):s32"),
        ("+0(%si):string", "+0(+104(%di)):ustring"),
        ("+0(%si):ustring", "+0(+104(%di)):ustring"),
        ("a=+0(+8(%si)):string", "a=+0(+8(+104(%di))):ustring"),
        ("a=+u8(+u0(%si)):u32", "a=+u8(+u0(+104(%di))):u32"),
        ("a=+0(%si):string[4]", "a=+0(+104(%di)):ustring[4]"),
        ("a=%di:string", "a=+0(+112(%di)):ustring"),
        ("a=+8(%di):u32", "a=+8(+112(%di)):u32"),
    ],
)
def test_arguments_of_a_wrapper(typed: str, rewritten: str) -> None:
    changed = rewrite_for_wrapper(parse_fetcharg(typed), "__x64_sys_execve")
    assert str(changed) == rewritten
    assert changed is not None
    assert rewrite_for_wrapper(changed, "__x64_sys_execve") is None


@pytest.mark.parametrize(
    "text",
    ["a=+0(+112(%di)):ustring", "a=+104(%di):s32", "nr=+120(%di)", "c=$comm", "a=%ax", "s=$stack0:symbol",
     "a=+112($arg1)", "a=@jiffies:u64", "a=$arg7"],
)  # fmt: skip
def test_nothing_to_rewrite(text: str) -> None:
    assert rewrite_for_wrapper(parse_fetcharg(text), "__x64_sys_execve") is None


def test_only_wrappers_are_rewritten() -> None:
    arg = parse_fetcharg("a=+0(%di):string")
    assert rewrite_for_wrapper(arg, "vfs_read") is None
    assert rewrite_for_wrapper(arg, "__do_sys_execve") is None
    assert str(rewrite_for_wrapper(arg, "__ia32_sys_execve")) == "a=+0(+40(%di)):ustring"


@pytest.mark.parametrize(
    ("line", "rewritten"),
    [
        ("r:x sys_execve ret=$retval", "r:x __x64_sys_execve ret=$retval"),
        ("r:x sys_execve a=%di", "r:x __x64_sys_execve a=%di"),
        ("p sys_openat", "p __x64_sys_openat"),
        ("p:x __x64_sys_openat name=+0(%si):string", "p:x __x64_sys_openat name=+0(+104(%di)):ustring"),
        ("p:x sys_stat +0(%di):string", "p:x __x64_sys_newstat +0(+112(%di)):ustring"),
        ("p:x sys_imageblit a=%di", None),
        ("p:x vfs_read a=%di", None),
        ("p:x sys_execve+8 a=%di", None),
        ("p:x sys_execve a=%rdi", None),
        ("", None),
    ],
)
def test_lines(line: str, rewritten: str | None) -> None:
    assert rewrite_line(line) == rewritten


def test_modern_symbols() -> None:
    assert modern_symbol("SyS_umount2") == "__x64_sys_umount"
    assert modern_symbol("sys_nosuchcall") is None
    assert modern_symbol("__x64_sys_execve") is None
