"""The door to tracefs stays below its root, never truncates, and is found wherever it is mounted."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.kernel.files import INTERRUPTIONS, TracefsFiles, find_tracefs, mount_points, write_bounded


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "a\0b", ".."])
def test_nothing_outside_the_root_is_reached(tmp_path: Path, path: str) -> None:
    files = TracefsFiles(tmp_path)
    for action in (files.read, files.listdir, files.mkdir, files.rmdir, files.open_pipe):
        with pytest.raises(ValueError, match="not a path below"):
            action(path)
    with pytest.raises(ValueError, match="not a path below"):
        files.append(path, b"x")
    assert not files.exists(path)


def test_append_keeps_what_is_there_and_creates_nothing(tmp_path: Path) -> None:
    files = TracefsFiles(tmp_path)
    (tmp_path / "kprobe_events").write_bytes(b"p:a/b c\n")
    files.append("kprobe_events", b"p:d/e f\n")
    assert files.read("kprobe_events") == b"p:a/b c\np:d/e f\n"
    with pytest.raises(FileNotFoundError):
        files.append("absent", b"x")
    assert not files.exists("absent")


def test_a_write_that_is_always_interrupted_ends() -> None:
    """As 5.10 does with a probe at 0xfffffffffffffffc."""
    calls = []

    def write(fd: int, data: bytes) -> int:
        calls.append((fd, data))
        return -errno.EINTR

    with pytest.raises(InterruptedError):
        write_bounded(7, b"p 0xfffffffffffffffc\n", write)
    assert calls == [(7, b"p 0xfffffffffffffffc\n")] * INTERRUPTIONS


def test_a_write_that_signals_interrupt_goes_on() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    rings = []

    def ring(*_: object) -> None:
        rings.append(1)
        if len(rings) == 5:
            os.read(reader, 1 << 20)

    before = signal.signal(signal.SIGALRM, ring)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        assert write_bounded(writer, b"a\0b") == 3
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(rings) >= 5
    os.close(writer)
    assert os.read(reader, 1 << 20).endswith(b"a\0b")
    os.close(reader)


@pytest.mark.parametrize(("number", "kind"), [(errno.EINVAL, OSError), (errno.EACCES, PermissionError)])
def test_errors_of_a_write_are_the_kernels(number: int, kind: type[OSError]) -> None:
    with pytest.raises(kind) as caught:
        write_bounded(7, b"x", lambda fd, data: -number)
    assert caught.value.errno == number
    with pytest.raises(OSError, match="Bad file descriptor"):
        write_bounded(1 << 20, b"x")


def test_reads_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "trace").write_bytes(b"x" * 300_000)
    files = TracefsFiles(tmp_path)
    assert len(files.read("trace", 100_000)) == 100_000
    assert len(files.read("trace")) == 300_000


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=12))
@settings(max_examples=50)
def test_mount_points_with_escapes_come_back(name: str) -> None:
    raw = os.fsencode("/mnt/" + name)
    escaped = b"".join(b"\\%03o" % byte if byte in b" \t\n\\\r\x0b\x0c" else bytes([byte]) for byte in raw)
    path = Path(os.fsdecode(b"/dev/shm/kptui-test-mounts-%d" % os.getpid()))
    path.write_bytes(b"proc /proc proc rw 0 0\nnodev " + escaped + b" tracefs rw 0 0\nbroken\n")
    try:
        assert mount_points(path)[1] == ("tracefs", os.fsdecode(raw))
        assert find_tracefs(path) == os.fsdecode(raw)
    finally:
        path.unlink()


def test_tracefs_comes_before_debugfs_and_neither_is_none(tmp_path: Path) -> None:
    debug = tmp_path / "debug dir"
    (debug / "tracing").mkdir(parents=True)
    table = tmp_path / "mounts"
    escaped = str(debug).replace(" ", "\\040")
    table.write_text(f"d {escaped} debugfs rw 0 0\n")
    assert find_tracefs(table) == str(debug / "tracing")
    table.write_text(f"d {escaped} debugfs rw 0 0\nt /elsewhere tracefs rw 0 0\n")
    assert find_tracefs(table) == "/elsewhere"
    table.write_bytes(b"\xff\x00\n\n")
    assert find_tracefs(table) is None
    assert find_tracefs(tmp_path / "absent") is None
