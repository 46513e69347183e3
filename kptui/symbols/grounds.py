"""What the kernel's rules, its lists and its layout say of each symbol: why a probe is taken there, or refused.

The rules are the kernel's: ``within_kprobe_blacklist`` and ``check_kprobe_address_safe`` of kernel/kprobes.c,
``within_notrace_func`` of kernel/trace/trace_kprobe.c.
"""

from __future__ import annotations

import itertools
import operator
from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property

from kptui.symbols import names as naming
from kptui.symbols.lists import ProbeLists
from kptui.symbols.table import SymbolTable

_MARK = "_kbl_addr_"  # NOKPROBE_SYMBOL(f) leaves a variable of that name (include/asm-generic/kprobes.h)
# Bounds of the kernel's own text and of what may not be probed in it; arch/x86/kernel/vmlinux.lds.S. The innermost
# that holds an address counts.
_SECTIONS = (
    ("__noinstr_text_start", "__noinstr_text_end", "noinstr"),
    ("__entry_text_start", "__entry_text_end", "entry"),
    ("__kprobes_text_start", "__kprobes_text_end", "kprobes"),
    ("_stext", "_etext", "text"),
    ("__init_begin", "__init_end", "init"),
    ("_sinittext", "_einittext", "init"),  # all that there is without CONFIG_KALLSYMS_ALL
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
_TYPES = bytes(
    Ground.UNKNOWN if chr(c) in naming.TEXT_TYPES else Ground.INDIRECT if chr(c) in "iI" else Ground.DATA
    for c in range(256)
)


def judge(table: SymbolTable, lists: ProbeLists) -> bytes:
    """A :class:`Ground` for each line of the table: some 0.1 s for 200,000."""
    return _Judge(table, lists).grounds()


def before_dot(name: str) -> str:
    """What the kernel takes for the name that a clone has without its suffix."""
    return name.partition(".")[0]


class _Judge:
    """Most functions are told by three look-ups, :meth:`grounds`; the others by the kernel's rules, one by one."""

    def __init__(self, table: SymbolTable, lists: ProbeLists) -> None:
        self._table = table
        self._lists = lists
        self._bounds = [] if table.addresses_hidden else list(_bounds(table))
        self._marked = frozenset(name[len(_MARK) :] for name in table.names if name.startswith(_MARK))
        self._sections = {section for _, _, section in self._bounds}
        self._traced_addresses: set[int] = set()
        # The sections and marks of the table tell what is blacklisted, the list needn't.
        bounded = bool(self._marked) and {"noinstr", "entry", "text"} <= self._sections
        self._fine = Ground.FINE if lists.blacklist is not None or bounded else Ground.UNKNOWN

    def grounds(self) -> bytes:
        """A :class:`Ground` a line."""
        table, text = self._table, naming.TEXT_TYPES
        grounds = bytearray(table.types.encode("ascii").translate(_TYPES))
        traced = self._singly_traced
        suspect, starts = self._suspect
        low, high = self._quiet
        left: list[int] = []
        for line, (type_, name, module, address) in enumerate(table.lines()):
            if type_ not in text:
                continue
            if name.startswith(naming.NOISE_PREFIXES):
                grounds[line] = Ground.PADDING
            elif module:
                left.append(line)
                if _listed(name, table.module(line)) in traced:
                    self._traced_addresses.add(address)
            elif name not in traced:
                left.append(line)
            else:
                self._traced_addresses.add(address)
                if low <= address < high and name not in suspect and address not in starts:
                    grounds[line] = self._fine
                else:
                    left.append(line)
        if table.addresses_hidden:
            self._traced_addresses.clear()
        for line in left:
            grounds[line] = self._function(line)
        return bytes(grounds)

    @cached_property
    def _singly_traced(self) -> frozenset[str]:
        """Lines of the list of traceable functions that mean one symbol."""
        traceable = self._lists.traceable
        return frozenset() if traceable is None else frozenset(traceable.keys() - self._copies.keys())

    @cached_property
    def _suspect(self) -> tuple[frozenset[str], frozenset[int]]:
        """Names, and the first addresses, of what the kernel blacklists singly; clones, too."""
        blacklist = self._lists.blacklist
        names = self._marked if blacklist is None else self._marked | blacklist.names
        dotted = frozenset(name for name in self._table.names if "." in name)
        return names | dotted, frozenset(blacklist.starts if blacklist is not None else ())

    @cached_property
    def _quiet(self) -> tuple[int, int]:
        """The longest piece of the kernel's code in which nothing is forbidden by where it lies."""
        text = next(((start, end) for start, end, section in self._bounds if section == "text"), None)
        if text is None:
            return (0, 1 << 64) if not self._bounds else (0, 0)
        others = sorted((start, end) for start, end, section in self._bounds if section in _BY_SECTION)
        edges = [text[0], *(edge for pair in others for edge in pair if text[0] <= edge <= text[1]), text[1]]
        return max(itertools.pairwise(edges), key=lambda piece: piece[1] - piece[0])

    @cached_property
    def _copies(self) -> dict[str, int]:
        """How many functions have a name, in the kernel or in one module; those of which there are several."""
        table, text = self._table, naming.TEXT_TYPES
        own = map(
            operator.gt, map(operator.contains, itertools.repeat(text), table.types), table.module_codes()
        )
        counts = Counter(itertools.compress(table.names, own))
        for line in table.module_lines():
            if table.types[line] in text:
                counts[_listed(table.names[line], table.module(line))] += 1
        return {name: count for name, count in counts.items() if count > 1}

    def _function(self, line: int) -> Ground:
        name = self._table.names[line]
        module = self._table.module(line)
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
        listed = _listed(name, module)
        if listed in traceable:
            copies = self._copies.get(listed, 1)  # the list tells no copies of a name apart
            return self._fine if traceable[listed] >= copies else Ground.PERHAPS_TRACED
        if address and address in self._traced_addresses:
            return self._fine
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
