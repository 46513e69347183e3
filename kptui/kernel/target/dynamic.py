"""What a judge of dynamic_events needs of a kernel besides what kprobes need: traceable functions, the fields of
events and their filters, the type information of modules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Protocol

from kptui.btf import Btf
from kptui.events.format import EventFormat, FormatError, parse_format
from kptui.filters import check_filter
from kptui.kernel.target.machine import Machine
from kptui.kernel.target.staticevents import has_static_event
from kptui.symbols.facts import SymbolFacts
from kptui.verdict import Verdict


class Kernel(Protocol):
    """The kernel as far as it is put together."""

    machine: Machine

    @property
    def is_machine(self) -> bool: ...
    @property
    def own_symbols(self) -> bool: ...
    @property
    def facts(self) -> SymbolFacts | None: ...
    @property
    def btf(self) -> Btf | None: ...
    @property
    def filter_features(self) -> frozenset[str]: ...
    @property
    def has_function(self) -> Callable[[str], bool | None]: ...
    @property
    def cpus(self) -> int | None: ...


class DynamicFacts:
    """Each method as the field of kptui.probes.check.Target of that name; events' formats, and modules' types, are
    known only where this machine is the target. Names have one character a byte.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._modules: dict[str, Btf | None] = {}

    @cached_property
    def _traceable(self) -> frozenset[str] | None:
        return self._kernel.machine.traceable() if self._kernel.own_symbols else None

    def is_traceable(self, text: str) -> bool | None:
        name, known = _read(text), self._traceable
        if any(char in name for char in "*?["):
            return None if known is None else any(fnmatchcase(other, name) for other in known)
        if known is not None:
            return name in known
        facts = self._kernel.facts
        return False if facts is not None and not facts.count(name) else None

    def _format(self, group: str, event: str) -> EventFormat | None:
        kernel = self._kernel
        text = kernel.machine.event_format(_read(group), _read(event)) if kernel.is_machine else None
        try:
            return None if text is None else parse_format(text)
        except FormatError:
            return None

    def event_fields(self, group: str, event: str) -> tuple[str, ...] | None:
        found = self._format(group, event)
        if found is None:
            return self._fields_by_types(_read(group), _read(event))
        return tuple(field.name for field in found.fields if not field.common)

    def _fields_by_types(self, group: str, event: str) -> tuple[str, ...] | None:
        """Those of an event that TRACE_EVENT() makes, by its record's structure; events that share one with others
        (DEFINE_EVENT) and system calls have none of their name.
        """
        btf = self._kernel.btf
        record = btf.struct(f"trace_event_raw_{event}") if btf is not None else None
        if record is None or not has_static_event(self._kernel.facts, group, event):
            return None
        names = (member.name for member in record.members if member.name not in ("ent", "__data"))
        return tuple(re.sub("^__(?:data|rel)_loc_", "", name) for name in names)

    def check_event_filter(self, group: str, event: str, text: str) -> Verdict | None:
        found, kernel = self._format(group, event), self._kernel
        if found is None:
            return None
        features, known, cpus = kernel.filter_features, kernel.has_function, kernel.cpus
        return check_filter(text, found, features, has_function=known, cpus=cpus, in_file=False)

    def module_btf(self, function: str) -> Btf | None:
        """Of the first module that has the function."""
        facts, name = self._kernel.facts, _read(function)
        if not self._kernel.is_machine or facts is None:
            return None
        for symbol in facts.find(name):
            found = None if symbol.module is None else self._types(symbol.module)
            if found is not None and found.prototype(name) is not None:
                return found
        return None

    def _types(self, module: str) -> Btf | None:
        if module not in self._modules:
            blob, base = self._kernel.machine.module_btf(module), self._kernel.btf
            try:
                self._modules[module] = None if blob is None or base is None else Btf.parse(blob, base)
            except ValueError:
                self._modules[module] = None
        return self._modules[module]


def _read(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogateescape")
