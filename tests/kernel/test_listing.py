"""Lists and profiles of real kernels, and counts that are not guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kptui.kernel.listing import Count, Listed, match_profile, parse_list, parse_profile

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("version", ["6.1", "6.12"])
def test_profile_lines_belong_to_the_probes_as_listed(version: str) -> None:
    probes = parse_list((DATA / f"kprobe_events_busy_{version}.txt").read_bytes(), "kprobe_events")
    rows = parse_profile((DATA / f"kprobe_profile_busy_{version}.txt").read_bytes())
    counts = match_profile(probes, rows)
    assert len(counts) == len(probes) == len(rows) == 7
    assert counts["kprobes", "hot_read"].hits > 0
    assert {probe.kind for probe in probes} == {"p", "r"}


def test_every_kind_of_dynamic_event_is_listed() -> None:
    found = parse_list((DATA / "dynamic_events_all_6.12.txt").read_bytes(), "dynamic_events")
    assert [item.kind for item in found] == list("prpfffftteps" + "s")
    assert (found[-1].group, found[-1].event) == ("synthetic", "syn2")
    assert (found[6].group, found[6].event) == ("fprobes", "vfs_read__entry")


def listed(group: str, event: str) -> Listed:
    return Listed("p", group, event, f"p:{group}/{event} x", "kprobe_events")


def test_probes_of_one_event_are_summed_and_same_names_told_apart_by_position() -> None:
    probes = [listed("a", "x"), listed("b", "x"), listed("a", "x")]
    rows = [("x", Count(1, 1)), ("x", Count(10, 0)), ("x", Count(100, 2))]
    assert match_profile(probes, rows) == {("a", "x"): Count(101, 3), ("b", "x"): Count(10, 0)}


def test_lists_that_do_not_line_up_give_only_what_is_certain() -> None:
    probes = [listed("a", "x"), listed("b", "x"), listed("a", "y")]
    rows = [("y", Count(5, 0)), ("x", Count(1, 0))]
    assert match_profile(probes, rows) == {("a", "y"): Count(5, 0)}


def test_uprobe_profile_and_garbage() -> None:
    data = b"  /usr/bin/my prog up                          7\n\xff\xfe\n\nbad 1\n"
    assert parse_profile(data) == [("up", Count(7, None))]
    assert parse_list(b"\xff\x00:\nnope\np:noslash x\n", "kprobe_events") == []
