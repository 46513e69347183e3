"""The bounded log: what goes, what stays, what a view and a count see of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.events import (
    ArgSpec,
    EventLog,
    LogView,
    Record,
    TraceEvent,
    counts_by,
    event_values,
)
from tests.events.golden import load

LOST = b"CPU:1 [LOST 40 EVENTS]\n"


def line(n: int, text: str = "x") -> bytes:
    return (
        f"            bash-{n % 7:<7} [{n % 3:03d}] .....  {n:4d}.000000: open: (vfs_open+0x0/0x1) "
        f'n={n} s="{text}"\n'
    ).encode()


def feed(log: EventLog, start: int, stop: int) -> None:
    for i in range(start, stop):
        log.feed(line(i))


def number(record: Record) -> int:
    assert isinstance(record, TraceEvent)
    value = record.args[0].value
    assert isinstance(value, str)
    return int(value)


def test_the_newest_record_is_there_at_once() -> None:
    log = EventLog()
    assert log.feed(line(0)) == 1
    assert (len(log), log.first, log.end, log.settled) == (1, 0, 1, 0)
    assert number(log.record(0)) == 0
    assert log.feed(line(1)[:30]) == 0
    assert log.feed(line(1)[30:]) == 1
    assert [number(log.record(i)) for i in range(2)] == [0, 1]
    assert log.line(1) + b"\n" == line(1)


def test_a_record_grows_when_the_rest_of_its_string_comes() -> None:
    log = EventLog()
    log.feed(line(0) + line(1, "a\nb")[:-3])
    assert log.feed(b'b"\n') == 0
    grown = log.record(log.end - 1)
    assert isinstance(grown, TraceEvent)
    assert grown.args[1].value == "a\nb"
    log.feed(line(2))
    assert [number(log.record(i)) for i in range(log.first, log.end)] == [0, 1, 2]


def test_the_oldest_records_go_first_and_are_counted() -> None:
    log = EventLog(max_events=10)
    feed(log, 0, 100)
    log.close()
    assert (len(log), log.first, log.evicted, log.received) == (10, 90, 90, 100)
    assert [number(log.record(i)) for i in range(90, 100)] == list(range(90, 100))
    for gone in (-1, 0, 89, 100):
        with pytest.raises(IndexError):
            log.record(gone)


def test_a_record_that_went_is_gone_from_the_cache_too() -> None:
    log = EventLog(max_events=10)
    feed(log, 0, 5)
    log.record(0)
    feed(log, 5, 50)
    with pytest.raises(IndexError):
        log.record(0)


@pytest.mark.parametrize("chunk", [1, 7, 300])
def test_bytes_are_bounded(chunk: int) -> None:
    log = EventLog(max_bytes=2000)
    for start in range(0, 1500, chunk):
        log.feed(b"".join(line(i) for i in range(start, start + chunk)))
        assert log.size <= 2000
    assert 5 < len(log) < 30
    assert number(log.record(log.end - 1)) == log.end - 1
    assert number(log.record(log.first)) == log.first


def test_many_batches_are_bounded_too() -> None:
    log = EventLog(max_bytes=1 << 20)
    for start in range(0, 40_000, 500):
        log.feed(b"".join(line(i) for i in range(start, start + 500)))
        assert log.size <= 1 << 20
    assert len(log) > 5000
    for i in (log.first, (log.first + log.end) // 2, log.end - 1):
        assert number(log.record(i)) == i


def test_lost_events_are_counted() -> None:
    log = EventLog()
    log.feed(line(0) + LOST + line(1) + LOST + b"CPU:0 [LOST EVENTS]\n" + line(2, "CPU:1 [LOST 9 EVENTS]"))
    log.close()
    assert (log.lost, log.lost_marks, len(log)) == (80, 3, 6)
    log = EventLog()
    log.feed(load("6.12")["lost_events.txt"])
    assert log.lost == 1183 + 2733


def test_clear_keeps_counting_where_it_was() -> None:
    log = EventLog()
    feed(log, 0, 5)
    log.feed(line(5)[:20])
    log.clear()
    assert (len(log), log.first, log.size) == (0, 5, 0)
    log.feed(line(5)[20:] + line(6))
    assert [number(log.record(i)) for i in range(log.first, log.end)] == [5, 6]


def test_find_looks_both_ways_in_bounded_steps() -> None:
    log = EventLog()
    log.feed(b"".join(line(i, "Needle" if i in (10, 500) else "hay") for i in range(1000)))
    assert log.find("needle", 0) == 10
    assert log.find("Needle", 11) == 500
    assert log.find("NEEDLE", 0) is None
    assert log.find("needle", 999, -1) == 500
    assert log.find("needle", 499, -1) == 10
    assert log.find("needle", 9, -1) is None
    assert log.find("needle", 11, limit=100) is None
    assert log.find("needle", 11, limit=490) == 500
    assert log.find("needle", 5000, -1) == 500


def test_formats_can_be_set_later() -> None:
    log = EventLog()
    log.feed(line(0) + line(1))
    assert not isinstance(log.record(0), str)
    log.set_formats({"open": (ArgSpec("n", "sym"), ArgSpec("s", "str"))})
    record = log.record(0)
    assert isinstance(record, TraceEvent)
    assert record.args[0].type == "sym"


def even(record: Record) -> bool:
    return isinstance(record, TraceEvent) and number(record) % 2 == 0


def test_a_view_advances_in_slices_and_forgets_what_the_log_forgot() -> None:
    log = EventLog(max_events=100)
    view = LogView(log, even)
    feed(log, 0, 50)
    assert view.advance(20) == 20
    assert (len(view), view.behind, view.tested) == (10, 30, 20)
    while view.advance(20):
        pass
    assert (len(view), view.behind, view.matched) == (25, 0, 25)
    assert [view.index(i) for i in range(3)] == [0, 2, 4]
    assert view.position(5) == 3
    feed(log, 50, 200)
    view.advance()
    assert (len(view), view.index(0)) == (50, log.first)
    with pytest.raises(IndexError):
        view.index(50)
    assert view.advance(1000) == 0


def test_a_view_without_predicate_is_the_log() -> None:
    log = EventLog(max_events=5)
    view = LogView(log)
    feed(log, 0, 9)
    assert view.advance() == 0
    assert (len(view), view.index(0), view.index(4), view.position(6), view.behind) == (5, 4, 8, 2, 0)


def test_a_view_sees_the_last_record_at_once_and_again_when_it_grew() -> None:
    log = EventLog()
    view = LogView(log, lambda record: event_values(record).get("s") == "a\nb")
    log.feed(line(0, "a\nb")[:-3])
    view.advance()
    assert len(view) == 0
    log.feed(b'b"\n')
    view.advance()
    assert len(view) == 1
    log.feed(line(1))
    view.advance()
    view.advance()
    assert (len(view), view.index(0)) == (1, 0)


def test_counts_by_a_field() -> None:
    log = EventLog()
    counts = counts_by(log, "cpu")
    feed(log, 0, 300)
    log.feed(LOST)
    log.close()
    assert counts.advance(100) == 100
    while counts.advance(100):
        pass
    assert counts.top() == [("0", 100), ("1", 100), ("2", 100)]
    assert (counts.total, counts.without, counts.other) == (301, 1, 0)
    view = LogView(log, even)
    of_view = counts_by(view, "n")
    while view.advance(64) + of_view.advance(10):
        pass
    assert (of_view.total, len(of_view.counts), of_view.counts["298"]) == (150, 150, 1)
    assert event_values(log.record(3))["n"] == "3"


@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=30),
    st.integers(1, 40),
    st.integers(1, 50),
)
@settings(max_examples=40, deadline=None)
def test_log_and_view_agree_with_a_plain_list(
    steps: list[tuple[int, bool]], max_events: int, budget: int
) -> None:
    log = EventLog(max_events=max_events)
    view = LogView(log, even)
    fed = 0
    for count, look in steps:
        log.feed(b"".join(line(i) for i in range(fed, fed + count)))
        fed += count
        if look:
            view.advance(budget)
    while view.behind:
        view.advance(budget)
    kept = list(range(log.first, fed))
    assert [number(log.record(i)) for i in range(log.first, log.end)] == kept
    assert len(kept) == min(fed, max_events)
    assert [view.index(i) for i in range(len(view))] == [i for i in kept if i % 2 == 0]
