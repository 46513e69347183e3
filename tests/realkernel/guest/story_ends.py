"""The story's ends: taking the lines away, and leaving the kernel as it was, whatever ends the program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.steps import Story, eventually, expect
from tests.realkernel.guest.story_filters import INSIDE, OPEN
from tests.realkernel.guest.story_probes import FOREIGN, FOREIGN_INSTANCE
from tests.realkernel.guest.story_session import CLIPBOARD, KPTUI, Session, run

FEW = Path("/run/kptui-few-symbols")

STORY: Story[Session] = Story(screen=lambda session: session.terminal.screen())
ONCE: Story[Session] = Story(screen=lambda session: session.terminal.screen())
"""Steps that begin with a start of their own and have nothing to do with the terminal's size."""


def copied(session: Session, key: str) -> str:
    """Copy through the menu; what arrived in tmux's buffer and in the file, which must be the same."""
    terminal = session.terminal
    terminal.clear_clipboard()
    CLIPBOARD.unlink(missing_ok=True)
    terminal.keys("y")
    terminal.wait("the whole session as a shell script")
    terminal.keys(key)
    eventually(CLIPBOARD.exists, "the file of the last copy")
    eventually(terminal.clipboard, "the copy in tmux")
    terminal.wait(re.compile(r"Sent [\d,]+ bytes to tmux"))
    text = CLIPBOARD.read_text()
    expect(terminal.clipboard() == text, f"tmux has {terminal.clipboard()!r}, the file {text!r}")
    return text


def as_before(session: Session) -> None:
    """Everything as it was before the program came, the foreign probe still enabled."""
    tracefs.back_to(session.before)
    expect(tracefs.enabled(FOREIGN), "the foreign probe is off")
    expect(tracefs.filter_text(FOREIGN, FOREIGN_INSTANCE) == "code != 77", "the foreign filter is gone")


def stream(session: Session) -> None:
    """Start anew, with an open probe whose events are arriving.

    Reading 170,000 symbols is most of a start in a slow guest; how it ends does not depend on them.
    """
    with Path("/proc/kallsyms").open() as symbols:
        FEW.write_text("".join(line for line in symbols if "open" in line))
    session.start("--kallsyms", str(FEW), symbols=100)
    session.choose(OPEN, OPEN)
    session.terminal.keys("j")
    session.take("filename")
    session.terminal.keys("s")
    session.terminal.wait("▌Events ─")
    session.switched(**{OPEN: True})
    session.see(r" do_sys_open")
    expect(tracefs.State.now() != session.before, "nothing to undo")


def ended(session: Session, status: int) -> None:
    """The program ended with this status and said nothing but what could not be undone, which is nothing."""
    got = session.terminal.exit_status()
    expect(got == status, f"exit status {got}, not {status}", session.terminal.screen())
    screen = session.terminal.screen()
    expect("Traceback" not in screen and "kptui:" not in screen, "last words", screen)
    as_before(session)


@STORY.step("7 one line copied, exactly")
def _line(session: Session) -> None:
    session.select(OPEN)
    text = copied(session, "y")
    expect(text == session.listed(OPEN), f"copied {text!r}, the kernel lists {session.listed(OPEN)!r}")


@STORY.step("7 the whole script copied")
def _script(session: Session) -> None:
    session.select("execve")
    session.terminal.keys("E")
    session.switched(**{"execve": True, "execve_ret": True, OPEN: True})
    session.script = copied(session, "s")
    for event in ("execve", "execve_ret", OPEN):
        expect(session.listed(event).partition(" ")[2] in session.script, f"no {event} in it", session.script)
    expect("dfd == -100" in session.script, "no filter in it", session.script)


@STORY.step("8 quit asks, then leaves everything as it was")
def _quit(session: Session) -> None:
    session.terminal.keys("q")
    session.terminal.wait("Quit?")
    expect(session.listed(OPEN), "undone before the answer")
    session.terminal.keys("q")
    ended(session, 0)


@STORY.step("7 the script runs in a plain shell, prints events, ends by itself and cleans up")
def _runs(session: Session) -> None:
    script, output, errors = (Path("/run") / f"kptui-script.{part}" for part in ("sh", "out", "err"))
    script.write_text(session.script)
    plain = {"PATH": os.environ["PATH"], "KPTUI_SECONDS": "6"}
    with output.open("wb") as out, errors.open("wb") as err:
        shell = subprocess.Popen(["sh", str(script)], stdout=out, stderr=err, env=plain)
        eventually(lambda: "tracing" in errors.read_text(), "the script traces")
        expect(tracefs.State.now() != session.before, "the script changed nothing")
        session.workers[1].open(INSIDE)
        pid = run("/bin/echo", "from-the-script")
        status = shell.wait(60)
    text = output.read_text()
    expect(status == 0, f"exit status {status}: {errors.read_text()}")
    expect(f'filename="{INSIDE}"' in text, f"no open in it: {text[-2000:]}")
    expect(f"-{pid} " in text and 'argv1="from-the-script"' in text, f"no execve in it: {text[-2000:]}")
    as_before(session)


@STORY.step("8 SIGTERM while events stream leaves everything as it was")
def _term(session: Session) -> None:
    stream(session)
    session.terminal.send(signal.SIGTERM)
    ended(session, 128 + signal.SIGTERM)


@ONCE.step("8 SIGHUP while events stream leaves everything as it was")
def _hup(session: Session) -> None:
    stream(session)
    session.terminal.send(signal.SIGHUP)
    ended(session, 128 + signal.SIGHUP)


@ONCE.step("8 SIGINT while events stream leaves everything as it was")
def _int(session: Session) -> None:
    stream(session)
    session.terminal.send(signal.SIGINT)
    ended(session, 128 + signal.SIGINT)


@STORY.step("8 the terminal hangs up while events stream: the program ends, everything is as it was")
def _hang_up(session: Session) -> None:
    stream(session)
    process = Path(f"/proc/{session.terminal.pid}")
    session.terminal.hang_up()
    as_before(session)
    eventually(lambda: not (process / "cmdline").exists(), "the program ended")


@ONCE.step("8 kill -9 leaves things behind; kptui cleanup removes them")
def _kill(session: Session) -> None:
    stream(session)
    session.terminal.send(signal.SIGKILL)
    session.terminal.exit_status()
    expect(tracefs.State.now() != session.before, "SIGKILL left nothing behind: nothing to clean up")
    done = subprocess.run([*KPTUI, "cleanup"], capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"cleanup: {done.stdout}{done.stderr}")
    expect(OPEN in done.stdout, f"cleanup does not name the probe: {done.stdout}")
    as_before(session)


@ONCE.step("without rights: opens on the symbols, says what is missing, writes lines to copy")
def _unprivileged(session: Session) -> None:
    terminal = session.terminal
    # The guest's own copy of the path to the program: the machine's stays as it is.
    for place in {*Path(os.path.realpath(KPTUI[0])).parents, *Path(KPTUI[0]).parents}:
        place.chmod(place.stat().st_mode | 0o055)
    home = Path("/run/nobody")
    home.mkdir(exist_ok=True)
    os.chown(home, 65534, 65534)
    terminal.start(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *KPTUI], {"HOME": str(home)}
    )
    screen = terminal.wait("authoring only")
    expect("root" in screen, "what is missing is not said", screen)
    screen = session.choose("do_sys_openat2", OPEN)
    terminal.keys("j")
    session.take("filename")
    terminal.keys("w")
    terminal.wait("No live kernel here")
    terminal.keys("q")
    expect(terminal.exit_status() == 0, "it did not end well", terminal.screen())
    as_before(session)
