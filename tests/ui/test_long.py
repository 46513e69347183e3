"""What takes long is done by and by: no step of it holds up the keys, and nothing is left out."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from kptui.ui import live
from tests.ui.support import Driven, demo

EVENTS = 20_000


def line(number: int) -> bytes:
    head = b"%16s-%-7d [%03d] ..... 5000.%06d: "
    values = (b"task_%d" % (number % 3), 100 + number % 3, number % 4, number, number)
    return (head + b"open: (do_sys_openat2+0x4/0x130) n=%d\n") % values


def fill(it: Driven) -> None:
    for start in range(0, EVENTS, 2000):
        it.app.log_of_events.feed(b"".join(map(line, range(start, start + 2000))))


async def longest_step(it: Driven, until: str) -> float:
    """Seconds of the longest wait for a turn of the event loop while ``until`` isn't on the screen."""
    worst = 0.0
    end = time.monotonic() + 20
    while until not in it.screen() and time.monotonic() < end:
        then = time.thread_time()
        await asyncio.sleep(0.001)
        worst = max(worst, time.thread_time() - then)
    assert until in it.screen()
    return worst


async def test_a_long_search_ends_where_it_has_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kptui.ui.panes.captured._SLICE", 0.0)  # a hundred events at a time
    async with demo(tmp_path) as it:
        fill(it)
        pane = it.app.workspace.events
        await it.press("4", "end", "slash", "= n=17")
        await it.pilot.press("enter")
        assert "searching for ' n=17' …" in it.screen() or pane.at != EVENTS - 1
        await it.until(lambda: not pane.error, "found")
        assert pane.record is not None
        assert pane.record.text.endswith(" n=17999")  # the newest of them
        await it.press("n")
        await it.until(lambda: "no later event with ' n=17'" in it.screen(), "no later one")
        assert pane.at == 17_999


async def test_a_search_that_another_one_follows_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kptui.ui.panes.captured._SLICE", 0.0)
    async with demo(tmp_path) as it:
        fill(it)
        pane = it.app.workspace.events
        await it.press("4", "end")
        pane.needle = "n=5"
        pane.at = EVENTS - 1
        pane.needle = "n=3"
        pane.seek(-1)  # far away
        pane.needle = "n=19998"
        pane.seek(-1)
        assert pane.at == 19_998
        await it.pilot.pause(0.3)
        assert pane.at == 19_998


async def test_a_view_of_many_events_comes_by_and_by(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        fill(it)
        await it.press("4", "ampersand", "=common_pid == 101")
        await it.pilot.press("enter")
        worst = await longest_step(it, f"view {(EVENTS + 1) // 3:,}")
        assert worst < 0.2  # all of them at once would be three times as much; a slice is 7 ms
        assert len(it.app.workspace.events.view) == (EVENTS + 1) // 3


async def test_all_events_are_written_to_a_file_and_the_screen_goes_on(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        fill(it)
        path = tmp_path / "out.jsonl"
        await it.press("4", "w")
        await it.press("ctrl+u", f"={path}")
        await it.pilot.press("enter")
        await it.until(path.exists, "written")
        rows = [json.loads(row) for row in path.read_text().splitlines()]
        assert [row["args"][0]["value"] for row in rows] == [str(n) for n in range(EVENTS)]
        assert {row["pid"] for row in rows} == {100, 101, 102}


async def test_a_flood_is_taken_in_by_pieces_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "FEED", 5_000)
    async with demo(tmp_path) as it:
        reader = it.app.world.session.reader  # type: ignore[union-attr]
        assert reader is not None
        chunks = [b"".join(map(line, range(1000))), b"".join(map(line, range(1000, 1500)))]
        drained = reader.drain
        monkeypatch.setattr(reader, "drain", lambda: chunks.pop(0) if chunks else drained())
        log = it.app.log_of_events
        await it.until(lambda: len(log) == 1500, "all are there")
        assert b"".join(log.line(i) + b"\n" for i in range(1500)) == b"".join(map(line, range(1500)))
