"""Rows for functions that BTF knows: their parameters, the result, and what is behind their pointers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kptui.btf.types import INT, PTR, STRUCT, UNION
from kptui.probes.abi import argument_number
from kptui.probes.exprs import ArgN, Deref, Expr, FetchArg, Register, Retval
from kptui.probes.params import Parameter, Signature
from kptui.probes.reading import single
from kptui.probes.suggest.ends import ends
from kptui.probes.suggest.rows import Suggestion
from kptui.probes.walk import Spot, Walker

MEMBERS: Final = 8
_ERRORS: Final = frozenset({"s32", "s64"})


def parameters(walker: Walker, warning: str = "") -> Iterator[Suggestion]:
    """The parameters in order, then what is behind them, then the other ways to read them."""
    late: list[Suggestion] = []
    for parameter in walker.signature.parameters:
        name = parameter.name or f"arg{parameter.index}"
        spot = walker.root(name)
        if parameter.fetch is not None:
            name = parameter.fetch.name or name
            yield _row(parameter, parameter.fetch, warning or parameter.note)
        elif spot is not None:
            late += _members(walker, spot, name, warning)
        late += _behind(walker, spot, name, warning)
        late += _others(parameter, name, warning)
    yield from late


def result(walker: Walker) -> Iterator[Suggestion]:
    """The result, then what is behind it. Nothing for void, of which kernels with BTF refuse ``$retval``."""
    returns = walker.signature.returns
    spot = walker.root("$retval")
    if returns.fetch is not None:
        name = returns.fetch.name or "ret"
        yield _row(returns, returns.fetch, _about(returns, walker))
        yield from _behind(walker, spot, name, "")
        yield from _others(returns, name, "")
    elif spot is not None:
        yield from _members(walker, spot, "ret", "")
        yield from _others(returns, "ret", "")


def at_return(rows: Iterator[Suggestion]) -> Iterator[Suggestion]:
    """The same of a function that returns: arguments as ``$argN``, which the kernel kept at the entry."""
    for row in rows:
        expr = _kept(row.arg.expr)
        if expr is None:
            continue
        where = str(expr)
        note = "as it was at the entry" if not isinstance(expr, Deref) else f"{row.note} (read at the return)"
        yield replace(row, where=where, arg=replace(row.arg, expr=expr), note=note.lstrip("; "), native=None)


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


def _others(parameter: Parameter, name: str, warning: str) -> Iterator[Suggestion]:
    """Under names that say how they differ."""
    for other in parameter.others:
        base = str(other.type.base) if other.type is not None else ""
        label, note = other.name or name, parameter.note
        if base in {"%pd", "%pD"}:
            label, note = f"{name}_path", "the name of its directory entry, by the kernel"
        elif base in {"string", "ustring"}:
            label, note = f"{name}_text", "as text, up to a NUL byte"
        elif label == name:
            label, note = f"{name}_ptr", "address"
        yield _row(parameter, other, warning or note, label)


def _behind(walker: Walker, spot: Spot | None, name: str, warning: str) -> Iterator[Suggestion]:
    if spot is None:
        return
    kind = walker.btf.resolved(spot.type)
    if kind is None:
        return
    target = walker.btf.resolved(kind.ref) if kind.kind == PTR else kind
    found = list(ends(walker, spot, name))
    for row in found:
        yield replace(row, note=warning or row.note)
    if (kind.kind == PTR and not found and target is not None and target.kind not in {STRUCT, UNION}) or (
        kind.kind == PTR and not found and target is not None and single(walker.btf, target) is not None
    ):
        yield from _value(walker, spot, name, warning)


def _value(walker: Walker, spot: Spot, name: str, warning: str) -> Iterator[Suggestion]:
    """The number behind a pointer to one."""
    element = walker.element(spot, 0)
    if (
        element is None or walker.btf.size(element.type) == 1
    ):  # bytes: a buffer, or text, which is offered as such
        return
    reached = walker.reach(element, f"{name}_value")
    if reached.fetch is not None and reached.fetch.type is not None and not reached.fetch.type.is_string:
        note = warning or f"*{spot.path}{f'; {reached.note}' if reached.note else ''}"
        yield Suggestion(str(reached.fetch.expr), f"{name}_value", reached.ctype, reached.fetch, note)


def _members(walker: Walker, spot: Spot, name: str, warning: str) -> Iterator[Suggestion]:
    """The first members of a structure that was passed by value, on the stack or in two registers."""
    shown = 0
    for child in walker.children(spot):
        reached = walker.reach(child, f"{name}_{child.name}")
        if reached.fetch is None:
            continue
        where = str(reached.fetch.expr)
        yield Suggestion(where, f"{name}_{child.name}", reached.ctype, reached.fetch, warning or child.path)
        shown += 1
        if shown == MEMBERS:
            return


def about_result(signature: Signature) -> str:
    """A remark on a function's result; '' where the rows say all."""
    returns = signature.returns
    if returns.fetch is not None or returns.others:
        return ""
    return f"{signature.function} returns nothing" if returns.type == 0 else returns.reason


def reads_result(arg: FetchArg) -> bool:
    """Whether an argument reads the returned value."""
    expr = arg.expr
    while isinstance(expr, Deref):
        expr = expr.expr
    return isinstance(expr, Retval)
