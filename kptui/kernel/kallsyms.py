"""Reading /proc/kallsyms while the program still imports its screen.

The kernel formats the list as it is read, 0.1 to 0.3 s for 200,000 symbols. A child process reads it into
a memory file, so that this costs neither the interpreter's lock nor start-up time.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from kptui.kernel.refusal import explain
from kptui.safetext import neutralise

MAX_BYTES = 256 << 20
_CAT = ("/bin/cat", "/usr/bin/cat")


class KallsymsError(Exception):
    """No symbols, and why, in one sentence."""


class KallsymsReading:
    """A reading under way; :meth:`result` may be called from any thread, more than once."""

    def __init__(self, path: str, pid: int, memory: int) -> None:
        self._path = path
        self._pid = pid
        self._memory = memory
        self._lock = threading.Lock()
        self._data: bytes | None = None

    def result(self) -> bytes:
        """The whole list; waits for it. KallsymsError when there is none."""
        with self._lock:
            if self._data is None:
                self._data = self._collect()
            return self._data

    def _collect(self) -> bytes:
        data = b""
        if self._pid > 0:
            try:
                _, status = os.waitpid(self._pid, 0)
            except ChildProcessError:  # somebody else collected it
                status = 0
            self._pid = 0
            size = os.fstat(self._memory).st_size
            data = os.pread(self._memory, size, 0) if status == 0 and size <= MAX_BYTES else b""
            os.close(self._memory)
        return data or read_plain(self._path)


def read_plain(path: str) -> bytes:
    """The file, read by this process. KallsymsError when it can't be read, is empty, or is larger than 256 MiB."""
    shown = neutralise(path)
    try:
        if not Path(path).is_file():
            raise KallsymsError(f"{shown} is not there, or no file" if path else "no symbol file is named")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KallsymsError(f"{shown} can't be read: {explain(error)}") from error
    if not data:
        whose = "this kernel lists no symbols" if path.startswith("/proc/") else "it lists no symbols"
        raise KallsymsError(f"{shown} is empty: {whose}")
    if len(data) > MAX_BYTES:
        raise KallsymsError(f"{shown} is larger than {MAX_BYTES >> 20} MiB: that is no list of symbols")
    return data


def start_reading(path: str = "/proc/kallsyms") -> KallsymsReading:
    """Starts at once; never raises (what goes wrong comes from :meth:`KallsymsReading.result`)."""
    cat = next((name for name in _CAT if os.access(name, os.X_OK)), None)
    if cat is not None and hasattr(os, "memfd_create") and _small_file(path):
        memory = -1
        try:
            memory = os.memfd_create("kallsyms", os.MFD_CLOEXEC)
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            try:
                pid = os.posix_spawn(
                    cat,
                    ["cat", "--", path],
                    {"LC_ALL": "C"},
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, null, 0),
                        (os.POSIX_SPAWN_DUP2, memory, 1),
                        (os.POSIX_SPAWN_DUP2, null, 2),
                    ],
                    setsigdef=[13],
                )
            finally:
                os.close(null)
            return KallsymsReading(path, pid, memory)
        except (OSError, ValueError):
            if memory >= 0:
                os.close(memory)
    return KallsymsReading(path, 0, -1)


def _small_file(path: str) -> bool:
    """/proc shows size 0; a device would fill the memory file without end."""
    try:
        return os.path.isfile(path) and os.path.getsize(path) <= MAX_BYTES
    except (OSError, ValueError):
        return False
