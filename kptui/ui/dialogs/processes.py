"""Choose processes: names become the thread ids that the kernel's filter compares."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from kptui.kernel.processes import Process
from kptui.safetext import neutralise
from kptui.ui.dialogs.base import Dialog
from kptui.ui.paint import Line, clip, pad, right, rule
from kptui.ui.pane import Cursor, Pane
from kptui.ui.textline import TextLine


class ProcessesPane(Pane):
    """Running processes, searched as you type; the result is the set of all thread ids of those chosen."""

    scope = "picker"
    typing_keys = (
        ("space", "choose"),
        ("enter", "take"),
        ("↑↓", "move"),
        ("tab", "done typing"),
        ("esc", "back"),
    )

    def __init__(self, processes: Sequence[Process]) -> None:
        super().__init__()
        self.processes = processes
        self.chosen: set[int] = set()
        self.query_line = TextLine()
        self.searching = True
        self.cursor = Cursor()

    @property
    def typing(self) -> bool:
        return self.searching

    @property
    def shown(self) -> list[Process]:
        words = self.query_line.text.casefold().split()
        return [
            p for p in self.processes if all(w in f"{p.pid} {p.comm} {p.cmdline}".casefold() for w in words)
        ]

    def text_key(self, event: events.Key) -> bool:
        match event.key:
            case "enter":
                # One hit is what was meant; several are chosen with space.
                if not self.chosen and self.shown:
                    self._toggle()
                if self.chosen:
                    self._accept()
            case "escape" | "ctrl+c":
                self.screen.dismiss(None)
            case "tab":
                self.searching = False
            case "up" | "down" | "pageup" | "pagedown":
                command = {"up": "list.up", "down": "list.down", "pageup": "list.page_up"}.get(
                    event.key, "list.page_down"
                )
                self.cursor.key(command, len(self.shown), self.size.height - 2)
            case "space":
                self._toggle()
            case "slash" if not self.query_line.text:
                pass  # opens a search wherever none is open; every path has one, so it narrows nothing
            case _:
                changed = self.query_line.key(event.key, event.character)
                if changed is None:
                    return False
                self.query_line = changed
                self.cursor.at = 0
        self.redraw()
        return True

    def text_paste(self, text: str) -> None:
        self.query_line = self.query_line.paste(text)
        self.cursor.at = 0
        self.redraw()

    def _toggle(self) -> None:
        if self.cursor.at < len(self.shown):
            self.chosen ^= {self.shown[self.cursor.at].pid}

    def _accept(self) -> None:
        tids = [tid for p in self.processes if p.pid in self.chosen for tid in p.tids]
        self.screen.dismiss(tids)

    def run(self, command: str) -> bool:
        if self.cursor.key(command, len(self.shown), self.size.height - 2):
            pass
        elif command == "picker.toggle":
            self._toggle()
        elif command == "picker.search":
            self.searching = True
        elif command == "picker.accept":
            if not self.chosen:
                self._toggle()
            self._accept()
        elif command == "picker.close":
            self.screen.dismiss(None)
        else:
            return False
        self.redraw()
        return True

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        shown = self.shown
        chosen = [p for p in self.processes if p.pid in self.chosen]
        threads = sum(len(p.tids) for p in chosen)
        side: Line = [(f"{len(chosen)} chosen, {threads} threads" if chosen else f"{len(shown)}", "")]
        lines: list[Line | Strip] = [rule([("Processes", "title")], side, width, True)]
        head: Line = [(" / ", "focus"), *self.query_line.spans(width - 30, "bold")]
        lines.append([*head, ("", "dim")])
        for index in self.cursor.window(len(shown), height - 2):
            process = shown[index]
            current = index == self.cursor.at
            sign = "[x]" if process.pid in self.chosen else "[ ]"
            line: Line = [
                ("▌" if current else " ", "focus"),
                (f"{sign} ", "ok" if process.pid in self.chosen else ""),
            ]
            line.append((right(str(process.pid), 7), "bold" if current else ""))
            line.append((f" {pad(neutralise(process.comm), 16)}", "bold" if current else ""))
            line.append((right(f"{len(process.tids)} thr", 8) + "  ", "dim"))
            line.append((clip(neutralise(process.cmdline), width - 39), "dim"))
            lines.append(line)
        if not shown:
            lines.append([(" no process matches", "dim")])
        return lines


def processes_dialog(processes: Sequence[Process]) -> Dialog[list[int] | None]:
    """A dialog that gives the thread ids of the processes chosen, or None."""
    return Dialog(ProcessesPane(processes), width="90%", height="80%")
