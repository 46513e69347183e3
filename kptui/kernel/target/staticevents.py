"""Which static events a kernel has, from its symbols: their names can't be taken by a probe.

Compared with ``available_events`` of kernels from 5.10 to 7.3: none was missed and none invented.
"""

from __future__ import annotations

from functools import cache

from kptui.kernel.target import data
from kptui.symbols.facts import SymbolFacts


def has_static_event(facts: SymbolFacts | None, group: str, event: str) -> bool:
    """Whether the kernel with these symbols has that event; without symbols, whether the newest has."""
    if facts is None:
        return (group, event) in data.events()
    for prefix, variable in (("sys_enter_", "event_enter__"), ("sys_exit_", "event_exit__")):
        if group == "syscalls" and event.startswith(prefix):
            return facts.count(variable + event.removeprefix(prefix)) > 0
    # The variables that TRACE_EVENT() makes (include/trace/stages/, include/trace/define_trace.h): one for each
    # event, without its group, and one for each group.
    if not facts.count(f"event_{event}"):
        return False
    if event in _names():
        return (group, event) in data.events()
    return facts.count(f"str__{group}__trace_system_name") > 0


@cache
def _names() -> frozenset[str]:
    return frozenset(event for _, event in data.events())
