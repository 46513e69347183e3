"""Every definition recorded on real kernels: same verdict, messages, carets and errno here."""

from __future__ import annotations

import pytest

from kptui.probes.check import check_definition
from tests.probes.kernels import KERNELS, recorded, target_of

_BOUNDARY = "needs the instructions of the function"
_FIRST_COPY = "5.10 takes the first of several copies, and that one can't be probed"

NOT_LOCAL = {
    "p:ev do_sys_openat2+0xfffff": (_BOUNDARY, KERNELS),
    "p:ev do_sys_openat2+1": (_BOUNDARY, KERNELS),
    "p:dup t_next": (_FIRST_COPY, ("5.10",)),
    "p:dup type_show+4": (_BOUNDARY, ("5.10",)),
}
"""What only the kernel itself can know: accepted here, refused there when the probe is put in place."""


@pytest.mark.parametrize("version", KERNELS)
def test_agrees_with_the_kernel(version: str) -> None:
    target = target_of(version)
    checked = 0
    for case in recorded(version):
        verdict = check_definition(case.command, target)
        got = (verdict.errno, tuple((p.message, p.column, verdict.command) for p in verdict.problems))
        reason, versions = NOT_LOCAL.get(case.command, ("", ()))
        if version in versions:
            assert verdict.ok, reason
            assert case.errno in {"EILSEQ", "EINVAL", "EPERM"}, reason
            continue
        assert got == (case.errno, case.entries), case.command
        assert verdict.ok == (case.errno is None)
        checked += 1
    assert checked >= 130


@pytest.mark.parametrize("version", KERNELS)
def test_refusals_explain_themselves(version: str) -> None:
    target = target_of(version)
    for case in recorded(version):
        verdict = check_definition(case.command, target)
        if verdict.ok:
            continue
        assert verdict.sentence or all(problem.sentence for problem in verdict.problems), case.command
        for problem in verdict.problems:
            assert 0 <= problem.at <= len(case.command)
            if problem.fix is not None:
                fixed = problem.fix.apply(case.command)
                assert fixed != case.command
                again = check_definition(fixed, target)
                assert again.problems != verdict.problems, case.command
