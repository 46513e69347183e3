"""The differential test: definitions and filters asked of real kernels, and how far our verdicts agree.

    python -m tests.realkernel.agreement                                  every cached kernel, every interface
    python -m tests.realkernel.agreement --kernels 6.12 7.3 --definitions 8000 --filters 4000 --seed 5
    python -m tests.realkernel.agreement --here                           this machine's own kernel, as root
    python -m tests.realkernel.agreement --compare FOLDER                 answers saved by --out before

Boots each kernel (two at a time at most), asks in the guest, compares outside, and prints the agreement for each
kernel and interface, every class of difference with examples, and which of the kernel's messages were seen.
The counts are for each kernel: definitions for each interface, filters for all events together. A kernel that
prints a warning meanwhile counts as a difference. Exit status: 0 all agree or are explained by a rule, 1 not,
2 wrong usage or a kernel that could not be asked.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.realkernel import definitions_compare, filters
from tests.realkernel.agree import Agreement
from tests.realkernel.boot import Boot, run
from tests.realkernel.interfaces import INTERFACES
from tests.realkernel.kernels import Kernel, KernelError, cached, find

PROJECT = Path(__file__).resolve().parents[2]
CHUNK = 4000
"""Definitions or filters for one seed: more are asked under the seeds that follow."""
AT_ONCE = 2
WARNINGS = re.compile(r"WARNING:|BUG:|Oops|KASAN|UBSAN|general protection|Call Trace|soft lockup|hung_task")


def shares(seed: int, count: int) -> Iterator[tuple[int, int]]:
    """Seeds and counts that come to ``count``."""
    while count > 0:
        yield seed, min(count, CHUNK)
        seed, count = seed + 1, count - CHUNK


def commands(folder: Path, options: argparse.Namespace, *, here: bool = False) -> list[list[str]]:
    """What is run where the kernel is, one after the other. Answers go to the folder."""
    python = [sys.executable, "-m"]
    out = []
    for name in options.interfaces:
        for seed, count in shares(options.seed, options.definitions):
            words = ["ask", "--interface", name, "--seed", str(seed), "--count", str(count)]
            out.append([
                *python, "tests.realkernel.definitions", *words, "--out", str(folder / f"{name}-{seed}.json"),
            ])  # fmt: skip
    for seed, count in shares(options.seed, options.filters):
        words = ["ask", "--seed", str(seed), "--count", str(count)]
        words += ["--out", str(folder / f"filters-{seed}.json"), *(["--uprobes"] if here else [])]
        out.append([*python, "tests.realkernel.filters", *words])
    return out


def ask_guest(kernel: Kernel, folder: Path, options: argparse.Namespace) -> str:
    """Boot, ask, power off; "" or what went wrong."""
    lines = [shlex.join(words) for words in commands(folder, options)]
    # An interface that the kernel lacks says so and ends with 3
    script = "\n".join(
        [
            f"cd {shlex.quote(str(PROJECT))}",
            "echo 0 > /proc/sys/kernel/printk_ratelimit",
            *(f"{line}; status=$?; [ $status = 0 ] || [ $status = 3 ] || exit $status" for line in lines),
            f"dmesg > {shlex.quote(str(folder / 'dmesg'))}",
            f"cat /proc/sys/kernel/tainted > {shlex.quote(str(folder / 'tainted'))}",
        ]
    )
    boot = Boot(
        kernel,
        ("/bin/sh", "-c", script),
        shared=(folder,),
        environment={"PYTHONPATH": str(PROJECT)},
        seconds=options.timeout,
    )
    with (folder / "output").open("wb") as output:
        outcome = run(boot, out=output.fileno(), err=output.fileno())
    if outcome.status == 0:
        return ""
    said = (folder / "output").read_text(errors="replace")[-2000:]
    return f"{kernel.name}: {outcome.sentence}\n{said}"


def compile_all() -> None:
    """The guest can't keep byte code, and without it importing takes it longer than asking."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [sys.executable, "-m", "compileall", "-q", "kptui", "tests"]
    subprocess.run(words, cwd=PROJECT, env=environment, check=False)


def ask_here(folder: Path, options: argparse.Namespace) -> str:
    """The same on this machine's own kernel; "" or what went wrong."""
    for words in commands(folder, options, here=True):
        done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode not in {0, 3}:
            return f"{shlex.join(words)}: exit status {done.returncode}\n{done.stderr[-2000:]}"
    return ""


def read(folder: Path) -> list[Agreement]:
    """The comparison of every file of answers in a folder, one for each interface."""
    found: dict[str, Agreement] = {}
    for file in sorted(folder.glob("*.json")):
        name = file.name.rpartition("-")[0]
        one = filters.compared(file) if name == "filters" else definitions_compare.compared(file)
        if name in found:
            found[name].add(one)
        else:
            found[name] = one
    return list(found.values())


def warnings(folder: Path) -> list[str]:
    """What the kernel's log has that no definition and no filter may cause."""
    log, tainted = folder / "dmesg", folder / "tainted"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    found = [line for line in lines if WARNINGS.search(line)]
    if tainted.exists() and int(tainted.read_text()) & 1 << 9:
        found.append("the kernel is tainted by a warning")
    return found


def coverage(found: Sequence[Agreement]) -> Iterator[str]:
    """Which messages were seen, which of those that a kernel has never were."""
    for what, several in {
        "definitions": [one for one in found if one.what != "filters"],
        "filters": [one for one in found if one.what == "filters"],
    }.items():
        seen: Counter[str] = Counter()
        known: set[str] = set()
        for one in several:
            seen += one.messages
            known |= one.known
        if not several:
            continue
        yield f"{what}: {len(known & set(seen))} of {len(known)} messages seen"
        yield from (f"  {count:6} {message}" for message, count in seen.most_common())
        yield from (f"  never  {message}" for message in sorted(known - set(seen)))


def report(folders: Sequence[Path], options: argparse.Namespace) -> int:
    """Print everything; 1 if something disagrees without an explanation."""
    everything: list[Agreement] = []
    bad = False
    for folder in folders:
        for one in read(folder):
            everything.append(one)
            print(one.text(options.show))
        for line in warnings(folder):
            bad = True
            print(f"  {folder.name}: KERNEL WARNING {line}")
    print()
    if not options.brief:
        print("\n".join(coverage(everything)))
    for what in dict.fromkeys(one.what for one in everything):
        several = [one for one in everything if one.what == what]
        total, agreed = sum(one.total for one in several), sum(one.agreed for one in several)
        explained = sum(one.explained.total() for one in several)
        accepted = sum(one.accepted for one in several)
        print(
            f"{what}: {agreed} of {total} agree on {len(several)} kernels, {explained} explained, "
            f"{total - agreed - explained} not; {accepted / total:.0%} accepted"
        )
    return 1 if bad or not everything or any(one.differences for one in everything) else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.realkernel.agreement",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kernels", nargs="+", metavar="SERIES", help="default: all that are cached")
    parser.add_argument("--here", action="store_true", help="this machine's kernel, in place of a guest's")
    parser.add_argument("--compare", nargs="+", type=Path, metavar="FOLDER", help="only compare")
    parser.add_argument("--interface", nargs="+", choices=(*INTERFACES, "all"), default=["all"])
    parser.add_argument("--definitions", type=int, default=4000, metavar="N", help="default 4000")
    parser.add_argument("--filters", type=int, default=2000, metavar="N", help="default 2000")
    parser.add_argument("--seed", type=int, default=1, help="the first of them; default 1")
    parser.add_argument("--show", type=int, default=3, help="examples of each class of difference")
    parser.add_argument("--brief", action="store_true", help="without the list of messages")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep the answers there")
    parser.add_argument("--timeout", type=float, default=1800, metavar="S", help="for each kernel")
    options = parser.parse_args()
    options.interfaces = list(INTERFACES) if "all" in options.interface else options.interface
    if options.compare:
        return report(options.compare, options)
    with tempfile.TemporaryDirectory(prefix="agreement-") as temporary:
        out = options.out.resolve() if options.out else Path(temporary)
        try:
            kernels = [] if options.here else [find(name) for name in options.kernels or ()] or cached()
        except KernelError as error:
            parser.error(str(error))
        if not kernels and not options.here:
            parser.error("no kernel is cached: python -m tests.realkernel fetch")
        names = [kernel.name for kernel in kernels] or [os.uname().release]
        folders = [out / name for name in names]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob("*.json"):
                old.unlink()
        compile_all()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            if options.here:
                failures = [ask_here(folders[0], options)]
            else:
                jobs = [pool.submit(ask_guest, *pair, options) for pair in zip(kernels, folders, strict=True)]
                failures = [job.result() for job in jobs]
        status = report(folders, options)
        for failure in filter(None, failures):
            print(failure, file=sys.stderr)
            status = 2
        return status


if __name__ == "__main__":
    sys.exit(main())
