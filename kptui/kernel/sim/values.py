"""What the arguments of a probe are worth at a hit: as the record prints them and as filters compare them."""

from __future__ import annotations

from kptui.kernel.sim.events import SimArg, SimProbe
from kptui.kernel.sim.machine import MASK, State, address_of, text_of, value_of
from kptui.kernel.sim.symbols import SimSymbols
from kptui.probes.exprs import Bitfield


def number_of(arg: SimArg, state: State, element: int = 0) -> int:
    """One element's value, cut to its width, signed where the type is; 0 for unreadable memory."""
    address = address_of(arg.expr, state)
    size = arg.size
    if address is not None:
        data = state.memory.read((address + element * size) & MASK, size)
        value = 0 if data is None else int.from_bytes(data, "little")
    else:
        value = value_of(arg.expr, state) or 0
    value &= (1 << (8 * size)) - 1
    if isinstance(arg.base, Bitfield):
        return (value >> arg.base.offset) & ((1 << arg.base.width) - 1)
    if arg.signed and value >> (8 * size - 1):
        value -= 1 << (8 * size)
    return value


def string_of(arg: SimArg, state: State, symbols: SimSymbols, element: int = 0) -> bytes | None:
    """The text of a string element; None for a fault."""
    if arg.base == "symstr":
        return symbols.describe(value_of(arg.expr, state) or 0).encode()
    if arg.count is None:
        return text_of(arg.expr, state)
    address = address_of(arg.expr, state)
    pointer = None if address is None else state.memory.read(address + 8 * element, 8)
    return None if pointer is None else state.memory.string(int.from_bytes(pointer, "little"))


def print_arg(arg: SimArg, state: State, symbols: SimSymbols) -> bytes:
    """`` name=value`` as the kernel prints it."""
    shown = [_print(arg, state, symbols, element) for element in range(arg.count or 1)]
    value = shown[0] if arg.count is None else b"{" + b",".join(shown) + b"}"
    return b" " + arg.name.encode() + b"=" + value


def _print(arg: SimArg, state: State, symbols: SimSymbols, element: int) -> bytes:
    if arg.is_string:
        text = string_of(arg, state, symbols, element)
        return b"(fault)" if text is None else b'"' + text + b'"'
    value = number_of(arg, state, element)
    if arg.base == "char":
        return b"'" + bytes([value & 0xFF]) + b"'"
    if arg.base == "symbol":
        return symbols.describe(value).encode()
    return (f"0x{value:x}" if str(arg.base).startswith("x") else str(value)).encode()


class Place(int):
    """An address that prints as its symbol: filters compare it as a number, ``.function`` by the name."""

    text: str

    def __str__(self) -> str:
        return self.text


def place(address: int, symbols: SimSymbols) -> Place:
    made = Place(address)
    made.text = symbols.describe(address)
    return made


def filter_values(probe: SimProbe, state: State, symbols: SimSymbols) -> dict[str, str | int | None]:
    """What an event filter compares: numbers, texts ('' for a fault); arrays as trace_events_filter.c sees
    them.
    """
    values: dict[str, str | int | None] = {}
    for arg in probe.args:
        if arg.is_string:
            text = string_of(arg, state, symbols)
            values[arg.name] = "" if text is None else text.decode("utf-8", "surrogateescape")
        elif arg.count is None:
            value = number_of(arg, state)
            values[arg.name] = place(value, symbols) if arg.size == 8 and not arg.signed else value
        else:
            total = arg.size * arg.count
            parts = [number_of(arg, state, i) & ((1 << (8 * arg.size)) - 1) for i in range(arg.count)]
            joined = sum(part << (8 * arg.size * i) for i, part in enumerate(parts))
            values[arg.name] = joined if total in {1, 2, 4, 8} else None
    return values


def print_body(probe: SimProbe, caller: int, state: State, symbols: SimSymbols, *, sym_addr: bool) -> bytes:
    """``(vfs_read+0x4/0x370) count=8`` or ``(caller <- function) ret=0``."""
    address = probe.address or 0
    if probe.kind == "r":
        name = probe.symbol.name if probe.symbol else f"0x{address:08x}"
        function = f"{name} <{address:016x}>" if sym_addr else name
        place = f"({symbols.describe(caller, with_address=sym_addr)} <- {function})"
    else:
        place = f"({symbols.describe(address, with_address=sym_addr)})"
    return place.encode() + b"".join(print_arg(arg, state, symbols) for arg in probe.args)
