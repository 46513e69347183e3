"""The story's middle: an open probe, filtered by process, by file name, by group; the snapshot; our own threads."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.steps import Story, eventually, expect
from tests.realkernel.guest.story_session import ACCEPTED, Session, event_rows

OPEN = "do_sys_openat2"
KEPT = 'argv0 ~ "*echo*"'
INSIDE, OUTSIDE = Path("/tmp/kptui-in"), Path("/etc/hostname")

STORY: Story[Session] = Story(screen=lambda session: session.terminal.screen())


def builder(session: Session, event: str) -> None:
    """Open the filter builder of one of our events."""
    session.select(event)
    session.terminal.keys("F")
    session.terminal.wait(f"Filter of kptui/{event}")


def row(session: Session, join: str, field: str, operator: str, value: str) -> None:
    """Add a row to the builder: the field by its first letters, the operator by stepping, the value typed."""
    terminal = session.terminal
    terminal.keys(join)
    terminal.keys("Enter")
    terminal.wait("enter take")
    terminal.type(field[:-1])
    terminal.wait(re.compile(rf"│ {field}\b"))  # the only field that it can be
    terminal.keys("Enter")
    terminal.wait("enter take", gone=True)
    terminal.keys("Right")
    stepped = re.compile(rf"{field} +{re.escape(operator)} ")
    for _ in range(9):
        if terminal.has(stepped):
            break
        before = terminal.screen()
        terminal.keys("Space")
        terminal.wait_other(before)
    terminal.wait(stepped)
    terminal.keys("Right", "Enter")
    terminal.wait("enter take")
    terminal.type(value)
    terminal.keys("Enter")
    terminal.wait(re.compile(rf'{field} {re.escape(operator)} "?{re.escape(value)}'))


def set_filter(session: Session, event: str, wanted: str) -> None:
    """Set what the builder shows; the kernel has it then."""
    session.terminal.wait(re.compile(f"{ACCEPTED}|accepted, but: "))
    session.terminal.keys("s")
    eventually(lambda: session.filter(event) == wanted, f"the filter of {event} is {wanted}")
    session.terminal.wait("Filter of", gone=True)


@STORY.step("4 an open probe with dfd and filename from the offers, written and started")
def _open(session: Session) -> None:
    session.choose(OPEN, OPEN)
    session.take("dfd")
    session.terminal.keys("j")
    session.take("filename")
    session.terminal.keys("s")
    session.terminal.wait("▌Events ─")
    session.switched(**{OPEN: True})
    expect(session.listed(OPEN).endswith("dfd=%di:s32 filename=+0(%si):ustring"), session.listed(OPEN))
    expect(not session.on("execve"), "another probe was enabled too")


@STORY.step("4 filtered to two processes through the builder, only theirs show")
def _two(session: Session) -> None:
    first, second, other = (worker.pid for worker in session.workers)
    builder(session, OPEN)
    row(session, "a", "common_pid", "==", str(first))
    row(session, "o", "common_pid", "==", str(second))
    set_filter(session, OPEN, f"common_pid == {first} || common_pid == {second}")
    session.watch()
    for worker in reversed(session.workers):
        worker.open(OUTSIDE)
    rows = session.see(rf"-{first} ", rf"-{second} ")
    seen = {row.pid for row in rows}
    expect(seen == {first, second}, f"events of {seen}, not only {first} and {second} (and not {other})")


@STORY.step("4 a glob on the file name through the builder")
def _glob(session: Session) -> None:
    terminal = session.terminal
    INSIDE.touch()
    builder(session, OPEN)
    terminal.wait("common_pid")
    terminal.keys("d")
    terminal.wait(f" || common_pid == {session.workers[1].pid}", gone=True)
    terminal.keys("d")
    terminal.wait("no filter: every event passes")
    row(session, "a", "filename", "~", "/tmp/*")
    terminal.wait(re.compile(r'relative names\s+\("c"'))
    set_filter(session, OPEN, 'filename ~ "/tmp/*"')
    session.watch()
    if session.narrow:  # room for the name
        terminal.keys("c")
        terminal.wait("[x] time")
        terminal.keys("Space", "Enter")
        terminal.wait("[x] cpu", gone=True)
    worker = session.workers[2]
    worker.open(OUTSIDE, INSIDE, OUTSIDE)
    rows = session.see(rf'-{worker.pid} .* filename="{INSIDE}"')
    expect(all('filename="/tmp/' in row.args for row in rows), "other files too", terminal.screen())


@STORY.step("4 a group filter: the result event by event, each event's own filter right")
def _group(session: Session) -> None:
    terminal = session.terminal
    builder(session, "execve")
    terminal.keys("i")
    terminal.wait("enter take")
    terminal.type(KEPT)
    terminal.keys("Enter")
    set_filter(session, "execve", KEPT)
    session.select(OPEN)
    terminal.keys("C-g")
    terminal.wait("Group filter of")
    terminal.keys("i")
    terminal.wait("enter take")
    terminal.keys("C-u")
    terminal.type("dfd == -100")
    terminal.keys("Enter")
    terminal.wait("it keeps the filter it has")
    terminal.keys("s")
    screen = terminal.wait("event by event")
    for wanted in (f"✓ kptui/{OPEN}: set", "✗ kptui/execve:", "✗ kptui/execve_ret:"):
        expect(wanted in screen, f"the result lacks {wanted}", screen)
    session.escape("event by event")
    filters = {event: session.filter(event) for event in (OPEN, "execve", "execve_ret")}
    expect(filters == {OPEN: "dfd == -100", "execve": KEPT, "execve_ret": "none"}, f"{filters}")


@STORY.step("5 the trace snapshot as well as the live pane")
def _snapshot(session: Session) -> None:
    session.terminal.keys("T")
    session.terminal.wait("trace: snapshot")
    session.terminal.keys("g")
    screen = session.terminal.wait("# tracer: nop")
    expect("entries-in-buffer/entries-written" in screen, "no head in it", screen)
    session.workers[0].open(INSIDE)
    session.terminal.keys("R", "G")
    session.terminal.press_until("R", str(INSIDE))
    session.escape("trace: snapshot")
    session.go("Events")
    # What waited in the buffer comes into the pane now, and so does what happens next.
    session.see(rf'-{session.workers[0].pid} .* filename="{INSIDE}"')
    session.watch()
    session.workers[0].open(INSIDE)
    session.see(rf'-{session.workers[0].pid} .* filename="{INSIDE}"')


@STORY.step("our own threads are excluded, though a probe on vfs_read feeds on its reader")
def _excluded(session: Session) -> None:
    terminal = session.terminal
    session.toggle(OPEN, False)
    session.choose("vfs_read", "vfs_read")
    terminal.keys("s")
    terminal.wait("▌Events ─")
    session.switched(vfs_read=True)
    session.see(r" vfs_read")
    threads = sorted(int(name) for name in os.listdir(f"/proc/{terminal.pid}/task"))
    hidden = {int(word) for word in tracefs.read(f"{session.instance}/set_event_notrace_pid").split()}
    expect(set(threads) <= hidden, f"threads {threads}, hidden {hidden}")
    terminal.keys("&")
    terminal.wait("enter take")
    terminal.type(" || ".join(f"common_pid == {thread}" for thread in threads))
    terminal.keys("Enter")
    terminal.wait("No captured event matches the view filter")
    terminal.keys("Escape")
    terminal.wait("No captured event matches the view filter", gone=True)
    expect(any(row.event.startswith("vfs_read") for row in event_rows(terminal.screen())), "no events back")
    session.toggle("vfs_read", False)
