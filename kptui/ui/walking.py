"""What can be read at a place, as a tree: offers, and the members behind their pointers where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kptui.btf import Btf
from kptui.btf.types import ARRAY, FWD, PROTO, PTR, STRUCT, UNION
from kptui.probes.definition import Kind, Place
from kptui.probes.exprs import FetchArg
from kptui.probes.params import RESULT
from kptui.probes.suggest import Help, Knowledge, Suggestion, help_at
from kptui.probes.suggest.functions import at_the_return
from kptui.probes.suggest.offers import known_signature, names_are_known
from kptui.probes.suggest.rows import LONGEST
from kptui.probes.walk import Spot, Walker
from kptui.probes.walk.ends import ends
from kptui.probes.walk.walker import MAX_STEPS


@dataclass(frozen=True, slots=True)
class Guide:
    """What is known of a place: ``help`` is what is offered, ``walker`` goes on from there (None: without types)."""

    place: Place
    kind: Kind
    help: Help
    walker: Walker | None = None
    features: frozenset[str] = frozenset()


def guide(place: Place, kind: Kind, known: Knowledge, symbol: str) -> Guide:
    """What is known of a place in the function ``symbol``, which the place may name in another way. Blocks: the
    first question to types takes some ten milliseconds.
    """
    at = place if symbol == place.symbol else Place(symbol=symbol, module=place.module)
    if not names_are_known(place, known):
        known = replace(known, features=known.features - {"members"})
    found = Guide(place, kind, help_at(at, kind, known), features=known.features)
    if known.btf is None or (kind == "p" and not at.is_entry):
        return found
    signed = known_signature(symbol, known)
    return replace(found, walker=None if signed is None else Walker(known.btf, signed, known.features))


@dataclass(frozen=True, slots=True)
class Item:
    """A row: ``offer`` is what taking it adds (None: nothing reads it, ``note`` says why); ``spot`` what it opens
    from; ``where`` its place in short; ``depth`` how deep under its parameter it is.
    """

    where: str
    name: str
    ctype: str
    offer: Suggestion | None
    spot: Spot | None = None
    depth: int = 0
    opens: bool = False
    note: str = ""

    @property
    def key(self) -> str:
        """What tells it from other rows."""
        return self.spot.path if self.spot is not None else f"={self.name}"


class Tree:
    """The rows of a guide as they stand opened. Rows behind others are made when they are asked for."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.opened: set[str] = set()
        self._made: dict[str, Item] = {}
        self._behind: dict[str, tuple[Spot, ...]] = {}
        self.tops = tuple(self._top_rows())
        self._rows: list[tuple[Spot | None, int, Item | None]] = []
        self._arrange()

    def __len__(self) -> int:
        return len(self._rows)

    def item(self, index: int) -> Item:
        """The row at an index."""
        spot, depth, item = self._rows[index]
        if item is None:
            assert spot is not None
            item = self._made.get(spot.path)
            if item is None:
                item = self._made[spot.path] = replace(self.reached(spot), depth=depth)
        return item

    def open(self, index: int) -> bool:
        """Open a row; False if there is nothing behind it, or it is open."""
        item = self.item(index)
        if not item.opens or item.key in self.opened:
            return False
        self.opened.add(item.key)
        self._arrange()
        return True

    def close(self, index: int) -> int | None:
        """Close a row, or go to the one that it lies under: the index of the row to be on; None if there is none."""
        item = self.item(index)
        if item.key in self.opened:
            self.opened.discard(item.key)
            self._arrange()
            return index
        if not item.depth:
            return None
        return next(at for at in range(index - 1, -1, -1) if self._rows[at][1] < item.depth)

    def start(self) -> int:
        """Where the cursor begins: the first row that is more than the address of something."""
        for index, item in enumerate(self.tops):
            address = item.ctype.endswith("*") and str(item.offer.arg if item.offer else "").endswith(":x64")
            if item.offer is not None and not address:
                return index
        return 0

    @property
    def starts(self) -> tuple[Spot, ...]:
        """The parameters, or the result, that have something behind them."""
        return tuple(item.spot for item in self.tops if item.spot is not None and item.opens)

    def root(self, index: int) -> Spot | None:
        """The parameter that a row lies under, if something is behind it."""
        while index > 0 and self._rows[index][1]:
            index -= 1
        item = self.item(index)
        return item.spot if item.opens else None

    def reached(self, spot: Spot) -> Item:
        """The row of a spot."""
        walker = self.guide.walker
        assert walker is not None
        found = walker.reach(spot)
        where = _offset(spot)
        arg, native, reason = found.fetch, found.native, found.reason
        if "members" not in self.guide.features:
            native = None
        if arg is not None and self.guide.kind == "r" and not spot.path.startswith(RESULT):
            arg, native = at_the_return(arg), None
            reason = "gone when the function returns"
        if arg is not None and len(str(replace(arg, name=None))) > LONGEST:
            arg, reason = None, f"longer than the {LONGEST} characters that every kernel takes"
        offer = None
        if arg is not None:
            offer = Suggestion(where, arg.name or "", found.ctype, arg, found.note, native)
        note = found.note if offer is not None else reason
        return Item(where, spot.name, found.ctype, offer, spot, 0, self._opens(spot), note)

    def taken_at(self, spot: Spot) -> Item:
        """The row of a spot, or of the likeliest thing in it where nothing reads the whole."""
        item = self.reached(spot)
        walker = self.guide.walker
        if item.offer is None and walker is not None and item.opens:
            for end in ends(walker, spot):
                inner = self.reached(end.reached.spot)
                if inner.offer is not None:
                    return inner
        return item

    # -- how it is made

    def _top_rows(self) -> Iterator[Item]:
        walker, rows = self.guide.walker, self.guide.help.rows
        spots = list(self._roots(walker)) if walker is not None else []
        matched: dict[int, Spot] = {}
        for arg, spot in spots:
            index = next(
                (
                    i
                    for i, row in enumerate(rows)
                    if arg is not None and _same(row.arg, arg) and i not in matched
                ),
                None,
            )
            if index is not None:
                matched[index] = spot
            elif self._opens(spot) and self.guide.kind == "p":
                assert walker is not None
                ctype = walker.reach(spot).ctype
                yield Item("", spot.name, ctype, None, spot, opens=True, note="opens into its members")
        for index, row in enumerate(rows):
            spot_ = matched.get(index)
            opens = spot_ is not None and self._opens(spot_)
            yield Item(row.where, row.name, row.ctype, row, spot_, opens=opens, note=row.note)

    def _roots(self, walker: Walker) -> Iterator[tuple[FetchArg | None, Spot]]:
        returns = self.guide.kind == "r"
        parameters = walker.signature.parameters
        if returns:
            spot = walker.root(RESULT)
            if spot is not None:
                yield walker.signature.returns.fetch, spot
            if "return_args" not in self.guide.features:
                return
        for parameter in parameters:
            spot = walker.root(parameter.name or f"arg{parameter.index}")
            if spot is not None:
                arg = parameter.fetch
                yield at_the_return(arg) if returns and arg is not None else arg, spot

    def _opens(self, spot: Spot) -> bool:
        walker = self.guide.walker
        if walker is None or spot.width:
            return False
        kind = walker.btf.resolved(spot.type)
        if kind is None:
            return False
        if kind.kind == ARRAY:
            return walker.btf.size(kind.element) != 1
        return kind.kind in {STRUCT, UNION} or (
            kind.kind == PTR and spot.steps < MAX_STEPS and _leads(walker.btf, kind.ref)
        )

    def _arrange(self) -> None:
        self._rows = []
        for item in self.tops:
            self._rows.append((item.spot, 0, item))
            if item.spot is not None and item.key in self.opened:
                self._add_behind(item.spot, 1)

    def _add_behind(self, spot: Spot, depth: int) -> None:
        walker = self.guide.walker
        assert walker is not None
        if spot.path not in self._behind:
            self._behind[spot.path] = walker.children(spot)
        for child in self._behind[spot.path]:
            self._rows.append((child, depth, None))
            if child.path in self.opened:
                self._add_behind(child, depth + 1)


def _leads(btf: Btf, number: int) -> bool:
    """Whether something is known of what a pointer leads to that isn't text."""
    target = btf.resolved(number)
    if target is None or target.kind == PROTO:
        return False
    if target.kind == FWD:
        return bool(btf.find(target.name, UNION if target.flag else STRUCT))
    return target.kind in {STRUCT, UNION, PTR} or (target.kind != ARRAY and (btf.size(number) or 0) > 1)


def _same(one: FetchArg, other: FetchArg) -> bool:
    return replace(one, name=None) == replace(other, name=None)


def _offset(spot: Spot) -> str:
    if spot.base is None:
        return str(spot.words[0]) if spot.words else ""
    bits = f":{spot.bits % 8}" if spot.bits % 8 else ""
    return f"+{'u' if spot.user else ''}{spot.bits // 8}{bits}"
