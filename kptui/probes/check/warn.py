"""What the kernel accepts although it can't have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kptui.probes.check import ktext
from kptui.probes.check.dynamic_advice import dynamic_notes
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log
from kptui.probes.check.othertext import other_text_notes
from kptui.probes.check.place import waits_for_module
from kptui.probes.check.standing import joins
from kptui.probes.check.target import Target
from kptui.probes.check.uprobe_advice import uprobe_notes
from kptui.probes.check.wrappers import Places, wrapper_notes
from kptui.verdict import Fix, Note

_OFFSET: Final = re.compile(r"([+-])u?\+?(-?[0-9][0-9a-zA-Z]{9,})\(")  # from 2**31 on
_RESERVED_EVENTS: Final = {"enable", "filter"}
_GENERIC_FIELDS: Final = {"cpu", "comm", "common_cpu", "stacktrace", "COMM", "CPU"}
_SAME: Final = {("comm", "$comm"), ("COMM", "$COMM")}  # what hides the field has its value


def notes_for(log: Log, target: Target, head: Head, words: list[str], places: Places) -> tuple[Note, ...]:
    """One note for each oddity of a definition that the kernel would accept."""
    out: list[Note] = []

    def say(sentence: str, *fixes: Fix) -> None:
        out.append(Note(sentence, fixes))

    command = log.words[0]
    prefix = command[1:].partition(":")[0]
    if prefix and not ktext.is_digit(prefix) and head.probe == "kernel":
        say(f"The kernel ignores “{_show(prefix)}” between the command and the colon.")
    if head.probe == "kernel" and waits_for_module(target, head.symbol):
        say(f"Module {_show(head.module or '')} isn’t loaded: the probe waits until it is.")
    if head.event in _RESERVED_EVENTS:
        say(f"An event named “{head.event}” hides the group’s own file of that name.")
    if head.address is not None:
        say("A raw address is listed as a hash: this definition can’t be written back from the list.")
    if target.traits.count == "cut" and len(log.words[2 : head.arguments_end]) > len(words):
        say("This kernel silently drops every argument after the 128th.")
    for number, word in enumerate(words, 1):
        for sentence in _argument(word, number):
            say(sentence)
    out.extend(other_text_notes(log, target, head, places))
    if head.probe == "kernel":
        out[:0] = wrapper_notes(
            log, target, head, places
        )  # what reads the wrong thing altogether comes first
    elif head.probe != "user":
        out.extend(dynamic_notes(log, target, head, words))
    else:
        out.extend(uprobe_notes(log, target, head, words, places))
    if joins(target, head):  # another probe of its event, which must have the same arguments as the others
        return tuple(Note(note.sentence) for note in out)
    return tuple(out)


def _argument(word: str, number: int) -> Iterator[str]:
    name, equal, body = word.partition("=")
    if not equal:
        name, body = "", word
    shown = _show(name or f"argument {number}")
    expr = body.partition(":")[0]
    if expr[:1] in {"+", "-"}:
        junk = expr[expr.rfind(")") + 1 :]
        if junk:
            yield f"{shown}: the kernel ignores “{_show(junk)}” after the last parenthesis."
        for match in _OFFSET.finditer(expr):
            try:
                offset = ktext.kstrtol(match[2])
            except ktext.NumberError:
                continue
            if not -(1 << 31) <= offset < 1 << 31:
                yield f"{shown}: the kernel cuts the offset {_show(match[2])} to 32 bits."
    if name in _GENERIC_FIELDS and (name, body) not in _SAME:
        yield f"{shown}: this name hides the filter field of the same name."


def _show(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
