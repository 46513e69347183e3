"""The story's mistakes: what the kernel refuses is said in its words, with a caret, and nothing is lost."""

from __future__ import annotations

import os
import re

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.steps import Story, eventually, expect
from tests.realkernel.guest.story_filters import OPEN, builder
from tests.realkernel.guest.story_session import ACCEPTED, CLIPBOARD, Session, caret_under

TWICE = "load_elf_binary"  # once for 64-bit and once for 32-bit programs
DISAGREEMENTS = CLIPBOARD.with_name("disagreements.jsonl")

STORY: Story[Session] = Story(screen=lambda session: session.terminal.screen())


def addresses(symbol: str) -> list[int]:
    """Where kallsyms has it, in order."""
    with open("/proc/kallsyms") as file:
        return [int(line.split()[0], 16) for line in file if line.split()[2:3] == [symbol]]


def refused(session: Session, message: str, under: str) -> None:
    """The screen says why, with the caret under what is wrong."""

    def said(screen: str) -> bool:
        return message in screen and caret_under(screen, under)

    said.__name__ = f"{message}, with a caret under {under}"
    session.terminal.wait(said)


@STORY.step("6 a wrong register: refused with a caret, nothing written, the draft kept, mended with one key")
def _register(session: Session) -> None:
    before = tracefs.State.now()
    session.choose("vfs_write", "vfs_write")
    session.edit_line(" x=%rdi")
    refused(session, "Invalid register name", "%rdi")
    session.terminal.keys("Enter")
    session.terminal.wait("enter take", gone=True)
    session.terminal.keys("w")
    session.terminal.wait("the kernel refused this: Invalid register name")
    refused(session, "The kernel calls it %di.", "%rdi")
    expect(tracefs.State.now() == before, before.differences(tracefs.State.now()))
    session.terminal.keys("C-e")
    session.terminal.wait("x=%di")
    session.terminal.wait(ACCEPTED)
    session.write("vfs_write", "x=%di")


@STORY.step("6 a probe is removed, after a question")
def _remove(session: Session) -> None:
    session.select("vfs_write")
    session.terminal.keys("d")
    session.terminal.wait("remove kptui/vfs_write")
    expect(session.listed("vfs_write"), "removed before the answer")
    session.terminal.keys("d")
    eventually(lambda: not session.listed("vfs_write"), "removed")
    expect(session.listed(OPEN) and session.listed("execve"), "others of ours were removed too")


@STORY.step("6 a duplicate symbol: the copy that is chosen from the list stands at its own address")
def _duplicate(session: Session) -> None:
    terminal = session.terminal
    session.go("Probe")
    session.edit_line(f"p:kptui/dup {TWICE}", whole=True)
    judged = f"p:kptui/dup {TWICE}.*(The symbol is not unique|{re.escape(ACCEPTED)})"
    screen = terminal.wait(re.compile(judged, re.DOTALL))
    if "not unique" not in screen:  # kernels before 2023 take the first of them
        expect(os.uname().release.startswith("5.10"), "accepted", screen)
        session.escape("enter take")
        return
    copies = addresses(TWICE)
    terminal.keys("C-e")
    terminal.wait("Which one?")
    for address in copies:
        terminal.wait(f"0x{address:x}")
    terminal.keys("2")
    terminal.wait("Which one?", gone=True)
    place = f"_text+{copies[1] - addresses('_text')[0]}"
    terminal.wait(f"p:kptui/dup {place}")
    terminal.wait(ACCEPTED)
    terminal.keys("Enter")
    terminal.wait("enter take", gone=True)
    session.write("dup", place)
    terminal.keys("d", "d")
    eventually(lambda: not session.listed("dup"), "removed")


@STORY.step("6 an unknown symbol: refused with a caret, nothing written, the draft kept")
def _symbol(session: Session) -> None:
    before = tracefs.State.now()
    session.go("Probe")
    session.edit_line("p:kptui/x no_such_function", whole=True)
    refused(session, "Invalid probed address or symbol", "no_such_function")
    session.terminal.keys("Enter")
    session.terminal.wait("enter take", gone=True)
    session.terminal.keys("w")
    session.terminal.wait("Nothing was written. define kptui/x:")
    expect(tracefs.State.now() == before, before.differences(tracefs.State.now()))
    expect(
        "p:kptui/x no_such_function" in session.terminal.screen(),
        "the draft is lost",
        session.terminal.screen(),
    )


@STORY.step("6 a place inside an instruction: the kernel's word, and no mistake of ours")
def _boundary(session: Session) -> None:
    session.go("Probe")
    session.edit_line("p:kptui/x do_sys_openat2+1", whole=True)
    session.terminal.wait("p:kptui/x do_sys_openat2+1")
    session.terminal.keys("Enter")
    session.terminal.wait("enter take", gone=True)
    session.terminal.keys("w")
    screen = session.terminal.wait("the kernel refused this: Probe point is not an instruction boundary")
    expect("mistake of kptui" not in screen, "called a mistake", screen)


@STORY.step("6 a bad filter: refused with a caret, the old filter and the enabled state kept")
def _filter(session: Session) -> None:
    session.toggle(OPEN, True)
    before = tracefs.State.now()
    builder(session, OPEN)
    session.edit_line("dfd = 4", whole=True)
    refused(session, "Invalid operator", "= 4")
    session.terminal.keys("Enter")
    session.terminal.wait("enter take", gone=True)
    session.terminal.keys("s")
    session.terminal.wait("the kernel refused this: Invalid operator")
    session.terminal.keys("s", "i")  # the builder has not closed if the second key opens its text
    session.terminal.wait("enter take")
    refused(session, "Invalid operator", "= 4")
    expect(tracefs.State.now() == before, before.differences(tracefs.State.now()))
    session.escape("enter take")
    session.escape("Filter of")
    expect(session.filter(OPEN) == "dfd == -100" and session.on(OPEN), "the old filter is lost")
    session.watch()
    session.workers[0].open("/etc/hostname")
    session.see(rf"-{session.workers[0].pid} do_sys_open")
    kept = DISAGREEMENTS.read_text() if DISAGREEMENTS.exists() else ""
    expect(not kept, f"the kernel said something else than expected: {kept}")
