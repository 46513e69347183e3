"""The simulated machine's time: which recorded calls happen when, replayed in a loop with their real spacing."""

from __future__ import annotations

import bisect
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Protocol

from kptui.kernel.sim.recording import Point, Recording

BOOTED = 5021_000_000  # trace clock at the start of the replay, microseconds
TICK = 0.05
NEW_PROCESSES = 97  # pid distance from one round of the loop to the next, for short-lived processes
MAX_PID = 32_768


class Clock(Protocol):
    """Microseconds since the replay began."""

    def now(self) -> int: ...


class WallClock:
    def __init__(self, speed: float) -> None:
        self._began = time.monotonic()
        self._speed = speed

    def now(self) -> int:
        return int((time.monotonic() - self._began) * 1_000_000 * self._speed)


class ManualClock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self._now = 0

    def now(self) -> int:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += round(seconds * 1_000_000)


class Replay:
    """A position in the endless stream; ``start`` microseconds into the recording at time 0."""

    def __init__(self, recording: Recording, start: int) -> None:
        self._recording = recording
        self._times = [point.time for point in recording.points]
        self._start = start % recording.length
        self._position = self._start

    def skip(self, now: int) -> None:
        """Nobody looked until ``now``: what happened before is not seen."""
        self._position = self._start + now

    def until(self, now: int) -> Iterator[tuple[int, int, Point]]:
        """(time, round, point) of everything between the last call and ``now``; times since the replay began."""
        length, goal = self._recording.length, self._start + now
        while self._position < goal:
            turn, inside = divmod(self._position, length)
            end = min(goal - turn * length, length)
            first = bisect.bisect_left(self._times, inside)
            last = bisect.bisect_left(self._times, end)
            self._position = turn * length + end
            for point in self._recording.points[first:last]:
                yield turn * length + point.time - self._start, turn, point

    def pid(self, point: Point, turn: int) -> int:
        """A daemon keeps its number; a short-lived process gets a new one in each round."""
        pid = point.call.pid
        if pid in self._recording.resident:
            return pid
        return (pid + turn * NEW_PROCESSES - 300) % (MAX_PID - 300) + 300


class Ticker:
    """A daemon thread that calls ``tick`` every 50 ms as long as its owner lives."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = weakref.WeakMethod(tick)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            name = "simulated-kernel"
            self._thread = threading.Thread(
                target=_run, args=(self._tick, self._stop), name=name, daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1)


def _run(tick: weakref.WeakMethod[Callable[[], None]], stop: threading.Event) -> None:
    while not stop.wait(TICK):
        method = tick()
        if method is None:
            return
        method()
        del method
