"""A whole capture from trace text to JSON lines or CSV, in one pass and in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from kptui.events.model import Record
from kptui.events.parse import TraceParser
from kptui.export import csv, jsonl

Form = Literal["jsonl", "csv"]
_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Counts:
    """What went through: bytes read, records written, and how many of each kind."""

    bytes: int
    records: int
    kinds: dict[str, int]

    @property
    def recognised(self) -> int:
        """Records that are more than a raw line."""
        return self.records - self.kinds.get("raw", 0)


def _unix_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, with CR LF as LF if the first two lines end so: text that came through a terminal (``ssh -t``)."""
    source = iter(chunks)
    start = b""
    for chunk in source:
        start += chunk
        if start.count(b"\n") >= 2 or len(start) > _AT_ONCE:
            break
    first = start.split(b"\n", 2)[:-1]
    if not first or not all(line.endswith(b"\r") for line in first):
        yield start
        yield from source
        return
    held = b""
    for chunk in chain((start,), source):
        data = held + chunk
        held = b"\r" if data.endswith(b"\r") else b""
        yield (data[:-1] if held else data).replace(b"\r\n", b"\n")
    yield held


def convert_stream(
    chunks: Iterable[bytes],
    to: Form,
    write: Callable[[str], None],
    *,
    parser: TraceParser | None = None,
) -> Counts:
    """Write every record in ``chunks`` (cut anywhere) as one line, through ``write``, a batch for each chunk.

    CSV starts with its header line. Whatever ``write`` or ``chunks`` raise passes through; what was complete
    by then has been written.
    """
    if parser is None:
        parser = TraceParser()
    line: Callable[[Record], str] = jsonl.record_to_json if to == "jsonl" else csv.record_to_csv
    kinds: Counter[str] = Counter()
    size = 0
    if to == "csv":
        write(csv.HEADER + "\n")

    def put(records: list[Record]) -> None:
        if records:
            kinds.update([record.kind for record in records])
            write("\n".join([line(record) for record in records]) + "\n")

    def counted() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            size += len(chunk)
            yield chunk

    for chunk in _unix_lines(counted()):
        for at in range(0, len(chunk), _AT_ONCE):
            put(parser.feed(chunk[at : at + _AT_ONCE]))
    put(parser.close())
    return Counts(size, kinds.total(), dict(kinds))
