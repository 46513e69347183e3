"""Every filter that was written to real kernels from 5.10 to 7.3, with their answers."""

from __future__ import annotations

import errno
import json
import re
from typing import TypedDict

import pytest

from kptui.filters.check import check_filter, filter_file
from kptui.filters.features import features_from_release
from tests.filters.support import DATA, FLT


class Answer(TypedDict):
    filter: str
    kernels: list[str]
    errno: int
    file: str
    error_log: str


ANSWERS: list[Answer] = json.loads((DATA / "filters.json").read_text())
CASES = [(kernel, answer) for answer in ANSWERS for kernel in answer["kernels"]]


def logged(answer: Answer) -> list[tuple[str, int]]:
    """Message and caret column of the log entry, if there is one."""
    text = answer["error_log"]
    if not text:
        return []
    message = re.match(r"event filter parse error: error: (.*)\n", text)
    assert message is not None
    caret = text.rstrip("\n").rsplit("\n", 1)[1]
    return [(message[1], caret.index("^") - len("  Command: "))]


def test_the_answers_are_worth_comparing_with() -> None:
    assert len(CASES) == 75 * 5
    assert len({message for _, a in CASES for message, _ in logged(a)}) >= 11


@pytest.mark.parametrize(
    ("kernel", "answer"), CASES, ids=[f"{kernel}-{a['filter'][:30]}" for kernel, a in CASES]
)
def test_the_verdict_is_the_kernel_s(kernel: str, answer: Answer) -> None:
    text = answer["filter"]
    verdict = check_filter(text, FLT, features_from_release(kernel))
    if text == "dfd == 1 &&" and kernel != "7.3":
        # Accepted there, the tail ignored: a kernel without the fix. Refused here for every kernel.
        assert answer["errno"] == 0
        assert [p.message for p in verdict.problems] == ["Meaningless filter expression"]
        return
    assert verdict.ok == (answer["errno"] == 0)
    assert verdict.errno == (errno.errorcode[answer["errno"]] if answer["errno"] else None)
    assert [(p.message, p.column) for p in verdict.problems] == logged(answer)
    if verdict.ok or verdict.problems:
        assert filter_file(verdict) == answer["file"]
    if verdict.problems and len(text) < 100:
        problem = verdict.problems[0]
        assert problem.sentence
        assert 0 <= problem.at <= len(text)
