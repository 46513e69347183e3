from __future__ import annotations

import pytest

from kptui.probes.fetch import parse_fetcharg
from kptui.probes.rewrite import rewrite_for_wrapper


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
