"""CSV: six columns and one line a record, whatever the bytes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.events import TraceParser
from kptui.export.csv import HEADER, record_to_csv

PREFIX = b"            bash-1234    [001] .....  5021.123456: "


def row(line: bytes) -> list[str]:
    text = record_to_csv(TraceParser().parse(line))
    assert "\n" not in text
    (found,) = csv.reader(io.StringIO(text))
    return found


def test_the_columns() -> None:
    assert HEADER == "ts,cpu,pid,comm,event,args"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            PREFIX + b'open: (a+0x0/0x1) p="x, y" n=1',
            ["5021.123456", "1", "1234", "bash", "open", 'p="x, y" n=1'],
        ),
        (PREFIX + b"open: (a+0x0/0x1)", ["5021.123456", "1", "1234", "bash", "open", ""]),
        (
            PREFIX + b'open: (a+0x0/0x1) p="a\nb\x1b\xff"',
            ["5021.123456", "1", "1234", "bash", "open", 'p="a\\nb\\x1b\\xff"'],
        ),
        (
            PREFIX + b"tracing_mark_write: hi, you",
            ["5021.123456", "1", "1234", "bash", "tracing_mark_write", "hi, you"],
        ),
        (b"CPU:2 [LOST 4876 EVENTS]", ["", "2", "", "", "lost", "CPU:2 [LOST 4876 EVENTS]"]),
        (b" => vfs_read", ["", "", "", "", "stack_frame", " => vfs_read"]),
        (b"", ["", "", "", "", "raw", ""]),
        (
            b'        "quoted"-5       [000] .....     1.000000: e: (a+0x0/0x1)',
            ["1.000000", "0", "5", '"quoted"', "e", ""],
        ),
    ],
)
def test_rows(line: bytes, expected: list[str]) -> None:
    assert row(line) == expected


def test_a_formula_is_data() -> None:
    assert row(b"          =1+1|x-5       [000] .....     1.000000: e: (a+0x0/0x1)")[3] == "=1+1|x"


@given(st.binary(max_size=60), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_one_safe_line_of_six_cells(data: bytes, prefixed: bool) -> None:
    line = PREFIX + b'ev: (a+0x0/0x1) s="' + data + b'"' if prefixed else data
    assert len(row(line)) == 6
    text = record_to_csv(TraceParser().parse(line))
    text.encode("utf-8")
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in text)
