"""What is run in each kernel, and the results as they come: one boot for each kernel, all at the same time.

A boot costs seconds and a step in it many more (software emulation), so nothing is booted per test: the jobs
run in the guest one after the other, and each test asks for its own step's result.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tests.realkernel.boot import Boot, Outcome, missing_packages, run
from tests.realkernel.guest import story_jobs
from tests.realkernel.guest.story import story
from tests.realkernel.kernels import REQUIRED, Kernel, KernelError, find

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
OUT = HERE / "out"

SIZES = ("80x24", "160x48")
ONE_SIZE = {"6.1": SIZES[:1], "6.12": SIZES[1:]}
"""The story's sizes where time counts; with KPTUI_TEST_SIZES=all every kernel has all of them."""
ANSWERS = ("--seed", "1", "--out", "{answers}")
COMPARE = ("compare", "{answers}")


def _asked(interface: str, count: int) -> tuple[str, ...]:
    return ("ask", "--interface", interface, "--count", str(count), *ANSWERS)


SCRIPTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "definitions": ("definitions", _asked("kprobe", 1000), COMPARE),
    "dynamic": ("definitions", _asked("dynamic", 500), COMPARE),
    "uprobes": ("definitions", _asked("uprobe", 300), COMPARE),
    "filters": ("filters", ("ask", "--count", "1000", *ANSWERS), COMPARE),
    "args_steps": ("args_steps", (), ()),
    "session_steps": ("session_steps", (), ()),
    "sim_steps": ("sim_steps", (), ()),
}
"""Jobs that take one room to the kernel: the script, its arguments in the guest, and on the host afterwards.

The samples have a fixed seed; `python -m tests.realkernel.agreement` asks more, of more kernels.
"""
WHOLE = "the whole script"
"""The step that every job has: it came to its end with exit status 0."""

BOOT_SECONDS = 2000.0


@dataclass(frozen=True, slots=True)
class Job:
    """A guest script: `words` start it, `steps` are the titles that it records, `seconds` bounds it.

    Where it only saves the kernel's answers, in a file for which "{answers}" stands in its words, `judge` is
    what compares them on the host, where that takes a tenth of the time.
    """

    name: str
    words: tuple[str, ...]
    steps: tuple[str, ...]
    seconds: float
    judge: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    ok: bool
    detail: str = ""
    screen: str = ""


def declared_steps(script: Path) -> tuple[str, ...]:
    """The titles in a script's STEPS, read without running it; () if it has none.

    STEPS is a tuple of texts, or of functions whose names without "step_" are the titles.
    """
    for node in ast.parse(script.read_text()).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="STEPS")], value=ast.Tuple(elts=elements))
                | ast.AnnAssign(target=ast.Name(id="STEPS"), value=ast.Tuple(elts=elements))
            ):
                return tuple(title for element in elements if (title := title_of(element)))
    return ()


def title_of(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return name.removeprefix("step_")
    return ""


def sizes(kernel: str) -> tuple[str, ...]:
    """The terminals in which a kernel's story is told."""
    return SIZES if os.environ.get("KPTUI_TEST_SIZES") == "all" else ONE_SIZE.get(kernel, SIZES)


def jobs(kernel: str) -> list[Job]:
    """A kernel's: the story, what users come for, then the scripts that take one room each to the kernel."""
    python = sys.executable
    module = "tests.realkernel.guest"
    found = [
        Job(f"story-{size}", (python, "-m", f"{module}.story", size), story(size).titles, 1200)
        for size in sizes(kernel)
    ]
    words = (python, "-m", f"{module}.story_jobs")
    found.append(Job("story-jobs", words, story_jobs.story(kernel).titles, 1200))
    for name, (script, ask, judge) in SCRIPTS.items():
        words = (python, "-m", f"tests.realkernel.{script}")
        compare = (*words, *judge) if judge else ()
        found.append(Job(name, (*words, *ask), declared_steps(HERE / f"{script}.py"), 900, compare))
    return found


def kernel_names() -> tuple[str, ...]:
    """The series to test: KPTUI_TEST_KERNELS, or those that must pass."""
    return tuple(os.environ.get("KPTUI_TEST_KERNELS", "").split()) or REQUIRED


def unavailable() -> str:
    """Why nothing can be booted here, in one sentence; "" if it can."""
    missing = missing_packages()
    if missing:
        return f"real kernels need these Debian packages, which are not installed: {' '.join(missing)}"
    try:
        for name in kernel_names():
            find(name)
    except KernelError as error:
        return str(error)
    return ""


class Run:
    """One kernel's boot with all jobs, in a thread; results are read from the shared folder."""

    def __init__(self, kernel: Kernel, wanted: list[Job]) -> None:
        self.kernel = kernel
        self.folder = OUT / kernel.name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        listed = [
            {"name": job.name, "words": self._filled(job, job.words), "seconds": job.seconds}
            for job in wanted
        ]
        (self.folder / "jobs").write_text(json.dumps(listed))
        self._outcome: Outcome | KernelError | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._boot, name=f"boot {kernel.name}", daemon=True)
        self._thread.start()

    def _filled(self, job: Job, words: tuple[str, ...]) -> list[str]:
        answers = str(self.folder / f"{job.name}.answers")
        return [word.replace("{answers}", answers) for word in words]

    def _boot(self) -> None:
        words = (sys.executable, "-m", "tests.realkernel.guest.jobs", str(self.folder))
        try:
            with (self.folder / "output").open("wb") as output:
                boot = Boot(
                    self.kernel,
                    ("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(PROJECT), *words),
                    shared=(self.folder,),
                    environment={"PYTHONPATH": str(PROJECT)},
                    seconds=BOOT_SECONDS,
                )
                self._outcome = run(boot, out=output.fileno(), err=output.fileno())
            (self.folder / "console").write_text(self._outcome.console)
        except KernelError as error:
            self._outcome = error
        finally:
            self._over.set()

    def result(self, job: Job, step: str) -> Result:
        """How a step went; waits until its job is over."""
        end = self.folder / f"{job.name}.end"
        while not end.exists() and not self._over.wait(0.5):
            pass
        if step == WHOLE:
            return self._whole(job, end)
        return self._recorded(job).get(step) or Result(
            False, f"the step was never reached: {self._whole(job, end).detail}"
        )

    def _recorded(self, job: Job) -> dict[str, Result]:
        """Results by title: from the file of steps, else from lines "ok TITLE …" and "FAIL TITLE …"."""
        file, log = (self.folder / f"{job.name}.{ending}" for ending in ("steps", "log"))
        found: dict[str, Result] = {}
        if file.exists():
            for line in file.read_text().splitlines():
                step = json.loads(line)
                found[step["step"]] = Result(step["ok"], step["detail"], step["screen"])
        elif log.exists():
            for line in log.read_text(errors="replace").splitlines():
                word, _, rest = line.partition(" ")
                for title in job.steps:
                    if word in {"ok", "FAIL"} and f"{rest.strip()} ".startswith(f"{title} "):
                        found[title] = Result(word == "ok", rest)
        return found

    def _whole(self, job: Job, end: Path) -> Result:
        if not end.exists():
            outcome = self._outcome
            detail = outcome.sentence if isinstance(outcome, Outcome) else str(outcome)
            return Result(False, f"{job.name} did not end: {detail}\n{self._log(self.folder / 'output')}")
        told = json.loads(end.read_text())
        how = "no end in time" if told["status"] is None else f"exit status {told['status']}"
        detail = f"{job.name}: {how} after {told['seconds']} s\n{self._log(self.folder / f'{job.name}.log')}"
        if told["warnings"]:
            return Result(False, "the kernel's own log has warnings:\n" + "\n".join(told["warnings"]))
        if told["status"] == 0 and job.judge:
            words = self._filled(job, job.judge)
            judged = subprocess.run(words, capture_output=True, text=True, check=False, cwd=PROJECT)
            return Result(judged.returncode == 0, f"{judged.stdout}\n{judged.stderr}")
        return Result(told["status"] == 0, detail)

    @staticmethod
    def _log(file: Path) -> str:
        return "\n".join(file.read_text(errors="replace").splitlines()[-40:]) if file.exists() else ""


class Suite:
    """All kernels at once, each with the jobs that tests ask for; started when the first test asks."""

    def __init__(self, wanted: Collection[tuple[str, str]]) -> None:
        """``wanted`` has the kernel and the job's name of each test."""
        self._runs = {
            name: Run(find(name), [job for job in jobs(name) if (name, job.name) in wanted])
            for name in sorted({kernel for kernel, _ in wanted})
        }

    def result(self, kernel: str, job: Job, step: str) -> Result:
        return self._runs[kernel].result(job, step)
