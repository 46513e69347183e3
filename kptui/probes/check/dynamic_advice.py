"""What is said only of the kinds that dynamic_events adds: sentences, fixes, and what the kernel accepts although
it can't have been meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from kptui.probes.abi import ARGUMENT_REGISTERS
from kptui.probes.check import eprobe, ktext, place_advice
from kptui.probes.check.case import NONE, Advice, Case
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log
from kptui.probes.check.target import Target
from kptui.verdict import Note

_NO_REGISTERS: Final = "These probes see no registers: read parameters by name or as $arg1, $arg2 …"
_FUNCTION: Final = {
    "BAD_MAXACT": "After the letter only a colon and a name may follow.",
    "BAD_MAXACT_TYPE": "A number after the letter belongs to probes on a function’s exit (SYMBOL%return).",
    "BAD_PROBE_ADDR": "ftrace can trace no function of that name; an fprobe is on a function’s entry or exit, without "
    "an offset.",
    "FAIL_REG_PROBE": "ftrace can trace no function of that name; an fprobe is on a function’s entry or exit, without "
    "an offset.",
    "DIFF_PROBE_TYPE": "An event of this name stands as the other kind: entry, exit or tracepoint.",
}
_TRACEPOINT: Final = _FUNCTION | {
    "BAD_ADDR_SUFFIX": "A tracepoint has no return.",
    "FAIL_REG_PROBE": "The kernel can’t attach a probe to this tracepoint.",
    "RETVAL_ON_PROBE": "A tracepoint returns nothing.",
    "NO_BTF_ENTRY": "The kernel’s type information doesn’t know this tracepoint’s parameters.",
    "NO_BTFARG": "The tracepoint has no parameter of that name or number.",
}
_EVENT: Final = {
    "BAD_VAR": "The event has no field of that name; besides its fields only $comm can be read.",
    "BAD_FETCH_ARG": "A field is written $FIELD; besides there are +OFFSET(…), @ADDR, \\NUMBER.",
    "NOSUP_BTFARG": "On this kernel a field is written $FIELD.",
}
SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "function": _FUNCTION,
    "tracepoint": _TRACEPOINT,
    "event": _EVENT,
}
"""In place of what is said of other probes, by Head.probe."""

_FIELDS: Final = 12  # of an event that a sentence names
_FIELD: Final = re.compile(r"\$(\w+)")
_REGISTER: Final = re.compile(r"%(\w+)", re.ASCII)


def _parameter(case: Case) -> Advice | None:
    """A register where there are none: the parameter that it would hold."""
    match = _REGISTER.fullmatch(case.text, *case.source)
    if match is None:
        return None
    if match[1] not in ARGUMENT_REGISTERS:
        return _NO_REGISTERS, ()
    new = f"$arg{ARGUMENT_REGISTERS.index(match[1]) + 1}"
    return _NO_REGISTERS, (case.fix(*match.span(), new, f"use {new}"),)


def _symbol(case: Case) -> Advice | None:
    """Where probes are put in place at once, this is about a symbol that an argument reads."""
    if not case.target.traits.fprobe_late:
        return "The kernel has no symbol of the name that stands after @.", ()
    return _kprobe(case)


def _kprobe(case: Case) -> Advice | None:
    match = re.fullmatch(r"(\w[^+-]*)\+\w+", case.log.typed[1])
    if match is None or not case.target.count(match[1]) or place_advice.bad_offset(case):
        return None
    return "", (case.fix(0, 1, "p", "make it a kprobe", word=0),)


def _drop_letters(case: Case) -> Advice:
    end = len(case.text.partition(":")[0])
    return "", (case.fix(1, end, "", "drop what follows the letter"),)


def _no_group(case: Case) -> Advice | None:
    match = re.fullmatch(r"(\w+[:/.])(\w+)", case.text, re.ASCII)
    if match is None:
        return None
    fix = case.fix(0, match.end(1), "", f"use {match[2]}")
    return "A tracepoint is given without its group.", (fix,)


def _field(case: Case) -> Advice:
    """A field that isn't there, or without its sign: the likeliest one that is."""
    if _REGISTER.search(case.text, case.body_at):
        return "An event probe sees no registers: it reads the event’s fields, as in $FIELD.", ()
    match = re.fullmatch(r"\$?([A-Za-z_]\w*)", case.text[slice(*case.source)], re.ASCII)
    attached = re.split("[/.]", case.log.typed[1], maxsplit=1)
    if match is None or len(attached) != 2:
        return NONE
    head = Head(False, False, False, None, 0, "", None, probe="event", attached=(attached[0], attached[1]))
    names = eprobe.fields_of(case.target, head)
    if names is None:
        return NONE
    close = get_close_matches(match[1], sorted(names), 3)
    if not close:
        return f"The event’s fields are {_listed(sorted(names))}.", ()
    fixes = tuple(case.fix(*case.source, f"${name}", f"use ${name}") for name in close)
    return "", fixes


def _listed(names: list[str]) -> str:
    """As many of them as a sentence holds."""
    shown = names[:_FIELDS]
    return ", ".join(_show(name) for name in shown) + (" …" if len(names) > len(shown) else "")


_Special = Mapping[str, Callable[["Case"], "Advice | None"]]
_FUNCTION_FIXES: Final[_Special] = {
    "BAD_VAR": _parameter,
    "BAD_FETCH_ARG": _parameter,
    "BAD_PROBE_ADDR": _symbol,
    "FAIL_REG_PROBE": _kprobe,
    "BAD_MAXACT": _drop_letters,
    "BAD_MAXACT_TYPE": _drop_letters,
}
FIXES: Final[Mapping[str, _Special]] = {
    "function": _FUNCTION_FIXES,
    "tracepoint": {**_FUNCTION_FIXES, "BAD_TP_NAME": _no_group},
    "event": {
        "BAD_VAR": _field,
        "BAD_FETCH_ARG": _field,
        "NOSUP_BTFARG": _field,
        "NO_EVENT_FIELD": _field,
        "BAD_ATTACH_ARG": _field,
    },
}
"""By Head.probe and code. None, as a result: what is said for other probes."""


def dynamic_notes(log: Log, target: Target, head: Head, words: list[str]) -> Iterator[Note]:
    """One note for each oddity that only probes on functions, tracepoints and events have."""
    if head.attached is not None and eprobe.fields_of(target, head) is None:
        yield from _unchecked(log, head, words)
    ignored, colon, _ = log.words[0][1:].partition(":")
    if ignored and not ktext.is_digit(ignored):
        before = " before the colon" if colon else ""
        yield Note(f"The kernel ignores “{_show(ignored)}”{before}.")
    symbol = head.symbol or ""
    if head.probe == "function":
        if not target.traits.fprobe_late and ktext.is_digit(symbol):
            yield Note("This kernel takes a number for a position in available_filter_functions.")
        elif any(char in symbol for char in "*?["):
            yield Note("The kernel takes this for a pattern: the probe is on every function that it matches.")
    elif head.probe == "tracepoint" and not target.count(f"__tracepoint_{symbol}"):
        yield Note("The kernel has no tracepoint of this name: the probe waits for a module that brings it.")


def _unchecked(log: Log, head: Head, words: list[str]) -> Iterator[Note]:
    """What depends on the event's fields, which nobody knows here."""
    event = _show("/".join(head.attached or ()))
    fields = dict.fromkeys(name for word in words for name in _FIELD.findall(word))
    names = [f"${_show(name)}" for name in fields if name not in ("comm", "COMM")]
    if names:
        yield Note(
            f"The fields of {event} aren’t known here: the kernel refuses {' and '.join(names)} if it has none such."
        )
    if head.arguments_end is not None and head.arguments_end < len(log.words) and log.filter is None:
        yield Note(f"The fields of {event} aren’t known here: the filter wasn’t checked.")


def _show(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
