"""The names in the simulated tracefs: which file a path is, what reading it shows, what writing to it does."""

from __future__ import annotations

import errno
import os
import re

from kptui.kernel.sim.array import CPUS, TraceArray
from kptui.kernel.sim.arrayfiles import ArrayFiles
from kptui.kernel.sim.data import unpack
from kptui.kernel.sim.events import SimEvent
from kptui.kernel.sim.machinery import Machinery
from kptui.kernel.sim.node import Node, bit_in, wrong

EVENT_FILES = ("enable", "filter", "format", "hist", "id", "trigger")
GLOBAL_FILTER = """\
### global filter ###
# Use this to set filters for multiple events.
# Only events with the given fields will be affected.
# If no events are modified, an error message will be displayed here
"""
TRIGGERS = """\
# Available triggers:
# traceon traceoff snapshot stacktrace enable_event disable_event enable_hist disable_hist hist
"""
HEADER_PAGE = """\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
"""
HEADER_EVENT = """\
# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
"""
ARRAY_FILES = (
    "available_tracers", "buffer_percent", "buffer_size_kb", "buffer_total_size_kb", "current_tracer", "error_log",
    "set_event", "set_event_notrace_pid", "set_event_pid", "trace", "trace_clock", "trace_marker", "trace_options",
    "trace_pipe", "tracing_on",
)  # fmt: skip
TOP_FILES = (
    "README", "available_events", "available_filter_functions", "dynamic_events", "kprobe_events", "kprobe_profile",
    "saved_cmdlines_size", "uprobe_events", "uprobe_profile",
)  # fmt: skip


class Nodes:
    """Finds files and lists directories."""

    def __init__(self, machine: Machinery) -> None:
        self._machine = machine
        self._files = ArrayFiles(machine)

    def array_of(self, path: str) -> tuple[TraceArray, str]:
        """The trace array that ``path`` lies in, and the rest of the path."""
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"not a path below (simulated): {path!r}")
        first, _, rest = path.partition("/")
        if first == "instances" and rest:
            name, _, inner = rest.partition("/")
            array = self._machine.instances.get(name)
            if array is None:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            return array, inner
        return self._machine.top, path

    def find(self, path: str) -> Node:
        """The file at ``path``; ENOENT, or EISDIR for a directory."""
        node = self.get(path)
        if node is None:
            number = errno.EISDIR if self.is_directory(path) else errno.ENOENT
            raise OSError(number, os.strerror(number), path)
        return node

    def get(self, path: str) -> Node | None:
        try:
            array, rest = self.array_of(path)
        except OSError:
            return None
        parts = rest.split("/")
        if parts[0] == "events" and len(parts) > 1:
            return self._event_node(array, parts[1:])
        if parts[0] == "options" and len(parts) == 2 and parts[1] in array.options:
            return self._files.option(array, parts[1])
        if parts[0] == "per_cpu" and len(parts) == 3 and parts[2] == "stats":
            cpu = re.fullmatch(r"cpu(\d+)", parts[1])
            if cpu and int(cpu[1]) < CPUS:
                return Node(lambda: array.stats(int(cpu[1]), self._machine.now))
            return None
        if len(parts) != 1:
            return None
        return (self._top_file(rest) if array is self._machine.top else None) or self._files.file(array, rest)

    def is_directory(self, path: str) -> bool:
        try:
            self.listdir(path)
        except OSError:
            return False
        return True

    def listdir(self, path: str) -> list[str]:
        array, rest = self.array_of(path.rstrip("/"))
        groups = self._machine.registry.groups()
        parts = rest.split("/") if rest else []
        match parts:
            case []:
                names = [*ARRAY_FILES, "events", "options", "per_cpu"]
                return sorted([*names, *TOP_FILES, "instances"] if array is self._machine.top else names)
            case ["instances"] if array is self._machine.top:
                return sorted(self._machine.instances)
            case ["events"]:
                return sorted(["enable", "header_event", "header_page", *groups])
            case ["events", group] if group in groups:
                return sorted({"enable", "filter", *(event.key[1] for event in groups[group])})
            case ["events", group, name] if (group, name) in self._machine.registry.events:
                return list(EVENT_FILES)
            case ["options"]:
                return sorted(array.options)
            case ["per_cpu"]:
                return [f"cpu{cpu}" for cpu in range(CPUS)]
            case ["per_cpu", cpu] if re.fullmatch(r"cpu[01]", cpu):
                return ["stats"]
            case _:
                number = errno.ENOENT if self.get(path) is None else errno.ENOTDIR
                raise OSError(number, os.strerror(number), path)

    # ------------------------------------------------------------------ files

    def _top_file(self, name: str) -> Node | None:
        registry = self._machine.registry
        match name:
            case "README":
                return Node(lambda: unpack("README.xz"))
            case "kprobe_events":
                return Node(registry.listing, registry.write)
            case "dynamic_events":
                return Node(registry.listing, lambda data: registry.write(data, dynamic=True))
            case "uprobe_events":
                return Node(lambda: b"", self._no_uprobes)
            case "uprobe_profile":
                return Node(lambda: b"")
            case "kprobe_profile":
                return Node(registry.profile)
            case "available_filter_functions":
                return Node(self._machine.symbols.available_filter_functions)
            case "available_events":
                return Node(lambda: "".join(f"{g}:{e}\n" for g, e in registry.events).encode())
            case "saved_cmdlines_size":
                return self._files.value(self._machine.top, "saved_cmdlines_size", 6552)
            case _:
                return None

    def _no_uprobes(self, data: bytes) -> None:
        """The simulated machine has no programs to probe."""
        if data.split(b"#")[0].strip():
            raise wrong(errno.EINVAL)

    # ----------------------------------------------------------------- events

    def _event_node(self, array: TraceArray, parts: list[str]) -> Node | None:
        registry = self._machine.registry
        events = list(registry.events.values())
        match parts:
            case ["enable"]:
                return self._enable(array, events)
            case ["header_page"]:
                return Node(HEADER_PAGE.encode)
            case ["header_event"]:
                return Node(HEADER_EVENT.encode)
            case [group, "enable"] if group in registry.groups():
                return self._enable(array, registry.groups()[group])
            case [group, "filter"] if group in registry.groups():
                return Node(
                    GLOBAL_FILTER.encode,
                    lambda data: self._machine.set_group_filter(array, group, data),
                )
            case [group, name, leaf] if (group, name) in registry.events:
                return self._event_file(array, registry.events[group, name], leaf)
            case _:
                return None

    def _enable(self, array: TraceArray, events: list[SimEvent]) -> Node:
        def show() -> bytes:
            states = {array.switch(event.key).enabled for event in events}
            return b"X\n" if len(states) == 2 else b"%d\n" % (states == {True})

        def store(data: bytes) -> None:
            on = bit_in(data)
            if on:
                self._machine.watch()
            for event in events:
                array.switch(event.key).enabled = on

        return Node(show, store)

    def _event_file(self, array: TraceArray, event: SimEvent, leaf: str) -> Node | None:
        switch = array.switch(event.key)
        match leaf:
            case "enable":
                return self._enable(array, [event])
            case "filter":
                return Node(
                    lambda: ((switch.text or "none") + "\n").encode("utf-8", "surrogateescape"),
                    lambda data: self._machine.set_filter(array, event, data),
                )
            case "format":
                return Node(lambda: event.format().encode())
            case "id":
                return Node(lambda: b"%d\n" % event.id)
            case "trigger":
                return Node(TRIGGERS.encode, self._no_triggers)
            case "hist":
                return Node(lambda: b"")
            case _:
                return None

    def _no_triggers(self, data: bytes) -> None:
        """Triggers are not simulated."""
        raise wrong(errno.EINVAL)
