"""The logic of a session on plain files: names, refusals, undo, clean-up after the dead."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kptui.kernel.leftovers import cleanup, leftovers
from kptui.kernel.processes import boot_id, start_time
from kptui.kernel.refusal import Refused
from kptui.kernel.session import Session
from kptui.probes.definition import parse_probe
from tests.kernel.fake import FakeTracefs

PROBE = parse_probe("p:opens do_sys_openat2 dfd=%di:s32")


@pytest.fixture
def files(tmp_path: Path) -> FakeTracefs:
    fake = FakeTracefs(tmp_path / "tracing")
    fake.append("kprobe_events", b"p:foreign/x vfs_read")
    fake.append("events/foreign/x/enable", b"1")
    fake.writes.clear()
    return fake


Opener = Callable[..., Session]


@pytest.fixture
def start(files: FakeTracefs, tmp_path: Path) -> Opener:
    def opener(**more: str) -> Session:
        return Session.open(
            files, state_dir=tmp_path / "state", fallbacks=(), group=more.get("group"), exclude_own=False
        )

    return opener


def refused(action: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value


def test_a_session_leaves_everything_as_it_was(files: FakeTracefs, start: Opener, tmp_path: Path) -> None:
    session = start()
    assert session.instance == f"kptui-{os.getpid()}"
    plan = session.plan_define(PROBE)
    assert str(plan[0]) == "p:kptui/opens do_sys_openat2 dfd=%di:s32 >> kprobe_events"
    assert plan[0].undo is not None
    assert plan[0].undo.data == "-:kptui/opens\n"
    assert files.writes[-1][0] != "kprobe_events"
    session.define(PROBE)
    session.enable("kptui", "opens", True)
    session.set_filter("kptui", "opens", "dfd == 1")
    assert {state.event: (state.ours, state.enabled, state.filter) for state in session.states()} == {
        "x": (False, False, None),
        "opens": (True, True, "dfd == 1"),
    }
    assert session.close() == []
    assert session.close() == []
    assert files.read("kprobe_events") == b"p:foreign/x vfs_read\n"
    assert files.read("events/foreign/x/enable") == b"1\n"
    assert files.listdir("instances") == []
    assert list((tmp_path / "state").iterdir()) == []
    assert refused(lambda: session.define(PROBE)).sentence == "the session is closed"


def test_foreign_names_are_never_touched(files: FakeTracefs, start: Opener) -> None:
    session = start(group="foreign")
    assert "already exists" in refused(lambda: session.define(parse_probe("p:x vfs_write"))).sentence
    assert "not ours" in refused(lambda: session.remove("foreign", "x")).sentence
    assert "not ours" in refused(lambda: session.redefine("foreign", "x", PROBE)).sentence
    session.define(PROBE)
    assert session.group == "foreign"
    assert session.close() == []
    assert files.read("kprobe_events") == b"p:foreign/x vfs_read\n"


def test_a_refused_definition_brings_message_caret_and_no_change(files: FakeTracefs, start: Opener) -> None:
    session = start()
    line = "p:kptui/bad do_sys_openat2 x=%rdi"
    error = refused(lambda: session.define_line("kptui", "bad", line))
    assert error.errno_name == "EINVAL"
    assert [(problem.message, problem.at) for problem in error.problems] == [
        ("Invalid register name", line.index("%rdi"))
    ]
    assert error.sentence == "define kptui/bad: Invalid register name"
    assert not session.log[-1].ok
    assert refused(lambda: session.define_line("kptui", "x", "p:kptui/x a\np:kptui/y b")).command
    assert "longer" in refused(lambda: session.define_line("kptui", "x", "p:kptui/x " + "a" * 5000)).sentence
    assert files.read("kprobe_events") == b"p:foreign/x vfs_read\n"
    assert session.close() == []


def test_replacing_keeps_filter_and_state_and_a_refusal_costs_nothing(
    files: FakeTracefs, start: Opener
) -> None:
    session = start()
    session.define(PROBE)
    session.enable("kptui", "opens", True)
    session.set_filter("kptui", "opens", "dfd == 1")
    bad = "p:kptui/opens do_sys_openat2 x=%rdi"
    before = len(files.writes)
    error = refused(lambda: session.redefine_line("kptui", "opens", "kptui", "opens", bad))
    assert error.command == bad
    assert error.problems[0].at == bad.index("%rdi")
    assert "kptui/opens" in error.sentence
    assert not any("-:kptui/opens" in data or path.endswith("enable") for path, data in files.writes[before:])
    session.redefine("kptui", "opens", parse_probe("p vfs_open"))
    state = next(state for state in session.states() if state.event == "opens")
    assert (state.definition, state.enabled, state.filter) == ("p:kptui/opens vfs_open", True, "dfd == 1")
    session.redefine("kptui", "opens", parse_probe("p:other vfs_open"))
    assert [state.event for state in session.states()] == ["x", "other"]
    assert session.close() == []


def test_an_enabled_event_gets_no_untried_filter(files: FakeTracefs, start: Opener) -> None:
    session = start()
    session.define_line("kptui", "opens", "p:kptui/opens vfs_open dfd=%di")
    session.set_filter("kptui", "opens", "dfd == 1")
    trial = f"instances/{session.instance}-try"
    files.rmdir(trial)
    real = files.mkdir

    def full(path: str) -> None:
        raise OSError(errno.ENOMEM, "no memory", path)

    files.mkdir = full  # type: ignore[method-assign]
    session.enable("kptui", "opens", True)
    error = refused(lambda: session.set_filter("kptui", "opens", "dfd == 2"))
    assert "nowhere to try it" in error.sentence
    assert "memory" in error.sentence
    assert session.states()[-1].filter == "dfd == 1"
    session.enable("kptui", "opens", False)
    refused(lambda: session.set_filter("kptui", "opens", "nosuch == 1"))
    assert session.states()[-1].filter == "dfd == 1"  # put back
    session.set_filter("kptui", "opens", "dfd == 2")
    assert session.states()[-1].filter == "dfd == 2"
    files.mkdir = real  # type: ignore[method-assign]


def test_a_bad_filter_never_reaches_the_live_event(files: FakeTracefs, start: Opener) -> None:
    session = start()
    session.define(PROBE)
    session.define(parse_probe("p:reads vfs_read"))
    session.set_filter("kptui", "opens", "dfd == 1")
    live = f"instances/{session.instance}/events/kptui/opens/filter"
    files.writes.clear()
    for bad in ("nosuch == 1", "dfd == 1 &&", "dfd == 1 || !", "x" * 5000, "a == 1\0"):
        refused(lambda bad=bad: session.set_filter("kptui", "opens", bad))  # type: ignore[misc]
    assert not any(path == live for path, _ in files.writes)
    assert files.read(live) == b"dfd == 1\n"
    results = session.set_group_filter("kptui", "nosuch == 1")
    assert {event: bool(result) for event, result in results.items()} == {"opens": True, "reads": True}
    assert session.set_group_filter("kptui", "") == {"opens": None, "reads": None}
    assert files.read(live) == b"none\n"
    assert session.close() == []


def test_a_probe_that_is_in_use_is_named_and_kept_for_the_clean_up(
    files: FakeTracefs, start: Opener, tmp_path: Path
) -> None:
    session = start()
    session.define(PROBE)
    session.enable("kptui", "opens", True)
    files.append("events/kptui/opens/enable", b"1")
    error = refused(lambda: session.remove("kptui", "opens"))
    assert error.errno_name == "EBUSY"
    assert "top level" in error.sentence
    assert next(state for state in session.states() if state.event == "opens").enabled
    (sentence,) = session.close()
    assert "kptui/opens remains" in sentence
    assert "top level" in sentence
    assert files.listdir("instances") == []
    assert len(list((tmp_path / "state").iterdir())) == 1
    files.append("events/kptui/opens/enable", b"0")
    assert session.close() == []
    assert list((tmp_path / "state").iterdir()) == []


def test_closing_does_not_wait_for_a_thread_that_hangs(
    start: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kptui.kernel.session._CLOSE_WAIT", 0.05)
    session = start()
    session.define(PROBE)
    held, release = threading.Event(), threading.Event()

    def hang() -> None:
        with session._lock:
            held.set()
            release.wait(5)

    thread = threading.Thread(target=hang)
    thread.start()
    held.wait(5)
    assert session.close() == []
    release.set()
    thread.join()
    assert "opens" not in [state.event for state in session.states()]


def test_a_tracefs_that_vanished_is_one_clear_sentence(files: FakeTracefs, start: Opener) -> None:
    session = start()
    session.define(PROBE)
    away = files.base.rename(files.base.with_name("away"))
    files.base.mkdir()
    assert "no longer mounted" in refused(lambda: session.enable("kptui", "opens", True)).sentence
    assert "no longer mounted" in refused(session.states).sentence
    (sentence,) = session.close()
    assert "kptui/opens" in sentence
    assert "mount -t tracefs" in sentence
    files.base.rmdir()
    away.rename(files.base)
    assert session.close() == []
    assert files.read("kprobe_events") == b"p:foreign/x vfs_read\n"


def test_own_threads_are_hidden_or_it_is_said(files: FakeTracefs, start: Opener, tmp_path: Path) -> None:
    session = start()
    session.exclude_own_threads()
    hidden = files.read(f"instances/{session.instance}/set_event_notrace_pid").split()
    assert str(os.getpid()).encode() in hidden
    assert files.read(f"instances/{session.instance}/options/event-fork") == b"1\n"
    assert session.warnings == ()
    session.close()
    files.instance_files = ()
    session = start()
    session.exclude_own_threads()
    session.exclude_own_threads()
    assert len(session.warnings) == 1
    session.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_signal_handler_may_close_in_the_middle_of_a_write(
    files: FakeTracefs, start: Opener, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    session = start()
    real = files.append

    def append(path: str, data: bytes) -> None:
        monkeypatch.setattr(files, "append", real)
        if when == "before":
            os.kill(os.getpid(), signal.SIGUSR1)
        real(path, data)
        if when == "after":
            os.kill(os.getpid(), signal.SIGUSR1)

    said: list[list[str]] = []
    old = signal.signal(signal.SIGUSR1, lambda *_: said.append(session.close()))
    try:
        monkeypatch.setattr(files, "append", append)
        session.define(PROBE)
    except Refused:
        pass
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert said == [[]]
    assert files.read("kprobe_events") == b"p:foreign/x vfs_read\n"
    assert files.listdir("instances") == []


def test_an_instance_that_cannot_be_made_leaves_nothing(tmp_path: Path, files: FakeTracefs) -> None:
    (files.base / "instances").rmdir()
    with pytest.raises(Refused) as caught:
        Session.open(files, state_dir=tmp_path / "state", fallbacks=())
    assert "private instance" in caught.value.sentence
    assert list((tmp_path / "state").iterdir()) == []


DIE = """
import os, signal, sys
from pathlib import Path
from kptui.kernel.session import Session
from kptui.probes.definition import parse_probe
from tests.kernel.fake import FakeTracefs
files = FakeTracefs.__new__(FakeTracefs)
files.__dict__.update(_root=sys.argv[1], base=Path(sys.argv[1]), busy=set(), writes=[], entries={})
files.instance_files = ()
s = Session.open(files, state_dir=Path(sys.argv[2]), fallbacks=(), exclude_own=False)
s.define(parse_probe("p:opens do_sys_openat2 dfd=%di"))
s.enable("kptui", "opens", True)
s.set_filter("kptui", "opens", "dfd == 1")
print(s.group, flush=True)
if sys.argv[3] == "die": os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.readline()
print(s.close())
"""


def run(files: FakeTracefs, state: Path, how: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", DIE, files.root, str(state), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "kptui\n"
    return child


def test_after_kill_9_exactly_its_own_things_are_removed(files: FakeTracefs, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with run(files, state, "die") as child:
        assert child.wait() == -signal.SIGKILL
    journal = next(state.iterdir())
    with journal.open("ab") as file:
        file.write(b'{"n": 99, "undo": {"kind": "write", "path": "events/foreign/x/enable", "data": "0"}}\n')
        file.write(b'{"n": 98, "undo": {"kind": "write", "path": "kpr')
    (found,) = leftovers(files, state, fallbacks=())
    assert found.probes == ("kptui/opens",)
    assert found.instances == (f"kptui-{child.pid}", f"kptui-{child.pid}-try")
    result = cleanup(files, state, fallbacks=())
    assert result.left == ()
    assert "had left 1 probe (kptui/opens)" in result.done[0]
    assert files.read("kprobe_events") == b"p:foreign/x vfs_read\n"
    assert files.read("events/foreign/x/enable") == b"1\n"
    assert files.listdir("instances") == []
    assert list(state.iterdir()) == []


def test_a_live_kptui_is_left_alone_and_keeps_its_group(
    files: FakeTracefs, start: Opener, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with run(files, state, "live") as child:
        assert leftovers(files, state, fallbacks=()) == ()
        assert cleanup(files, state, fallbacks=()) == cleanup(files, state, fallbacks=())
        session = start()
        assert session.group == f"kptui_{os.getpid()}"
        assert "kptui/opens" in files.read("kprobe_events").decode()
        assert session.close() == []
        output, _ = child.communicate("\n")
    assert output == "[]\n"


def test_a_name_taken_over_by_somebody_else_since_is_not_removed(files: FakeTracefs, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with run(files, state, "die") as child:
        child.wait()
    for instance in files.listdir("instances"):
        files.rmdir(f"instances/{instance}")
    files.append("kprobe_events", b"-:kptui/opens")
    files.append("kprobe_events", b"p:kptui/opens vfs_write")
    assert leftovers(files, state, fallbacks=()) == ()
    result = cleanup(files, state, fallbacks=())
    assert b"p:kptui/opens vfs_write" in files.read("kprobe_events")
    assert "by hand" in result.left[0]


def test_damaged_and_stale_journals_and_instances_of_the_dead(files: FakeTracefs, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "kptui-999999.journal").write_bytes(os.urandom(4096))
    (state / "kptui-999998.journal").write_bytes(b"")
    (state / "kptui-x.journal").write_bytes(b"not ours")
    header = {"kptui": 1, "pid": os.getpid(), "start": start_time(os.getpid()), "boot": "another"}
    header |= {"root": files.root, "device": 0, "instance": f"kptui-{os.getpid()}", "group": "kptui"}
    (state / f"kptui-{os.getpid()}.journal").write_text(json.dumps(header) + "\n")
    files.mkdir("instances/kptui-999999")
    files.mkdir("instances/kptui-999997")
    files.mkdir("instances/mine")
    assert boot_id() != "another"
    assert [item.pid for item in leftovers(files, state, fallbacks=())] == [999997, 999999]
    result = cleanup(files, state, fallbacks=())
    assert len(result.done) == 2
    assert files.listdir("instances") == ["mine"]
    assert [path.name for path in state.iterdir()] == ["kptui-x.journal"]
