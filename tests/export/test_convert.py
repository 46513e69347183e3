"""A whole capture in one pass."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from kptui.export.convert import Counts, convert_stream

LINE = b'            bash-1234    [001] .....  5021.123456: open: (vfs_open+0x0/0x90) path="/x"\n'


def test_counts_and_lines() -> None:
    out: list[str] = []
    data = b"# tracer: nop\n" + LINE * 3 + b"CPU:1 [LOST 5 EVENTS]\nrubbish"
    counts = convert_stream([data[:50], data[50:]], "jsonl", out.append)
    assert counts == Counts(len(data), 6, {"header": 1, "event": 3, "lost": 1, "raw": 1})
    assert counts.recognised == 5
    lines = "".join(out).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["kind"] for line in lines] == [
        "header",
        "event",
        "event",
        "event",
        "lost",
        "raw",
    ]


def test_csv_has_one_header() -> None:
    out: list[str] = []
    counts = convert_stream(iter([LINE, LINE]), "csv", out.append)
    rows = list(csv.reader(io.StringIO("".join(out))))
    assert rows[0] == ["ts", "cpu", "pid", "comm", "event", "args"]
    assert [row[4] for row in rows[1:]] == ["open", "open"]
    assert counts.records == 2


def test_nothing_gives_nothing() -> None:
    out: list[str] = []
    assert convert_stream([], "jsonl", out.append) == Counts(0, 0, {})
    assert out == []


def test_memory_does_not_grow_with_the_input() -> None:
    biggest = 0
    pending = 0

    def chunks() -> Iterator[bytes]:
        nonlocal pending
        for _ in range(300):
            pending += 1
            yield LINE * 40
        yield b"x" * (1 << 22)  # one line of 4 MiB without a newline

    def write(text: str) -> None:
        nonlocal biggest, pending
        biggest = max(biggest, len(text))
        pending = 0

    counts = convert_stream(chunks(), "jsonl", write)
    assert counts.kinds == {"event": 12_000, "raw": (1 << 22) // 65536}
    assert biggest < 1 << 18
    assert pending <= 1


def test_what_was_complete_is_written_before_an_error_passes() -> None:
    def broken() -> Iterator[bytes]:
        yield LINE + LINE
        raise OSError("gone")

    out: list[str] = []
    with pytest.raises(OSError, match="gone"):
        convert_stream(broken(), "jsonl", out.append)
    assert len(out) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 50, 10_000])
def test_lines_that_came_through_a_terminal(size: int) -> None:
    text = b"# tracer: nop\n" + LINE + LINE.replace(b"/x", b"a\rb") + LINE.rstrip(b"\n")

    def run(data: bytes) -> tuple[str, int]:
        out: list[str] = []
        counts = convert_stream((data[i : i + size] for i in range(0, len(data), size)), "jsonl", out.append)
        return "".join(out), counts.bytes

    plain, _ = run(text)
    assert '"a\\rb"' in plain
    data = text.replace(b"\n", b"\r\n")
    assert run(data) == (plain, len(data))
    assert run(text + b"\r")[0].count("\\r") == 2
