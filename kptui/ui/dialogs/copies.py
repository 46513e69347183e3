"""Which of several symbols of one name: each by the place that names only it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.symbols import Hit, SymbolSearch, other_place
from kptui.ui.dialogs.choice import Choice, choice_dialog
from kptui.ui.dialogs.fixes import KEYS

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp

_HIDDEN = "its address, which would name it alone, is hidden"


def choose_copy(
    app: KptuiApp, search: SymbolSearch, copies: Sequence[Hit], then: Callable[[Hit], None]
) -> None:
    """Give ``then`` the copy that is chosen; nothing when the list is closed."""
    offered = dict(zip(KEYS, copies, strict=False))
    choices = [_choice(key, search, hit) for key, hit in offered.items()]
    name = neutralise(copies[0].symbol.name)
    more = f" The first {len(offered)}:" if len(offered) < len(copies) else ""
    text = f"{len(copies)} symbols have this name; the kernel takes no name that is not unique.{more}"

    def chosen(key: str | None) -> None:
        if key is not None:
            then(offered[key])

    app.push_screen(choice_dialog(f"Which {name}?", choices, text), chosen)


def _choice(key: str, search: SymbolSearch, hit: Hit) -> Choice:
    symbol = hit.symbol
    said = search.probeability(hit)
    where = neutralise(symbol.module) if symbol.module else "kernel"
    address = f"{symbol.address:016x} " if symbol.address else ""
    place = said.place
    if place is None and said.probeable is None:  # not looked through yet, or not sure: the place is known
        place = other_place(symbol, search.table)
    if place is not None:
        beside = search.neighbour(hit)
        near = f" near {neutralise(beside.name)}" if beside is not None else ""
        doubt = said.doubt if said.place is not None else said.reason
        unsure = f" · {doubt}" if doubt else ""
        return Choice(key, neutralise(place), f"{address}{symbol.type} {where}{near}{unsure}")
    return Choice(key, f"{where} {symbol.type}", f"{address}{said.reason or _HIDDEN}", enabled=False)
