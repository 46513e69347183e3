"""Judges definitions that a kernel answered, and counts where the two agree."""

from __future__ import annotations

import errno
import json
import time
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kptui.btf import Btf
from kptui.events.format import parse_format
from kptui.filters import check_filter, features_from_btf_names
from kptui.probes.check import Target, check_definition
from kptui.probes.check.log import MESSAGES
from kptui.probes.check.place import waits_for_module
from kptui.probes.check.target import NOWHERE, File, Landing
from kptui.probes.check.traits import release_numbers
from kptui.verdict import Verdict
from tests.realkernel.agree import Agreement, cut_entry
from tests.realkernel.interfaces import INTERFACES

Said = tuple[str | None, list[tuple[str, int, str]]]
"""An errno's name (None: accepted) and message, column and command of each entry."""


@dataclass(frozen=True, slots=True)
class Case:
    """One definition: what we say, what the kernel said, and where its place leads (None: nowhere known)."""

    text: str
    verdict: Verdict
    theirs: Said
    place: dict[str, Any] | None
    data: dict[str, Any]

    @property
    def ours(self) -> Said:
        problems = self.verdict.problems
        entries = [
            (p.message, p.column, p.command if p.command is not None else self.verdict.command)
            for p in problems
        ]
        if release_numbers(self.data["release"]) < (5, 18, 0):
            entries = [cut_entry(*entry) for entry in entries]
        return self.verdict.errno, entries


def _boundary(case: Case) -> bool:
    """Inside a function: whether an instruction begins there, only a disassembler could tell."""
    inside = case.place is not None and not case.place["entry"]
    messages = [message for message, *_ in case.theirs[1]]
    return (
        inside
        and case.verdict.ok
        and case.theirs[0] == "EILSEQ"
        and messages == ["Probe point is not an instruction boundary"]
    )


AFTER_MEMBERS = {
    "This type does not fit for string.", "Invalid bitfield", "String accepts only memory argument",
    "Symbol String doesn't accept data/userdata", "Event too big (too many fields?)",
    "Dereference is too much nested",
}  # fmt: skip


def _copies(case: Case) -> bool:
    """One of several functions of a name, some of which ftrace knows: before 6.5 no file tells which."""
    ambiguous = case.place is not None and bool(case.place["function"]) and case.place["traced"] is None
    messages = [message for message, *_ in case.theirs[1]]
    return (
        ambiguous
        and case.verdict.ok
        and case.theirs[0] == "EINVAL"
        and messages == ["Failed to register probe event"]
    )


def _pointer(case: Case) -> bool:
    """A caret at the low bits of an address. Up to 6.18 the walk through members subtracts, after the last one, a
    pointer from NULL (parse_btf_field, ``ctx->offset += next - fieldname``), so that whatever is found after it is
    marked anywhere; everything else is the same.
    """
    (errno_ours, ours), (errno_theirs, theirs) = case.ours, case.theirs
    if not ours or errno_ours != errno_theirs or len(ours) != len(theirs) or ours[:-1] != theirs[:-1]:
        return False
    (message, column, command), (other, at, shown) = ours[-1], theirs[-1]
    after = message in AFTER_MEMBERS and release_numbers(case.data["release"]) < (7, 0, 0)
    return after and (message, command) == (other, shown) and column != at > len(command) + 1


RULES: dict[str, Callable[[Case], bool]] = {
    "no instruction begins at that offset": _boundary,
    "which of several copies ftrace knows": _copies,
    "the caret after members is the rest of an address": _pointer,
}
"""What only the kernel can know or show, each as an exact rule."""


def _module(kind: str) -> str:
    return kind[2:-1]


def target_from(data: dict[str, Any], btf: bytes | None) -> Target:
    """The kernel that gave the answers."""
    symbols: dict[str, list[str]] = data["symbols"]
    modules = set(data["modules"])
    events = {name.replace(":", "/") for name in data["events"]}
    traceable, blacklist = set(data["traceable"]), set(data["blacklist"])
    places: dict[str, Any] = data["places"]

    def count(name: str, module: str | None) -> int:
        kinds = symbols.get(name, [])
        if module is None:
            return len(kinds)
        return sum(_module(kind) == module for kind in kinds)

    def refused(name: str, module: str | None) -> str | None:
        place = places.get(name)
        if place is not None and place["function"]:  # as landing() calls it: a name may be that of several
            if not place["text"]:
                return "not in the kernel's text"
            if place["blacklisted"]:
                return "blacklisted"
            return "not traceable" if place["traced"] is False else None
        kinds = [kind for kind in symbols.get(name, []) if module is None or _module(kind) == module]
        if not kinds:
            return None
        if name in blacklist:
            return "blacklisted"
        if kinds[0][0] not in "tTwW":
            return "data"
        return None if name in traceable else "not traceable"

    def landing(symbol: str | None, offset: int) -> Landing | None:
        key = str(offset) if symbol is None else f"{symbol}+{offset}"
        place = places.get(key)
        if place is None:
            return None
        if not place["function"]:
            return NOWHERE
        return Landing(key, 0 if place["entry"] else place["offset"])

    types = None if btf is None else Btf.parse(btf)

    def find_file(path: str) -> File | str | None:
        known = data["files"].get(path)
        return known if known is None or isinstance(known, str) else File(known[0], tuple(known[1]))

    others = [
        Btf.parse(zlib.decompress(b64decode(blob)), types) for blob in data["module_types"].values() if types
    ]

    def module_types(function: str) -> Btf | None:
        return next((found for found in others if found.prototype(function) is not None), None)

    formats = {name: parse_format(text) for name, text in data["formats"].items()}

    def fields(group: str, event: str) -> Iterable[str] | None:
        known = formats.get(f"{group}/{event}")
        return None if known is None else [field.name for field in known.fields if not field.common]

    def judge(group: str, event: str, text: str) -> Verdict | None:
        known = formats.get(f"{group}/{event}")
        if known is None:
            return None
        return check_filter(
            text, known, language, has_function=symbols.__contains__, cpus=data["cpus"], in_file=False
        )

    names = frozenset() if types is None else frozenset(types.enumerators("FILT_ERR_"))
    language = features_from_btf_names(names, data["release"])
    codes = None
    if types is not None:
        codes = frozenset(name.removeprefix("TP_ERR_") for name in types.enumerators("TP_ERR_"))
    target = Target.from_readme(
        data["readme"],
        data["release"],
        symbol_count=count,
        is_loaded_module=lambda name: name in modules,
        not_probeable=refused,
        landing=landing,
        event_exists=lambda group, event: f"{group}/{event}" in events,
        existing=tuple(data["existing"]),
        error_codes=codes,
        btf=types,
        interface=INTERFACES[data["interface"]].judged,
        find_file=find_file,
        is_traceable=lambda text: data["patterns"].get(text, text in traceable),
        event_fields=fields,
        check_event_filter=judge,
        module_btf=module_types,
    )
    lacking = frozenset() if data["event_probes"] else frozenset({"eprobe"})
    return replace(target, features=target.features - lacking)


def _name(number: int) -> str | None:
    return None if not number else {errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(number, errno.errorcode[number])


def _messages(target: Target) -> frozenset[str]:
    """The texts of the kernel's own codes; all that the package knows where the kernel doesn't tell."""
    codes = target.error_codes or frozenset(MESSAGES)
    return frozenset(target.traits.says(code) or MESSAGES.get(code, code) for code in codes)


def compared(path: Path) -> Agreement:
    """How far one file of answers agrees with the checker."""
    data = json.loads(path.read_text())
    saved = path.with_suffix(".btf")
    target = target_from(data, zlib.decompress(saved.read_bytes()) if saved.exists() else None)
    found = Agreement(data["release"], data["interface"], str(data["seed"]), known=_messages(target))
    for answer in data["answers"]:
        start = time.perf_counter()
        verdict = check_definition(answer["text"], target)
        found.spent.append(time.perf_counter() - start)
        theirs: Said = (_name(answer["errno"]), [tuple(entry) for entry in answer["entries"]])
        case = Case(answer["text"], verdict, theirs, _place(answer["text"], target, data), data)
        found.total += 1
        found.accepted += theirs[0] is None
        found.messages.update(message for message, *_ in theirs[1])
        if not theirs[1]:
            found.messages[theirs[0] or "accepted"] += 1
        if case.ours == theirs:
            found.agreed += 1
        elif rule := next((name for name, holds in RULES.items() if holds(case)), None):
            found.explained[rule] += 1
        else:
            mine = "; ".join(message for message, *_ in case.ours[1]) or "no entry"
            other = "; ".join(message for message, *_ in theirs[1]) or "no entry"
            key = f"{case.ours[0]} {mine}  <>  {theirs[0]} {other}"
            found.classes[key].append(f"{answer['text']!r}\n      ours {case.ours}\n      real {theirs}")
    return found


def _place(text: str, target: Target, data: dict[str, Any]) -> dict[str, Any] | None:
    """Where the second word leads, as the guest's kallsyms had it."""
    words = text.partition("#")[0].split()
    place = words[1].partition("%")[0] if len(words) > 1 else ""
    if waits_for_module(target, place):
        return None
    found: dict[str, Any] | None = data["places"].get(_key(place))
    return found


def _key(place: str) -> str:
    symbol, plus, offset = place.partition("+")
    try:
        number = int(offset, 8 if offset[:1] == "0" and offset.isdigit() else 0) if plus else 0
    except ValueError:
        return ""
    try:
        return str(int(symbol, 0))
    except ValueError:
        return f"{symbol}+{number}"
