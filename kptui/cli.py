"""The command line: arguments, wiring, exit codes; the only place that knows everything.

Nothing heavy is imported before it is needed: ``--help`` and the headless commands never import textual.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kptui import __version__
from kptui.safetext import neutralise

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
MOUNT = "mount -t tracefs nodev /sys/kernel/tracing"

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

# What stands for a sign where the locale has none for it; each one cell wide, because the screen counts on that.
_SIGNS = {
    **dict.fromkeys("–—─━‐‑", "-"),
    **dict.fromkeys("│┃▏▕", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰", "+"),
    **dict.fromkeys("’‘", "'"),
    **dict.fromkeys("✗×", "x"),
    **dict.fromkeys("█▌▐▀▄▊▎", "#"),
    **dict(zip("✓…·•↑↓←→▸▾", "+..*^v<>>v", strict=True)),
}


class _Parser(argparse.ArgumentParser):
    """An argparse parser that doesn't repeat control characters to the terminal, and doesn't hide a full disk."""

    def error(self, message: str) -> NoReturn:
        super().error(neutralise(message))

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        if file is sys.stdout and file is not None:
            file.write(message)
        else:
            super()._print_message(message, file)


def _parser() -> argparse.ArgumentParser:
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
    from kptui.headless import args_command, check_command, symbols_command
    from kptui.host import convert_command

    check_command.add_parser(sub)
    symbols_command.add_parser(sub)
    args_command.add_parser(sub)
    convert_command.add_parser(sub)
    doctor = sub.add_parser("doctor", help="what this machine has for tracing, and what is missing")
    doctor.add_argument(
        "--tracefs", metavar="DIR", default=argparse.SUPPRESS, help="where tracefs is mounted"
    )
    cleanup = sub.add_parser("cleanup", help="undo what a killed kptui left in the kernel")
    cleanup.add_argument(
        "--tracefs", metavar="DIR", default=argparse.SUPPRESS, help="where tracefs is mounted"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run kptui; returns the exit status."""
    _tolerate_locale()
    try:
        status = _run(argv)
        if sys.stdout is not None:  # it was closed (>&-)
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output (| head) has all that was wanted; keeps the interpreter's last flush quiet, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail(f"{neutralise(str(error.filename or 'standard output'))}: {error.strerror or error}")
    return status


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        args = parser.parse_args(argv)
        if args.command or args.keys:
            _refuse_foreign(parser, args)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    if args.command == "symbols":
        from kptui.headless.symbols_command import run_symbols

        return run_symbols(args)
    if args.command == "convert":
        from kptui.host.convert_command import run_convert

        return run_convert(args)
    if args.command == "check":
        from kptui.headless.check_command import run_check

        return run_check(args)
    if args.command == "args":
        from kptui.headless.args_command import run_args

        return run_args(args)
    problem = _problem(args)
    if problem:
        return _fail(problem, EXIT_USAGE)
    if args.command == "doctor":
        return _doctor(args)
    if args.command == "cleanup":
        return _cleanup(args)
    if args.keys:
        return _keys()
    return _interactive(args)


def _fail(text: str, status: int = EXIT_FAILED) -> int:
    with contextlib.suppress(OSError, ValueError):  # nobody can be told
        print(f"kptui: {text}", file=sys.stderr, flush=True)
    return status


def _tolerate_locale() -> None:
    """A locale without our signs must not make printing fail."""
    codecs.register_error("kptui", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="kptui")


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(_SIGNS.get(char, "?") for char in bad), error.end


# -- what was asked for


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


def _problem(args: argparse.Namespace) -> str:
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


# -- headless


def _keys() -> int:
    from kptui.ui.commands import COMMANDS
    from kptui.ui.keymap import shown

    for command in COMMANDS:
        keys = " ".join(shown(key) for key in command.keys)
        print(f"{command.id:<22} {keys:<18} {command.title}{': ' + command.help if command.help else ''}")
    return EXIT_OK


def _doctor(args: argparse.Namespace) -> int:
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
    return EXIT_OK if findings.can_trace else EXIT_FAILED


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


def _cleanup(args: argparse.Namespace) -> int:
    from kptui.host.dirs import state_dir
    from kptui.kernel.files import TracefsFiles, find_tracefs
    from kptui.kernel.leftovers import cleanup, leftovers

    root = args.tracefs or find_tracefs()
    if root is None:
        return _fail(f"tracefs is not mounted; as root: {MOUNT}")
    if not os.access(root, os.R_OK | os.X_OK):
        return _fail(f"{neutralise(root)} can't be read; run: sudo kptui cleanup")
    files = TracefsFiles(root)
    found = leftovers(files, state_dir())
    result = cleanup(files, state_dir())
    for line in result.done:
        print(line)
    for line in result.left:
        _fail(line)
    if not found and not result.left:
        print("Nothing was left behind by a killed kptui.")
    return EXIT_FAILED if result.left else EXIT_OK


# -- the screen


def _interactive(args: argparse.Namespace) -> int:
    from kptui.host.config import FILE, Config, ConfigError, load_config
    from kptui.host.dirs import config_dir, shown
    from kptui.ui.keymap import KeyConflict, Keymap

    given = Path(args.config) if args.config is not None else None
    try:
        config = Config() if args.config == os.devnull else load_config(given)
        try:
            Keymap(config.keys)
        except KeyConflict as error:
            name = shown(given or config_dir() / FILE)
            raise ConfigError(neutralise(f"{name}: {error}")) from error
    except ConfigError as error:
        return _fail(
            f"{error}\n       (kptui --config {os.devnull} starts without a configuration)", EXIT_USAGE
        )
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return _fail("the screen needs a terminal; `kptui --help` lists what works without one")
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return _fail("TERM names no terminal that can show a screen; try: TERM=xterm-256color kptui")
    from kptui.interactive import run

    return run(args, config)
