"""The background reader of ``trace_pipe``: it never blocks in a read and can always be stopped.

Neither closing the descriptor from another thread, nor ``tracing_on``, nor a signal frees a blocking read of
trace_pipe (measured on 6.18), and a stuck reader locks everyone else out with EBUSY. So the thread polls
the pipe together with an eventfd and reads without blocking; it also reads after a time-out, because some
kernels' poll honours ``buffer_percent``.

What it has read waits in a bounded queue. When that is full the thread stops reading: the kernel's ring then
overwrites the oldest and counts the loss in its own ``LOST`` marks, which tell CPU and place; nothing is
thrown away here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

from kptui.kernel.refusal import explain

DEFAULT_QUEUE = 32 << 20
_READ_SIZE = 1 << 16
_TICK_MS = 100
# After a batch the thread leaves the pipe alone for this long: at 200,000 events/s a wake-up per event
# costs more than the reading itself.
_BATCH_MS = 5


class PipeReader:
    """Reads the descriptor that ``open_fd`` opens (non-blocking), on a daemon thread that closes it at its
    end.

    ``error`` is '' or one clear sentence; the thread has ended then. ``received`` counts bytes.
    """

    def __init__(self, open_fd: Callable[[], int], *, max_bytes: int = DEFAULT_QUEUE) -> None:
        self._open_fd = open_fd
        self._max = max_bytes
        self._lock = threading.Lock()
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self._opened = threading.Event()
        self._idle_rounds = 0
        self._thread = threading.Thread(target=self._run, name="kptui-reader", daemon=True)
        self._wake_closed = False
        self.error = ""
        self.received = 0

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def full(self) -> bool:
        """The queue is full: nothing is read until :meth:`drain`, the kernel counts what it loses."""
        return self._held >= self._max

    def start(self, timeout: float = 2.0) -> bool:
        """Starts the thread; True once the pipe is open, False when it couldn't be (see ``error``)."""
        self._thread.start()
        self._opened.wait(timeout)
        return self._opened.is_set() and not self.error

    def stop(self, timeout: float = 1.0) -> bool:
        """Ends the thread (within milliseconds) and closes the pipe; True when it has ended. Idempotent."""
        self._stopping = True
        self._poke()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        if self._thread.is_alive():
            return False
        if not self._wake_closed:
            self._wake_closed = True
            os.close(self._wake)
        return True

    def drain(self) -> bytes:
        """All bytes read since the last call, in order; b'' when there are none. Never blocks."""
        with self._lock:
            chunks, self._chunks = self._chunks, deque()
            was_full = self.full
            self._held = 0
        if was_full:
            self._poke()
        return b"".join(chunks)

    def settle(self, timeout: float = 0.3) -> bool:
        """Waits until the pipe has been read empty once more: what was in the ring is in the queue then."""
        goal = self._idle_rounds + 2  # the round under way may have begun before this call
        deadline = time.monotonic() + timeout
        while self._idle_rounds < goal:
            if not self.running or self.full or time.monotonic() >= deadline:
                return False
            self._poke()
            time.sleep(0.001)
        return True

    def _poke(self) -> None:
        if not self._wake_closed:
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        try:
            fd = self._open_fd()
        except OSError as error:
            self.error = reader_error(error)
            self._opened.set()
            return
        self._opened.set()
        try:
            self._loop(fd)
        except OSError as error:
            self.error = reader_error(error)
        finally:
            os.close(fd)

    def _loop(self, fd: int) -> None:
        both, wake_only = select.poll(), select.poll()
        both.register(fd, select.POLLIN)
        for poller in (both, wake_only):
            poller.register(self._wake, select.POLLIN)
        nothing_came = False
        while not self._stopping:
            if self.full:
                wake_only.poll(_TICK_MS)
            elif nothing_came:
                # Ready and yet empty (end of file after tracing was turned off): without this it would spin.
                wake_only.poll(_TICK_MS // 5)
                nothing_came = False
            else:
                ready = both.poll(_TICK_MS)
                nothing_came = any(source == fd for source, _ in ready)
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            if self._read_all(fd):
                nothing_came = False
                if not self._stopping and not self.full:
                    wake_only.poll(_BATCH_MS)

    def _read_all(self, fd: int) -> bool:
        """Reads until the pipe is empty or the queue full; True when anything came."""
        any_data = False
        while not self._stopping and not self.full:
            try:
                chunk = os.read(fd, _READ_SIZE)
            except (BlockingIOError, InterruptedError):
                chunk = b""
            if not chunk:
                self._idle_rounds += 1
                break
            any_data = True
            with self._lock:
                self._chunks.append(chunk)
                self._held += len(chunk)
                self.received += len(chunk)
        return any_data


def reader_error(error: OSError) -> str:
    """Why the pipe can't be read, in one sentence."""
    if error.errno == errno.EBUSY:
        return "another reader has this instance's trace_pipe open: events go there until it is closed"
    if error.errno in {errno.ENODEV, errno.ENOENT, errno.EBADF}:
        return f"the trace instance has gone away: no more events ({explain(error)})"
    return f"trace_pipe can't be read: {explain(error)}"
