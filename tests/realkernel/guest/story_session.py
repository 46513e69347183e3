"""What every part of the story works with: the program in its terminal, the kernel beside it, and the ways of a person.

A person looks before the next key: each way below ends by waiting for what shows that it was done.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.driver import Terminal, Worker
from tests.realkernel.guest.steps import StepFailed, eventually, expect

KPTUI = (sys.executable, "-m", "kptui")
ACCEPTED = "the kernel will accept this"
CLIPBOARD = Path(os.environ.get("HOME", "/root"), ".local/state/kptui/clipboard")
SYMBOL_ROW = re.compile(r"^▌ (\S+) ", re.MULTILINE)
PROBE_ROW = re.compile(r"^([▌ ])[○●·] (\S+) ", re.MULTILINE)
EVENT_ROW = re.compile(
    r"^[▌ ] +(?:\d+\.\d+ +(?:\d+  )?)?(?P<comm>\S.*?)-(?P<pid>\d+) +(?P<event>\w\S*) *(?P<args>.*)$"
)


@dataclass(frozen=True)
class EventRow:
    """A row of the events pane, as far as the screen shows it."""

    comm: str
    pid: int
    event: str
    args: str


def event_rows(screen: str) -> list[EventRow]:
    """The rows of the events pane, which is the last one on the screen."""
    below = screen.rpartition("COMM-PID")[2].splitlines()[1:]
    found = [match for line in below if (match := EVENT_ROW.match(line))]
    return [EventRow(m["comm"].strip(), int(m["pid"]), m["event"], m["args"].strip()) for m in found]


def kept(screen: str) -> int:
    """How many events the pane says it has."""
    found = re.search(r" ([\d,]+) kept", screen)
    expect(found, "no count of events", screen)
    assert found
    return int(found[1].replace(",", ""))


def caret_under(screen: str, text: str) -> bool:
    """Whether a caret stands in the line below `text`, under its first character."""
    lines = screen.splitlines()
    for line, below in itertools.pairwise(lines):
        at = line.rfind(text)
        if at >= 0 and below[at : at + 1] == "^" and below[at + 1 : at + 2] in {"", " "}:
            return True
    return False


def run(*words: str) -> int:
    """Run a program to its end; its process id."""
    program = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    program.wait()
    return program.pid


@dataclass
class Session:
    """The terminal with the program in it, and what stood in the kernel before it came."""

    size: tuple[int, int]
    terminal: Terminal = field(init=False)
    before: tracefs.State = field(init=False)
    workers: list[Worker] = field(default_factory=list)
    script: str = ""

    def __post_init__(self) -> None:
        self.terminal = Terminal(self.size)

    @property
    def narrow(self) -> bool:
        return self.size[0] < 120

    def close(self) -> None:
        self.terminal.close()
        for worker in self.workers:
            worker.close()

    # -- the program ----------------------------------------------------------------------------------------

    def start(self, *arguments: str, symbols: int = 50_000) -> None:
        """Start kptui and wait until it is of use: at least so many symbols listed, its instance there."""
        self.terminal.start([*KPTUI, *arguments])

        def listed(screen: str) -> bool:
            count = re.search(r"Symbols ─.* ([\d,]+) ─", screen)
            return count is not None and int(count[1].replace(",", "")) >= symbols

        self.terminal.wait(listed, 120)
        self.terminal.wait("○ idle", 120)

    @property
    def instance(self) -> str:
        return tracefs.instance_of(self.terminal.pid)

    def listed(self, event: str) -> str:
        """Our definition of `event` as the kernel lists it; "" if there is none."""
        lines = (line for line in tracefs.definitions() if f":kptui/{event} " in line)
        return next(lines, "")

    def on(self, event: str) -> bool:
        """Whether our event is enabled in our instance."""
        return tracefs.enabled(f"kptui/{event}", self.instance)

    def filter(self, event: str) -> str:
        return tracefs.filter_text(f"kptui/{event}", self.instance)

    def switched(self, **wanted: bool) -> None:
        """Wait until each of our events is on or off, as the kernel says."""
        names = ", ".join(f"{event} {'on' if on else 'off'}" for event, on in wanted.items())
        eventually(lambda: all(self.on(event) is on for event, on in wanted.items()), names)

    # -- a person's ways --------------------------------------------------------------------------------------

    def go(self, pane: str) -> str:
        """Put the focus on a pane by its digit."""
        names = ("Symbols", "Probe", "Probes", "Events")
        self.leave()
        self.terminal.keys(str(names.index(pane) + 1))
        return self.terminal.wait(f"▌{pane} ─")

    def leave(self) -> None:
        """Leave whatever is being typed, and the dialogs, also those in which an earlier step failed."""
        for _ in range(5):
            screen = self.terminal.screen()
            sign = next((text for text in ("esc done", "esc back", "esc Close") if text in screen), "")
            if not sign:
                return
            self.escape(sign)

    def escape(self, text: str) -> None:
        """Press escape and wait until `text` has left the screen."""
        self.terminal.keys("Escape")
        self.terminal.wait(text, gone=True)

    def search(self, query: str) -> None:
        """Type a query on the symbols' search line, in place of what is there."""
        self.go("Symbols")
        self.terminal.type("/")
        self.terminal.keys("C-u")
        self.terminal.type(query)
        self.terminal.wait(re.compile(rf"/ {re.escape(query)}( |$)", re.MULTILINE))

    def choose(self, query: str, symbol: str, key: str = "Enter") -> str:
        """Search, walk down to `symbol`, press `key`; the editor's screen with the draft judged."""
        self.search(query)
        for _ in range(40):
            if self.cursor() == symbol:
                break
            before = self.terminal.screen()
            self.terminal.keys("Down")
            self.terminal.wait_other(before)
        expect(self.cursor() == symbol, f"{symbol} is not among the first", self.terminal.screen())
        self.terminal.keys(key)
        self.terminal.wait("▌Probe ─")
        return self.terminal.wait(ACCEPTED)

    def cursor(self) -> str:
        """The symbol under the cursor."""
        screen = self.terminal.wait(SYMBOL_ROW)
        row = SYMBOL_ROW.search(screen)
        return row[1] if row else ""

    def take(self, name: str) -> None:
        """Take the offer under the cursor with space, and see it marked as taken."""
        self.terminal.keys("Space")
        self.terminal.wait(re.compile(rf"✓ +(?:\S+ +)?{name} "))

    def write(self, event: str, *parts: str) -> None:
        """Write the draft; wait until the kernel lists `event` with all `parts` and the probes' list has the focus."""
        self.terminal.keys("w")
        eventually(
            lambda: all(part in self.listed(event) for part in (event, *parts)), f"{event} {parts} listed"
        )
        self.terminal.wait("▌Probes ─")
        self.terminal.wait(re.compile(rf"▌[○●] {event} "))

    def select(self, event: str) -> None:
        """Put the cursor of the probes' list on one of our events."""
        screen = self.go("Probes")
        for _ in range(12):
            rows = PROBE_ROW.findall(screen)
            names = [name for _, name in rows]
            at = next((number for number, (mark, _) in enumerate(rows) if mark == "▌"), -1)
            expect(at >= 0 and event in names, f"no {event} in the list, or no cursor", screen)
            if names[at] == event:
                return
            self.terminal.keys("Down" if names.index(event) > at else "Up")
            # By the name as it is shown: a message may cover the end of it.
            marked = re.compile(rf"^▌[○●·] {re.escape(names[at])} ", re.MULTILINE)
            screen = self.terminal.wait(marked, gone=True)
        raise StepFailed(f"the cursor does not reach {event}", screen)

    def toggle(self, event: str, on: bool) -> None:
        """Switch an event with space, and see it in the list and in the kernel."""
        self.select(event)
        self.terminal.keys("Space")
        self.switched(**{event: on})
        self.terminal.wait(re.compile(rf"▌{'●' if on else '○'} {event} "))

    def watch(self) -> None:
        """The events pane, following, with nothing in it from before."""
        screen = self.go("Events")
        if "holding" in screen:
            self.terminal.keys("f")
            screen = self.terminal.wait("following")
        before = kept(screen)
        if before:
            self.terminal.keys("C")

            def cleared(screen: str) -> bool:
                return kept(screen) < before

            self.terminal.wait(cleared)

    def see(self, *wanted: str, seconds: float = 60) -> list[EventRow]:
        """Wait until the events pane has, for each of `wanted`, a row that matches it; all rows then.

        A row is matched as "COMM-PID EVENT ARGS".
        """

        def seen(screen: str) -> bool:
            rows = [f"{row.comm}-{row.pid} {row.event} {row.args}" for row in event_rows(screen)]
            return all(any(re.search(pattern, row) for row in rows) for pattern in wanted)

        seen.__name__ = f"events {wanted}"
        return event_rows(self.terminal.wait(seen, seconds))

    def find(self, text: str, seconds: float = 30) -> None:
        """Search the events for `text`; the cursor is on the newest that has it."""
        self.go("Events")
        end = time.monotonic() + seconds
        while True:
            self.terminal.type("/")
            self.terminal.wait(re.compile(r"^ /( |$)", re.MULTILINE))
            self.terminal.keys("C-u")
            self.terminal.type(text)
            self.terminal.keys("Enter")
            screen = self.terminal.wait(re.compile(r"holding|no earlier event"))
            if "no earlier" not in screen:
                return
            expect(time.monotonic() < end, f"no event with {text!r}", screen)

    def edit_line(self, text: str, *, whole: bool = False) -> None:
        """Type at the end of the editor's line, or in place of it."""
        self.terminal.keys("i")
        self.terminal.wait("enter take")
        if whole:
            self.terminal.keys("C-u")
        self.terminal.type(text)
