"""One message of the log and the line that it is about: what advice is made from."""

from __future__ import annotations

import re
from typing import Final

from kptui.probes.check.log import Entry, Log
from kptui.probes.check.target import Target
from kptui.probes.check.wrappers import Places
from kptui.verdict import Fix

Advice = tuple[str, tuple[Fix, ...]]
"""A sentence ('' for the usual one) and what mends the line: any one of the fixes."""

NONE: Final[Advice] = ("", ())
_OPENING: Final = re.compile(r"[+-]u?[+-]?[0-9][0-9A-Za-z]*\(")


class Case:
    """The word that a message points to, and the means to edit it."""

    def __init__(self, entry: Entry, log: Log, target: Target, places: Places) -> None:
        self.entry = entry
        self.log = log
        self.target = target
        self.places = places
        self.word = min(log.typed_word(entry.word), len(log.typed) - 1)
        self.text = log.typed[self.word]
        self.cuts_character = False
        """A fix was asked for that begins or ends inside a character of the line, which no editor can do."""

    def fix(self, start: int, end: int, text: str, label: str, word: int | None = None) -> Fix:
        """Replace bytes ``start`` to ``end`` of the word by ``text`` (raw bytes as the words are)."""
        base = self.log.starts[self.word if word is None else word]
        for byte in (base + start, base + end):
            self.cuts_character |= not self.places.begins(byte)
        return Fix(self.places.char(base + start), self.places.char(base + end), read(text), read(label))

    @property
    def column(self) -> int:
        """Where in the word as typed the caret stands."""
        return self.log.typed_at(self.entry) - self.log.starts[self.word]

    @property
    def body_at(self) -> int:
        return self.text.find("=") + 1

    @property
    def source(self) -> tuple[int, int]:
        """Where in the word the innermost expression begins and ends, ``%di`` in ``a=+0(+8(%di)):u8``, as the kernel
        takes it (``%di)`` in ``+0(%di))``); nothing (twice the same number) where what is around it isn't whole.
        """
        at = self.body_at
        end = len(self.text[:at] + self.text[at:].partition(":")[0])
        while (opening := _OPENING.match(self.text, at, end)) is not None:
            if self.text[end - 1] != ")":
                return at, at
            at, end = opening.end(), end - 1
        return at, max(at, end)


def read(text: str) -> str:
    """Raw bytes as text."""
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def one(fix: Fix | None, sentence: str = "") -> Advice:
    """Advice with at most one fix."""
    return sentence, () if fix is None else (fix,)
