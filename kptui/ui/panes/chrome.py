"""The two fixed lines: what runs (on top) and what works now (at the bottom)."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
        s = self.status
        left: Line = [(" kptui ", "title")]
        if s.demo:
            left.append((" DEMO ", "demo"))
            left.append((" simulated kernel", "warn"))
        kernel = neutralise(s.kernel)
        if width < 100 and (short := re.match(r"\d+\.\d+", kernel)):
            kernel = short[0]  # the whole would come and go with the width of the numbers
        left.append((f" {kernel}" if not s.demo or width > 110 else "", "dim"))
        if s.instance and width >= 110:
            left.append((f" · {s.instance}", "dim"))
        side: Line = []
        if s.live:
            state = ("● tracing", "ok") if s.on else ("○ idle", "dim")
            side = [state, (f"  {s.on}/{s.defined} on" if s.defined else "", "")]
            side.append((f"  {s.rate:,.0f} ev/s", ""))
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
            names = ("Symbols", "Probe", "Probes", "Events")
            side.append(("  ", ""))
            for i, name in enumerate(names, start=1):
                here = i == s.pane
                side.append((f" {i} {name}" if here or width >= 100 else f" {i}", "focus" if here else "dim"))
        gap = width - length(left) - length(side) - 1
        if gap < 1:
            left = [(" kptui ", "title"), *([(" DEMO ", "demo")] if s.demo else [])]
            gap = max(width - length(left) - length(side) - 1, 1)
        return to_strip([*left, (" " * gap, ""), *side, (" ", "")], width).apply_offsets(0, y)


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
                break
            line += [(" ", ""), (key, "key"), (f" {title} ", "dim")]
        for key, title in always:
            line += [(" ", ""), (key, "key"), (f" {title} ", "dim")]
        return to_strip(line, width).apply_offsets(0, y)
