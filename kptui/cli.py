"""The command line: arguments, wiring, exit codes; the only place that knows everything.

Nothing heavy is imported before it is needed: ``--help`` and the headless commands never import textual, and the
symbols are being read by a child process while the screen's libraries load.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kptui import __version__

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2

_DESCRIPTION = """\
Find a kernel function, write a probe on it, filter it, watch its events, take the lines away.
Everything that kptui changes in the kernel is undone when it ends."""

_EPILOG = """\
  sudo kptui              trace this machine (needs root, tracefs and kprobes)
  kptui --demo            the same screen on a simulated kernel, no rights needed
  kptui doctor            what is missing on this machine, and what would give it

Exit status: 0 done, 1 it failed, 2 wrong usage."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kptui",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kptui {__version__}")
    parser.add_argument("--demo", action="store_true", help="use a simulated kernel with recorded events")
    parser.add_argument(
        "--tracefs", metavar="DIR", help="where tracefs is mounted (default: found in /proc/mounts)"
    )
    parser.add_argument(
        "--kallsyms", metavar="FILE", help="read the symbols from FILE (default: /proc/kallsyms)"
    )
    parser.add_argument("--group", metavar="NAME", help="group for new probes (default: kptui)")
    parser.add_argument(
        "--config", metavar="FILE", help="configuration (default: ~/.config/kptui/config.toml)"
    )
    parser.add_argument("--keys", action="store_true", help="list every command with its keys, and end")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", title="headless commands")
    from kptui.host.convert_command import add_parser

    add_parser(sub)
    doctor = sub.add_parser("doctor", help="what this machine has for tracing, and what would give the rest")
    doctor.add_argument("--tracefs", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    cleanup = sub.add_parser("cleanup", help="undo what a killed kptui left in the kernel")
    cleanup.add_argument("--tracefs", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run kptui; returns the exit status."""
    args = _parser().parse_args(argv)
    try:
        if args.command == "convert":
            from kptui.host.convert_command import run_convert

            return run_convert(args)
        if args.command == "doctor":
            return _doctor(args)
        if args.command == "cleanup":
            return _cleanup(args)
        if args.keys:
            return _keys()
        return _interactive(args)
    except BrokenPipeError:
        # Whoever read our output has gone: no message can reach them, and none is needed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED


def _fail(text: str, status: int = EXIT_FAILED) -> int:
    print(f"kptui: {text}", file=sys.stderr)
    return status


def _keys() -> int:
    from kptui.ui.commands import COMMANDS, shown

    for command in COMMANDS:
        keys = " ".join(shown(key) for key in command.keys)
        print(f"{command.id:<22} {keys:<18} {command.title}{': ' + command.help if command.help else ''}")
    return EXIT_OK


def _doctor(args: argparse.Namespace) -> int:
    from kptui.host.clipboard import describe
    from kptui.kernel.capabilities import examine
    from kptui.safetext import neutralise

    findings = examine(tracefs=args.tracefs)
    for finding in findings.items:
        sign = {True: "ok  ", False: "no  ", None: "?   "}[finding.ok]
        print(f"{sign} {finding.title}: {neutralise(finding.detail)}")
        if finding.remedy and finding.ok is not True:
            print(f"       {finding.remedy}")
    print(f"ok   clipboard: {describe(os.environ)}")
    print()
    print(
        neutralise(findings.headline)
        if findings.headline
        else "Everything is there: sudo kptui"
        if os.geteuid()
        else "Everything is there."
    )
    return EXIT_OK if findings.can_trace else EXIT_FAILED


def _cleanup(args: argparse.Namespace) -> int:
    from kptui.host.dirs import state_dir
    from kptui.kernel.files import TracefsFiles, find_tracefs
    from kptui.kernel.leftovers import cleanup, leftovers

    root = args.tracefs or find_tracefs()
    if root is None:
        return _fail("tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing")
    if not os.access(root, os.R_OK | os.X_OK):
        return _fail(f"{root} can't be read: run as root (sudo kptui cleanup)")
    files = TracefsFiles(root)
    if not leftovers(files, state_dir()):
        print("Nothing was left behind by a killed kptui.")
        cleanup(files, state_dir())
        return EXIT_OK
    result = cleanup(files, state_dir())
    for line in result.done:
        print(line)
    for line in result.left:
        print(f"kptui: {line}", file=sys.stderr)
    return EXIT_FAILED if result.left else EXIT_OK


def _interactive(args: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return _fail("this needs a terminal; `kptui --help` lists what works without one")
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return _fail("TERM doesn't name a full-screen terminal; try: TERM=xterm-256color kptui")
    from kptui.host.config import ConfigError, load_config
    from kptui.ui.commands import KeyConflict, Keymap

    try:
        config = load_config(Path(args.config) if args.config else None)
        Keymap(config.keys)
    except (ConfigError, KeyConflict) as error:
        return _fail(str(error), EXIT_USAGE)
    from kptui.interactive import run

    return run(args, config)
