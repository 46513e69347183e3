"""``kptui args SYMBOL``: a function's prototype, and what reads its parameters and what is behind them.

Exit status: 0 done, 1 unknown symbol or member, 2 wrong usage, or something that can't be read or written.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from kptui.headless.manners import Output, Speaker, Unusable, forget_output, read_option, read_types, reason

if TYPE_CHECKING:
    from kptui.headless.lookup import Lookup, Symbols
    from kptui.kernel.target.machine import Machine

DONE, UNKNOWN, UNUSABLE = 0, 1, 2
NONE: Final = "none"
_speaker = Speaker("args")

_DESCRIPTION = """\
Prints the C prototype of a kernel function and the fetch arguments that read its parameters at the
entry, by the kernel's own type information (BTF). System calls (__x64_sys_execve …) get the call's
own arguments, read through the saved registers. Nothing is written to any kernel."""

_EPILOG = """\
--btf may be given several times: the kernel's file (/sys/kernel/btf/vmlinux of that machine) and
those of modules; what isn't given is looked for beside those that are.

Exit status: 0 done, 1 unknown symbol or member (the nearest names are told), 2 wrong usage or
unreadable files."""


def add_parser(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The subcommand and its arguments."""
    parser = sub.add_parser(
        "args",
        help="a function's parameters as fetch arguments",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("symbol", metavar="SYMBOL", help="a function, or MODULE:FUNCTION")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--return", action="store_true", dest="returns", help="for a return probe")
    parser.add_argument(
        "--path",
        metavar="PATH",
        help="only this member: 'file->f_path.dentry->d_name.name', '$retval->f_flags'",
    )
    parser.add_argument(
        "--btf",
        metavar="FILE|none",
        action="append",
        dest="btf_files",
        help="type information (default: this machine's)",
    )
    parser.add_argument(
        "--kallsyms",
        metavar="FILE|none",
        dest="kallsyms_file",
        help="symbols, for modules and names without type information (default: this machine's, without --btf)",
    )
    return parser


def run_args(args: argparse.Namespace) -> int:
    """Do what ``args`` say; the exit status."""
    from kptui.headless.lookup import Missing

    try:
        _check_usage(args)
        lookup = _lookup(args)
        text = _answer(args, lookup)
        for remark in lookup.remarks:
            _speaker.say(remark)
    except Unusable as error:
        _speaker.say(str(error))
        return UNUSABLE
    except Missing as error:
        _speaker.say(str(error))
        if error.near:
            _speaker.say(f"nearest: {', '.join(error.near)}")
        return UNKNOWN
    try:
        Output().write(text)
    except BrokenPipeError:
        forget_output()
    except OSError as error:
        forget_output()
        _speaker.say(f"can't write standard output: {reason(error)}")
        return UNUSABLE
    return DONE


def _check_usage(args: argparse.Namespace) -> None:
    if not args.symbol:
        raise Unusable("SYMBOL is empty; give the name of a function")
    if args.path is not None and not args.path.strip():
        raise Unusable("--path is empty; it starts with a parameter's name, or $retval")
    if args.path is not None and args.path.lstrip(" *").startswith("$retval") and not args.returns:
        raise Unusable("$retval is there when the function returns: --return")
    files = args.btf_files or []
    if NONE in files and len(files) > 1:
        raise Unusable("--btf none goes with no other --btf")


def _lookup(args: argparse.Namespace) -> Lookup:
    from kptui.headless.lookup import Lookup
    from kptui.kernel.target.machine import Machine
    from kptui.kernel.target.types import KERNEL_TYPES, TypeFiles, features_of_types
    from kptui.probes.check import features_of

    machine = Machine()
    own = args.btf_files is None
    given: list[tuple[str, bytes]] = []
    if own:
        data = machine.btf()
        given = [(KERNEL_TYPES, data)] if data is not None else []
    elif args.btf_files != [NONE]:
        given = [(name, read_types("--btf", name)) for name in args.btf_files]
    try:
        types = TypeFiles(given)
    except ValueError as error:
        raise Unusable(f"--btf: {error}") from error
    features = frozenset[str]()
    if own and machine.readme is not None:
        features = features_of(machine.readme)
    elif types.kernel is not None:
        features = features_of_types(types.kernel)
    elif own:
        _speaker.say("this machine's kernel has no BTF that can be read: registers only (--btf FILE)")

    def call_format(call: str) -> str | None:
        return machine.event_format("syscalls", f"sys_enter_{call}") if own else None

    symbols = _symbols(args.kallsyms_file, machine if own else None)
    return Lookup(types, symbols, features, call_format, told=args.kallsyms_file is not None)


def _symbols(name: str | None, machine: Machine | None) -> Symbols:
    """Those of a file, or of this machine where nothing else is asked for."""
    from kptui.headless.lookup import Symbols

    def read() -> bytes | None:
        if name == NONE:
            return None
        if name is not None:
            return read_option("--kallsyms", name)
        return None if machine is None else machine.kallsyms()

    return Symbols(read, name)


def _answer(args: argparse.Namespace, lookup: Lookup) -> str:
    from kptui.headless import args_text

    found = lookup.find(args.symbol)
    if args.path is not None:
        reached = lookup.reach(found, args.path, returns=args.returns)
        return (
            args_text.path_json(reached) if args.json else args_text.path_text(reached, lookup.native(found))
        )
    if args.json:
        return args_text.as_json(found, lookup.features, returns=args.returns)
    return args_text.as_text(found, returns=args.returns)
