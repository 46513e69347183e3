"""Strings that show another argument's text: since 6.5 the kernel forgets to mark one whose pointer it couldn't read.

store_trace_args (kernel/trace/trace_probe_tmpl.h) gives a string all the room that is left before it is fetched, and
takes it back only where the text itself can't be read. Where an address on the way can't, the argument points to where
the next string is put.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from kptui.probes.abi import wrapper_abi
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log
from kptui.probes.check.target import Target
from kptui.probes.check.wrappers import Places, replace_words
from kptui.probes.errors import ProbeSyntaxError
from kptui.probes.exprs import ArgN, BtfPath, Comm, Deref, Expr, FetchArg, ImmString, Register
from kptui.probes.fetch import parse_fetcharg
from kptui.verdict import Note

_FEW: Final = 2  # addresses in memory on the way to a text; a first one is hardly ever NULL
_NAMES: Final = {"%pd": 1, "%pD": 2}  # what the kernel adds: +0(+40(…)), +0(+40(+72(…)))


def other_text_notes(log: Log, target: Target, head: Head, places: Places) -> list[Note]:
    """One note on the strings that may show a later one, with a fix that puts that one first where it is safe there."""
    if not target.traits.other_text:
        return []
    known = int(wrapper_abi((head.symbol or "").rpartition(":")[2]) is not None)
    words = log.typed[2:]
    args = [_string(word) for word in words]
    unsure = [n for n, arg in enumerate(args) if arg is not None and _addresses(arg, known) >= _FEW]
    for n in unsure:
        # what starts at the same address as a rule can't be read either
        later = [
            m for m, arg in enumerate(args) if m > n and arg is not None and _root(arg) != _root(args[n])
        ]
        if not later:
            continue
        said = (
            f"{_name(words, n)}: where an address on its way can’t be read (NULL), this kernel shows the text of "
            f"{_name(words, later[0])} in its place."
        )
        safe = [m for m in later if (arg := args[m]) is not None and _addresses(arg, known) == 0]
        if safe != later:
            return [Note(said)]
        rest = [m for m in range(n, safe[-1] + 1) if m not in safe]
        label = f"put {', '.join(_name(words, m) for m in safe)} before {_name(words, n)}"
        return [Note(said, (replace_words(log, places, n + 2, [words[m] for m in (*safe, *rest)], label),))]
    return []


@lru_cache(maxsize=512)  # of a line that is being typed, all words but one are those of a moment ago
def _string(word: str) -> FetchArg | None:
    """The argument if it is text of any length."""
    try:
        arg = parse_fetcharg(word)
    except ProbeSyntaxError:
        return None
    if arg.type is None:
        return arg if isinstance(arg.expr, (Comm, ImmString)) else None
    return arg if arg.type.is_string or arg.type.base in _NAMES or arg.type.base == "symstr" else None


def _addresses(arg: FetchArg, known: int) -> int:
    """How many addresses are read from memory before the text is; ``known``: behind ``%di`` the first is sure to be
    there.
    """
    expr = arg.expr
    base = str(arg.type.base) if arg.type is not None else ""
    if isinstance(expr, BtfPath):
        return _NAMES.get(base, 0) + sum(member.arrow for member in expr.members)
    found = _NAMES.get(base, 0 if base == "symstr" else -1)
    while isinstance(expr, Deref):
        found += 1
        expr = expr.expr
    return max(found - (known if expr in (Register("di"), ArgN(1)) else 0), 0)


def _root(arg: FetchArg | None) -> Expr | None:
    expr = arg.expr if arg is not None else None
    while isinstance(expr, Deref):
        expr = expr.expr
    return BtfPath(expr.root) if isinstance(expr, BtfPath) else expr


def _name(words: list[str], n: int) -> str:
    name, equal, _ = words[n].partition("=")
    return name.encode("latin-1", "replace").decode("utf-8", "replace") if equal else f"argument {n + 1}"
