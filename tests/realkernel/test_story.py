"""Real kernels: the program driven by keystrokes in a terminal, its rooms against the kernel's own word."""

from __future__ import annotations

import pytest

from tests.realkernel.suite import WHOLE, Job, Suite, jobs, kernel_names

CASES = [
    pytest.param(kernel, job, step, id=f"{kernel}-{job.name}-{step}")
    for kernel in kernel_names()
    for job in jobs(kernel)
    for step in (*job.steps, WHOLE)
]


# The first test waits for the boots; the guest bounds its jobs itself.
@pytest.mark.realkernel
@pytest.mark.timeout(2200)
@pytest.mark.parametrize(("kernel", "job", "step"), CASES)
def test_in_a_real_kernel(suite: Suite, kernel: str, job: Job, step: str) -> None:
    result = suite.result(kernel, job, step)
    if not result.ok:
        lines = [line[:240] for line in f"{result.detail}\n{result.screen}".splitlines()]
        pytest.fail("\n".join(lines[-150:]), pytrace=False)
