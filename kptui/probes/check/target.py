"""The kernel that a definition is meant for: what it can do, what it knows, what stands in it already."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kptui.btf import Btf
from kptui.probes.check.traits import FEATURES_6_12, README_FEATURES, Traits, traits_of
from kptui.verdict import Verdict

Interface = Literal["kprobe", "uprobe", "dynamic"]
"""The file of tracefs that a line is written to: ``kprobe_events``, ``uprobe_events``, ``dynamic_events``."""

TEXT_STARTS = frozenset({"_text", "_stext"})
"""Symbols from which an offset reaches any function: the way to name one copy of a duplicate."""


@dataclass(frozen=True, slots=True)
class File:
    """What a path leads to, links followed. ``identity``: equal for two paths to the same file, None if that
    can't be told.
    """

    regular: bool = True
    identity: Hashable = None


@dataclass(frozen=True, slots=True)
class Copy:
    """One of several functions of one name. ``address`` and ``offset`` (bytes from ``_text``) are None where
    addresses are hidden; ``module`` is None for the kernel itself.
    """

    address: int | None
    module: str | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class Landing:
    """Where an address leads: the function around it, and how far into it (0 for its ENDBR64's end, too).

    ``inside``: for certain in the middle of an instruction.
    """

    function: str
    offset: int
    inside: bool = False


NOWHERE = Landing("", -1)
"""Neither in the kernel nor in a module."""


@dataclass(frozen=True, slots=True)
class Target:
    """A kernel to judge for. Everything but the release and the features may be left unknown.

    ``interface``: the file that the lines are written to. ``release``: ``uname -r``. ``features``: names of
    README_FEATURES, and ``ibt``.
    ``symbol_count(name, module)``: how many symbols of that name kallsyms has (``module`` None: in the kernel
    and all modules); None, as a result or as the function: unknown, taken for one.
    ``is_loaded_module(name)``: None or no function: unknown, taken for not loaded when symbol_count knows
    nothing of it. ``copies(name)``: the functions of a name that exists more than once, to choose from.
    ``is_entry(symbol, offset)``: whether that place is a function's entry, None if unknown.
    ``landing(symbol, offset)``: the function at that place by its address, which may be another than the one
    named (``_text+OFFSET``), or NOWHERE; with ``symbol`` None the offset is an address; None if unknown.
    ``not_probeable(symbol, module)``: why the kernel will refuse to register there (``blacklisted``), or
    None. ``existing``: definitions that stand, as kprobe_events or dynamic_events list them.
    ``enabled``: which of them are enabled somewhere, as ``group/event``.
    ``event_exists(group, event)``: whether some other kind of event has that name.
    ``btf``: the kernel's type information; None: unknown, and every parameter name is believed.
    ``is_traceable(text)``: whether ftrace can trace a function of that name, or one that the pattern (``*``,
    ``?``, ``[``) matches: what fprobes need, and the stubs of tracepoints (``__probestub_NAME``); None: unknown,
    taken for so. ``event_fields(group, event)``: names of an event's own fields, without ``common_…``; None:
    unknown. ``check_event_filter(group, event, text)``: the verdict on a filter for that event (kptui.filters, not
    as one in a file); None: unknown, taken for right.
    ``module_btf(function)``: the type information of the loaded module that has the function, for what ``btf``
    doesn't know; None: there is none, or it is unknown.
    ``find_file(path)``: what a uprobe's path leads to where the line is written, or the errno's name
    (``ENOENT``) if nowhere; None: unknown, taken for a regular file.
    ``dentry_offsets``: of ``d_name.name`` in struct dentry and ``f_path.dentry`` in struct file.
    ``error_codes``: the kernel's message codes without ``TP_ERR_``, from its BTF; None: unknown.
    """

    release: str = "6.12"
    features: frozenset[str] = FEATURES_6_12
    symbol_count: Callable[[str, str | None], int | None] | None = None
    existing: Sequence[str] = ()
    is_loaded_module: Callable[[str], bool | None] | None = None
    is_entry: Callable[[str, int], bool | None] | None = None
    landing: Callable[[str | None, int], Landing | None] | None = None
    not_probeable: Callable[[str, str | None], str | None] | None = None
    event_exists: Callable[[str, str], bool | None] | None = None
    enabled: frozenset[str] = frozenset()
    btf: Btf | None = None
    dentry_offsets: tuple[int, int] = (0x28, 0x48)
    error_codes: frozenset[str] | None = None
    interface: Interface = "kprobe"
    find_file: Callable[[str], File | str | None] | None = None
    copies: Callable[[str], Sequence[Copy]] | None = None
    is_traceable: Callable[[str], bool | None] | None = None
    event_fields: Callable[[str, str], Iterable[str] | None] | None = None
    check_event_filter: Callable[[str, str, str], Verdict | None] | None = None
    module_btf: Callable[[str], Btf | None] | None = None

    @classmethod
    def from_readme(
        cls,
        readme: str,
        release: str,
        *,
        symbol_count: Callable[[str, str | None], int | None] | None = None,
        existing: Sequence[str] = (),
        is_loaded_module: Callable[[str], bool | None] | None = None,
        is_entry: Callable[[str, int], bool | None] | None = None,
        landing: Callable[[str | None, int], Landing | None] | None = None,
        not_probeable: Callable[[str, str | None], str | None] | None = None,
        event_exists: Callable[[str, str], bool | None] | None = None,
        enabled: frozenset[str] = frozenset(),
        btf: Btf | None = None,
        error_codes: frozenset[str] | None = None,
        interface: Interface = "kprobe",
        find_file: Callable[[str], File | str | None] | None = None,
        copies: Callable[[str], Sequence[Copy]] | None = None,
        is_traceable: Callable[[str], bool | None] | None = None,
        event_fields: Callable[[str, str], Iterable[str] | None] | None = None,
        check_event_filter: Callable[[str, str, str], Verdict | None] | None = None,
        module_btf: Callable[[str], Btf | None] | None = None,
        extra: Iterable[str] = (),
    ) -> Target:
        """A target from the text of tracefs's ``README``; ``extra`` adds features that it cannot tell."""
        return cls(
            release=release,
            features=features_of(readme) | frozenset(extra),
            symbol_count=symbol_count,
            existing=existing,
            is_loaded_module=is_loaded_module,
            is_entry=is_entry,
            landing=landing,
            not_probeable=not_probeable,
            event_exists=event_exists,
            enabled=enabled,
            btf=btf,
            error_codes=error_codes,
            interface=interface,
            find_file=find_file,
            copies=copies,
            is_traceable=is_traceable,
            event_fields=event_fields,
            check_event_filter=check_event_filter,
            module_btf=module_btf,
        )

    @property
    def traits(self) -> Traits:
        """The parser's switches."""
        return traits_of(self.release, self.features, self.error_codes)

    def count(self, name: str, module: str | None = None) -> int:
        """Copies of a symbol; 1 where nothing is known."""
        if self.symbol_count is None:
            return 1
        known = self.symbol_count(name, module)
        return 1 if known is None else known

    def module_loaded(self, name: str) -> bool:
        """Whether the module is loaded; False where nothing is known (the kernel then waits for it)."""
        return bool(self.is_loaded_module and self.is_loaded_module(name))

    def lands(self, symbol: str | None, offset: int) -> Landing | None:
        """The function at a place; None where nothing is known."""
        return self.landing(symbol, offset) if self.landing else None

    def entry(self, symbol: str, offset: int) -> bool:
        """Whether the kernel takes SYMBOL+OFFSET for the entry of a function.

        Offsets from the start of the kernel's text reach any function, so that they are believed.
        """
        known = self.is_entry(symbol, offset) if self.is_entry else None
        if known is not None:
            return known
        if (landed := self.lands(symbol, offset)) is not None:
            return landed.offset == 0
        return offset == 0 or (offset == 4 and "ibt" in self.features) or symbol in TEXT_STARTS


def features_of(readme: str) -> frozenset[str]:
    """The features that the text of a tracefs README proves."""
    return frozenset(name for name, proof in README_FEATURES.items() if proof in readme)
