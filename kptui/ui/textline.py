"""One line of text being edited: a value with a cursor, and what each key does to it.

Kept apart from any widget: the search line, the editor's fields, the filter values and the whole probe line all
edit through it, without the frame or two that a stock input widget adds to every key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class TextLine:
    """``text`` with the cursor before ``text[cursor]``.

    ``offered``: the text stands there from before, shown reversed. The first letter typed takes its place, as does
    a deletion; a move of the cursor keeps it, to be changed.
    """

    text: str = ""
    cursor: int = 0
    offered: bool = False

    @classmethod
    def of(cls, text: str) -> TextLine:
        return cls(text, len(text))

    @classmethod
    def offer(cls, text: str) -> TextLine:
        return cls(text, len(text), bool(text))

    def insert(self, piece: str) -> TextLine:
        piece = "".join(c for c in piece if c.isprintable())
        if self.offered and piece:
            return TextLine.of(piece)
        return TextLine(self.text[: self.cursor] + piece + self.text[self.cursor :], self.cursor + len(piece))

    def paste(self, text: str) -> TextLine:
        """``text`` put in; of several lines one, with a blank between them."""
        return self.insert(" ".join(line for line in map(str.strip, text.splitlines()) if line))

    def key(self, key: str, character: str | None) -> TextLine | None:
        """The line after a key, or None if the key means nothing to an edited line.

        ``key`` is textual's name of it, ``character`` what it types.
        """
        text, cursor = self.text, self.cursor
        if self.offered:
            if key in ("backspace", "ctrl+h", "delete", "ctrl+d"):
                return TextLine()
            if character is None or not character.isprintable():
                return TextLine(text, cursor).key(key, character)
        match key:
            case "left" | "ctrl+b":
                return replace(self, cursor=max(cursor - 1, 0))
            case "right" | "ctrl+f":
                return replace(self, cursor=min(cursor + 1, len(text)))
            case "home":
                return replace(self, cursor=0)
            case "end":
                return replace(self, cursor=len(text))
            case "ctrl+left" | "alt+b":
                return replace(self, cursor=self._word_left())
            case "ctrl+right" | "alt+f":
                return replace(self, cursor=self._word_right())
            case "backspace" | "ctrl+h":
                return TextLine(text[: max(cursor - 1, 0)] + text[cursor:], max(cursor - 1, 0))
            case "delete" | "ctrl+d":
                return TextLine(text[:cursor] + text[cursor + 1 :], cursor)
            case "ctrl+u":
                return TextLine(text[cursor:], 0)
            case "ctrl+k":
                return TextLine(text[:cursor], cursor)
            case "ctrl+w":
                start = self._word_left()
                return TextLine(text[:start] + text[cursor:], start)
        if character and character.isprintable() and len(character) == 1:
            return self.insert(character)
        return None

    def _word_left(self) -> int:
        at = self.cursor
        while at > 0 and not self.text[at - 1].isalnum():
            at -= 1
        while at > 0 and self.text[at - 1].isalnum():
            at -= 1
        return at

    def _word_right(self) -> int:
        at, end = self.cursor, len(self.text)
        while at < end and not self.text[at].isalnum():
            at += 1
        while at < end and self.text[at].isalnum():
            at += 1
        return at

    def spans(self, width: int, style: str = "") -> list[tuple[str, str]]:
        """The line in at most ``width`` cells, scrolled so that the cursor shows, the cursor as a reversed cell."""
        first = max(0, self.cursor - width + 1)
        if self.offered:
            return [(self.text[first : self.cursor], "cursor"), (" ", style)]
        before = self.text[first : self.cursor]
        at = self.text[self.cursor : self.cursor + 1] or " "
        after = self.text[self.cursor + 1 : first + width]
        return [(before, style), (at, "cursor"), (after, style)]
