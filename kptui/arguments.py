"""The words of the command line: which there are, and what is wrong with those that were given."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from kptui import __version__
from kptui.safetext import neutralise

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_DESCRIPTION = """\
Find a kernel function, write a probe on it, filter it, watch its events, take the lines away.
Everything that kptui changes in the kernel is undone when it ends."""

_EPILOG = """\
  sudo kptui              trace this machine (needs root, tracefs and kprobes)
  kptui --demo            the same screen on a simulated kernel, no rights needed
  kptui check FILE        what the kernel would say of the probe lines in FILE
  kptui args FUNCTION     the arguments of a kernel function, and what reads them
  kptui doctor            what is missing on this machine, and what would give it

Exit status: 0 done, 1 it failed (doctor: this machine can't trace; check: some lines are
refused; args: no such function), 2 wrong usage, 128 + N ended by signal N."""


class _Parser(argparse.ArgumentParser):
    """An argparse parser that doesn't repeat control characters to the terminal, and doesn't hide a full disk."""

    def error(self, message: str) -> NoReturn:
        super().error(neutralise(message))

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        if file is sys.stdout and file is not None:
            file.write(message)
        else:
            super()._print_message(message, file)


def _parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The parser, and those of the commands by their names."""
    parser: argparse.ArgumentParser = _Parser(
        prog="kptui",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
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
    from kptui.headless import args_command, check_command, machine_command, symbols_command
    from kptui.host import convert_command

    check_command.add_parser(sub)
    symbols_command.add_parser(sub)
    args_command.add_parser(sub)
    convert_command.add_parser(sub)
    machine_command.add_parsers(sub)
    return parser, sub.choices


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What is asked for. SystemExit, with the usage on standard error, for words that don't go together."""
    parser, commands = _parsers()
    args, stray = parser.parse_known_args(argv)
    args.argv = argv
    of_command = commands.get(args.command, parser)
    if stray:
        hint = args.stray(args, stray, argv) if "stray" in args else ""
        of_command.error(f"unrecognized arguments: {' '.join(stray)}{hint and f'; {hint}'}")
    if args.command or args.keys:
        _refuse_foreign(of_command, args)
    return args


def _refuse_foreign(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Options of the screen mean nothing to a headless command: saying nothing would hide a mistake."""
    what = args.command or "--keys"
    options = {
        "--demo": args.demo,
        "--kallsyms": args.kallsyms,
        "--group": args.group,
        "--config": args.config,
    }
    options["--keys"] = args.keys and args.command
    if args.command not in ("doctor", "cleanup"):
        options["--tracefs"] = args.tracefs
    given = [name for name, value in options.items() if value not in (None, False)]
    if given:
        parser.error(f"{given[0]} doesn't go with {what}")


def problem(args: argparse.Namespace) -> str:
    """What is wrong with the values of the options, in a sentence; '' if nothing is."""
    checks: list[tuple[Callable[[str], str], str | None]] = [
        (_tracefs_problem, args.tracefs),
        (_kallsyms_problem, args.kallsyms),
        (_group_problem, args.group),
    ]
    problems = (check(value) for check, value in checks if value is not None)
    return next((problem for problem in problems if problem), "")


def _tracefs_problem(path: str) -> str:
    shown = f"--tracefs {neutralise(path)}" if path else "--tracefs"
    if not path:
        return f"{shown} needs a directory"
    try:
        names = os.listdir(path)
    except PermissionError:
        return ""  # tracefs is closed to everybody but root; the screen says so
    except (OSError, ValueError) as error:
        return f"{shown}: {_reason(error)}"
    if "events" in names and "instances" in names:
        return ""
    if "tracing" in names and os.path.isdir(os.path.join(path, "tracing", "events")):
        return f"{shown} is no tracefs; try --tracefs {neutralise(os.path.join(path, 'tracing'))}"
    from kptui.kernel.files import mount_points

    if ("tracefs", os.path.realpath(path)) in mount_points():
        return ""  # empty: lockdown, as the screen says
    from kptui.headless.machine_command import MOUNT

    return f"{shown}: no tracefs is mounted there; leave the option out, or as root: {MOUNT}"


def _kallsyms_problem(path: str) -> str:
    shown = f"--kallsyms {neutralise(path)}" if path else "--kallsyms"
    if not path:
        return f"{shown} needs a file"
    if os.path.isdir(path):
        return f"{shown}: that is a directory; it needs a copy of /proc/kallsyms"
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    except (OSError, ValueError) as error:
        return f"{shown}: {_reason(error)}"
    if not os.path.isfile(path):
        return f"{shown} is no file; save the symbols in one first"
    return ""


def _group_problem(name: str) -> str:
    # Narrower than some kernels (6.1 refuses "-" in a group), so that a script made here runs on any.
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        return ""
    rule = "a group has 1 to 63 letters, digits and _, and doesn't start with a digit"
    valid = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:62]
    valid = f"_{valid}" if valid[:1].isdigit() else valid
    better = f"; try --group {valid}" if valid.strip("_") else ""
    return f"--group {neutralise(name)!r}: {rule}{better}"


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
