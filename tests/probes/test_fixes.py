"""Every fix that is offered does away with what it was offered for, on every kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.probes.check import Copy, Target, check_definition, sentence_for
from kptui.probes.check.target import Interface
from kptui.verdict import Note, Problem, Verdict
from tests.probes.kernels import KERNELS, recorded, target_of
from tests.realkernel import definitions_gen, dynamic_gen, kernel_gen, uprobes_gen

COPIES = {
    "type_show": (
        Copy(0xFFFFFFFF81001000, None, 0x1000),
        Copy(0xFFFFFFFF81002000, None, 0x2000),
        Copy(0xFFFFFFFFC0003000, "bridge", 0x3F003000),
    ),
    "two_in_one": (
        Copy(0xFFFFFFFF81001000, None, 0x1000),
        Copy(0xFFFFFFFFC0003000, "bridge", 0x3F003000),
        Copy(0xFFFFFFFFC0004000, "bridge", 0x3F004000),
    ),
    "hidden": (Copy(None, None, None), Copy(None, "bridge", None)),
    "one_function": (Copy(0xFFFFFFFF81001000, None, 0x1000),),
    "no_function": (),
}


def count(name: str, module: str | None) -> int:
    if name in COPIES:
        copies = COPIES[name]
        return sum(copy.module == module for copy in copies) if module else max(len(copies), 2)
    return int(not name.startswith(("sys_", "SyS_", "nosuch")) and name != "__x64_sys_nosuchcall")


STANDING = (
    "p:kprobes/taken vfs_read a=%di",
    "p:kprobes/taken2 vfs_write",
    "r4:kptui/back vfs_read r=$retval:s32",
    "p:kprobes/p_vfs_open_0 vfs_open",
    "e:kptui/event sched/sched_switch",
)


def target(version: str) -> Target:
    return target_of(
        version,
        symbol_count=count,
        copies=lambda name: COPIES.get(name, ()),
        existing=STANDING,
        is_loaded_module=lambda name: name == "bridge",
        event_exists=lambda group, event: (group, event) == ("kprobes", "taken3"),
        btf=None,
        not_probeable=None,
    )


FAULTY = """
p:e vfs_read a=%rdi
p:e vfs_read a=+0(%RSI):u8 b=%edx
p:e vfs_read %r8d:u32
p:e vfs_read a=$rdi
p:e vfs_read a=$ret
r:e vfs_read a=$ret
p:e vfs_read a=$arg1
p:e vfs_read a=rdi
p:e vfs_read a=+0(di):u8
p:e type_show
p:e  type_show+8 a=%di
r:e type_show r=$retval
p:e type_show%return
p type_show a=%di
p:e two_in_one
p:e one_function a=%di
p:e hidden
p:e no_function
p:e bridge:two_in_one
p:e vfs_read a=+0(%di
p:e vfs_read a=+0(+8(%di:u8
p:e vfs_read a=+0(+8(%di):string b=%si
p:e sys_execve name=+0(%di):string   argv=+0(+0(%si)):string n=%dx:u64
p:e SyS_openat %di:s32 +0(%si):string
r:e sys_execve ret=$retval
p:e sys_execve%return ret=$retval
p:e sys_execve+5 a=%di
p:e sys_nosuchcall
p:e sys_stat +0(%di):string
p:e __x64_sys_openat name=+0(%si):string
p:e __x64_sys_openat dfd=%di:s32 name=+0(%si):string flags=%dx:x32
p:e __x64_sys_openat name=+0(+104(%di)):string
p:e __x64_sys_execve a=+0(+8(+104(%di))):string[2]
p:e __x64_sys_openat regs=%di:x64
p:e do_sys_openat2 name=+0(%si):string
p:e do_sys_openat2 name=+0($arg2):string
p:e vfs_read a=\\"two words" b=%di
p:e vfs_read a=\\"three of them" b=%rdi
p:e vfs_read a=\\"open
p:taken vfs_read a=%si:u8
p:taken vfs_read a=%di
r:taken vfs_read
p:kptui/back vfs_read
p:kptui/event vfs_read
p vfs_open a=%di
p vfs_open
p:kprobes/ vfs_open
p:e vfs_read a=%di a=%si
p:e vfs_read x1=%di x1=%si x1_2=%dx
p:e vfs_read arg2=%di %si
p:e vfs_read common_pid=%di
p:e vfs_read a=$retval
p5:e vfs_read
p:e vfs_read a=%di:u8[4
p:e vfs_read a=%di:string
p:e vfs_read a=%di:int
p:e vfs_read a=%di:U32
p:e vfs_read a-b=%di
p:my-event vfs_read
p:9x/y vfs_read
p:e vfs_read a=$comm:u8
""".strip().splitlines()


def said(verdict: Verdict) -> list[tuple[str, int]]:
    """What a verdict complains of: each message and the place of its caret, each warning."""
    return [(p.message, p.column) for p in verdict.problems] + [(text, -1) for text in verdict.warnings]


@pytest.mark.parametrize("version", KERNELS)
@pytest.mark.parametrize("line", FAULTY)
def test_a_fix_removes_what_it_is_offered_for(line: str, version: str) -> None:
    verdict = check_definition(line, target(version))
    for problem in verdict.problems:
        for fix in problem.fixes:
            fixed = fix.apply(line)
            again = check_definition(fixed, target(version))
            assert fixed != line
            assert said(again) != said(verdict), fixed
            # the same message may only stand further on, about another word
            assert all(p.at > problem.at for p in again.problems if p.message == problem.message), fixed
    for note in verdict.notes:
        for fix in note.fixes:
            again = check_definition(fix.apply(line), target(version))
            assert again.ok
            assert note.sentence not in again.warnings


@pytest.mark.parametrize("version", KERNELS)
def test_recorded_refusals_are_mended_or_left(version: str) -> None:
    offered = 0
    for case in recorded(version):
        verdict = check_definition(case.command, target_of(version))
        for problem in verdict.problems:
            for fix in problem.fixes:
                again = check_definition(fix.apply(case.command), target_of(version))
                assert again.problems != verdict.problems, case.command
                offered += 1
    assert offered > 15


def unmended(lines: Iterable[str], target: Target) -> tuple[int, list[str]]:
    """How many fixes are offered, and those that leave the message where it was, or make an accepted line a refused
    one.
    """
    offered, useless = 0, []
    for line in lines:
        verdict = check_definition(line, target)
        said_of: tuple[Problem | Note, ...] = (*verdict.problems, *verdict.notes)
        for found in said_of:
            for fix in found.fixes:
                offered += 1
                fixed = fix.apply(line)
                again = check_definition(fixed, target)
                if isinstance(found, Problem):
                    same = [p for p in again.problems if p.message == found.message]
                    kept = any(p.column == found.column or p.at == found.at for p in same)
                else:
                    kept = not again.ok or found.sentence in again.warnings
                if kept or fixed == line:
                    useless.append(f"{line}  =>  {fixed}")
    return offered, useless


GENERATED: dict[Interface, Callable[[int], list[str]]] = {
    "kprobe": lambda seed: [*definitions_gen.definitions(seed, 2500), *kernel_gen.RARE],
    "uprobe": lambda seed: uprobes_gen.uprobes(seed, 800),
    "dynamic": lambda seed: dynamic_gen.definitions(seed, 2000),
}


@pytest.mark.parametrize("version", KERNELS)
@pytest.mark.parametrize("interface", GENERATED)
def test_no_fix_leaves_a_generated_line_as_wrong_as_it_was(interface: Interface, version: str) -> None:
    standing = {"kprobe": definitions_gen.STANDING, "uprobe": uprobes_gen.STANDING, "dynamic": STANDING}
    kernel = target_of(
        version,
        interface=interface,
        existing=standing[interface],
        event_fields=lambda group, event: dynamic_gen.EVENTS.get(f"{group}/{event}", "").split() or None,
    )
    offered, useless = unmended(GENERATED[interface](KERNELS.index(version) + 1), kernel)
    assert not useless
    assert offered > 20


ARGUMENTS = [argument for line in FAULTY for argument in line.split()[2:]]


@pytest.mark.parametrize("version", KERNELS)
def test_fixes_beside_all_parameters(version: str) -> None:
    """``$arg*`` becomes several words, by which the kernel counts from then on."""
    kernel = target_of(version)
    lines = [
        f"p vfs_read $arg* {argument}{more}"
        for argument in ARGUMENTS
        for more in ("", " z=%si", " z=%si y=%dx")
    ]
    offered, useless = unmended([*lines, "p vfs_read $arg* a-b=", "p vfs_read $arg* a-b= b=%si"], kernel)
    assert not useless
    if "btf" in kernel.features:
        assert offered > 50
        line = "p vfs_read $arg* a-b=%di b=%si"
        assert mended(line, kernel) == ["p vfs_read $arg* a_b=%di b=%si"]


def test_what_can_t_be_mended_by_one_edit_is_left() -> None:
    kernel = target_of("6.12")
    for line in (
        "p 0xffffffff81000000 $retval",
        "p vfs_read+8 $retval",
        'p vfs_read x=+0(\\")',
        "e:ev syscalls.sys_enter_openat flags",
        "p vfs_read a=+8(0(%di)):u16",
    ):
        verdict = check_definition(line, replace(kernel, interface="dynamic"))
        assert not verdict.ok, line
        assert verdict.fixes == (), line
    (problem,) = check_definition("p 0xffffffff81000000 $retval", kernel).problems
    assert problem.sentence.startswith("At a raw address the kernel has no $retval")
    assert mended("p:e vfs_read a=+0(%di)):u8", kernel) == ["p:e vfs_read a=+0(%di):u8"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FAULTY), min_size=2, max_size=2), st.sampled_from(KERNELS))
def test_fixes_come_to_an_end(pair: list[str], version: str) -> None:
    """Arguments of one faulty line behind another: applying what is offered ends, it never goes in circles."""
    line = f"{pair[0]} {' '.join(pair[1].split()[2:])}"
    seen = set()
    for _ in range(20):
        assert line not in seen
        seen.add(line)
        fixes = check_definition(line, target(version)).fixes
        if not fixes:
            return
        line = fixes[0].apply(line)
    raise AssertionError(f"no end: {line}")


NEWEST = target("6.12")


def labels(line: str, target: Target = NEWEST) -> list[str]:
    return [fix.label for fix in check_definition(line, target).fixes]


def mended(line: str, target: Target = NEWEST) -> list[str]:
    return [fix.apply(line) for fix in check_definition(line, target).fixes]


def test_each_copy_of_a_symbol_is_offered_by_a_name_of_its_own() -> None:
    assert labels("p:e type_show") == [
        "use _text+4096  0xffffffff81001000 in the kernel",
        "use _text+8192  0xffffffff81002000 in the kernel",
        "use bridge:type_show  0xffffffffc0003000 [bridge]  _text+1056976896",
    ]
    assert mended("p:e  type_show+8  a=%di") == [
        "p:e  _text+4104  a=%di",
        "p:e  _text+8200  a=%di",
        "p:e  bridge:type_show+8  a=%di",
    ]
    assert mended("r:e two_in_one") == [
        "r:e _text+4096", "r:e _text+1056976896", "r:e _text+1056980992"
    ]  # fmt: skip
    assert mended("p:e hidden") == ["p:e bridge:hidden"]
    assert mended("p:e one_function%return") == ["p:e _text+4096%return"]
    assert mended("p:e no_function") == []
    (problem,) = check_definition("p:e no_function", NEWEST).problems
    assert "none of them is a function" in problem.sentence
    hidden = replace(NEWEST, copies=lambda name: (Copy(None, None, None), Copy(None, None, None)))
    (problem,) = check_definition("p:e hidden", hidden).problems
    assert "kptr_restrict" in problem.sentence
    assert problem.fixes == ()


def test_a_line_from_an_article_is_rewritten_in_one_go() -> None:
    line = "p:e sys_execve name=+0(%di):string   argv=+0(+0(%si)):string pid=$comm n=%dx:u64 c=$comm"
    (fixed,) = mended(line)
    assert fixed == (
        "p:e __x64_sys_execve name=+0(+112(%di)):ustring   argv=+0(+0(+104(%di))):ustring"
        " pid=$comm n=+96(%di):u64 c=$comm"
    )
    assert check_definition(fixed, NEWEST).notes == ()


@pytest.mark.parametrize(
    ("line", "rewritten"),
    [
        ("p:t sys_execve filename=+0(%di):string arg1=+0(+0(%si)):string",
         "p:t __x64_sys_execve filename=+0(+112(%di)):ustring arg1=+0(+0(+104(%di))):ustring"),
        ("p:x SyS_execve n=%dx:u64", "p:x __x64_sys_execve n=+96(%di):u64"),
        ("r:x sys_execve ret=$retval", "r:x __x64_sys_execve ret=$retval"),
        ("r:x sys_execve a=%di", "r:x __x64_sys_execve a=%di"),
        ("p sys_openat", "p __x64_sys_openat"),
        ("p:x sys_stat +0(%di):string", "p:x __x64_sys_newstat +0(+112(%di)):ustring"),
        ("p:x sys_execve+8 a=%di", "p:x __x64_sys_execve+8 a=%di"),
        ("p:x sys_execve a=%rdi", "p:x __x64_sys_execve a=%rdi"),
        ("p:x __x64_sys_openat name=+0(%si):string", "p:x __x64_sys_openat name=+0(+104(%di)):ustring"),
    ],
)  # fmt: skip
def test_lines_written_before_4_17(line: str, rewritten: str) -> None:
    assert mended(line) == [rewritten]


def test_without_symbols_an_old_name_is_a_warning() -> None:
    target = replace(NEWEST, symbol_count=None)
    verdict = check_definition("p:e sys_execve a=%di", target)
    assert verdict.ok
    assert mended("p:e sys_execve a=%di", target) == ["p:e __x64_sys_execve a=+112(%di)"]
    assert mended("p:e sys_nosuchcall", target) == []


def test_naive_arguments_are_mended_together() -> None:
    line = "p:e __x64_sys_openat dfd=%di:s32 name=+0(%si):string c=$comm"
    verdict = check_definition(line, NEWEST)
    assert len(verdict.warnings) == 2
    assert "saved user registers" in verdict.warnings[0]
    assert "%si holds none" in verdict.warnings[1]
    assert mended(line) == ["p:e __x64_sys_openat dfd=+112(%di):s32 name=+0(+104(%di)):ustring c=$comm"]
    assert check_definition("p:e __x64_sys_openat regs=%di", NEWEST).notes == ()


def test_string_of_a_user_pointer_is_a_matter_of_style() -> None:
    line = "p:e do_sys_openat2 name=+0(%si):string[2] a=+0(%si):ustring"
    (note,) = check_definition(line, NEWEST).notes
    assert note.sentence == (
        "name: const char __user *filename is user memory: ustring says so, and works everywhere."
    )
    assert mended(line) == ["p:e do_sys_openat2 name=+0(%si):ustring[2] a=+0(%si):ustring"]
    for fine in ("+u0(%si):string", "+0(%dx):x64", "+0(%di):string", "+0(%si):symbol"):
        assert check_definition(f"p:e do_sys_openat2 a={fine}", NEWEST).notes == ()


def test_names_that_are_free() -> None:
    assert mended("p:taken vfs_read a=%si:u8") == ["p:taken4 vfs_read a=%si:u8"]
    assert mended("p vfs_open a=%di") == ["p:p_vfs_open_0_2 vfs_open a=%di"]
    assert mended("p:kprobes/ vfs_open a=%di") == ["p:kprobes/p_vfs_open_0_2 vfs_open a=%di"]
    assert mended("p:e vfs_read x1=%di x1=%si x1_2=%dx") == ["p:e vfs_read x1=%di x1_3=%si x1_2=%dx"]
    assert mended("p:e vfs_read arg2=%di %si") == ["p:e vfs_read arg2=%di arg2_2=%si"]
    long = "n" * 32
    assert mended(f"p:e vfs_read {long}=%di {long}=%si") == [f"p:e vfs_read {long}=%di {'n' * 31}2=%si"]


def test_messages_of_the_kernel_are_put_in_plain_words() -> None:
    assert sentence_for("Invalid register name") == "The kernel knows no register of that name."
    assert sentence_for("never heard") == ""
