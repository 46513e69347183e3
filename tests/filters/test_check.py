"""Verdicts: places, sentences, fixes and warnings; the kernel's own answers are in test_golden."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.filters import (
    ALL_FEATURES,
    TooManyPids,
    check_filter,
    expand_group,
    features_from_btf_names,
    features_from_release,
    fields_of,
    group_summary,
    is_clear,
    parse_filter,
    pid_filter,
    typed_value,
)
from kptui.filters.fields import field_table
from tests.filters.strategies import near_filters
from tests.filters.support import ALL, FLT


@settings(max_examples=300, deadline=None)
@given(near_filters)
def test_any_text_has_a_verdict_with_places_in_it(text: str) -> None:
    verdict = check_filter(text, FLT)
    assert verdict.ok == (verdict.errno is None)
    assert len(verdict.problems) <= 1
    for problem in verdict.problems:
        assert 0 <= problem.at <= len(text)
        assert problem.sentence
        assert "\n" not in problem.sentence
        if problem.fix is not None:
            assert 0 <= problem.fix.start <= problem.fix.end <= len(text)
            assert problem.fix.apply(text) != text
    for warning in verdict.warnings:
        assert warning.endswith(".")


@settings(max_examples=300, deadline=None)
@given(near_filters)
def test_what_passes_is_in_the_language(text: str) -> None:
    if check_filter(text, FLT).ok and not is_clear(text) and "\0" not in text:
        parse_filter(text)


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("filename == /etc/passwd", 'filename == "/etc/passwd"'),
        ("filename ~ *pass* && u == 1", 'filename ~ "*pass*" && u == 1'),
        ("(filename == word)", '(filename == "word")'),
        ("dfd = 1", "dfd == 1"),
        ("dfd => 1", "dfd >= 1"),
        ("filename =~ 'x'", "filename ~ 'x'"),
        ("dfd === 1", "dfd == 1"),
        ("dfd <==", None),
        ("(dfd <== ) && u == 1", None),
        ("__probe_ip.function => vfs_read", "__probe_ip.function == vfs_read"),
        ("filename !~ 'x'", "!filename ~ 'x'"),
        ("dfd == 1 and u == 2", "dfd == 1 && u == 2"),
        ("dfd == 1 or u == 2", "dfd == 1 || u == 2"),
        ("dfd == 1 | u == 2", "dfd == 1 || u == 2"),
        ("dfd == 1 & u == 2", "dfd == 1 && u == 2"),
        ("not dfd == 1", "!dfd == 1"),
        ("dfd", "dfd != 0"),
        ("u == 1 && !(dfd)", "u == 1 && !(dfd != 0)"),
        ("flename == 'x'", "filename == 'x'"),
        ("pid == 1", "common_pid == 1"),
        ("DFD == 1", "dfd == 1"),
        ("dfd == +1", "dfd == 1"),
        ("dfd == '12'", "dfd == 12"),
        ("u == 'a'", "u == 97"),
        ("filename == 3", 'filename == "3"'),
        ("dfd ~ 1", "dfd == 1"),
        ("dfd == 08", "dfd == 8"),
        ("fl == ff00", None),
        ("fl == 0ff00", "fl == 0x0ff00"),
        ("u == -1", "u == 0xff"),
        ("fl == 0b101", "fl == 0x5"),
        ('filename == "abc', 'filename == "abc"'),
        ('(filename == "abc)', '(filename == "abc")'),
        ("(dfd == 1", "(dfd == 1)"),
        ("dfd == 1)", "dfd == 1"),
        ("&& dfd == 1", "dfd == 1"),
        ("dfd == 1 || || u == 1", "dfd == 1 || u == 1"),
        ("dfd == 1 && ! ", "dfd == 1 "),
        ("dfd == 1 ||", "dfd == 1"),
        ("dfd == 1;", "dfd == 1"),
        ("dfd == 1 #x", "dfd == 1 "),
        ("$dfd == 1", "dfd == 1"),
        ("'x' == filename", "filename == 'x'"),
        ("(__probe_ip.function == vfs_read)", "(__probe_ip.function == vfs_read )"),
        ("__probe_ip.function == 'vfs_read'", "__probe_ip.function == vfs_read"),
        ("__probe_ip.function < vfs_read", "__probe_ip.function == vfs_read"),
        ("CPU & CPUS0}", "CPU & CPUS{0}"),
        ("CPU & CPUS{0", "CPU & CPUS{0}"),
        ("CPU < CPUS{0}", "CPU & CPUS{0}"),
        ("filename == é", 'filename == "é"'),
        ("é == 1", None),
        ("nothing_like_it == 1", None),
        ("arr[0] == 1", None),
        ("filename < 'x'", None),
        ("dfd == 1 & 2", None),
        ("cpus{1}", None),
        (r'filename == "a\"b"', "filename == 'a\"b'"),
        ("()", None),
        ("", None),
    ],
)
def test_fixes(text: str, fixed: str | None) -> None:
    verdict = check_filter(text, FLT)
    assert not verdict.ok
    fix = verdict.problems[0].fix
    assert (fix.apply(text) if fix else None) == fixed
    if fixed is not None:
        assert check_filter(fixed, FLT).ok


@pytest.mark.parametrize(
    ("text", "column", "at"),
    [
        ("dfd == 1 && nosuch == 1", 19, 12),
        ("  dfd = 1", 7, 6),
        ("filename == 'é' && dfd = 1", 25, 23),
        ("é", 2, 0),
        ("dfd == 1é", 8, 7),
        ("(dfd == 1", 0, 0),
        ("dfd == 1 && (u == 1", 12, 12),
        ("dfd == 1 && ()", 0, 13),
        ("CPU & CPUS", 12, 10),
        ("dfd == ", 7, 6),
    ],
)
def test_the_kernel_s_column_and_the_place_meant(text: str, column: int, at: int) -> None:
    (problem,) = check_filter(text, FLT).problems
    assert (problem.column, problem.at) == (column, at)


@pytest.mark.parametrize(
    "text", ["dfd == 1 &&", "dfd == 1 || u == 2 &&", "!", "dfd == 1 ||  \n", "u == 1 && !!"]
)
@pytest.mark.parametrize("release", ["5.10", "6.1.192", "6.12", "7.3"])
def test_incomplete_filters_are_refused_for_every_kernel(text: str, release: str) -> None:
    verdict = check_filter(text, FLT, features_from_release(release))
    assert verdict.errno == "EINVAL"
    assert verdict.problems[0].message == "Meaningless filter expression"
    assert verdict.problems[0].column == len(text.rstrip())


@pytest.mark.parametrize("text", ["0", " 0 ", "0\n", "\t0"])
def test_0_clears(text: str) -> None:
    assert is_clear(text)
    assert check_filter(text, FLT).ok


def test_length_counts_bytes() -> None:
    fits = "dfd == 1 || " * 340 + "dfd == 1"
    fits += " " * (4095 - len(fits))
    assert check_filter(fits, FLT).ok
    long = check_filter(fits + " ", FLT)
    assert (long.ok, long.errno, long.problems) == (False, "EINVAL", ())
    assert "4096" in long.sentence
    assert check_filter("filename == 'é'" + " " * 4079, FLT).ok
    assert not check_filter("filename == 'é'" + " " * 4080, FLT).ok


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("u8 == 256", "compares with 0"),
        ("s8 == 251", "compares with -5"),
        ("u32 == 0x1deadbeef", "compares with 3735928559"),
        ("u64 < 0", "never below 0"),
        ("x32 >= 0", "always true"),
        ("u32 > 0xfffff001", "unsigned"),
        ('str ~ "9p*"', '"[9]p*"'),
        ('str ~ ""', "never true"),
        ('str == "/tmp/*"', "only work with ~"),
        ("arr == 1", "4 bytes as one number"),
        ("arr16 == 1", "can't be filtered"),
        ("arr64 & CPUS{0,1}", "can't be filtered"),
        ("charr == 97", "array"),
        ("cpu & 1", "never true"),
        ("cpu == CPUS{0,1}", "never true"),
        ("u8 != CPUS{0,1}", "always true"),
        ('comm == "lp"', "COMM is the task's name"),
        ('COMM == "a_name_of_16_byt"', "15 bytes"),
        ('str.ustring == "x"', ".ustring does nothing"),
        ("u8 & 0", "never true"),
        ("stacktrace == 1", "never true"),
        ("u8 == 1 && (u16 == 2 || u8 == 300)", "compares with 44"),
    ],
)
def test_warnings(text: str, part: str) -> None:
    verdict = check_filter(text, ALL)
    assert verdict.ok
    assert len(verdict.warnings) == 1, verdict.warnings
    assert part in verdict.warnings[0]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ('str ~ "9p*"', 'str ~ "[9]p*"'),
        ("(str ~ '9é*')", "(str ~ '[9]é*')"),
        ('str ~ ""', 'str == ""'),
        ('u8 == 1 && str == "/tmp/*"', 'u8 == 1 && str ~ "/tmp/*"'),
        ("cpu == CPUS{0,1}", "cpu & CPUS{0,1}"),
        ("u8 != CPUS{0,1} || u8 == 7", "!(u8 & CPUS{0,1}) || u8 == 7"),
        ("u8 == 256", None),
        ('str != "/tmp/*"', None),
    ],
)
def test_fixes_of_warnings(text: str, fixed: str | None) -> None:
    (note,) = check_filter(text, ALL).notes
    assert [fix.apply(text) for fix in note.fixes] == ([] if fixed is None else [fixed])
    if fixed is not None:
        again = check_filter(fixed, ALL)
        assert again.ok
        assert again.notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "u8 == 255",
        "s8 == -128",
        "s32 < 0",
        "u64 == 0xffffffffffffffff",
        'str ~ "*9p*"',
        'str ~ "9pfs"',
        "cpu == 1",
        "cpu & CPUS{0-1}",
        "common_pid > 0",
        "__probe_ip > 0",
        'COMM ~ "ba*"',
        "x64 >= 0xffff888000000000",
    ],
)
def test_plain_filters_have_no_warnings(text: str) -> None:
    verdict = check_filter(text, ALL)
    assert verdict.ok
    assert verdict.warnings == ()


def test_features() -> None:
    assert features_from_release("7.3.4+deb13-amd64") == ALL_FEATURES
    assert features_from_release("nonsense") == ALL_FEATURES
    assert features_from_release("6.1.0-50-amd64") == {"ustring", "common_cpu"}
    assert features_from_release("6.2") == {"ustring", "common_cpu", "function"}
    told = features_from_btf_names(frozenset(("FILT_ERR_NO_FUNCTION", "FILT_ERR_NONE")), "6.12")
    assert told == ALL_FEATURES - {"cpus"}
    assert features_from_btf_names(frozenset(("OTHER",)), "6.12") == ALL_FEATURES
    old = check_filter("__probe_ip.function == vfs_read", FLT, features_from_release("6.1"))
    assert "no .function" in old.problems[0].sentence
    assert "no CPUS{}" in check_filter("u & CPUS{0}", FLT, features_from_release("6.1")).problems[0].sentence


def test_functions_are_looked_up_where_that_is_possible() -> None:
    text = "sym.function == nosuch_fn"
    assert check_filter(text, FLT).ok
    verdict = check_filter(text, FLT, has_function=lambda name: name == "vfs_read")
    assert verdict.problems[0].message == "Function not found"
    assert check_filter("sym.function == vfs_read", FLT, has_function=lambda name: name == "vfs_read").ok


def test_cpus_beyond_the_machine_are_refused_where_they_are_known() -> None:
    assert check_filter("u & CPUS{5}", FLT).ok
    assert check_filter("u & CPUS{5}", FLT, cpus=4).problems[0].message == "Invalid cpulist"
    assert check_filter("u & CPUS{0-N}", FLT, cpus=4).ok


def test_fields_to_offer() -> None:
    fields = {field.name: field for field in fields_of(ALL)}
    assert next(iter(fields)) == "r_di"
    assert "comm" in fields
    assert "COMM" in fields  # comm is an argument of this event
    assert "stacktrace" not in fields
    assert fields["COMM"].origin == "generic"
    assert fields["comm"].hides
    assert (fields["s16"].kind, fields["s16"].signed, fields["s16"].bits) == ("number", True, 16)
    assert fields["str"].operators == ("==", "!=", "~")
    assert fields["arr"].operators == ()
    assert fields["cpu"].operators == ("==", "!=", "<", "<=", ">", ">=")
    assert fields["common_pid"].signed
    plain = [field.name for field in fields_of(FLT)]
    assert plain.count("common_pid") == 1
    assert plain[:3] == ["dfd", "fl", "filename"]


def test_every_offered_operator_is_accepted_without_a_warning() -> None:
    for field in fields_of(ALL):
        for op in field.operators:
            value = '"x"' if field.is_text else "1"
            verdict = check_filter(f"{field.name} {op} {value}", ALL)
            assert verdict.ok
            assert verdict.warnings == () or field.hides


def test_typed_values_get_their_quotes() -> None:
    table = field_table(FLT)
    assert typed_value(table["filename"], "/tmp/*") == '"/tmp/*"'
    assert typed_value(table["filename"], '"a"') == '"a"'
    assert typed_value(table["filename"], 'a"b') == "'a\"b'"
    assert typed_value(table["filename"], "'a") == '"\'a"'
    assert typed_value(table["dfd"], " 5 ") == "5"


def test_pid_filter() -> None:
    assert pid_filter([7]) == "common_pid == 7"
    assert pid_filter([7, 9, 7]) == "common_pid == 7 || common_pid == 9"
    assert check_filter(pid_filter(range(1, 180)), FLT).ok
    for bad in ([], [-1]):
        with pytest.raises(ValueError):
            pid_filter(bad)
    with pytest.raises(TooManyPids, match="process ids fit") as caught:
        pid_filter(range(100_000, 100_300))
    fits = caught.value.fits
    assert 150 < fits < 200
    assert len(pid_filter(range(100_000, 100_000 + fits))) <= 4095
    with pytest.raises(TooManyPids):
        pid_filter(range(100_000, 100_001 + fits))


def test_a_group_filter_is_each_event_s_own() -> None:
    verdicts = expand_group("dfd == 1", {"flt": FLT, "all": ALL})
    assert {name: verdict.ok for name, verdict in verdicts.items()} == {"flt": True, "all": False}
    assert group_summary(verdicts) == "1 of 2 events take it; not all."
    assert group_summary(expand_group("common_pid == 1", {"flt": FLT, "all": ALL})) == "All 2 events take it."
    assert group_summary(expand_group("x", {"flt": FLT})) == "No event of the group takes it."
    assert group_summary({}) == "The group has no events."


@given(st.integers(0, 3))
@settings(max_examples=4, deadline=None)
def test_long_texts_take_little_time(kind: int) -> None:
    text = ["(" * 2000 + "dfd == 1" + ")" * 2000, "dfd == 1 || " * 340 + "dfd = 1", "é" * 2000, "!" * 4000][
        kind
    ]
    check_filter(text, FLT)
    times = []
    for _ in range(3):
        start = time.process_time()
        check_filter(text, FLT)
        times.append(time.process_time() - start)
    assert min(times) < 0.05
