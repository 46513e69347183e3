from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.probes.definition import (
    Place,
    Probe,
    ProbeSyntaxError,
    generated_event_name,
    parse_place,
    parse_probe,
    removal,
)
from kptui.probes.fetch import is_identifier, parse_fetcharg
from kptui.probes.names import default_event_name
from tests.probes.strategies import probes, symbols

LISTED = (Path(__file__).parent / "data" / "listed.txt").read_text().splitlines()


@given(probes())
@settings(max_examples=200, deadline=None)
def test_print_then_parse_gives_the_same_probe(probe: Probe) -> None:
    assert parse_probe(str(probe)) == probe


@pytest.mark.parametrize("line", LISTED)
def test_lines_that_kernels_listed_come_back_byte_for_byte(line: str) -> None:
    assert str(parse_probe(line)) == line


def test_the_parts_of_a_listed_return_probe() -> None:
    assert parse_probe("r10:kprobes/x do_sys_openat2 arg1=$retval") == Probe(
        "r", Place("do_sys_openat2"), "kprobes", "x", 10, (parse_fetcharg("arg1=$retval"),)
    )


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("p vfs_read", "p vfs_read"),
        ("  p:a.b\tvfs_read+0x10   %di # why\r\n", "p:a/b vfs_read+16 %di"),
        ("p:g/ vfs_read", "p:g/ vfs_read"),
        ("p:x vfs_read%return $retval", "r:x vfs_read $retval"),
        ("r0x10:x vfs_read", "r16:x vfs_read"),
        ("p:x ext4:ext4_file_open+020", "p:x ext4:ext4_file_open+16"),
        ("p:x 0xFFFFFFFF81000000", "p:x 0xffffffff81000000"),
        ("p:x foo.isra.0", "p:x foo.isra.0"),
    ],
)
def test_what_was_typed_is_printed_in_one_way(typed: str, printed: str) -> None:
    assert str(parse_probe(typed)) == printed


@pytest.mark.parametrize(
    ("line", "message", "column"),
    [
        ("", "A definition is p or r, a place, and arguments", 0),
        ("# p vfs_read", "A definition is p or r, a place, and arguments", 0),
        ("p", "No place to probe is given", 1),
        ("x vfs_read", "A definition begins with p (entry) or r (return)", 0),
        ("-:g/e", "A definition begins with p (entry) or r (return)", 0),
        ("pfoo:g/e vfs_read", "Only : and a name may follow p or r", 1),
        ("p10:x vfs_read", "Maxactive is only for function exit", 1),
        ("r0:x vfs_read", "Invalid maxactive number", 1),
        ("r08 vfs_read", "Invalid maxactive number", 1),
        ("r4097 vfs_read", "Maxactive is too big", 1),
        ("p: vfs_read", "Event name is not specified", 2),
        ("p:/x vfs_read", "Group name is not specified", 2),
        (f"p:{'g' * 64}/x vfs_read", "Group name is too long", 2),
        ("p:g!/x vfs_read", "Group name must follow the same rules as C identifiers", 2),
        (f"p:g/{'e' * 64} vfs_read", "Event name is too long", 4),
        ("p:g/a-b vfs_read", "Event name must follow the same rules as C identifiers", 4),
        ("p:x vfs_read%ret", "Invalid probed address suffix", 12),
        ("p:x vfs_read-4", "Invalid probed address or symbol", 4),
        ("p:x vfs_read+zz", "Invalid probed address or symbol", 4),
        ("p:x vfs_read+0x100000000", "Invalid probed address or symbol", 4),
        ("p:x /bin/bash:0x1000", "Invalid probed address or symbol", 4),
        ("  p:x vfs_read  n=%rdi", "Invalid register name", 18),
        ("p:x vfs_read\np:y vfs_write", "One definition is one line", 12),
    ],
)
def test_refusals_point_into_the_line_as_typed(line: str, message: str, column: int) -> None:
    with pytest.raises(ProbeSyntaxError) as caught:
        parse_probe(line)
    assert (caught.value.message, caught.value.column) == (message, column)


@given(st.text(max_size=40) | st.text(st.sampled_from("pr:/.-+%$0x1ab @\t#\n"), max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    refusal: ProbeSyntaxError | None = None
    try:
        probe = parse_probe(text)
    except ProbeSyntaxError as error:
        refusal = error
    if refusal is None:
        assert parse_probe(str(probe)) == probe
    else:
        assert 0 <= refusal.column <= len(text)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("p ext4:foo.isra.0+0x10", "p_ext4_foo_isra_0_16"),
        ("p do_sys_openat2", "p_do_sys_openat2_0"),  # this and the next as 6.12 listed them
        ("p do_sys_openat2+5 a=%di", "p_do_sys_openat2_5"),
        ("r do_sys_openat2", "r_do_sys_openat2_0"),
        (f"p {'s' * 80}", "p_" + "s" * 61),
        ("p 0xffffffff81000000", None),
    ],
)
def test_generated_names_are_the_kernels(line: str, name: str | None) -> None:
    assert generated_event_name(parse_probe(line)) == name


def test_named_fills_blanks_only() -> None:
    assert str(parse_probe("p vfs_read").named("vfs_read", "kptui")) == "p:kptui/vfs_read vfs_read"
    assert str(parse_probe("p:a/b vfs_read").named("c", "d")) == "p:a/b vfs_read"
    assert removal("kptui", "x") == "-:kptui/x"


def test_places() -> None:
    assert parse_place("ext4:x+4%return") == (Place("x", 4, "ext4"), True)
    assert Place("x").is_entry
    assert not Place("x", 4).is_entry
    assert not Place(None, address=1).is_entry


@pytest.mark.parametrize(
    ("symbol", "kind", "name"),
    [
        ("vfs_read", "p", "vfs_read"),
        ("vfs_read", "r", "vfs_read_ret"),
        ("__x64_sys_execve", "p", "execve"),
        ("__x64_sys_execve", "r", "execve_ret"),
        ("__do_sys_openat2", "p", "openat2"),
        ("sys_imageblit", "p", "sys_imageblit"),
        ("foo.isra.0", "p", "foo_isra_0"),
        ("enable", "p", "enable_2"),
        ("filter", "p", "filter_2"),
        ("9p_open", "p", "_9p_open"),
        ("", "p", "probe"),
        ("s" * 90, "r", "s" * 59 + "_ret"),
    ],
)
def test_default_names(symbol: str, kind: str, name: str) -> None:
    assert default_event_name(symbol, "r" if kind == "r" else "p") == name


@given(symbols, st.sampled_from(["p", "r"]), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_default_names_are_valid_and_free(symbol: str, kind: str, copies: int) -> None:
    taken: set[str] = set()
    for _ in range(copies + 1):
        name = default_event_name(symbol * 4, "r" if kind == "r" else "p", taken)
        assert is_identifier(name)
        assert len(name) <= 63
        assert name not in taken | {"enable", "filter"}
        taken.add(name)
