"""An edit in raw bytes, and the word that stands at a place: what every explanation is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kptui.filters import lexis
from kptui.safetext import neutralise
from kptui.verdict import Fix


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``raw[start:end]`` by ``text`` (raw as well)."""

    start: int
    end: int
    text: str
    label: str

    def as_fix(self, raw: str) -> Fix:
        """The same in characters of the text as typed."""
        return Fix(
            lexis.char_index(raw, self.start),
            lexis.char_index(raw, self.end),
            lexis.from_raw(self.text),
            neutralise(lexis.from_raw(self.label)),
        )


Explanation = tuple[str, Edit | None]
"""A sentence and the edit that mends the filter."""

_WORD = re.compile(r"[^\s()&|'\"]+")


def word_at(raw: str, at: int) -> str:
    """What stands at ``at`` up to a blank, quote, parenthesis, ``&`` or ``|``."""
    match = _WORD.match(raw, at)
    return match[0] if match else ""
