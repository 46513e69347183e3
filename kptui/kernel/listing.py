"""What the kernel lists: ``kprobe_events`` and its siblings, and the profiles with hits and misses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kptui.kernel.files import KernelFiles
from kptui.safetext import decode

LISTS = ("kprobe_events", "uprobe_events")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list. ``kind`` is the first letter (p, r, f, t, e, s), ``source`` the file it stood
    in.
    """

    kind: str
    group: str
    event: str
    line: str
    source: str


# Synthetic events have a tab after the name; names are free of blanks in every kind.
_NAMED = re.compile(r"(?P<kind>[a-z])\d*:(?P<group>[^/\s]+)/(?P<event>\S+)(?:\s.*)?", re.DOTALL)


def parse_list(data: bytes, source: str) -> list[Listed]:
    """The lines of ``kprobe_events``, ``uprobe_events`` or ``dynamic_events``, in order; others are passed
    over.
    """
    found = []
    for line in decode(data).split("\n"):
        if match := _NAMED.fullmatch(line):
            found.append(Listed(match["kind"], match["group"], match["event"], line, source))
    return found


def read_lists(files: KernelFiles, sources: Iterable[str] = (*LISTS, "dynamic_events")) -> list[Listed]:
    """Every dynamic event of the machine, one item a probe (an event may have several).

    ``dynamic_events`` repeats the others and adds their younger siblings. A missing file counts as empty;
    other errors are raised.
    """
    found: list[Listed] = []
    for source in sources:
        try:
            data = files.read(source)
        except FileNotFoundError:
            continue
        seen = {item.line for item in found}
        found.extend(item for item in parse_list(data, source) if item.line not in seen or source in LISTS)
    return found


@dataclass(frozen=True, slots=True)
class Count:
    """Hits, and misses where the kernel counts them (not for uprobes)."""

    hits: int
    misses: int | None


def parse_profile(data: bytes) -> list[tuple[str, Count]]:
    """``kprobe_profile`` (EVENT HITS MISSES) or ``uprobe_profile`` (PATH EVENT HITS): one pair per probe,
    in order.

    Names come without group, so the same name may appear more than once.
    """
    rows = []
    for line in decode(data).split("\n"):
        words = line.split()
        if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
            rows.append((words[0], Count(int(words[1]), int(words[2]))))
        elif len(words) >= 3 and words[-1].isdecimal():
            rows.append((words[-2], Count(int(words[-1]), None)))
    return rows


def match_profile(
    probes: Sequence[Listed], rows: Sequence[tuple[str, Count]]
) -> dict[tuple[str, str], Count]:
    """Counts by (group, event), summed over the probes of an event.

    List and profile walk the same kernel list (kernel/trace/trace_kprobe.c: both iterate the dynamic
    events), so they are matched by position. When they don't line up, because something changed between
    the two reads, only names that occur once in both are counted; the others are left out rather than
    guessed.
    """
    counts: dict[tuple[str, str], Count] = {}
    if [probe.event for probe in probes] == [name for name, _ in rows]:
        for probe, (_, count) in zip(probes, rows, strict=True):
            key = probe.group, probe.event
            old = counts.get(key)
            counts[key] = count if old is None else _sum(old, count)
        return counts
    by_name: dict[str, list[Count]] = {}
    for name, count in rows:
        by_name.setdefault(name, []).append(count)
    for probe in probes:
        same = [other for other in probes if other.event == probe.event]
        if len(same) == 1 and len(by_name.get(probe.event, ())) == 1:
            counts[probe.group, probe.event] = by_name[probe.event][0]
    return counts


def _sum(one: Count, other: Count) -> Count:
    known = one.misses is not None and other.misses is not None
    return Count(one.hits + other.hits, (one.misses or 0) + (other.misses or 0) if known else None)
