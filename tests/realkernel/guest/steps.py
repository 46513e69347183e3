"""Named steps that are run one after the other and recorded, so that one boot yields many test results.

A script declares its steps with a `Story`; the host imports the script to know their titles before anything
has been booted, the guest runs it.  Each step leaves one JSON line in the file that KPTUI_STEPS names:
``{"step": title, "ok": bool, "detail": text, "screen": text, "seconds": number}``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar


class StepFailed(AssertionError):
    """A step did not see what it should; `screen` is what was on the terminal instead."""

    def __init__(self, detail: str, screen: str = "") -> None:
        super().__init__(detail)
        self.screen = screen


def expect(condition: object, detail: str, screen: str = "") -> None:
    """Fail the step with `detail` unless `condition` holds."""
    if not condition:
        raise StepFailed(detail, screen)


def eventually(condition: Callable[[], object], detail: str, seconds: float = 60) -> None:
    """Wait until `condition` holds; fail the step after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise StepFailed(f"not within {seconds:g} s: {detail}")
        time.sleep(0.2)


class Recorder:
    """Appends a JSON line for each step, to stdout when no file is given."""

    def __init__(self, path: str | None = None) -> None:
        self.path = Path(path) if path else None
        self.failed = 0

    def record(self, step: str, ok: bool, detail: str = "", screen: str = "", seconds: float = 0) -> None:
        self.failed += not ok
        line = json.dumps(
            {"step": step, "ok": ok, "detail": detail, "screen": screen, "seconds": round(seconds, 1)}
        )
        if self.path:
            with self.path.open("a") as file:
                file.write(line + "\n")
        print(f"{'ok  ' if ok else 'FAIL'} {seconds:6.1f} s  {step}", flush=True)
        if not ok:
            print("\n".join(f"      {text}" for text in f"{detail}\n{screen}".splitlines()), flush=True)


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Fail the step when it takes longer; a hung program must not take the other steps with it."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise StepFailed(f"the step took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


Context = TypeVar("Context")


@dataclass
class Story(Generic[Context]):
    """Steps in the order of their declaration; each gets the context (the program, what was learnt before).

    `screen` gives what the terminal shows, kept with every step's result.
    """

    screen: Callable[[Context], str]
    steps: list[tuple[str, int, Callable[[Context], None]]] = field(default_factory=list)

    def step(
        self, title: str, seconds: int = 240
    ) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
        def declare(function: Callable[[Context], None]) -> Callable[[Context], None]:
            self.steps.append((title, seconds, function))
            return function

        return declare

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(title for title, _, _ in self.steps)

    def play(self, context: Context, recorder: Recorder, only: str = "") -> int:
        """Run every step, record each; the number that failed.  With `only`, the first, in which the program
        starts, and those whose title contains it.
        """
        for number, (title, seconds, function) in enumerate(self.steps):
            if number and only not in title:
                continue
            started = time.monotonic()
            ok, detail, screen = True, "", ""
            try:
                with time_limit(seconds):
                    function(context)
            except StepFailed as failure:
                ok, screen = False, failure.screen
                detail = f"{failure}\n{''.join(traceback.format_tb(failure.__traceback__)[-3:])}"
            except Exception:  # noqa: BLE001 - whatever broke, the steps after it still say something
                ok, detail = False, traceback.format_exc()
            try:
                with time_limit(20):
                    screen = screen or self.screen(context)
            except Exception as error:  # noqa: BLE001 - a picture that cannot be had is no result
                screen = f"<no screen: {error}>"
            recorder.record(title, ok, detail, screen.rstrip(), time.monotonic() - started)
        return recorder.failed


def main(run: Callable[[Recorder], int]) -> None:
    """Entry of a guest script: exit status 1 when a step failed."""
    sys.exit(1 if run(Recorder(os.environ.get("KPTUI_STEPS"))) else 0)
