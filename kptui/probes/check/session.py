"""Definitions judged one after the other, each with what the lines before it did: an accepted definition then
stands, as the kernel would list it, and a removal takes away what it names.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kptui.probes.check import kinds, synth
from kptui.probes.check.head import Head
from kptui.probes.check.ktext import split_words
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.remove import is_removal, removed
from kptui.probes.check.run import check_definition, parse_arguments
from kptui.probes.check.standing import Listing
from kptui.probes.check.target import Target
from kptui.verdict import Verdict

_LISTED = re.compile(
    r"(?:[prfte]\d*:[^/\s]+/\S+ [^\s+]+(?:\+[1-9]\d*)?(?: [^\s=]+=\S+)*|s:\S+(?:\s.*)?|e\d*:[^/\s]+/\S+ \S+.*)"
)
_MAXACTIVE = "10"  # what a kretprobe without a number is listed with on a machine of up to five CPUs


class CheckSession:
    """``target.existing`` stands at the beginning; nothing is enabled on the way."""

    def __init__(self, target: Target) -> None:
        self._listing = Listing(target.existing)
        self._target = replace(target, existing=self._listing)

    @property
    def standing(self) -> tuple[str, ...]:
        """What stands now, as the kernel would list it."""
        return tuple(self._listing)

    def check(self, line: str) -> Verdict:
        """The verdict on one line (with or without its newline), which is then done if it is accepted."""
        verdict = check_definition(line, self._target)
        if verdict.ok:
            text = _raw(line)
            words = [word for _, word in split_words(text)]
            if words and is_removal(words[0], self._target):
                self._listing.discard(removed(words, self._target))
            elif words and (listed := listed_form(line, self._target)) is not None:
                self._listing.add(listed)
        return verdict


def as_listed(line: str, target: Target) -> str | None:
    """A definition that stands, as the kernel lists it, from that or from how it was written; None if it is none."""
    text = line.rstrip("\n")
    return text if _LISTED.fullmatch(text) else listed_form(text, replace(target, existing=()))


def _raw(line: str) -> str:
    data = line.encode("utf-8", "surrogateescape")
    return data.decode("latin-1").partition("\n")[0].partition("#")[0]


def listed_form(line: str, target: Target) -> str | None:
    """How the kernel would list an accepted definition: its name and those of its arguments made up where they
    were left out, numbers as it prints them.

    None for a line that defines nothing, that is refused before it is registered, or whose made-up name can't be
    known (a raw address, which is listed as a hash).
    """
    log = Log(_raw(line), target.traits)
    if not log.words or is_removal(log.words[0], target):
        return None
    try:
        head = kinds.read_head(log, target)
        if log.probe == "synthetic":
            return _text(synth.listed_form(log, target))
        if head is None or head.event is None:
            return None
        _, parsed = parse_arguments(log, target, head)
    except Refused:
        return None
    command = f"{_letter(head, log.words[0])}:{head.group}/{head.event}"
    words = [command, _place(head, log.words[1]), *(f"{arg.name}={arg.body}" for arg in parsed)]
    return _text(" ".join(words))


def _text(listed: str) -> str:
    return listed.encode("latin-1").decode("utf-8", "surrogateescape")


def _letter(head: Head, command: str) -> str:
    if head.probe not in {"kernel", "user"}:
        return command[0]
    if not head.returns:
        return "p"
    number = command[1:].partition(":")[0]
    return "r" if head.probe == "user" else f"r{number if number.isdecimal() else _MAXACTIVE}"


def _place(head: Head, word: str) -> str:
    if head.probe == "kernel":
        if head.symbol is None:
            return "0x0"  # listed as a hash
        return f"{head.symbol}+{head.offset}" if head.offset else head.symbol
    if head.probe == "user":
        return f"{head.path}:0x{head.offset:016x}" + (f"(0x{head.counter:x})" if head.counter else "")
    if head.attached is not None:
        return ".".join(head.attached)
    return f"{head.symbol}%return" if head.returns else head.symbol or word
