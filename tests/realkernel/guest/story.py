"""The introductory article's session, played by keystrokes in a real kernel, at one terminal size.

Run in the guest: ``python -m tests.realkernel.guest.story 80x24 [part of a step's title]``.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.driver import Terminal, Worker
from tests.realkernel.guest.steps import Recorder, Story, eventually, expect, main

FOREIGN = "foreign/standing"
FOREIGN_DEFINITION = "p:foreign/standing do_exit code=%di:s64"


@dataclass
class Session:
    """The terminal with the program in it, and what stood in the kernel before it came."""

    size: tuple[int, int]
    command: tuple[str, ...] = (sys.executable, "-m", "kptui")
    terminal: Terminal = field(init=False)
    before: tracefs.State = field(init=False)
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.terminal = Terminal(self.size)

    @property
    def narrow(self) -> bool:
        return self.size[0] < 120

    def start(self) -> None:
        self.terminal.start(self.command)


STORY: Story[Session] = Story(screen=lambda session: session.terminal.screen())


@STORY.step("the terminal has its size, takes keys and shows what a program prints")
def _terminal(session: Session) -> None:
    # Holds for any program; when this fails the steps after it mean nothing.
    columns, rows = session.size
    session.terminal.start(["less", "-S", "/sys/kernel/tracing/README"])
    session.terminal.wait("tracing mini-HOWTO")
    told = session.terminal.tmux("display-message", "-p", "-t", "program", "#{pane_width}x#{pane_height}")
    expect(told.strip() == f"{columns}x{rows}", f"size {told}")
    session.terminal.type("/kprobe_events")
    session.terminal.keys("Enter")
    session.terminal.wait("kprobe_events")
    session.terminal.wait("tracing mini-HOWTO", gone=True)
    session.terminal.keys("q")
    expect(session.terminal.exit_status() == 0, "less ended otherwise")


@STORY.step("a foreign probe stands and is enabled")
def _foreign(session: Session) -> None:
    tracefs.append("kprobe_events", FOREIGN_DEFINITION)
    tracefs.append(f"events/{FOREIGN}/enable", "1")
    session.before = tracefs.State.now()
    expect(tracefs.enabled(FOREIGN), "the foreign probe is not on")


@STORY.step("a program's exit, a signal and a hang-up are seen")
def _ends(session: Session) -> None:
    terminal = session.terminal
    terminal.start(["sh", "-c", "echo ready; read x; exit 3"])
    terminal.wait("ready")
    terminal.keys("Enter")
    expect(terminal.exit_status() == 3, "the exit status is lost")
    terminal.start(["sh", "-c", "echo again; exec sleep 1000"])
    terminal.wait("again")
    terminal.send(signal.SIGTERM)
    status = terminal.exit_status()
    expect(status == 128 + signal.SIGTERM, f"SIGTERM shows as {status}")
    terminal.start(
        ["sh", "-c", "trap 'echo gone > /run/hup; exit' HUP; echo third; while :; do sleep 1; done"]
    )
    terminal.wait("third")
    terminal.hang_up()
    eventually(Path("/run/hup").exists, "the program had SIGHUP")
    Path("/run/hup").unlink()


@STORY.step("the foreign probe is untouched and still enabled")
def _untouched(session: Session) -> None:
    tracefs.back_to(session.before)


def play(recorder: Recorder) -> int:
    columns, _, rows = sys.argv[1].partition("x")
    session = Session((int(columns), int(rows)))
    try:
        return STORY.play(session, recorder, *sys.argv[2:3])
    finally:
        session.terminal.close()
        for worker in session.workers:
            worker.close()
        tracefs.reset()


if __name__ == "__main__":
    main(play)
