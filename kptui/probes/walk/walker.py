"""Walks from a function's parameters, or its result, through structures, arrays and pointers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from kptui.btf import Btf, Member, Type
from kptui.btf.types import ARRAY, FWD, PTR, STRUCT, UNION
from kptui.probes import exprs
from kptui.probes.abi import argument_place
from kptui.probes.exprs import BtfPath, Retval, Stack
from kptui.probes.fetch import is_identifier
from kptui.probes.params import ALL_FEATURES, RESULT, Parameter, Signature
from kptui.probes.reading import reading
from kptui.probes.slots import IN_REGISTERS, WORD
from kptui.probes.userptr import is_user_member
from kptui.probes.walk.spot import Reached, Spot, reach

SHOWN_ELEMENTS: Final = 64
MAX_STEPS: Final = 12
"""Pointers in a row: the kernel follows no more (FETCH_INSN_MAX of 16 with what else an argument needs)."""

_MAX_DEPTH: Final = 32
_STEP: Final = re.compile(r"\s*(?:(->|\.)\s*([A-Za-z_]\w*)|\[\s*(\d{1,9})\s*\])", re.ASCII)
_ROOT: Final = re.compile(r"\s*(\**)\s*(\$retval|[A-Za-z_]\w*)", re.ASCII)


class PathError(ValueError):
    """A path that leads nowhere. ``column``: 0-based character of the part that is wrong; ``near``: names that
    stand there instead, most alike first.
    """

    def __init__(self, message: str, column: int, near: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.near = tuple(near)


@dataclass(frozen=True, slots=True)
class Walker:
    """Walks of one function. ``features`` of the target as for params.signature()."""

    btf: Btf
    signature: Signature
    features: frozenset[str] = ALL_FEATURES

    def roots(self) -> tuple[Spot, ...]:
        """The parameters that are somewhere, in order."""
        found = (self._root(parameter) for parameter in self.signature.parameters)
        return tuple(spot for spot in found if spot is not None)

    def root(self, name: str) -> Spot | None:
        """A parameter by name, or the result for ``$retval``; None if there is none or nothing reads it."""
        parameter = self.signature.parameter(name)
        return None if parameter is None else self._root(parameter)

    def _root(self, parameter: Parameter) -> Spot | None:
        slot, result = parameter.slot, parameter.index == 0
        path = RESULT if result else parameter.name or f"arg{parameter.index}"
        spot = Spot(path, "ret" if result else path, parameter.type, root=True)
        spot = replace(spot, leads_to_user=parameter.user)
        kind = self.btf.resolved(parameter.type)
        whole = kind is not None and kind.kind in {STRUCT, UNION}
        if slot.reason or slot.word is None or kind is None:
            return None
        if result:
            if slot.size > IN_REGISTERS:
                return replace(spot, base=Retval())
            return replace(spot, words=slot.words, native=None if whole else BtfPath(path))
        if slot.stack is not None and whole:
            return replace(spot, base=Stack(), bits=slot.stack * WORD * 8)
        # the kernel counts parameters: right only while each takes one register
        counted = slot.text == argument_place(parameter.index) and bool(parameter.name) and not whole
        native = BtfPath(path) if counted and is_identifier(path) else None
        return replace(spot, words=slot.words or (slot.word,), native=native)

    def reach(self, spot: Spot, name: str | None = None) -> Reached:
        """What reads the spot."""
        return reach(self.btf, spot, name, chars="char" in self.features)

    def parse(self, path: str) -> Spot:
        """The spot of ``file->f_path.dentry->d_name.name``, ``$retval->f_inode``, ``names[2]`` or ``*pos``.

        ``.`` and ``->`` are taken for each other. Raises PathError.
        """
        head = _ROOT.match(path)
        if head is None:
            raise PathError("A path starts with a parameter's name, or $retval", 0, self._names())
        spot = self.root(head[2])
        if spot is None:
            known = self.signature.parameter(head[2])
            if known is not None:
                raise PathError(f"{head[2]}: {known.reason or 'nothing reads it'}", head.start(2))
            message = f"{self.signature.function} has no parameter {head[2]}"
            raise PathError(message, head.start(2), near(head[2], self._names()))
        spot = self._follow(spot, path, head.end())
        for _ in head[1]:
            spot = self._element(spot, 0, head.start(1))
        return spot

    def follow(self, spot: Spot, path: str) -> Spot:
        """The spot at a path that starts at another: ``f_path.dentry->d_name.name``. Raises PathError."""
        return self._follow(spot, path if path[:1] in {"-", ".", "["} else f".{path}", 0)

    def _follow(self, spot: Spot, path: str, at: int) -> Spot:
        while at < len(path.rstrip()):
            step = _STEP.match(path, at)
            if step is None:
                raise PathError(_no_step(path, at), at)
            if step[3] is not None:
                spot = self._element(spot, int(step[3]), step.start(3))
            else:
                spot = self._member(spot, step[2], step.start(2))
            at = step.end()
        return spot

    def _names(self) -> list[str]:
        return [p.name for p in self.signature.parameters if p.name]

    def member(self, spot: Spot, name: str) -> Spot | None:
        """The member of the structure here, or of the one that the pointer here leads to; None if it has none."""
        try:
            return self._member(spot, name, 0)
        except PathError:
            return None

    def element(self, spot: Spot, index: int) -> Spot | None:
        """The element of the array here, or what the pointer here leads to, counted in its own size."""
        try:
            return self._element(spot, index, 0)
        except PathError:
            return None

    def children(self, spot: Spot) -> tuple[Spot, ...]:
        """What opens: members, those of anonymous ones among them; an array's first elements; what a pointer to
        something else leads to. () for a value.
        """
        kind = self.btf.resolved(spot.type)
        if spot.width or kind is None:
            return ()
        if kind.kind == ARRAY:
            found = (self.element(spot, n) for n in range(min(max(kind.count, 1), SHOWN_ELEMENTS)))
            return tuple(child for child in found if child is not None)
        inside = self._inside(spot)
        if inside is None:
            first = self.element(spot, 0) if kind.kind == PTR else None
            return () if first is None else (first,)
        place, struct, arrow = inside
        return tuple(
            _child(place, member, owner, arrow)
            for member, owner in flattened(self.btf, struct)
            if not member.name.startswith("__cacheline_group_")  # marks without size
        )

    def _inside(self, spot: Spot) -> tuple[Spot, Type, bool] | None:
        """The structure that is here or, with True, that the pointer here leads to, and its place."""
        kind = self.btf.resolved(spot.type)
        if kind is None or spot.width:
            return None
        if kind.kind in {STRUCT, UNION}:
            return replace(spot, root=False), kind, False
        if kind.kind != PTR:
            return None
        struct = self._complete(kind.ref)
        place = self._pointed(spot, kind.ref)
        return None if struct is None or place is None else (place, struct, True)

    def _complete(self, number: int) -> Type | None:
        """The structure of that type; for one that is only declared, the one of that name."""
        kind = self.btf.resolved(number)
        if kind is not None and kind.kind == FWD and kind.name:
            found = self.btf.find(kind.name, UNION if kind.flag else STRUCT)
            kind = self.btf.type(found[0]) if found else None
        return kind if kind is not None and kind.kind in {STRUCT, UNION} else None

    def _pointed(self, spot: Spot, number: int) -> Spot | None:
        """What the pointer at the spot leads to."""
        value = spot.value
        if value is None or spot.steps >= MAX_STEPS:
            return None
        user = spot.user or spot.leads_to_user or reading(self.btf, spot.type).user
        return replace(
            spot, type=number, bits=0, base=value, words=(), user=user, leads_to_user=False, steps=spot.steps + 1,
            root=False,
        )  # fmt: skip

    def _member(self, spot: Spot, name: str, column: int) -> Spot:
        inside = self._inside(spot)
        if inside is None:
            raise PathError(self._closed(spot), column)
        place, struct, arrow = inside
        for member, owner in flattened(self.btf, struct):
            if member.name == name:
                return _child(place, member, owner, arrow)
        names = [member.name for member, _ in flattened(self.btf, struct)]
        word = "union" if struct.kind == UNION else "struct"
        raise PathError(f"{word} {struct.name or '{…}'} has no member {name}", column, near(name, names))

    def _closed(self, spot: Spot) -> str:
        kind = self.btf.resolved(spot.type)
        if kind is None or spot.width or kind.kind not in {PTR, ARRAY}:
            return f"{spot.path} has no members"
        if kind.kind == ARRAY:
            return f"{spot.path} is an array: write {spot.path}[0] first"
        if spot.steps >= MAX_STEPS:
            return f"{spot.path} is behind {MAX_STEPS} pointers: the kernel follows no more"
        target = self.btf.resolved(kind.ref)
        if target is not None and target.kind in {PTR, ARRAY}:
            return f"{spot.path} points to a pointer or an array: write {spot.path}[0] first"
        return f"Nothing is known of what {spot.path} points to"

    def _element(self, spot: Spot, index: int, column: int) -> Spot:
        kind = self.btf.resolved(spot.type)
        if kind is None or spot.width or kind.kind not in {PTR, ARRAY}:
            raise PathError(f"{spot.path} is neither an array nor a pointer", column)
        number = kind.element if kind.kind == ARRAY else kind.ref
        size = self.btf.size(number)
        if not size:
            raise PathError(f"Nothing is known of what {spot.path} points to", column)
        if (
            kind.kind == ARRAY and index >= kind.count > 1
        ):  # a single element often stands for as many as there are
            raise PathError(f"{spot.path} has {kind.count} elements, from 0 on", column)
        place = self._pointed(spot, number) if kind.kind == PTR else replace(spot, root=False)
        bits = index * size * 8
        if place is None or bits + place.bits >= 1 << 34:
            raise PathError(f"{spot.path}[{index}] can't be read", column)
        user = spot.leads_to_user and kind.kind == ARRAY
        return replace(
            place, path=f"{spot.path}[{index}]", name=f"{spot.name}_{index}", type=number, bits=place.bits + bits,
            leads_to_user=user, native=None,
        )  # fmt: skip


def _no_step(path: str, at: int) -> str:
    """Why a path can't go on as it does from that character."""
    rest = path[at:].lstrip()
    step = next((step for step in ("->", ".", "[") if rest.startswith(step)), None)
    if step == "[":
        return f"an element's number is 0 to 999999999: {path[:at].rstrip()}[0]"
    if step is not None:
        return f"{path[:at].rstrip()}{step} goes on with a member's name"
    return f"behind {path[:at].rstrip()} comes -> or . and a member's name, or [number], not {rest}"


def flattened(btf: Btf, struct: Type, depth: int = 0) -> Iterator[tuple[Member, str]]:
    """The named members of a structure, those of anonymous ones inside it among them, and the tag of the
    structure that has them; positions count from the outermost one.
    """
    for member in struct.members:
        if member.name:
            yield member, struct.name
            continue
        inner = btf.resolved(member.type)
        if inner is not None and inner.kind in {STRUCT, UNION} and depth < _MAX_DEPTH:
            for deeper, owner in flattened(btf, inner, depth + 1):
                yield replace(deeper, bits=member.bits + deeper.bits), owner or struct.name


def near(name: str, names: Iterable[str]) -> list[str]:
    """The names most like this one, best first."""
    from difflib import get_close_matches

    known = list(names)
    return get_close_matches(name, known, 3) or get_close_matches(name, known, 3, cutoff=0.0)


def _child(place: Spot, member: Member, owner: str, arrow: bool) -> Spot:
    """The member of the structure at ``place``."""
    native = place.native
    if native is not None:
        native = BtfPath(native.root, (*native.members, exprs.Member(member.name, arrow)))
    return replace(
        place,
        path=f"{place.path}{'->' if arrow else '.'}{member.name}",
        name=member.name,
        type=member.type,
        bits=place.bits + member.bits,
        width=member.width,
        leads_to_user=is_user_member(owner, member.name),
        native=native,
    )
