"""Filters over captured events, lenient for a view and exact for a trial."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.filters import And, FilterExpr, Not, Or, Predicate, compile_filter, parse_filter, view_check
from kptui.filters.fields import FilterField, field_table
from kptui.filters.glob import pattern_matcher
from tests.filters.strategies import expressions
from tests.filters.support import ALL

EVENT: dict[str, str | int | None] = {
    "comm": "bash",
    "common_pid": 1234,
    "tgid": None,
    "cpu": 1,
    "event": "open",
    "ts": "5021.123456",
    "path": "/etc/passwd",
    "flags": "0x8000",
    "ret": "-2",
    "big": "18446744073709551614",
    "n": "42",
    "ch": "a",
    "gone": None,
    "where": "vfs_read+0x5/0x1b0 [ext4]",
    "addr": "0xffffffff81000000",
    "empty": "",
}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("n == 42", True),
        ("n == 0x2a", True),
        ("n != 42", False),
        ("flags & 0x8000", True),
        ("flags & 0x4000", False),
        ("ret < 0", True),
        ("ret == -2", True),
        ("big > 0", True),
        ("big == -2", False),
        ("ch == 97", True),
        ("cpu == 1", True),
        ("CPU & CPUS{0-1}", True),
        ("cpu == CPUS{1}", True),
        ("cpu != CPUS{0}", True),
        ("cpu & CPUS{0,2}", False),
        ("pid == 1234", True),
        ("common_pid == 1234", True),
        ("tgid == 1", False),
        ("ts > 5021", True),
        ("ts >= 5022", False),
        ('comm == "bash"', True),
        ('COMM ~ "ba*"', True),
        ('event == "open"', True),
        ('path ~ "/etc/*"', True),
        ('path ~ "*pass*"', True),
        ('path ~ "!*pass*"', False),
        ('path == "/etc/*"', False),
        ('path ~ "/[a-e]tc/?asswd"', True),
        ('gone == ""', True),
        ("gone == 0", False),
        ("gone != 0", False),
        ('empty ~ ""', False),
        ('empty == ""', True),
        ("nosuch == 1", False),
        ("nosuch != 1", False),
        ("!nosuch == 1", True),
        ("path > 3", False),
        ("where.function == vfs_read", True),
        ("where.function != vfs_read", False),
        ("addr.function == 0xffffffff81000000", True),
        ("n == 42 && (ret == 0 || ret == -2)", True),
        ('n == 42 && !(comm == "bash")', False),
        ("n == 1 || n == 2 || n == 42", True),
        ("n == 42 && n > 1 && n > 41", True),
    ],
)
def test_a_view_filter(text: str, passes: bool) -> None:
    assert compile_filter(parse_filter(text))(EVENT) is passes


def test_an_argument_comes_before_the_event_s_own_data() -> None:
    event: dict[str, str | int | None] = {**EVENT, "pid": "77"}
    assert compile_filter(parse_filter("pid == 77"))(event)
    assert compile_filter(parse_filter("common_pid == 1234"))(event)


@pytest.mark.parametrize(
    ("text", "event", "view", "kernel"),
    [
        ('str ~ "9p*"', {"str": "9pfs"}, True, False),
        ('str ~ "9p*"', {"str": "9p*"}, True, True),
        ("u8 == 256", {"u8": "0"}, False, True),
        ("s8 == 251", {"s8": "-5"}, False, True),
        ("u32 == 0x1deadbeef", {"u32": "3735928559"}, False, True),
        ("cpu & 1", {"cpu": 1}, True, False),
        ("arr16 == 1", {"arr16": "1"}, True, False),
        ("arr16 != 1", {"arr16": "{1,2,3}"}, False, False),  # six bytes: never true
        ("arr == 0x04030201", {"arr": "{0x1,0x2,0x3,0x4}"}, False, True),
        ("arr == 0x104030201", {"arr": "{1,2,3,4}"}, False, True),
        ("arr & 0x00ff0000", {"arr": "{1,2,0,4}"}, False, False),
        ("arr > 0x7fffffff", {"arr": "{0,0,0,255}"}, False, True),
        ("arr == 0", {"arr": "{0,0,0}"}, False, False),  # not what the field holds
        ("arr != 0", {"arr": "{0,x y,0,0}"}, False, False),
        ("charr == 0x642c6261", {"charr": "{a,b,,,d}"}, False, True),  # the third is a comma
        ("charr == 0x9c", {"charr": "{\udc9c,\0,\0,\0}"}, False, True),
        ("arr == 0x04030201", {"arr": 0x04030201}, True, True),
    ],
)
def test_the_kernel_s_oddities_apply_to_a_trial_only(
    text: str, event: dict[str, str | int | None], view: bool, kernel: bool
) -> None:
    expr = parse_filter(text)
    assert compile_filter(expr)(event) is view
    assert compile_filter(expr, field_table(ALL))(event) is kernel


def test_a_small_signed_array_compares_as_a_signed_number() -> None:
    fields = {"two": FilterField("two", "array", True, 16, (), size=4)}
    negative: dict[str, str | int | None] = {"two": "{-1,-1}"}
    assert compile_filter(parse_filter("two < 0"), fields)(negative)
    assert compile_filter(parse_filter("two == 0xffffffff"), fields)(negative)
    assert compile_filter(parse_filter("two == -65536"), fields)({"two": "{0,-1}"})
    assert not compile_filter(parse_filter("two < 0"), fields)({"two": "{-1,1}"})


def slow(expr: FilterExpr, event: dict[str, str | int | None]) -> bool:
    match expr:
        case Predicate():
            return compile_filter(expr)(event)
        case Not(term=term):
            return not slow(term, event)
        case And(terms=terms):
            return not [term for term in terms if not slow(term, event)]
        case Or(terms=terms):
            return bool([term for term in terms if slow(term, event)])


@settings(max_examples=100, deadline=None)
@given(expressions, st.dictionaries(st.sampled_from("abcdxyz"), st.sampled_from(["1", "x", "0x10", "-1"])))
def test_joints_mean_what_they_say(expr: FilterExpr, values: dict[str, str | int | None]) -> None:
    assert compile_filter(expr)(values) is slow(expr, values)


@settings(max_examples=400, deadline=None)
@given(st.text("ab*?[]!-.\\c", min_size=1, max_size=8), st.text("abc.-]", max_size=8))
def test_globs_agree_with_another_matcher(pattern: str, text: str) -> None:
    if "\\" in pattern or "[" in pattern or pattern.startswith("!"):
        pattern_matcher(pattern)(text)  # other rules there; it must not break
        return
    assert pattern_matcher(pattern)(text) == fnmatch.fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("[!a]b", ["xb", "]b"], ["ab", "b"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[z-a]", [], ["a", "z"]),
        ("[ab", ["[ab"], ["a"]),
        ("[!", ["[!"], ["x"]),
        (r"\*a", ["*a"], ["xa"]),
        ("a\\", ["a"], ["a\\"]),
        ("*", ["", "x"], []),
        ("**", ["", "x"], []),
        ("a*b*c", ["abc", "axxbyyc"], ["ab", "acb"]),
        ("*aab", ["aaab", "aab"], ["aabx"]),
        ("a?*c", ["abc", "abbc"], ["ac"]),
        ("!h*", ["x"], ["hx"]),
        ("??", ["ab", "é"], ["a"]),
        ("[9]p*", ["9pfs"], ["p"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a\n?", ["a\nb", "a\n\n"], ["a"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    matches = pattern_matcher(pattern)
    assert [text for text in yes + no if matches(text)] == yes


def test_no_pattern_takes_long() -> None:
    matches = pattern_matcher("*a" * 60 + "b?")
    start = time.process_time()
    assert not matches("a" * 2000)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "text", ["", "0", "n == 1", 'COMM ~ "x*" && pid == 1', "ts > 5", "__probe_ip.function == x"]
)
def test_view_filters_that_pass(text: str) -> None:
    assert view_check(text, {"n"}).ok


@pytest.mark.parametrize(
    ("text", "message", "at", "fixed"),
    [
        ("m == 1", "Field not found", 0, None),
        ("filname == 'x'", "Field not found", 0, "filename == 'x'"),
        ("filename == x && n = 1", "Invalid value (did you forget quotes)?", 12, None),
        ("n = 1", "Invalid operator", 2, "n == 1"),
        ("n == 1 &&", "Meaningless filter expression", 9, "n == 1"),
        ("'é' (", "Too many '('", 4, "'é' ()"),
    ],
)
def test_view_filters_that_don_t(text: str, message: str, at: int, fixed: str | None) -> None:
    verdict = view_check(text, {"n", "filename"})
    (problem,) = verdict.problems
    assert (problem.message, problem.at, problem.column) == (message, at, at)
    assert (problem.fix.apply(text) if problem.fix else None) == fixed
