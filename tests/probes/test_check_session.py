"""Definitions judged as one session, and how the kernel would list them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kptui.probes.check import Target
from kptui.probes.check.session import CheckSession, as_listed, listed_form
from tests.probes.kernels import target_of

LISTED = (Path(__file__).parent / "data" / "listed.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("p:one vfs_read", "p:kprobes/one vfs_read"),
        ("p vfs_read %di a=%si", "p:kprobes/p_vfs_read_0 vfs_read arg1=%di a=%si"),
        ("p\tvfs_read+0x10   # why", "p:kprobes/p_vfs_read_16 vfs_read+16"),
        ("r vfs_read $retval:s32", "r10:kprobes/r_vfs_read_0 vfs_read arg1=$retval:s32"),
        ("r5:g/e vfs_read", "r5:g/e vfs_read"),
        ("p:e vfs_read%return $retval", "r10:kprobes/e vfs_read arg1=$retval"),
        ("p:g/ vfs_read+0", "p:g/p_vfs_read_0 vfs_read"),
        ("p:g.e vfs_read", "p:g/e vfs_read"),
        ("p:e ext4:ext4_file_open %di", "p:kprobes/e ext4:ext4_file_open arg1=%di"),
        ("p:e do_sys_openat2 $arg*", "p:kprobes/e do_sys_openat2 dfd=dfd filename=filename how=how"),
        (
            "p:e do_sys_openat2 $arg1 $arg2:string",
            "p:kprobes/e do_sys_openat2 dfd=dfd filename=filename:string",
        ),
        ("p:e vfs_open n=%di:%pd", "p:kprobes/e vfs_open n=+0x0(+0x28(%di)):string"),
        ("# comment", None),
        ("", None),
        ("-:one", None),
        ("p:e no_such_function", None),
        ("p 0xffffffff81234567", None),
    ],
)
def test_how_the_kernel_lists_it(written: str, listed: str | None) -> None:
    assert listed_form(written, target_of("6.12")) == listed


def test_uprobes_are_listed_with_their_offset_in_full() -> None:
    target = Target(interface="uprobe")
    assert (
        listed_form("p:u /bin/true:0x1c20(16) %di", target)
        == "p:uprobes/u /bin/true:0x0000000000001c20(0x10) arg1=%di"
    )
    assert (
        listed_form("p /bin/true:64%return", target) == "r:uprobes/p_true_0x40 /bin/true:0x0000000000000040"
    )


def test_what_is_listed_stays_as_it_is() -> None:
    target = Target()
    assert len(LISTED) > 20
    for line in LISTED:
        assert as_listed(line, target) == line


def test_a_listed_definition_is_judged_the_same_as_before() -> None:
    target = target_of("6.12")
    for written in ("p vfs_read %di", "r:e vfs_read $retval:s32", "p:e do_sys_openat2 $arg* %ax"):
        session = CheckSession(target)
        assert session.check(written).ok
        again = session.check(written)
        assert [p.message for p in again.problems] == ["There is already the exact same probe event"]
        (listed,) = session.standing
        assert as_listed(listed, target) == listed
        assert listed_form(listed, target) == listed


def test_definitions_join_and_removals_remove() -> None:
    session = CheckSession(target_of("6.12", existing=("p:old/one vfs_read",)))
    for line in ("p:g/e vfs_read %di\n", "p:g/e vfs_open %di", "p:g/f vfs_read"):
        assert session.check(line).ok
    assert session.check("p:g/e vfs_open %si").errno is None
    assert session.check("-:g/e vfs_open arg1=%si").ok
    assert list(session.standing) == [
        "p:old/one vfs_read",
        "p:g/e vfs_read arg1=%di",
        "p:g/e vfs_open arg1=%di",
        "p:g/f vfs_read",
    ]
    assert session.check("-:g/e vfs_read").ok
    assert session.check("-:g/e vfs_read").errno == "ENOENT"
    assert session.check("-:g/").ok
    assert list(session.standing) == ["p:old/one vfs_read"]
    assert session.check("-:one").ok
    assert list(session.standing) == []


def test_what_is_refused_changes_nothing() -> None:
    session = CheckSession(target_of("6.12"))
    for line in ("p:e vfs_read %rdi", "-:e", "p:sched/sched_switch vfs_read", "# p:e vfs_read", ""):
        session.check(line)
    assert list(session.standing) == []


def test_long_sessions_stay_quick() -> None:
    session = CheckSession(target_of("6.12"))
    spent = []
    for n in range(4000):
        start = time.perf_counter()
        assert session.check(f"p:e{n} vfs_read a=%di").ok
        spent.append(time.perf_counter() - start)
    assert len(session.standing) == 4000
    assert sum(spent[-1000:]) < 5 * sum(spent[:1000]) + 0.1
    assert session.check("-:kprobes/").ok
    assert list(session.standing) == []
