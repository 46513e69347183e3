"""The simulated tracefs: the file operations of :class:`kptui.kernel.files.KernelFiles` on a kernel in memory.

For the demo and for fast tests. It behaves as a Debian 6.12 does: it refuses what that kernel refuses, with the same
errno, error_log entry and caret, and prints listings, formats and records as it does. Events come from calls that
were recorded on such a kernel; a probe elsewhere than at the beginning or the return of a recorded function is
accepted and stays silent.

Not simulated, and refused with EINVAL without an entry in error_log: uprobes, triggers, and in ``dynamic_events`` the
kinds f, t, e and s. Options other than context-info, irq-info, record-tgid and sym-addr can be set and change nothing.
An incomplete filter (``a == 1 &&``) is refused as by kernels with the 2026 fix.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence

from kptui.kernel.processes import Process
from kptui.kernel.sim.array import TraceArray
from kptui.kernel.sim.judge import Refusal
from kptui.kernel.sim.machinery import Machinery
from kptui.kernel.sim.nodes import Nodes
from kptui.kernel.sim.recording import Recording, demo_recording
from kptui.kernel.sim.stream import Clock, ManualClock, Ticker, WallClock
from kptui.kernel.sim.symbols import SimSymbols, demo_symbols

FOREIGN_PROBES = ("p:kprobes/old_probe do_exit",)
DEFAULT_READ_LIMIT = 8 << 20
COMMAND_LINES = {
    "systemd": "/lib/systemd/systemd --user",
    "systemd-journal": "/lib/systemd/systemd-journald",
    "cron": "/usr/sbin/cron -f",
    "sshd": "sshd: root@pts/0",
    "nginx": "nginx: worker process",
    "postgres": "postgres: 16/main: checkpointer",
    "node_exporter": "/usr/bin/prometheus-node-exporter",
    "python3": "/usr/bin/python3 /opt/report.py",
    "curl": "curl http://localhost:8080/",
    "bash": "-bash",
}


def refuse(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class SimFiles:
    """A simulated kernel's tracefs.

    ``seed`` chooses where in the recording the replay starts. ``clock``: None for the wall clock, ``speed``
    times as fast, with a thread that emits; a :class:`ManualClock` for a machine that moves only with
    :meth:`advance`. ``foreign``: definitions of somebody else that stand from the start.
    """

    simulated = True
    root = "(simulated)"

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        speed: float = 1.0,
        foreign: Sequence[str] = FOREIGN_PROBES,
        symbols: SimSymbols | None = None,
        recording: Recording | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._clock = clock if clock is not None else WallClock(speed)
        self._machine = Machinery(
            symbols or demo_symbols(), lambda: recording or demo_recording(), self._clock, seed * 1_234_567
        )
        for line in foreign:
            self._machine.registry.add_foreign(line)
        self._nodes = Nodes(self._machine)
        self._ticker = None if isinstance(clock, ManualClock) else Ticker(self._tick)

    # ------------------------------------------------------------------ files

    def read(self, path: str, limit: int | None = None) -> bytes:
        """The file's content, at most ``limit`` bytes."""
        with self._lock:
            self._machine.emit()
            data = self._nodes.find(path).read()
        return data[: DEFAULT_READ_LIMIT if limit is None else limit]

    def append(self, path: str, data: bytes) -> None:
        """One write with O_APPEND."""
        with self._lock:
            self._machine.emit()
            try:
                self._nodes.find(path).write(data)
            except OSError as error:
                raise refuse(error.errno or errno.EINVAL, path) from None
            if self._ticker is not None and self._machine.active():
                self._ticker.start()

    def exists(self, path: str) -> bool:
        with self._lock:
            return self._nodes.is_directory(path) or self._nodes.get(path) is not None

    def listdir(self, path: str) -> list[str]:
        """Names in a directory, sorted."""
        with self._lock:
            return self._nodes.listdir(path)

    def mkdir(self, path: str) -> None:
        """A new instance; EPERM elsewhere, as in tracefs."""
        with self._lock:
            parent, _, name = path.rpartition("/")
            if parent != "instances" or not name:
                raise refuse(errno.EPERM, path)
            if name in self._machine.instances:
                raise refuse(errno.EEXIST, path)
            self._machine.emit()
            self._machine.instances[name] = TraceArray(name, top=False)

    def rmdir(self, path: str) -> None:
        """Remove an instance; EBUSY while its pipe is open. Events enabled in it are switched off."""
        with self._lock:
            parent, _, name = path.rpartition("/")
            if parent != "instances":
                raise refuse(errno.EPERM if self._nodes.is_directory(path) else errno.ENOENT, path)
            array = self._machine.instances.get(name)
            if array is None:
                raise refuse(errno.ENOENT, path)
            if array.has_reader:
                raise refuse(errno.EBUSY, path)
            array.close_pipe()
            del self._machine.instances[name]

    def open_pipe(self, path: str) -> int:
        """The read end of a pipe that gets the array's records as text; EBUSY for a second reader."""
        with self._lock:
            array, rest = self._nodes.array_of(path)
            if rest != "trace_pipe":
                raise refuse(errno.ENOENT, path)
            try:
                return array.open_pipe()
            except OSError as error:
                raise refuse(error.errno or errno.EBUSY, path) from None

    # ------------------------------------------------------------------- time

    def advance(self, seconds: float) -> None:
        """Let the simulated machine run on (manual clock only) and emit what happened meanwhile."""
        if not isinstance(self._clock, ManualClock):
            raise TypeError("only a manual clock can be advanced")
        with self._lock:
            self._machine.emit()
            self._clock.move(seconds)
            self._machine.emit()

    def _tick(self) -> None:
        with self._lock:
            self._machine.emit()

    def close(self) -> None:
        """Stop the clock's thread and close the pipes."""
        if self._ticker is not None:
            self._ticker.stop()
        with self._lock:
            for array in self._machine.arrays():
                array.close_pipe()

    # ------------------------------------------------------------ beside tracefs

    def kallsyms(self) -> bytes:
        """The machine's ``/proc/kallsyms``."""
        return self._machine.symbols.kallsyms()

    def processes(self) -> list[Process]:
        """The machine's long-living processes, by pid."""
        return [
            Process(pid, comm, COMMAND_LINES.get(comm, comm), (pid,))
            for pid, comm in self._machine.recording.processes()
        ]

    def recorded_functions(self) -> frozenset[str]:
        """Functions whose calls were recorded; probes elsewhere never hit."""
        return self._machine.recording.functions


__all__ = ["FOREIGN_PROBES", "ManualClock", "Refusal", "SimFiles"]
