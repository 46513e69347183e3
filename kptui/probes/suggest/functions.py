"""Rows for functions that BTF knows: their parameters, the result, and what is behind their pointers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from kptui.btf.types import FWD, INT, PTR, STRUCT, UNION
from kptui.probes.abi import argument_number
from kptui.probes.exprs import ArgN, Deref, Expr, FetchArg, Register
from kptui.probes.params import RESULT, Parameter, Signature
from kptui.probes.reading import reading, single
from kptui.probes.suggest.rows import Suggestion
from kptui.probes.suggest.userstructs import ADDRESSES, AS_TEXT, in_layout
from kptui.probes.syscalls import STRUCTS
from kptui.probes.walk import Reached, Spot, Walker
from kptui.probes.walk.ends import ends

MEMBERS: Final = 8
"""Members of a structure passed by value that are offered; the walker has them all."""

_ERRORS: Final = frozenset({"s32", "s64"})


def parameters(walker: Walker, warning: str = "") -> Iterator[Suggestion]:
    """The parameters in order, then what is behind them, then the other ways to read them."""
    found: list[tuple[str, list[Suggestion]]] = []
    late: list[Suggestion] = []
    for parameter in walker.signature.parameters:
        name = parameter.name or f"arg{parameter.index}"
        spot = walker.root(name)
        if parameter.fetch is not None:
            name = parameter.fetch.name or name
            yield _row(parameter, parameter.fetch, warning or parameter.note)
        found.append((name, list(_behind(walker, spot, name, whole=_is_whole(walker, parameter)))))
        late += _others(parameter, name)
    for row in (*_labelled(found, {p.name for p in walker.signature.parameters}), *late):
        yield replace(row, note=warning) if warning else row


def result(walker: Walker) -> Iterator[Suggestion]:
    """The result, then what is behind it. Nothing for void, of which kernels with BTF refuse ``$retval``."""
    returns = walker.signature.returns
    name = "ret"
    if returns.fetch is not None:
        name = returns.fetch.name or name
        yield _row(returns, returns.fetch, _about(returns, walker))
    spot = walker.root(RESULT)
    behind = list(_behind(walker, spot, name, whole=_is_whole(walker, returns)))
    yield from _labelled([(name, behind)], {p.name for p in walker.signature.parameters})
    yield from _others(returns, name)


def _is_whole(walker: Walker, parameter: Parameter) -> bool:
    """A structure passed by value that no single argument reads."""
    return bool(reading(walker.btf, parameter.type).reason)


def at_return(rows: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """The same of a function that returns: arguments as ``$argN``, which the kernel kept at the entry."""
    for row in rows:
        arg = at_the_return(row.arg)
        if arg is None:
            continue
        note = "as it was at the entry"
        if isinstance(arg.expr, Deref):
            note = f"{row.note}; read at the return" if row.note else "read at the return"
        yield replace(row, where=str(arg.expr), arg=arg, note=note, native=None)


def at_the_return(arg: FetchArg) -> FetchArg | None:
    """An entry's argument as a return probe reads it; None where it starts at no argument in a register."""
    expr = _kept(arg.expr)
    return None if expr is None else replace(arg, expr=expr)


def about_result(signature: Signature) -> str:
    """A remark on a function's result; '' where the rows say all."""
    returns = signature.returns
    if returns.fetch is not None or returns.others:
        return ""
    return f"{signature.function} returns nothing (void)" if returns.type == 0 else returns.reason


def _kept(expr: Expr) -> Expr | None:
    """The expression with ``$argN`` for the register of an argument; None where it starts at something else."""
    if isinstance(expr, Deref):
        inner = _kept(expr.expr)
        return None if inner is None else replace(expr, expr=inner)
    number = argument_number(expr.name) if isinstance(expr, Register) else None
    return None if number is None else ArgN(number)


def _row(parameter: Parameter, arg: FetchArg, note: str, name: str = "") -> Suggestion:
    name = name or arg.name or ""
    return Suggestion(parameter.slot.text, name, parameter.ctype, replace(arg, name=name), note)


def _about(returns: Parameter, walker: Walker) -> str:
    if returns.note:
        return returns.note
    kind = walker.btf.resolved(returns.type)
    if kind is not None and kind.kind == PTR:
        return "an address; errors are 0xfffffffffffff001 and above"
    base = returns.fetch.type.base if returns.fetch is not None and returns.fetch.type is not None else ""
    return "errors are -1 to -4095" if base in _ERRORS and kind is not None and kind.kind == INT else ""


def _others(parameter: Parameter, name: str) -> Iterator[Suggestion]:
    """Under names that say how they differ."""
    for other in parameter.others:
        base = str(other.type.base) if other.type is not None else ""
        label, note = other.name or name, parameter.note
        if base in {"%pd", "%pD"}:
            label, note = f"{name}_name", "the name of its directory entry, in the kernel's own way"
        elif base in {"string", "ustring"}:
            label, note = f"{name}_text", AS_TEXT
        elif label == name:
            label, note = f"{name}_ptr", "address"
        yield _row(parameter, other, note, label)


def _labelled(found: list[tuple[str, list[Suggestion]]], taken: set[str]) -> Iterator[Suggestion]:
    """Short names where they are clear; where two parameters have a ``name``, each with the parameter's own."""
    uses = Counter(row.name for _, rows in found for row in rows)
    for owner, rows in found:
        others = tuple(f"{name}_" for name in taken if name != owner)  # as whose they would be taken
        for row in rows:
            clear = uses[row.name] == 1 and row.name not in taken and not row.name.startswith(others)
            if clear or row.name.startswith(f"{owner}_"):
                yield row
            else:
                yield replace(row, name=_called(owner, row.name, row.note))


def _called(owner: str, name: str, note: str) -> str:
    """What ``owner`` leads to as ``name``: the device's name behind ``dev`` is ``dev_name``, not ``dev_dev``. ``note``
    begins with its path.
    """
    if owner == name or owner.endswith(f"_{name}"):
        name = next(iter(re.findall(r"\w+", note.partition(";")[0])[::-1]), name)
    return f"{owner}_{name}"


def _behind(walker: Walker, spot: Spot | None, name: str, *, whole: bool) -> Iterator[Suggestion]:
    """What a pointer leads to; ``whole``: also what a structure passed by value has, which can't be read at once."""
    kind = None if spot is None else walker.btf.resolved(spot.type)
    if spot is None or kind is None:
        return
    target = walker.btf.resolved(kind.ref) if kind.kind == PTR else kind
    tag = target.name if target is not None and target.kind in {STRUCT, UNION, FWD} else ""
    layout = "sockaddr" if tag in ADDRESSES else tag
    if kind.kind == PTR and layout in STRUCTS and spot.value is not None:
        yield from in_layout(name, layout, spot.value, spot.user or spot.leads_to_user)
        return
    found = ends(walker, spot)
    for end in found:
        note = _about_end(end.reached)
        member, colon, _ = end.title.partition(": ")
        for row in _reached(end.reached, note):
            plain = re.sub(r"_\d+$", "", row.name)
            yield replace(row, name=_called(member, plain, note)) if colon else row
    if found or target is None:
        return
    if kind.kind == PTR and (not tag or single(walker.btf, target) is not None):
        element = walker.element(spot, 0)
        # of bytes nobody wants the first: a buffer, or text, which is offered as such
        if element is not None and walker.btf.size(element.type) != 1:
            yield from _reached(walker.reach(element, f"{name}_value"), f"*{spot.path}")
    elif whole and target.kind in {STRUCT, UNION}:
        members = [walker.reach(child, f"{name}_{child.name}") for child in walker.children(spot)]
        readable = [reached for reached in members if reached.fetch is not None]
        for reached in readable[:MEMBERS]:
            yield from _reached(reached, _about_end(reached))


def _about_end(reached: Reached) -> str:
    """Its path and what is to be known of it."""
    return "; ".join(filter(None, (reached.spot.path, reached.note)))


def _reached(reached: Reached, note: str) -> Iterator[Suggestion]:
    arg = reached.fetch
    if arg is not None:
        yield Suggestion(str(arg.expr), arg.name or "", reached.ctype, arg, note, reached.native)
