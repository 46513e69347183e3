"""A session on this machine's own tracefs, with uprobes (kprobes may be missing here)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kptui.kernel.files import TracefsFiles, find_tracefs
from kptui.kernel.refusal import Refused
from kptui.kernel.session import Session

pytestmark = pytest.mark.tracefs

BINARY = "/bin/true"


@pytest.fixture(scope="module")
def files() -> TracefsFiles:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    root = find_tracefs()
    if root is None:
        subprocess.run(["mount", "-t", "tracefs", "nodev", "/sys/kernel/tracing"], check=False)
        root = find_tracefs()
    found = TracefsFiles(root or "/nonexistent")
    if not found.exists("uprobe_events"):
        pytest.skip("no tracefs with uprobes")
    return found


@pytest.fixture
def session(files: TracefsFiles, tmp_path: Path) -> Iterator[Session]:
    before = (files.read("uprobe_events"), files.listdir("instances"))
    opened = Session.open(files, state_dir=tmp_path, fallbacks=(), control="uprobe_events", exclude_own=False)
    yield opened
    assert opened.close() == []
    assert (files.read("uprobe_events"), files.listdir("instances")) == before
    assert list(tmp_path.iterdir()) == []


def entry_offset() -> int:
    """File offset of the entry point of BINARY: ELF header and program headers, 64 bit."""
    data = Path(BINARY).resolve().read_bytes()
    entry, table = (int.from_bytes(data[at : at + 8], "little") for at in (24, 32))
    for index in range(int.from_bytes(data[56:58], "little")):
        head = data[table + 56 * index :][:56]
        kind, offset, address = (int.from_bytes(head[a:b], "little") for a, b in ((0, 4), (8, 16), (16, 24)))
        size = int.from_bytes(head[32:40], "little")
        if kind == 1 and address <= entry < address + size:
            return entry - address + offset
    raise AssertionError("no entry point")


def line(session: Session, event: str, args: str) -> str:
    path = Path(BINARY).resolve()
    return f"p:{session.group}/{event} {path}:{entry_offset():#x} {args}"


def test_define_stream_replace_and_filter(session: Session) -> None:
    group = session.group
    session.define_line(group, "start", line(session, "start", "sp=$stack comm=$comm"))
    session.set_filter(group, "start", "common_pid != 1")
    session.enable(group, "start", True)
    reader = session.start_reader()
    with subprocess.Popen([BINARY]) as child:
        child.wait()
    assert reader.settle(2.0)
    data = reader.drain()
    assert f"-{child.pid}".encode() in data, data
    assert b"start: (0x" in data
    state = next(state for state in session.states() if state.ours)
    assert (state.enabled, state.hits, state.filter) == (True, 1, "common_pid != 1")
    for bad in ("common_pid = 1", "nosuch == 1", '"x" == 1'):
        with pytest.raises(Refused) as caught:
            session.set_filter(group, "start", bad)
        assert caught.value.problems
    with pytest.raises(Refused) as caught:
        session.redefine_line(group, "start", group, "start", line(session, "start", "sp=%rdi"))
    assert caught.value.problems[0].message == "Invalid register name"
    session.redefine_line(group, "start", group, "start", line(session, "start", "first=%di:x64"))
    state = next(state for state in session.states() if state.ours)
    assert (state.enabled, state.filter) == (True, "common_pid != 1")
    assert [field.name for field in session.format(group, "start").args] == ["first"]
    subprocess.run([BINARY], check=True)
    assert b"start: (" in session.snapshot() or session.stats().read >= 1


def test_own_children_are_hidden(session: Session) -> None:
    group = session.group
    session.exclude_own_threads()
    if session.warnings:
        pytest.skip(session.warnings[0])
    session.define_line(group, "start", line(session, "start", ""))
    session.enable(group, "start", True)
    reader = session.start_reader()
    subprocess.run([BINARY], check=True)
    time.sleep(0.1)
    assert reader.settle(2.0)
    assert b"start: (" not in reader.drain()
    state = next(state for state in session.states() if state.ours)
    assert (state.hits or 0) >= 1


def test_a_second_reader_and_a_busy_instance_are_named(session: Session) -> None:
    fd = session.files.open_pipe(f"instances/{session.instance}/trace_pipe")
    try:
        with pytest.raises(Refused, match="another reader"):
            session.start_reader()
        (sentence,) = session.close()
        assert "file of it open" in sentence
    finally:
        os.close(fd)


def test_removing_does_not_lose_what_was_recorded(session: Session) -> None:
    group = session.group
    session.define_line(group, "start", line(session, "start", ""))
    session.define_line(group, "other", line(session, "other", "a=%di"))
    session.enable_all(True)
    reader = session.start_reader()
    runs = 20
    for _ in range(runs):
        subprocess.run([BINARY], check=True)
    session.remove(group, "other")
    data = reader.drain()
    assert data.count(b" start: (") == runs
    assert data.count(b" other: (") == runs
