"""What is said of uprobes only: sentences, fixes, and what the kernel accepts although it can't have been meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from kptui.probes.abi import ARGUMENT_REGISTERS, REGISTERS, mistaken_register
from kptui.probes.check import ktext
from kptui.probes.check.case import NONE, Advice, Case, one
from kptui.probes.check.fetch import KERNEL_TYPES
from kptui.probes.check.head import DEFAULT_GROUPS, Head
from kptui.probes.check.log import Log
from kptui.probes.check.standing import standing_of
from kptui.probes.check.target import Target
from kptui.probes.check.uprobe import generated
from kptui.probes.check.wrappers import Places
from kptui.verdict import Fix, Note

SENTENCES: Final = {
    "BAD_ADDR_SUFFIX": "After the offset only %return may follow.",
    "BAD_TYPE": "Unknown type; uprobes know u8 … u64, s8 … s64, x8 … x64, char, string, ustring, bW@O/SIZE.",
    "NOSUP_BTFARG": "A uprobe knows no parameter names: read registers, as in %di for the first parameter.",
    "NOFENTRY_ARGS": "$arg is for kernel functions: read registers, as in %di for the first parameter.",
}
"""In place of what is said of other probes."""

_NAME: Final = re.compile(r"(?:[A-Za-z_]\w{0,62}/)?[A-Za-z_]\w{0,62}", re.ASCII)
_STACK: Final = re.compile(r"\$stack([0-9]+)")
_RETVAL: Final = re.compile(r"\$(retval[^):]+)")
_BAD_TYPE: Final = re.compile(r"([^:]*):(symbol|symstr|%pd|%pD)(?:\[.*)?", re.DOTALL)


def _close(case: Case) -> Advice:
    return one(case.fix(len(case.text), len(case.text), ")", "close the parenthesis"))


def _swap(case: Case) -> Advice:
    match = re.search(r"(\([^)]*\))(%return)$", case.text)
    if match is None:
        return NONE
    fix = case.fix(*match.span(), match[2] + match[1], "put %return before it")
    return one(fix, "%return stands before the reference counter.")


def _parameter(case: Case) -> Advice:
    """``$argN`` at a function's entry: the register that holds it; a register without its sign."""
    name = case.text[slice(*case.source)]
    if match := re.fullmatch(r"\$arg([1-6])", name):
        entry = case.log.typed[0].startswith("p")
        register = ARGUMENT_REGISTERS[int(match[1]) - 1] if entry else None
    else:
        register = name if name in REGISTERS else mistaken_register(name)
    if register is None:
        return NONE
    return one(case.fix(*case.source, f"%{register}", f"use %{register}"))


def _symbol_type(case: Case) -> Advice | None:
    match = _BAD_TYPE.fullmatch(case.text)
    if match is None:
        return None
    fix = case.fix(match.end(1), len(case.text), "", "drop the type")
    return one(fix, f"The type {match[2]} is for kernel probes only.")


FIXES: Final[dict[str, Callable[[Case], Advice | None]]] = {
    "REFCNT_OPEN_BRACE": _close,
    "BAD_REFCNT_SUFFIX": _swap,
    "NOFENTRY_ARGS": _parameter,
    "NOSUP_BTFARG": _parameter,
    "BAD_TYPE": _symbol_type,
}
"""None: what is said for other probes."""


def uprobe_notes(log: Log, target: Target, head: Head, words: list[str], places: Places) -> Iterator[Note]:
    """One note for each oddity that only uprobes have."""
    command = log.typed[0]
    ignored, colon, name = command[1:].partition(":")
    if ignored and colon:
        start = log.starts[0] + 1
        fix = Fix(places.char(start), places.char(start + len(ignored)), "", f"drop {_show(ignored)}")
        fixes = (fix,) if _is_free(name, target) else ()
        yield Note(
            f"The kernel sees no name here, since “{_show(ignored)}” stands before the colon: the event is called "
            f"{_show(generated(head.path, head.offset))}.",
            fixes,
        )
    elif ignored:
        end = places.char(log.starts[0] + len(command))
        fixes = (Fix(places.char(log.starts[0] + 1), end, "", f"drop {_show(ignored)}"),)
        what = (
            "a return uprobe has no number of active ones"
            if ktext.is_digit(ignored)
            else "nothing may stand there"
        )
        yield Note(f"The kernel ignores “{_show(ignored)}” after the letter: {what}.", fixes)
    for number, word in enumerate(words, 1):
        name, equal, body = word.partition("=")
        shown = _show(name if equal else f"argument {number}")
        body = body if equal else word
        for sentence in _argument(body):
            yield Note(f"{shown}: {sentence}")


def _is_free(name: str, target: Target) -> bool:
    """Whether an event could have that name: well made, and nobody's."""
    if _NAME.fullmatch(name) is None:
        return False
    group, _, event = name.rpartition("/")
    group = group or DEFAULT_GROUPS["user"]
    taken = target.event_exists is not None and target.event_exists(group, event)
    return not taken and all(old.group != group for old in standing_of(target, event))


def _argument(body: str) -> Iterator[str]:
    if body.startswith('\\"'):
        yield "in a uprobe a constant text is printed as (fault)."
    expr, _, kind = body.partition(":")
    if kind.partition("[")[0] in KERNEL_TYPES:
        yield f"{kind.partition('[')[0]} means kernel addresses: one of a program is printed as a number."
    if (match := _RETVAL.search(expr)) is not None:
        yield f"the kernel reads $retval and ignores the rest of “${_show(match[1])}”."
    if (match := _STACK.search(expr)) is not None and int(match[1]) >> 32:
        yield f"the kernel cuts the number {match[1]} to 32 bits."


def _show(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
