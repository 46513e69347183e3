"""Uprobes judged: by the file they are written to, their place, and the rules that differ from kprobes'."""

from __future__ import annotations

import pytest

from kptui.probes.check import Target, check_definition
from kptui.probes.check.target import Interface


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
