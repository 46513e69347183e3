"""System call entries, where most lines from articles go wrong: their only argument is the user's saved registers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Protocol

from kptui.probes.abi import SYSCALL_REGISTERS, argument_number, syscall_arg_offset, syscall_of, wrapper_abi
from kptui.probes.check.casts import MAX_NESTED
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log
from kptui.probes.check.target import Target
from kptui.probes.errors import ProbeSyntaxError
from kptui.probes.exprs import ArgN, Deref, Expr, FetchArg, Register
from kptui.probes.fetch import parse_fetcharg
from kptui.probes.rewrite import rewrite_for_wrapper
from kptui.probes.syscalls import FUNCTIONS, KERNEL_NAMES, SYSCALLS, SyscallArg
from kptui.verdict import Fix, Note

_OLD: Final = re.compile(r"(?:sys|SyS)_([a-z0-9_]+)(?P<rest>(?:[+%].*)?)")
_SOURCE: Final = re.compile(r"%\w+|\$arg\d+")
_STRING: Final = re.compile(r":string(?=\[\d+\]$|$)")


class Places(Protocol):
    """Turns bytes of the line into characters."""

    def char(self, byte: int) -> int: ...

    def begins(self, byte: int) -> bool:
        """Whether a character begins at that byte."""
        ...


def modernised(log: Log, target: Target) -> tuple[str, list[str]] | None:
    """For a probe on ``sys_X`` or ``SyS_X``: today's symbol, and the words from the place to the last argument that
    changes, arguments in registers read through pt_regs. None for other places, or where the kernel has none.
    """
    match = _OLD.fullmatch(log.typed[1]) if len(log.typed) > 1 else None
    if match is None:
        return None
    symbol = f"__x64_sys_{KERNEL_NAMES.get(match[1], match[1])}"
    known = (
        target.symbol_count(symbol, None) if target.symbol_count is not None else int(match[1] in SYSCALLS)
    )
    if not known:
        return None
    words = [f"{symbol}{match['rest']}"]
    at_entry = log.typed[0].startswith("p") and not match["rest"]
    return symbol, words + (_through_registers(log, symbol, old=True) if at_entry else [])


def _through_registers(log: Log, symbol: str, *, old: bool) -> list[str]:
    """The arguments as they must be on a wrapper, up to the last that changes. ``old``: a bare ``%di`` is the call's
    first argument too.
    """
    words = [_through_register(word, symbol, old) for word in log.typed[2:]]
    while words and words[-1] == log.typed[len(words) + 1]:
        words.pop()
    return words


@lru_cache(maxsize=512)  # of a line that is being typed, all words but one are those of a moment ago
def _through_register(word: str, symbol: str, old: bool) -> str:
    arg = _parsed(word) if _SOURCE.search(word) else None
    meant = arg is not None and (old or not _is_pointer(arg))
    rewritten = rewrite_for_wrapper(arg, symbol) if arg is not None and meant else None
    return word if rewritten is None else _raw(str(rewritten))


def wrapper_notes(log: Log, target: Target, head: Head, places: Places) -> list[Note]:
    """What is read wrongly, or said badly, at the entry of a function whose parameters are a system call's."""
    symbol = (head.symbol or "").rpartition(":")[2]
    if target.symbol_count is None and (found := modernised(log, target)) is not None:
        fix = replace_words(log, places, 1, found[1], f"use {found[0]}")
        said = f"Since 4.17 the system call’s function is {found[0]}, with its arguments behind %di."
        return [Note(said, (fix,))]
    if head.returns or head.offset or not symbol:
        return []
    words = log.typed[2:]
    notes = []
    rewritten = _through_registers(log, symbol, old=False) if wrapper_abi(symbol) is not None else []
    naive = [n for n, (word, new) in enumerate(zip(words, rewritten, strict=False)) if word != new]
    if naive:
        one = f"read it through %di: {_read(rewritten[naive[0]])}"
        fix = replace_words(log, places, 2, rewritten, one if len(naive) == 1 else "read them through %di")
        fixes = (fix,) if all(_fits(word, target) for word in rewritten) else ()
        notes += [Note(_misread(words[n], n + 1, symbol), fixes) for n in naive]
    for n, word in enumerate(words):
        if _STRING.search(word) is None or n in naive:
            continue
        arg = _parsed(word)
        owner = _user_text(arg, symbol) if arg is not None else None
        if owner is None:
            continue
        start = log.starts[n + 2] + word.rindex(":string")
        fix = Fix(places.char(start), places.char(start + len(":string")), ":ustring", "use ustring")
        shown = _read(word.partition("=")[0]) if "=" in word else f"argument {n + 1}"
        notes.append(Note(f"{shown}: {owner} is user memory: ustring says so, and works everywhere.", (fix,)))
    return notes


def _fits(word: str, target: Target) -> bool:
    """Whether an argument is neither too long nor too deep for the kernel."""
    return len(word[word.find("=") + 1 :]) <= target.traits.body_limit and word.count("(") <= MAX_NESTED


def _misread(word: str, number: int, symbol: str) -> str:
    name = _read(word.partition("=")[0]) if "=" in word else f"argument {number}"
    found = _SOURCE.search(word.partition("=")[2] or word)
    register = found[0] if found is not None else "the register"
    where = "holds none of the call’s arguments"
    if register in ("%di", "$arg1"):
        where = "points to the saved user registers, not to the call’s arguments"
    return f"{name}: in {_read(symbol)} {register} {where}; those are behind %di, the first at +112(%di)."


def _is_pointer(arg: FetchArg) -> bool:
    """``%di`` as an address: the pointer to the registers, wanted as such."""
    kind = str(arg.type) if arg.type is not None else "x64"
    return arg.expr in (Register("di"), ArgN(1)) and kind in ("x64", "u64")


def _base(expr: Expr) -> Expr:
    while isinstance(expr, Deref):
        expr = expr.expr
    return expr


def _user_text(arg: FetchArg, symbol: str) -> str | None:
    """The parameter in user memory whose text is read as ``string``; None if it is none."""
    if not isinstance(arg.expr, Deref) or arg.expr.user:
        return None
    abi = wrapper_abi(symbol)
    call = syscall_of(symbol)
    inner = arg.expr.expr
    if abi is not None:
        parameters: Sequence[SyscallArg] | None = SYSCALLS.get(call or "")
        slots = [syscall_arg_offset(n, abi) for n in range(1, 1 + len(SYSCALL_REGISTERS[abi]))]
        while isinstance(inner, Deref) and isinstance(inner.expr, Deref):
            inner = inner.expr
        if not isinstance(inner, Deref) or inner.expr not in (Register("di"), ArgN(1)):
            return None
        number = slots.index(inner.offset) + 1 if inner.offset in slots else None
    else:
        parameters = FUNCTIONS.get(symbol) or (SYSCALLS.get(call or "") if symbol.startswith("__") else None)
        base = _base(inner)
        number = argument_number(base.name) if isinstance(base, Register) else None
        number = base.index if isinstance(base, ArgN) else number
    if number is None or parameters is None or number > len(parameters):
        return None
    parameter = parameters[number - 1]
    return f"{parameter.ctype}{parameter.name}" if "__user" in parameter.ctype else None


def replace_words(log: Log, places: Places, first: int, words: list[str], label: str) -> Fix:
    """A fix: the words from ``first`` on replaced, what lies between them kept."""
    text = "".join(
        word + (log.between(n) if n < first + len(words) - 1 else "") for n, word in enumerate(words, first)
    )
    last = first + len(words) - 1
    end = log.starts[last] + len(log.typed[last])
    return Fix(places.char(log.starts[first]), places.char(end), _read(text), _read(label))


def _parsed(word: str) -> FetchArg | None:
    try:
        return parse_fetcharg(_read(word))
    except ProbeSyntaxError:
        return None


def _read(word: str) -> str:
    return word.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _raw(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
