"""Whether a probe can be put on a symbol, and why not: what its name, its type, its address and the kernel's own
lists say.

The rules are the kernel's: ``within_kprobe_blacklist`` and ``check_kprobe_address_safe`` of kernel/kprobes.c,
``within_notrace_func`` of kernel/trace/trace_kprobe.c. Without the lists nothing is said to be fit for a probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from kptui.symbols import names as naming
from kptui.symbols.lists import NO_LISTS, ProbeLists
from kptui.symbols.table import Symbol, SymbolTable

_MARK = "_kbl_addr_"  # NOKPROBE_SYMBOL(f) leaves a variable of that name (include/asm-generic/kprobes.h)
# Bounds of the kernel's own text and of what may not be probed in it; arch/x86/kernel/vmlinux.lds.S. The innermost
# that holds an address counts.
_SECTIONS = (
    ("__noinstr_text_start", "__noinstr_text_end", "noinstr"),
    ("__entry_text_start", "__entry_text_end", "entry"),
    ("__kprobes_text_start", "__kprobes_text_end", "kprobes"),
    ("_stext", "_etext", "text"),
    ("__init_begin", "__init_end", "init"),
)


class Ground(IntEnum):
    """What decides about a symbol; small numbers, for a byte a symbol."""

    UNKNOWN = 0
    FINE = 1
    DATA = 2
    INDIRECT = 3
    PADDING = 4
    BPF = 5
    TRAMPOLINE = 6
    STATIC_CALL = 7
    BLACKLISTED = 8
    NOINSTR = 9
    ENTRY = 10
    KPROBES = 11
    CLONE = 12
    INIT = 13
    NOT_TRACED = 14
    PERHAPS_TRACED = 15
    SPLIT_OFF = 16


_BY_SECTION = {
    "noinstr": Ground.NOINSTR,
    "entry": Ground.ENTRY,
    "kprobes": Ground.KPROBES,
    "init": Ground.INIT,
}
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
    """

    probeable: bool | None
    reason: str | None = None
    place: str | None = None

    @property
    def against(self) -> bool:
        """Something speaks against it: it is refused, or probably so."""
        return self.probeable is False or (self.probeable is None and self.reason is not None)


class Probing:
    """The verdicts for a table's symbols. ``grounds`` has a :class:`Ground` a line of the table."""

    def __init__(self, table: SymbolTable, grounds: bytes) -> None:
        self.table = table
        self.grounds = grounds

    def symbol(self, line: int, copies: int = 1) -> Probeability:
        """Of the symbol of ``line``, whose name ``copies`` symbols have."""
        symbol = self.table.symbol(line)
        ground = Ground(self.grounds[line])
        if ground not in (Ground.FINE, Ground.UNKNOWN):
            known = None if ground in _UNSURE else False
            return Probeability(known, _reason(ground, symbol))
        if copies > 1:
            place = other_place(symbol, self.table)
            how = f"probe it as {place}" if place else "its address is hidden"
            return Probeability(False, f"one of {copies} of this name: {how}", place)
        note = clone_note(symbol.name)
        if ground is Ground.UNKNOWN:
            return Probeability(None, note if ".cold" in symbol.name else None)
        return Probeability(True, note)

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


def before_dot(name: str) -> str:
    """What the kernel takes for the name that a clone has without its suffix."""
    return name.partition(".")[0]


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
    """Look at every symbol once: some 0.3 s of Python for 200,000."""
    judge = _Judge(table, lists)
    grounds = bytearray(table.types.encode("ascii").translate(_TYPES))
    for line, type_ in enumerate(table.types):
        if type_ in naming.TEXT_TYPES:
            grounds[line] = judge.function(line)
    return Probing(table, bytes(grounds))


_TYPES = bytes(
    Ground.UNKNOWN if chr(c) in naming.TEXT_TYPES else Ground.INDIRECT if chr(c) in "iI" else Ground.DATA
    for c in range(256)
)


class _Judge:
    def __init__(self, table: SymbolTable, lists: ProbeLists) -> None:
        self._table = table
        self._lists = lists
        self._bounds = [] if table.addresses_hidden else list(_bounds(table))
        self._marked = frozenset(name[len(_MARK) :] for name in table.names if name.startswith(_MARK))
        self._sections = {section for _, _, section in self._bounds}

    @cached_property
    def _bounded(self) -> bool:
        """The sections and marks of the table tell what is blacklisted, the list needn't."""
        return bool(self._marked) and {"noinstr", "entry", "text"} <= self._sections

    @cached_property
    def _traced_addresses(self) -> frozenset[int]:
        """Of what is traceable: a function's other names are so, too."""
        table, traceable = self._table, self._lists.traceable
        if table.addresses_hidden or traceable is None:
            return frozenset()
        return frozenset(
            table.address(line)
            for line, name in enumerate(table.names)
            if (listed := _listed(name, table.module(line))) in traceable and listed not in self._copies
        )

    @cached_property
    def _copies(self) -> dict[str, int]:
        """How many functions have a name, in the kernel or in one module; those of which there are several."""
        table = self._table
        seen: set[str] = set()
        copies: dict[str, int] = {}
        for line, name in enumerate(table.names):
            if table.types[line] in naming.TEXT_TYPES:
                listed = _listed(name, table.module(line))
                if listed in seen:
                    copies[listed] = copies.get(listed, 1) + 1
                seen.add(listed)
        return copies

    def function(self, line: int) -> Ground:
        name = self._table.names[line]
        module = self._table.module(line)
        if naming.is_noise(name):
            return Ground.PADDING
        if module is not None and (module == "bpf" or module.startswith("__builtin__")):
            return Ground.BPF if module == "bpf" else Ground.TRAMPOLINE
        if name.startswith("__SCT__"):
            return Ground.STATIC_CALL
        address = self._table.address(line)
        refused = self._blacklisted(name, module, address)
        if refused is not None:
            return refused
        base = before_dot(name)
        original = self._originals.get(base) if base != name else None
        if original is not None and self._blacklisted(base, *original) is not None:
            return Ground.CLONE
        return self._traced(name, module, address, base, original)

    @cached_property
    def _originals(self) -> dict[str, tuple[str | None, int]]:
        """Module and address of the functions that clones are judged by, as the kernel finds them: the first."""
        table = self._table
        wanted = {before_dot(name) for name in table.names if "." in name}
        found: dict[str, tuple[str | None, int]] = {}
        for line, name in enumerate(table.names):
            if name in wanted and name not in found:
                found[name] = table.module(line), table.address(line)
        return found

    def _blacklisted(self, name: str, module: str | None, address: int) -> Ground | None:
        """Why the function may hold no probe by its place or the blacklist."""
        section = self._section(address) if module is None else "text"
        if section in _BY_SECTION:
            return _BY_SECTION[section]
        if section is None:  # 6.18 and later list much data as T
            return Ground.DATA
        if name in self._marked:
            return Ground.BLACKLISTED
        blacklist = self._lists.blacklist
        if blacklist is None:
            return None
        by_address = bool(blacklist.starts) and bool(address)
        return (
            Ground.BLACKLISTED
            if (blacklist.covers(address) if by_address else name in blacklist.names)
            else None
        )

    def _section(self, address: int) -> str | None:
        """Of the kernel's own; ``text`` where it can't be told."""
        if not self._bounds or not address:
            return "text"
        for start, end, section in self._bounds:
            if start <= address < end:
                return section
        return None if "text" in self._sections else "text"

    def _traced(
        self, name: str, module: str | None, address: int, base: str, original: tuple[str | None, int] | None
    ) -> Ground:
        traceable = self._lists.traceable
        if traceable is None:
            return Ground.UNKNOWN
        known = self._lists.blacklist is not None or self._bounded
        fine = Ground.FINE if known else Ground.UNKNOWN
        listed = _listed(name, module)
        if listed in traceable:
            copies = self._copies.get(listed, 1)  # the list tells no copies of a name apart
            return fine if traceable[listed] >= copies else Ground.PERHAPS_TRACED
        if address and address in self._traced_addresses:
            return fine
        if original is not None:
            other, at = original
            if _listed(base, other) in traceable or (at and at in self._traced_addresses):
                return Ground.SPLIT_OFF
        return Ground.NOT_TRACED


def _listed(name: str, module: str | None) -> str:
    return name if module is None else f"{name} [{module}]"


def _bounds(table: SymbolTable) -> Iterator[tuple[int, int, str]]:
    for first, last, section in _SECTIONS:
        start = next(iter(table.lookup(first)), None)
        end = next(iter(table.lookup(last)), None)
        if start is not None and end is not None and start.address and end.address:
            yield start.address, end.address, section
