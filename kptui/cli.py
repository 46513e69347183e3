"""The command line: wiring, exit codes; the only place that knows everything.

Nothing heavy is imported before it is needed: ``--help`` and the headless commands never import textual.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kptui.arguments import parse, problem
from kptui.safetext import neutralise

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

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
    try:
        args = parse(sys.argv[1:] if argv is None else argv)
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
    wrong = problem(args)
    if wrong:
        return _fail(wrong, EXIT_USAGE)
    if args.command == "doctor":
        from kptui.headless.machine_command import run_doctor

        return run_doctor(args)
    if args.command == "cleanup":
        from kptui.headless.machine_command import run_cleanup

        return run_cleanup(args)
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


def _keys() -> int:
    from kptui.ui.commands import COMMANDS
    from kptui.ui.keymap import shown

    for command in COMMANDS:
        keys = " ".join(shown(key) for key in command.keys)
        print(f"{command.id:<22} {keys:<18} {command.title}{': ' + command.help if command.help else ''}")
    return EXIT_OK


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
