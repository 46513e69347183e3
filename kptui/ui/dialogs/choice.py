"""A menu of letters: the copy menu, a question with answers, a list of things to switch on and off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from kptui.safetext import neutralise
from kptui.ui.dialogs.base import Dialog
from kptui.ui.paint import Line, clip, pad, rule, shown_of, wrap
from kptui.ui.pane import Cursor, Pane
from kptui.ui.textline import TextLine

_MOST = 120  # cells: longer rows are read no better


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry: its key, what it says, and what it says in grey (why it can't be chosen, if ``enabled`` is false)."""

    key: str
    label: str
    note: str = ""
    enabled: bool = True


class ChoicePane(Pane):
    """Entries chosen by their letter, or by cursor and enter."""

    scope = "dialog"

    def __init__(self, title: str, choices: Sequence[Choice], text: str = "") -> None:
        super().__init__()
        self.title_text = title
        self.choices = choices
        self.text = text
        self.cursor = Cursor()

    def on_key(self, event: events.Key) -> None:
        for index, choice in enumerate(self.choices):
            if choice.key in (event.character, event.key):
                event.stop()
                event.prevent_default()
                self.cursor.at = index
                self._choose(choice)
                return

    def _choose(self, choice: Choice) -> None:
        """Take an entry, or say why it can't be taken."""
        if choice.enabled:
            self.screen.dismiss(choice.key)
            return
        self.redraw()
        self.kptui.say(f"{choice.label}: {choice.note}", "warning")

    def run(self, command: str) -> bool:
        if self.cursor.key(command, len(self.choices), len(self.choices)):
            self.redraw()
        elif command == "dialog.accept":
            self._choose(self.choices[self.cursor.at])
        elif command == "dialog.close":
            self.screen.dismiss(None)
        else:
            return False
        return True

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        text = wrap(neutralise(self.text), width - 2) if self.text else []
        return len(self.choices) + len(text) + 1

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        text = wrap(neutralise(self.text), width - 2) if self.text else []
        window = self.cursor.window(len(self.choices), height - 1 - len(text))
        side = shown_of(window, len(self.choices))
        lines: list[Line | Strip] = [rule([(self.title_text, "title")], side, width, True)]
        lines.extend([(" ", ""), (piece, "")] for _, piece in text)
        keys = max((len(choice.key) for choice in self.choices), default=1)
        labels = max((len(choice.label) for choice in self.choices), default=1)
        for index in window:
            choice, current = self.choices[index], index == self.cursor.at
            line: Line = [("▌" if current else " ", "focus"), (f" {pad(choice.key, keys)}  ", "key")]
            line.append((pad(choice.label, labels), "" if choice.enabled else "dim"))
            line.append((clip("  " + neutralise(choice.note), max(width - keys - labels - 6, 0)), "dim"))
            lines.append(line)
        return lines


def choice_dialog(
    title: str, choices: Sequence[Choice], text: str = "", width: int = 76
) -> Dialog[str | None]:
    """A dialog that gives the key of the entry chosen, or None; wider than ``width`` where its notes need it."""
    columns = [[choice.key, choice.label, choice.note] for choice in choices]
    cells = sum(max(map(len, column)) for column in zip(*columns, strict=True))
    return Dialog(ChoicePane(title, choices, text), width=max(width, min(cells + 10, _MOST)), height="auto")


class PromptPane(Pane):
    """One line of text to type."""

    scope = "dialog"

    def __init__(self, title: str, text: str, value: str) -> None:
        super().__init__()
        self.title_text = title
        self.text = text
        self.line = TextLine.offer(value)

    @property
    def typing(self) -> bool:
        return True

    def text_key(self, event: events.Key) -> bool:
        if event.key == "enter":
            self.screen.dismiss(self.line.text)
            return True
        if event.key in ("escape", "ctrl+c"):
            self.screen.dismiss(None)
            return True
        changed = self.line.key(event.key, event.character)
        if changed is not None:
            self.line = changed
            self.redraw()
        return changed is not None

    def text_paste(self, text: str) -> None:
        self.line = self.line.paste(text)
        self.redraw()

    def run(self, command: str) -> bool:
        return False

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(wrap(self.text, width - 2)) + 2

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        lines: list[Line | Strip] = [rule([(self.title_text, "title")], [], width, True)]
        lines.extend([(" ", ""), (piece, "dim")] for _, piece in wrap(self.text, width - 2))
        lines.append([(" > ", "focus"), *self.line.spans(width - 5, "bold")])
        return lines


def prompt_dialog(title: str, text: str, value: str = "", width: int = 76) -> Dialog[str | None]:
    """A dialog that gives the text typed, or None."""
    return Dialog(PromptPane(title, text, value), width=width, height="auto")


class SwitchPane(Pane):
    """Things to switch on and off; enter takes them."""

    scope = "picker"
    without = frozenset({"picker.search"})

    def __init__(self, title: str, names: Sequence[str], on: set[str]) -> None:
        super().__init__()
        self.title_text = title
        self.names = names
        self.on = set(on)
        self.cursor = Cursor()

    def run(self, command: str) -> bool:
        name = self.names[self.cursor.at]
        if self.cursor.key(command, len(self.names), len(self.names)):
            pass
        elif command == "picker.toggle":
            self.on ^= {name}
        elif command == "picker.accept":
            self.screen.dismiss(frozenset(self.on))
        elif command == "picker.close":
            self.screen.dismiss(None)
        else:
            return False
        self.redraw()
        return True

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        window = self.cursor.window(len(self.names), height - 1)
        side = shown_of(window, len(self.names))
        lines: list[Line | Strip] = [rule([(self.title_text, "title")], side, width, True)]
        for index in window:
            name, current = self.names[index], index == self.cursor.at
            sign = "[x]" if name in self.on else "[ ]"
            lines.append([("▌" if current else " ", "focus"), (f" {sign} {name}", "bold" if current else "")])
        return lines
