"""What a kallsyms tells about a place to probe: whether it is there, once, code, an entry, and forbidden.

Sources: kernel/kprobes.c (check_kprobe_address_safe, the blacklist of NOKPROBE_SYMBOL and of whole sections),
kernel/trace/trace_kprobe.c; compared with the blacklists of kernels from 5.10 to 7.3: every symbol that is
called blacklisted here is so there (assembler stubs of theirs are missed).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Sequence
from functools import cached_property

from kptui.symbols.table import Symbol, SymbolTable

ENDBR_SIZE = 4
# Sections in which no probe is allowed: first and end symbol (arch_within_kprobe_blacklist and its like).
_FORBIDDEN = (
    ("__kprobes_text_start", "__kprobes_text_end"),
    ("__noinstr_text_start", "__noinstr_text_end"),
    ("__entry_text_start", "__entry_text_end"),
)
_NOKPROBE = "_kbl_addr_"  # the variable that NOKPROBE_SYMBOL() makes
_NO_CODE = ("__pfx_", "__cfi_", "__SCT__")  # never traceable, hence refused


class SymbolFacts:
    """Answers for :class:`kptui.probes.check.Target`, from one kernel's symbols.

    ``blacklist`` and ``traceable`` are the names in the kernel's ``kprobes/blacklist`` and
    ``available_filter_functions``; None where they are unknown. ``modules`` are loaded modules besides those that
    have symbols. ``lines_of`` finds the lines of a name; without it a dictionary of all names is made, 80 bytes a
    symbol. BPF programs and trampolines are in kallsyms, but the kernel doesn't look for them there.
    """

    def __init__(
        self,
        table: SymbolTable,
        *,
        blacklist: Container[str] | None = None,
        traceable: Container[str] | None = None,
        modules: frozenset[str] = frozenset(),
        lines_of: Callable[[str], Sequence[int]] | None = None,
    ) -> None:
        self._table = table
        self._lines_of = lines_of
        self._blacklist = blacklist
        self._traceable = traceable
        self.modules = modules | {name for name in table.modules if not _is_pseudo(name)}

    @classmethod
    def parse(cls, data: bytes) -> SymbolFacts:
        """From the bytes of a kallsyms. ValueError if no line of it is a symbol."""
        table = SymbolTable.parse(data)
        if not len(table):
            raise ValueError("no line of it is a symbol as /proc/kallsyms shows them")
        return cls(table)

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, list[int]]]:
        """The first line of each name, and all lines of the names that come more than once."""
        first: dict[str, int] = {}
        again: dict[str, list[int]] = {}
        for i, name in enumerate(self._table.names):
            if first.setdefault(name, i) != i:
                again.setdefault(name, [first[name]]).append(i)
        return first, again

    def find(self, name: str, module: str | None = None) -> list[Symbol]:
        """The symbols of exactly this name in the kernel and its modules, or in ``module`` only."""
        found = [self._table.symbol(i) for i in self._lines(name)]
        if module is not None:
            return [symbol for symbol in found if symbol.module == module]
        return [symbol for symbol in found if symbol.module is None or not _is_pseudo(symbol.module)]

    def _lines(self, name: str) -> Sequence[int]:
        if self._lines_of is not None:
            return self._lines_of(name)
        first, again = self._places
        at = first.get(name)
        return again.get(name) or ([] if at is None else [at])

    def functions(self, name: str) -> list[tuple[Symbol, int | None]]:
        """The symbols of a name that may be probed, each with its distance from ``_text`` in bytes (None: addresses
        are hidden).
        """
        text = self.find("_text")
        start = text[0].address if len(text) == 1 else None
        return [
            (symbol, None if symbol.address is None or start is None else symbol.address - start)
            for symbol in self.find(name)
            if self._is_code(symbol) and not self._is_forbidden(symbol)
        ]

    def count(self, name: str, module: str | None = None) -> int:
        """How many symbols have this name."""
        return len(self.find(name, module))

    def is_loaded(self, module: str) -> bool:
        return module in self.modules

    @property
    def has_endbr(self) -> bool:
        """Whether functions may begin with ENDBR64 (CONFIG_X86_KERNEL_IBT)."""
        return bool(self.count("ibt_save") or self.count("__ibt_endbr_seal"))

    def is_entry(self, place: str, offset: int) -> bool | None:
        """Whether PLACE+OFFSET (``vfs_read``, ``ext4:ext4_sync_fs``) is where a function begins.

        None where that can't be told: addresses are hidden, or the symbol isn't there, or there twice.
        """
        module, colon, name = place.partition(":")
        copies = self.find(name, module) if colon else self.find(module)
        if len(copies) != 1 or copies[0].address is None:
            return None
        address = copies[0].address + offset
        starts = self._starts
        if not starts:
            return None
        at = bisect_right(starts, address) - 1
        if at < 0:
            return False
        within = address - starts[at]
        return within == 0 or (within == ENDBR_SIZE and self.has_endbr)

    @cached_property
    def _starts(self) -> list[int]:
        table = self._table
        if table.addresses_hidden:
            return []
        # A kallsyms is all but sorted: to sort its order as it is takes a hundredth of the time.
        return sorted(address for address in map(table.address, range(len(table))) if address)

    def not_probeable(self, name: str, module: str | None = None) -> str | None:
        """Why the kernel refuses to register a probe at this symbol (``data``, ``blacklisted`` …), or None.

        A name that isn't there, or of which there are several, is none of these.
        """
        copies = self.find(name, module)
        if len(copies) != 1:
            return None
        symbol = copies[0]
        if not self._is_code(symbol):
            return "data"
        if self._is_forbidden(symbol):
            return "blacklisted"
        if name.startswith(_NO_CODE):
            return "no function"
        if self._traceable is not None and not self._is_traceable(name):
            return "not traceable"
        return None

    def _is_traceable(self, name: str) -> bool:
        # within_notrace_func: a part that the compiler split off counts as the function it came from
        traceable = self._traceable
        return traceable is None or name in traceable or name.partition(".")[0] in traceable

    def _is_code(self, symbol: Symbol) -> bool:
        # Since 6.18 kallsyms calls some data "t"; and what the boot freed is code no more.
        if symbol.module is None and symbol.address is not None:
            text = self._range("_stext", "_etext")
            if text is not None:
                return symbol.address in text
        return symbol.is_text

    def _is_forbidden(self, symbol: Symbol) -> bool:
        if self._blacklist is not None and symbol.name in self._blacklist:
            return True
        if self.count(_NOKPROBE + symbol.name):
            return True
        return symbol.address is not None and any(symbol.address in section for section in self._sections)

    @cached_property
    def _sections(self) -> tuple[range, ...]:
        found = (self._range(first, end) for first, end in _FORBIDDEN)
        return tuple(section for section in found if section is not None)

    def _range(self, first: str, end: str) -> range | None:
        one, other = self.find(first), self.find(end)
        if len(one) != 1 or len(other) != 1 or one[0].address is None or other[0].address is None:
            return None
        return range(one[0].address, other[0].address)


def _is_pseudo(module: str) -> bool:
    return module == "bpf" or module.startswith("__builtin__")
