"""The same said in plain words, and where there are any, the edits that mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kptui.probes.abi import ARGUMENT_REGISTERS, REGISTERS, mistaken_register
from kptui.probes.check import dynamic_advice, place_advice, uprobe, uprobe_advice
from kptui.probes.check.head import DEFAULT_GROUPS, sanitised
from kptui.probes.check.log import Entry, Log
from kptui.probes.check.sentences import SENTENCES
from kptui.probes.check.standing import standing_of
from kptui.probes.check.target import Target
from kptui.probes.check.wrappers import Places, modernised, replace_words
from kptui.verdict import Fix

_REGISTER: Final = re.compile(r"%[A-Za-z0-9_]*")
_TYPES: Final = {
    "int": "s32", "unsigned": "u32", "uint": "u32", "long": "s64", "ulong": "u64", "size_t": "u64", "hex": "x64",
    "ptr": "x64", "pointer": "x64", "bool": "u8", "short": "s16", "str": "string", "char*": "string",
    "ustr": "ustring", "sym": "symbol", "symstring": "symstr",
}  # fmt: skip
_MOST_COPIES = 20
_SPECIAL_SENTENCES: Final = {"user": uprobe_advice.SENTENCES, **dynamic_advice.SENTENCES}
_SPECIAL_FIXES: Final = {"user": uprobe_advice.FIXES, **dynamic_advice.FIXES}


class Case:
    """The word that a message points to, and the means to edit it."""

    def __init__(self, entry: Entry, log: Log, target: Target, places: Places) -> None:
        self.entry = entry
        self.log = log
        self.target = target
        self.places = places
        self.word = min(entry.word, len(log.typed) - 1)
        self.text = log.typed[self.word]

    def fix(self, start: int, end: int, text: str, label: str, word: int | None = None) -> Fix:
        """Replace bytes ``start`` to ``end`` of the word by ``text`` (raw bytes as the words are)."""
        base = self.log.starts[self.word if word is None else word]
        return Fix(self.places.char(base + start), self.places.char(base + end), _read(text), _read(label))

    @property
    def column(self) -> int:
        """Where in the word as typed the caret stands."""
        return self.log.typed_at(self.entry) - self.log.starts[self.word]

    @property
    def body_at(self) -> int:
        return self.text.find("=") + 1


def _read(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


Advice = tuple[str, tuple[Fix, ...]]
"""A sentence ('' for the usual one) and what mends the line: any one of the fixes."""


def advise(entry: Entry, log: Log, target: Target, places: Places) -> Advice:
    """The sentence for an entry and its fixes."""
    case = Case(entry, log, target, places)
    advice = None
    special = _SPECIAL_FIXES.get(log.probe, {}).get(entry.code)
    if special is not None:
        advice = special(case)
    if advice is None:
        usual = _FIXES.get(entry.code)
        advice = usual(case) if usual is not None else ("", ())
    sentence, fixes = advice
    usually = SENTENCES.get(entry.code, "")
    return sentence or _SPECIAL_SENTENCES.get(log.probe, {}).get(entry.code, usually), fixes


def _by(fix: Fix | None, sentence: str = "") -> Advice:
    return sentence, () if fix is None else (fix,)


def _register(case: Case) -> Advice:
    for match in _REGISTER.finditer(case.text, case.body_at):
        name = match.group()[1:]
        if name in REGISTERS:
            continue
        meant = mistaken_register(name)
        if meant is None:
            return f"The kernel knows no register %{_read(name)}.", ()
        fix = case.fix(*match.span(), f"%{meant}", f"use %{meant}")
        return _by(fix, f"The kernel calls it %{meant}.")
    return "", ()


def _variable(case: Case) -> Advice:
    """``$rdi``, ``$ret``, and ``$argN`` where the kernel has none: the register, at the entry of a function."""
    match = re.search(r"\$(\w+)", case.text[case.body_at :])
    if match is None:
        return "", ()
    name, (start, end) = match[1], match.span()
    span = start + case.body_at, end + case.body_at
    register = name if name in REGISTERS else mistaken_register(name)
    number = re.fullmatch(r"arg([1-6])", name)
    if number and case.log.typed[0].startswith("p") and not case.target.traits.return_args:
        register = ARGUMENT_REGISTERS[int(number[1]) - 1]
    if register is not None:
        read = f"%{register}"
        if case.log.probe in ("function", "tracepoint"):  # they see no registers
            if register not in ARGUMENT_REGISTERS:
                return "", ()
            read = f"$arg{ARGUMENT_REGISTERS.index(register) + 1}"
        return _by(case.fix(*span, read, f"use {read}"))
    if name in ("ret", "return", "rv"):
        return _by(case.fix(*span, "$retval", "use $retval"))
    return "", ()


def _fetch_argument(case: Case) -> Advice:
    """A register without its sign."""
    expr = case.text[case.body_at :].partition(":")[0]
    register = expr if expr in REGISTERS else mistaken_register(expr)
    if register is None:
        return "", ()
    return _by(case.fix(case.body_at, case.body_at + len(expr), f"%{register}", f"use %{register}"))


def _symbol(case: Case) -> Advice:
    found = modernised(case.log, case.target)
    if found is None:
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
        return "", ()
    try:
        inside = int(match["offset"] or "0", 0)
    except ValueError:
        return "", ()
    fixes = []
    copies = case.target.copies(_read(match["name"]))
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
    if case.log.typed[0].startswith("p"):
        return _by(case.fix(0, 1, "r", "make it a return probe", word=0))
    return "", ()


def _drop_number(case: Case) -> Advice:
    return _by(case.fix(1, len(case.text.partition(":")[0]), "", "drop the number"))


def _parenthesis(case: Case) -> Advice:
    colon = case.text.find(":", case.body_at)
    end = colon if colon >= 0 else len(case.text)
    missing = max(1, case.text[:end].count("(") - case.text[:end].count(")"))
    return _by(case.fix(end, end, ")" * missing, "close the parenthesis"))


def _bracket(case: Case) -> Advice:
    return _by(case.fix(len(case.text), len(case.text), "]", "add ]"))


def _text_constant(case: Case) -> Advice:
    typed, starts = case.log.typed, case.log.starts
    for last in range(case.word + 1, len(typed)):
        if typed[last].endswith('"'):
            end = starts[last] + len(typed[last]) - starts[case.word]
            fix = case.fix(0, end, "_".join(typed[case.word : last + 1]), "use _ for blanks")
            return _by(fix, "The kernel splits at blanks, inside quotes too.")
    return _by(case.fix(len(case.text), len(case.text), '"', 'add "'))


def _memory_string(case: Case) -> Advice:
    expr, colon, _ = case.text[case.body_at :].partition(":")
    if not colon or not re.fullmatch(r"%[a-z0-9_]+|\$(?:arg\d+|stack\d+|retval)", expr):
        return "", ()
    start = case.body_at
    fix = case.fix(start, start + len(expr), f"+0({expr})", f"read where {expr} points: +0({expr})")
    return _by(fix)


def _type(case: Case) -> Advice:
    colon = case.text.rfind(":")
    name = re.split(r"\[", case.text[colon + 1 :])[0]
    meant = _TYPES.get(name) or (name.lower() if name.lower() in case.target.traits.types else None)
    if colon < 0 or meant == name or meant not in case.target.traits.types:
        return "", ()
    return _by(case.fix(colon + 1, colon + 1 + len(name), meant, f"use {meant}"))


def _free_argument(case: Case) -> Advice:
    """Another name; an argument without one is given it."""
    words = case.log.typed[2:]
    if case.text.startswith("$arg*"):  # stands for all parameters, and can't be named
        return "$arg* names every parameter; another argument here has the name of one of them.", ()
    taken = {word.partition("=")[0] for word in words} | {f"arg{n}" for n in range(1, len(words) + 1)}
    name, equal, _ = case.text.partition("=")
    if not equal:
        name = f"arg{case.word - 1}"
    fresh = _free(name, 32, taken.__contains__)
    if fresh is None:
        return "", ()
    end, text = (len(name), fresh) if equal else (0, f"{fresh}=")
    return _by(case.fix(0, end, text, f"call it {fresh}"))


def _free(name: str, most: int, taken: Callable[[str], object]) -> str | None:
    """``name2``, ``name3`` …, or ``name1_2`` where a digit ends it; None where a thousand of them are taken."""
    joint = "_" if name[-1:].isdigit() else ""
    endings = (f"{joint}{number}" for number in range(2, 1002))
    names = (name[: most - len(ending)] + ending for ending in endings)
    return next((fresh for fresh in names if not taken(fresh)), None)


def _free_event(case: Case) -> Advice:
    command, target = case.log.typed[0], case.target
    head, colon, spec = command.partition(":")
    cut = max(spec.rfind("/"), spec.rfind(".") if "/" not in spec else -1) + 1
    name, group = spec[cut:], spec[: cut - 1] if cut else DEFAULT_GROUPS[case.log.probe]
    if not name and case.log.probe == "kernel":
        place = re.match(r"([^+%-]*)(?:\+(\w+))?", case.log.typed[1]) if len(case.log.typed) > 1 else None
        if place is None:
            return "", ()
        kind = "r" if command.startswith("r") or case.log.typed[1].endswith("%return") else "p"
        name = sanitised(f"{kind}_{place[1]}_{int(place[2] or '0', 0)}")
    elif not name and (file := uprobe.split_place(case.log.typed[1])) is not None:
        name = re.sub(r"[^A-Za-z0-9_]", "_", uprobe.generated(*file))
    if not name:
        return "", ()
    names = {old.event for old in standing_of(target) if old.group == group}
    exists = target.event_exists

    def taken(fresh: str) -> bool:
        return fresh in names or bool(exists is not None and exists(group, fresh))

    fresh = _free(name, 63, taken)
    if fresh is None:
        return "", ()
    start = len(head) + 1 + cut if colon else len(command)
    return _by(case.fix(start, len(command), fresh if colon else f":{fresh}", f"call it {fresh}", word=0))


def _name(case: Case) -> Advice:
    end = case.text.find("=")
    return ("", ()) if end < 0 else _by(_clean(case, 0, end))


def _event_name(case: Case) -> Advice:
    return _by(_clean(case, case.column, len(case.text)))


def _group_name(case: Case) -> Advice:
    end = case.text.find("/", case.column)
    return _by(_clean(case, case.column, end if end >= 0 else len(case.text)))


def _clean(case: Case, start: int, end: int) -> Fix | None:
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", case.text[start:end])
    clean = f"_{clean}" if clean[:1].isdigit() else clean
    return case.fix(start, end, clean, f"use {clean}") if clean.strip("_") else None


def _shorten(limit: int) -> Callable[[Case], Advice]:
    def advice(case: Case) -> Advice:
        end = len(case.text)
        return _by(case.fix(case.column + limit, end, "", f"cut to {limit} bytes"))

    return advice


def _string_type(case: Case) -> Advice:
    colon = case.text.find(":", case.body_at)
    return ("", ()) if colon < 0 else _by(case.fix(colon, len(case.text), "", "drop the type"))


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
