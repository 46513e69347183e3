"""A captured event as the names a filter, a column or a count can speak of."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping

from kptui.events import body, lines
from kptui.events.log import EventLog, LogView
from kptui.events.model import ArgValue, Record, TraceEvent

_MAX_KEYS = 10_000


def _shown(value: ArgValue) -> str | None:
    if isinstance(value, tuple):
        return "{" + ",".join("(fault)" if item is None else item for item in value) + "}"
    return value


def arguments_text(record: TraceEvent) -> str:
    """The arguments as the kernel printed them, ``fd=3 path="/x"``; an event's body if it is no probe's."""
    if record.body is not None:
        return record.body
    if not record.args:
        return ""
    raw = record.raw.encode("utf-8", "surrogateescape")
    start = lines.is_start(raw)  # by columns: a command name may imitate all that follows
    text = raw[start.end() if start else 0 :].decode("utf-8", "surrogateescape")
    place = body.head(text[len(record.event) + 2 :])
    return text[len(record.event) + 2 + place.end() + 1 :] if place else text


def event_values(record: Record) -> dict[str, str | int | None]:
    """What can be asked of a record: the parts of its prefix, and its arguments as printed (None if it faulted).

    ``comm``, ``pid``, ``common_pid``, ``tgid``, ``cpu``, ``flags``, ``ts``, ``func``, ``ip`` (the place: a probe's own
    or a return probe's caller), ``body``; an argument of the same name wins, as in the kernel's filters
    (kernel/trace/trace_events.c trace_find_event_field). ``event``, ``kind``, ``COMM``, ``CPU`` and ``common_*`` are
    always the prefix's, ``args.NAME`` always the argument.
    """
    if not isinstance(record, TraceEvent):
        return {"kind": record.kind, "text": record.text}
    place = record.ip or record.ret_ip
    values: dict[str, str | int | None] = {
        "comm": record.comm,
        "pid": record.pid,
        "tgid": record.tgid,
        "cpu": record.cpu,
        "flags": record.flags,
        "ts": record.ts,
        "ip": None if place is None else str(place),
        "func": record.func,
        "body": record.body,
    }
    for arg in record.args:
        values[arg.name] = values[f"args.{arg.name}"] = _shown(arg.value)
    values.update(
        {
            "kind": "event",
            "event": record.event,
            "COMM": record.comm,
            "CPU": record.cpu,
            "common_comm": record.comm,
            "common_pid": record.pid,
            "common_cpu": record.cpu,
        }
    )
    return values


class Counts:
    """How often each value of one field occurs in a log or a view of it: ``advance`` with a budget at every
    tick.

    Counts what has been seen since it was made, evicted records included. At most 10,000 different values are
    kept apart; the others count in ``other``. A record without the field counts in ``without``.
    """

    def __init__(self, source: EventLog | LogView, field: str) -> None:
        self._log = source if isinstance(source, EventLog) else source.log
        self._view = source if isinstance(source, LogView) else None
        self._next = self._log.first
        self.field = field
        self.counts: Counter[str] = Counter()
        self.other = 0
        self.without = 0
        self.total = 0

    def advance(self, budget: int = 5_000) -> int:
        """Count up to ``budget`` further records; how many were counted. Only settled ones, so that none
        counts twice.
        """
        log, view = self._log, self._view
        todo: range | array[int]
        if view is None:
            start = max(self._next, log.first)
            todo = range(start, min(log.settled, start + budget))
        else:
            at = view.position(self._next)
            todo = array("Q")
            for i in range(at, min(len(view), at + budget)):
                if (index := view.index(i)) >= log.settled:
                    break
                todo.append(index)
        for i in todo:
            self._add(event_values(log.record(i)))
        if len(todo):
            self._next = todo[-1] + 1
        return len(todo)

    def _add(self, values: Mapping[str, str | int | None]) -> None:
        self.total += 1
        value = values.get(self.field)
        if value is None:
            self.without += 1
            return
        key = str(value)
        if key in self.counts or len(self.counts) < _MAX_KEYS:
            self.counts[key] += 1
        else:
            self.other += 1

    def top(self, count: int = 20) -> list[tuple[str, int]]:
        """The commonest values and their numbers, ties in the order of first sight."""
        return self.counts.most_common(count)


def counts_by(source: EventLog | LogView, field: str) -> Counts:
    """A count of ``field`` over ``source``, to be advanced."""
    return Counts(source, field)
