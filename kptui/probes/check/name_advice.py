"""Names that are taken, badly made or too long: the nearest that would do."""

from __future__ import annotations

import re
from collections.abc import Callable

from kptui.probes.check import uprobe
from kptui.probes.check.case import Advice, Case, one
from kptui.probes.check.head import DEFAULT_GROUPS, sanitised
from kptui.probes.check.standing import standing_of
from kptui.verdict import Fix


def free_argument(case: Case) -> Advice:
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
    return one(case.fix(0, end, text, f"call it {fresh}"))


def _free(name: str, most: int, taken: Callable[[str], object]) -> str | None:
    """``name2``, ``name3`` …, or ``name1_2`` where a digit ends it; None where a thousand of them are taken."""
    joint = "_" if name[-1:].isdigit() else ""
    endings = (f"{joint}{number}" for number in range(2, 1002))
    names = (name[: most - len(ending)] + ending for ending in endings)
    return next((fresh for fresh in names if not taken(fresh)), None)


def free_event(case: Case) -> Advice:
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
    return one(case.fix(start, len(command), fresh if colon else f":{fresh}", f"call it {fresh}", word=0))


def name(case: Case) -> Advice:
    end = case.text.find("=")
    return ("", ()) if end < 0 else one(_clean(case, 0, end))


def event_name(case: Case) -> Advice:
    return one(_clean(case, case.column, len(case.text)))


def group_name(case: Case) -> Advice:
    end = case.text.find("/", case.column)
    return one(_clean(case, case.column, end if end >= 0 else len(case.text)))


def _clean(case: Case, start: int, end: int) -> Fix | None:
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", case.text[start:end])
    clean = f"_{clean}" if clean[:1].isdigit() else clean
    return case.fix(start, end, clean, f"use {clean}") if clean.strip("_") else None


def shorten(limit: int) -> Callable[[Case], Advice]:
    def advice(case: Case) -> Advice:
        end = len(case.text)
        return one(case.fix(case.column + limit, end, "", f"cut to {limit} bytes"))

    return advice
