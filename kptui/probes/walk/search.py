"""Finds members by name, several levels behind a pointer: ``d_name`` under a ``struct file *``."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kptui.btf import Btf, Type
from kptui.btf.types import ARRAY, MODIFIERS, PTR, STRUCT, UNION
from kptui.probes.walk.spot import Spot
from kptui.probes.walk.walker import Walker

MAX_POINTERS: Final = 5
MAX_PARTS: Final = 8
ROUTES: Final = 8
"""Ways to one structure that are looked into; more would be the same members under longer names. The eighth dentry
behind a task is that of the file it runs.
"""

_SLICE: Final = 200  # members between two chances for the caller to do something else: about 1 ms
_MOST: Final = 300_000  # members looked at; all of the kernel's structures have fewer


@dataclass(frozen=True, slots=True)
class Hit:
    """A member that was found. ``quality``: 0 the name itself, 1 all but its prefix (``dport`` of ``skc_dport``), 2 its
    beginning, 3 the beginning of a word in it, 4 its end, 5 somewhere in it, 6 so without underscores (``dname``).
    """

    spot: Spot
    quality: int

    @property
    def key(self) -> tuple[int, int, int, str]:
        """What to sort by: the best first."""
        return self.quality, self.spot.steps, len(self.spot.path), self.spot.path


@dataclass(frozen=True, slots=True)
class _Node:
    """A structure on the way: its type's id, and the part of the path that leads to it."""

    number: int
    parent: _Node | None
    name: str
    pointers: int
    parts: int

    def names(self) -> Iterator[str]:
        node: _Node | None = self
        while node is not None:
            yield node.name
            node = node.parent


def search(walker: Walker, start: Spot, query: str, *, pointers: int = MAX_POINTERS) -> Iterator[Hit | None]:
    """Members whose names match, those behind few pointers first.

    ``query`` is (part of) a member's name; before it may stand parts of names on the way, parted by ``->``,
    ``.`` or blanks (``dentry name``). Case doesn't count, nor do underscores that are left out. None is yielded about
    every millisecond: stop there, or go on. Ends by itself; structures that contain themselves are entered once.
    """
    words = query.lower().replace("->", " ").replace(".", " ").split()
    first = _structure(walker.btf, start.type)
    if not words or first is None:
        return
    looked = 0
    visits: Counter[int] = Counter()
    queue = deque([_Node(first[0], None, "", int(first[1]), 0)])
    while queue and looked < _MOST:
        node = queue.popleft()
        struct = walker.btf.type(node.number)
        if struct is None or visits[node.number] >= ROUTES:
            continue
        visits[node.number] += 1
        embedded: list[_Node] = []
        for name, number in _members(walker.btf, struct):
            looked += 1
            if looked % _SLICE == 0:
                yield None
            quality = _matches(words, name, node)
            if quality is not None:
                spot = _spot(walker, start, node, name)
                if spot is not None:
                    yield Hit(spot, quality)
            inner = _structure(walker.btf, number)
            if inner is None or node.parts + 1 >= MAX_PARTS:
                continue
            below = _Node(inner[0], node, name, node.pointers + inner[1], node.parts + 1)
            if below.pointers > pointers or _repeats(below):
                continue
            (queue if inner[1] else embedded).append(below)
        queue.extendleft(reversed(embedded))  # no further away than what is looked at now


def _structure(btf: Btf, number: int) -> tuple[int, bool] | None:
    """The id of the structure that a type is, or (True) points to; None if it is neither."""
    pointed = False
    for _ in range(40):
        kind = btf.type(number)
        if kind is None:
            return None
        if kind.kind in {STRUCT, UNION}:
            return number, pointed
        if kind.kind in MODIFIERS or (kind.kind == PTR and not pointed):
            pointed = pointed or kind.kind == PTR
            number = kind.ref
        elif kind.kind == ARRAY:
            return None
        else:
            return None
    return None


def _members(btf: Btf, struct: Type, depth: int = 0) -> Iterator[tuple[str, int]]:
    for member in struct.members:
        if member.name:
            yield member.name, 0 if member.width else member.type
            continue
        inner = btf.resolved(member.type)
        if inner is not None and inner.kind in {STRUCT, UNION} and depth < 32:
            yield from _members(btf, inner, depth + 1)


def _repeats(node: _Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.number == node.number:
            return True
        parent = parent.parent
    return False


def _matches(words: list[str], name: str, node: _Node) -> int | None:
    lower, last = name.lower(), words[-1]
    apart = last not in lower
    if apart and last.replace("_", "") not in lower.replace("_", ""):
        return None
    before = words[-2::-1]
    for way in node.names():
        if before and before[0] in way.lower():
            before = before[1:]
    if before:
        return None
    return 6 if apart else _quality(last, lower)


def _quality(last: str, name: str) -> int:
    if name == last:
        return 0
    if name.partition("_")[2] == last:
        return 1
    if name.startswith(last):
        return 2
    if f"_{last}" in name:
        return 3
    return 4 if name.endswith(last) else 5


def _spot(walker: Walker, start: Spot, node: _Node, name: str) -> Spot | None:
    found: Spot | None = start
    for part in (*[part for part in node.names() if part][::-1], name):
        found = None if found is None else walker.member(found, part)
    return found
