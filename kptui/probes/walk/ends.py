"""What people want of the kernel's common structures, ready made: the name of a file, the address of a peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from kptui.btf import Type
from kptui.btf.types import PTR, STRUCT, UNION
from kptui.probes.exprs import ArgType, Deref, FetchArg
from kptui.probes.fetch import parse_type
from kptui.probes.params import argument_name
from kptui.probes.walk.ready import READY
from kptui.probes.walk.spot import Reached, Spot, offsets_of
from kptui.probes.walk.walker import PathError, Walker

MOST_AROUND: Final = 12
"""Things that are offered of structures around one of which nothing is known."""


@dataclass(frozen=True, slots=True)
class End:
    """``title`` in words and what reads it; ``reached.note`` tells the byte order where it isn't this machine's."""

    title: str
    reached: Reached


@dataclass(frozen=True, slots=True)
class _Wanted:
    title: str
    name: str
    paths: tuple[str, ...]
    type: str
    note: str


@cache
def _table() -> MappingProxyType[str, tuple[_Wanted, ...]]:
    found: dict[str, list[_Wanted]] = {}
    for line in filter(None, READY.splitlines()):
        if not line.startswith(" "):
            wanted = found.setdefault(line, [])
            continue
        title, name, paths, kind, *note = (part.strip() for part in line.split("|"))
        wanted.append(_Wanted(title, name, tuple(paths.split(", ")), kind, *note or ("",)))
    return MappingProxyType({tag: tuple(ends) for tag, ends in found.items()})


def known_structures() -> tuple[str, ...]:
    """The tags of the structures that something is ready for."""
    return tuple(_table())


def ends(walker: Walker, spot: Spot, taken: Iterable[str] = ()) -> tuple[End, ...]:
    """What is ready for the structure that is here, or that the pointer here leads to; likeliest first.

    Where nothing is known of that structure: of those that it begins with (a ``tcp_sock`` begins with a
    ``sock``), and the first thing of each structure that it points to. Argument names differ from each other and
    from ``taken``.
    """
    used = set(taken)
    out: list[End] = []
    for wanted_of in (_wanted, _around):
        for title, place, wanted in wanted_of(walker, spot):
            reached = _reached(walker, place, wanted)
            if reached is None or reached.fetch is None:
                continue
            name = argument_name(wanted.name, used)
            used.add(name)
            native = None if reached.native is None else replace(reached.native, name=name)
            reached = replace(reached, fetch=replace(reached.fetch, name=name), native=native)
            out.append(End(title, reached))
            if wanted_of is _around and len(out) == MOST_AROUND:
                break
        if out:
            break
    return tuple(out)


def _wanted(walker: Walker, spot: Spot) -> Iterator[tuple[str, Spot, _Wanted]]:
    table = _table()
    place: Spot | None = spot
    for _ in range(8):  # from a structure to the one it begins with
        struct = None if place is None else _struct(walker, place)
        if place is None or struct is None:
            return
        if struct.name in table:
            for wanted in table[struct.name]:
                yield wanted.title, place, wanted
            return
        first = next(iter(walker.children(place)), None)
        inside = first is not None and walker.btf.resolved(first.type)
        place = first if inside and inside.kind in {STRUCT, UNION} else None


def _around(walker: Walker, spot: Spot) -> Iterator[tuple[str, Spot, _Wanted]]:
    """The first thing of each structure in the one here, or that it points to."""
    table = _table()
    if _struct(walker, spot) is None:
        return
    for child in walker.children(spot):
        kind = walker.btf.resolved(child.type)
        struct = _struct(walker, child)
        if kind is not None and struct is not None and kind.kind in {PTR, STRUCT} and struct.name in table:
            wanted = table[struct.name][0]
            yield f"{child.name}: {wanted.title}", child, wanted


def _struct(walker: Walker, spot: Spot) -> Type | None:
    """The structure here, or that the pointer here leads to."""
    kind = walker.btf.resolved(spot.type)
    if kind is not None and kind.kind == PTR:
        kind = walker.btf.resolved(kind.ref)
    return kind if kind is not None and kind.kind in {STRUCT, UNION} and not spot.width else None


def _reached(walker: Walker, place: Spot, wanted: _Wanted) -> Reached | None:
    for path in wanted.paths:
        try:
            spot = walker.follow(place, path)
        except PathError:
            continue
        reached = walker.reach(spot)
        kind = parse_type(wanted.type)
        if reached.fetch is None:
            return None
        if kind.count is not None:
            return _bytes(walker, reached, kind, wanted)
        native = reached.native
        fetch = reached.fetch
        if not kind.is_string:
            fetch = replace(fetch, type=kind)
            native = None if native is None or native.type is None else replace(native, type=kind)
        return replace(reached, fetch=fetch, native=native, note=wanted.note or reached.note)
    return None


def _bytes(walker: Walker, reached: Reached, kind: ArgType, wanted: _Wanted) -> Reached | None:
    """As an array of bytes: of an array or a number in memory, or of what a pointer leads to."""
    spot = reached.spot
    value = spot.value
    found = walker.btf.resolved(spot.type)
    if value is None or found is None:
        return None
    expr = Deref(0, value, spot.leads_to_user) if found.kind == PTR else value
    if not isinstance(expr, Deref) or expr.user:  # arrays of numbers are read from the kernel's memory only
        return None
    fetch = FetchArg(expr, wanted.name, kind)
    return replace(
        reached,
        fetch=fetch,
        native=None,
        offsets=offsets_of(expr),
        others=(),
        note=wanted.note or reached.note,
    )
