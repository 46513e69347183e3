"""Uprobe definitions recorded on real kernels: same verdict, messages, carets and errno here.

Each kernel's record holds its release, its README's section on probes, its message codes, what the paths led to,
what stood, and the answers.
"""

from __future__ import annotations

import errno
import json
import lzma
from functools import cache
from typing import Any

import pytest

from kptui.probes.check import Target, check_definition
from kptui.probes.check.target import File
from tests.probes.kernels import DATA

KERNELS = ("5.10", "6.1", "6.12", "6.18", "6.18.44", "7.3")


@cache
def _recorded() -> Any:
    return json.loads(lzma.decompress((DATA / "uprobes.json.xz").read_bytes()))


def _name(number: int) -> str | None:
    return None if number == 0 else {errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(number, errno.errorcode[number])


def _target(data: Any) -> Target:
    def find(path: str) -> File | str | None:
        found = data["files"][path]
        return _name(found) if isinstance(found, int) else File(*found)

    return Target.from_readme(
        data["readme"],
        data["release"],
        existing=tuple(data["existing"]),
        event_exists=lambda group, event: f"{group}/{event}" in data["events"],
        error_codes=frozenset(data["codes"]) or None,
        interface="uprobe",
        find_file=find,
    )


def _lost(data: Any, command: str, entries: list[Any]) -> bool:
    """Before 5.18 error_log has no room for heading and command above 256 bytes, and no caret after them."""
    return data["release"].startswith("5.10") and len(command.encode()) > 242 and not entries


@pytest.mark.parametrize("version", KERNELS)
def test_agrees_with_the_kernel(version: str) -> None:
    data = _recorded()[version]
    target = _target(data)
    for text, number, entries in data["answers"]:
        verdict = check_definition(text, target)
        ours = [[p.message, p.column, verdict.command] for p in verdict.problems]
        assert verdict.errno == _name(number), text
        assert ours == entries or _lost(data, verdict.command, entries), text
    assert len(data["answers"]) > 200


@pytest.mark.parametrize("version", KERNELS)
def test_refusals_explain_themselves_and_fixes_mend(version: str) -> None:
    data = _recorded()[version]
    target = _target(data)
    for text, _, _ in data["answers"]:
        verdict = check_definition(text, target)
        if verdict.ok:
            continue
        assert verdict.sentence or all(problem.sentence for problem in verdict.problems), text
        for problem in verdict.problems:
            assert 0 <= problem.at <= len(text)
            for fix in problem.fixes:
                fixed = fix.apply(text)
                assert fixed != text
                assert check_definition(fixed, target).problems != verdict.problems, (text, fixed)
