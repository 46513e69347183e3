"""However kptui ends, its session is closed once, everything is undone and the terminal is as it was."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kptui.ending import Opened
from kptui.host.config import Config
from kptui.interactive import leftover_notes
from kptui.kernel.leftovers import Leftover
from kptui.kernel.session import Session
from kptui.kernel.sim import ManualClock, SimFiles
from tests.program import READY, Program

# Every closing is written down: how many sentences it returned, which instances and which probes of ours still stand.
WATCH = """
import os
from kptui.kernel.session import Session as _Session
_close = _Session.close
def _watched(self):
    open_before = not self._closed.is_set()
    left = _close(self)
    if open_before:
        files = self.files
        ours = [n for n in files.listdir("instances") if n == self.instance]
        probes = [l for l in files.read("kprobe_events").decode().splitlines() if self.group + "/" in l]
        with open(os.environ["HOME"] + "/closed", "a") as file:
            print(len(left), ours, probes, file=file)
    return left
_Session.close = _watched
"""
CLEAN = "0 [] []\n"
MARK = "open(__import__('os').environ['HOME'] + '/reached', 'w').close()"
MISBEHAVE = """
import kptui.ui.actions as _actions
def _redraw(app):
    {body}
_actions.ACTIONS["redraw"] = _redraw
"""
HANG = MISBEHAVE.format(body=f"{MARK}; __import__('threading').Event().wait()")
HASTY = "import kptui.ending\nkptui.ending.Ending.__init__.__defaults__ = (0.5,)\n"
REDRAW = b"\x0c"  # ctrl+l


def closings(home: Path) -> str:
    file = home / "closed"
    return file.read_text() if file.exists() else ""


@contextmanager
def demo(home: Path, before: str = "", **changes: object) -> Iterator[Program]:
    """A demo that is up, with one probe of ours defined and enabled."""
    with Program("--demo", home=home, before=WATCH + before, **changes) as program:  # type: ignore[arg-type]
        program.until(READY)
        yield program


def probe_something(program: Program) -> None:
    program.send(b"/vfs_read")
    program.until("▌ vfs_read")
    program.send(b"\r")
    program.until("the kernel will accept this")
    program.send(b"s")
    program.until("1 on")


# -- quitting


@pytest.mark.parametrize("keys", [b"q", b"\x11"], ids=["q", "ctrl+q"])
def test_quitting(keys: bytes, tmp_path: Path) -> None:
    with demo(tmp_path) as program:
        program.send(keys)
        assert program.wait() == 0
        assert program.restored()
        assert program.said.strip() == ""
    assert closings(tmp_path) == CLEAN


def test_quitting_with_a_probe_that_is_on(tmp_path: Path) -> None:
    with demo(tmp_path) as program:
        probe_something(program)
        program.send(b"\x11")
        assert program.wait() == 0
        assert program.restored()
    assert closings(tmp_path) == CLEAN


# -- signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    with demo(tmp_path) as program:
        probe_something(program)
        program.signal(number)
        assert program.wait() == 128 + number
        assert program.restored()
        assert "Traceback" not in program.said
    assert closings(tmp_path) == CLEAN


def test_many_signals(tmp_path: Path) -> None:
    with demo(tmp_path) as program:
        for _ in range(5):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                program.signal(number)
        # Which of those that come at once is the first, is the kernel's choice.
        assert program.wait() - 128 in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        assert program.restored()
    assert closings(tmp_path) == CLEAN


@pytest.mark.parametrize("controlling", [True, False], ids=["with SIGHUP", "without SIGHUP"])
def test_the_terminal_goes_away(controlling: bool, tmp_path: Path) -> None:
    with demo(tmp_path, controlling=controlling) as program:
        program.hang_up()
        assert program.wait() == 128 + signal.SIGHUP
    assert closings(tmp_path) == CLEAN


@pytest.mark.parametrize(
    "where",
    [
        "import kptui.interactive as at; name = '_draw_skeleton'",  # the skeleton stands
        "import kptui.interactive as at; name = '_demo_world'",  # the world is being built
        "import kptui.ui.world as at; name = 'World'",
        "import kptui.ui.app as at; name = 'KptuiApp'",  # textual is there, the screen isn't
        "import asyncio as at; name = 'run'",  # the screen is about to start
    ],
    ids=["skeleton", "world", "imports", "app", "loop"],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_first_frame(where: str, number: signal.Signals, tmp_path: Path) -> None:
    before = f"""
{where}
import os
_real = getattr(at, name)
def _signalled(*args, **kwargs):
    result = _real(*args, **kwargs) if name == "_draw_skeleton" else None
    os.kill(os.getpid(), {int(number)})
    return result if name == "_draw_skeleton" else _real(*args, **kwargs)
setattr(at, name, _signalled)
"""
    with Program("--demo", home=tmp_path, before=WATCH + before) as program:
        assert program.wait() == 128 + number
        assert program.restored()
        assert "Traceback" not in program.text
    assert closings(tmp_path) in ("", CLEAN)


def test_keys_before_the_first_frame_are_kept_and_not_echoed(tmp_path: Path) -> None:
    before = f"""
import kptui.interactive as at
_real = at._demo_world
def _slow(*args, **kwargs):
    import time
    {MARK}
    time.sleep(1)
    return _real(*args, **kwargs)
at._demo_world = _slow
"""
    with Program("--demo", home=tmp_path, before=WATCH + before) as program:
        program.until_file("reached")
        program.send(b"/vfs_rea")
        program.until("enter probe it")
        assert not program.text.partition("reading symbols …")[2].startswith("/vfs")
        assert "vfs_rea" in program.text
        program.signal(signal.SIGTERM)
        program.wait()
        assert program.restored()


def test_a_signal_while_the_session_is_being_opened(tmp_path: Path) -> None:
    before = f"""
from kptui.kernel.session import Session
_open = Session.open.__func__
def _slow(cls, *args, **kwargs):
    import time
    session = _open(cls, *args, **kwargs)
    {MARK}
    time.sleep(1)
    return session
Session.open = classmethod(_slow)
"""
    with Program("--demo", home=tmp_path, before=WATCH + before) as program:
        program.until_file("reached")
        program.signal(signal.SIGTERM)
        assert program.wait() == 128 + signal.SIGTERM
        assert program.restored()
    assert closings(tmp_path) == CLEAN


# -- mistakes of our own


def test_an_exception_in_the_screen(tmp_path: Path) -> None:
    boom = MISBEHAVE.format(body='raise ZeroDivisionError("on purpose \\x1b]0;x\\x07")')
    with demo(tmp_path, boom) as program:
        probe_something(program)
        program.send(REDRAW)
        assert program.wait() == 1
        assert program.restored()
        said = program.said
    assert "ZeroDivisionError: on purpose \\x1b]0;x\\x07" in said
    assert "crash.txt" in said
    assert "Traceback" not in said
    report = tmp_path / "state/kptui/crash.txt"
    assert "Traceback" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0
    assert closings(tmp_path) == CLEAN


def test_an_exception_in_a_worker(tmp_path: Path) -> None:
    boom = """
from kptui.kernel.session import Session
def _states(self):
    raise LookupError("in a thread")
Session.states = _states
"""
    with Program("--demo", home=tmp_path, before=WATCH + boom) as program:
        assert program.wait() == 1
        assert program.restored()
        assert "LookupError: in a thread" in program.said
        assert "Traceback" not in program.said
    assert closings(tmp_path) == CLEAN


@pytest.mark.parametrize(
    "boom",
    [
        "import kptui.ui.app as at\nat.KptuiApp.CSS_PATH = 'nowhere.tcss'",
        "import kptui.ui.app as at\ndef _init(self, world): raise RuntimeError('no app')\nat.KptuiApp.__init__ = _init",
        "import kptui.interactive as at\ndef _world(*args): raise RuntimeError('no world')\nat._demo_world = _world",
    ],
    ids=["style sheet", "app", "world"],
)
def test_an_exception_before_the_first_frame(boom: str, tmp_path: Path) -> None:
    with Program("--demo", home=tmp_path, before=boom) as program:
        assert program.wait() == 1
        assert program.restored()
        assert "by a mistake of its own" in program.said
        assert "Traceback" not in program.said


def test_a_report_that_can_not_be_written_is_printed(tmp_path: Path) -> None:
    boom = MISBEHAVE.format(body='raise ZeroDivisionError("on purpose")')
    (tmp_path / "state").touch()  # where the directory should be
    with demo(tmp_path, boom) as program:
        program.send(REDRAW)
        assert program.wait() == 1
        assert program.restored()
        assert "Traceback" in program.said


# -- a screen that hangs


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_screen_that_hangs(number: signal.Signals, tmp_path: Path) -> None:
    with demo(tmp_path, HASTY + HANG) as program:
        program.send(REDRAW)
        program.until_file("reached")
        program.signal(number)
        assert program.wait() == 128 + number
        assert program.restored()
    assert closings(tmp_path) == CLEAN


def test_a_screen_that_hangs_while_its_terminal_goes_away(tmp_path: Path) -> None:
    with demo(tmp_path, HASTY + HANG) as program:
        program.send(REDRAW)
        program.until_file("reached")
        program.hang_up()
        assert program.wait() == 128 + signal.SIGHUP
    assert closings(tmp_path) == CLEAN


def test_a_terminal_that_takes_nothing_any_more(tmp_path: Path) -> None:
    """A dead line: what is drawn piles up until the screen can't but wait. Cleaning up must not wait with it."""
    flood = MISBEHAVE.format(body=f"{MARK}; [app._driver.write('x' * 4096) for _ in range(1000)]")
    with demo(tmp_path, HASTY + flood) as program:
        program.send(REDRAW)
        while not (tmp_path / "reached").exists():
            assert program.running
        program.signal(signal.SIGTERM)
        assert program.wait(reading=False) == 128 + signal.SIGTERM
    assert closings(tmp_path) == CLEAN


def test_quitting_while_a_thread_hangs(tmp_path: Path) -> None:
    stuck = f"""
from kptui.kernel import sim
def _stuck():
    {MARK}
    __import__("threading").Event().wait()
sim.demo_kallsyms = _stuck
"""
    with Program("--demo", home=tmp_path, before=HASTY + stuck) as program:
        program.until_file("reached")
        program.until("Quit")
        program.send(b"q")
        assert program.wait() == 0
        assert program.restored()


# -- opening and closing


def open_session(tmp_path: Path) -> Session:
    return Session.open(SimFiles(seed=1, clock=ManualClock()), state_dir=tmp_path)


def test_closing_before_opening(tmp_path: Path) -> None:
    opened = Opened()
    assert opened.close() == []
    assert opened.open(lambda: open_session(tmp_path)) is None


def test_closing_waits_for_an_opening_under_way(tmp_path: Path) -> None:
    opened, begun, go_on = Opened(), threading.Event(), threading.Event()
    made: list[Session] = []

    def make() -> Session:
        made.append(open_session(tmp_path))
        begun.set()
        assert go_on.wait(30)
        return made[0]

    opener = threading.Thread(target=opened.open, args=(make,))
    opener.start()
    assert begun.wait(30)
    closer = threading.Thread(target=opened.close)
    closer.start()
    assert made[0].files.exists(f"instances/{made[0].instance}")
    go_on.set()
    closer.join(30)
    opener.join(30)
    assert not made[0].files.exists(f"instances/{made[0].instance}")


def test_an_opening_that_nobody_waited_for_closes_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kptui.ending.OPENING", 0.01)
    opened, begun, go_on = Opened(), threading.Event(), threading.Event()
    made: list[Session] = []

    def make() -> Session:
        made.append(open_session(tmp_path))
        begun.set()
        assert go_on.wait(30)
        return made[0]

    opener = threading.Thread(target=opened.open, args=(make,))
    opener.start()
    assert begun.wait(30)
    assert opened.close() == []
    go_on.set()
    opener.join(30)
    assert not made[0].files.exists(f"instances/{made[0].instance}")


def test_a_reader_that_does_not_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kptui.interactive import _open_session

    def refuse(self: Session) -> None:
        raise OSError("no pipe")

    monkeypatch.setattr(Session, "start_reader", refuse)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    files = SimFiles(seed=1, clock=ManualClock())
    with pytest.raises(OSError, match="no pipe"):
        _open_session(files, None)
    assert [name for name in files.listdir("instances") if name == f"kptui-{os.getpid()}"] == []


# -- what killed ones left


def leftover(pid: int, instances: int, probes: int) -> Leftover:
    names = tuple(f"kptui-{pid}_{number}" for number in range(instances))
    return Leftover(pid, names, tuple(f"kptui/e{number}" for number in range(probes)), None, "")


@pytest.mark.parametrize(
    ("found", "note"),
    [
        ([], []),
        (
            [leftover(123, 1, 2)],
            "A killed kptui (pid 123) left 2 probes and 1 trace instance: press : and choose Remove leftovers",
        ),
        (
            [leftover(9, 0, 1)],
            "A killed kptui (pid 9) left 1 probe: press : and choose Remove leftovers",
        ),
        (
            [leftover(1, 1, 0), leftover(2, 1, 0)],
            "2 killed kptuis (pids 1, 2) left 2 trace instances: press : and choose Remove leftovers",
        ),
    ],
)
def test_what_is_said_of_leftovers(found: list[Leftover], note: str | list[str]) -> None:
    assert leftover_notes(found, Config()) == ([note] if isinstance(note, str) else note)


def test_the_key_that_is_named_is_the_one_that_works() -> None:
    note = leftover_notes([leftover(9, 0, 1)], Config(keys={"palette": ("f2",)}))[0]
    assert "press f2 and choose" in note
    assert "the palette has" in leftover_notes([leftover(9, 0, 1)], Config(keys={"palette": ()}))[0]
