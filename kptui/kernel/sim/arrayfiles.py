"""The files that every trace array has: buffer, switches, options, clock, process lists."""

from __future__ import annotations

import errno

from kptui.kernel.sim.array import CLOCKS, CPUS, TraceArray
from kptui.kernel.sim.machinery import Machinery
from kptui.kernel.sim.node import Node, bit_in, number_in, wrong


class ArrayFiles:
    """Makes the files of a trace array."""

    def __init__(self, machine: Machinery) -> None:
        self._machine = machine

    def file(self, array: TraceArray, name: str) -> Node | None:
        """The file of that name in an array's directory."""
        match name:
            case "trace":
                return Node(array.snapshot, lambda _: None)  # only O_TRUNC clears it
            case "trace_pipe":
                return Node(self._pipe_read)
            case "tracing_on":
                return Node(lambda: b"%d\n" % array.tracing_on, lambda data: self._tracing(array, data))
            case "error_log":
                return Node(
                    lambda: "".join(array.error_log).encode("utf-8", "surrogateescape"), lambda _: None
                )
            case "set_event_pid":
                return self._pids(array.pids)
            case "set_event_notrace_pid":
                return self._pids(array.notrace_pids)
            case "set_event":
                return Node(lambda: self._set_event(array))
            case "buffer_percent":
                return self.value(array, "buffer_percent", 50, most=100)
            case "buffer_size_kb":
                return Node(lambda: b"%d\n" % array.buffer_kb, lambda data: self._resize(array, data))
            case "buffer_total_size_kb":
                return Node(lambda: b"%d\n" % (array.buffer_kb * CPUS))
            case "trace_clock":
                return Node(lambda: self._clocks(array), lambda data: self._set_clock(array, data))
            case "trace_options":
                return Node(lambda: self._options(array), lambda data: self._set_option(array, data))
            case "current_tracer":
                return Node(lambda: b"nop\n", self._set_tracer)
            case "available_tracers":
                return Node(lambda: b"nop\n")
            case "trace_marker":
                return Node(None, lambda _: None)
            case _:
                return None

    def _pipe_read(self) -> bytes:
        raise wrong(errno.EAGAIN)

    def _tracing(self, array: TraceArray, data: bytes) -> None:
        array.tracing_on = bool(number_in(data))

    def value(self, array: TraceArray, name: str, default: int, most: int = 1 << 31) -> Node:
        def store(data: bytes) -> None:
            value = number_in(data)
            if value > most:
                raise wrong(errno.EINVAL)
            array.values[name] = value

        return Node(lambda: b"%d\n" % array.values.get(name, default), store)

    def _resize(self, array: TraceArray, data: bytes) -> None:
        value = number_in(data)
        if not value:
            raise wrong(errno.EINVAL)
        array.buffer_kb = max(7, value)
        array.clear()

    def _pids(self, pids: list[int]) -> Node:
        def add(data: bytes) -> None:
            for word in data.split():
                pids.append(number_in(word))
            pids[:] = sorted(set(pids))

        return Node(lambda: "".join(f"{pid}\n" for pid in pids).encode(), add)

    def _set_event(self, array: TraceArray) -> bytes:
        newest_first = reversed(list(self._machine.registry.events))
        return "".join(f"{g}:{e}\n" for g, e in newest_first if array.switch((g, e)).enabled).encode()

    def _clocks(self, array: TraceArray) -> bytes:
        return (" ".join(f"[{c}]" if c == array.clock else c for c in CLOCKS) + "\n").encode()

    def _set_clock(self, array: TraceArray, data: bytes) -> None:
        name = data.decode("latin-1").strip()
        if name not in CLOCKS:
            raise wrong(errno.EINVAL)
        array.clock = name
        array.clear()

    def _set_tracer(self, data: bytes) -> None:
        if data.strip() != b"nop":
            raise wrong(errno.EINVAL)

    # ---------------------------------------------------------------- options

    def option(self, array: TraceArray, name: str) -> Node:
        def store(data: bytes) -> None:
            array.options[name] = bit_in(data)

        return Node(lambda: b"%d\n" % array.options[name], store)

    def _options(self, array: TraceArray) -> bytes:
        return "".join(f"{'' if on else 'no'}{name}\n" for name, on in array.options.items()).encode()

    def _set_option(self, array: TraceArray, data: bytes) -> None:
        name = data.decode("latin-1").strip()
        if name in array.options:
            array.options[name] = True
        elif name.startswith("no") and name[2:] in array.options:
            array.options[name[2:]] = False
        else:
            raise wrong(errno.EINVAL)
