"""What is known of the kernel in front of the user, gathered once, for verdicts and offers while they type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from kptui.btf import Btf
from kptui.btf.types import FUNC
from kptui.kernel.target.assemble import Given, KernelTarget
from kptui.kernel.target.machine import Machine
from kptui.probes.abi import syscall_of, wrapper_abi
from kptui.probes.check import Target, features_of
from kptui.probes.suggest import Knowledge
from kptui.probes.syscalls import enter_event
from kptui.symbols.table import SymbolTable


@dataclass(frozen=True, slots=True)
class Known:
    """``target`` lacks what stands in the kernel, which changes; ``filter_features``, ``has_function`` and ``cpus`` are
    what :func:`kptui.filters.check_filter` takes.
    """

    target: Target
    filter_features: frozenset[str]
    has_function: Callable[[str], bool | None] | None
    cpus: int | None


@dataclass(frozen=True, slots=True)
class Types:
    """What the helper of arguments asks of a kernel. ``btf`` None: it has no type information. ``features`` as
    check.traits.README_FEATURES names them; ``module_btf`` gives that of a module by its name, ``call_format`` the
    format of the event at a system call's entry.
    """

    btf: Btf | None
    features: frozenset[str]
    module_btf: Callable[[str], Btf | None] = lambda module: None
    call_format: Callable[[str], str | None] = lambda call: None

    def at(self, symbol: str, module: str | None, table: SymbolTable | None) -> Knowledge:
        """What is known at a function, in its module's types where it is a module's. Blocks: it reads them."""
        btf = self.btf
        if module is not None:
            btf = self.module_btf(module) or btf
        elif btf is not None and table is not None and not btf.find(symbol, FUNC):
            holders = [found.module for found in table.lookup(symbol) if found.module is not None]
            btf = next((types for name in holders if (types := self.module_btf(name)) is not None), btf)
        own = self.call_format(syscall_of(symbol) or "") if wrapper_abi(symbol) is not None else None
        return Knowledge(btf, self.features, None if own is None else enter_event(own))


NO_TYPES = Types(None, frozenset())


def read_types(machine: Machine) -> Types:
    """This machine's types; ValueError for a BTF that is none. Blocks, for a tenth of a second or so."""
    data = machine.btf()
    btf = None if data is None else Btf.parse(data)
    features = features_of(machine.readme or "")

    @lru_cache(maxsize=32)
    def module_btf(module: str) -> Btf | None:
        found = machine.module_btf(module)
        try:
            return None if found is None or btf is None else Btf.parse(found, btf)
        except ValueError:
            return None

    return Types(
        btf, features, module_btf, lambda call: machine.event_format("syscalls", f"sys_enter_{call}")
    )


def know_machine(
    tracefs: str | None, table: SymbolTable | None, *, foreign: bool, types: Types | None = None
) -> Known:
    """This machine's kernel. Blocks, for a tenth of a second or so. ``table``: its symbols, or (``foreign``) those of a
    file that the user gave, None: there are none. ``types`` as read before.
    """
    btf = None if types is None else types.btf
    if table is None:
        given = Given(existing=(), kallsyms="none", types=btf)
    else:
        given = Given(existing=(), table=table, kallsyms=b"" if foreign else None, types=btf)
    return know(KernelTarget(given, Machine(tracefs)))


def know(kernel: KernelTarget) -> Known:
    """All of it, and what would take its time with the first line is done beforehand."""
    target = kernel.definitions
    if kernel.facts is None:
        target = replace(target, symbol_count=None, is_loaded_module=None)
    else:
        kernel.facts.is_entry("_text", 0)
    if target.btf is not None:
        target.btf.prototype("vfs_read")
        target.btf.struct("file")
    has_function = None if kernel.facts is None else kernel.has_function
    return Known(target, kernel.filter_features, has_function, kernel.cpus)
