"""The environments above a process: real processes, and a made-up /proc for what real ones seldom do."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from kptui.host.ancestry import ancestors, lookup


def process(proc: Path, pid: int, parent: int, environ: bytes | None, comm: str = "sh") -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({comm}) S {parent} 1 1 0")
    if environ is not None:
        (proc / str(pid) / "environ").write_bytes(environ)


def test_variables_that_a_child_lost_are_found_in_its_parents() -> None:
    code = "from kptui.host.ancestry import *; print(lookup('KPTUI_SEEN', {}, ancestors()))"
    lost = f"env -u KPTUI_SEEN {shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    done = subprocess.run(
        ["sh", "-c", f"{lost}; true"],
        env=dict(os.environ, KPTUI_SEEN="yes, here", PYTHONPATH=os.getcwd()),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"yes, here\n"


def test_nearest_first_and_odd_names(tmp_path: Path) -> None:
    process(tmp_path, 30, 20, b"A=30\0", comm="a) R 99 (b")
    process(tmp_path, 20, 10, b"A=20\0B=b=c\0=odd\0alone\0")
    process(tmp_path, 10, 1, None)
    process(tmp_path, 1, 0, b"A=1\0C=\xff\0")
    found = list(ancestors(30, proc=str(tmp_path)))
    assert found == [{"A": "20", "B": "b=c"}, {"A": "1", "C": "\udcff"}]
    assert lookup("A", {}, found) == "20"
    assert lookup("A", {"A": "own"}, found) == "own"
    assert lookup("A", {"A": ""}, found) == "20"
    assert lookup("Z", {}, found) is None


def test_a_circle_and_nonsense_end(tmp_path: Path) -> None:
    process(tmp_path, 2, 3, b"A=2\0")
    process(tmp_path, 3, 2, b"A=3\0")
    assert len(list(ancestors(2, proc=str(tmp_path)))) == 2
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "stat").write_bytes(b"\xff" * 100)
    assert list(ancestors(4, proc=str(tmp_path))) == []
    assert list(ancestors(999, proc=str(tmp_path / "none"))) == []


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    for pid in range(1, 101):
        process(tmp_path, pid, pid - 1, b"N=%d\0" % pid)
    assert len(list(ancestors(100, proc=str(tmp_path)))) == 32
