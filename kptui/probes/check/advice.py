"""The same said in plain words, and where there are any, the edits that mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kptui.probes.abi import ARGUMENT_REGISTERS, REGISTERS, mistaken_register
from kptui.probes.check import dynamic_advice, name_advice, place_advice, uprobe_advice
from kptui.probes.check.case import NONE, Advice, Case, one, read
from kptui.probes.check.fetch import KERNEL_TYPES
from kptui.probes.check.log import Entry, Log
from kptui.probes.check.sentences import SENTENCES
from kptui.probes.check.target import Target
from kptui.probes.check.wrappers import Places, modernised, replace_words

_REGISTER: Final = re.compile(r"%(\w*)\)*", re.ASCII)
_TYPES: Final = {
    "int": "s32", "unsigned": "u32", "uint": "u32", "long": "s64", "ulong": "u64", "size_t": "u64", "hex": "x64",
    "ptr": "x64", "pointer": "x64", "bool": "u8", "short": "s16", "str": "string", "char*": "string",
    "ustr": "ustring", "sym": "symbol", "symstring": "symstr",
}  # fmt: skip
_MOST_COPIES = 20
_SPECIAL_SENTENCES: Final = {"user": uprobe_advice.SENTENCES, **dynamic_advice.SENTENCES}
_SPECIAL_FIXES: Final = {"user": uprobe_advice.FIXES, **dynamic_advice.FIXES}


def advise(entry: Entry, log: Log, target: Target, places: Places) -> Advice:
    """The sentence for an entry and its fixes."""
    case = Case(entry, log, target, places)
    advice = None
    special = _SPECIAL_FIXES.get(log.probe, {}).get(entry.code)
    if special is not None:
        advice = special(case)
    if advice is None:
        usual = _FIXES.get(entry.code)
        advice = usual(case) if usual is not None else NONE
    sentence, fixes = advice
    if case.cuts_character:
        fixes = ()
    usually = SENTENCES.get(entry.code, "")
    return sentence or _SPECIAL_SENTENCES.get(log.probe, {}).get(entry.code, usually), fixes


def _register(case: Case) -> Advice:
    span = case.source
    found = _REGISTER.fullmatch(case.text, *span)
    if found is None and not case.text.startswith("%", span[0]):  # in a typecast, or the like
        others = (match for match in _REGISTER.finditer(case.text, case.body_at) if match[1] not in REGISTERS)
        found = next(others, None)
    if found is None:
        return NONE
    meant = found[1] if found[1] in REGISTERS else mistaken_register(found[1])
    if meant is None:
        return f"The kernel knows no register %{read(found[1])}.", ()
    if meant == found[1]:
        return one(
            case.fix(*found.span(), f"%{meant}", "drop the parenthesis"), "It ends a parenthesis too many."
        )
    return one(case.fix(*found.span(), f"%{meant}", f"use %{meant}"), f"The kernel calls it %{meant}.")


def _variable(case: Case) -> Advice:
    """``$rdi``, ``$ret``, and ``$argN`` where the kernel has none: the register, at the entry of a function."""
    span = case.source
    match = re.fullmatch(r"\$(\w+)", case.text[slice(*span)])
    if match is None:
        return NONE
    name = match[1]
    register = name if name in REGISTERS else mistaken_register(name)
    number = re.fullmatch(r"arg([1-6])", name)
    if number and case.log.typed[0].startswith("p") and not case.target.traits.return_args:
        register = ARGUMENT_REGISTERS[int(number[1]) - 1]
    if register is not None:
        read = f"%{register}"
        if case.log.probe in ("function", "tracepoint"):  # they see no registers
            if register not in ARGUMENT_REGISTERS:
                return NONE
            read = f"$arg{ARGUMENT_REGISTERS.index(register) + 1}"
        return one(case.fix(*span, read, f"use {read}"))
    if name in ("ret", "return", "rv"):
        return one(case.fix(*span, "$retval", "use $retval"))
    return NONE


def _fetch_argument(case: Case) -> Advice:
    """A register without its sign."""
    name = case.text[slice(*case.source)]
    register = name if name in REGISTERS else mistaken_register(name)
    if register is None or name.startswith("%"):
        return NONE
    return one(case.fix(*case.source, f"%{register}", f"use %{register}"))


def _symbol(case: Case) -> Advice:
    if sentence := place_advice.bad_offset(case):
        return sentence, ()
    found = modernised(case.log, case.target)
    if found is None or place_advice.missing_data(case) is not None:  # the same is said of both
        return place_advice.unknown(case)
    symbol, words = found
    label = f"use {symbol}" + (", arguments read through %di" if len(words) > 1 else "")
    fix = replace_words(case.log, case.places, 1, words, label)
    return f"Since 4.17 the system call’s function is {symbol}, with its arguments behind %di.", (fix,)


def _copies(case: Case) -> Advice:
    """The copies of a symbol that exists more than once, each by a name that only it has."""
    word = case.log.typed[1]
    match = re.match(r"(?:[^:+%-]*:)?(?P<name>[^+%-]*)(?:\+(?P<offset>\w+))?", word)
    if match is None or case.target.copies is None:
        return NONE
    try:
        inside = int(match["offset"] or "0", 0)
    except ValueError:
        return NONE
    fixes = []
    copies = case.target.copies(read(match["name"]))
    if not copies:
        return "Several symbols have this name, and none of them is a function that can be probed.", ()
    for copy in copies[:_MOST_COPIES]:
        address = "" if copy.address is None else f"0x{copy.address:x}"
        single = copy.module and sum(other.module == copy.module for other in copies) == 1
        offset = None if copy.offset is None else f"_text+{copy.offset + inside}"
        place = f"{copy.module}:{match['name']}{f'+{inside}' if inside else ''}" if single else offset
        if place is None:
            continue
        also = f"  {offset}" if single and offset is not None else ""
        where = f"[{copy.module}]" if copy.module else "in the kernel"
        fixes.append(case.fix(0, match.end(), place, f"use {place}  {address} {where}{also}", word=1))
    if not fixes:
        hidden = "Several functions have this name; which is where is hidden (kptr_restrict, or no root)."
        return hidden, ()
    few = "One of them is a function" if len(fixes) == 1 else f"{len(fixes)} functions have this name"
    return f"{few}: _text+OFFSET (or MODULE:NAME) names just one.", tuple(fixes)


def _return_only(case: Case) -> Advice:
    symbol, module, offset = place_advice.place_of(case)
    if symbol is None and case.log.probe == "kernel":
        return "At a raw address the kernel has no $retval, in a return probe neither: name the function.", ()
    place = symbol if module is None else f"{module}:{symbol}"
    if case.log.typed[0].startswith("p") and case.target.entry(place or "", offset):
        return one(case.fix(0, 1, "r", "make it a return probe", word=0))
    return NONE


def _drop_number(case: Case) -> Advice:
    return one(case.fix(1, len(case.text.partition(":")[0]), "", "drop the number"))


def _parenthesis(case: Case) -> Advice:
    colon = case.text.find(":", case.body_at)
    end = colon if colon >= 0 else len(case.text)
    missing = max(1, case.text[:end].count("(") - case.text[:end].count(")"))
    return one(case.fix(end, end, ")" * missing, "close the parenthesis"))


def _bracket(case: Case) -> Advice:
    return one(case.fix(len(case.text), len(case.text), "]", "add ]"))


def _text_constant(case: Case) -> Advice:
    if not case.text.startswith(
        '\\"', case.body_at
    ):  # inside of something: where it should end is anybody's guess
        return NONE
    typed, starts = case.log.typed, case.log.starts
    for last in range(case.word + 1, len(typed)):
        if typed[last].endswith('"'):
            end = starts[last] + len(typed[last]) - starts[case.word]
            fix = case.fix(0, end, "_".join(typed[case.word : last + 1]), "use _ for blanks")
            return one(fix, "The kernel splits at blanks, inside quotes too.")
    return one(case.fix(len(case.text), len(case.text), '"', 'add "'))


def _memory_string(case: Case) -> Advice:
    expr, colon, _ = case.text[case.body_at :].partition(":")
    if not colon or not re.fullmatch(r"%[a-z0-9_]+|\$(?:arg\d+|stack\d+|retval)", expr):
        return NONE
    start = case.body_at
    fix = case.fix(start, start + len(expr), f"+0({expr})", f"read where {expr} points: +0({expr})")
    return one(fix)


def _type(case: Case) -> Advice:
    colon = case.text.find(":", case.body_at)
    name = re.split(r"\[", case.text[colon + 1 :])[0]
    types = case.target.traits.types - (KERNEL_TYPES if case.log.probe == "user" else frozenset())
    meant = _TYPES.get(name) or (name.lower() if name.lower() in types else None)
    if colon < 0 or meant == name or meant not in types:
        return NONE
    return one(case.fix(colon + 1, colon + 1 + len(name), meant, f"use {meant}"))


def _string_type(case: Case) -> Advice:
    colon = case.text.find(":", case.body_at)
    return NONE if colon < 0 else one(case.fix(colon, len(case.text), "", "drop the type"))


_FIXES: Final[dict[str, Callable[[Case], Advice]]] = {
    "BAD_REG_NAME": _register,
    "BAD_PROBE_ADDR": _symbol,
    "FAIL_REG_PROBE": place_advice.refused,
    "NON_UNIQ_SYMBOL": _copies,
    "RETVAL_ON_PROBE": _return_only,
    "BAD_MAXACT_TYPE": _drop_number,
    "DEREF_OPEN_BRACE": _parenthesis,
    "ARRAY_NO_CLOSE": _bracket,
    "IMMSTR_NO_CLOSE": _text_constant,
    "BAD_STRING": _memory_string,
    "BAD_TYPE": _type,
    "BAD_VAR": _variable,
    "BAD_FETCH_ARG": _fetch_argument,
    "NO_BTFARG": _fetch_argument,
    "USED_ARG_NAME": name_advice.free_argument,
    "SAME_PROBE": name_advice.free_event,
    "DIFF_PROBE_TYPE": name_advice.free_event,
    "DIFF_ARG_TYPE": name_advice.free_event,
    "EVENT_EXIST": name_advice.free_event,
    "BAD_ARG_NAME": name_advice.name,
    "BAD_EVENT_NAME": name_advice.event_name,
    "BAD_GROUP_NAME": name_advice.group_name,
    "EVENT_TOO_LONG": name_advice.shorten(63),
    "NEED_STRING_TYPE": _string_type,
}
