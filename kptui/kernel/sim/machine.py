"""What a fetch argument finds when a recorded call is replayed: registers, the stack and the memory that was
recorded.

The kernel turns an argument into a small program of fetch instructions (kernel/trace/trace_probe_tmpl.h,
process_fetch_insn); here its syntax tree is walked. Memory that the recording doesn't have behaves as
unreadable memory does: a number reads as 0, a string as a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kptui.probes.abi import ARGUMENT_REGISTERS
from kptui.probes.exprs import (
    ArgN,
    Comm,
    Deref,
    Expr,
    Immediate,
    ImmString,
    MemAddr,
    MemSym,
    Register,
    Retval,
    Stack,
    StackEntry,
)

MASK = (1 << 64) - 1
MAX_STRING = 4096


@dataclass(frozen=True, slots=True)
class Cell:
    """``data`` as it stood at ``address``; ``text`` cells end where the string ended."""

    address: int
    data: bytes
    text: bool = False


class Memory:
    """The bytes that a recording knows of, by address."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = cells

    def read(self, address: int, size: int) -> bytes | None:
        """``size`` bytes at ``address``; None unless one cell holds them all."""
        for cell in self._cells:
            start = address - cell.address
            if start >= 0 and start + size <= len(cell.data):
                return cell.data[start : start + size]
        return None

    def string(self, address: int) -> bytes | None:
        """The bytes at ``address`` up to a NUL (or the end of what is known); None where nothing is known."""
        best: bytes | None = None
        for cell in self._cells:
            start = address - cell.address
            if not 0 <= start < len(cell.data):
                continue
            found = cell.data[start:].split(b"\0", 1)[0]
            if cell.text:
                return found[: MAX_STRING - 1]
            best = found if best is None or len(found) > len(best) else best
        return None if best is None else best[: MAX_STRING - 1]


@dataclass(frozen=True, slots=True)
class State:
    """A task stopped at a probe. ``entry`` holds the argument registers as the function got them: ``$argN``
    in a return probe reads what was saved there.
    """

    registers: Mapping[str, int]
    memory: Memory
    entry: Mapping[str, int]
    comm: str
    result: int | None
    symbol_address: Callable[[str], int | None]


def value_of(expr: Expr, state: State) -> int | None:
    """The 64-bit value of ``expr``; None where memory had to be read and isn't known."""
    match expr:
        case Register(name):
            return state.registers.get(name, 0)
        case Stack():
            return state.registers.get("sp", 0)
        case StackEntry(index):
            return _word(state, state.registers.get("sp", 0) + 8 * index)
        case ArgN(index):
            return _argument(index, state)
        case Retval():
            return (state.result or 0) & MASK
        case Immediate(value):
            return value & MASK
        case Deref() | MemAddr() | MemSym():
            address = address_of(expr, state)
            return None if address is None else _word(state, address)
        case _:
            return None


def address_of(expr: Expr, state: State) -> int | None:
    """Where a memory argument reads; None for an unreadable inner pointer and for what is no memory argument."""
    match expr:
        case Deref(offset, inner):
            base = value_of(inner, state)
            if base is None:
                return None
            low = offset & 0xFFFFFFFF  # the offset is kept in 32 bits (struct fetch_insn)
            return (base + (low - (1 << 32) if low >> 31 else low)) & MASK
        case MemAddr(address):
            return address
        case MemSym(symbol, offset):
            start = state.symbol_address(symbol)
            return None if start is None else (start + offset) & MASK
        case StackEntry(index):
            return state.registers.get("sp", 0) + 8 * index
        case _:
            return None


def text_of(expr: Expr, state: State) -> bytes | None:
    """The string that a string argument copies; None for a fault."""
    match expr:
        case Comm():
            return state.comm.encode("utf-8", "surrogateescape")
        case ImmString(text):
            return text.encode("utf-8", "surrogateescape")
        case _:
            address = address_of(expr, state)
    return None if address is None else state.memory.string(address)


def _word(state: State, address: int) -> int | None:
    for size in (8, 4, 2, 1):
        data = state.memory.read(address & MASK, size)
        if data is not None:
            return int.from_bytes(data, "little")
    return None


def _argument(index: int, state: State) -> int | None:
    if 1 <= index <= len(ARGUMENT_REGISTERS):
        return state.entry.get(ARGUMENT_REGISTERS[index - 1], 0)
    return _word(state, state.entry.get("sp", 0) + 8 * (index - len(ARGUMENT_REGISTERS)))
