"""The simulated kernel's symbols: 25,000 of the 178,000 of a Debian 6.12 kernel, with their sizes and what
keeps a probe away from them.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kptui.kernel.sim.data import unpack
from kptui.symbols.lists import ProbeLists

TEXT_TYPES = frozenset("tTwW")
ENDBR_SIZE = 4


@dataclass(frozen=True, slots=True)
class SimSymbol:
    """One line of ``/proc/kallsyms``; ``size`` in bytes, as far as the next symbol of the whole list.

    ``endbr``: begins with ENDBR64, so a probe on it sits at +4. ``blacklisted``, ``traced`` (in
    ``available_filter_functions``): as the real kernel's lists said.
    """

    address: int
    type: str
    size: int
    name: str
    module: str | None
    endbr: bool
    blacklisted: bool
    traced: bool

    @property
    def is_text(self) -> bool:
        return self.type in TEXT_TYPES


class SimSymbols:
    """The table, by name and by address."""

    def __init__(self, data: bytes) -> None:
        self.symbols: list[SimSymbol] = []
        self._by_name: dict[str, list[SimSymbol]] = {}
        address = 0
        for line in data.decode().splitlines():
            delta, marks, size, name, *module = line.split(" ")
            address += int(delta, 16)
            flags = marks[1:]
            symbol = SimSymbol(
                address,
                marks[0],
                int(size, 16),
                name,
                module[0] if module else None,
                "e" in flags,
                "b" in flags,
                "n" not in flags,
            )
            self.symbols.append(symbol)
            self._by_name.setdefault(name, []).append(symbol)
        self._text = [symbol for symbol in self.symbols if symbol.is_text]
        self._starts = [symbol.address for symbol in self._text]
        self.modules = frozenset(symbol.module for symbol in self.symbols if symbol.module)

    def lookup(self, name: str, module: str | None = None) -> list[SimSymbol]:
        """Every copy of ``name``; with ``module`` only those inside it."""
        found = self._by_name.get(name, [])
        return found if module is None else [symbol for symbol in found if symbol.module == module]

    def resolve(self, address: int) -> tuple[SimSymbol, int] | None:
        """The function that ``address`` lies in, and how far."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at < 0:
            return None
        symbol = self._text[at]
        offset = address - symbol.address
        return (symbol, offset) if offset < max(symbol.size, 1) else None

    def describe(self, address: int, *, with_address: bool = False) -> str:
        """``vfs_read+0x4/0x370`` and, for a module's, `` [ext4]``; ``0x...`` without a symbol, ``0`` for 0."""
        if address == 0:
            return "0"
        found = self.resolve(address)
        if found is None:
            text = f"0x{address:08x}"
        else:
            symbol, offset = found
            text = f"{symbol.name}+0x{offset:x}/0x{symbol.size:x}"
            text += f" [{symbol.module}]" if symbol.module else ""
        return f"{text} <{address:016x}>" if with_address else text

    def kallsyms(self) -> bytes:
        """As ``/proc/kallsyms`` prints them to root."""
        return _listing(
            (symbol.address, symbol.type, symbol.name, symbol.module or "") for symbol in self.symbols
        )

    def available_filter_functions(self) -> bytes:
        lines = [
            f"{symbol.name} [{symbol.module}]\n" if symbol.module else f"{symbol.name}\n"
            for symbol in self._text
            if symbol.traced and not symbol.name.startswith("__pfx_")
        ]
        return "".join(lines).encode()

    def blacklist(self) -> bytes:
        """As debugfs's ``kprobes/blacklist`` lists them to root."""
        return "".join(
            f"0x{symbol.address:x}-0x{symbol.address + symbol.size:x}\t{symbol.name}\n"
            for symbol in self._text
            if symbol.blacklisted
        ).encode()


@functools.cache
def demo_symbols() -> SimSymbols:
    return SimSymbols(unpack("symbols.txt.xz"))


def demo_probe_lists() -> ProbeLists:
    """What the simulated kernel's own lists say of probes."""
    symbols = demo_symbols()
    return ProbeLists.parse(symbols.blacklist(), symbols.available_filter_functions())


def demo_kallsyms() -> bytes:
    """The simulated kernel's ``/proc/kallsyms``, with addresses; made without the table, in a third of its time."""
    return _listing(_lines(unpack("symbols.txt.xz")))


def _lines(data: bytes) -> Iterator[tuple[int, str, str, str]]:
    address = 0
    for line in data.decode().splitlines():
        delta, marks, _, name, *module = line.split(" ")
        address += int(delta, 16)
        yield address, marks[0], name, module[0] if module else ""


def _listing(symbols: Iterable[tuple[int, str, str, str]]) -> bytes:
    """(address, type, name, module or '') as lines: the kernel's own in order of address, then the modules'."""
    own: list[str] = []
    modules: list[str] = []
    for address, type_, name, module in symbols:
        if module:
            modules.append(f"{address:016x} {type_} {name}\t[{module}]\n")
        else:
            own.append(f"{address:016x} {type_} {name}\n")
    return "".join(own + modules).encode()
