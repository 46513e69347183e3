"""The kernel to judge for, put together from files that were given and, for those left out, this machine's.

Where this machine has none either, the newest kernel known to the package stands in. Each such substitution, and each
pair of files that can't be from one kernel, is a remark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final, Literal

from kptui.btf import Btf
from kptui.filters import features_from_btf_names
from kptui.kernel.target import data
from kptui.kernel.target.dynamic import DynamicFacts
from kptui.kernel.target.layouts import dentry_offsets
from kptui.kernel.target.machine import Machine, find_file
from kptui.kernel.target.places import Places
from kptui.probes.check import Target, features_of
from kptui.probes.check.session import as_listed
from kptui.probes.check.target import Interface
from kptui.probes.check.traits import release_numbers
from kptui.symbols import SymbolSearch
from kptui.symbols.facts import SymbolFacts
from kptui.symbols.table import SymbolTable

NONE: Final = "none"
# Features of the README that fall with the message that belongs to them, or with BTF altogether.
_PROVEN_BY = {
    "btf": "TP_ERR_NOSUP_BTFARG",
    "members": "TP_ERR_NO_PTR_STRCT",
    "typecast": "TP_ERR_TYPECAST_REQ_FIELD",
    "current": "TP_ERR_TYPECAST_REQ_FIELD",
    "this_cpu": "TP_ERR_NOSUP_PERCPU",
    "fprobe": "TP_ERR_NO_TRACEPOINT",
    "tprobe": "TP_ERR_NO_TRACEPOINT",
    "eprobe": "TP_ERR_NO_EVENT_INFO",
}
_NEED_BTF = frozenset({"btf", "members"})
# The first release of each, as far as that is sure: only for telling that a README and a release don't fit.
_SINCE = {
    "optional_event": (6, 0, 0),
    "btf": (6, 5, 0),
    "members": (6, 6, 0),
    "return_args": (6, 9, 0),
    "dentry": (6, 9, 0),
    "typecast": (7, 2, 0),
}


@dataclass(frozen=True, slots=True)
class Given:
    """The contents of the files that were given; None: left out. ``existing``: lines as listed or as written."""

    readme: str | None = None
    kallsyms: bytes | Literal["none"] | None = None
    btf: bytes | Literal["none"] | None = None
    existing: tuple[str, ...] | None = None
    release: str | None = None
    table: SymbolTable | None = (
        None  # of this machine's kallsyms, or of the one given, where it was read already
    )
    types: Btf | None = None  # of this machine's BTF, or of the one given, likewise


@dataclass
class KernelTarget:
    """One kernel to judge for; each file is read and parsed when it is first needed, and once.

    ValueError, with a sentence, for a kallsyms or a BTF that is none. ``remarks``: sentences for the user, as they
    come up.
    """

    given: Given
    machine: Machine
    interface: Interface = "kprobe"
    remarks: list[str] = field(default_factory=list)

    def remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    # -- which kernel

    @cached_property
    def release(self) -> str:
        if self.given.release is not None:
            return self.given.release
        if self.machine.release is not None:
            return self.machine.release
        self.remark(f"this machine runs no Linux: judged for {data.NEWEST}, the newest kernel known to kptui")
        return data.NEWEST

    @property
    def is_machine(self) -> bool:
        """Whether nothing but definitions was given: the target is this machine as it is."""
        given = self.given
        return (given.readme, given.kallsyms, given.btf, given.release) == (None, None, None, None)

    @property
    def own_symbols(self) -> bool:
        """Whether the symbols are this machine's."""
        return self.given.kallsyms is None

    @cached_property
    def _readme(self) -> tuple[str, bool]:
        """The README, and whether it is the newest kernel's."""
        if self.given.readme is not None:
            return self.given.readme, False
        text, wanted = self.machine.readme, f"{self.interface}_events"
        if text is not None and wanted in text:
            return text, False
        why = (
            f"tracefs's README here knows no {wanted}"
            if text is not None
            else "tracefs's README can't be read here"
        )
        self.remark(
            f"{why}: the one of {data.NEWEST} is taken, the newest kernel known to kptui (--readme FILE)"
        )
        return data.readme(), True

    @cached_property
    def features(self) -> frozenset[str]:
        """What the kernel's parser of definitions can do."""
        text, newest = self._readme
        found = features_of(text)
        if newest and self.codes is not None:
            found -= {name for name, code in _PROVEN_BY.items() if code not in self.codes}
        if self._btf_data == NONE:
            found -= _NEED_BTF
        if self.interface != "uprobe" and self.facts is not None and self.facts.has_endbr:
            found |= {"ibt"}
        if self.interface == "dynamic" and self._lacks("eprobe_register"):
            found -= {"eprobe"}  # the README names event probes even where they aren't built in
        if self.given.readme is not None:
            self._compare(found)
        return found

    def _lacks(self, function: str) -> bool:
        """Whether kallsyms has others of the kernel’s functions for probes, but none of this name."""
        facts = self.facts
        return facts is not None and facts.count("trace_probe_init") > 0 and facts.count(function) == 0

    def _compare(self, found: frozenset[str]) -> None:
        """A README that can't be this release's: the release was probably forgotten."""
        version = release_numbers(self.release)
        btf = self._btf_data != NONE
        odd = [
            name
            for name, since in _SINCE.items()
            if (name in found) != (version >= since) and (btf or name not in _NEED_BTF)
        ]
        if odd:
            whose = "this machine's release" if self.given.release is None else "release"
            self.remark(
                f"the README is not that of {whose} {self.release}: give both of one kernel (--release)"
            )

    # -- BTF

    @cached_property
    def _btf_data(self) -> bytes | Literal["none"] | None:
        """None: there is none to be had."""
        if self.given.btf is not None:
            return self.given.btf
        found = self.machine.btf()
        if found is None:
            self.remark(
                "this machine's kernel has no BTF: names of parameters are believed, checks are those of "
                f"{data.NEWEST if self._all_newest else self.release} (--btf FILE|none)"
            )
        return found

    @property
    def _all_newest(self) -> bool:
        return self.given.release is None and self._readme[1]

    @cached_property
    def codes(self) -> frozenset[str] | None:
        """``TP_ERR_*`` and ``FILT_ERR_*`` of this kernel; None where only the release can tell."""
        blob = self._btf_data
        if blob is None and self._all_newest:
            return data.codes()
        if blob is None or blob == NONE:
            return None
        if self.given.btf is None and self.release != self.machine.release:
            self.remark(
                f"BTF is this machine's, of {self.machine.release}, not of {self.release} (--btf FILE|none)"
            )
            return None
        btf = self.btf
        return frozenset([*btf.enumerators("TP_ERR_"), *btf.enumerators("FILT_ERR_")]) if btf else None

    @cached_property
    def btf(self) -> Btf | None:
        blob = self._btf_data
        if not isinstance(blob, bytes):
            return None
        if self.given.types is not None:
            return self.given.types
        try:
            return Btf.parse(blob)
        except ValueError as error:
            raise ValueError(f"the BTF is damaged: {error}") from error

    # -- symbols

    @cached_property
    def facts(self) -> SymbolFacts | None:
        """None: every symbol exists once."""
        if self.given.kallsyms == NONE:
            return None
        given = self.given
        if isinstance(given.kallsyms, bytes):
            return SymbolFacts.parse(given.kallsyms) if given.table is None else _facts_of(given.table)
        table = given.table
        if table is None:
            found = self.machine.kallsyms()
            if found is None:
                self.remark(
                    "this machine's symbols can't be read: every symbol is taken to exist once (--kallsyms FILE)"
                )
                return None
            table = SymbolTable.parse(found)
        machine = self.machine
        return SymbolFacts(
            table,
            blacklist=machine.blacklist(),
            traceable=machine.traceable(),
            modules=machine.modules(),
            lines_of=None if given.table is None else lru_cache(maxsize=4096)(table.indices),
        )

    @cached_property
    def search(self) -> SymbolSearch | None:
        """For names like one that isn't there; None: there are no symbols."""
        return None if self.facts is None else SymbolSearch(self.facts.table)

    # -- what judges take

    @cached_property
    def places(self) -> Places:
        """What definitions need to know of symbols and events."""
        return Places(self)

    @cached_property
    def dynamic(self) -> DynamicFacts:
        """What only definitions of dynamic_events need."""
        return DynamicFacts(self)

    @cached_property
    def definitions(self) -> Target:
        """For check_definition."""
        own = self.given.existing is None
        machine = self.machine
        if own and machine.listed is None:
            self.remark(
                "the probes of this machine can't be listed: none is taken to stand (--existing FILE)"
            )
        remember = lru_cache(maxsize=1 << 14)  # thousands of lines are about a few functions
        target = Target(
            release=self.release,
            features=self.features,
            symbol_count=remember(self.places.symbol_count),
            is_loaded_module=self.places.is_loaded_module,
            landing=remember(self.places.landing),
            not_probeable=remember(self.places.not_probeable),
            copies=remember(self.places.copies),
            event_exists=remember(self.places.event_exists),
            existing=tuple(item.line for item in machine.listed or ()) if own else (),
            enabled=machine.enabled() if own else frozenset(),
            btf=self.btf,
            error_codes=self._probe_codes,
            interface=self.interface,
            find_file=find_file,
            is_traceable=self.dynamic.is_traceable,
            event_fields=self.dynamic.event_fields,
            check_event_filter=self.dynamic.check_event_filter,
            module_btf=self.dynamic.module_btf,
        )
        if self.btf is not None:
            target = replace(target, dentry_offsets=dentry_offsets(self.btf) or target.dentry_offsets)
        return target if own else replace(target, existing=self._listed(target))

    def _listed(self, target: Target) -> tuple[str, ...]:
        """The definitions that were given, as the kernel would list them."""
        found = []
        for number, line in enumerate(self.given.existing or (), 1):
            if not line.partition("#")[0].strip():
                continue
            listed = as_listed(line, target)
            if listed is None:
                self.remark(f"--existing, line {number} defines nothing and is passed over")
            else:
                found.append(listed)
        return tuple(found)

    @property
    def _probe_codes(self) -> frozenset[str] | None:
        if self.codes is None:
            return None
        found = {name.removeprefix("TP_ERR_") for name in self.codes if name.startswith("TP_ERR_")}
        return frozenset(found) or None

    @property
    def filter_features(self) -> frozenset[str]:
        """For check_filter."""
        return features_from_btf_names(self.codes or frozenset(), self.release)

    @property
    def has_function(self) -> Callable[[str], bool | None]:
        """For check_filter: whether there is a symbol of that name."""
        return lambda name: None if self.facts is None else self.facts.count(name) > 0

    @property
    def cpus(self) -> int | None:
        """Possible CPUs of this machine, if that is the target."""
        return self.machine.cpus() if self.is_machine else None


def _facts_of(table: SymbolTable) -> SymbolFacts:
    """Without a dictionary of all names: for lines that are typed one after the other, not for thousands."""
    return SymbolFacts(table, lines_of=lru_cache(maxsize=4096)(table.indices))
