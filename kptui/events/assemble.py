"""Bytes of a trace file in, complete records out, wherever the chunks were cut.

A record is one line, except that the kernel escapes nothing: a newline in a command name, a string, a
character or a marker's text continues it on the next line. A following line belongs to the record before it
when that record still has an open string (even if the line looks like a record: any user can make a file of
that name), or when it is no record itself and the two together read as one. What fits nowhere is a record of
its own: nothing is dropped.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from kptui.events import body, lines

# A record is formatted in one trace_seq: one page at first, 8 KiB since 6.8 (include/linux/trace_seq.h).
MAX_RECORD: Final = 8192 + 512
# Longer physical lines are no trace text; they are cut, so that memory stays bounded.
MAX_LINE: Final = 65536

_MARKER = lines.MARKER.encode()
# A whole probe record on one line that can't go wrong: the common case at the speed of one regular
# expression.
_CLEAN = re.compile(
    rb"[^\n]{16}-\d+ +(?:\((?: *\d+|-+)\) )?\[\d{3,}\] (?:\S{4,8} )? *\d+(?:\.\d{6})?: "
    rb"(?!" + _MARKER + rb": )[^\s:(]++: \([^()\"\n]++\)"
    rb"(?: [A-Za-z_]\w*+=(?:-?\d++|\"[^\"\n]*+\"|0x[0-9a-f]++|\(fault\)|\{[-0-9a-fx,]++\}"
    rb"|[^\s()+,{}\"<>=]++\+0x[0-9a-f]++/0x[0-9a-f]++)"
    rb"(?=[ \n]))*+\n"
)

_Mode = Literal["none", "closed", "open", "text"]


class LineAssembler:
    """``feed`` bytes, get the records that are certainly complete, without their last newline; ``close`` at
    the end.

    A record is certain once the next one starts; until then ``peek`` shows it as it would stand if nothing
    followed. Any way of cutting the same bytes gives the same records. Holds at most about 140 KiB.
    """

    def __init__(self) -> None:
        self._buf = b""  # starts with the record in the making, if there is one
        self._pos = 0  # behind the last physical line that was looked at
        self._mode: _Mode = "none"
        self._closed = 0  # behind the last line with which the record was complete
        self._head = 0  # behind the record's first line
        self._strings = False  # whether the record holds a string that a newline may continue

    def feed(self, data: bytes) -> list[bytes]:
        self._buf += data
        return self._run(final=False)

    def close(self) -> list[bytes]:
        """The rest, also a last line without newline. The assembler is as new afterwards."""
        out = self._run(final=True)
        self.__init__()  # type: ignore[misc]
        return out

    def forget(self) -> None:
        """Drop everything but a half-read last line."""
        rest = self._buf[self._buf.rfind(b"\n") + 1 :]
        self.__init__()  # type: ignore[misc]
        self._buf = rest

    def peek(self) -> list[bytes]:
        """The records that ``close`` would give now, without a half-read last line; changes nothing."""
        end = self._buf.rfind(b"\n") + 1
        if end == 0:
            return []
        twin = LineAssembler()
        twin._buf, twin._pos, twin._mode = self._buf[:end], min(self._pos, end), self._mode
        twin._closed, twin._head, twin._strings = self._closed, self._head, self._strings
        return twin._run(final=True)

    def _run(self, *, final: bool) -> list[bytes]:
        out: list[bytes] = []
        buf = self._buf
        size = len(buf)
        start = 0
        while self._pos < size:
            pos = self._pos
            if self._mode != "open" and (match := _CLEAN.match(buf, pos)):
                if self._mode != "none":
                    self._release(out, start, pos)
                start = pos
                self._pos = self._closed = self._head = match.end()
                self._mode = "closed"
                self._strings = True
                continue
            end, after = self._line(pos, final=final)
            if after < 0:
                break
            if self._mode == "open":
                if not self._continues(start, end, after):
                    out.append(self._give_up(start))
                    start = self._pos
                continue
            begun = lines.is_start(buf, pos) if end - pos >= lines.COMM_WIDTH else None
            if begun is None and end - pos < lines.COMM_WIDTH and buf[end : end + 1] == b"\n":
                wide, beyond = self._line(pos, final=final, least=pos + lines.COMM_WIDTH)
                if beyond < 0 and not final:
                    break
                if beyond >= 0 and (begun := lines.is_start(buf[pos:wide])):
                    end, after = wide, beyond
            if begun is not None:
                if self._mode != "none":
                    self._release(out, start, pos)
                start = pos
                self._begin(pos, pos + begun.end() - begun.start(), end, after)
            elif self._mode != "none" and self._belongs(start, pos, end, after):
                self._pos = after
            else:
                if self._mode != "none":
                    self._release(out, start, pos)
                out.append(buf[pos:end])
                self._mode = "none"
                start = self._pos = after
        if final and self._mode != "none":
            self._finish(out, start)
            start = self._pos
        self._buf = buf[start:]
        self._pos -= start
        self._closed -= start
        self._head -= start
        return out

    def _line(self, pos: int, *, final: bool, least: int | None = None) -> tuple[int, int]:
        """End and following start of the line at ``pos`` whose newline is not before ``least``; -1 if not yet
        known.
        """
        buf = self._buf
        end = buf.find(b"\n", pos if least is None else least, pos + MAX_LINE)
        if end >= 0:
            return end, end + 1
        if len(buf) - pos >= MAX_LINE:
            return pos + MAX_LINE, pos + MAX_LINE
        return (len(buf), len(buf)) if final and (least is None or len(buf) > least) else (-1, -1)

    def _begin(self, pos: int, body_at: int, end: int, after: int) -> None:
        text = self._buf[body_at:end].decode("utf-8", "surrogateescape")
        self._pos = self._closed = self._head = after
        self._mode = "text"
        self._strings = False
        name = lines.NAME.match(text)
        if name is None or name[1] == lines.MARKER:
            return
        if place := body.head(text[name.end() :]):
            shape, self._strings = body.shape(text, name.end() + place.end())
            if shape != "other":
                self._mode = shape

    def _continues(self, start: int, end: int, after: int) -> bool:
        """Take the line into the open record; False when the record would be longer than the kernel makes
        any.
        """
        if after - start > MAX_RECORD:
            return False
        if body.closes(self._buf[self._pos : end].decode("utf-8", "surrogateescape")):
            self._mode = "closed"
            self._closed = after
        self._pos = after
        return True

    def _give_up(self, start: int) -> bytes:
        """No end of the string in sight: the first line stands alone, the others are looked at afresh."""
        self._pos = self._head
        self._mode = "none"
        return self._trim(start, self._head)

    def _belongs(self, start: int, pos: int, end: int, after: int) -> bool:
        """Whether the line, which is no record with a prefix, may continue the complete record before it."""
        if after - start > MAX_RECORD or lines.is_standalone(self._buf[pos:end]):
            return False
        if self._mode == "text":
            self._closed = after
            return True
        if not self._strings:
            return False
        if body.closes(self._buf[pos:end].decode("utf-8", "surrogateescape")):
            self._closed = after
        return True

    def _trim(self, start: int, end: int) -> bytes:
        return self._buf[start : end - 1] if self._buf[end - 1 : end] == b"\n" else self._buf[start:end]

    def _release(self, out: list[bytes], start: int, pos: int) -> None:
        """The record from ``start`` as far as it is complete; lines up to ``pos`` that never fitted stand
        alone.
        """
        out.append(self._trim(start, self._closed))
        if self._closed < pos:
            rest = self._buf[self._closed : pos]
            out += (rest[:-1] if rest.endswith(b"\n") else rest).split(b"\n")
            self._closed = pos

    def _finish(self, out: list[bytes], start: int) -> None:
        if self._mode != "open":
            self._release(out, start, self._pos)
            self._mode = "none"
            return
        out.append(self._give_up(start))
        rest = LineAssembler()
        out += rest.feed(self._buf[self._pos :])
        out += rest.close()
        self._pos = len(self._buf)
