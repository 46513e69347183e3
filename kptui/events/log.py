"""Everything that was captured, within a bound, without an object an event.

A flood brings hundreds of thousands of records a second, of which a screen shows fifty: the log keeps the
bytes of each batch with the ends of its records, and makes a value of a record when somebody asks for it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from kptui.events import lines
from kptui.events.assemble import LineAssembler
from kptui.events.model import ArgSpec, Record
from kptui.events.parse import TraceParser

_CACHED = 2048
_BATCH = 1 << 18  # small batches are merged up to this many bytes


class _Batch:
    """Records that came together: their bytes, each with a newline behind it, and the end of each."""

    __slots__ = ("data", "ends", "first")

    def __init__(self, first: int, records: Sequence[bytes]) -> None:
        self.first = first
        self.data = b"\n".join(records) + b"\n"
        self.ends = array("I")
        self._extend(0, records)

    def _extend(self, at: int, records: Sequence[bytes]) -> None:
        add = self.ends.append
        for record in records:
            at += len(record) + 1
            add(at)

    def grow(self, records: Sequence[bytes]) -> None:
        at = len(self.data)
        self.data += b"\n".join(records) + b"\n"
        self._extend(at, records)

    def line(self, i: int) -> bytes:
        return self.data[self.ends[i - 1] if i else 0 : self.ends[i] - 1]


class EventLog:
    """A bounded log of trace records, indexed absolutely: ``first`` is the oldest that is still there.

    ``feed`` takes bytes of any cut. Indices never change while a record is there; the last one or two
    (``settled`` and above) may still grow or join when the rest of a multi-line string comes in.
    ``formats``: argument lists by event name, see TraceParser; set them anew with ``set_formats``.
    """

    def __init__(
        self,
        max_bytes: int = 64 << 20,
        max_events: int = 500_000,
        formats: Mapping[str, Sequence[ArgSpec]] | None = None,
    ) -> None:
        self._max_bytes = max(1, max_bytes)
        self._max_events = max(1, max_events)
        self._parser = TraceParser(formats)
        self._assembler = LineAssembler()
        self._batches: deque[_Batch] = deque()
        self._starts: list[int] = []  # first index of each batch, for bisection
        self._tail: list[bytes] = []
        self._cache: OrderedDict[int, Record] = OrderedDict()
        self.version = 0  # goes up with every feed, close and clear
        self.first = 0
        self.settled = 0
        self.size = 0
        self.lost = 0
        self.lost_marks = 0

    def set_formats(self, formats: Mapping[str, Sequence[ArgSpec]]) -> None:
        """New argument lists, for records decoded from now on."""
        self._parser = TraceParser(formats)
        self._cache.clear()

    @property
    def end(self) -> int:
        """One past the newest record: valid indices are ``first`` to ``end - 1``."""
        return self.settled + len(self._tail)

    @property
    def evicted(self) -> int:
        """How many records had to go, oldest first, to keep the bounds."""
        return self.first

    @property
    def received(self) -> int:
        """How many records came in, evicted ones included."""
        return self.end

    def __len__(self) -> int:
        return self.end - self.first

    def feed(self, data: bytes) -> int:
        """Append trace text; how many records more there are."""
        before = self.end
        self._store(self._assembler.feed(data))
        self._tail = self._assembler.peek()
        self._evict()
        self.version += 1
        return max(0, self.end - before)

    def close(self) -> None:
        """The input has ended: a last line without newline counts too."""
        self._store(self._assembler.close())
        self._tail = []
        self._evict()
        self.version += 1

    def clear(self) -> None:
        """Forget all records and counts; a half-read line stays."""
        at = self.end
        self._batches.clear()
        self._starts.clear()
        self._cache.clear()
        self._assembler.forget()
        self._tail = []
        self.first = self.settled = at
        self.version += 1
        self.size = 0
        self.lost = self.lost_marks = 0

    def _store(self, records: list[bytes]) -> None:
        if not records:
            return
        last = self._batches[-1] if self._batches else None
        before = 0
        if last is not None and len(last.data) < _BATCH:
            before = len(last.data)
            last.grow(records)
        else:
            last = _Batch(self.settled, records)
            self._batches.append(last)
            self._starts.append(self.settled)
        self.settled += len(records)
        self.size += len(last.data) - before
        if last.data.find(b"EVENTS]", before) >= 0:
            for record in records:
                if record.startswith(b"CPU:") and (match := lines.LOST.fullmatch(record)):
                    self.lost_marks += 1
                    self.lost += int(match[2] or 0)

    def _evict(self) -> None:
        keep_from = max(self.first, min(self.settled, self.end - self._max_events))
        while len(self._batches) > 1 and (
            self.size > self._max_bytes or self._batches[0].first + len(self._batches[0].ends) <= keep_from
        ):
            gone = self._batches.popleft()
            self._starts.pop(0)
            self.size -= len(gone.data)
            keep_from = max(keep_from, gone.first + len(gone.ends))
        if self.size > self._max_bytes:  # one batch left: cut inside it
            batch = self._batches[0]
            k = bisect_right(batch.ends, self.size - self._max_bytes - 1)
            keep_from = max(keep_from, batch.first + min(k + 1, len(batch.ends)))
            self._cut(batch, keep_from - batch.first)
        self.first = keep_from

    def _cut(self, batch: _Batch, count: int) -> None:
        offset = batch.ends[count - 1]
        batch.data = batch.data[offset:]
        batch.ends = array("I", [end - offset for end in batch.ends[count:]])
        batch.first += count
        self._starts[0] = batch.first
        self.size -= offset

    def line(self, i: int) -> bytes:
        """The bytes of record ``i`` without the last newline. IndexError if it is not there (any more)."""
        if not self.first <= i < self.end:
            raise IndexError(i)
        if i >= self.settled:
            return self._tail[i - self.settled]
        batch = self._batches[bisect_right(self._starts, i) - 1]
        return batch.line(i - batch.first)

    def record(self, i: int) -> Record:
        """Record ``i``, decoded now or from the cache. IndexError as in ``line``."""
        if (found := self._cache.get(i)) is not None and i >= self.first:
            self._cache.move_to_end(i)
            return found
        record = self._parser.parse(self.line(i))
        if i < self.settled:
            self._cache[i] = record
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return record

    def decode(self, line: bytes) -> Record:
        """A line of this log as a record, past the cache: for export, on any thread."""
        return self._parser.parse(line)

    def find(
        self, needle: str, start: int, step: int = 1, limit: int = 20_000, stop: int | None = None
    ) -> int | None:
        """The first record from ``start`` on (back from it with step -1) that holds ``needle``.

        A needle without capitals matches either case (ASCII). Looks at no more than ``limit`` records: on
        None go on from ``start + step * limit`` until that leaves ``first`` to ``end - 1``.
        """
        wanted = needle.encode("utf-8", "surrogateescape")
        fold = needle == needle.lower()
        low, high = self.first, self.end if stop is None else min(stop, self.end)
        if not wanted:
            return start if low <= start < high else None
        span = range(max(start, low), min(start + limit, high)) if step > 0 else None
        if span is None:
            span = range(min(start, high - 1), max(start - limit, low - 1), -1)
        for i in span:
            line = self.line(i)
            if wanted in (line.lower() if fold else line):
                return i
        return None

    def lines(self, start: int | None = None, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of records ``start`` to ``stop - 1``, for export, without those evicted meanwhile."""
        i = self.first if start is None else start
        while i < (self.end if stop is None else min(stop, self.end)):
            i = max(i, self.first)
            yield self.line(i)
            i += 1


class LogView:
    """The records of a log that satisfy a predicate, found bit by bit: call ``advance`` with a budget at
    every tick.

    Without a predicate it is the log itself. ``len`` and ``index`` count from the oldest match still in the
    log.
    """

    def __init__(self, log: EventLog, predicate: Callable[[Record], bool] | None = None) -> None:
        self.log = self._log = log
        self._predicate = predicate
        self._found = array("Q")
        self._shed = 0  # evicted matches that are no longer in _found
        self._gone = 0  # matches at the front of _found that the log has evicted
        self._next = log.first
        self._version = log.version
        self._sure = log.first  # below this the tested records were settled
        self.tested = 0

    @property
    def behind(self) -> int:
        """How many records are still untested."""
        return 0 if self._predicate is None else max(0, self._log.end - max(self._next, self._log.first))

    @property
    def matched(self) -> int:
        """How many records matched, those included that the log has evicted since."""
        return self._log.received if self._predicate is None else len(self._found) + self._shed

    def advance(self, budget: int = 5_000) -> int:
        """Test up to ``budget`` records; how many were tested."""
        log, predicate = self._log, self._predicate
        if predicate is None:
            return 0
        if self._next > self._sure and log.version != self._version:  # the last ones may have changed
            while len(self._found) and self._found[-1] >= self._sure:
                self._found.pop()
            self.tested -= self._next - self._sure
            self._next = self._sure
        self._expire()
        start = max(self._next, log.first)
        stop = min(log.end, start + budget)
        record, add = log.record, self._found.append
        for i in range(start, stop):
            if predicate(record(i)):
                add(i)
        self._next = stop
        self._version = log.version
        self._sure = min(stop, log.settled)
        self.tested += max(0, stop - start)
        return max(0, stop - start)

    def _expire(self) -> None:
        first = self._log.first
        found = self._found
        gone = self._gone
        while gone < len(found) and found[gone] < first:
            gone += 1
        if gone > 4096 and gone * 2 > len(found):
            self._found = found[gone:]
            self._shed += gone
            gone = 0
        self._gone = gone

    def __len__(self) -> int:
        if self._predicate is None:
            return len(self._log)
        self._expire()
        return len(self._found) - self._gone

    def index(self, i: int) -> int:
        """The absolute index in the log of match ``i``. IndexError when there is none."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self._log.first + i if self._predicate is None else self._found[self._gone + i]

    def indices(self) -> Sequence[int]:
        """The absolute indices of all matches, as they are now."""
        if self._predicate is None:
            return range(self._log.first, self._log.end)
        self._expire()
        return self._found[self._gone :]

    def position(self, index: int) -> int:
        """How many matches lie before the absolute ``index``: where to stand after the view has changed."""
        if self._predicate is None:
            return min(max(0, index - self._log.first), len(self._log))
        self._expire()
        return bisect_right(self._found, index - 1, lo=self._gone) - self._gone if index > 0 else 0
