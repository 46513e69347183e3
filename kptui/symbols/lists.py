"""The kernel's own lists of what may be probed, as values: the blacklist of kprobes, and what ftrace can trace."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Blacklist:
    """``/sys/kernel/debug/kprobes/blacklist``. ``starts`` and ``ends`` are empty where addresses are hidden."""

    names: frozenset[str]
    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))

    @classmethod
    def parse(cls, data: bytes) -> Blacklist:
        """Lines ``0xSTART-0xEND<TAB>NAME``; others are passed over."""
        names = set()
        ranges = []
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            where, tab, name = line.partition("\t")
            first, dash, last = where.partition("-")
            if not tab or not dash or not name:
                continue
            names.add(name.split("\t")[0].split(" ")[0])
            try:
                start, end = int(first, 16), int(last, 16)
            except ValueError:
                continue
            if start:
                ranges.append((start, end))
        ranges.sort()
        return cls(frozenset(names), array("Q", [a for a, _ in ranges]), array("Q", [b for _, b in ranges]))

    def covers(self, address: int) -> bool:
        at = bisect_right(self.starts, address) - 1
        return at >= 0 and address < self.ends[at]


@dataclass(frozen=True, slots=True)
class ProbeLists:
    """What a running kernel says of itself; None: it couldn't be read. ``traceable`` has the lines of
    ``available_filter_functions`` as they are, ``NAME`` or ``NAME [module]``, and how often each is there.
    """

    blacklist: Blacklist | None = None
    traceable: Mapping[str, int] | None = None

    @classmethod
    def parse(cls, blacklist: bytes | None, traceable: bytes | None) -> ProbeLists:
        return cls(
            None if blacklist is None else Blacklist.parse(blacklist),
            None if traceable is None else Counter(_lines(traceable)),
        )


NO_LISTS = ProbeLists()


def _lines(data: bytes) -> Iterator[str]:
    """In steps that leave others their turn."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + (1 << 16))
        end = len(data) if end < 0 else end + 1
        yield from data[start:end].decode("utf-8", "surrogateescape").split("\n")
        start = end
