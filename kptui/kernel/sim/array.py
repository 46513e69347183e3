"""A trace array of the simulated kernel: the top level or one instance, with its buffer, switches, filters
and pipe.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

F_SETPIPE_SZ = 1031
PIPE_BYTES = 1 << 20
CPUS = 2
RECORD_OVERHEAD = 40  # bytes of a record in the ring besides its text, about
ERROR_LOG_ENTRIES = 8

DEFAULT_OPTIONS: Mapping[str, bool] = {
    "print-parent": True,
    "sym-offset": False,
    "sym-addr": False,
    "verbose": False,
    "raw": False,
    "hex": False,
    "bin": False,
    "block": False,
    "fields": False,
    "trace_printk": True,
    "annotate": True,
    "userstacktrace": False,
    "sym-userobj": False,
    "printk-msg-only": False,
    "context-info": True,
    "latency-format": False,
    "record-cmd": True,
    "record-tgid": False,
    "overwrite": True,
    "disable_on_free": False,
    "irq-info": True,
    "markers": True,
    "event-fork": False,
    "trace_printk_dest": True,
    "pause-on-trace": False,
    "hash-ptr": True,
    "function-trace": True,
    "function-fork": False,
    "display-graph": False,
    "stacktrace": False,
    "test_nop_accept": False,
    "test_nop_refuse": False,
}
CLOCKS = ("local", "global", "counter", "uptime", "perf", "mono", "mono_raw", "boot", "tai", "x86-tsc")
COUNTING_CLOCKS = frozenset({"counter", "uptime", "x86-tsc"})
HEADER = """\
# tracer: nop
#
# entries-in-buffer/entries-written: {held}/{written}   #P:{cpus}
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""
FilterTest = Callable[[Mapping[str, "str | int | None"]], bool]


@dataclass(slots=True)
class EventSwitch:
    """What an array keeps for one event. ``text`` is what its ``filter`` file shows, None for ``none``."""

    enabled: bool = False
    text: str | None = None
    test: FilterTest | None = None


@dataclass(frozen=True, slots=True)
class Record:
    cpu: int
    event: tuple[str, str]
    line: bytes


@dataclass(frozen=True, slots=True)
class Prefix:
    """Who hit a probe, where and when: what stands before the event's name."""

    comm: bytes
    pid: int
    tgid: int
    cpu: int
    flags: str
    time: int  # microseconds of the trace clock


class TraceArray:
    """Not safe for several threads by itself: the files' lock guards it."""

    def __init__(self, name: str, *, top: bool) -> None:
        self.name = name
        self.tracing_on = True
        self.options = {**DEFAULT_OPTIONS, "trace_printk_dest": top}
        self.clock = "local"
        self.buffer_kb = 1410
        self.values = {"buffer_percent": 50}
        self.pids: list[int] = []
        self.notrace_pids: list[int] = []
        self.switches: dict[tuple[str, str], EventSwitch] = {}
        self.error_log: deque[str] = deque(maxlen=ERROR_LOG_ENTRIES)
        self._ring: deque[Record] = deque()
        self._bytes = 0
        self._written = [0] * CPUS
        self._overrun = [0] * CPUS
        self._lost = [0] * CPUS
        self._read = [0] * CPUS
        self._pipe: int | None = None
        self._backlog = b""

    def switch(self, key: tuple[str, str]) -> EventSwitch:
        return self.switches.setdefault(key, EventSwitch())

    def forget(self, key: tuple[str, str]) -> None:
        """An event was removed. If it was ever enabled here, the buffer is cleared, as the kernel does."""
        switch = self.switches.pop(key, None)
        if switch is not None and any(record.event == key for record in self._ring):
            self.clear()

    def log_error(self, stamp: int, where: str, message: str, command: str, column: int) -> None:
        seconds, micros = divmod(stamp, 1_000_000)
        caret = " " * (11 + column) + "^"
        self.error_log.append(
            f"[{seconds:5d}.{micros:06d}] {where}: error: {message}\n  Command: {command}\n{caret}\n"
        )

    # ---------------------------------------------------------------- records

    def write(self, prefix: Prefix, key: tuple[str, str], body: bytes) -> None:
        """A record of event ``key`` with its text into the buffer; the oldest go out when it is full."""
        cpu = prefix.cpu % CPUS
        name = key[1].encode() + b": "
        line = (self._prefix(prefix) if self.options["context-info"] else b"") + name + body + b"\n"
        self._ring.append(Record(cpu, key, line))
        self._written[cpu] += 1
        self._bytes += len(line) + RECORD_OVERHEAD
        while self._bytes > self.buffer_kb * 1024 * CPUS and len(self._ring) > 1:
            old = self._ring.popleft()
            self._bytes -= len(old.line) + RECORD_OVERHEAD
            self._overrun[old.cpu] += 1
            self._lost[old.cpu] += 1

    def _prefix(self, prefix: Prefix) -> bytes:
        tgid = f"({prefix.tgid:7d}) " if self.options.get("record-tgid") else ""
        flags = prefix.flags + " " if self.options["irq-info"] else "  "
        seconds, micros = divmod(prefix.time, 1_000_000)
        stamp = f"{prefix.time * 1000:12d}" if self.clock in COUNTING_CLOCKS else f"{seconds:5d}.{micros:06d}"
        return (
            prefix.comm[:15].rjust(16)
            + f"-{prefix.pid:<7d} {tgid}[{prefix.cpu:03d}] {flags} {stamp}: ".encode()
        )

    def clear(self) -> None:
        self._ring.clear()
        self._bytes = 0
        for counts in (self._written, self._overrun, self._lost, self._read):
            counts[:] = [0] * CPUS

    def snapshot(self) -> bytes:
        """What ``trace`` shows; nothing is consumed."""
        held, written = len(self._ring), sum(self._written) - sum(self._read)
        header = HEADER.format(held=held, written=written, cpus=CPUS).encode()
        return header + b"".join(record.line for record in self._ring)

    def stats(self, cpu: int, now: int) -> bytes:
        """``per_cpu/cpuN/stats``."""
        mine = [record for record in self._ring if record.cpu == cpu]
        seconds, micros = divmod(now, 1_000_000)
        size = sum(len(record.line) + RECORD_OVERHEAD for record in mine)
        oldest = mine[0].line.split(b": ", 1)[0].split()[-1].decode(errors="replace") if mine else "0.000000"
        return (
            f"entries: {len(mine)}\noverrun: {self._overrun[cpu]}\ncommit overrun: 0\nbytes: {size}\n"
            f"oldest event ts: {oldest:>12}\nnow ts: {seconds:5d}.{micros:06d}\ndropped events: 0\n"
            f"read events: {self._read[cpu]}\n"
        ).encode()

    # ------------------------------------------------------------------- pipe

    @property
    def has_reader(self) -> bool:
        """Whether somebody holds ``trace_pipe`` open."""
        if self._pipe is None:
            return False
        poll = select.poll()
        poll.register(self._pipe, 0)
        if any(events & (select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0)):
            self.close_pipe()
            return False
        return True

    def open_pipe(self) -> int:
        """The read end; EBUSY while another reader has one (one reader an array, kernel/trace/trace.c)."""
        if self.has_reader:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), "trace_pipe")
        read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_end, F_SETPIPE_SZ, PIPE_BYTES)
        self._pipe = write_end
        self._backlog = b""
        self.pump()
        return read_end

    def pump(self) -> None:
        """Move records from the buffer into the pipe as long as it takes them; without a reader they stay."""
        if not self.has_reader or self._pipe is None:
            return
        try:
            while self._backlog or self._ring:
                if not self._backlog:
                    self._backlog = self._take()
                done = os.write(self._pipe, self._backlog)
                self._backlog = self._backlog[done:]
        except BlockingIOError:
            return
        except OSError:
            self.close_pipe()

    def _take(self, limit: int = 1 << 16) -> bytes:
        out: list[bytes] = []
        size = 0
        while self._ring and size < limit:
            record = self._ring.popleft()
            self._bytes -= len(record.line) + RECORD_OVERHEAD
            self._read[record.cpu] += 1
            if self._lost[record.cpu]:
                out.append(b"CPU:%d [LOST %d EVENTS]\n" % (record.cpu, self._lost[record.cpu]))
                self._lost[record.cpu] = 0
            out.append(record.line)
            size += len(record.line)
        return b"".join(out)

    def close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
            self._backlog = b""
