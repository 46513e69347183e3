"""``kptui doctor`` and ``kptui cleanup``: what this machine has for tracing, and undoing what a killed kptui left."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from kptui.headless.manners import Speaker
from kptui.safetext import neutralise

DONE, FAILED = 0, 1
MOUNT: Final = "mount -t tracefs nodev /sys/kernel/tracing"
_speaker = Speaker("cleanup")


def add_parsers(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The subcommands and their arguments."""
    doctor = sub.add_parser("doctor", help="what this machine has for tracing, and what is missing")
    cleanup = sub.add_parser("cleanup", help="undo what a killed kptui left in the kernel")
    for parser in (doctor, cleanup):
        parser.add_argument(
            "--tracefs", metavar="DIR", default=argparse.SUPPRESS, help="where tracefs is mounted"
        )


def run_doctor(args: argparse.Namespace) -> int:
    """Print what there is; 0 if this machine can trace."""
    from kptui.host.clipboard import describe
    from kptui.kernel.capabilities import Finding, examine

    findings = examine(tracefs=args.tracefs)
    items = [*findings.items, Finding("clipboard", True, "Clipboard", describe(os.environ))]
    width = max(len(item.title) for item in items)
    told: set[str] = set()
    for item in items:
        sign = {True: "ok", False: "NO", None: "-"}[item.ok]
        _row(f"{sign:<3} {item.title:<{width}}  ", neutralise(item.detail))
        if item.remedy and item.ok is not True and item.remedy not in told:
            told.add(item.remedy)
            _row(" " * (width + 6) + "-> ", neutralise(item.remedy))
    print()
    if findings.headline:
        _row(
            "",
            neutralise(
                f"{'Tracing works, but' if findings.can_trace else 'No tracing here'}: {findings.headline}"
            ),
        )
        if not findings.can_trace and "written" not in findings.headline:
            _row("", "Without that probes can be written and checked (kptui), and tried out (kptui --demo).")
    else:
        print(f"Everything is there: {'' if os.geteuid() == 0 else 'start '}kptui")
    return DONE if findings.can_trace else FAILED


def _row(head: str, text: str) -> None:
    """``text`` behind ``head``, on a terminal wrapped below itself; in a pipe one line, so that grep sees all."""
    if not sys.stdout or not sys.stdout.isatty():
        print(head + text)
        return
    import shutil
    import textwrap

    columns = max(shutil.get_terminal_size().columns - 1, len(head) + 20)
    wrapped = textwrap.wrap(text, columns - len(head), break_on_hyphens=False) or [""]
    for number, line in enumerate(wrapped):
        print((" " * len(head) if number else head) + line)


def run_cleanup(args: argparse.Namespace) -> int:
    """Undo what is left; 0 if nothing is left any more."""
    from kptui.host.dirs import state_dir
    from kptui.kernel.files import TracefsFiles, find_tracefs
    from kptui.kernel.leftovers import cleanup, leftovers

    root = args.tracefs or find_tracefs()
    if root is None:
        _speaker.say(f"tracefs is not mounted; as root: {MOUNT}")
        return FAILED
    if not os.access(root, os.R_OK | os.X_OK):
        _speaker.say(f"{root} can't be read; run: sudo kptui cleanup")
        return FAILED
    files = TracefsFiles(root)
    found = leftovers(files, state_dir())
    result = cleanup(files, state_dir())
    for line in result.done:
        print(line)
    for line in result.left:
        _speaker.say(line)
    if not found and not result.left:
        print("Nothing was left behind by a killed kptui.")
    return FAILED if result.left else DONE
