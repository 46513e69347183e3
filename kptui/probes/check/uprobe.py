"""Words 0 and 1 of a uprobe, and its registration (kernel/trace/trace_uprobe.c)."""

from __future__ import annotations

import re
from typing import Final

from kptui.probes.check import ktext
from kptui.probes.check.fetch import Parsed
from kptui.probes.check.head import DEFAULT_GROUPS, MAX_NAME, Head, NotMine, event_name, limit_count
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.standing import Standing, same_name, standing_of
from kptui.probes.check.target import File, Target

_BASE_END: Final = re.compile("[.-]|_")
_LISTED: Final = re.compile(r"(.*):0x([0-9a-f]+)(?:\(0x([0-9a-f]+)\))?", re.DOTALL)


def read_head(log: Log, target: Target) -> Head:
    """``p[:EVENT] PATH:OFFSET[%return][(COUNTER)]`` (__trace_uprobe_create)."""
    if len(log.words) < 2:
        raise NotMine("A definition needs a place after the command, as in “p /bin/sh:0x1234”.")
    command, word = log.words[:2]
    limit_count(log, target, log.words[2:])
    path, colon, place = word.rpartition(":")
    if "/" not in word or not colon or not ktext.is_digit(place):
        raise NotMine("A uprobe’s place is PATH:OFFSET: a path with a slash, a colon, a number.")
    log.probe = "user"
    log.index = 1
    _look_up(log, target, path)
    place, counter = _counter(log, place, len(path) + 1)
    place, percent, suffix = place.partition("%")
    if percent and suffix != "return":
        raise log.refuse(len(path) + 1 + len(place), "BAD_ADDR_SUFFIX")
    offset = _number(log, place, len(path) + 1, "BAD_UPROBE_OFFS")
    log.index = 0
    group, event = DEFAULT_GROUPS["user"], None
    if command[1:2] == ":":  # anything else between the letter and a colon makes the kernel overlook the name
        group, event = event_name(log, target, command[2:], 2)
    if event is None:
        event = generated(path, offset)
    returns = command[0] == "r" or bool(percent)
    return Head(returns, returns, False, None, offset, group, event, None, "user", path, counter)


def split_place(word: str) -> tuple[str, int] | None:
    """Path and offset of ``PATH:OFFSET``, whatever follows; None for what is none."""
    path, _, place = word.rpartition(":")
    try:
        return path, ktext.kstrtoul(re.split("[%(]", place)[0])
    except ktext.NumberError:
        return None


def generated(path: str, offset: int) -> str:
    """The name of a uprobe that was given none: ``p_`` for return probes too."""
    base = path.rpartition("/")[2]
    return f"p_{_BASE_END.split(base, maxsplit=1)[0]}_0x{offset:x}"[: MAX_NAME - 1]


def _find(target: Target, path: str) -> File | str:
    found = None
    if target.find_file is not None:
        found = target.find_file(path.encode("latin-1").decode("utf-8", "surrogateescape"))
    return File() if found is None else found


def _look_up(log: Log, target: Target, path: str) -> None:
    found = _find(target, path)
    if isinstance(found, str):
        raise log.refuse(0, "FILE_NOT_FOUND", found)
    if not found.regular:
        raise log.refuse(0, "NO_REGULAR_FILE")


def _number(log: Log, text: str, at: int, code: str) -> int:
    try:
        return ktext.kstrtoul(text)
    except ktext.NumberError as error:
        raise log.refuse(at, code, error.errno) from None


def _counter(log: Log, place: str, at: int) -> tuple[str, int]:
    """The place without its reference counter, and that; ``at``: where in the word the place begins."""
    before, brace, rest = place.partition("(")
    if not brace:
        return place, 0
    number, close, after = rest.partition(")")
    if not close:
        raise log.refuse(at + len(place), "REFCNT_OPEN_BRACE")
    if after:
        raise log.refuse(at + len(place) - len(after), "BAD_REFCNT_SUFFIX")
    return before, _number(log, number, at + len(before) + 1, "BAD_REFCNT")


def _listed(standing: Standing) -> tuple[str, int, int] | None:
    """Path, offset and reference counter of a listed uprobe."""
    match = _LISTED.fullmatch(standing.place)
    return (match[1], int(match[2], 16), int(match[3] or "0", 16)) if match else None


def _same_file(target: Target, one: str, other: str) -> bool:
    if one == other:
        return True
    found, known = _find(target, one), _find(target, other)
    return (
        isinstance(found, File)
        and isinstance(known, File)
        and found.identity is not None
        and found.identity == known.identity
    )


def _same_place(target: Target, head: Head, old: Standing) -> bool:
    listed = _listed(old)
    return listed is not None and listed[1] == head.offset and _same_file(target, listed[0], head.path)


def register(log: Log, target: Target, head: Head, args: list[Parsed]) -> None:
    """One file offset has one reference counter; then the rules for events of the same name."""
    for old in standing_of(target):
        if old.probe != "user" or not _same_place(target, head, old):
            continue
        listed = _listed(old)
        if listed is not None and listed[2] != head.counter:
            raise Refused("EINVAL", f"{old.name} probes this place with another reference counter.")
    same_name(log, target, head, args, _same_place)
