"""One person's tracing session: a private instance, own probes, own filters, and everything undone at the
end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kptui.events.format import EventFormat, parse_format
from kptui.kernel.closing import undo_all
from kptui.kernel.definitions import Definitions
from kptui.kernel.files import KernelFiles, tracefs_there
from kptui.kernel.filtering import Filtering
from kptui.kernel.instance import BufferStats, Instance
from kptui.kernel.journal import FALLBACKS, Journal
from kptui.kernel.opening import prepare
from kptui.kernel.plan import Plan
from kptui.kernel.reader import DEFAULT_QUEUE, PipeReader
from kptui.kernel.refusal import Refused, explain, vanished
from kptui.kernel.states import EventState, read_states
from kptui.kernel.writer import Writer, WriteRecord
from kptui.probes.definition import Probe, generated_event_name
from kptui.safetext import decode

_CLOSE_WAIT = 2.0
SNAPSHOT_BYTES = 4 << 20


class Session:
    """Made by :meth:`open`. Methods may be called from any thread (one at a time runs); those that change the
    kernel raise Refused, and what a refused one would have replaced is still in place. Slow by nature (a
    write may take tens of milliseconds in the kernel): not for an event loop.
    """

    def __init__(self, writer: Writer, instance: Instance, group: str, pid: int, control: str) -> None:
        self.files: KernelFiles = writer.files
        self.group = group
        self.reader: PipeReader | None = None
        self._pid = pid
        self._writer = writer
        self._journal: Journal = writer.journal
        self._instance = instance
        self._definitions = Definitions(writer, instance, control, self._settle)
        self._filtering = Filtering(writer, instance)
        self._notes: list[str] = []
        self._lock = threading.RLock()
        self._closed = threading.Event()

    @classmethod
    def open(
        cls,
        files: KernelFiles,
        *,
        state_dir: Path,
        pid: int | None = None,
        group: str | None = None,
        control: str = "kprobe_events",
        exclude_own: bool = True,
        proc: str = "/proc",
        fallbacks: Sequence[Path] = FALLBACKS,
    ) -> Session:
        """Makes the instance ``kptui-PID``, switched off, and hides our own threads from it.

        ``group`` is one that the user typed (kept), else ``kptui`` or ``kptui_PID``. The journal lives in
        ``state_dir``, or in ``fallbacks``, or in memory (see :attr:`warnings`); the simulated kernel needs
        none. Refused when the instance can't be made.
        """
        pid = os.getpid() if pid is None else pid
        writer, instance, chosen = prepare(files, [state_dir, *fallbacks], pid=pid, group=group, proc=proc)
        session = cls(writer, instance, chosen, pid, control)
        if exclude_own:
            session.exclude_own_threads(proc)
        return session

    @property
    def instance(self) -> str:
        """Name of the instance, ``kptui-PID``."""
        return self._instance.name

    @property
    def tracing(self) -> bool:
        """Is recording switched on?"""
        return self._instance.tracing

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about what works less well than it should (journal, own threads, a filter that was
        lost).
        """
        return (*self._journal.warnings, *self._instance.warnings, *self._notes)

    @property
    def log(self) -> tuple[WriteRecord, ...]:
        """The writes of this session, oldest first (the last 2,000)."""
        return self._writer.records

    @property
    def journal_path(self) -> Path | None:
        """The undo journal's file; None when it is kept in memory only."""
        return self._journal.path

    # -- probes

    def named(self, probe: Probe) -> Probe:
        """``probe`` with our group and the kernel's generated event name where it has none of its own."""
        address = probe.place.address or 0
        return probe.named(generated_event_name(probe) or f"{probe.kind}_0x{address:x}", self.group)

    def plan_define(self, probe: Probe) -> Plan:
        """What :meth:`define` would write."""
        full = self.named(probe)
        return self._definitions.plan(str(full.group), str(full.event), str(full))

    def define(self, probe: Probe) -> str:
        """Defines the probe, switched off; returns the definition as the kernel lists it."""
        full = self.named(probe)
        return self.define_line(str(full.group), str(full.event), str(full))

    def define_line(self, group: str, event: str, line: str) -> str:
        """As :meth:`define`, for a line as text, which must name ``group/event`` (a form that Probe
        lacks).
        """
        with self._changing():
            return self._definitions.define(group, event, line)

    def redefine(self, group: str, event: str, probe: Probe) -> str:
        """Replaces an own event, keeping filter and enabled state; a refusal leaves the old one as it was.

        A name left out in ``probe`` stays the old one. A filter that the new one can't take (its field is
        gone) is dropped, with a sentence in :attr:`warnings`.
        """
        full = replace(probe, group=probe.group or group, event=probe.event or event)
        return self.redefine_line(group, event, str(full.group), str(full.event), str(full))

    def redefine_line(self, group: str, event: str, new_group: str, new_event: str, line: str) -> str:
        """As :meth:`redefine`, for a line as text, which must name ``new_group/new_event``."""
        with self._changing():
            was_on = self._definitions.enabled(group, event)
            old_filter, _ = self._filtering.read(group, event)
            key = new_group, new_event
            try:
                return self._definitions.redefine(group, event, *key, line)
            except Refused:
                key = group, event
                raise
            finally:
                if key in self._definitions.own:
                    if lost := self._filtering.carry_over(*key, old_filter):
                        self._notes.append(lost)
                    if was_on and not self._definitions.enabled(*key):
                        self._definitions.enable(*key, True)

    def remove(self, group: str, event: str) -> None:
        """Removes an own event. Clears the instance's ring buffer; what the reader had not read is waited
        for.
        """
        with self._changing():
            self._definitions.remove(group, event)

    def enable(self, group: str, event: str, on: bool) -> None:
        """Switches an event (also another's) on or off, in our instance only."""
        with self._changing():
            self._definitions.enable(group, event, on)

    def enable_all(self, on: bool) -> dict[tuple[str, str], Refused]:
        """Switches every own event; returns those that refused."""
        refused: dict[tuple[str, str], Refused] = {}
        with self._changing():
            for key in list(self._definitions.own):
                try:
                    self._definitions.enable(*key, on)
                except Refused as error:
                    refused[key] = error
        return refused

    # -- filters

    def set_filter(self, group: str, event: str, text: str | None) -> None:
        """Sets or (None, blank) clears an event's filter in our instance; Refused leaves the old one
        active.
        """
        with self._changing():
            self._filtering.set(group, event, text)

    def set_group_filter(self, group: str, text: str | None) -> dict[str, Refused | None]:
        """Sets the filter on each own event of the group; per event None or why it kept the filter it had.

        The kernel's own group filter is not used: it takes the filter away from events that lack the field.
        """
        results: dict[str, Refused | None] = {}
        with self._changing():
            for event in [event for own, event in self._definitions.own if own == group]:
                try:
                    self._filtering.set(group, event, text)
                    results[event] = None
                except Refused as refused:
                    results[event] = refused
        return results

    # -- looking

    def states(self) -> tuple[EventState, ...]:
        """Every dynamic event of the machine. Refused when tracefs can't be read."""
        try:
            states = read_states(self.files, self.instance, frozenset(self._definitions.own))
        except OSError as error:
            raise Refused(f"the probes can't be listed: {explain(error)}") from error
        if not states and not tracefs_there(self.files):
            raise vanished(self.files)
        return states

    def format(self, group: str, event: str) -> EventFormat:
        """The event's fields. Refused when the event is gone; FormatError for text that is no format."""
        path = f"events/{group}/{event}/format"
        try:
            return parse_format(decode(self.files.read(path)))
        except OSError as error:
            raise Refused(f"{group}/{event} has no format: {explain(error)}", path=path) from error

    def snapshot(self, limit: int = SNAPSHOT_BYTES) -> bytes:
        """The instance's ``trace`` (not consumed), whole lines, at most ``limit`` bytes."""
        return self._instance.snapshot(limit)

    def stats(self) -> BufferStats:
        """Counts of the instance's ring buffer."""
        return self._instance.stats()

    # -- streaming

    def exclude_own_threads(self, proc: str = "/proc") -> None:
        """Hides this process's threads and their future children; what can't be done is in
        :attr:`warnings`.
        """
        with self._changing():
            self._instance.exclude_threads(self._pid, proc)

    def start_reader(self, *, max_bytes: int = DEFAULT_QUEUE) -> PipeReader:
        """Starts the reader of ``trace_pipe`` (again, if it ended), then switches recording on."""
        with self._changing():
            if self.reader is None or not self.reader.running:
                path = self._instance.path("trace_pipe")
                self.reader = PipeReader(lambda: self.files.open_pipe(path), max_bytes=max_bytes)
                if not self.reader.start():
                    reader, self.reader = self.reader, None
                    reader.stop()
                    raise Refused(reader.error or "trace_pipe could not be opened in time", path=path)
            if not self.tracing:
                self._instance.set_tracing(True)
            return self.reader

    def pause_reader(self) -> None:
        """Stops reading ``trace_pipe``, so that what happens stays in ``trace`` until :meth:`start_reader`.

        What was read and not yet drained stays in :attr:`reader`; drain it before starting anew.
        """
        with self._changing():
            if self.reader is not None:
                self.reader.stop()

    def set_tracing(self, on: bool) -> None:
        """Pauses or resumes recording in the instance; the probes stay enabled."""
        with self._changing():
            self._instance.set_tracing(on)

    def _settle(self) -> None:
        if self.reader is not None:
            self.reader.settle()

    # -- the end

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            if self._closed.is_set():
                raise Refused("the session is closed")
            try:
                yield
            finally:
                if (
                    self._closed.is_set()
                ):  # meanwhile, by a signal handler or by a thread that did not wait for us
                    self.close()

    def close(self) -> list[str]:
        """Stops the reader and undoes everything; returns a sentence for each thing that could not be undone.

        Idempotent, never raises; works from any thread and from a signal handler (a thread that holds the
        session is waited for at most 2 s, then closing goes ahead: what was begun is in the journal). What is
        left stays in the journal for ``kptui cleanup``.
        """
        locked = self._lock.acquire(timeout=_CLOSE_WAIT)
        try:
            if self._closed.is_set() and not self._journal.pending:
                return []
            self._closed.set()
            left: list[str] = []
            if self.reader is not None and not self.reader.stop():
                left.append("the reader of trace_pipe did not stop")
            left.extend(undo_all(self.files, self._journal.pending, self._journal.done))
            self._definitions.own.clear()
            self._journal.close()
            return left
        except Exception as error:  # noqa: BLE001 - quitting must go on to restore the terminal, whatever happens
            return [Refused(f"cleaning up failed: {error!r}").sentence]
        finally:
            if locked:
                self._lock.release()
