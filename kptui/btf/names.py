"""The strings of BTF, and its records by their names.

A search through strings and records, both in C, answers a first question within a millisecond or two, without memory: a
table of 60,000 function names would cost more time than all the look-ups of most sessions. A program that checks a
thousand probes asks a thousand times: for it an index is made, a part with each question.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from mmap import mmap

_SEARCHES: Final = 64  # before an index is begun
_PART: Final = 2048  # records; one takes about 2 ms


class Strings:
    """The string table from ``start`` to before ``end`` of ``data``; offsets count from the base's."""

    def __init__(self, data: bytes | mmap, start: int, end: int, base: Strings | None) -> None:
        self._data = data
        self._start, self._end = start, end
        self._base = base
        self._first: int = 0 if base is None else base._first + base._end - base._start
        self._last: tuple[bytes, tuple[int, ...]] = (b"", ())  # a module's names are the kernel's first

    def at(self, offset: int) -> bytes:
        """The string at that offset, b'' if there is none."""
        local = offset - self._first
        if local < 0 and self._base is not None:
            return self._base.at(offset)
        start = self._start + local
        if not self._start <= start < self._end:
            return b""
        end = self._data.find(b"\0", start, self._end)
        return self._data[start : end if end >= 0 else self._end]

    def begins(self, offset: int) -> bool:
        """Whether a string begins at that offset."""
        local = offset - self._first
        if local < 0 and self._base is not None:
            return self._base.begins(offset)
        at = self._start + local
        return at < self._end and (local == 0 or self._data[at - 1] == 0)

    def offsets(self, text: bytes) -> tuple[int, ...]:
        """Where the table has ``text`` as a whole entry (tools that write BTF share no tails)."""
        last, found = self._last
        if last != text:
            found = tuple(self._find(text))
            self._last = text, found
        return found if self._base is None else (*self._base.offsets(text), *found)

    def _find(self, text: bytes) -> Iterator[int]:
        entry = b"\0" + text + b"\0"
        if self._base is not None and self._data[self._start : self._start + len(entry) - 1] == entry[1:]:
            yield self._first
        at = self._data.find(entry, self._start, self._end)
        while at >= 0:
            yield at + 1 - self._start + self._first
            at = self._data.find(entry, at + 1, self._end)

    def beginning(self, text: bytes) -> Iterator[int]:
        """Where entries of this table begin so, but the first."""
        start = b"\0" + text
        at = self._data.find(start, self._start, self._end)
        while at >= 0:
            yield at + 1 - self._start + self._first
            at = self._data.find(start, at + 1, self._end)


class Names:
    """The records of one BTF by name. ``offsets``: of each record's name, in the order of the records."""

    def __init__(self, strings: Strings, offsets: array[int]) -> None:
        self._strings = strings
        # An eighth of the bytes of the records to search, and in the order of bytes in which bytes.find() compares the
        # one first that differs most
        offsets.byteswap()
        self._offsets = offsets.tobytes()
        self._count = len(offsets)
        self._asked = 0
        # By their first place: hashes in order, and whose they are, from there. Threads may make one twice, the same.
        self._parts: dict[int, tuple[Sequence[int], Sequence[int]]] = {}

    def places(self, name: bytes) -> Iterator[int]:
        """The places of the records of that name (not b''), in no order."""
        self._asked += 1
        complete = len(self._parts) * _PART >= self._count
        if not complete and self._asked > _SEARCHES:
            self._index_more()
        return self._indexed(name) if complete else self._searched(name)

    def _name(self, place: int) -> bytes:
        return self._strings.at(int.from_bytes(self._offsets[4 * place : 4 * place + 4], "big"))

    def _searched(self, name: bytes) -> Iterator[int]:
        for offset in self._strings.offsets(name):
            pattern = struct.pack(">I", offset)
            at = self._offsets.find(pattern)
            while at >= 0:
                place, odd = divmod(at, 4)
                if not odd:
                    yield place
                at = self._offsets.find(pattern, at + 1)

    def _index_more(self) -> None:
        """One more part: 6 bytes a record."""
        start = next((at for at in range(0, self._count, _PART) if at not in self._parts), 0)
        hashes = [crc32(self._name(place)) for place in range(start, min(start + _PART, self._count))]
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        self._parts[start] = array("I", map(hashes.__getitem__, order)), array("H", order)

    def _indexed(self, name: bytes) -> Iterator[int]:
        wanted = crc32(name)
        for start, (hashes, order) in self._parts.items():
            at = bisect_left(hashes, wanted)
            while at < len(hashes) and hashes[at] == wanted:
                place = start + order[at]
                if self._name(place) == name:
                    yield place
                at += 1
