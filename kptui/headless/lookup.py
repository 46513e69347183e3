"""Finds a function for ``kptui args``: in the kernel's or a module's types, among symbols, in the tables of calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from kptui.btf import Btf
from kptui.btf.types import FUNC
from kptui.headless.manners import Unusable
from kptui.kernel.target.types import TypeFiles
from kptui.probes.abi import syscall_of, wrapper_abi
from kptui.probes.check.target import TEXT_STARTS
from kptui.probes.definition import Place
from kptui.probes.params import RESULT, Parameter, Signature
from kptui.probes.suggest import Knowledge
from kptui.probes.suggest.functions import at_the_return
from kptui.probes.suggest.offers import known_signature, names_are_known
from kptui.probes.syscalls import KERNEL_NAMES, enter_event, known_call
from kptui.probes.walk import PathError, Reached, Spot, Walker
from kptui.probes.walk.search import search
from kptui.probes.walk.spot import offsets_of
from kptui.safetext import neutralise
from kptui.symbols import Symbol, SymbolSearch, SymbolTable, other_place
from kptui.symbols.renames import predecessors, successors

_AWAY: Final = re.compile(r"(\w[\w.]*)[+-](?:0x[0-9a-fA-F]+|\d+)", re.ASCII)
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{16}", re.ASCII)
NEAREST: Final = 3
_LONGEST: Final = 512  # letters of a name that are compared with others (KSYM_NAME_LEN)
_HIDDEN: Final = "which is where is hidden (kptr_restrict, or no root)"
POINTERS: Final = 3
"""Behind so many a member is looked for that isn't where a path says; more take longer than a person waits."""


class Missing(Exception):
    """No such function or member; ``near`` are names like it, most alike first."""

    def __init__(self, message: str, near: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.near = tuple(near)


@dataclass(frozen=True, slots=True)
class Found:
    """A function, what is known of it, and its ``signature`` if its parameters are known."""

    place: Place
    known: Knowledge
    signature: Signature | None


class Symbols:
    """A kallsyms, read when it is first needed and parsed when that is needed. ``read`` gives None where there is none;
    ``file`` is the name of the file that it is from. Unusable for a file that is no kallsyms.
    """

    def __init__(self, read: Callable[[], bytes | None], file: str | None = None) -> None:
        self._read = read
        self._file = file

    @cached_property
    def _data(self) -> bytes | None:
        return self._read()

    @cached_property
    def table(self) -> SymbolTable | None:
        if self._data is None:
            return None
        table = SymbolTable.parse(self._data)
        if not len(table) and self._file is not None:
            raise Unusable(f"--kallsyms {self._file}: no line of it is a symbol as /proc/kallsyms shows them")
        return table

    def copies(self, name: str, module: str | None) -> list[Symbol]:
        """The functions of a name, of a module's where one is given; none if there is just one (quickly seen)."""
        text = name.encode("utf-8", "surrogateescape")
        data = self._data or b""
        if data.count(b" %b\n" % text) + data.count(b" %b\t[" % text) < 2 or self.table is None:
            return []
        found = [s for s in self.table.lookup(name) if s.is_text and module in (None, s.module)]
        return found if len(found) > 1 else []


class Lookup:
    """``told``: the symbols were asked for. ``call_format`` is tracefs's text on a system call. ``remarks``: sentences
    for the user.
    """

    def __init__(
        self,
        types: TypeFiles,
        symbols: Symbols,
        features: frozenset[str],
        call_format: Callable[[str], str | None],
        *,
        told: bool,
    ) -> None:
        self.types = types
        self.features = features
        self.remarks: list[str] = []
        self._all = symbols
        self._call_format = call_format
        self._told = told

    @property
    def _table(self) -> SymbolTable | None:
        return self._all.table

    def find(self, text: str) -> Found:
        """A function by its name, ``MODULE:NAME`` for a module's. Raises Missing."""
        module, _, name = text.rpartition(":")
        found = self._find(module, name)
        self._tell_copies(found, name, module or None)
        return found

    def _tell_copies(self, found: Found, name: str, module: str | None) -> None:
        """Say of a name that several functions have how to mean one of them, and which is shown."""
        copies = self._all.copies(name, module)
        if not copies or self._table is None or found.place.module != module:
            return  # that a module's was taken was said
        places = [place for copy in copies if (place := other_place(copy, self._table)) is not None]
        shown = ", ".join(map(neutralise, places[:NEAREST])) + (" …" if len(places) > NEAREST else "")
        how = f"a probe names one as {shown} (kptui symbols {neutralise(name)})" if shown else _HIDDEN
        which = "; the types have one prototype of that name, which is shown" if found.signature else ""
        self.remarks.append(f"{len(copies)} functions are called {neutralise(name)}: {how}{which}")

    def _find(self, module: str, name: str) -> Found:
        known = Knowledge(self.types.kernel, self.features)
        if wrapper_abi(name) is not None:
            own = self._call_format(syscall_of(name) or "")
            known = replace(known, call=None if own is None else enter_event(own))
        found = Found(Place(name, module=module or None), known, None)
        if module:
            types = self.types.module(module)
            known = replace(known, btf=types or self.types.kernel)
            found = replace(found, known=known)
            if types is not None and (signed := known_signature(name, known)) is not None:
                return replace(found, signature=signed)
        else:
            signed = known_signature(name, known)
            if signed is not None and (wrapper_abi(name) is None or self._has_call(name)):
                return replace(self._placed(found), signature=signed)
            for holder, types in self._modules(name):
                known = replace(known, btf=types)
                place = replace(found.place, module=holder)
                return Found(place, known, known_signature(name, known))
        return self._by_symbols(found)

    def _has_call(self, name: str) -> bool:
        """Whether this kernel has that function of a system call, as far as anybody knows."""
        types = self.types.kernel
        if types is not None and types.find(name, FUNC):
            return True
        return bool(self._symbols(name)) if self._table is not None else known_call(name) is not None

    def _placed(self, found: Found) -> Found:
        """The function is in the kernel's types; say so where the symbols that were given don't have it."""
        if self._told and self._table is not None and not self._symbols(found.place.symbol or ""):
            self.remarks.append(f"the symbols have no {found.place.symbol}: no probe can be put there")
        return found

    def _symbols(self, name: str) -> list[Symbol]:
        return [] if self._table is None else self._table.lookup(name)

    def _modules(self, name: str) -> Iterator[tuple[str, Btf]]:
        """The modules whose types have the function; where there are several, that is told."""
        holders = dict.fromkeys(s.module for s in self._symbols(name) if s.module is not None)
        found = [
            (module, types) for module in holders if (types := self._types_with(module, name)) is not None
        ]
        if not holders:
            found = list(self.types.with_function(name))
        if len(found) > 1:
            others = ", ".join(f"{module}:{name}" for module, _ in found)
            self.remarks.append(f"several modules have {name}: {others}; this is that of {found[0][0]}")
        yield from found

    def _types_with(self, module: str, name: str) -> Btf | None:
        types = self.types.module(module)
        return types if types is not None and types.prototype(name) is not None else None

    def _by_symbols(self, found: Found) -> Found:
        """A function without a known prototype: there must be a symbol of that name."""
        name, module = found.place.symbol or "", found.place.module
        if self._table is None and self.types.kernel is None:
            return found
        symbols = [s for s in self._symbols(name) if module is None or s.module == module]
        shown = neutralise(f"{module}:{name}" if module else name)
        if not symbols:
            away = _AWAY.fullmatch(name)
            if away is not None:
                whose = "the function there" if away[1] in TEXT_STARTS else neutralise(away[1])
                raise Missing(f"{shown}: arguments are known at a function's beginning only; ask for {whose}")
            if _ADDRESS.fullmatch(name):
                raise Missing(f"{shown} is an address: ask for the function's name (kptui symbols {shown})")
            raise Missing(f"no function {shown} is known{self._where(module)}", self._near(name, module))
        if not any(symbol.is_text for symbol in symbols):
            raise Missing(f"{shown} is data, not a function")
        if self.types.kernel is not None:
            self.remarks.append(f"type information has no {shown}: registers, as every function has them")
        return found

    def _where(self, module: str | None) -> str:
        if module and self.types.kernel is not None and self.types.module(module) is None:
            return f", and there is no type information of the module {neutralise(module)}"
        return ""

    # -- paths

    def reach(self, found: Found, path: str, *, returns: bool) -> Reached:
        """What a path leads to. Raises Missing."""
        signed = found.signature
        name = found.place.symbol or ""
        if signed is None:
            raise Missing(f"the parameters of {neutralise(name)} are unknown, and so is {neutralise(path)}")
        bare = signed.parameter(path.strip())
        if bare is not None and bare.fetch is not None:
            spot = Spot(path.strip(), bare.name, bare.type)
            offsets = offsets_of(bare.fetch.expr)
            reached = Reached(
                spot, bare.ctype, bare.fetch, offsets=offsets, others=bare.others, note=bare.note
            )
        else:
            reached = self._walked(found, signed, path)
        if returns and not path.lstrip(" *").startswith(RESULT):
            return self._kept(reached, path)
        return reached

    def _walked(self, found: Found, signed: Signature, path: str) -> Reached:
        btf = found.known.btf
        if btf is None:
            raise Missing("members are known by type information only (--btf FILE)")
        walker = Walker(btf, signed, self.features)
        try:
            return walker.reach(walker.parse(path))
        except PathError as error:
            near = dict.fromkeys([*_deeper(walker, path, error.column), *error.near])
            raise Missing(neutralise(error.message), map(neutralise, [*near][:NEAREST])) from error

    def _kept(self, reached: Reached, path: str) -> Reached:
        """The same for a return probe, where only what the kernel kept of the registers is left."""
        if reached.fetch is None:
            return reached
        kept = at_the_return(reached.fetch) if "return_args" in self.features else None
        if kept is None:
            raise Missing(
                f"{neutralise(path)}: this kernel keeps no arguments for the return; $retval is there"
            )
        return replace(reached, fetch=kept, native=None, offsets=offsets_of(kept.expr), others=())

    def native(self, found: Found) -> bool:
        """Whether the kernel's own spelling of a path can be written there."""
        return names_are_known(found.place, found.known)

    # -- names like it

    def _near(self, name: str, module: str | None) -> list[str]:
        near = []
        call = name.removeprefix("sys_").removeprefix("SyS_").removesuffix("(2)")
        wrapper = f"__x64_sys_{KERNEL_NAMES.get(call, call)}"
        if known_call(wrapper) is not None and self._has_call(wrapper):
            near.append(wrapper)
        if self._table is not None:
            search = SymbolSearch(self._table)
            near += [hit.symbol.name for hit in search.search(name, limit=NEAREST, data=False).hits]
            near = near or search.nearest(name)
        else:
            near += self._near_in_types(name, module)
        return [neutralise(text) for text in dict.fromkeys(near) if text != name][:NEAREST]

    def _near_in_types(self, name: str, module: str | None) -> list[str]:
        from rapidfuzz import fuzz, process

        types = self.types.module(module) if module else self.types.kernel
        if types is None:
            return []
        renamed = [other for other in (*successors(name), *predecessors(name)) if types.find(other, FUNC)]
        names = {types.name(number) for number in types.numbers(FUNC)}
        found = process.extract(name[:_LONGEST], sorted(names), scorer=fuzz.ratio, limit=NEAREST)
        return [*renamed, *(text for text, _, _ in found)]


def register_of(parameter: Parameter) -> str | None:
    """The name of the register at the entry (``di``, ``di:si``), ``$stack1``; None if it is nowhere."""
    slot = parameter.slot
    if slot.stack is not None:
        return f"$stack{slot.stack}"
    return ":".join(slot.registers).replace("retval", "ax") or None


def _deeper(walker: Walker, path: str, column: int) -> list[str]:
    """Paths to members that have the name at ``column``, the last of a path, and lie further in than it says. ``sk_X``
    stands for ``__sk_common.skc_X`` in the kernel's own code (include/net/sock.h).
    """
    last = re.fullmatch(r"(\w+)\s*", path[column:])
    if last is None:
        return []
    head = re.match(r"[\s*]*(\w*)", path)
    roots = [root for root in walker.roots() if head is not None and root.name == head[1]] or list(
        walker.roots()
    )
    sought = last[1].lower()
    for name in (sought, sought.replace("sk_", "skc_", 1)):
        found = (hit for root in roots for hit in search(walker, root, name, pointers=POINTERS))
        hits = sorted((hit for hit in found if hit is not None and hit.quality == 0), key=lambda hit: hit.key)
        if hits:
            return [hit.spot.path for hit in hits[:NEAREST]]
    return []
