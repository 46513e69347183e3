"""Every dynamic event of the machine: ours to switch, filter, edit and remove; others' to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.strip import Strip

from kptui.safetext import neutralise
from kptui.ui.paint import Line, clip, length, pad, right, rule, wrap
from kptui.ui.pane import Cursor, Pane

if TYPE_CHECKING:
    from kptui.kernel.states import EventState

_BARS = "▁▂▃▄▅▆▇█"


class ProbesPane(Pane):
    """The list of probes with state, filter, hits and rate."""

    scope = "probes"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.states: tuple[EventState, ...] = ()
        self.cursor = Cursor()
        self.available = True
        self._rates: dict[tuple[str, str], deque[float]] = {}
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def set_states(self, states: Sequence[EventState], now: float) -> None:
        """Show what stands on the machine; ``now`` in seconds, for the rates. The cursor stays on its event."""
        current = self.selected
        # Ours first, in the order of definition; then the others'.
        self.states = tuple(sorted(states, key=lambda s: not s.ours))
        for state in self.states:
            if state.hits is None:
                continue
            name = (state.group, state.event)
            then, hits = self._last.get(name, (now, state.hits))
            if now - then >= 0.5 and state.hits >= hits:
                self._rates.setdefault(name, deque(maxlen=8)).append((state.hits - hits) / (now - then))
            if name not in self._last or now - then >= 0.5 or state.hits < hits:
                self._last[name] = (now, state.hits)
        if current is not None:
            self.select(current.group, current.event)
        self.cursor.move(self.cursor.at, len(self.states))
        self.redraw()

    def select(self, group: str, event: str) -> None:
        """Move the cursor to an event, if it is there."""
        for index, state in enumerate(self.states):
            if (state.group, state.event) == (group, event):
                self.cursor.at = index
                self.redraw()

    @property
    def selected(self) -> EventState | None:
        return self.states[self.cursor.at] if self.cursor.at < len(self.states) else None

    def rate(self, state: EventState) -> float | None:
        rates = self._rates.get((state.group, state.event))
        return rates[-1] if rates else None

    def run(self, command: str) -> bool:
        if self.cursor.key(command, len(self.states), self.size.height - 1):
            self.redraw()
            return True
        return False

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        ours = [s for s in self.states if s.ours]
        on = sum(s.enabled for s in ours)
        others = len(self.states) - len(ours)
        counts = [f"{on} of {len(ours)} on"] if ours else []
        counts += [f"{others} not ours"] if others else []
        side: Line = [("  ".join(counts), "")] if counts else []
        lines: list[Line | Strip] = [rule([("Probes", "title")], side, width, self.has_focus)]
        if not ours:
            lines.extend(self._empty(width))
        names = min(max((len(s.event) for s in self.states), default=8), 24 if width > 100 else 18)
        whole = self._whole(width)[: max(height // 2, 3)] if width < 100 else []
        room = max(height - len(lines) - len(whole), 1)
        for index in self.cursor.window(len(self.states), room):
            lines.append(self._row(self.states[index], width, names, index == self.cursor.at))
        lines.extend([] for _ in range(height - len(lines) - len(whole)))
        lines.extend(whole)
        return lines

    def _whole(self, width: int) -> list[Line | Strip]:
        """The definition and filter under the cursor, whole, where the rows have no room for them."""
        state = self.selected
        if state is None:
            return []
        lines: list[Line | Strip] = [[("─" * width, "rule")]]
        pieces = wrap(neutralise(state.definition), width - 2)
        lines.extend([(" ", ""), (piece, "bold")] for _, piece in pieces)
        if state.filter:
            pieces = wrap(f"if {neutralise(state.filter)}", width - 2)
            lines.extend([(" ", ""), (piece, "warn")] for _, piece in pieces)
        return lines

    def _empty(self, width: int) -> list[Line]:
        key = self.kptui.keymap.key
        if not self.available:
            return [[(clip(" No live kernel here: write lines and copy them with y.", width), "dim")]]
        text = (
            f" No probes of ours yet: {key('search')} to find a function, {key('symbols.entry')} to probe it."
        )
        return [[(clip(text, width), "dim")]]

    def _row(self, state: EventState, width: int, names: int, current: bool) -> Line:
        mark = ("▌", "focus") if current and self.has_focus else (" ", "")
        if not state.ours:
            sign = ("·", "dim")
            text = f"{state.group}/{state.event}  not ours  {state.definition}"
            return [mark, sign, (" " + clip(neutralise(text), width - 4), "bold" if current else "dim")]
        sign = ("●", "ok") if state.enabled else ("○", "dim")
        line: Line = [mark, sign, (" " + pad(neutralise(state.event), names + 1), "bold" if current else "")]
        hits = f"{state.hits:,}" if state.hits is not None else "–"
        missed = f"{state.misses:,} missed" if state.misses else ""
        line.append((right(hits, 9), ""))
        line.append((" hits ", "dim"))
        rate = self.rate(state) if state.enabled else None
        line.append((right(_rate(rate), 8) if state.enabled else "     off", "" if state.enabled else "dim"))
        if width >= 100:
            line.append((" " + self._spark(state) + " ", "dim"))
        if missed:
            line.append((f" {missed}", "warn"))
        if state.filter_error:
            line.append(("  ✗ filter refused: all events pass", "refused"))
        elif state.filter:
            line.append(("  if " + clip(neutralise(state.filter), max(width // 3, 16)), "warn"))
        room = width - length(line) - 2
        if room > 12:
            line.append(("  " + clip(neutralise(state.definition), room), "dim"))
        return line

    def _spark(self, state: EventState) -> str:
        rates = self._rates.get((state.group, state.event))
        if not rates or not state.enabled:
            return " " * 8
        top = max(rates)
        bars = "".join(_BARS[min(int(rate / top * 7), 7)] if top else _BARS[0] for rate in rates)
        return bars.rjust(8)


def _rate(rate: float | None) -> str:
    if rate is None:
        return "…"
    if rate >= 10_000:
        return f"{rate / 1000:.0f}k/s"
    return f"{rate:,.0f}/s" if rate >= 1 or rate == 0 else f"{rate:.1f}/s"
