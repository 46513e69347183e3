"""``kptui check [FILE|-]``: what a kernel would say of definitions or filters, before any kernel sees them.

Exit status: 0 all lines accepted, 1 some refused, 2 wrong usage, or something that can't be read or written.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from kptui.headless.manners import (
    WANTED_TYPES,
    Output,
    Speaker,
    Unusable,
    forget_output,
    open_input,
    physical_lines,
    read_option,
    read_types,
    reason,
)

if TYPE_CHECKING:
    from kptui.kernel.target.assemble import Given, KernelTarget
    from kptui.verdict import Verdict

ACCEPTED, REFUSED, UNUSABLE = 0, 1, 2
NONE: Literal["none"] = "none"
_KINDS = ("kprobe", "uprobe", "dynamic")
Judge = Callable[[str], "Verdict"]
_SEARCHES = 100
_LINE = re.compile(r"\s*(?:[prfte]\d*(?::\S*)?\s+\S|[-!]:)")  # hardly the name of a file
_speaker = Speaker("check")

_DESCRIPTION = """\
Says of each line what the kernel would say if it were written: accepted or refused, with the
kernel's own message, column and errno. Nothing is written to any kernel. A file left out is this
machine's; where it has none, the newest kernel known to kptui stands in, which is said."""

_EPILOG = """\
Exit status: 0 all lines accepted, 1 some refused, 2 wrong usage or unreadable files."""


def add_parser(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The subcommand and its arguments."""
    parser = sub.add_parser(
        "check",
        help="what the kernel would say of probe definitions or filters",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default="-",
        help="lines to check, or - for standard input (default)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--kind",
        choices=_KINDS,
        help="the file of tracefs they are for (default: kprobe, for kprobe_events)",
    )
    parser.add_argument(
        "--sequence",
        action="store_true",
        help="one session: what a line defines or removes counts for the next",
    )
    parser.add_argument("--filter", action="store_true", help="the lines are event filters; needs --format")
    parser.add_argument("--format", metavar="FILE", help="the event's tracefs format file")
    # Not the names of the screen's options: those before the command are another thing.
    parser.add_argument("--readme", metavar="FILE", dest="readme_file", help="tracefs's README of the kernel")
    parser.add_argument(
        "--kallsyms",
        metavar="FILE|none",
        dest="kallsyms_file",
        help="its symbols; none: every symbol exists once",
    )
    parser.add_argument(
        "--btf",
        metavar="FILE|none",
        dest="btf_file",
        help="its /sys/kernel/btf/vmlinux; none: has no BTF arguments",
    )
    parser.add_argument(
        "--existing", metavar="FILE", dest="existing_file", help="definitions that stand there already"
    )
    parser.add_argument("--release", metavar="TEXT", dest="release_text", help="its uname -r")
    parser.set_defaults(stray=_stray)
    return parser


def _stray(args: argparse.Namespace, stray: Sequence[str], argv: Sequence[str]) -> str:
    """What to say of words too many: mostly they are those of a line, which the shell took apart."""
    removal = stray[0].startswith("-:")  # looks like an option
    if any(word.startswith("--") for word in stray) or removal is not (args.file == "-"):
        return ""
    return _how([*stray] if removal else [args.file, *stray], argv)


def _how(words: Sequence[str], argv: Sequence[str]) -> str:
    """How the words of a line among those of a command are given instead."""
    left = ["kptui", *argv]
    for word in words:
        left.remove(word)
    return (
        f"a line is quoted and given so: printf '%s\\n' {shlex.quote(' '.join(words))} | {shlex.join(left)}"
    )


def run_check(args: argparse.Namespace) -> int:
    """Do what ``args`` say; the exit status."""
    try:
        _check_usage(args)
        judged = _Judged(args)
        fd = _open(args.file, args.argv)
    except Unusable as error:
        _speaker.say(str(error))
        return UNUSABLE
    try:
        return judged.run(fd)
    except Unusable as error:
        _speaker.say(str(error))
        return UNUSABLE
    except BrokenPipeError:  # the reader of our output has all it wanted (| head)
        forget_output()
        return judged.status
    except OSError as error:
        forget_output()
        _speaker.say(f"can't write standard output: {reason(error)}")
        return UNUSABLE
    finally:
        if fd:
            os.close(fd)


def _open(name: str, argv: Sequence[str]) -> int:
    try:
        return open_input(name)
    except Unusable as error:
        if _LINE.match(name) is None:
            raise
        raise Unusable(f"{error}; {_how([name], argv)}") from error


def _check_usage(args: argparse.Namespace) -> None:
    if args.filter and (args.sequence or args.kind is not None):
        option = "--sequence" if args.sequence else "--kind"
        raise Unusable(f"{option} is about definitions and doesn't go with --filter")
    if args.filter and args.existing_file is not None:  # a script may have one list of options for both
        _speaker.say("--existing is about definitions: filters are judged without it")
    if args.filter and args.format is None:
        raise Unusable("--filter needs --format FILE, the format file of the event that the filters are for")
    if args.format is not None and not args.filter:
        raise Unusable("--format goes with --filter")
    if args.release_text is not None and not any(char.isdigit() for char in args.release_text):
        raise Unusable("--release needs a kernel release, as uname -r prints it: 6.12.95-amd64")


class _Judged:
    """The lines judged so far; the judge is made when the first line comes."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._name = "<stdin>" if args.file == "-" else str(args.file)
        self._given = _given(args)
        self._format = read_option("--format", args.format) if args.format is not None else b""
        self._kernel: KernelTarget | None = None
        self._judge: Judge | None = None
        self._said = 0
        self.lines = self.refused = 0

    @property
    def status(self) -> int:
        return REFUSED if self.refused else ACCEPTED

    def run(self, fd: int) -> int:
        from kptui.headless.verdicts import as_json, as_text
        from kptui.safetext import decode, neutralise

        if os.isatty(fd):
            _speaker.say("reads lines as they are typed; ctrl+d ends them (or give a FILE)")
        output = Output()
        name = neutralise(self._name)
        for batch in physical_lines(fd, "standard input" if fd == 0 else self._name):
            out = []
            for raw in batch:
                line = decode(raw)
                verdict = self._verdict(line)
                self.lines += 1
                self.refused += not verdict.ok
                text = line.removesuffix("\n")
                if self._args.json:
                    out.append(as_json(self.lines, text, verdict))
                else:
                    out.append(as_text(name, self.lines, text, verdict))
            self._remark()
            output.write("".join(out))
        if not self._args.json:
            output.write(f"{self.lines - self.refused} of {self.lines} accepted, {self.refused} refused\n")
        return self.status

    def _verdict(self, line: str) -> Verdict:
        if self._judge is None:
            try:
                self._judge = self._make_judge()
            except ValueError as error:
                raise Unusable(str(error)) from error
        return self._judge(line)

    def _remark(self) -> None:
        remarks = self._kernel.remarks if self._kernel is not None else []
        for sentence in remarks[self._said :]:
            _speaker.say(sentence)
        self._said = len(remarks)

    def _make_judge(self) -> Judge:
        from kptui.kernel.target.assemble import KernelTarget
        from kptui.kernel.target.machine import Machine

        kernel = self._kernel = KernelTarget(self._given, Machine(), self._args.kind or "kprobe")
        if self._args.filter:
            return self._filter_judge(kernel)
        target = kernel.definitions
        if self._args.sequence:
            from kptui.probes.check.session import CheckSession

            return self._with_nearest(kernel, CheckSession(target).check)
        from kptui.probes.check import check_definition

        return self._with_nearest(kernel, lambda line: check_definition(line, target))

    def _with_nearest(self, kernel: KernelTarget, judge: Judge) -> Judge:
        """Names like one that isn't there are looked for a hundred times, no more: that takes its time."""
        from kptui.symbols.near import may_be_unknown, offer_near

        left = iter(range(_SEARCHES))

        def judged(line: str) -> Verdict:
            verdict = judge(line)
            if may_be_unknown(verdict) and next(left, None) is not None:
                return offer_near(verdict, line, kernel.search)
            return verdict

        return judged

    def _filter_judge(self, kernel: KernelTarget) -> Judge:
        from kptui.events.format import parse_format
        from kptui.filters import check_filter
        from kptui.safetext import decode

        try:
            event = parse_format(decode(self._format))
        except ValueError as error:
            raise Unusable(f"--format {self._args.format}: {error}") from error
        features, function, cpus = kernel.filter_features, kernel.has_function, kernel.cpus
        return lambda line: check_filter(line, event, features, has_function=function, cpus=cpus)


def _given(args: argparse.Namespace) -> Given:
    """The files that were given, read; Unusable for what is not what its option says."""
    from kptui.kernel.target.assemble import Given
    from kptui.safetext import decode

    readme = existing = None
    if args.readme_file is not None:
        readme = decode(read_option("--readme", args.readme_file))
        if "_events" not in readme:
            raise Unusable(f"--readme {args.readme_file} is no README of tracefs: it names none of its files")
    if args.existing_file is not None:
        text = decode(read_option("--existing", args.existing_file))
        existing = tuple(text.removesuffix("\n").split("\n")) if text else ()
    return Given(
        readme=readme,
        kallsyms=_or_none("--kallsyms", args.kallsyms_file),
        btf=_or_none("--btf", args.btf_file),
        existing=existing,
        release=args.release_text,
    )


def _or_none(option: str, name: str | None) -> bytes | Literal["none"] | None:
    if name is None or name == NONE:
        return NONE if name == NONE else None
    if option == "--btf":
        from kptui.btf.header import is_split

        data = read_types(option, name)
        if is_split(data):
            raise Unusable(f"{option} {name} is a module's BTF; {WANTED_TYPES}")
        return data
    data = read_option(option, name)
    if not data:
        raise Unusable(f"{option} {name} is empty")
    return data
