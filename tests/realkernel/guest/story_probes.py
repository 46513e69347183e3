"""The story's beginning: from a few letters to a probe, its arguments, its return, and the events of both."""

from __future__ import annotations

import subprocess

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.driver import Worker
from tests.realkernel.guest.steps import Story, expect
from tests.realkernel.guest.story_session import ACCEPTED, Session, run

FOREIGN = "foreign/standing"
FOREIGN_DEFINITION = "p:foreign/standing do_exit code=%di:s64"
FOREIGN_INSTANCE = "instances/somebody"
ARGUMENTS = (
    "filename=+0(+112(%di)):ustring",
    "argv0=+0(+0(+104(%di))):ustring",
    "argv1=+0(+8(+104(%di))):ustring",
)

STORY: Story[Session] = Story(screen=lambda session: session.terminal.screen())


@STORY.step("a foreign probe stands, enabled, with somebody's instance and filter")
def _foreign(session: Session) -> None:
    tracefs.append("kprobe_events", FOREIGN_DEFINITION)
    tracefs.append(f"events/{FOREIGN}/enable", "1")
    (tracefs.ROOT / FOREIGN_INSTANCE).mkdir()
    tracefs.append(f"{FOREIGN_INSTANCE}/events/{FOREIGN}/filter", "code != 77")
    tracefs.append(f"{FOREIGN_INSTANCE}/events/{FOREIGN}/enable", "1")
    session.before = tracefs.State.now()
    expect(tracefs.enabled(FOREIGN), "the foreign probe is not on")
    expect(tracefs.filter_text(FOREIGN, FOREIGN_INSTANCE) == "code != 77", "the foreign filter is not set")
    session.workers = [Worker() for _ in range(3)]


@STORY.step("1 the program starts with symbols and an instance of its own")
def _start(session: Session) -> None:
    session.start()
    expect((tracefs.ROOT / session.instance).is_dir(), f"no {session.instance}")
    screen = session.go("Probes")
    expect("foreign/standing" in screen and "not ours" in screen, "the foreign probe is not shown", screen)


@STORY.step("1 sys_execve finds the syscall's symbol first")
def _alias(session: Session) -> None:
    session.search("sys_execve")
    session.terminal.wait("▌ __x64_sys_execve ")


@STORY.step("1 execve typed, the symbol chosen, an entry probe without arguments written")
def _define(session: Session) -> None:
    screen = session.choose("execve", "__x64_sys_execve")
    expect("p:kptui/execve __x64_sys_execve" in screen, "another draft", screen)
    expect(not session.listed("execve"), "written before it was asked for", screen)
    session.write("execve")
    expect(session.listed("execve") == "p:kptui/execve __x64_sys_execve", session.listed("execve"))
    expect(not session.on("execve"), "on before it was asked for")


@STORY.step("1 space enables it and a program's execve shows")
def _enable(session: Session) -> None:
    session.toggle("execve", True)
    expect(not tracefs.enabled("kptui/execve"), "enabled outside our instance")
    session.watch()
    pid = run("/bin/true")
    session.see(rf"-{pid} execve")


@STORY.step("2 disabled, replaced with filename, argv0 and argv1 from the offers")
def _replace(session: Session) -> None:
    session.toggle("execve", False)
    session.terminal.keys("Enter")
    session.terminal.wait("replaces kptui/execve")
    session.terminal.wait("▌Probe ─")
    for number, name in enumerate(("filename", "argv0", "argv1")):
        if number:
            session.terminal.keys("j")
        session.take(name)
    session.terminal.wait(ACCEPTED)
    expect("filename=" not in session.listed("execve"), "written before it was asked for")
    session.write("execve", *ARGUMENTS)
    expect(len(tracefs.definitions()) == 2, f"not replaced: {tracefs.definitions()}")
    expect(not session.on("execve"), "on after the replacement, though it was off")


@STORY.step("2 enabled, the event shows the strings")
def _strings(session: Session) -> None:
    session.toggle("execve", True)
    session.watch()
    pid = run("/bin/echo", "kptui-says", "hello")
    session.see(rf"-{pid} execve filename=")
    session.find("kptui-says")
    session.terminal.keys("Enter")
    screen = session.terminal.wait("the line as it came")
    for wanted in (f"thread {pid}", "/bin/echo", "kptui-says", "__x64_sys_execve"):
        expect(wanted in screen, f"the event has no {wanted}", screen)
    session.escape("the line as it came")


@STORY.step("3 a return probe with $retval, taken from the offers")
def _return(session: Session) -> None:
    screen = session.choose("__x64_sys_execve", "__x64_sys_execve", "C-r")
    expect("r:kptui/execve_ret __x64_sys_execve" in screen, "another draft", screen)
    session.take("ret")
    session.write("execve_ret", "ret=$retval:s64")


@STORY.step("3 enable all: both stream together")
def _both(session: Session) -> None:
    session.go("Probes")
    session.terminal.keys("E")
    session.switched(execve=True, execve_ret=True)
    session.watch()
    pid = run("/bin/sh", "-c", "exec /no/such/program")
    session.see(rf"-{pid} execve filename=", rf"-{pid} execve_ret ret=-2")


@STORY.step("3 disable all and enable all")
def _all(session: Session) -> None:
    session.go("Probes")
    for key, on in (("X", False), ("E", True), ("X", False)):
        session.terminal.keys(key)
        session.switched(execve=on, execve_ret=on)
        session.terminal.wait(f"2 of 2 probes {'on' if on else 'off'}")
    expect(tracefs.enabled(FOREIGN), "the foreign probe was disabled too")
    subprocess.run(["/bin/true"], check=True)
