"""Calls of kernel functions that a real 6.12 kernel made while a small server did its work.

Process numbers and names are those of the processes that played the server's daemons; times are microseconds
from the start of the recording, which is replayed in a loop.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kptui.kernel.sim.data import unpack
from kptui.kernel.sim.machine import MASK, Cell, Memory, State, address_of
from kptui.kernel.sim.symbols import SimSymbols
from kptui.probes.exprs import Expr
from kptui.probes.fetch import parse_fetcharg

ENTRY, RETURN = 0, 1
CALLEE_SAVED = ("bx", "bp")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who made it, when, with which registers (as the function got them) and memory behind them."""

    index: int
    time: int
    duration: int | None
    function: str
    comm: str
    pid: int
    cpu: int
    flags: str
    result: int | None
    caller: int


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of the recording at which a probe could hit: entry or return of a call."""

    time: int
    kind: int
    call: Call


class Recording:
    """The unpacked recording. Memory cells of a call are made when a probe first looks at it."""

    def __init__(self, data: bytes, symbols: SimSymbols) -> None:
        self._raw: dict[str, Any] = json.loads(data)
        self._symbols = symbols
        raw = self._raw
        self.release: str = raw["release"]
        self.length = round(raw["length"] * 1_000_000)
        self._reads: list[list[tuple[Expr, int]]] = [
            [_read(text) for text in texts] for _, texts in raw["functions"]
        ]
        names = [name for name, _ in raw["functions"]]
        self.functions = frozenset(names)
        self.calls: list[Call] = []
        now = 0
        for index, delta in enumerate(raw["time"]):
            now += delta
            duration = raw["duration"][index]
            self.calls.append(
                Call(
                    index,
                    now,
                    None if duration < 0 else duration,
                    names[raw["function"][index]],
                    raw["comms"][raw["comm"][index]],
                    raw["pid"][index],
                    raw["cpu"][index],
                    raw["lats"][raw["lat"][index]],
                    raw["result"][index],
                    raw["values"][raw["caller"][index]] or 0,
                )
            )
        points = [Point(call.time, ENTRY, call) for call in self.calls]
        points += [
            Point(call.time + call.duration, RETURN, call)
            for call in self.calls
            if call.duration is not None and call.time + call.duration < self.length
        ]
        self.points = sorted(points, key=lambda point: (point.time, point.kind))
        seen: dict[int, set[int]] = {}
        for call in self.calls:
            seen.setdefault(call.pid, set()).add(call.time // (self.length // 4))
        self.resident = frozenset(pid for pid, quarters in seen.items() if len(quarters) == 4)
        self._statics = self._static_cells()

    def _static_cells(self) -> list[Cell]:
        cells = []
        for text, value in self._raw["statics"].items():
            expr, _ = _read(text)
            address = address_of(expr, State({}, Memory(()), {}, "", None, self._address))
            if address is not None:
                cells.append(_cell(address, value))
        return cells

    def _address(self, name: str) -> int | None:
        found = self._symbols.lookup(name)
        return found[0].address if found else None

    def processes(self) -> list[tuple[int, str]]:
        """(pid, comm) of those that live through the whole recording, by pid."""
        names = {call.pid: call.comm for call in self.calls}
        return sorted((pid, names[pid]) for pid in self.resident)

    def registers(self, call: Call) -> dict[str, int]:
        """The registers at the function's first instruction."""
        raw, index = self._raw, call.index
        return {name: int(raw[name][index], 16) for name in raw["registers"]}

    def state(self, call: Call, kind: int, address: int, now: int = 0) -> State:
        """The task at the probe: ``kind`` ENTRY or RETURN, ``address`` of the probed instruction.

        At the return only the registers that a function preserves, the stack pointer and the result are
        known. ``now``, microseconds since the replay began, moves ``jiffies``.
        """
        entry = self.registers(call)
        memory = self._memory(call, entry, now)
        if kind == ENTRY:
            registers = {**entry, "ip": address + 1, "cs": 0x10, "ss": 0x18, "orig_ax": MASK}
        else:
            registers = {name: entry[name] for name in CALLEE_SAVED}
            registers |= {
                "ax": (call.result or 0) & MASK,
                "sp": entry["sp"] + 8,
                "ip": address,
                "cs": 0x10,
                "ss": 0x18,
            }
        return State(registers, memory, entry, call.comm, call.result, self._address)

    def _memory(self, call: Call, entry: dict[str, int], now: int) -> Memory:
        raw, values = self._raw, self._raw["values"]
        stack = values[raw["stack"][call.index]]
        cells = [_cell(entry["sp"], stack)]
        reads = self._reads[raw["function"][call.index]]
        state = State(entry, Memory(cells), entry, call.comm, None, self._address)
        known = zip(reads, (values[which] for which in raw["memory"][call.index]), strict=True)
        # what was read as text lies behind pointers that were read as numbers
        for (expr, size), value in sorted(known, key=lambda item: isinstance(item[1], str)):
            address = address_of(expr, state)
            if address is not None and value is not None:
                cells.append(_cell(address, value, size))
        jiffies = self._address("jiffies_64")
        if jiffies is not None:
            cells.append(Cell(jiffies, ((0xFFFEDB08 + now // 4000) & MASK).to_bytes(8, "little")))
        return Memory(cells + self._statics)


def _read(text: str) -> tuple[Expr, int]:
    """What a recording probe's argument read: the expression, and the size of one number (8 for strings)."""
    arg = parse_fetcharg(text)
    base = arg.type.base if arg.type else "x64"
    return arg.expr, int(str(base)[1:]) // 8 if str(base)[1:].isdigit() else 8


def _cell(address: int, value: str | int | Sequence[str], size: int = 8) -> Cell:
    if isinstance(value, str):
        return Cell(address, value.encode("utf-8", "surrogateescape") + b"\0", text=True)
    if isinstance(value, int):
        return Cell(address, (value & MASK).to_bytes(8, "little")[:size])
    return Cell(address, b"".join(struct.pack("<Q", int(word, 16)) for word in value))


@functools.cache
def demo_recording() -> Recording:
    from kptui.kernel.sim.symbols import demo_symbols

    return Recording(unpack("calls.json.xz"), demo_symbols())
