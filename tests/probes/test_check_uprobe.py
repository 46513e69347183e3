"""Uprobes judged: by the file they are written to, their place, and the rules that differ from kprobes'."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kptui.probes.check import Target, check_definition
from kptui.probes.check.target import File, Interface


@pytest.mark.parametrize(("interface", "ok"), [("kprobe", False), ("uprobe", True), ("dynamic", True)])
def test_the_file_decides_what_a_path_is(interface: Interface, ok: bool) -> None:
    verdict = check_definition("p:ev /bin/sh:0x10", Target(interface=interface))
    assert verdict.ok is ok
    assert not verdict.problems
    assert ok or verdict.errno == "EINVAL"


@pytest.mark.parametrize(("interface", "ok"), [("kprobe", True), ("uprobe", False), ("dynamic", True)])
def test_the_file_decides_what_a_symbol_is(interface: Interface, ok: bool) -> None:
    verdict = check_definition("p:ev vfs_read %di", Target(interface=interface))
    assert verdict.ok is ok


def test_dynamic_events_asks_for_a_kernel_probe_first() -> None:
    line = "p10:g/e /bin/sh:0x10"
    assert check_definition(line, Target(interface="uprobe")).ok
    problems = check_definition(line, Target(interface="dynamic")).problems
    assert [p.message for p in problems] == ["Maxactive is only for function exit"]


@pytest.mark.parametrize(("interface", "errno"), [("kprobe", "ENOENT"), ("uprobe", None), ("dynamic", None)])
def test_a_removal_is_of_the_files_own_kind(interface: Interface, errno: str | None) -> None:
    target = Target(interface=interface, existing=("p:g/up /bin/sh:0x0000000000000010",))
    assert check_definition("-:g/up", target).errno == errno


def test_dynamic_events_without_kernel_probes_knows_uprobes_only() -> None:
    target = Target(interface="dynamic")
    target = replace(target, features=target.features - {"kprobe"})
    assert check_definition("p10:g/e /bin/sh:0x10", target).ok
    assert check_definition("p:g/e vfs_read", target).errno == "EINVAL"


UPROBE = Target(interface="uprobe")


def told(line: str, target: Target = UPROBE) -> tuple[str, int, str]:
    """Message, caret and sentence of the only problem."""
    (problem,) = check_definition(line, target).problems
    return problem.message, problem.column, problem.sentence


def test_the_path_is_looked_up_as_written() -> None:
    asked: list[str] = []

    files: dict[str, File | str] = {"/bin": File(False), "a/é": "ENOTDIR", "/gone": "ENOENT"}

    def find(path: str) -> File | str | None:
        asked.append(path)
        return files.get(path)

    target = replace(UPROBE, find_file=find)
    assert told("p /bin:0", target)[0] == "Not a regular file"
    assert told("p a/é:0", target)[:2] == ("Failed to find the given file", 2)
    assert check_definition("p a/é:0", target).errno == "ENOTDIR"
    assert check_definition("p /gone:0 %rdi", target).errno == "ENOENT"
    assert check_definition("p /co:lon:0", target).ok
    assert asked[-1] == "/co:lon"


def test_one_place_has_one_reference_counter_by_whatever_path() -> None:
    files = {"/a": File(True, 1), "/link": File(True, 1), "/b": File(True, 2)}
    target = replace(UPROBE, find_file=files.get, existing=("p:g/e /a:0x0000000000000010(0x20)",))
    assert check_definition("p:g/n /link:16(32)", target).ok
    verdict = check_definition("p:g/n /link:0x10", target)
    assert (verdict.errno, verdict.problems) == ("EINVAL", ())
    assert "another reference counter" in verdict.sentence
    assert check_definition("p:g/n /b:0x10", target).ok
    assert check_definition("p:g/n /a:0x11", target).ok


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ("p /a:0(0x20", "p /a:0(0x20)"),
        ("r /a:0(0x20)%return", "r /a:0%return(0x20)"),
        ("p /a:0 x=$arg2:u32", "p /a:0 x=%si:u32"),
        ("p /a:0 x=di:u32", "p /a:0 x=%di:u32"),
        ("p /a:0 x=%di:symbol", "p /a:0 x=%di"),
        ("p /a:0 +0(%di):%pd", "p /a:0 +0(%di)"),
        ("p /a:0 +0(%rdi):string", "p /a:0 +0(%di):string"),
    ],
)
def test_fixes(line: str, fixed: str) -> None:
    fix = check_definition(line, UPROBE).problems[0].fix
    assert fix is not None
    assert fix.apply(line) == fixed
    assert check_definition(fixed, UPROBE).ok


def test_a_taken_name_that_was_made_up_gets_a_free_one() -> None:
    target = replace(UPROBE, existing=("r:uprobes/p_a_0x10 /a:0x0000000000000010",))
    (problem,) = check_definition("p /dir/a-b:16", target).problems
    assert problem.message == "Probe type is different from existing probe"
    assert problem.fix is not None
    assert problem.fix.apply("p /dir/a-b:16") == "p:p_a_0x10_2 /dir/a-b:16"


@pytest.mark.parametrize(
    ("line", "start", "fixed"),
    [
        ("p10:g/e /bin/sh:0x10", "The kernel sees no name here", "p:g/e /bin/sh:0x10"),
        ("r5 /bin/sh:0x10", "The kernel ignores “5”", "r /bin/sh:0x10"),
        ('p:e /bin/sh:0 t=\\"x"', "t: in a uprobe a constant text is printed as (fault)", None),
        ("r:e /bin/sh:0 +0($retvalx):string", "argument 1: the kernel reads $retval", None),
        ("p:e /bin/sh:0 x=$stack4294967296", "x: the kernel cuts the number", None),
    ],
)
def test_accepted_though_not_meant(line: str, start: str, fixed: str | None) -> None:
    verdict = check_definition(line, UPROBE)
    assert verdict.ok
    (note,) = verdict.notes
    assert note.sentence.startswith(start)
    assert [fix.apply(line) for fix in note.fixes] == ([] if fixed is None else [fixed])
    if fixed is not None:
        assert check_definition(fixed, UPROBE).notes == ()


def test_the_note_tells_the_name_that_the_kernel_makes_up() -> None:
    assert "p_lib_0x1f" in check_definition("pfoo:g/e /x/lib-2.so:31", UPROBE).warnings[0]


def test_types_for_kernel_addresses_before_6_2() -> None:
    old = replace(UPROBE, release="5.10.0")
    assert not check_definition("p:e /a:0 x=%di:symbol", UPROBE).ok
    verdict = check_definition("p:e /a:0 x=%di:symbol", old)
    assert verdict.ok
    assert "kernel addresses" in verdict.warnings[0]


def test_a_stable_kernel_with_typecasts_for_event_probes_only() -> None:
    codes = frozenset({"TYPECAST_NOT_EVENT", "NOSUP_BTFARG", "BAD_MAXACT_TYPE"})
    base = replace(UPROBE, release="6.18.44", features=UPROBE.features - {"typecast"}, error_codes=codes)
    assert told("p /a:0 (x)%di->y", base)[0] == "Typecasts are only for eprobe fields"
    bare = replace(base, features=base.features - {"btf"})
    assert told("p /a:0 (x)%di->y", bare)[0] == "BTF is not available or not supported"
    assert check_definition("p /a:0 (x)%di->y", bare).errno == "EOPNOTSUPP"


def test_a_lone_quote_is_a_closed_text_for_kernels_without_the_fix() -> None:
    line = 'p /a:0 x=\\"'
    assert check_definition(line, replace(UPROBE, release="6.18.15")).ok
    assert told(line)[:2] == ("String is not closed with '\"'", len(line))
