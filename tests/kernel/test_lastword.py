"""When the kernel's answer is a mistake of kptui's, and when it is not."""

from __future__ import annotations

import pytest

from kptui.kernel.lastword import disagreement, unknown_to
from kptui.kernel.refusal import Refused
from kptui.probes.check import Target
from kptui.verdict import Problem, Verdict

YES = Verdict(True, "p x")
NAME = "Invalid register name"


def no(*messages: str, errno: str = "EINVAL", column: int = 2) -> Verdict:
    return Verdict(False, "p x", tuple(Problem(message, column, 0) for message in messages), errno)


def kernel(*messages: str, errno: str = "EINVAL", column: int = 2) -> Refused:
    return Refused("no", errno_name=errno, problems=no(*messages, column=column).problems)


@pytest.mark.parametrize(
    ("expected", "refused", "said"),
    [
        (YES, None, ""),
        (no(NAME), kernel(NAME), ""),
        (no("one", "two"), kernel("one", "two"), ""),
        (YES, kernel(NAME), "it to be accepted"),
        (YES, kernel(errno="E2BIG"), "it to be accepted"),
        (no(NAME), None, f"“{NAME}” (EINVAL)"),
        (no(errno="E2BIG"), None, "it to be refused without a message (E2BIG)"),
        (no(NAME), kernel("Unknown type is specified"), f"“{NAME}” (EINVAL)"),
        (no("one", "two"), kernel("one"), "“one” and “two” (EINVAL)"),
        (no(NAME), kernel(NAME, column=5), "the caret at byte 2, not 5"),
        (no(NAME), kernel(NAME, errno="ENOENT"), "EINVAL, not ENOENT"),
        # only the kernel knows
        (YES, kernel("Probe point is not an instruction boundary", errno="EILSEQ"), ""),
        (YES, kernel("Failed to register probe event"), ""),
        (YES, kernel(errno="ENOMEM"), ""),
        (YES, kernel(errno="EPERM"), ""),
        # kptui's own refusal, without asking
        (YES, kernel(errno=""), ""),
        (no(NAME), kernel(errno=""), ""),
    ],
)
def test_differences(expected: Verdict, refused: Refused | None, said: str) -> None:
    assert disagreement(expected, refused, unknown=unknown_to(Target())) == said


def test_a_kernel_without_an_error_log_says_no_message() -> None:
    assert disagreement(no(NAME), kernel(), logged=False) == ""
    assert disagreement(no(NAME), kernel(), logged=True) == f"“{NAME}” (EINVAL)"


def test_what_was_not_known_is_no_mistake() -> None:
    blind = unknown_to(Target())
    seeing = unknown_to(Target(symbol_count=lambda name, module: 1, event_exists=lambda group, event: False))
    for message in (
        "The symbol is not unique",
        "Invalid probed address or symbol",
        "Given group/event name is already used by another event",
    ):
        assert disagreement(YES, kernel(message), unknown=blind) == ""
        assert disagreement(YES, kernel(message), unknown=seeing) == "it to be accepted"
    assert disagreement(YES, kernel("This variable is not found at this probe point"), unknown=seeing) == ""
