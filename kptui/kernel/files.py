"""The one door to tracefs: bytes in, bytes out, below one root.

Everything else in this room talks to :class:`KernelFiles`, so that a session runs unchanged on the real
tracefs (:class:`TracefsFiles`), on a directory of plain files and on the simulated kernel. Control files are
never opened with ``O_TRUNC``: truncating ``kprobe_events`` removes every probe on the machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

READ_CHUNK = 1 << 16
DEFAULT_READ_LIMIT = 8 << 20
READ_SECONDS = 5.0
INTERRUPTIONS = 100


class KernelFiles(Protocol):
    """A tracefs. Paths are relative to its root: ``instances/kptui-12/events/kptui/open/enable``.

    All methods raise the ``OSError`` that the kernel gave (``exists`` never raises).
    """

    @property
    def root(self) -> str:
        """Absolute path of the root, for messages and scripts."""
        ...

    @property
    def simulated(self) -> bool:
        """True for the demo's kernel: nothing of this machine is touched."""
        ...

    def read(self, path: str, limit: int | None = None) -> bytes:
        """The file's content, at most ``limit`` bytes (8 MiB when None) and what 5 s give.

        Bounded both ways because ``trace`` never ends while its reader is traced.
        """
        ...

    def append(self, path: str, data: bytes) -> None:
        """One ``write(2)`` of ``data``, with ``O_WRONLY|O_APPEND``, never ``O_TRUNC`` or ``O_CREAT``."""
        ...

    def exists(self, path: str) -> bool: ...

    def listdir(self, path: str) -> list[str]:
        """Names in a directory, sorted."""
        ...

    def mkdir(self, path: str) -> None: ...

    def rmdir(self, path: str) -> None: ...

    def open_pipe(self, path: str) -> int:
        """A non-blocking, close-on-exec descriptor for ``os.read`` and ``poll``; the caller closes it."""
        ...


class TracefsFiles:
    """The tracefs mounted at ``root``."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.path.abspath(os.fspath(root))

    @property
    def root(self) -> str:
        return self._root

    @property
    def simulated(self) -> bool:
        return False

    def _full(self, path: str) -> str:
        """``path`` below the root; ValueError for anything that would leave it."""
        if path.startswith("/") or "\0" in path or ".." in path.split("/"):
            raise ValueError(f"not a path below {self._root}: {path!r}")
        return os.path.join(self._root, path) if path else self._root

    def read(self, path: str, limit: int | None = None) -> bytes:
        left = DEFAULT_READ_LIMIT if limit is None else limit
        chunks = []
        deadline = time.monotonic() + READ_SECONDS
        fd = os.open(self._full(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            while left > 0 and time.monotonic() < deadline:
                try:
                    chunk = os.read(fd, min(READ_CHUNK, left))
                except BlockingIOError:
                    break
                if not chunk:
                    break
                chunks.append(chunk)
                left -= len(chunk)
        finally:
            os.close(fd)
        return b"".join(chunks)

    def append(self, path: str, data: bytes) -> None:
        full = self._full(path)
        fd = os.open(full, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            written = write_bounded(fd, data)
        finally:
            os.close(fd)
        if written != len(data):
            raise OSError(errno.EIO, f"the kernel took {written} of {len(data)} bytes", full)

    def exists(self, path: str) -> bool:
        with contextlib.suppress(OSError, ValueError):
            os.stat(self._full(path))
            return True
        return False

    def listdir(self, path: str) -> list[str]:
        return sorted(os.listdir(self._full(path)))

    def mkdir(self, path: str) -> None:
        os.mkdir(self._full(path), 0o750)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._full(path))

    def open_pipe(self, path: str) -> int:
        return os.open(self._full(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def write_bounded(fd: int, data: bytes, write: Callable[[int, bytes], int] | None = None) -> int:
    """``write(2)``; how many bytes it took. InterruptedError after a hundred interruptions.

    os.write would go on for ever: 5.10 takes a raw address among the last 4,095 bytes for an error number
    (kernel/kprobes.c, register_kprobe), and answers ``p 0xfffffffffffffffc`` with EINTR every time. ``write`` gives
    the number of bytes, or the errno with a minus.
    """
    write = write or _system_write()
    for _ in range(INTERRUPTIONS):
        done = write(fd, data)
        if done >= 0:
            return done
        if -done != errno.EINTR:
            raise OSError(-done, os.strerror(-done))
    raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))


@cache
def _system_write() -> Callable[[int, bytes], int]:
    import ctypes  # not before there is something to write

    call = ctypes.CDLL(None, use_errno=True).write
    call.argtypes, call.restype = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t), ctypes.c_ssize_t

    def write(fd: int, data: bytes) -> int:
        done: int = call(fd, data, len(data))
        return done if done >= 0 else -ctypes.get_errno()

    return write


def tracefs_there(files: KernelFiles) -> bool:
    """False once tracefs was unmounted: its mount point is an empty directory then."""
    return files.exists("instances") or files.exists("kprobe_events") or files.exists("events")


def mount_points(mounts: str | os.PathLike[str] = "/proc/mounts") -> list[tuple[str, str]]:
    """(file system type, mount point) of each mount, in order; empty when the table can't be read.

    ``/proc/mounts`` writes blank, tab, newline and backslash as three octal digits (``\\040``).
    """
    try:
        data = Path(mounts).read_bytes()
    except OSError:
        return []
    found = []
    for line in data.splitlines():
        words = line.split(b" ")
        if len(words) >= 3:
            found.append((os.fsdecode(words[2]), os.fsdecode(_octal(words[1]))))
    return found


def _octal(word: bytes) -> bytes:
    out = bytearray()
    at = 0
    while at < len(word):
        digits = word[at + 1 : at + 4]
        if word[at] == 0x5C and len(digits) == 3 and all(0x30 <= digit <= 0x37 for digit in digits):
            out.append(int(digits, 8) & 0xFF)
            at += 4
        else:
            out.append(word[at])
            at += 1
    return bytes(out)


def find_tracefs(mounts: str | os.PathLike[str] = "/proc/mounts") -> str | None:
    """Where tracefs is: a mount of type tracefs first, else ``tracing`` below a debugfs mount, else None.

    debugfs mounts tracefs on ``tracing`` by itself at the first access (Documentation/trace/ftrace.rst).
    """
    table = mount_points(mounts)
    for kind, point in table:
        if kind == "tracefs":
            return point
    for kind, point in table:
        if kind == "debugfs":
            inside = os.path.join(point, "tracing")
            with contextlib.suppress(OSError):
                if os.path.isdir(inside):
                    return inside
    return None
