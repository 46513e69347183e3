"""The running parts of the simulated kernel joined: symbols, probes, trace arrays, and the calls that hit
them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

from kptui.events.format import EventFormat, parse_format
from kptui.kernel.sim.array import EventSwitch, Prefix, TraceArray
from kptui.kernel.sim.events import SimEvent, SimProbe
from kptui.kernel.sim.judge import Judge, Refusal
from kptui.kernel.sim.recording import ENTRY, RETURN, Point, Recording
from kptui.kernel.sim.registry import Registry
from kptui.kernel.sim.stream import BOOTED, Clock, Replay
from kptui.kernel.sim.symbols import SimSymbols
from kptui.kernel.sim.values import filter_values, place, print_body

GROUP_FAILURE = "Couldn't find or set field in one of a subsystem's events"
Key = tuple[str, str]


class Machinery:
    """One simulated machine. ``recording`` is asked for when the first probe is enabled."""

    def __init__(
        self, symbols: SimSymbols, recording: Callable[[], Recording], clock: Clock, start: int
    ) -> None:
        self.symbols = symbols
        self.top = TraceArray("", top=True)
        self.instances: dict[str, TraceArray] = {}
        self.judge = Judge(symbols)
        self.registry = Registry(
            symbols, self.judge, busy=self.is_enabled, report=self._report, removed=self._removed
        )
        self._recording = recording
        self._clock = clock
        self._start = start
        self._replay: Replay | None = None
        self._formats: dict[int, EventFormat] = {}

    @property
    def recording(self) -> Recording:
        return self._recording()

    @property
    def now(self) -> int:
        """The trace clock in microseconds."""
        return BOOTED + self._clock.now()

    def arrays(self) -> Iterator[TraceArray]:
        yield self.top
        yield from self.instances.values()

    def is_enabled(self, key: Key) -> bool:
        return any(key in array.switches and array.switches[key].enabled for array in self.arrays())

    def active(self) -> bool:
        """Whether time must be watched: something is enabled, or text waits for its reader."""
        return any(self.is_enabled(key) for key in self.registry.events)

    def _report(self, where: str, refusal: Refusal) -> None:
        for message, column in refusal.entries:
            self.top.log_error(self.now, where, message, refusal.command, column)

    def _removed(self, key: Key) -> None:
        for array in self.arrays():
            array.forget(key)

    # ---------------------------------------------------------------- filters

    def format(self, event: SimEvent) -> EventFormat:
        if event.id not in self._formats:
            self._formats[event.id] = parse_format(event.format())
        return self._formats[event.id]

    def set_filter(self, array: TraceArray, event: SimEvent, data: bytes) -> None:
        """Write to an event's ``filter``. A refused text leaves the event unfiltered, with the error in the
        file.
        """
        text = data.decode("utf-8", "surrogateescape").rstrip()
        switch = array.switch(event.key)
        if len(data) > 4095:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if text.strip() == "0":
            switch.text = switch.test = None
            return
        refusal = self.judge.filter(text, self.format(event))
        if refusal is None:
            self._install(switch, event, text)
            return
        message, column = refusal.entries[0] if refusal.entries else ("Error", 0)
        switch.test = None
        if message == "Error":
            switch.text = f"{text}\nError: (0)\n"
        else:
            switch.text = f"{text}\n{' ' * min(column, len(text))}^\nparse_error: {message}\n"
        array.log_error(self.now, "event filter parse error", message, text, column)
        raise OSError(refusal.errno, os.strerror(refusal.errno))

    def _install(self, switch: EventSwitch, event: SimEvent, text: str) -> None:
        from kptui.filters.evaluate import compile_filter
        from kptui.filters.fields import field_table
        from kptui.filters.parser import parse_filter

        switch.text = text
        switch.test = compile_filter(parse_filter(text), field_table(self.format(event)))

    def set_group_filter(self, array: TraceArray, group: str, data: bytes) -> None:
        """Write to a group's ``filter``: succeeds as long as the group has events; who can't take it loses
        its own.
        """
        if len(data) > 4095:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        text = data.decode("utf-8", "surrogateescape").rstrip()
        for event in self.registry.groups().get(group, []):
            switch = array.switch(event.key)
            if text.strip() == "0":
                switch.text = switch.test = None
            elif self.judge.filter(text, self.format(event)) is None:
                self._install(switch, event, text)
            else:
                switch.text, switch.test = f"{text}\n^\nparse_error: {GROUP_FAILURE}\n", None
                array.log_error(self.now, "event filter parse error", GROUP_FAILURE, text, 0)

    # ------------------------------------------------------------------- time

    def emit(self) -> None:
        """Let everything happen that happened since the last time."""
        now = self._clock.now()
        watched = self._watched()
        if watched:
            replay = self._started()
            for at, turn, point in replay.until(now):
                probes = watched.get((point.kind, point.call.function))
                if probes:
                    self._happen(at, replay.pid(point, turn), point, probes)
        elif self._replay is not None:
            self._replay.skip(now)
        for array in self.arrays():
            array.pump()

    def watch(self) -> None:
        """An event was switched on: only what happens from now on is seen."""
        self._started().skip(self._clock.now())

    def _started(self) -> Replay:
        if self._replay is None:
            self._replay = Replay(self.recording, self._start)
            self._replay.skip(self._clock.now())
        return self._replay

    def _watched(self) -> dict[tuple[int, str], list[SimProbe]]:
        """Enabled probes by (entry or return, function)."""
        found: dict[tuple[int, str], list[SimProbe]] = {}
        for key, event in self.registry.events.items():
            if not self.is_enabled(key):
                continue
            for probe in event.probes:
                function = probe.function
                if function is not None:
                    found.setdefault((RETURN if probe.kind == "r" else ENTRY, function), []).append(probe)
        return found

    def _happen(self, at: int, pid: int, point: Point, probes: list[SimProbe]) -> None:
        call = point.call
        comm = call.comm.encode("utf-8", "surrogateescape")
        prefix = Prefix(comm, pid, pid, call.cpu, call.flags, BOOTED + at)
        for number, probe in enumerate(probes):
            probe.hits += 1
            state = self.recording.state(call, point.kind, probe.address or 0, at)
            bodies: dict[bool, bytes] = {}
            for array in self.arrays():
                switch = array.switches.get((probe.group, probe.event))
                if switch is None or not switch.enabled or not array.tracing_on:
                    continue
                if (array.pids and pid not in array.pids) or pid in array.notrace_pids:
                    continue
                if switch.test is not None:
                    values = filter_values(probe, state, self.symbols)
                    values |= self._common(probe, prefix, call.comm, call.caller)
                    if not switch.test(values):
                        continue
                sym_addr = array.options["sym-addr"]
                if sym_addr not in bodies:
                    bodies[sym_addr] = print_body(probe, call.caller, state, self.symbols, sym_addr=sym_addr)
                moment = Prefix(prefix.comm, pid, pid, prefix.cpu, prefix.flags, prefix.time + 3 * number)
                array.write(moment, (probe.group, probe.event), bodies[sym_addr])

    def _common(self, probe: SimProbe, prefix: Prefix, comm: str, caller: int) -> dict[str, str | int | None]:
        """The fields that every event has, unless an argument took the name."""
        event = self.registry.events.get((probe.group, probe.event))
        values: dict[str, str | int | None] = {
            "comm": comm,
            "COMM": comm,
            "cpu": prefix.cpu,
            "CPU": prefix.cpu,
            "common_cpu": prefix.cpu,
            "common_pid": prefix.pid,
            "common_type": event.id if event else 0,
            "common_flags": 0,
            "common_preempt_count": 0,
        }
        if probe.kind == "r":
            values |= {
                "__probe_func": place(probe.address or 0, self.symbols),
                "__probe_ret_ip": place(caller, self.symbols),
            }
        else:
            values["__probe_ip"] = place(probe.address or 0, self.symbols)
        taken = {arg.name for arg in probe.args}
        return {name: value for name, value in values.items() if name not in taken}
