"""The simulated kernel's list of probe events: definitions in, listing and profile out, refusals as the
kernel's.

What the text of a definition may be is judged by :func:`kptui.probes.check.check_definition`; here stands
what only the machine knows: which symbols exist, which places can't be probed, what is defined and enabled.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping

from kptui.kernel.sim.events import SimEvent, SimProbe, make_probe, split_words
from kptui.kernel.sim.judge import Judge, Refusal
from kptui.kernel.sim.symbols import SimSymbols

FIRST_ID = 1662
MAX_LINE = 4095
DEFINING = frozenset("pr")


class Registry:
    """Events by (group, name), in the order of their definition.

    ``busy`` tells whether an event is enabled in any trace array, ``report`` writes an entry into the top
    level's error_log, ``added`` and ``removed`` hear of events that come and go.
    """

    def __init__(
        self,
        symbols: SimSymbols,
        judge: Judge,
        *,
        busy: Callable[[tuple[str, str]], bool],
        report: Callable[[str, Refusal], None],
        removed: Callable[[tuple[str, str]], None],
    ) -> None:
        self._symbols = symbols
        self._judge = judge
        self._busy = busy
        self._report = report
        self._removed = removed
        self._next_id = FIRST_ID
        self.events: dict[tuple[str, str], SimEvent] = {}
        self._order: list[SimProbe] = []

    def probes(self) -> tuple[SimProbe, ...]:
        return tuple(self._order)

    def listing(self) -> bytes:
        return "".join(f"{probe.listed}\n" for probe in self._order).encode("utf-8", "surrogateescape")

    def profile(self) -> bytes:
        return "".join(f"  {probe.event:<44} {probe.hits:15d} {0:15d}\n" for probe in self._order).encode()

    def groups(self) -> Mapping[str, list[SimEvent]]:
        found: dict[str, list[SimEvent]] = {}
        for (group, _), event in self.events.items():
            found.setdefault(group, []).append(event)
        return found

    # ------------------------------------------------------------------ write

    def write(self, data: bytes, *, dynamic: bool = False) -> None:
        """One write to ``kprobe_events`` (or ``dynamic_events``): line by line, up to the first that is
        refused.
        """
        lines = data.split(b"\n")
        for number, raw in enumerate(lines):
            with_newline = number < len(lines) - 1
            if len(raw) + with_newline > MAX_LINE:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            self.execute(raw.decode("utf-8", "surrogateescape"), dynamic=dynamic)

    def execute(self, line: str, *, dynamic: bool = False) -> None:
        """One command. Raises OSError with the kernel's errno; its explanation, if any, went to the
        error_log.
        """
        words = [word for word in split_words(line) if word]
        if not words:
            return
        first = words[0][0]
        if first == "-":
            self._remove(words)
        elif first == "!" and dynamic:
            _, _, spec = words[0].partition(":")
            self._remove([f"-:{spec}", *words[1:]])
        elif first in DEFINING:
            self._define(line)
        else:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def _define(self, line: str) -> None:
        refusal = self._judge.definition(line, self._order)
        if refusal is not None:
            self._report("trace_kprobe", refusal)
            raise OSError(refusal.errno, os.strerror(refusal.errno))
        probe = make_probe(line, self._symbols, self._judge.prototype(line))
        refusal = self._judge.registration(line, probe)
        if refusal is not None:
            self._report("trace_kprobe", refusal)
            raise OSError(refusal.errno, os.strerror(refusal.errno))
        self._add(probe)

    def _add(self, probe: SimProbe) -> None:
        key = probe.group, probe.event
        event = self.events.get(key)
        if event is None:
            self.events[key] = SimEvent(self._next_id, [probe])
            self._next_id += 1
        else:
            event.probes.append(probe)
        self._order.append(probe)

    def add_foreign(self, line: str) -> None:
        """A probe that somebody else defined before we came."""
        self._add(make_probe(line, self._symbols, None))

    def _remove(self, words: list[str]) -> None:
        _, colon, spec = words[0].partition(":")
        if words[0] != f"-:{spec}" or not colon or not spec:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        group, found, name = spec.partition("/")  # dyn_event_release doesn't know the dot
        if not found:
            group, name = "", spec
        rest = words[1:]
        chosen = [
            probe
            for probe in self._order
            if (not group or probe.group == group)
            and (not name or probe.event == name)
            and (not rest or probe.listed.split(" ")[1:][: len(rest)] == rest)
        ]
        if not chosen:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        if any(self._busy((probe.group, probe.event)) for probe in chosen):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for probe in chosen:
            self._drop(probe)

    def _drop(self, probe: SimProbe) -> None:
        key = probe.group, probe.event
        self._order.remove(probe)
        event = self.events[key]
        event.probes.remove(probe)
        if not event.probes:
            del self.events[key]
            self._removed(key)
