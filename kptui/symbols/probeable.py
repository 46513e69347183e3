"""Whether a probe can be put on a symbol, and why not, in words. Without the kernel's lists none is said to be fit."""

from __future__ import annotations

from dataclasses import dataclass

from kptui.symbols import names as naming
from kptui.symbols.grounds import Ground, before_dot, judge
from kptui.symbols.lists import NO_LISTS, ProbeLists
from kptui.symbols.table import Symbol, SymbolTable

_GROUNDS = tuple(Ground)
_UNSURE = frozenset({Ground.NOT_TRACED, Ground.PERHAPS_TRACED, Ground.SPLIT_OFF})
_REASONS = {
    Ground.DATA: "data, not a function",
    Ground.INDIRECT: "indirect function, chosen at boot",
    Ground.PADDING: "padding before a function, no code of its own",
    Ground.BPF: "BPF program",
    Ground.TRAMPOLINE: "trampoline made while the kernel runs",
    Ground.STATIC_CALL: "static call trampoline",
    Ground.BLACKLISTED: "on the kernel's blacklist of kprobes",
    Ground.NOINSTR: "noinstr: no probe may be in .noinstr.text",
    Ground.ENTRY: "entry code: no probe may be there",
    Ground.KPROBES: "in .kprobes.text: kprobes themselves need it",
    Ground.INIT: "__init: its code is freed after boot",
    Ground.NOT_TRACED: "notrace? not in available_filter_functions",
    Ground.PERHAPS_TRACED: "notrace? available_filter_functions has some of this name",
}


@dataclass(frozen=True, slots=True)
class Probeability:
    """``probeable``: True, False, or None where it isn't known. ``reason`` is why not, what speaks against it, or
    what one should know all the same; a few words, None where there is nothing to say. ``place`` is how a probe names
    this symbol where its bare name won't do: ``ext4:init_once``, ``_text+0x1a2b``; None where nothing else does.
    ``doubt`` is the part of the reason that speaks against a probe at that place, too.
    """

    probeable: bool | None
    reason: str | None = None
    place: str | None = None
    doubt: str | None = None

    @property
    def against(self) -> bool:
        """Something speaks against it: it is refused, or probably so."""
        return self.probeable is False or (self.probeable is None and self.reason is not None)


_CAN_BE = Probeability(True)


class Probing:
    """The verdicts for a table's symbols. ``grounds`` has a :class:`Ground` a line of the table, ``in_pools`` one a
    name of an index's pools; empty where these weren't made.
    """

    def __init__(self, table: SymbolTable, grounds: bytes) -> None:
        self.table = table
        self.grounds = grounds
        self.in_pools: tuple[bytes, ...] = ()

    def symbol(self, line: int, copies: int = 1) -> Probeability:
        """Of the symbol of ``line``, whose name ``copies`` symbols have."""
        ground = _GROUNDS[self.grounds[line]]
        if ground is Ground.FINE and copies == 1 and "." not in self.table.names[line]:
            return _CAN_BE
        symbol = self.table.symbol(line)
        if ground not in (Ground.FINE, Ground.UNKNOWN):
            reason = _reason(ground, symbol)
            if ground not in _UNSURE:
                return Probeability(False, reason)
            if copies == 1:
                return Probeability(None, reason)
            place, how = self._place(symbol, copies)
            return Probeability(None, f"{how} ({reason})", place, reason)
        if copies > 1:
            place, how = self._place(symbol, copies)
            return Probeability(False, how, place)
        note = clone_note(symbol.name)
        if ground is Ground.UNKNOWN:
            return Probeability(None, note if ".cold" in symbol.name else None)
        return Probeability(True, note)

    def _place(self, symbol: Symbol, copies: int) -> tuple[str | None, str]:
        """How a probe names this one of several of a name, and that in words."""
        place = other_place(symbol, self.table)
        return place, f"one of {copies} of this name: " + (
            f"probe it as {place}" if place else "its address is hidden"
        )

    def named(self, name: str, module: str | None = None) -> Probeability | None:
        """Of a probe that names its place so, as the kernel looks for it: in ``module``, or anywhere. None where
        there is no such symbol.
        """
        every = self.table.indices(name)
        lines = [line for line in every if self.table.module(line) == module] if module else every
        return self.symbol(lines[0], len(lines)) if lines else None


def at_a_glance(symbol: Symbol) -> Probeability:
    """What a symbol's type and name say before the table was looked through."""
    if symbol.is_noise:
        return Probeability(False, _REASONS[Ground.PADDING])
    if not symbol.is_text:
        return Probeability(False, _REASONS[Ground.INDIRECT if symbol.type in "iI" else Ground.DATA])
    return Probeability(None)


def _reason(ground: Ground, symbol: Symbol) -> str:
    if ground is Ground.CLONE:
        return f"clone of {before_dot(symbol.name)}, which is blacklisted"
    if (
        ground is Ground.SPLIT_OFF
    ):  # accepted, unless its first instruction is one that the kernel patches or a BUG()
        return clone_note(symbol.name) or f"split off {before_dot(symbol.name)}"
    return _REASONS[ground]


def clone_note(name: str) -> str | None:
    """What the compiler's suffix in ``name`` means for a probe there; None where there is none."""
    base = naming.base_name(name)
    if base == name:
        return None
    suffix = name[len(base) :]
    if ".cold" in suffix:
        return f"cold part of {base}: runs rarely, no arguments in registers"
    if ".isra" in suffix:
        return "isra clone: arguments removed or split, registers differ"
    if ".constprop" in suffix:
        return "constprop clone: constant arguments are missing"
    if ".part" in suffix:
        return f"part of {base}: the rest may be inlined in callers"
    return None


def other_place(symbol: Symbol, table: SymbolTable) -> str | None:
    """How a probe names this one of several symbols of a name: ``MODULE:NAME`` where that is one only, else its
    distance from ``_text`` (modules lie above the kernel); None where addresses are hidden, or it lies below.
    """
    if symbol.module is not None and len(table.lookup(symbol.name, symbol.module)) == 1:
        return f"{symbol.module}:{symbol.name}"
    text = next(iter(table.lookup("_text")), None)
    if text is None or not text.address or not symbol.address or symbol.address < text.address:
        return None
    return f"_text+0x{symbol.address - text.address:x}"


def find_probing(table: SymbolTable, lists: ProbeLists = NO_LISTS) -> Probing:
    """Look at every symbol once."""
    return Probing(table, judge(table, lists))
