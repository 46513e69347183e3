"""Lines for dynamic_events: what the recorded answers don't cover."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kptui.probes.check import Target, check_definition
from kptui.probes.check.session import CheckSession
from kptui.verdict import Fix, Note, Problem, Verdict

TARGET = Target(interface="dynamic")


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ("f vfs_read %di", "f vfs_read $arg1"),
        ("f vfs_read a=+0(%si):string", "f vfs_read a=+0($arg2):string"),
        ("f vfs_read a=$rsi", "f vfs_read a=$arg2"),
        ("t sched:sched_switch", "t sched_switch"),
        ("e sched.sched_switch $next_pids", "e sched.sched_switch $next_pid"),
        ("e sched.sched_switch a=next_pid:u8", "e sched.sched_switch a=$next_pid:u8"),
    ],
)
def test_fixes(line: str, fixed: str) -> None:
    target = replace(TARGET, event_fields=lambda group, event: ("next_pid", "next_comm"))
    fix = check_definition(line, target).problems[0].fix
    assert fix is not None
    assert fix.apply(line) == fixed
    assert check_definition(fixed, target).ok


def test_a_place_inside_a_function_is_for_a_kprobe() -> None:
    target = replace(TARGET, is_traceable=lambda text: text == "vfs_read")
    (problem,) = check_definition("f vfs_read+8", target).problems
    assert problem.message == "Failed to register probe event"
    assert problem.fix is not None
    assert problem.fix.apply("f vfs_read+8") == "p vfs_read+8"


def test_an_event_probe_with_nothing_known_is_believed() -> None:
    assert check_definition("e any.event $field if anything", TARGET).ok


def test_events_of_ftrace_itself_can_t_be_watched() -> None:
    target = replace(
        TARGET,
        event_exists=lambda group, event: group != "eprobes",
        event_fields=lambda group, event: ("ip", "buf"),
    )
    assert check_definition("e ftrace.print $buf", target).errno == "ENODEV"
    assert check_definition("e ftrac.print $buf", target).ok


def test_what_depends_on_unknown_fields_is_told() -> None:
    verdict = check_definition("e sched.sched_wakeup $pid x=+0($name):string $comm if pid == 1", TARGET)
    assert verdict.warnings == (
        "The fields of sched/sched_wakeup aren’t known here: the kernel refuses $pid and $name if it has none such.",
        "The fields of sched/sched_wakeup aren’t known here: the filter wasn’t checked.",
    )
    assert check_definition("e sched.sched_wakeup $comm", TARGET).warnings == ()
    old = replace(TARGET, release="6.1.0", features=TARGET.features - {"btf"})
    known = replace(old, event_fields=lambda group, event: ("pid",))
    assert check_definition("e sched.sched_wakeup $pid if pid == 1", known).warnings == ()


@pytest.mark.parametrize(
    ("release", "line", "column", "errno"),
    [  # as 6.1.0-50 and 6.12.117 answered
        ("6.1.0", "e:a2 sched/sched_switch x=$nofield", 24, "ENOENT"),
        ("6.12.117", "e:a2 sched/sched_switch x=$nofield", 26, "EINVAL"),
        ("6.1.0", "e:a3 sched.sched_switch x=+0($nofield)", 24, "ENOENT"),
        ("6.1.0", "e:b3 sched.sched_switch $cpu", 24, "ENOENT"),
        ("6.12.117", "e:b3 sched.sched_switch $cpu", 24, "EINVAL"),
    ],
)
def test_a_field_that_the_event_has_not(release: str, line: str, column: int, errno: str) -> None:
    old = release.startswith("6.1.")
    codes = None if not old else frozenset({"BAD_ATTACH_ARG"})
    target = replace(
        TARGET, release=release, error_codes=codes, event_fields=lambda group, event: ("prev_pid", "z")
    )
    verdict = check_definition(line, target)
    (problem,) = verdict.problems
    assert (problem.column, verdict.errno, problem.fixes) == (column, errno, ())
    assert problem.message == (
        "Attached event does not have this field" if old else "Invalid $-variable specified"
    )
    assert problem.sentence == "The event’s fields are prev_pid, z."


def test_the_answer_to_a_filter_is_put_where_it_was_typed() -> None:
    def judge(group: str, event: str, text: str) -> Verdict:
        assert (group, event, text) == ("sched", "sched_switch", "é == x1")
        fix = Fix(5, 7, "1", "use 1")
        return Verdict(False, text, (Problem("Invalid value", 7, 5, "No.", (fix,)),), "EINVAL")

    line = "e  sched.sched_switch  $a  if  é   ==   x1  # note"
    verdict = check_definition(line, replace(TARGET, check_event_filter=judge))
    (problem,) = verdict.problems
    assert (verdict.errno, verdict.command, problem.column) == ("EINVAL", "é == x1", 7)
    assert line[problem.at :].startswith("x1")
    assert problem.fix is not None
    assert problem.fix.apply(line) == "e  sched.sched_switch  $a  if  é   ==   1  # note"


def test_what_is_noted_of_a_filter_is_noted_of_the_line() -> None:
    def judge(group: str, event: str, text: str) -> Verdict:
        return Verdict(True, text, notes=(Note("Odd.", (Fix(0, 1, "b", "use b"),)),))

    line = "e  g.e  if   a == 1"
    verdict = check_definition(line, replace(TARGET, check_event_filter=judge))
    assert verdict.warnings == ("Odd.",)
    assert verdict.fixes[0].apply(line) == "e  g.e  if   b == 1"


def test_fields_of_a_standing_synthetic_event_are_known() -> None:
    target = replace(TARGET, existing=("s:synthetic/lat\tu32 pid; char[16] comm",))
    assert check_definition("e synthetic.lat $pid $comm", target).ok
    assert not check_definition("e synthetic.lat $pid $nosuch", target).ok


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("fx:ev vfs_read", "ignores “x” before the colon"),
        ("f vfs_*", "every function that it matches"),
        ("f 12", "position in available_filter_functions"),
        ("t nosuch", "waits for a module"),
    ],
)
def test_notes(line: str, note: str) -> None:
    target = replace(TARGET, symbol_count=lambda name, module: int(name != "__tracepoint_nosuch"))
    verdict = check_definition(line, target)
    assert verdict.ok
    assert note in " ".join(verdict.warnings)


def test_kinds_that_a_kernel_has_not_are_refused_without_an_entry() -> None:
    target = replace(TARGET, release="5.10", features=frozenset())
    for line in ("f vfs_read", "t sched_switch", "e sched.sched_switch", "s:a u32 x", "x"):
        verdict = check_definition(line, target)
        assert (verdict.errno, verdict.problems) == ("EINVAL", ())
        assert verdict.sentence


def test_an_event_that_an_event_probe_watches_is_busy() -> None:
    standing = ("s:synthetic/lat\tu32 pid", "e:eprobes/lat synthetic.lat pid=$pid")
    target = replace(TARGET, existing=standing)
    assert check_definition("-:synthetic/lat", target).errno == "EBUSY"
    assert check_definition("-:eprobes/lat", target).ok
    assert check_definition("-:lat", target).errno == "EBUSY"  # the watched one comes first
    assert check_definition("-:lat", replace(target, existing=standing[::-1])).ok


def test_a_session_lists_every_kind() -> None:
    session = CheckSession(replace(TARGET, existing=()))
    for line in (
        "f vfs_read file=$arg1",
        "f:g/ vfs_read +0($retval)",
        "t:g/t  sched_switch",
        "e:g/ sched/sched_switch  $next_pid if next_pid == 1",
        "s:lat unsigned int pid;char comm[16]",
        "e synthetic.lat $comm",
    ):
        assert session.check(line).ok, line
    assert session.standing == (
        "f:fprobes/vfs_read__entry vfs_read file=$arg1",
        "f:g/vfs_read__exit vfs_read%return arg1=+0($retval)",
        "t:g/t sched_switch",
        "e:g/sched_switch sched.sched_switch arg1=$next_pid",
        "s:synthetic/lat\tunsigned int pid; char[16] comm",
        "e:eprobes/lat synthetic.lat arg1=$comm",
    )
    assert session.check("!s:lat").errno == "EBUSY"
    assert session.check("-:eprobes/lat").ok
    assert session.check("!s:lat unsigned int pid").ok
    assert len(session.standing) == 4


def test_a_kernel_with_uprobes_only() -> None:
    target = replace(TARGET, features=TARGET.features - {"kprobe"})
    assert check_definition("p vfs_read", target).sentence == "This kernel has no kprobes."
    assert check_definition("p /bin/sh:0x10", target).ok
    assert "PATH:OFFSET" in check_definition("p /bin/sh", target).sentence


def test_a_missing_symbol_in_an_argument_is_told_as_such() -> None:
    target = replace(TARGET, release="6.12.117", symbol_count=lambda name, module: int(name != "nosuch"))
    (problem,) = check_definition("f vfs_read @nosuch", target).problems
    assert problem.message == "Invalid probed address or symbol"
    assert "after @" in problem.sentence
    assert check_definition("f vfs_read @nosuch", replace(target, release="6.18.15")).ok


def test_a_tracepoint_whose_stub_is_not_traced() -> None:
    target = replace(TARGET, release="6.12.117", is_traceable=lambda text: text != "__probestub_cpu_idle")
    (problem,) = check_definition("t cpu_idle", target).problems
    assert problem.message == "Failed to register probe event"
    assert "tracepoint" in problem.sentence
    assert check_definition("t sched_switch", target).ok
    assert check_definition("t cpu_idle", replace(target, release="6.18.15")).ok


def test_all_parameters_have_no_name_that_could_be_another() -> None:
    problem = check_definition("f vfs_read $arg* $arg*", TARGET).problems[0]
    assert problem.fixes == ()
