"""What a session does to a real kernel, step by step: run as root where kprobes are (inside a test guest).

Prints ``ok NAME`` or ``FAIL NAME detail`` for each step and exits 1 when one failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from kptui.kernel.capabilities import examine
from kptui.kernel.files import TracefsFiles, find_tracefs
from kptui.kernel.kallsyms import start_reading
from kptui.kernel.leftovers import cleanup, leftovers
from kptui.kernel.refusal import Refused
from kptui.kernel.session import Session
from kptui.kernel.target.assemble import Given, KernelTarget
from kptui.kernel.target.machine import Machine
from kptui.probes.check import check_definition
from kptui.probes.definition import parse_probe

FOREIGN = "p:foreign/openat do_sys_openat2 dfd=%di:s32"
OPEN = "p:opens do_sys_openat2 dfd=%di:s32 filename=+0(%si):ustring"


class Guest:
    """The tracefs of this machine and a state directory of this run."""

    def __init__(self, state: Path) -> None:
        root = find_tracefs()
        assert root is not None, "no tracefs"
        self.root = Path(root)
        self.files = TracefsFiles(root)
        self.state = state

    def text(self, path: str) -> str:
        return self.files.read(path).decode("utf-8", "replace")

    def picture(self) -> tuple[str, ...]:
        """All that a session must leave as it found it."""
        names = ",".join(self.files.listdir("instances"))
        foreign = "events/foreign/openat"
        return (
            self.text("kprobe_events"),
            self.text("uprobe_events"),
            names,
            self.text(f"{foreign}/enable"),
            self.text(f"{foreign}/filter"),
            self.text("tracing_on"),
            self.text("set_event"),
        )

    def open(self, *, exclude_own: bool = True) -> Session:
        return Session.open(self.files, state_dir=self.state, exclude_own=exclude_own)


def open_files(*names: str) -> int:
    """A child opens each name; returns its pid."""
    code = "import sys\nfor name in sys.argv[1:]:\n    try: open(name)\n    except OSError: pass\n"
    child = subprocess.Popen([sys.executable, "-S", "-E", "-c", code, *names])
    child.wait()
    return child.pid


def read_until(session: Session, needle: bytes, seconds: float = 10.0) -> bytes:
    assert session.reader is not None
    data = b""
    end = time.monotonic() + seconds
    while needle not in data and time.monotonic() < end:
        data += session.reader.drain()
        time.sleep(0.02)
    return data


def refused(action: Callable[[], object]) -> Refused:
    try:
        action()
    except Refused as error:
        return error
    raise AssertionError("was not refused")


def step_capabilities(guest: Guest) -> str:
    found = examine()
    assert found.can_trace, found.headline
    assert found["armed"].ok, found["armed"]
    begin = time.monotonic()
    data = start_reading().result()
    assert len(data) > 1_000_000
    return f"headline {found.headline!r}, kallsyms {len(data)} bytes in {time.monotonic() - begin:.2f} s"


def step_define_stream(guest: Guest) -> str:
    before = guest.picture()
    begin = time.monotonic()
    session = guest.open(exclude_own=False)
    opened = time.monotonic() - begin
    try:
        assert session.group == "kptui"
        begin = time.monotonic()
        listed = session.define(parse_probe(OPEN))
        defined = time.monotonic() - begin
        assert listed.startswith("p:kptui/opens do_sys_openat2 dfd=%di:s32"), listed
        session.define(parse_probe("r:opens_ret do_sys_openat2 fd=$retval:s32"))
        assert not session.enable_all(True)
        session.start_reader()
        pid = open_files("/etc/hostname", "/nowhere/at-all")
        data = read_until(session, b"/nowhere/at-all")
        assert b'filename="/nowhere/at-all"' in data, data[-500:]
        if b"fd=-2" not in data:
            data += read_until(session, b"fd=-2")
        assert b"fd=-2" in data
        assert f"-{pid} ".encode() in data
        states = {state.event: state for state in session.states()}
        assert states["opens"].ours
        assert states["opens"].enabled
        assert (states["opens"].hits or 0) > 0
        assert states["opens"].misses is not None
        assert not states["openat"].ours
        assert states["openat"].enabled_elsewhere == ("top level",)
        names = [field.name for field in session.format("kptui", "opens").args]
        assert names == ["dfd", "filename"], names
        assert b"/nowhere" not in session.snapshot() or session.stats().entries
        begin = time.monotonic()
        assert not session.enable_all(False)
        disabled = time.monotonic() - begin
        begin = time.monotonic()
        left = session.close()
    finally:
        session.close()
    closed = time.monotonic() - begin
    assert left == [], left
    assert guest.picture() == before
    assert list(guest.state.iterdir()) == []
    return f"open {opened:.2f} define {defined:.2f} disable all {disabled:.2f} close {closed:.2f} s"


def step_redefine(guest: Guest) -> str:
    session = guest.open(exclude_own=False)
    try:
        session.define(parse_probe(OPEN))
        session.enable("kptui", "opens", True)
        session.set_filter("kptui", "opens", "dfd == -100")
        wrong = "p:kptui/opens do_sys_openat2 dfd=%rdi"
        error = refused(lambda: session.redefine_line("kptui", "opens", "kptui", "opens", wrong))
        assert error.problems[0].message == "Invalid register name", error.problems
        at = error.problems[0].at
        assert error.command[at : at + 4] == "%rdi", (error.command, at)
        state = next(state for state in session.states() if state.event == "opens")
        assert state.enabled
        assert state.filter == "dfd == -100"
        assert "filename" in state.definition
        begin = time.monotonic()
        session.redefine("kptui", "opens", parse_probe("p do_sys_openat2 dfd=%di:s32 flags=+0(%dx):x64"))
        took = time.monotonic() - begin
        state = next(state for state in session.states() if state.event == "opens")
        assert state.enabled
        assert state.filter == "dfd == -100"
        assert "flags" in state.definition
        session.redefine("kptui", "opens", parse_probe("r:opens_back do_sys_openat2 fd=$retval:s32"))
        state = next(state for state in session.states() if state.event == "opens_back")
        assert state.enabled
        assert state.filter is None
        assert any("lost its filter" in warning for warning in session.warnings), session.warnings
        assert "kptui/opens " not in guest.text("kprobe_events")
    finally:
        left = session.close()
    assert left == [], left
    return f"replace an enabled, filtered probe {took:.2f} s"


def step_refusals(guest: Guest) -> str:
    session = guest.open()
    try:
        before = guest.text("kprobe_events")
        error = refused(lambda: session.define(parse_probe("p:x no_such_function_here")))
        assert error.problems[0].message == "Invalid probed address or symbol", error.problems
        error = refused(lambda: session.define_line("kptui", "x", "p:kptui/x do_sys_openat2 a=%rdi"))
        assert error.problems[0].message == "Invalid register name", error.problems
        error = refused(
            lambda: session.define_line("foreign", "openat", FOREIGN.replace("openat2", "openat2+0"))
        )
        assert "already exists" in error.sentence, error
        error = refused(lambda: session.remove("foreign", "openat"))
        assert "not ours" in error.sentence, error
        assert guest.text("kprobe_events") == before
        session.define(parse_probe(OPEN))
        session.set_filter("kptui", "opens", "dfd == 5")
        for on in (False, True):
            session.enable("kptui", "opens", on)
            for bad in ("dfd = 5", "nosuch == 1", "filename == x", "(dfd == 1", 'x" == 1', "dfd == 1 &&"):
                error = refused(lambda bad=bad: session.set_filter("kptui", "opens", bad))  # type: ignore[misc]
                assert error.problems, (bad, error)
                state = next(state for state in session.states() if state.event == "opens")
                assert (state.filter, state.filter_error) == ("dfd == 5", None), (bad, state)
    finally:
        left = session.close()
    assert left == [], left
    return ""


def step_address_of_an_error(guest: Guest) -> str:
    """Kernels before 5.18 answer this with EINTR as often as it is written, which os.write does for ever."""
    line = "p:kptui_eintr/x 0xfffffffffffffffc"
    expected = check_definition(line, KernelTarget(Given(), Machine()).definitions)
    begin = time.monotonic()
    try:
        guest.files.append("kprobe_events", f"{line}\n".encode())
    except InterruptedError:
        assert (expected.ok, expected.errno) == (False, "EINTR"), expected
        assert "takes an address" in expected.problems[0].sentence, expected
        return f"EINTR, given up after {time.monotonic() - begin:.2f} s"
    assert expected.ok, expected
    guest.files.append("kprobe_events", b"-:kptui_eintr/x\n")
    return "accepted"


def step_filters(guest: Guest) -> str:
    session = guest.open(exclude_own=False)
    try:
        session.define(parse_probe(OPEN))
        session.define(parse_probe("p:closes __x64_sys_close regs=%di"))
        results = session.set_group_filter("kptui", 'filename ~ "/etc/*"')
        assert results["opens"] is None
        assert results["closes"] is not None
        assert session.set_group_filter("kptui", None) == {"opens": None, "closes": None}
        child = subprocess.Popen([sys.executable, "-S", "-E", "-c", WAIT_THEN_OPEN], stdin=subprocess.PIPE)
        session.set_filter(
            "kptui", "opens", f'(common_pid == {child.pid} || common_pid == 1) && filename ~ "/tmp/*"'
        )
        session.enable("kptui", "opens", True)
        session.start_reader()
        open_files("/tmp/not-this-process")
        child.communicate(b"\n")
        data = read_until(session, b"/tmp/wanted")
        assert b"/tmp/wanted" in data, data
        assert b"/tmp/not-this-process" not in data
        assert b"/etc/unwanted" not in data
    finally:
        left = session.close()
    assert left == [], left
    return ""


WAIT_THEN_OPEN = """
import sys
sys.stdin.readline()
for name in ("/etc/unwanted", "/tmp/wanted"):
    try: open(name)
    except OSError: pass
"""


def step_own_threads(guest: Guest) -> str:
    session = guest.open()
    try:
        assert session.warnings == (), session.warnings
        session.define(parse_probe("p:reads vfs_read"))
        session.enable("kptui", "reads", True)
        reader = session.start_reader()
        time.sleep(1.0)
        open_files("/etc/hostname")
        time.sleep(0.3)
        data = reader.drain()
        own = [line for line in data.split(b"\n") if f"-{os.getpid()} ".encode() in line]
        assert not own, own[:3]
        assert b"python" not in data, data[:500]
        hits = next(state.hits for state in session.states() if state.event == "reads")
        assert (hits or 0) > 10, hits  # the probe was hit all the same, only not recorded
        begin = time.monotonic()
        assert reader.stop()
        took = time.monotonic() - begin
        assert took < 0.5, took
    finally:
        left = session.close()
    assert left == [], left
    return f"{hits} hits, {len(data.splitlines())} events of others, reader stopped in {took * 1000:.1f} ms"


def step_snapshot(guest: Guest) -> str:
    session = guest.open(exclude_own=False)
    try:
        session.define(parse_probe("p:reads vfs_read"))
        session.enable("kptui", "reads", True)
        session.set_tracing(True)
        open_files("/etc/hostname")
        begin = time.monotonic()
        data = session.snapshot(200_000)
        took = time.monotonic() - begin
        assert len(data) <= 200_000
        assert data.endswith(b"\n")
        assert b"reads: (vfs_read" in data
    finally:
        left = session.close()
    assert left == [], left
    return f"{len(data)} bytes in {took:.2f} s"


def step_two_sessions(guest: Guest) -> str:
    code = (
        "import sys\nfrom pathlib import Path\nfrom kptui.kernel.files import TracefsFiles\n"
        "from kptui.kernel.session import Session\nfrom kptui.probes.definition import parse_probe\n"
        "s = Session.open(TracefsFiles(sys.argv[1]), state_dir=Path(sys.argv[2]))\n"
        f"s.define(parse_probe({OPEN!r}))\ns.enable(s.group, 'opens', True)\ns.start_reader()\n"
        "print(s.group, flush=True)\nsys.stdin.readline()\nprint(s.close(), flush=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(guest.root), str(guest.state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b"kptui\n"
    session = guest.open()
    try:
        assert session.group == f"kptui_{os.getpid()}", session.group
        session.define(parse_probe(OPEN))
        assert leftovers(guest.files, guest.state) == ()
        assert cleanup(guest.files, guest.state).done == ()
        # The kernel lets the other one go on even while our instance has its probe enabled: only removal
        # fails.
        session.enable("kptui", "opens", True)
        child.stdin.write(b"\n")
        child.stdin.flush()
        said = child.stdout.readline().decode()
        assert session.instance in said, said
        assert "remains" in said, said
        child.stdin.close()
        child.stdout.close()
        child.wait()
        session.enable("kptui", "opens", False)
        found = leftovers(guest.files, guest.state)
        assert [item.probes for item in found] == [("kptui/opens",)], found
        assert cleanup(guest.files, guest.state).left == ()
    finally:
        left = session.close()
    assert left == [], left
    assert leftovers(guest.files, guest.state) == ()
    return said.strip()


def step_killed(guest: Guest) -> str:
    before = guest.picture()
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom kptui.kernel.files import TracefsFiles\n"
        "from kptui.kernel.session import Session\nfrom kptui.probes.definition import parse_probe\n"
        "s = Session.open(TracefsFiles(sys.argv[1]), state_dir=Path(sys.argv[2]))\n"
        f"s.define(parse_probe({OPEN!r}))\ns.enable(s.group, 'opens', True)\n"
        "s.set_filter(s.group, 'opens', 'dfd == -100')\ns.start_reader()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.run([sys.executable, "-c", code, str(guest.root), str(guest.state)], check=False)
    assert child.returncode == -signal.SIGKILL
    assert "kptui/opens" in guest.text("kprobe_events")
    found = leftovers(guest.files, guest.state)
    assert len(found) == 1, found
    assert found[0].probes == ("kptui/opens",)
    result = cleanup(guest.files, guest.state)
    assert result.left == (), result
    assert len(result.done) == 1, result
    assert guest.picture() == before
    assert list(guest.state.iterdir()) == []
    return result.done[0]


def step_reader_busy(guest: Guest) -> str:
    session = guest.open()
    try:
        fd = os.open(guest.root / f"instances/{session.instance}/trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        error = refused(session.start_reader)
        assert "another reader" in error.sentence, error
        left = session.close()
        assert len(left) == 1, left
        assert "open" in left[0], left
        os.close(fd)
        assert session.close() == []
    finally:
        session.close()
    return left[0]


def step_vanished_tracefs(guest: Guest) -> str:
    session = guest.open()
    session.define(parse_probe(OPEN))
    session.enable("kptui", "opens", True)
    session.start_reader()
    subprocess.run(["umount", "-l", str(guest.root)], check=True)
    try:
        error = refused(lambda: session.set_filter("kptui", "opens", "dfd == 1"))
        assert "no longer mounted" in error.sentence, error
        assert "no longer mounted" in refused(session.states).sentence
        left = session.close()
        assert len(left) == 1, left
        assert "no longer mounted" in left[0], left
        assert "kptui/opens" in left[0], left
        assert session.journal_path is not None
    finally:
        subprocess.run(["mount", "-t", "tracefs", "nodev", str(guest.root)], check=True)
    assert session.close() == []
    return error.sentence


STEPS: tuple[Callable[[Guest], str], ...] = (
    step_capabilities,
    step_define_stream,
    step_redefine,
    step_refusals,
    step_address_of_an_error,
    step_filters,
    step_own_threads,
    step_snapshot,
    step_two_sessions,
    step_killed,
    step_reader_busy,
    step_vanished_tracefs,
)


def main(names: list[str]) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        guest = Guest(Path(directory, "state"))
        guest.state.mkdir()
        guest.files.append("kprobe_events", f"{FOREIGN}\n".encode())
        guest.files.append("events/foreign/openat/filter", b"dfd == 77")
        guest.files.append("events/foreign/openat/enable", b"1")
        before = guest.picture()
        for step in STEPS:
            name = step.__name__.removeprefix("step_")
            if names and name not in names:
                continue
            begin = time.monotonic()
            try:
                detail = step(guest)
                assert guest.picture() == before, f"left behind: {guest.picture()}, before: {before}"
                print(f"ok {name} ({time.monotonic() - begin:.1f} s) {detail}".rstrip(), flush=True)
            except Exception as error:  # noqa: BLE001 - a failing step must not hide the others
                failed += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                print(f"FAIL {name} line {where.lineno}: {error!r} [{where.line}]", flush=True)
        with contextlib.suppress(OSError):
            guest.files.append("events/foreign/openat/enable", b"0")
            guest.files.append("kprobe_events", b"-:foreign/openat\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
