"""The pacer: one frame in flight, and no dependence on a terminal that answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kptui.ui.pacing import BUSY, PATIENCE, Pacer


def test_one_frame_in_flight() -> None:
    pacer = Pacer(lambda: True)
    assert pacer.ready(0.0)
    pacer.painted(0.0)
    assert not pacer.ready(0.5)
    pacer.answered(0.5)
    assert not pacer.ready(0.6)  # half a second of wire: keys need room between the frames
    assert pacer.ready(0.0 + 1.5 * 0.5)


def test_a_terminal_that_never_answers_is_asked_no_more_and_still_painted() -> None:
    asked: list[int] = []

    def ask() -> bool:
        asked.append(1)
        return True

    pacer = Pacer(ask)
    now = 0.0
    frames = 0
    while now < 60:
        if pacer.ready(now):
            pacer.painted(now)
            frames += 1
        now += 0.1
    assert len(asked) == 2
    assert frames >= (60 - 2 * PATIENCE) / (BUSY + 0.1) - 2


def test_a_flood_is_painted_four_times_a_second() -> None:
    pacer = Pacer(lambda: False)
    pacer.painted(0.0)
    assert not pacer.ready(0.1, new_rows=1000, height=20)
    assert pacer.ready(0.1, new_rows=10, height=20)
    assert pacer.ready(0.25, new_rows=1000, height=20)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), max_size=60))
def test_it_never_stops_for_ever(steps: list[tuple[float, bool]]) -> None:
    pacer = Pacer(lambda: True)
    now = 0.0
    for wait, answer in steps:
        now += wait
        if pacer.ready(now):
            pacer.painted(now)
        if answer:
            pacer.answered(now)
    assert pacer.ready(now + 2 * PATIENCE)
