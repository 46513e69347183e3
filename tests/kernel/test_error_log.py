"""error_log and filter files: real kernels' texts, windows that move, carets that land where they should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.kernel.error_log import LogEntry, caret_in, filter_file, new_entries, parse_error_log, problems_of


class Golden(TypedDict):
    command: str
    error_log: str


class GoldenFilter(TypedDict):
    filter: str
    errno: int
    file: str
    error_log: str


DATA = json.loads(Path(__file__).parent.joinpath("data/refusals.json").read_text())


@pytest.mark.parametrize("version", ["6.1", "6.12"])
def test_every_logged_refusal_of_a_definition_has_message_and_caret(version: str) -> None:
    for item in cast("list[Golden]", DATA[version]):
        entries = parse_error_log(item["error_log"].encode())
        assert entries
        problems = problems_of(entries, item["command"])
        assert problems
        first = item["error_log"].split("\n")
        assert problems[0].message in first[0]
        assert problems[0].column == first[2].index("^") - 11
        assert 0 <= problems[0].at <= len(item["command"])
        if problems[0].message == "Invalid register name":
            assert item["command"][problems[0].at] == "%"


@pytest.mark.parametrize("version", ["6.1 filters", "6.12 filters"])
def test_every_filter_file_tells_active_from_refused(version: str) -> None:
    for item in cast("list[GoldenFilter]", DATA[version]):
        text, error, _ = filter_file(item["file"].encode())
        if item["errno"]:
            assert text is None, item
            assert item["error_log"] == "" or error is not None, item
        else:
            assert error is None, item
            assert text in {item["filter"].strip(), None}, item


def test_a_command_with_newlines_and_a_caret_inside_stays_one_entry() -> None:
    log = b"[    1.000002] event filter parse error: error: Field not found\n"
    log += b"  Command: a ==\n ^ 1\n         ^\n"
    (entry,) = parse_error_log(log)
    assert entry == LogEntry("1.000002", "event filter parse error", "Field not found", "a ==\n ^ 1", 0)


def test_hostile_message_is_neutralised_and_garbage_passed_over() -> None:
    assert parse_error_log(b"\xff\x00garbage\n\n^\n") == []
    (entry,) = parse_error_log(b"junk\n[ 5.000000] x: error: \x1b]52\x07\n")
    assert "\x1b" not in entry.message
    assert (entry.command, entry.column) == ("", 0)


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=20).map(sorted), st.integers(0, 8))
@settings(max_examples=60)
def test_the_window_of_eight_gives_what_was_added(times: list[int], added: int) -> None:
    entries = [LogEntry(str(time), "w", "m", "c", 0) for time in times]
    cut = max(0, len(entries) - added)
    before, after = entries[:cut][-8:], entries[-8:]
    assert new_entries(before, after) == entries[cut:][-8:]


@given(st.lists(st.text("ab%(:é", min_size=1, max_size=5), min_size=1, max_size=5), st.data())
@settings(max_examples=80)
def test_carets_land_on_the_same_byte_however_spaced(words: list[str], data: st.DataObject) -> None:
    joined = " ".join(words)
    gaps = [data.draw(st.sampled_from([" ", "  ", "\t "])) for _ in words]
    line = "".join(gap + word for gap, word in zip(gaps, words, strict=True))
    index = data.draw(st.integers(0, len(joined) - 1))
    column = len(joined[:index].encode())
    at = caret_in(line, joined, column)
    assert line[at] == joined[index] or joined[index] == " "


def test_entries_of_others_are_left_out_when_ours_are_there() -> None:
    ours = LogEntry("2.0", "trace_kprobe", "Invalid register name", "p:a b %rdi", 6)
    other = LogEntry("1.0", "trace_kprobe", "Unknown type", "p:x y z", 4)
    assert [problem.message for problem in problems_of([other, ours], "p:a b %rdi")] == [
        "Invalid register name"
    ]
    assert [problem.message for problem in problems_of([other], "p:a b %rdi")] == ["Unknown type"]
