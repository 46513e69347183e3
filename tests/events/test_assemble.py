"""Records from chunks: any cut gives the same, newlines join where they must and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.events import LineAssembler
from kptui.events.assemble import MAX_LINE
from tests.events.golden import load

HEAD = b"         python3-181     [001] .....    11.683075: "
OPEN = HEAD + b"open: (do_sys_openat2+0x0/0xe0) dfd=-100 filename="
PLAIN = OPEN + b'"/x" flags=0x88000'
FAKE = b"            bash-1       [000] .....     1.000000: open: (do_sys_openat2+0x0/0xe0) dfd=-100"
AWKWARD = load("6.12")["trace_pipe_awkward.txt"] + load("6.12")["trace_pipe_marker.txt"]


def records(*chunks: bytes) -> list[bytes]:
    assembler = LineAssembler()
    out: list[bytes] = []
    for chunk in chunks:
        out += assembler.feed(chunk)
    return out + assembler.close()


def joined(*lines: bytes) -> list[bytes]:
    return records(b"\n".join(lines) + b"\n")


PIECES = st.sampled_from(
    [
        PLAIN,
        OPEN + b'"/tmp/new',
        b'line" flags=0x1',
        b'"',
        b"",
        b" => vfs_read",
        b"CPU:2 [LOST 4876 EVENTS]",
        b"CPU:2 [LOST EVENTS]",
        b"# tracer: nop",
        b"##### CPU 1 buffer started ####",
        b"[LINE TOO BIG]",
        b"        new",
        b"line-205     [000] .....    11.608352: open: (do_sys_openat2+0x0/0xe0) dfd=-100",
        HEAD + b"tracing_mark_write: two",
        HEAD + b"<stack trace>",
        HEAD + b"Unknown type 2326",
        HEAD + b"open: (x+0x0/0x1) c='",
        b"' d=1",
        FAKE,
        FAKE + b' filename="b" flags=0x1',
        b"\xff\x00\x1b[2J",
        b"000000b5 00000000 00000007861c1f8a type: 1662",
        b" python3-181       1..... 16497us : opt: (a+0x0/0x1) a=1",
    ]
)


@given(lines=st.lists(PIECES | st.binary(max_size=40), max_size=12), cuts=st.data(), end=st.booleans())
@settings(max_examples=250, deadline=None)
def test_any_cut_gives_the_same_records_and_keeps_every_byte(
    lines: list[bytes], cuts: st.DataObject, end: bool
) -> None:
    data = b"\n".join(lines) + (b"\n" if end else b"")
    whole = records(data)
    assert b"\n".join(whole) == data.removesuffix(b"\n") or (not data and not whole)
    places = sorted(cuts.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    assert records(*[data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]) == whole
    assert records(*[data[i : i + 1] for i in range(len(data))]) == whole


@given(cuts=st.lists(st.integers(0, len(AWKWARD)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_real_capture_of_hostile_names_survives_any_cut(cuts: list[int]) -> None:
    places = sorted(cuts)
    chunks = [AWKWARD[a:b] for a, b in zip([0, *places], [*places, len(AWKWARD)], strict=True)]
    assert records(*chunks) == records(AWKWARD)


def test_a_newline_in_a_string_a_character_a_name_and_a_marker() -> None:
    string = OPEN + b'"/tmp/new\n\nline" flags=0x1'
    char = HEAD + b"open: (x+0x0/0x1) c='\n' d=1"
    comm = b"        new\nline-205     [000] .....    11.608352: open: (do_sys_openat2+0x0/0xe0) dfd=-100"
    many = b"  a\n\n\n\nb\n       -205     [000] .....    11.608352: open: (do_sys_openat2+0x0/0xe0) dfd=-100"
    marker = HEAD + b"tracing_mark_write: two\nlines"
    for record in (string, char, comm, many, marker):
        assert joined(PLAIN, record, PLAIN) == [PLAIN, record, PLAIN]


def test_a_string_that_is_still_open_beats_whatever_the_next_line_imitates() -> None:
    for fake in (
        FAKE + b' filename="b" flags=0x88000',
        b' => vfs_read" flags=0x88000',
        b'CPU:2 [LOST 4876 EVENTS]\n" flags=0x88000',
        b'# tracer: nop" flags=0x1',
    ):
        record = OPEN + b'"/tmp/a\n' + fake
        assert joined(PLAIN, record, PLAIN) == [PLAIN, record, PLAIN]


def test_a_string_whose_first_line_could_be_complete() -> None:
    record = OPEN + b'"/tmp/a" flags=0x1\nb" flags=0x88000'
    assert joined(record, PLAIN) == [record, PLAIN]


def test_a_record_that_was_cut_off_does_not_swallow_the_others() -> None:
    cut = OPEN + b'"/etc/pas'
    lines = [HEAD + b"none: (vfs_read+0x0/0x1)"] * 200
    assert joined(cut, *lines) == [cut, *lines]


def test_garbage_after_a_complete_record_stands_alone() -> None:
    for garbage in (b"what is this", b"\x00\x01\x02", b"181 0 31834726524 type: 1662"):
        assert joined(PLAIN, garbage, PLAIN) == [PLAIN, garbage, PLAIN]


def test_lines_that_are_never_part_of_a_complete_record() -> None:
    others = [
        b" => vfs_read",
        b"CPU:2 [LOST 4876 EVENTS]",
        b"# x",
        b"##### CPU 1 buffer started ####",
        b"[LINE TOO BIG]",
    ]
    assert joined(PLAIN, *others, PLAIN) == [PLAIN, *others, PLAIN]


def test_a_last_line_without_newline_comes_out_at_the_end() -> None:
    assert records(PLAIN) == [PLAIN]
    assert records(PLAIN + b"\n" + OPEN) == [PLAIN, OPEN]
    assert records(b"") == []


def test_peek_shows_the_record_in_the_making_and_changes_nothing() -> None:
    assembler = LineAssembler()
    assert assembler.feed(PLAIN + b"\n") == []
    assert assembler.peek() == [PLAIN]
    assert assembler.feed(PLAIN[:40]) == []
    assert assembler.peek() == [PLAIN]
    assert assembler.feed(PLAIN[40:] + b"\n") == [PLAIN]
    assert assembler.peek() == [PLAIN]
    assert assembler.close() == [PLAIN]
    assert assembler.peek() == []


def test_a_line_without_end_stays_in_bounds() -> None:
    data = b"x" * (3 * MAX_LINE + 10)
    out = records(*[data[i : i + 5000] for i in range(0, len(data), 5000)])
    assert b"".join(out) == data
    assert max(map(len, out)) == MAX_LINE


@pytest.mark.parametrize("line", [OPEN + b'"x"\r', OPEN + b'"' + b'" a="' * 800, OPEN + b"{" + b'"a",' * 900])
def test_hostile_lines_stay_fast(line: bytes) -> None:
    lines = [line] * 300
    assert joined(*lines) == lines or b"\n".join(joined(*lines)) == b"\n".join(lines)
