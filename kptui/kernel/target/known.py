"""What is known of the kernel in front of the user, gathered once, for verdicts while they type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kptui.kernel.target.assemble import Given, KernelTarget
from kptui.kernel.target.machine import Machine
from kptui.probes.check import Target
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


def know_machine(tracefs: str | None, table: SymbolTable | None, *, foreign: bool) -> Known:
    """This machine's kernel. Blocks, for a tenth of a second or so. ``table``: its symbols, or (``foreign``) those of a
    file that the user gave, None: there are none.
    """
    if table is None:
        given = Given(existing=(), kallsyms="none")
    else:
        given = Given(existing=(), table=table, kallsyms=b"" if foreign else None)
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
