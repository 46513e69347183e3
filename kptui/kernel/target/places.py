"""What a judge of definitions needs to know of a kernel's symbols, of the places that they name, and of its events."""

from __future__ import annotations

from typing import Protocol

from kptui.kernel.target.machine import Machine
from kptui.kernel.target.staticevents import has_static_event
from kptui.probes.check.target import NOWHERE, Copy, Landing
from kptui.symbols.facts import SymbolFacts


class Kernel(Protocol):
    """The kernel as far as it is put together."""

    machine: Machine

    @property
    def own_symbols(self) -> bool: ...
    @property
    def facts(self) -> SymbolFacts | None: ...


class Places:
    """Each method as the field of kptui.probes.check.Target of that name; without symbols each exists once."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def symbol_count(self, name: str, module: str | None) -> int | None:
        facts = self._kernel.facts
        return 1 if facts is None else facts.count(_bytes(name), None if module is None else _bytes(module))

    def copies(self, name: str) -> tuple[Copy, ...]:
        functions = self._kernel.facts.functions(_bytes(name)) if self._kernel.facts is not None else ()
        return tuple(Copy(symbol.address, symbol.module, offset) for symbol, offset in functions)

    def is_loaded_module(self, module: str) -> bool:
        return self._kernel.facts is None or self._kernel.facts.is_loaded(_bytes(module))

    def landing(self, symbol: str | None, offset: int) -> Landing | None:
        facts = self._kernel.facts
        if facts is None:
            return None
        place = None if symbol is None else _bytes(symbol)
        found = facts.landing(place, offset)
        if found is None or found == "nowhere":
            return None if found is None else NOWHERE
        within = 0 if facts.is_entry(place, offset) else found[1]
        return Landing(_latin(found[0].name), within, facts.breaks_instruction(place, offset))

    def not_probeable(self, name: str, module: str | None) -> str | None:
        if self._kernel.facts is None:
            return None
        return self._kernel.facts.not_probeable(_bytes(name), None if module is None else _bytes(module))

    def event_exists(self, group: str, event: str) -> bool:
        group, event = _bytes(group), _bytes(event)
        if self._kernel.own_symbols:
            seen = self._kernel.machine.static_event(group, event)
            if seen is not None:
                return seen
        return has_static_event(self._kernel.facts, group, event)


def _bytes(text: str) -> str:
    """A name as the checker has it (one character a byte) as the symbols have it (UTF-8)."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def _latin(text: str) -> str:
    """And the other way."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
