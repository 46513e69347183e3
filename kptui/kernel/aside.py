"""Work done by a child process while this one loads its screen, and handed over in pieces.

The interpreter's lock leaves one processor to a program, and loading textual takes all of it. The child is a fork:
it needs no start of its own, and has done its first piece by the time the screen can show it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable

_SIZE = 8  # bytes of a piece's size in the pipe


class Aside:
    """What a child is working on; see :func:`begin`."""

    def __init__(self, pid: int, memory: int, pipe: int) -> None:
        self._pid = pid
        self._memory = memory
        self._pipe = pipe
        self._at = 0
        self._lock = threading.Lock()

    def piece(self) -> bytes:
        """The next piece; waits for it, on any thread. b'' when there will be none: the child is done, or failed."""
        with self._lock:
            if self._pipe < 0:
                return b""
            try:
                head = os.read(self._pipe, _SIZE)
                size = int.from_bytes(head, "little")
                data = os.pread(self._memory, size, self._at) if len(head) == _SIZE else b""
            except OSError:
                data = b""
            self._at += len(data)
            if not data:
                self._end()
            return data

    def close(self) -> None:
        """What is still to come isn't wanted."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pipe < 0:
            return
        os.close(self._pipe)
        os.close(self._memory)
        self._pipe = -1
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def begin(work: Callable[[], Iterable[bytes]]) -> Aside | None:
    """Start ``work`` in a child; None where that can't be: other threads run already, or there is no memory for it.

    The pieces must not be empty. What ``work`` raises ends it: the caller does the work itself then, and learns why.
    """
    if threading.active_count() > 1 or not hasattr(os, "memfd_create"):
        return None
    memory = ours = theirs = -1
    try:
        memory = os.memfd_create("kptui", os.MFD_CLOEXEC)
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
    except OSError:
        for descriptor in (memory, ours, theirs):
            if descriptor >= 0:
                os.close(descriptor)
        return None
    if pid == 0:
        _work(work, memory, theirs)
    os.close(theirs)
    return Aside(pid, memory, ours)


def _work(work: Callable[[], Iterable[bytes]], memory: int, pipe: int) -> None:
    """The child's life. It must leave nothing on the terminal and run no exit handler of its parent's."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for standard in range(3):
            os.dup2(null, standard)
        at = 0
        for piece in work():
            done = 0
            while done < len(piece):
                done += os.pwrite(memory, memoryview(piece)[done:], at + done)
            at += done
            os.write(pipe, done.to_bytes(_SIZE, "little"))
            if at == done:  # the first piece, which is waited for; the others mustn't hold up whoever waited
                os.nice(10)
    finally:
        os._exit(0)
