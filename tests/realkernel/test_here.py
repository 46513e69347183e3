"""This machine's own kernel, where it lets us: its answers to uprobes and filters, compared with ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.tracefs
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.skipif(
    not Path("/sys/kernel/tracing/uprobe_events").exists(), reason="no tracefs with uprobes is mounted"
)
def test_this_kernel_says_the_same() -> None:
    sizes = ["--definitions", "600", "--filters", "1000", "--seed", "1"]
    words = ["--here", "--interface", "uprobe", "uprobe-dynamic", *sizes]
    told = subprocess.run(
        [sys.executable, "-m", "tests.realkernel.agreement", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
        cwd=PROJECT,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "uprobe: 600 of 600 agree" in told.stdout
    assert "filters: 1000 of 1000 agree" in told.stdout
    assert "uprobe-dynamic: 600 of 600 agree" in told.stdout
