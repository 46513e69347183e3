"""Runs the guest's scripts one after the other in one boot; the file of jobs and the results are shared.

A job that hangs is ended, what it left in tracefs is removed, and the next one runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.realkernel.guest import tracefs


def children() -> set[int]:
    """Every process that is not the kernel's own (those have no command line)."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


WARNED = 1 << 9
"""The bit of /proc/sys/kernel/tainted that says that the kernel has printed a warning with a stack trace."""


def has_warned() -> bool:
    return bool(int(Path("/proc/sys/kernel/tainted").read_text()) & WARNED)


def run_job(folder: Path, name: str, words: list[str], seconds: float) -> None:
    """Run one job; its output goes to NAME.log, its steps to NAME.steps, how it ended, and what the kernel warned
    of meanwhile, to NAME.end.
    """
    started = time.monotonic()
    before = children()
    warned = has_warned()
    environment = {**os.environ, "KPTUI_STEPS": str(folder / f"{name}.steps"), "PYTHONUNBUFFERED": "1"}
    with (folder / f"{name}.log").open("wb") as log:
        job = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            status: int | None = job.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
    for process in children() - before:  # what it left running: a tmux server, the program
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    left = "\n".join([*tracefs.definitions(), *tracefs.read("uprobe_events").splitlines()])
    tracefs.reset()
    warnings = []
    if has_warned() and not warned:
        told = subprocess.run(["dmesg"], capture_output=True, check=False).stdout.decode(errors="replace")
        warnings = told.splitlines()[-60:]
    end = {
        "status": status,
        "left": left,
        "seconds": round(time.monotonic() - started, 1),
        "warnings": warnings,
    }
    temporary = folder / f"{name}.end.new"
    temporary.write_text(json.dumps(end))
    temporary.rename(folder / f"{name}.end")


def main() -> None:
    folder = Path(sys.argv[1])
    (folder / "release").write_text(os.uname().release)
    for job in json.loads((folder / "jobs").read_text()):
        run_job(folder, job["name"], job["words"], job["seconds"])


if __name__ == "__main__":
    main()
