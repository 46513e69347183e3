"""This machine's own kernel, where it lets us: filters on disabled events of an instance of our own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.realkernel import filters

TRACEFS = Path("/sys/kernel/tracing")


@pytest.mark.tracefs
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.skipif(not (TRACEFS / "uprobe_events").exists(), reason="no tracefs with uprobes is mounted")
def test_this_kernel_says_the_same(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    asking = [
        sys.executable,
        "-m",
        filters.__name__,
        "ask",
        "--uprobes",
        "--seed",
        "ci",
        "--count",
        "600",
        "--out",
        str(answers),
    ]
    subprocess.run(asking, check=True, capture_output=True, timeout=300)
    comparing = [sys.executable, "-m", "tests.realkernel.filters", "compare", str(answers)]
    told = subprocess.run(comparing, check=False, capture_output=True, text=True, timeout=300)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "600 of 600 agree" in told.stdout
