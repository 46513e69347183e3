"""The checker beyond the recorded definitions: positions, fixes, warnings, standing events, removals."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.probes.check import Target, check_definition
from tests.probes.kernels import KERNELS, target_of

NEWEST = Target()
OLD = target_of("6.1", symbol_count=None)


def refused(line: str, target: Target = NEWEST) -> tuple[str, int]:
    """Message and caret of the only entry of a refusal."""
    verdict = check_definition(line, target)
    assert not verdict.ok
    (problem,) = verdict.problems
    return problem.message, problem.column


def fixed(line: str, target: Target = NEWEST) -> str:
    """The line after the first problem's fix."""
    fix = check_definition(line, target).problems[0].fix
    assert fix is not None
    return fix.apply(line)


# -- positions


def test_caret_counts_in_the_joined_line_and_stands_in_the_typed_one() -> None:
    verdict = check_definition("  p:ev\tvfs_read   a=%rdi  # note", NEWEST)
    (problem,) = verdict.problems
    assert verdict.command == "p:ev vfs_read a=%rdi"
    assert problem.column == verdict.command.index("%")
    assert problem.at == "  p:ev\tvfs_read   a=%rdi".index("%")


def test_columns_are_bytes_and_positions_characters() -> None:
    verdict = check_definition('p:ev vfs_read é=\\"ü" a=%rdi', NEWEST)
    assert verdict.problems[0].message == "Argument name must follow the same rules as C identifiers"
    verdict = check_definition('p:ev vfs_read a=\\"ü" b=%rdi', NEWEST)
    (problem,) = verdict.problems
    assert problem.column == len(verdict.command.encode()[: verdict.command.encode().index(b"%")])
    assert problem.at == 'p:ev vfs_read a=\\"ü" b=%rdi'.index("%")
    assert problem.column == problem.at + 1


def test_a_byte_that_the_kernel_takes_for_a_blank_splits_a_character() -> None:
    # the second byte of à is 0xa0: white space in the kernel's table
    verdict = check_definition("p:ev vfs_read x=à", OLD)
    assert not verdict.ok
    assert verdict.command.encode("utf-8", "surrogateescape") == b"p:ev vfs_read x=\xc3"


def test_a_dentry_argument_is_logged_expanded_and_marked_where_typed() -> None:
    verdict = check_definition("p:ev vfs_read n=%rdi:%pD", NEWEST)
    (problem,) = verdict.problems
    assert verdict.command == "p:ev vfs_read n=+0x0(+0x28(+0x48(%rdi))):string"
    assert verdict.command[problem.column :].startswith("%rdi")
    assert "p:ev vfs_read n=%rdi:%pD"[problem.at :].startswith("%rdi")


def test_the_caret_after_a_user_dereference_is_one_short() -> None:
    assert refused("p:ev vfs_read a=+u0(%rdi)") == ("Invalid register name", 19)
    assert refused("p:ev vfs_read a=+0(%rdi)") == ("Invalid register name", 19)


def test_errors_after_the_expression_are_shifted_on_new_kernels_only() -> None:
    line = "p:ev vfs_read a=+16(%si):b9@0/8"
    assert refused(line) == ("Invalid bitfield", line.index("b9") + 4)
    assert refused(line, OLD) == ("Invalid bitfield", line.index("b9"))


# -- fixes


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("p:ev vfs_read a=+0(%rdi):u8", "p:ev vfs_read a=+0(%di):u8"),
        ("p:ev vfs_read a=%EAX", "p:ev vfs_read a=%ax"),
        ("p:ev vfs_read a=+0(+8(%di:string", "p:ev vfs_read a=+0(+8(%di)):string"),
        ("p:ev vfs_read a=$retval", "r:ev vfs_read a=$retval"),
        ("p5:ev vfs_read", "p:ev vfs_read"),
        ("p:ev vfs_read a=%di:string", "p:ev vfs_read a=+0(%di):string"),
        ("p:ev vfs_read a=%di a=%si", "p:ev vfs_read a=%di a2=%si"),
        ("p:ev vfs_read  a=+0(%di):u8[2", "p:ev vfs_read  a=+0(%di):u8[2]"),
        ('p:ev vfs_read a=\\"two words" b=%di', 'p:ev vfs_read a=\\"two_words" b=%di'),
        ("p:my-event vfs_read", "p:my_event vfs_read"),
        ("p:ev vfs_read a-b=%di", "p:ev vfs_read a_b=%di"),
        ("p:ev vfs_read a=$comm:u8", "p:ev vfs_read a=$comm"),
    ],
)
def test_a_fix_mends_the_line(line: str, mended: str) -> None:
    assert fixed(line) == mended
    assert check_definition(mended, NEWEST).ok


def test_an_old_syscall_name_is_mended_when_the_new_one_exists() -> None:
    target = Target(symbol_count=lambda name, module: int(name == "__x64_sys_execve"))
    assert fixed("p:ev sys_execve a=%di", target) == "p:ev __x64_sys_execve a=+112(%di)"
    assert fixed("p SyS_execve%return", target) == "p __x64_sys_execve%return"
    assert check_definition("p:ev sys_nosuch", target).problems[0].fix is None


def test_a_taken_name_becomes_the_next_free_one() -> None:
    target = Target(existing=("p:kprobes/ev vfs_read a=%di", "p:kprobes/ev2 vfs_read"))
    assert fixed("p:ev vfs_read a=%si:u8", target) == "p:ev3 vfs_read a=%si:u8"


# -- standing events


DIFFERENT = "Argument type or name is different from existing probe"
STANDING = Target(
    existing=("p:kptui/one vfs_read a=%di b=+0(%si):string", "r10:kptui/ret vfs_read r=$retval:s32")
)


@pytest.mark.parametrize(
    ("line", "message", "column"),
    [
        ("p:kptui/one vfs_read a=%di b=+0(%si):string", "There is already the exact same probe event", 0),
        ("r:kptui/one vfs_read a=%di", "Probe type is different from existing probe", 0),
        ("p:kptui/one vfs_read a=%di b=%si", DIFFERENT, 27),
        ("p:kptui/one vfs_read a=%di", DIFFERENT, 27),
        ("p:kptui/one vfs_read c=%di b=+0(%si):string", DIFFERENT, 21),
    ],
)  # fmt: skip
def test_rules_for_a_standing_name(line: str, message: str, column: int) -> None:
    assert refused(line, STANDING) == (message, column)
    assert check_definition(line, STANDING).errno == "EEXIST"


def test_a_second_probe_of_the_same_shape_is_appended() -> None:
    assert check_definition("p:kptui/one vfs_write a=%di b=+8(%si):string", STANDING).ok
    assert check_definition("p:other/one vfs_read", STANDING).ok


def test_a_name_of_another_kind_of_event_is_taken() -> None:
    target = Target(existing=("p:up/x /bin/sh:0x00000000000010",), event_exists=lambda g, e: g == "sched")
    assert refused("p:up/x vfs_read", target)[0] == "Given group/event name is already used by another event"
    assert (
        refused("p:sched/any vfs_read", target)[0]
        == "Given group/event name is already used by another event"
    )


@pytest.mark.parametrize(
    ("line", "errno"),
    [
        ("-:kptui/one", None),
        ("-:one", None),
        ("-:kptui/", None),
        ("-:kptui/one vfs_read a=%di", None),
        ("-:kptui/one vfs_write", "ENOENT"),
        ("-:other/", "ENOENT"),
        ("-:ret", "EBUSY"),
        ("-:kptui.one", "ENOENT"),  # only definitions know the dot
        ("-one", "EINVAL"),
        (" -:kptui/one", "EINVAL"),
    ],
)
def test_removals(line: str, errno: str | None) -> None:
    verdict = check_definition(
        line, replace(STANDING, enabled=frozenset({"kptui/ret"})) if line == "-:ret" else STANDING
    )
    assert verdict.errno == errno
    assert verdict.problems == ()
    assert bool(verdict.sentence) == (errno is not None)


def test_old_kernels_remove_no_group() -> None:
    assert check_definition("-:kprobes/", target_of("5.10")).errno == "EINVAL"


# -- what is refused without a message, what is accepted with a warning


def test_line_length() -> None:
    line = "p:ev vfs_read " + "#" * 4081
    assert len(line) == 4095
    assert check_definition(line, NEWEST).ok
    assert check_definition(line + "#", NEWEST).errno == "EINVAL"
    assert check_definition(line + "\n", NEWEST).errno == "EINVAL"
    assert check_definition(line[:-1] + "\n", NEWEST).ok


def test_several_lines_stop_at_the_first_refused() -> None:
    verdict = check_definition("p:a vfs_read\np:b vfs_read %rdi\nq\n", NEWEST)
    assert verdict.command == "p:b vfs_read %rdi"
    assert verdict.problems[0].at == len("p:a vfs_read\np:b vfs_read ")


@pytest.mark.parametrize("line", ["", "   ", "# nothing", "\t#p"])
def test_nothing_is_accepted(line: str) -> None:
    assert check_definition(line, NEWEST).ok


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("p:ev vfs_read a=+0(%di)junk", "junk"),
        ("p:ev vfs_read a=+0(%di)[2]:u8", "[2]"),
        ("p:ev vfs_read a=+99999999999(%di)", "32 bits"),
        ("p:ev __x64_sys_openat a=+0(%di):string", "saved user registers"),
        ("p:ev __x64_sys_openat a=+0(%si):ustring", "+112(%di)"),
        ("p:ev nomod:func", "waits"),
        ("pfoo:ev vfs_read", "ignores"),
        ("p:kprobes/enable vfs_read", "hides"),
        ("p:ev 0x10", "hash"),
        ("p:ev vfs_read comm=%di", "filter field"),
    ],
)
def test_warnings(line: str, said: str) -> None:
    verdict = check_definition(line, NEWEST)
    assert verdict.ok
    (warning,) = verdict.warnings
    assert said in warning


def test_strings_that_may_show_another_s_text() -> None:
    """Seen on 6.1, 6.12, 6.18 and 7.3, not on 5.10: tests/realkernel/args_steps.py asks them."""
    deep = "name=+0(+40(+72(%di))):string"
    line = f'p:ev do_mmap len=%dx:u64 {deep} n=%cx c=$comm h=\\"x"'
    (note,) = check_definition(line, NEWEST).notes
    assert "name: " in note.sentence
    assert "the text of c" in note.sentence
    assert note.fixes[0].apply(line) == f'p:ev do_mmap len=%dx:u64 c=$comm h=\\"x" {deep} n=%cx'
    assert check_definition(note.fixes[0].apply(line), NEWEST).notes == ()
    both = f"p:ev vfs_rename {deep} other=+0(+40(+16(%si))):string"
    (note,) = check_definition(both, NEWEST).notes
    assert "the text of other" in note.sentence
    assert note.fixes == ()
    (note,) = check_definition("p:ev do_mmap %di:%pD c=$comm", NEWEST).notes
    assert note.sentence.startswith("argument 1: ")
    for line in (
        f"p:ev vfs_read {deep} dir=+0(+40(+24(+72(%di)))):string",  # NULL for both
        f"p:ev vfs_read c=$comm {deep} n=%dx:u64",
        "p:ev netif_rx dev=+304(+16(%di)):string c=$comm",
        "p:ev __x64_sys_execve f=+0(+112(%di)):ustring a=+0(+104(%di)):ustring[6] c=$comm",
    ):
        assert check_definition(line, NEWEST).notes == (), line
    assert check_definition(f"p:ev vfs_read {deep} c=$comm", target_of("5.10")).notes == ()


def test_no_warning_without_reason() -> None:
    for line in (
        "p:kptui/open __x64_sys_openat file=+0(+104(%di)):ustring flags=+96(%di):x32",
        "r:kptui/ret vfs_read ret=$retval:s64",
        "p:ev vfs_read comm=$comm",
        "p:ev vfs_read a=+0(+u8(%si)):u8[4]",
        "-:nothing",
    ):
        assert check_definition(line, NEWEST).warnings == ()


def test_an_offset_of_four_is_an_entry_only_with_ibt() -> None:
    assert not check_definition("r:ev vfs_read+4", NEWEST).ok
    assert check_definition("r:ev vfs_read+4", replace(NEWEST, features=NEWEST.features | {"ibt"})).ok


def test_a_copy_of_a_duplicate_can_be_named_by_its_offset() -> None:
    target = Target(symbol_count=lambda name, module: 3 if name == "type_show" else 1)
    assert refused("p:ev type_show", target)[0] == "The symbol is not unique"
    assert check_definition("r:ev _text+123456 $retval $arg1", target).ok


# -- any text at all

_PIECES = st.sampled_from([
    "p ", "r ", "p:ev ", "r:g/e ", "-:x ", "vfs_read ", "nosuch+8", "%di", "%rdi", "$arg1", "$retval",
    "$comm", "$stack3", "+0(", "+u8(", "-u0(", ")", "))", ":u8", ":string", "[2]", "[", ":", "=", "a=", "\n", '\\"x"',
    "\\5", "@jiffies", "@0x10", "file->f_flags", "$arg*", ":%pd", "b4@0/8", "#", "é", "\udcff", "(a)",
    "0", "$current", "this_cpu_read(", ",", "how->flags", "file->f_path.dentry",
])  # fmt: skip
_LINES = st.lists(st.one_of(_PIECES, st.text(max_size=6), st.just(" ")), max_size=14).map("".join)


@pytest.mark.parametrize("version", KERNELS)
@settings(max_examples=120, deadline=None)
@given(line=_LINES)
def test_any_text_gets_a_verdict_that_holds_together(version: str, line: str) -> None:
    verdict = check_definition(line, target_of(version))
    assert verdict.ok == (verdict.errno is None)
    assert not (verdict.ok and verdict.problems)
    for problem in verdict.problems:
        assert 0 <= problem.at <= len(line)
        assert problem.column >= 0
        assert problem.sentence
        if problem.fix is not None:
            assert 0 <= problem.fix.start <= problem.fix.end <= len(line)
            check_definition(problem.fix.apply(line), target_of(version))
    if not verdict.ok and not verdict.problems:
        assert verdict.sentence


def test_long_lines_are_judged_at_once() -> None:
    lines = [
        "p:ev vfs_read " + " ".join(f"a{i}=+0(+8(%di)):u8" for i in range(180)),
        "p:ev vfs_read a=" + "+0(" * 1300 + "%di",
        "p:ev vfs_read " + "a " * 2000,
        "p:ev vfs_read a=" + "file->" * 670 + "x",
    ]
    target = target_of("7.3")
    for line in lines:
        assert len(line) <= 4095
        took = []
        for _ in range(4):  # the collector may come in between
            start = time.process_time()
            check_definition(line, target)
            took.append(time.process_time() - start)
        assert min(took) < 0.05
