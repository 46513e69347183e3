"""What the simulated kernel refuses, and with which words.

The languages are judged by the rooms that know them (:mod:`kptui.probes.check`, :mod:`kptui.filters.check`);
this joins them with the machine's symbols, and adds what a kernel finds only when it registers a probe.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kptui.btf import Btf
from kptui.events.format import EventFormat
from kptui.kernel.sim.data import unpack
from kptui.kernel.sim.events import SimProbe, entry_of, resolve_place, split_words
from kptui.kernel.sim.names import Prototype, prototype
from kptui.kernel.sim.symbols import ENDBR_SIZE, SimSymbols
from kptui.verdict import Verdict

RELEASE = "6.12.107+deb13-amd64"
OTHER_EVENTS = frozenset(
    {("sched", "sched_switch"), ("sched", "sched_process_exec"), ("sched", "sched_wakeup")}
)
WHOLE_TEXT = frozenset({"_text", "_stext"})
FTRACE_SITE = 5  # bytes of the call at a function's beginning; inside it is no instruction boundary


@dataclass(frozen=True, slots=True)
class Refusal:
    """``errno`` as a number; ``entries`` are (message, column) for the error_log, which shows ``command``."""

    errno: int
    command: str
    entries: tuple[tuple[str, int], ...] = ()


def refusal_of(verdict: Verdict) -> Refusal | None:
    """None when accepted."""
    if verdict.ok:
        return None
    number = getattr(errno, verdict.errno or "EINVAL")
    return Refusal(number, verdict.command, tuple((p.message, p.column) for p in verdict.problems))


class Judge:
    """Judges definitions and filters for a machine with these symbols."""

    def __init__(self, symbols: SimSymbols) -> None:
        self._symbols = symbols

    def symbol_count(self, name: str, module: str | None) -> int | None:
        """How many symbols of that name there are; None for a module that isn't loaded (accepted, armed
        later).
        """
        if module and module not in self._symbols.modules:
            return None
        return len(self._symbols.lookup(name, module or None))

    def definition(self, line: str, standing: Sequence[SimProbe]) -> Refusal | None:
        """Whether the text is a definition that can be added to those that stand."""
        from kptui.probes.check import Target, check_definition

        target = Target.from_readme(
            unpack("README.xz").decode(),
            RELEASE,
            symbol_count=self.symbol_count,
            existing=tuple(probe.listed for probe in standing),
            is_loaded_module=lambda name: name in self._symbols.modules,
            is_entry=self._is_entry,
            event_exists=lambda group, event: (group, event) in OTHER_EVENTS,
            btf=_btf(),
        )
        return refusal_of(check_definition(line, target))

    def _is_entry(self, name: str, offset: int) -> bool | None:
        copies = self._symbols.lookup(name)
        if not copies:
            return None
        found = self._symbols.resolve(copies[0].address + offset)
        return found is not None and found[1] in {0, ENDBR_SIZE if found[0].endbr else 0}

    def prototype(self, line: str) -> Prototype | None:
        """BTF's prototype of the function at whose entry or return the definition stands."""
        place = split_words(line)[1].removesuffix("%return")
        symbol, _, _, address = resolve_place(place, self._symbols)
        if symbol is None or address != entry_of(symbol) or place[0].isdigit():
            return None
        return prototype(_btf(), symbol.name)

    def registration(self, line: str, probe: SimProbe) -> Refusal | None:
        """What is found only when the probe is armed: blacklist, notrace functions, instruction boundaries."""
        symbol = probe.symbol
        if symbol is None or probe.address is None:
            return None
        words = split_words(line)
        command, column = " ".join(words), len(words[0]) + 1
        named = words[1].partition("+")[0].rpartition(":")[2]

        def refuse(number: int, message: str) -> Refusal:
            return Refusal(number, command, ((message, column),))

        if not symbol.is_text or symbol.blacklisted or not symbol.traced:
            return refuse(errno.EINVAL, "Failed to register probe event")
        inside = probe.address - symbol.address
        start = ENDBR_SIZE if symbol.endbr else 0
        if inside in {0, start}:
            return None
        boundaries = _boundaries().get(symbol.name)
        # where they aren't known: believed inside the named function, or counted from the start of the text
        believed = symbol.name == named or named in WHOLE_TEXT
        wrong = not believed if boundaries is None else inside not in boundaries
        wrong = wrong or inside < start + FTRACE_SITE or inside >= symbol.size
        return refuse(errno.EILSEQ, "Probe point is not an instruction boundary") if wrong else None

    def filter(self, text: str, fmt: EventFormat) -> Refusal | None:
        from kptui.filters.check import check_filter

        return refusal_of(check_filter(text, fmt))


@functools.cache
def _boundaries() -> Mapping[str, frozenset[int]]:
    """Offsets of the instructions of the recorded functions, from the real kernel's code."""
    found = {}
    for line in unpack("boundaries.txt.xz").decode().splitlines():
        name, *steps = line.split(" ")
        offsets, at = [0], 0
        for step in steps:
            at += int(step)
            offsets.append(at)
        found[name] = frozenset(offsets)
    return found


@functools.cache
def _btf() -> Btf:
    return Btf.parse(unpack("vmlinux.btf.xz"))
