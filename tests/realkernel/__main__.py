"""Real kernels by hand: fetch them, boot one, run a command in it.

python -m tests.realkernel fetch 6.1 6.12
python -m tests.realkernel --kernel 6.12 -- 'uname -r; cat /sys/kernel/tracing/README'
python -m tests.realkernel --kernel 6.12 --terminal -- .venv/bin/kptui
python -m tests.realkernel --kernel 6.1 --append lockdown=confidentiality -- .venv/bin/kptui doctor
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.realkernel.boot import Boot, run
from tests.realkernel.kernels import REQUIRED, Kernel, KernelError, available, cached, fetch, find

FAILED = 125
TIMED_OUT = 124


def main(arguments: Sequence[str]) -> int:
    """Exit status: the command's; 124 after a time-out; 125 when the guest did not come up or died."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    try:
        if arguments and arguments[0] == "fetch":
            return fetch_command(arguments[1:])
        return boot_command(arguments)
    except KernelError as error:
        print(f"realkernel: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # nobody reads our output any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def fetch_command(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.realkernel fetch", description="Fetch kernels.")
    parser.add_argument("series", nargs="*", default=list(REQUIRED), help=f"default: {' '.join(REQUIRED)}")
    parser.add_argument("--refresh", action="store_true", help="the newest package, even if one is there")
    parser.add_argument("--available", action="store_true", help="list what the archive has")
    options = parser.parse_args(arguments)
    if options.available:
        print("\n".join(available()))
        return 0
    status = 0
    for series, result in fetch(options.series, refresh=options.refresh).items():
        if isinstance(result, Kernel):
            print(f"{series}: {result.release}")
        else:
            print(f"{series}: {result}", file=sys.stderr)
            status = 1
    return status


def boot_command(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.realkernel",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kernel", metavar="SERIES", help="or a folder with one (default: the newest)")
    parser.add_argument("--timeout", type=float, default=300, metavar="S", help="seconds, default 300")
    parser.add_argument(
        "--share", action="append", default=[], metavar="FOLDER", help="what is written there is kept"
    )
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--append", default="", metavar="ARGUMENTS", help="more kernel arguments")
    parser.add_argument("--cpus", type=int, default=2, metavar="N")
    parser.add_argument("-t", "--terminal", action="store_true", help="the command's terminal is this one")
    parser.add_argument("-v", "--verbose", action="store_true", help="kernel console and timing to stderr")
    parser.add_argument("--list", action="store_true", help="list the kernels there are")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="one word: a shell command line")
    options = parser.parse_args(arguments)
    if options.list:
        for kernel in cached():
            print(f"{kernel.name:8} {kernel.release}")
        return 0
    if not options.command:
        parser.error("no COMMAND")
    names = [kernel.name for kernel in cached()]
    if not options.kernel and not names:
        raise KernelError("no kernel is cached: python -m tests.realkernel fetch")
    boot = Boot(
        find(options.kernel or names[-1]),
        tuple(options.command),
        shared=tuple(Path(folder) for folder in options.share),
        environment=dict(item.partition("=")[::2] for item in options.env),
        arguments=options.append,
        seconds=options.timeout,
        cpus=options.cpus,
        terminal=options.terminal,
    )
    outcome = run(boot)
    if options.verbose:
        print(outcome.console, file=sys.stderr)
        print(f"realkernel: {outcome.boot_seconds or 0:.1f} s to the command", file=sys.stderr)
    if outcome.status is not None:
        return outcome.status
    print(f"realkernel: {outcome.sentence}", file=sys.stderr)
    return TIMED_OUT if outcome.end == "timeout" else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
