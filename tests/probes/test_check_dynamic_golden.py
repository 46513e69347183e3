"""Lines for dynamic_events recorded on real kernels: same verdict, messages, carets and errno here.

Each kernel's record holds its release, its README's section on probes, its message codes, what it knows of the
names used, a cut of its BTF, what stood, the formats of the events watched, and the answers.
"""

from __future__ import annotations

import errno
import json
import lzma
from collections.abc import Collection
from functools import cache
from typing import Any

import pytest

from kptui.btf import VOID, Btf, Member, Type
from kptui.events.format import parse_format
from kptui.filters.check import check_filter
from kptui.filters.features import features_from_release
from kptui.probes.check import Target, check_definition
from kptui.verdict import Verdict
from tests.probes.kernels import DATA, KERNELS


@cache
def _recorded() -> Any:
    return json.loads(lzma.decompress((DATA / "dynamic.json.xz").read_bytes()))


class _Cut(Btf):
    """Single records under the ids that they had in the kernel's BTF, and the names that were looked for."""

    def __init__(self, data: Any) -> None:
        self._cut = {
            int(number): Type(
                kind, name, ref, tuple(Member(*member) for member in members), encoding, element
            )
            for number, (kind, name, ref, members, encoding, element) in data["types"].items()
        }
        self._names = {(name, tuple(kinds)): tuple(ids) for name, kinds, ids in data["names"]}

    def type(self, number: int) -> Type | None:
        return VOID if number == 0 else self._cut.get(number)

    def find(self, name: str, *kinds: int) -> tuple[int, ...]:
        return self._names.get((name, kinds), ())


@cache
def target_of(version: str) -> Target:
    data = _recorded()[version]
    formats = {name: parse_format(text) for name, text in data["formats"].items()}
    events = {name.replace(":", "/") for name in data["events"]}

    def count(name: str, module: str | None) -> int:
        kinds = data["symbols"].get(name, [])
        return len(kinds) if module is None else sum(kind[1:] == f"[{module}]" for kind in kinds)

    def refused(name: str, module: str | None) -> str | None:
        kinds = data["symbols"].get(name, [])
        if module is not None or not kinds:
            return None
        if name in data["blacklist"]:
            return "blacklisted"
        if kinds[0][0] not in "tTwW":
            return "data"
        return None if name in data["traceable"] else "not traceable"

    def fields(group: str, event: str) -> Collection[str] | None:
        known = formats.get(f"{group}/{event}")
        return None if known is None else [field.name for field in known.fields if not field.common]

    def judge(group: str, event: str, text: str) -> Verdict | None:
        known = formats.get(f"{group}/{event}")
        if known is None:
            return None
        features = features_from_release(data["release"])
        functions = data["symbols"]
        return check_filter(text, known, features, has_function=functions.__contains__, cpus=1, in_file=False)

    return Target.from_readme(
        data["readme"],
        data["release"],
        symbol_count=count,
        is_loaded_module=lambda name: name in data["modules"],
        not_probeable=refused,
        event_exists=lambda group, event: f"{group}/{event}" in events,
        existing=tuple(data["existing"]),
        error_codes=None if data["codes"] is None else frozenset(data["codes"]),
        btf=None if data["btf"] is None else _Cut(data["btf"]),
        interface="dynamic",
        is_traceable=lambda text: data["patterns"].get(text, text in data["traceable"]),
        event_fields=fields,
        check_event_filter=judge,
    )


def _name(number: int) -> str | None:
    return None if number == 0 else {errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(number, errno.errorcode[number])


@pytest.mark.parametrize("version", KERNELS)
def test_agrees_with_the_kernel(version: str) -> None:
    target = target_of(version)
    answers = _recorded()[version]["answers"]
    for text, number, entries, command in answers:
        verdict = check_definition(text, target)
        assert verdict.errno == _name(number), text
        assert verdict.command == command, text
        theirs = [tuple(entry) if len(entry) == 3 else (*entry, command) for entry in entries]
        assert [(p.message, p.column, verdict.command) for p in verdict.problems] == theirs, text
    assert len(answers) >= 600


@pytest.mark.parametrize("version", KERNELS)
def test_refusals_explain_themselves(version: str) -> None:
    target = target_of(version)
    for text, *_ in _recorded()[version]["answers"]:
        verdict = check_definition(text, target)
        if verdict.ok:
            continue
        assert verdict.sentence or (
            verdict.problems and all(problem.sentence for problem in verdict.problems)
        ), text
        for problem in verdict.problems:
            assert 0 <= problem.at <= len(text)
            for fix in problem.fixes:
                fixed = fix.apply(text)
                assert fixed != text
                assert check_definition(fixed, target).problems != verdict.problems, (text, fixed)
