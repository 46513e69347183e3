"""What the simulated kernel refuses, and with which words.

The languages are judged by the rooms that know them (:mod:`kptui.probes.check`, :mod:`kptui.filters.check`);
this joins them with the machine's symbols, and adds what a kernel finds only when it registers a probe.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Mapping
from dataclasses import dataclass

from kptui.events.format import EventFormat
from kptui.kernel.sim.data import unpack
from kptui.kernel.sim.events import SimProbe, split_words
from kptui.kernel.sim.symbols import ENDBR_SIZE, SimSymbols
from kptui.verdict import Verdict

RELEASE = "6.12"
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
        self._boundaries = _boundaries

    def symbol_count(self, name: str, module: str | None) -> int | None:
        """How many symbols of that name there are; None for a module that isn't loaded (accepted, armed
        later).
        """
        if module and module not in self._symbols.modules:
            return None
        return len(self._symbols.lookup(name, module or None))

    def definition(self, line: str, existing: tuple[str, ...]) -> Refusal | None:
        try:
            from kptui.probes.check import Target, check_definition
        except ImportError:
            return self._shim(line)
        target = Target.from_readme(
            unpack("README.xz").decode(), RELEASE, symbol_count=self.symbol_count, existing=existing
        )
        return refusal_of(check_definition(line, target))

    def _shim(self, line: str) -> Refusal | None:
        from kptui.probes.definition import parse_probe
        from kptui.probes.errors import ProbeSyntaxError

        command = " ".join(split_words(line))
        try:
            probe = parse_probe(command)
        except ProbeSyntaxError as e:
            return Refusal(errno.EINVAL, command, ((e.message, e.column),))
        col = len(command.split(" ")[0]) + 1
        if probe.place.symbol and probe.place.symbol != "_text":
            n = self.symbol_count(probe.place.symbol, probe.place.module)
            if n == 0:
                return Refusal(errno.EINVAL, command, (("Invalid probed address or symbol", col),))
            if n is not None and n > 1:
                return Refusal(errno.EINVAL, command, (("The symbol is not unique", col),))
        if probe.kind == "r" and probe.place.offset:
            return Refusal(errno.EINVAL, command, (("Retprobe address must be an function entry", col),))
        return None

    def parameters(self, line: str) -> Mapping[str, int]:
        """BTF names of the probed function's parameters, numbered from 1; empty where BTF has none."""
        return {}

    def registration(self, line: str, probe: SimProbe) -> Refusal | None:
        """What is found only when the probe is armed: blacklist, notrace functions, instruction boundaries."""
        symbol = probe.symbol
        if symbol is None or probe.address is None:
            return None
        command = " ".join(split_words(line))
        column = len(command.split(" ")[0]) + 1

        def refuse(number: int, message: str) -> Refusal:
            return Refusal(number, command, ((message, column),))

        if not symbol.is_text or symbol.blacklisted or not symbol.traced:
            return refuse(errno.EINVAL, "Failed to register probe event")
        inside = probe.address - symbol.address
        start = ENDBR_SIZE if symbol.endbr else 0
        if inside in {0, start}:
            return None
        boundaries = self._boundaries().get(symbol.name)
        wrong = (
            inside < start + FTRACE_SITE
            or inside >= symbol.size
            or (boundaries is not None and inside not in boundaries)
        )
        return refuse(errno.EILSEQ, "Probe point is not an instruction boundary") if wrong else None

    def filter(self, text: str, fmt: EventFormat) -> Refusal | None:
        from kptui.filters.check import check_filter

        return refusal_of(check_filter(text, fmt))


@functools.cache
def _boundaries() -> Mapping[str, frozenset[int]]:
    """Offsets of the instructions of the recorded functions, from the real kernel's code."""
    return {}
