"""What a kallsyms tells about a place to probe: whether it is there, once, code, an entry, and forbidden.

Sources: kernel/kprobes.c (check_kprobe_address_safe, the blacklist of NOKPROBE_SYMBOL and of whole sections),
kernel/trace/trace_kprobe.c; compared with the blacklists of kernels from 5.10 to 7.3: every symbol that is
called blacklisted here is so there (assembler stubs of theirs are missed).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import cached_property
from typing import Literal

from kptui.symbols.table import Symbol, SymbolTable

Nowhere = Literal["nowhere"]
ENDBR_SIZE = 4
_MODULE_GAP = 1 << 16  # bytes behind a module's symbol that are likely the module's
_MODULE_END = 1 << 20  # and that surely aren't
# Sections in which no probe is allowed: first and end symbol (arch_within_kprobe_blacklist and its like).
_FORBIDDEN = (
    ("__kprobes_text_start", "__kprobes_text_end"),
    ("__noinstr_text_start", "__noinstr_text_end"),
    ("__entry_text_start", "__entry_text_end"),
)
_TEXT_STARTS = ("_text", "_stext")  # assembler code stands there
_NOKPROBE = "_kbl_addr_"  # the variable that NOKPROBE_SYMBOL() makes
_CALL_SIZE = 5  # bytes of a call, or of the nop in its place
_NO_FUNCTION = ("__pfx_", "__cfi_", "__SCT__")  # never traceable, hence refused


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
        self.table = table
        self._lines_of = lines_of
        self._blacklist = blacklist
        self._traceable = traceable
        self.modules = modules | {name for name in table.modules if not _is_pseudo(name)}

    @classmethod
    def parse(cls, data: bytes) -> SymbolFacts:
        """From the bytes of a kallsyms. ValueError if no line of it is a symbol."""
        table = SymbolTable.parse(data)
        if not len(table):
            raise ValueError("kallsyms: no line of it is a symbol as /proc/kallsyms shows them")
        return cls(table)

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, list[int]]]:
        """The first line of each name, and all lines of the names that come more than once."""
        first: dict[str, int] = {}
        again: dict[str, list[int]] = {}
        for i, name in enumerate(self.table.names):
            if first.setdefault(name, i) != i:
                again.setdefault(name, [first[name]]).append(i)
        return first, again

    def find(self, name: str, module: str | None = None) -> list[Symbol]:
        """The symbols of exactly this name in the kernel and its modules, or in ``module`` only."""
        found = [self.table.symbol(i) for i in self._lines(name)]
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
            if self._is_code(symbol) and not self._is_forbidden(symbol) and self._is_traceable(name)
        ]

    def count(self, name: str, module: str | None = None) -> int:
        """How many symbols have this name."""
        return len(self.find(name, module))

    def is_loaded(self, module: str) -> bool:
        return module in self.modules

    @cached_property
    def has_endbr(self) -> bool:
        """Whether functions may begin with ENDBR64 (CONFIG_X86_KERNEL_IBT)."""
        return bool(self.count("ibt_save") or self.count("__ibt_endbr_seal"))

    def landing(self, place: str | None, offset: int) -> tuple[Symbol, int] | Nowhere | None:
        """The symbol around PLACE+OFFSET (``vfs_read``, ``ext4:ext4_sync_fs``; None: OFFSET is an address), which
        may be another one than PLACE, and the bytes into it; ``nowhere`` outside the kernel and its modules. Of
        several symbols of that name the first counts, as for the kernels that take one.

        None where that can't be told: addresses are hidden, or PLACE isn't there.
        """
        address = offset
        if place is not None:
            module, colon, name = place.partition(":")
            copies = self.find(name, module) if colon else self.find(module)
            if not copies or copies[0].address is None:
                return None
            address += copies[0].address
        image, found = self._image, self.table.resolve(address)
        if image is None:
            return None
        if address in image:
            return (self.find("_text")[0], 0) if address == image.start else found
        if found is None or found[0].module is None or found[1] >= _MODULE_END:
            return "nowhere"
        return found if found[1] < _MODULE_GAP and not _is_pseudo(found[0].module) else None

    def is_entry(self, place: str | None, offset: int) -> bool | None:
        """Whether PLACE+OFFSET is where a function begins; None where that can't be told.

        Behind an ENDBR64 it is still the beginning. Which static functions have one only their code tells: all are
        taken to.
        """
        found = self.landing(place, offset)
        if found is None or found == "nowhere":
            return None if found is None else False
        symbol, within = found
        return within == 0 or (within == ENDBR_SIZE and self.has_endbr and _is_whole(symbol))

    def breaks_instruction(self, place: str | None, offset: int) -> bool:
        """Whether PLACE+OFFSET is for certain inside one of the first instructions of a function: ENDBR64 where there
        is one, and the call of ftrace (``-mfentry``). False as well where that can't be told.
        """
        found = self.landing(place, offset) if self.count("__fentry__") else None
        if found is None or found == "nowhere" or not _is_whole(found[0]) or not self._is_code(found[0]):
            return False
        symbol, within = found
        if not self.has_endbr:
            return 0 < within < _CALL_SIZE
        # A function that others may call by address has an ENDBR64, a static one perhaps.
        behind = symbol.type in "TW" and ENDBR_SIZE < within < ENDBR_SIZE + _CALL_SIZE
        return behind or 0 < within < ENDBR_SIZE

    def not_probeable(self, name: str, module: str | None = None) -> str | None:
        """Why the kernel refuses to register a probe at this symbol (``data``, ``blacklisted`` …), or None.

        Of several symbols of that name, what holds for all of them; a name that isn't there is none of these.
        """
        reasons = {self._reason(symbol) for symbol in self.find(name, module)}
        return reasons.pop() if len(reasons) == 1 else None

    def _reason(self, symbol: Symbol) -> str | None:
        if not self._is_code(symbol):
            return "data"
        if self._is_forbidden(symbol):
            return "blacklisted"
        if symbol.name.startswith(_NO_FUNCTION) or symbol.name in _TEXT_STARTS:
            return "no function"
        return None if self._is_traceable(symbol.name) else "not traceable"

    def _is_traceable(self, name: str) -> bool:
        # within_notrace_func: a part that the compiler split off counts as the function it came from
        traceable = self._traceable
        return traceable is None or name in traceable or name.partition(".")[0] in traceable

    def _is_code(self, symbol: Symbol) -> bool:
        # Since 6.18 kallsyms calls some data "t"; and what the boot freed is code no more.
        if symbol.module is None and symbol.address is not None and self._text is not None:
            return symbol.address in self._text
        return symbol.is_text

    def _is_forbidden(self, symbol: Symbol) -> bool:
        if self._blacklist is not None and symbol.name in self._blacklist:
            return True
        if self.count(_NOKPROBE + symbol.name):
            return True
        return symbol.address is not None and any(symbol.address in section for section in self._sections)

    @cached_property
    def _image(self) -> range | None:
        return self._range("_text", "_end")

    @cached_property
    def _text(self) -> range | None:
        return self._range("_stext", "_etext")

    @cached_property
    def _sections(self) -> tuple[range, ...]:
        found = (self._range(first, end) for first, end in _FORBIDDEN)
        return tuple(section for section in found if section is not None)

    def _range(self, first: str, end: str) -> range | None:
        one, other = self.find(first), self.find(end)
        if len(one) != 1 or len(other) != 1 or one[0].address is None or other[0].address is None:
            return None
        return range(one[0].address, other[0].address)


def _is_whole(symbol: Symbol) -> bool:
    """A function from its beginning, not padding, a trampoline, or a part that the compiler split off."""
    return symbol.is_text and not symbol.name.startswith(_NO_FUNCTION) and ".cold" not in symbol.name


def _is_pseudo(module: str) -> bool:
    return module == "bpf" or module.startswith("__builtin__")
