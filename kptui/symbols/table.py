"""The kernel's symbols in little memory: what ``/proc/kallsyms`` says, 250,000 lines, parsed at C speed.

Names are the only Python objects kept per symbol; addresses, types and modules are flat arrays. Everything
that needs more than one pass (exact look-up, addresses in order) is built when it is first asked for.
"""

from __future__ import annotations

import itertools
import marshal
import operator
import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kptui.symbols import names as naming

_LINE = re.compile(rb"([0-9a-fA-F]{1,16}) ([!-~]) ([^ \t\n\r\v\f]+)(?:\t\[([^\] \t\n\r\v\f]+)\])?[ \t\r]*")
_ADDRESS, _NAME = 16, 19  # columns in a line of the usual shape: 16 hex digits, blank, type, blank, name
_NO_MODULE = 0
_KEPT = 64  # names that were looked up: the same few are asked for again and again


@dataclass(frozen=True, slots=True)
class Symbol:
    """A line of kallsyms. ``address`` is None where the kernel hides addresses; ``type`` is nm's letter."""

    address: int | None
    type: str
    name: str
    module: str | None

    @property
    def is_text(self) -> bool:
        """A function by its letter (t, T, w, W)."""
        return self.type in naming.TEXT_TYPES

    @property
    def is_noise(self) -> bool:
        """Compiler marks (``__pfx_``, ``__cfi_``, ``$x``) that are hidden unless asked for."""
        return naming.is_noise(self.name)


class SymbolTable:
    """Every symbol, in the file's order. Immutable; built by :meth:`parse`.

    ``bad_lines`` counts the lines that were no symbol; ``addresses_hidden`` is True when all addresses are
    zero, which is how kptr_restrict and missing rights show (a first line at 0 is normal).
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        types: str,
        addresses: array[int],
        modules: array[int],
        module_names: tuple[str, ...],
        bad_lines: int = 0,
    ) -> None:
        self.names = names
        self.types = types
        self.bad_lines = bad_lines
        self.addresses_hidden = bool(names) and not addresses.tobytes().strip(b"\0")
        self._addresses = addresses
        self._modules = modules
        self._module_names = module_names  # [0] stands for "in the kernel itself"
        self._counts: tuple[int, int] | None = None
        self._sorted: tuple[array[int], array[int]] | None = None
        self._by_length: list[array[int]] | None = None
        self._found: dict[str, tuple[int, ...]] = {}

    @classmethod
    def parse(cls, data: bytes) -> SymbolTable:
        """The table of ``data``, the bytes of ``/proc/kallsyms``.

        Takes anything: lines that are no symbols are counted in ``bad_lines``, nothing is raised. Names
        that are not UTF-8 keep their bytes as surrogates. About 0.5 µs a line when every line has the usual
        shape.
        """
        return _parse_regular(data) or _parse_any(data)

    def pack(self) -> bytes:
        """All of it for :meth:`unpack`, which takes a tenth of the time of a parse: for another process of the same
        program.
        """
        return marshal.dumps(
            (
                "\n".join(self.names).encode("utf-8", "surrogateescape"),
                self.types,
                self._addresses.tobytes(),
                self._modules.tobytes(),
                self._module_names,
                self.bad_lines,
                self._count(),
            )
        )

    @classmethod
    def unpack(cls, data: bytes) -> SymbolTable:
        """The table that was packed into ``data``, which must come from :meth:`pack`."""
        names, types, addresses, modules, module_names, bad_lines, counts = marshal.loads(data)
        table = cls(
            names=names.decode("utf-8", "surrogateescape").split("\n") if names else [],
            types=types,
            addresses=array("Q", addresses),
            modules=array("H", modules),
            module_names=module_names,
            bad_lines=bad_lines,
        )
        table._counts = counts
        return table

    def __len__(self) -> int:
        return len(self.names)

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules that have symbols, in the file's order."""
        return self._module_names[1:]

    @property
    def text_count(self) -> int:
        """Functions, without the hidden noise."""
        return self._count()[0]

    @property
    def data_count(self) -> int:
        """Everything that is neither a function nor noise."""
        return self._count()[1]

    @property
    def noise_count(self) -> int:
        """Compiler marks that are hidden by default."""
        return len(self.names) - sum(self._count())

    def symbol(self, i: int) -> Symbol:
        """The symbol of line ``i`` (of the good ones); IndexError outside."""
        name = self.names[i]
        module = self._modules[i]
        return Symbol(
            None if self.addresses_hidden else self._addresses[i],
            self.types[i],
            name,
            None if module == _NO_MODULE else self._module_names[module],
        )

    def lines(self) -> Iterator[tuple[str, str, int, int]]:
        """Type, name, number of the module, address of each line."""
        return zip(self.types, self.names, self._modules, self._addresses, strict=True)

    def module_codes(self) -> Sequence[int]:
        """The number of the module of each line, 0 for the kernel itself."""
        return self._modules

    def module_lines(self) -> Iterator[int]:
        """The lines that belong to modules, in order."""
        return itertools.compress(range(len(self.names)), self._modules)

    def address(self, i: int) -> int:
        """The address of line ``i``; 0 where it is hidden, or 0."""
        return self._addresses[i]

    def module(self, i: int) -> str | None:
        """The module of line ``i``; None for the kernel itself."""
        module = self._modules[i]
        return None if module == _NO_MODULE else self._module_names[module]

    def module_number(self, i: int) -> int:
        """The module of line ``i`` as a number: 0 for the kernel itself, else its place in ``modules``, from 1 up."""
        return self._modules[i]

    def module_numbers(self, modules: Collection[str | None]) -> frozenset[int]:
        """Those numbers of some modules; None is the kernel itself."""
        return frozenset(number for number, name in enumerate((None, *self.modules)) if name in modules)

    def module_bytes(self, lines: Iterable[int] | None = None) -> bytes:
        """The module's number of each line, or of these, in two bytes, the lower first."""
        numbers = self._modules
        return (numbers if lines is None else array("H", map(numbers.__getitem__, lines))).tobytes()

    def code_bounds(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Where the kernel's code is, and the part of it that is freed after boot: first address and the one behind;
        None where the table doesn't tell.
        """
        if self.addresses_hidden:
            return None
        marks = [self.lookup(name) for name in ("_stext", "_etext", "__init_begin", "__init_end")]
        start, end, first, last = ((found[0].address or 0) if found else 0 for found in marks)
        return ((start, end), (first, last)) if start < end and first < last else None

    def by_length(self) -> Sequence[array[int]]:
        """For each length of a name, 0 up, the lines whose names have it, in order. Built once, 4 bytes a
        symbol.
        """
        if self._by_length is None:
            lengths: dict[int, array[int]] = {}
            for i, length in enumerate(map(len, self.names)):
                try:
                    lengths[length].append(i)
                except KeyError:
                    lengths[length] = array("I", (i,))
            empty = array("I")
            self._by_length = [lengths.get(n, empty) for n in range(max(lengths, default=0) + 1)]
        return self._by_length

    def set_by_length(self, lines: Sequence[array[int]]) -> None:
        """Save :meth:`by_length` its work: ``lines`` is what it said of an equal table."""
        self._by_length = list(lines)

    def indices(self, name: str) -> list[int]:
        """The lines whose name is exactly ``name``, in order. Looks at the names of the same length only."""
        found = self._found.get(name)
        if found is None:
            lengths = self.by_length()
            lines = lengths[len(name)] if len(name) < len(lengths) else ()
            names = map(self.names.__getitem__, lines)
            found = tuple(itertools.compress(lines, map(operator.eq, names, itertools.repeat(name))))
            if len(self._found) >= _KEPT:
                self._found.clear()
            self._found[name] = found
        return [*found]

    def lookup(self, name: str, module: str | None = None) -> list[Symbol]:
        """Every symbol of exactly this name, in all modules or in ``module`` only."""
        found = [self.symbol(i) for i in self.indices(name)]
        return found if module is None else [symbol for symbol in found if symbol.module == module]

    def resolve(self, address: int) -> tuple[Symbol, int] | None:
        """The symbol at or nearest below ``address`` and the distance in bytes; functions before other names.

        None when addresses are hidden or nothing lies below.
        """
        if self.addresses_hidden or not self.names:
            return None
        if self._sorted is None:
            order = array("I", sorted(range(len(self.names)), key=self._addresses.__getitem__))
            self._sorted = array("Q", [self._addresses[i] for i in order]), order
        starts, order = self._sorted
        at = bisect_right(starts, address) - 1
        if at < 0:
            return None
        best = self.symbol(order[at])
        for other in range(at - 1, -1, -1):
            if starts[other] != starts[at]:
                break
            candidate = self.symbol(order[other])
            if candidate.is_text >= best.is_text and not candidate.is_noise:
                best = candidate
        return best, address - starts[at]

    def function_around(self, address: int) -> int | None:
        """The line of the function that ``address`` lies in, as far as it can be told. Looks at all: some 10 ms."""
        start = max(filter(address.__ge__, self._addresses), default=0)
        if start == 0 or address - start > 0xFFFF:  # hidden, or farther in than the largest function is long
            return None
        there = itertools.compress(range(len(self.names)), map(start.__eq__, self._addresses))
        text = [i for i in there if self.types[i] in naming.TEXT_TYPES and not naming.is_noise(self.names[i])]
        return text[-1] if text else None  # marks such as _stext stand before what begins there

    def _count(self) -> tuple[int, int]:
        if self._counts is None:
            noise = [t for t, name in zip(self.types, self.names, strict=True) if naming.is_noise(name)]
            noise_text = sum(t in naming.TEXT_TYPES for t in noise)
            text = sum(self.types.count(t) for t in naming.TEXT_TYPES)
            self._counts = text - noise_text, len(self.names) - text - (len(noise) - noise_text)
        return self._counts


def _parse_regular(data: bytes) -> SymbolTable | None:
    """The table, if every line is ``16 hex digits, blank, letter, blank, name[TAB [module]]``; else None.

    Column slices and whole-buffer checks only. Two blanks a line, both where they belong, mean that no
    field has one; ``fromhex`` skips white space but then gives too few bytes.
    """
    if not data.endswith(b"\n") or any(c in data for c in (b"\r", b"\v", b"\f")):
        return None
    text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    lines.pop()
    count = len(lines)
    if text.count(" ") != 2 * count:
        return None
    del text
    types = "".join([line[_ADDRESS + 1 : _ADDRESS + 2] for line in lines])
    seams = {line[_ADDRESS:_NAME:2] for line in lines}
    try:
        raw = bytes.fromhex("".join([line[:_ADDRESS] for line in lines]))
    except ValueError:
        return None
    names = [line[_NAME:] for line in lines]
    del lines
    if (
        seams != {"  "}
        or len(raw) != 8 * count
        or len(types) != count
        or not "!" <= min(types) <= max(types) <= "~"
    ):
        return None
    addresses = array("Q", raw)
    addresses.byteswap()  # the digits are big-endian, the machines that kptui knows are not
    modules = array("H", bytes(2 * count))
    known: dict[str, int] = {}
    with_module = [i for i, name in enumerate(names) if "\t" in name]
    for i in with_module:
        name, _, tail = names[i].partition("\t")
        if len(tail) < 3 or tail[0] != "[" or tail[-1] != "]" or "]" in tail[:-1] or "\t" in tail:
            return None
        names[i] = name
        modules[i] = known.setdefault(tail, len(known) + 1) if len(known) < 0xFFFE else known.get(tail, 0)
    if not all(names):
        return None
    module_names = ("", *(tail[1:-1] for tail in known))
    return SymbolTable(
        names=names, types=types, addresses=addresses, modules=modules, module_names=module_names
    )


def _parse_any(data: bytes) -> SymbolTable:
    names: list[str] = []
    types: list[str] = []
    addresses = array("Q")
    modules = array("H")
    known: dict[str, int] = {}
    bad = 0
    for line in data.split(b"\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            bad += bool(line.strip())
            continue
        address, type_, name, module = match.groups()
        number = _NO_MODULE
        if module is not None:
            text = module.decode("utf-8", "surrogateescape")
            number = known.setdefault(text, len(known) + 1) if len(known) < 0xFFFE else known.get(text, 0)
        names.append(name.decode("utf-8", "surrogateescape"))
        types.append(type_.decode("ascii"))
        addresses.append(int(address, 16))
        modules.append(number)
    return SymbolTable(
        names=names,
        types="".join(types),
        addresses=addresses,
        modules=modules,
        module_names=("", *known),
        bad_lines=bad,
    )
