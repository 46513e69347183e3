"""Which rows a place gets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from kptui.probes.abi import syscall_of, wrapper_abi
from kptui.probes.callsig import call_arguments, call_prototype, call_signature
from kptui.probes.definition import Kind, Place
from kptui.probes.exprs import Comm, Deref, Register, Retval, StackEntry
from kptui.probes.params import Signature, signature
from kptui.probes.suggest import functions, registers
from kptui.probes.suggest.calls import of_call
from kptui.probes.suggest.rows import NOTHING, Help, Knowledge, Suggestion, finished, row
from kptui.probes.syscalls import FUNCTIONS, SYSCALLS, SyscallArg
from kptui.probes.walk import Walker

_CLONE: Final = re.compile(r"\.(isra|constprop|part|cold|llvm|lto_priv)\b")
_CLONE_NOTES: Final = {
    "isra": "clone (.isra): the compiler changed its parameters",
    "constprop": "clone (.constprop): the compiler dropped parameters",
    "part": "a part of a function (.part): registers may hold anything",
    "cold": "the cold part of a function: registers may hold anything",
}
_PARTS: Final = frozenset({"part", "cold"})
_SECTION_STARTS: Final = frozenset(
    {"_text", "_stext"}
)  # how one copy of a duplicate symbol is named: _text+OFFSET
_LONG: Final = FUNCTIONS.keys() - {"do_sys_openat2"}  # which is an int since 6.18
_NO_PARAMETER: Final = "__unused"  # of SYSCALL_DEFINE0
_UNKNOWN: Final = "an argument only if this is a function's first instruction"
_MOVED: Final = "not at the function's first instruction: no longer an argument"
_RETURNS: Final = "return_args"


def suggestions(place: Place, kind: Kind, known: Knowledge = NOTHING) -> tuple[Suggestion, ...]:
    """The rows for an entry (``p``) or return (``r``) probe at ``place``, likeliest first.

    All argument names are different and valid; every row's ``arg`` stands alone in a definition at that
    place.
    """
    return help_at(place, kind, known).rows


def help_at(place: Place, kind: Kind, known: Knowledge = NOTHING) -> Help:
    """The rows with the prototype that they come from. With BTF it may take some ten milliseconds the first time."""
    symbol = place.symbol or ""
    rows: list[Suggestion] = []
    found = Help(())
    if kind == "r":
        found = _returned(symbol, known)
    elif not place.is_entry:
        known_place = place.symbol is not None and symbol not in _SECTION_STARTS
        note = _MOVED if known_place else _UNKNOWN
        found = Help(tuple(registers.inside_function(note)), remark=note)
    else:
        found = _entry(symbol, known)
    rows = [
        *(found.rows if names_are_known(place, known) else _plain(found.rows)),
        row("$comm", "comm", "char [16]", Comm(), None, note="name of the current task"),
    ]
    if kind == "p" and place.is_entry:
        rows.append(row("$stack0", "caller", "return address", StackEntry(0), "symbol", note="who called it"))
    return replace(found, rows=finished(rows))


def names_are_known(place: Place, known: Knowledge) -> bool:
    """Whether the kernel reads parameters and their members by name there.

    It asks its types for the place's symbol as it is written (query_btf_context in kernel/trace/trace_probe.c): with a
    module in front, counted from ``_text`` or as a clone it isn't found.
    """
    if "members" not in known.features or known.btf is None or place.module is not None:
        return False
    return place.symbol is not None and known.btf.prototype(place.symbol) is not None


def _plain(rows: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """The rows without native forms."""
    return (replace(found, native=None) for found in rows)


def clone_warning(symbol: str) -> str:
    """What to know of a function that the compiler made of another (``foo.isra.0``); '' for others."""
    clone = _CLONE.search(symbol)
    return _CLONE_NOTES.get(clone[1], f"clone (.{clone[1]})") if clone else ""


def known_signature(symbol: str, known: Knowledge) -> Signature | None:
    """A system call's own signature, or a function's by BTF; a clone has that of its origin, as far as it goes."""
    if wrapper_abi(symbol) is not None:
        return call_signature(symbol, known.btf, known.call)
    if known.btf is None:
        return None
    found = signature(known.btf, symbol, known.features)
    clone = _CLONE.search(symbol)
    if found is None and clone is not None and clone[1] not in _PARTS:
        found = signature(known.btf, symbol[: clone.start()], known.features)
    return found


def _entry(symbol: str, known: Knowledge) -> Help:
    if wrapper_abi(symbol) is not None:
        return _call_entry(symbol, known)
    found = known_signature(symbol, known)
    warning = clone_warning(symbol)
    if found is not None and known.btf is not None:
        walker = Walker(known.btf, found, known.features)
        rows = tuple(row for row in functions.parameters(walker, warning) if row.name != _NO_PARAMETER)
        none = all(parameter.name == _NO_PARAMETER for parameter in found.parameters)
        remark = warning or (f"{symbol} takes no arguments" if none else "")
        return Help(rows, found.prototype, remark)
    body = _body(symbol)
    if body is not None:
        return Help(tuple(of_call(body, None, known)), remark=warning)
    return Help(tuple(registers.of_function(warning)), remark=warning or _why(known))


def _why(known: Knowledge) -> str:
    return "" if known.btf is None else "the kernel's types don't have this function: registers"


def _body(symbol: str) -> tuple[SyscallArg, ...] | None:
    """The parameters of a call's body, or of a function that is known by heart."""
    found = FUNCTIONS.get(symbol)
    call = syscall_of(symbol)
    if found is None and call is not None and (symbol.startswith("__") or call in SYSCALLS):
        found = call_arguments(symbol)
    return found


def _call_entry(symbol: str, known: Knowledge) -> Help:
    abi = wrapper_abi(symbol)
    args = call_arguments(symbol, known.btf, known.call)
    assert abi is not None
    number = row(
        "+120(%di)", "nr", "unsigned long", Deref(120, Register("di")), "u64", note="number of the call"
    )
    if args is None:
        rows = (*registers.of_unknown_call(abi), number)
        return Help(rows, remark="a system call that nothing is known of: its registers, through pt_regs")
    remark = "" if args else f"{syscall_of(symbol)} takes no arguments"
    return Help((*of_call(args, abi, known), number), call_prototype(symbol, args), remark)


def _returned(symbol: str, known: Knowledge) -> Help:
    kept = list(_kept(symbol, known)) if _RETURNS in known.features else []
    if wrapper_abi(symbol) is not None:
        args = call_arguments(symbol, known.btf, known.call)
        result = row("$retval", "ret", "long", Retval(), "s64", note="errors are -1 to -4095")
        return Help((result, *kept), "" if args is None else call_prototype(symbol, args))
    found = known_signature(symbol, known)
    if found is None or known.btf is None:
        return Help((*registers.returned(long=_is_long(symbol)), *kept), remark=_why(known))
    rows = functions.result(Walker(known.btf, found, known.features))
    names = {row.name for row in kept}
    told = (replace(row, name=f"ret_{row.name}") if row.name in names else row for row in rows)
    return Help((*told, *kept), found.prototype, functions.about_result(found))


def _is_long(symbol: str) -> bool:
    """Whether a function is known by heart to return a long: a call's body, and what calls use."""
    return symbol in _LONG or (symbol.startswith(("__do_sys_", "__se_sys_")) and _body(symbol) is not None)


def _kept(symbol: str, known: Knowledge) -> Iterator[Suggestion]:
    """The entry's rows as the kernel keeps them for the return."""
    entry = _entry(symbol, known)
    if not entry.prototype and _body(symbol) is None:
        yield from registers.at_return(clone_warning(symbol))
    else:
        yield from functions.at_return(entry.rows)
