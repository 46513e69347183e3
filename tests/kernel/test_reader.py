"""The reader thread: nothing lost, never stuck, never spinning, and clear about why it ended."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator

import pytest

from kptui.kernel.reader import PipeReader


class Pipe:
    def __init__(self) -> None:
        self.out, self.into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(self.into, True)

    def open(self) -> int:
        return os.dup(self.out)

    def close(self) -> None:
        os.close(self.out)
        if self.into >= 0:
            os.close(self.into)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def drain_until(reader: PipeReader, size: int, seconds: float = 5.0) -> bytes:
    data = b""
    end = time.monotonic() + seconds
    while len(data) < size and time.monotonic() < end:
        data += reader.drain()
        time.sleep(0.002)
    return data


def test_everything_arrives_in_order(pipe: Pipe) -> None:
    reader = PipeReader(pipe.open)
    assert reader.start()
    sent = b"".join(b"line %d\n" % number for number in range(50_000))
    writer = threading.Thread(target=lambda: os.write(pipe.into, sent))
    writer.start()
    assert drain_until(reader, len(sent)) == sent
    writer.join()
    assert reader.received == len(sent)
    assert reader.stop()
    assert not reader.running


def test_it_stops_at_once_while_idle_and_while_busy(pipe: Pipe) -> None:
    for busy in (False, True):
        reader = PipeReader(pipe.open)
        assert reader.start()
        if busy:
            os.write(pipe.into, b"x" * 1000)
        time.sleep(0.02)
        begin = time.monotonic()
        assert reader.stop()
        assert time.monotonic() - begin < 1  # 0.3 ms where nothing else runs
        assert reader.stop()


def test_a_full_queue_leaves_the_rest_in_the_pipe(pipe: Pipe) -> None:
    reader = PipeReader(pipe.open, max_bytes=4096)
    reader.start()
    os.write(pipe.into, b"a" * 4096)
    while not reader.full:
        time.sleep(0.002)
    os.write(pipe.into, b"b" * 1000)
    time.sleep(0.15)
    assert reader.received == 4096
    assert not reader.settle(0.05)
    assert reader.drain() == b"a" * 4096
    assert drain_until(reader, 1000) == b"b" * 1000
    assert reader.stop()


def test_settle_waits_for_what_is_in_the_pipe(pipe: Pipe) -> None:
    reader = PipeReader(pipe.open)
    reader.start()
    for number in range(20):
        os.write(pipe.into, b"%d\n" % number)
        assert reader.settle(2.0)
        assert reader.drain() == b"%d\n" % number
    reader.stop()


def test_the_end_of_the_file_does_not_make_it_spin(pipe: Pipe) -> None:
    reader = PipeReader(pipe.open)
    reader.start()
    os.close(pipe.into)
    pipe.into = -1
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1
    assert reader.running
    assert reader.stop()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EBUSY, "another reader"), (errno.ENOENT, "gone away"), (errno.EPERM, "forbids")],
)
def test_a_pipe_that_cannot_be_opened_says_why(number: int, words: str) -> None:
    def fail() -> int:
        raise OSError(number, os.strerror(number))

    reader = PipeReader(fail)
    assert not reader.start()
    assert words in reader.error
    assert reader.drain() == b""
    assert reader.stop()


def test_an_error_while_reading_ends_it_with_a_sentence(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("reader")
    reader = PipeReader(lambda: os.open(directory, os.O_RDONLY))
    reader.start()
    end = time.monotonic() + 2
    while reader.running and time.monotonic() < end:
        time.sleep(0.005)
    assert "can't be read" in reader.error
    assert reader.stop()
