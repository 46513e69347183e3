"""The two fixed lines: what runs (on top) and what works now (at the bottom)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from kptui.safetext import neutralise
from kptui.ui.commands import Command
from kptui.ui.keymap import shown
from kptui.ui.paint import Line, clip, length, to_strip, wrap


@dataclass(frozen=True, slots=True)
class Status:
    """What the status line says; ``missing`` is the headline of what this machine lacks."""

    kernel: str = ""
    demo: bool = False
    live: bool = False
    instance: str = ""
    on: int = 0
    defined: int = 0
    rate: float = 0.0
    lost: int = 0
    buffer: float | None = None
    missing: str = ""
    hidden: bool = False
    busy: str = ""
    pane: int = 0
    alone: bool = False  # one pane has the screen: name the others


class StatusLine(Widget):
    """One line: kernel, instance, tracing or not, events a second, lost events, buffer."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.status = Status()

    def show(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width)
        return to_strip(status_line(self.status, width), width).apply_offsets(0, y)


def status_line(status: Status, width: int) -> Line:
    """As much as there is room for; what is lost and the other panes' digits are the last to go."""
    # Judged with more digits than a rate mostly has: nothing is to come and go with the width of the number.
    roomy = replace(status, rate=max(status.rate, 9_999))
    for cut in range(5):
        left = _kernel(status, width) if not cut else _name(status, cut)
        gap = width - length(left) - length(_running(roomy, width, cut)) - 1
        if gap >= 1:
            break
    side = _running(status, width, cut)
    gap = max(width - length(left) - length(side) - 1, 1)
    return [*left, (" " * gap, ""), *side, (" ", "")]


def _name(status: Status, cut: int) -> Line:
    demo: Line = [(" DEMO ", "demo")] if status.demo else []
    return [(" kptui ", "title"), *demo] if cut < 3 else demo


def _kernel(status: Status, width: int) -> Line:
    left = _name(status, 0)
    if status.demo:
        left.append((" simulated kernel", "warn"))
    kernel = neutralise(status.kernel)
    if width < 100 and (short := re.match(r"\d+\.\d+", kernel)):
        kernel = short[0]
    left.append((f" {kernel}" if not status.demo or width > 110 else "", "dim"))
    if status.instance and width >= 110:
        left.append((f" · {status.instance}", "dim"))
    return left


def _running(status: Status, width: int, cut: int) -> Line:
    """What runs, and the panes where only one is shown."""
    s = status
    side: Line = []
    if s.live:
        sign, word, style = ("●", " tracing", "ok") if s.on else ("○", " idle", "dim")
        side = [(sign + (word if cut < 4 else ""), style)]
        gap = "  " if cut < 4 else " "
        side.append((f"{gap}{s.on}/{s.defined} on" if s.defined else "", ""))
        side.append((f"  {s.rate:,.0f} ev/s", ""))
        if s.lost or cut < 2:
            side.append((f"  lost {s.lost:,}", "refused" if s.lost else "dim"))
        if s.buffer is not None and width >= 110:
            side.append((f"  buffer {s.buffer:.0f} %", "warn" if s.buffer > 50 else "dim"))
        if s.hidden and width >= 110:
            side.append(("  self hidden", "dim"))
    elif s.busy:
        side = [(s.busy, "dim")]
    elif not s.demo:
        side = [("authoring only", "warn")]
    if s.alone:
        side.append(("  ", ""))
        for i, name in enumerate(("Symbols", "Probe", "Probes", "Events"), start=1):
            here = i == s.pane
            side.append((f" {i} {name}" if here or width >= 100 else f" {i}", "focus" if here else "dim"))
    return side


class NoticeLine(Widget):
    """What is missing on this machine and what would give it, in one row or two; hidden where nothing is."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = ""

    def show(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.display = bool(text)
            self.refresh(layout=True)

    def _rows(self, width: int) -> list[str]:
        rows = [row for _, row in wrap(neutralise(self.text), width - 4)]
        return rows if len(rows) < 3 else [rows[0], clip("".join(rows[1:]), width - 4)]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        rows = self._rows(width)
        line: Line = [(" ! " if y == 0 else "   ", "warn"), (rows[y] if y < len(rows) else "", "warn")]
        return to_strip(line, width).apply_offsets(0, y)


class FooterLine(Widget):
    """One line: the keys that work now, most useful first; as many as fit, help and quit always."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.commands: list[Command] = []
        self.typing: list[tuple[str, str]] = []

    def show(self, commands: list[Command], typing: list[tuple[str, str]]) -> None:
        """``typing`` are (key, title) pairs to show instead while a line of text is being edited."""
        if (commands, typing) != (self.commands, self.typing):
            self.commands, self.typing = commands, typing
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        pairs = self.typing or [(shown(c.keys[0]), c.title) for c in self.commands if c.keys]
        always = [] if self.typing else [p for p in pairs if p[1] in ("Help", "Quit", "Close")][:2]
        line: Line = []
        room = width - sum(len(k) + len(t) + 3 for k, t in always)
        for key, title in pairs:
            if (key, title) in always:
                continue
            if length(line) + len(key) + len(title) + 3 > room:
                continue
            line += [(" ", ""), (key, "key"), (f" {title} ", "dim")]
        for key, title in always:
            line += [(" ", ""), (key, "key"), (f" {title} ", "dim")]
        return to_strip(line, width).apply_offsets(0, y)
