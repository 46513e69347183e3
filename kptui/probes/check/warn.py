"""What the kernel accepts although it can't have been meant."""

from __future__ import annotations

import re
from typing import Final

from kptui.probes.abi import wrapper_abi
from kptui.probes.check import ktext
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log
from kptui.probes.check.place import waits_for_module
from kptui.probes.check.target import Target

_OFFSET: Final = re.compile(r"([+-])u?\+?(-?[0-9][0-9a-zA-Z]{9,})\(")  # from 2**31 on
_DIRECT: Final = re.compile(r"[+-]u?(?:0x0+|0+)\(%([a-z0-9]+)\):u?string")
_RESERVED_EVENTS: Final = {"enable", "filter"}
_GENERIC_FIELDS: Final = {"cpu", "comm", "common_cpu", "stacktrace", "COMM", "CPU"}


def warnings_for(log: Log, target: Target, head: Head, words: list[str]) -> tuple[str, ...]:
    """One sentence for each oddity of a definition that the kernel would accept."""
    out: list[str] = []
    command = log.words[0]
    prefix = command[1:].partition(":")[0]
    if prefix and not ktext.is_digit(prefix):
        out.append(f"The kernel ignores “{_show(prefix)}” between the command and the colon.")
    if head.probe == "kernel" and waits_for_module(target, head.symbol):
        out.append(f"Module {_show(head.module or '')} isn’t loaded: the probe waits until it is.")
    if head.event in _RESERVED_EVENTS:
        out.append(f"An event named “{head.event}” hides the group’s own file of that name.")
    if head.address is not None:
        out.append("A raw address is listed as a hash: this definition can’t be written back from the list.")
    if target.traits.count == "cut" and len(log.words) - 2 > len(words):
        out.append("This kernel silently drops every argument after the 128th.")
    for number, word in enumerate(words, 1):
        out.extend(_argument(head, word, number))
    return tuple(out)


def _argument(head: Head, word: str, number: int) -> list[str]:
    name, equal, body = word.partition("=")
    if not equal:
        name, body = "", word
    out = []
    shown = _show(name or f"argument {number}")
    expr = body.partition(":")[0]
    if expr[:1] in {"+", "-"}:
        junk = expr[expr.rfind(")") + 1 :]
        if junk:
            out.append(f"{shown}: the kernel ignores “{_show(junk)}” after the last parenthesis.")
        for match in _OFFSET.finditer(expr):
            try:
                offset = ktext.kstrtol(match[2])
            except ktext.NumberError:
                continue
            if not -(1 << 31) <= offset < 1 << 31:
                out.append(f"{shown}: the kernel cuts the offset {_show(match[2])} to 32 bits.")
    if name in _GENERIC_FIELDS:
        out.append(f"{shown}: this name hides the filter field of the same name.")
    direct = _DIRECT.fullmatch(body)
    symbol = (head.symbol or "").rpartition(":")[2]
    if direct and head.offset == 0 and not head.returns and wrapper_abi(symbol) is not None:
        where = (
            "%di points to the saved user registers"
            if direct[1] == "di"
            else f"%{direct[1]} holds nothing useful"
        )
        out.append(
            f"{shown}: in {_show(symbol)} {where}, not to the string: read the argument through %di, e.g. "
            "+0(+112(%di)):ustring for the first one."
        )
    return out


def _show(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
