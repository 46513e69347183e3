"""The same said in plain words, and where there is one an edit that mends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

from kptui.probes.abi import ARGUMENT_REGISTERS, REGISTERS, mistaken_register
from kptui.probes.check.head import DEFAULT_GROUPS
from kptui.probes.check.log import Entry, Log
from kptui.probes.check.standing import standing_of
from kptui.probes.check.target import Target
from kptui.verdict import Fix

_OLD_SYSCALL: Final = re.compile(r"(?:sys|SyS)_([a-z0-9_]+)")
_REGISTER: Final = re.compile(r"%[A-Za-z0-9_]*")

SENTENCES: Final = {
    "BAD_PROBE_ADDR": "The kernel has no symbol of that name, or the offset is no number from 0 up.",
    "NON_UNIQ_SYMBOL": "Several symbols have this name: use _text+OFFSET of the one you mean.",
    "BAD_RETPROBE": "A return probe can only be put at the start of a function, without an offset.",
    "BAD_ADDR_SUFFIX": "After the symbol only %return may follow.",
    "BAD_MAXACT_TYPE": "A number after p has no meaning: it belongs to return probes (r).",
    "BAD_MAXACT": "The number after r must be from 1 to 4096.",
    "MAXACT_TOO_BIG": "The number after r is at most 4096.",
    "NO_GROUP_NAME": "There is nothing before the slash: write GROUP/EVENT.",
    "GROUP_TOO_LONG": "A group name has at most 63 bytes.",
    "BAD_GROUP_NAME": "A group name consists of letters, digits and _, and doesn’t start with a digit.",
    "NO_EVENT_NAME": "After the colon an event name is expected.",
    "EVENT_TOO_LONG": "An event name has at most 63 bytes.",
    "BAD_EVENT_NAME": "An event name consists of letters, digits and _, and doesn’t start with a digit.",
    "EVENT_EXIST": "Another event has this name already.",
    "DIFF_PROBE_TYPE": "An event of this name stands as the other kind (entry or return).",
    "DIFF_ARG_TYPE": "An event of this name stands with other arguments; a second probe needs the same ones.",
    "SAME_PROBE": "Exactly this probe stands already.",
    "FAIL_REG_PROBE": "The kernel refuses to put a probe there.",
    "TOO_MANY_ARGS": "A probe has at most 128 arguments.",
    "ARG_NAME_TOO_LONG": "An argument name has at most 32 bytes.",
    "NO_ARG_NAME": "There is no name before the equals sign.",
    "BAD_ARG_NAME": "An argument name consists of letters, digits and _, and doesn’t start with a digit.",
    "USED_ARG_NAME": "This argument name is taken, by another argument or by the kernel.",
    "ARG_TOO_LONG": "The expression of one argument is too long for this kernel.",
    "NO_ARG_BODY": "After the equals sign something to read is expected, e.g. %di.",
    "EVENT_TOO_BIG": "All arguments together take more than 3072 bytes.",
    "RETVAL_ON_PROBE": "Only a return probe can read $retval.",
    "NO_RETVAL": "This function returns nothing.",
    "BAD_STACK_NUM": "The stack has no word of that number.",
    "BAD_ARG_NUM": "Arguments are counted from $arg1.",
    "BAD_VAR": "Known are $stack, $stackN, $argN, $comm and, in return probes, $retval.",
    "BAD_REG_NAME": "The kernel knows no register of that name.",
    "BAD_MEM_ADDR": "After @ stands a number (0x… for hexadecimal) or a symbol.",
    "BAD_IMM": "After the backslash stands a number, or a text in quotes.",
    "IMMSTR_NO_CLOSE": "The text has no closing quote; it can’t contain blanks, colons or #.",
    "FILE_ON_KPROBE": "@+OFFSET is for uprobes only.",
    "TOO_MANY_OPS": "This expression needs more steps than the kernel has room for.",
    "TOO_MANY_NESTED": "At most 8 levels of dereference are possible.",
    "DEREF_NEED_BRACE": "After the offset a parenthesis is expected: +OFFSET(…).",
    "BAD_DEREF_OFFS": "Between the sign and the parenthesis a number is expected: +0(…).",
    "DEREF_OPEN_BRACE": "A closing parenthesis is missing.",
    "COMM_CANT_DEREF": "$comm and constant texts can’t be dereferenced.",
    "BAD_FETCH_ARG": "This begins like nothing the kernel can read: %REG, $VAR, @ADDR, +OFFSET(…), \\NUMBER.",
    "NOSUP_BTFARG": "Parameter names work only at a function’s start or return, on kernels with BTF.",
    "NO_BTFARG": "The function has no parameter of that name or number.",
    "NO_BTF_ENTRY": "The kernel’s type information doesn’t know this function’s parameters.",
    "NOFENTRY_ARGS": "$arg works only at the start or the return of a function given by its name.",
    "DOUBLE_ARGS": "$arg* can stand only once.",
    "ARGS_2LONG": "The names of all parameters together are too long.",
    "NO_PTR_STRCT": "What stands before the arrow is no pointer to a structure.",
    "NOSUP_DAT_ARG": "Members of a parameter are reached with ->, not with a dot.",
    "BAD_HYPHEN": "A member is reached with ->.",
    "NO_BTF_FIELD": "The structure has no member of that name.",
    "BAD_TYPE": "Unknown type; known are u8 … u64, s8 … s64, x8 … x64, string, ustring, symbol, bW@O/SIZE.",
    "BAD_STRING": "A string or an array must be read from memory: +0(…).",
    "BAD_SYMSTRING": "symstr needs an address from a register, the stack or kernel memory.",
    "BAD_TYPE4STR": "This value is no char * or char[]: it can’t be read as a string.",
    "NEED_STRING_TYPE": "$comm and constant texts can only have the type string.",
    "BAD_BITFIELD": "A bit field is written bWIDTH@OFFSET/SIZE and must fit into SIZE bits.",
    "ARRAY_NO_CLOSE": "The array has no closing bracket.",
    "BAD_ARRAY_SUFFIX": "Nothing may follow the bracket.",
    "BAD_ARRAY_NUM": "An array has 1 to 64 elements.",
    "ARRAY_TOO_BIG": "An array has at most 64 elements.",
}
"""One sentence for each message code."""


class Places(Protocol):
    def char(self, byte: int) -> int: ...


class _Case:
    """The word that a message points to, and the means to edit it."""

    def __init__(self, entry: Entry, log: Log, target: Target, places: Places) -> None:
        self.entry = entry
        self.log = log
        self.target = target
        self._places = places
        self.word = min(entry.word, len(log.typed) - 1)
        self.text = log.typed[self.word]

    def fix(self, start: int, end: int, text: str, label: str, word: int | None = None) -> Fix:
        """Replace bytes ``start`` to ``end`` of the word."""
        base = self.log.starts[self.word if word is None else word]
        return Fix(self._places.char(base + start), self._places.char(base + end), text, label)

    @property
    def column(self) -> int:
        """Where in the word as typed the caret stands."""
        return self.log.typed_at(self.log.column(self.entry)) - self.log.starts[self.word]

    @property
    def body_at(self) -> int:
        return self.text.find("=") + 1


def advise(entry: Entry, log: Log, target: Target, places: Places) -> tuple[str, Fix | None]:
    """The sentence for an entry and its fix."""
    case = _Case(entry, log, target, places)
    found = _FIXES.get(entry.code)
    sentence, fix = found(case) if found is not None else ("", None)
    return sentence or SENTENCES.get(entry.code, ""), fix


_Advice = tuple[str, Fix | None]


def _register(case: _Case) -> _Advice:
    for match in _REGISTER.finditer(case.text, case.body_at):
        name = match.group()[1:]
        if name in REGISTERS:
            continue
        meant = mistaken_register(name)
        if meant is None:
            return f"The kernel knows no register %{name}.", None
        return f"The kernel calls it %{meant}.", case.fix(*match.span(), f"%{meant}", f"use %{meant}")
    return "", None


def _symbol(case: _Case) -> _Advice:
    word = case.log.typed[1]
    match = _OLD_SYSCALL.fullmatch(re.split(r"[+%]", word)[0])
    if match is None or case.target.symbol_count is None:
        return "", None
    name = f"__x64_sys_{match[1]}"
    if not case.target.symbol_count(name, None):
        return "", None
    return (
        f"Since 4.17 the system call’s function is {name}, with its arguments behind %di.",
        case.fix(0, match.end(), name, f"use {name}", word=1),
    )


def _return_only(case: _Case) -> _Advice:
    if case.log.typed[0].startswith("p"):
        return "", case.fix(0, 1, "r", "make it a return probe", word=0)
    return "", None


def _drop_number(case: _Case) -> _Advice:
    end = len(case.text.partition(":")[0])
    return "", case.fix(1, end, "", "drop the number")


def _close(sign: str) -> Callable[[_Case], _Advice]:
    def advice(case: _Case) -> _Advice:
        end = len(case.text)
        if sign == ")":
            colon = case.text.find(":", case.body_at)
            expr_end = colon if colon >= 0 else end
            expr = case.text[:expr_end]
            missing = max(1, expr.count("(") - expr.count(")"))
            return "", case.fix(expr_end, expr_end, ")" * missing, "close the parenthesis")
        return "", case.fix(end, end, sign, f"add {sign}")

    return advice


def _text_constant(case: _Case) -> _Advice:
    typed, starts = case.log.typed, case.log.starts
    for last in range(case.word + 1, len(typed)):
        if typed[last].endswith('"'):
            end = starts[last] + len(typed[last]) - starts[case.word]
            joined = "_".join(typed[case.word : last + 1])
            joined = joined.encode("latin-1").decode("utf-8", "replace")
            fix = case.fix(0, end, joined, "use _ for blanks")
            return "The kernel splits at blanks, inside quotes too.", fix
    return "", case.fix(len(case.text), len(case.text), '"', 'add "')


def _memory_string(case: _Case) -> _Advice:
    expr, colon, _ = case.text[case.body_at :].partition(":")
    if not colon or not re.fullmatch(r"%[a-z0-9_]+|\$(?:arg\d+|stack\d+|retval)", expr):
        return "", None
    start = case.body_at
    return (
        "",
        case.fix(start, start + len(expr), f"+0({expr})", f"read where {expr} points: +0({expr})"),
    )


def _argument_number(case: _Case) -> _Advice:
    """``$argN`` where the kernel has none: the register, at the entry of a function."""
    match = re.search(r"\$arg([1-6])(?![0-9])", case.text)
    if match is None or not case.log.typed[0].startswith("p") or case.target.traits.return_args:
        return "", None
    register = ARGUMENT_REGISTERS[int(match[1]) - 1]
    return "", case.fix(*match.span(), f"%{register}", f"use %{register}")


def _free_argument(case: _Case) -> _Advice:
    name, equal, _ = case.text.partition("=")
    if not equal:
        return "", None
    taken = {word.partition("=")[0] for word in case.log.typed[2:]}
    return "", case.fix(0, len(name), fresh := _free(name, taken), f"call it {fresh}")


def _free(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _free_event(case: _Case) -> _Advice:
    command = case.log.typed[0]
    head, colon, spec = command.partition(":")
    if not colon:
        return "", None
    cut = max(spec.rfind("/"), spec.rfind(".") if "/" not in spec else -1) + 1
    name, group = spec[cut:], spec[: cut - 1] if cut else DEFAULT_GROUPS[case.log.probe]
    if not name:
        return "", None
    taken = {old.event for old in standing_of(case.target) if old.group == group}
    fresh = _free(name, taken)
    start = len(head) + 1 + cut
    return "", case.fix(start, len(command), fresh, f"call it {fresh}", word=0)


def _name(case: _Case) -> _Advice:
    end = case.text.find("=")
    if end < 0:
        return "", None
    return "", _clean(case, 0, end)


def _event_name(case: _Case) -> _Advice:
    return "", _clean(case, case.column, len(case.text))


def _group_name(case: _Case) -> _Advice:
    end = case.text.find("/", case.column)
    return "", _clean(case, case.column, end if end >= 0 else len(case.text))


def _clean(case: _Case, start: int, end: int) -> Fix | None:
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", case.text[start:end])
    clean = f"_{clean}" if clean[:1].isdigit() else clean
    return case.fix(start, end, clean, f"use {clean}") if clean.strip("_") else None


def _shorten(limit: int) -> Callable[[_Case], _Advice]:
    def advice(case: _Case) -> _Advice:
        return "", case.fix(case.column + limit, len(case.text), "", f"cut to {limit} bytes")

    return advice


def _string_type(case: _Case) -> _Advice:
    colon = case.text.find(":", case.body_at)
    return "", case.fix(colon, len(case.text), "", "drop the type") if colon >= 0 else None


_FIXES: Final[dict[str, Callable[[_Case], _Advice]]] = {
    "BAD_REG_NAME": _register,
    "BAD_PROBE_ADDR": _symbol,
    "RETVAL_ON_PROBE": _return_only,
    "BAD_MAXACT_TYPE": _drop_number,
    "DEREF_OPEN_BRACE": _close(")"),
    "ARRAY_NO_CLOSE": _close("]"),
    "IMMSTR_NO_CLOSE": _text_constant,
    "BAD_STRING": _memory_string,
    "BAD_VAR": _argument_number,
    "USED_ARG_NAME": _free_argument,
    "SAME_PROBE": _free_event,
    "DIFF_PROBE_TYPE": _free_event,
    "DIFF_ARG_TYPE": _free_event,
    "EVENT_EXIST": _free_event,
    "BAD_ARG_NAME": _name,
    "BAD_EVENT_NAME": _event_name,
    "BAD_GROUP_NAME": _group_name,
    "EVENT_TOO_LONG": _shorten(63),
    "NEED_STRING_TYPE": _string_type,
}
