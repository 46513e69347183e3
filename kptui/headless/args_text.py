"""A function's arguments as text: one JSON object, or lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from kptui.headless.lookup import Found, register_of
from kptui.probes.abi import ARGUMENT_REGISTERS
from kptui.probes.params import Parameter
from kptui.probes.suggest import Help, Suggestion, help_at
from kptui.probes.suggest.functions import at_the_return
from kptui.probes.walk import Reached
from kptui.safetext import neutralise

KEPT = "return_args"
GONE = "registers are gone at the return, and this kernel keeps no arguments for it"


def as_json(found: Found, features: frozenset[str], *, returns: bool) -> str:
    """``{"prototype","parameters":[{"name","type","register","fetcharg"}],"returns":{…}}``; of a function whose
    parameters are unknown the registers, without type. What nothing reads has a ``reason`` besides.
    """
    signed = found.signature
    object_: dict[str, object]
    if signed is None:
        object_ = {
            "prototype": None,
            "parameters": [_unknown(*each) for each in _registers(found, returns=returns)],
            "returns": {"name": "$retval", "type": None, "register": "ax", "fetcharg": "ret=$retval:x64"},
        }
    else:
        object_ = {
            "prototype": signed.prototype,
            "parameters": [_parameter(p, features, returns=returns) for p in signed.parameters],
            "returns": _parameter(signed.returns, features, returns=False),
        }
    return json.dumps(object_) + "\n"


def _parameter(parameter: Parameter, features: frozenset[str], *, returns: bool) -> dict[str, str | None]:
    arg, reason = parameter.fetch, parameter.reason
    if returns and arg is not None:
        arg = at_the_return(arg) if KEPT in features else None
        reason = "" if arg is not None else GONE
    row: dict[str, str | None] = {
        "name": parameter.name or ("..." if parameter.ctype == "..." else f"arg{parameter.index}"),
        "type": parameter.ctype,
        "register": register_of(parameter),
        "fetcharg": None if arg is None else str(arg),
    }
    if arg is None:
        row["reason"] = reason
    return row


def _registers(found: Found, *, returns: bool) -> list[tuple[str, Suggestion]]:
    """The registers of a function that no type information has: of those parameters that a table names, or of the
    first six; each with what reads it.
    """
    rows = help_at(found.place, "r" if returns else "p", found.known).rows
    first: dict[str, Suggestion] = {}
    for row in rows:
        first.setdefault(row.where, row)
    places = [(register, first.get(f"%{register}")) for register in ARGUMENT_REGISTERS]
    if returns:
        places = [(name, first.get(f"$arg{n}")) for n, name in enumerate(ARGUMENT_REGISTERS, 1)]
    return [(register, row) for register, row in places if row is not None]


def _unknown(register: str, row: Suggestion) -> dict[str, str | None]:
    return {"name": row.name, "type": row.ctype or None, "register": register, "fetcharg": str(row.arg)}


def path_json(reached: Reached) -> str:
    """``{"fetcharg","type","offsets"}``; with a ``reason`` where nothing reads what is there."""
    row: dict[str, object] = {
        "fetcharg": None if reached.fetch is None else str(reached.fetch),
        "type": reached.ctype,
        "offsets": list(reached.offsets),
    }
    if reached.fetch is None:
        row["reason"] = reached.reason
    return json.dumps(row) + "\n"


def path_text(reached: Reached, native: bool) -> str:
    """The argument, its C type and what to know of it; other ways to read it below."""
    lines = [neutralise(f"{reached.ctype} {reached.spot.path}"), ""]
    if reached.fetch is None:
        lines.append(f"  nothing reads it: {neutralise(reached.reason)}")
    else:
        lines.append(f"  {neutralise(str(reached.fetch))}{_note(reached.note)}")
        others = [*([reached.native] if native and reached.native is not None else []), *reached.others]
        lines += [f"  {neutralise(str(other))}" for other in others]
    return "".join(f"{line}\n" for line in lines)


def as_text(found: Found, *, returns: bool) -> str:
    """The prototype, a line for each parameter, and what else can be read there."""
    help_ = help_at(found.place, "r" if returns else "p", found.known)
    signed = found.signature
    head = signed.prototype if signed is not None else f"{found.place} (its parameters are unknown)"
    lines = [neutralise(head)]
    if help_.remark and signed is not None:
        lines.append(f"! {neutralise(help_.remark)}")
    shown: set[str] = set()
    if signed is not None and not returns:
        rows = [_cells(p) for p in signed.parameters]
        rows.append(_cells(signed.returns))
        shown = {cells[3] for cells in rows}
        lines += ["", *_columns(rows)]
    rest = _rest(help_, shown)
    if rest:
        lines += ["", *_columns([_suggestion(row) for row in rest])]
    return "".join(f"{line}\n" for line in lines)


def _cells(parameter: Parameter) -> tuple[str, ...]:
    """Where it is, name, type, what reads it, a note."""
    register = register_of(parameter) or ""
    where = register if register.startswith("$") or not register else f"%{register}"
    name = "returns" if parameter.index == 0 else parameter.name or f"arg{parameter.index}"
    if parameter.slot.saved:
        where = f"user's {where}"
    if parameter.fetch is None:
        return where, name, parameter.ctype, "", parameter.reason
    note = "in a return probe" if parameter.index == 0 else parameter.note
    return where, name, parameter.ctype, str(parameter.fetch), note


def _rest(help_: Help, shown: set[str]) -> list[Suggestion]:
    return [row for row in help_.rows if str(row.arg) not in shown]


def _suggestion(row: Suggestion) -> tuple[str, str]:
    note = row.note
    if row.native is not None:
        native = str(row.native).partition("=")[2]
        path, _, rest = note.partition("; ")
        note = (
            f"or {native}{f'; {rest}' if rest else ''}" if native.startswith(path) else f"{note}; or {native}"
        )
    return str(row.arg), note


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(neutralise(row[n])) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = [neutralise(text).ljust(width) for text, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()


def _note(note: str) -> str:
    return f"  {neutralise(note)}" if note else ""
