"""Filters written to a running kernel, and the kernel's answers compared with ours.

Three commands; only the last needs the package, so the first runs in any guest with Python 3.8 or later:

    python3 tests/realkernel/filters.py ask --seed 1 --count 1500 --out answers.json
    python3 tests/realkernel/filters.py ask --uprobes --out answers.json      a kernel without kprobes
    python3 -m tests.realkernel.filters compare answers.json ...

``ask`` makes an instance and probe events of its own, leaves them disabled, writes one filter after the
other and removes everything again. A filter that ends in ``&&``, ``||`` or ``!`` is never written: kernels
without the 2026 fix print a warning with a stack trace for some of them.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import random
import re
import sys
from pathlib import Path


def _words(text: str) -> list[str]:
    return text.split()


TRACEFS = Path("/sys/kernel/tracing")
# Two runs at the same time, and events of others, must not meet.
INSTANCE = f"kptui-filters-{os.getpid()}"
GROUP = f"kptuiflt{os.getpid()}"
KNOWN_FUNCTIONS = ("vfs_read", "vfs_write", "do_sys_openat2")
UNKNOWN_FUNCTIONS = ("nosuch_fn", "vfs_read)", "vfs_read+4", "vfs_read&&x", "'vfs_read'", "")
ADDRESSES = ("0x10", "0", "12x", "0xzz", "1" * 25, "99999999999999999999")

ARGS = (
    "r=%di u8v=%di:u8 u16v=%di:u16 u32v=%di:u32 u64v=%di:u64 s8v=%di:s8 s16v=%di:s16 s32v=%di:s32 "
    "s64v=%di:s64 "
    "x32v=%di:x32 bf=%di:b4@0/32 str=+0(%si):string ust=+0(%si):ustring arr4=+0(%dx):x8[4] "
    "arr3=+0(%dx):u16[3] "
    "big=+0(%dx):s64[2] strs=+0(%si):string[2]"
)
HIDING = "comm=%di:u32 cpu=+0(%si):string COMM=%dx:s8 CPU=%cx:u64"
EVENTS = {
    f"{GROUP}/flt": f"p:{GROUP}/flt do_sys_openat2 {ARGS} sym=$stack0:symbol",
    f"{GROUP}/hid": f"p:{GROUP}/hid do_sys_openat2 {HIDING}",
    f"{GROUP}/ret": f"r:{GROUP}/ret do_sys_openat2 ret=$retval:s32 retx=$retval",
}
STATIC = ("sched/sched_switch", "syscalls/sys_enter_openat", "ipi/ipi_send_cpumask")
NAMES = {
    f"{GROUP}/flt": ["r", "sym", "__probe_ip", *re.findall(r"(\w+)=", ARGS)],
    f"{GROUP}/hid": re.findall(r"(\w+)=", HIDING),
    f"{GROUP}/ret": ["ret", "retx", "__probe_func", "__probe_ret_ip"],
    "sched/sched_switch": ["prev_comm", "prev_pid", "prev_state", "next_prio"],
    "syscalls/sys_enter_openat": ["dfd", "filename", "flags", "__syscall_nr"],
    "ipi/ipi_send_cpumask": ["cpumask", "callsite"],
}
COMMON = _words(
    "comm COMM cpu CPU common_cpu common_pid common_type common_flags common_preempt_count "
    "stacktrace STACKTRACE "
    "common_tgid pid nosuch none common_stacktrace"
)
OPERATORS = ("~", "!=", "==", "<=", "<", ">=", ">", "&")
WRONG_OPERATORS = ("=", "!~", "=>", "=~", "|", "===", "in", "", "!", "<>", "<<", "&&", "~~", "==!")
NUMBERS = _words(
    "0 1 -1 -0 00 08 017 0x 0x1f 0XFF 0xg 1x 256 -129 65536 4294967296 9223372036854775807 "
    "9223372036854775808 "
    "-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 0xffffffffffffffff "
    "0x10000000000000000 +1 1.5 1e3 1_0 - -- 0b1 -0x5 0000000000000000000000001 12345678901234567890123"
)
STRINGS = (
    '""',
    '"a"',
    "'b c'",
    '"a*"',
    '"*"',
    '"[a-z]?"',
    '"9p*"',
    "'it\"s'",
    '"it\'s"',
    '"a && b"',
    '"(("',
    '"é"',
    '"' + "x" * 255 + '"',
    '"' + "x" * 256 + '"',
    '"unclosed',
    '"a\\"b"',
    "'\t'",
)
CPU_LISTS = _words(
    "0 1 0-1 N all ALL 0,1 ,0 0- -1 1-0 0-1:1/2 0-1:0/1 0-1:3/2 0:1/1 5 0,99999 0x1 none 0-N N-0 0-1:1/0 0N"
)
JUNK = [
    "(",
    ")",
    "!",
    "&&",
    "||",
    "&",
    "|",
    " ",
    "\t",
    "\n",
    "\u00a0",
    "#",
    ";",
    ",",
    "$",
    ".",
    "[0]",
    "é",
    "à",
    "=",
    "1",
]
JUNK += [
    "'",
    '"',
    "{",
    "}",
    "\\",
    "\udcff",
    "\udca0",
    "\0",
    "CPUS",
    ".function",
    ".ustring",
    "and",
    "or",
    "not",
]


def is_safe(text: str) -> bool:
    """Whether it may be written: complete in the kernel's eyes, whatever is cut off or stripped."""
    raw = text.encode("utf-8", "surrogateescape").split(b"\0")[0].rstrip(b"\t\n\v\f\r \xa0")
    return not raw.endswith((b"&&", b"||", b"!"))


class Generator:
    """Seeded filters for one event: valid, nearly valid, and garbage."""

    def __init__(self, seed: str, names: list[str]) -> None:
        self.random = random.Random(seed)
        self.names = names

    def blank(self) -> str:
        return self.random.choice(["", " ", " ", " ", "  ", "\t", "\n"])

    def name(self) -> str:
        return self.random.choice(self.names if self.random.random() < 0.75 else COMMON)

    def value(self) -> str:
        kind = self.random.random()
        if kind < 0.45:
            return (
                self.random.choice(NUMBERS)
                if self.random.random() < 0.6
                else str(self.random.randrange(-300, 70000))
            )
        if kind < 0.78:
            return self.random.choice(STRINGS)
        if kind < 0.9:
            brace = self.random.choice(["{}"] * 8 + ["{", "}", "", "()"])
            opening, closing = (brace[:1], brace[1:]) if brace != "}" else ("", "}")
            return f"CPUS{opening}{self.random.choice([*CPU_LISTS, ''])}{closing}"
        return self.random.choice(
            ["word", "a.b", "*x*", "$x", "", "(1)", "comm", "=", "CPU", "CPUS ", "true"]
        )

    def predicate(self) -> str:
        odd = self.random.random()
        name = self.name()
        operator = self.random.choice(OPERATORS)
        value = self.value()
        if odd < 0.08:
            operator = self.random.choice(WRONG_OPERATORS)
        elif odd < 0.16:
            name += ".function" if self.random.random() < 0.8 else ".ustring.function"
            value = self.random.choice([*KNOWN_FUNCTIONS * 2, *UNKNOWN_FUNCTIONS, *ADDRESSES])
            if self.random.random() < 0.7:
                operator = self.random.choice(["==", "!="])
            value += " "
        elif odd < 0.2:
            name += self.random.choice(
                [".ustring", ".function.ustring", ".Function", ". function", ".ustringx", "."]
            )
        elif odd < 0.23:
            name, value = value, name
        return f"{name}{self.blank()}{operator}{self.blank()}{value}"

    def valid(self) -> str:
        """A predicate that most events take."""
        return self.random.choice(
            ["common_pid == 1", "common_type != 0x1f", "common_flags & 1", "common_pid > -5"]
        )

    def expression(self, depth: int = 0) -> str:
        if depth > 3 or self.random.random() < 0.4:
            term = self.predicate() if self.random.random() < 0.6 else self.valid()
            return self.random.choice(["", "", "", "!", "! ", "!!"]) + term
        joint = (
            self.random.choice(["&&", "||"])
            if self.random.random() < 0.95
            else self.random.choice(["&", "|", "and", ""])
        )
        text = f"{self.expression(depth + 1)}{self.blank()}{joint}{self.blank()}{self.expression(depth + 1)}"
        return f"({text})" if self.random.random() < 0.4 else text

    def damaged(self) -> str:
        text = list(self.expression())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(text) + 1)
            if self.random.random() < 0.4 and text:
                del text[min(at, len(text) - 1)]
            else:
                text.insert(at, self.random.choice(JUNK))
        return "".join(text)

    def garbage(self) -> str:
        return "".join(
            self.random.choice([*JUNK, self.name(), self.random.choice(OPERATORS), self.value()])
            for _ in range(self.random.randrange(0, 9))
        )

    def one(self) -> str:
        kind = self.random.random()
        while True:
            if kind < 0.35:
                text = self.predicate()
            elif kind < 0.65:
                text = self.expression()
            elif kind < 0.85:
                text = self.damaged()
            elif kind < 0.98:
                text = self.garbage()
            else:
                term = "common_pid == 1"
                count = self.random.choice([200, 214, 215, 216, 240])
                text = " || ".join([term] * count)[: self.random.choice([4094, 4095, 4096, 4097, 5000])]
            if is_safe(text):
                return text


def put(path: Path, data: bytes) -> int:
    """One write as a shell's ``>>`` makes it; 0 or the errno."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    except OSError as error:
        return error.errno or -1
    try:
        os.write(fd, data)
    except OSError as error:
        return error.errno or -1
    finally:
        os.close(fd)
    return 0


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def define(definitions: Path, line: str) -> bool:
    """Define a probe, without the arguments that this kernel doesn't take."""
    while put(definitions, line.encode()):
        if "=" not in line:
            return False
        line = line.rsplit(" ", 1)[0]
    return True


def ask(args: argparse.Namespace) -> None:
    """Write filters to disabled events of an instance of our own; save every answer."""
    definitions = TRACEFS / ("uprobe_events" if args.uprobes else "kprobe_events")
    events: list[str] = []
    for event, line in EVENTS.items():
        if args.uprobes:
            line = re.sub(r"do_sys_openat2", f"{os.path.realpath(sys.executable)}:0x{args.offset:x}", line)
            line = re.sub(r" \w+=\$stack0:symbol", "", line)
        if define(definitions, line):
            events.append(event)
    instance = TRACEFS / "instances" / INSTANCE
    instance.mkdir(exist_ok=True)
    try:
        events += [event for event in STATIC if (TRACEFS / "events" / event / "filter").exists()]
        answers = []
        for number, event in enumerate(events):
            generator = Generator(f"{args.seed}-{event.rsplit('/', 1)[1]}", NAMES[event])
            share = args.count // len(events) + (number < args.count % len(events))
            folder = instance / "events" / event
            for _ in range(share):
                text = generator.one()
                (instance / "error_log").write_text("")
                code = put(folder / "filter", text.encode("utf-8", "surrogateescape"))
                answers.append(
                    {
                        "event": event,
                        "filter": text,
                        "errno": code,
                        "file": text_of(folder / "filter"),
                        "error_log": text_of(instance / "error_log"),
                    }
                )
            put(folder / "filter", b"0")
        result = {
            "release": os.uname().release,
            "cpus": int(re.split(r"[-,]", Path("/sys/devices/system/cpu/possible").read_text().strip())[-1])
            + 1,
            "formats": {event: text_of(instance / "events" / event / "format") for event in events},
            "answers": answers,
        }
        Path(args.out).write_text(json.dumps(result))
        print(f"{result['release']}: {len(answers)} filters on {len(events)} events")
    finally:
        with contextlib.suppress(OSError):
            instance.rmdir()
        for event in EVENTS:
            put(definitions, f"-:{event}\n".encode())


def logged(text: str) -> tuple[str, str, int] | None:
    """Message, command and caret of the one entry in an error_log; None when it is empty."""
    match = re.match(
        r"\[[^\]]*\] event filter parse error: error: ([^\n]*)\n  Command: (.*)\n( *)\^\n\Z", text, re.DOTALL
    )
    if match is None:
        return None
    return match[1], match[2], len(match[3]) - len("  Command: ")


def compare(args: argparse.Namespace) -> int:
    """Print the agreement for each file of answers and every difference; 1 if there is one."""
    from kptui.events.format import parse_format
    from kptui.filters.check import check_filter, filter_file
    from kptui.filters.features import features_from_release

    worst = 0
    for path in args.answers:
        saved = json.loads(Path(path).read_text())
        formats = {event: parse_format(text) for event, text in saved["formats"].items()}
        features = features_from_release(saved["release"])
        differences = 0
        messages: dict[str, int] = {}
        for answer in saved["answers"]:
            verdict = check_filter(
                answer["filter"],
                formats[answer["event"]],
                features,
                has_function=lambda name: name in KNOWN_FUNCTIONS,
                cpus=saved["cpus"],
            )
            entry = logged(answer["error_log"])
            theirs: tuple[object, ...] = (answer["errno"] and errno.errorcode[answer["errno"]], entry)
            first = verdict.problems[0] if verdict.problems else None
            ours: tuple[object, ...] = (
                verdict.errno or 0,
                (first.message, verdict.command, first.column) if first else None,
            )
            said = entry[0] if entry else ("accepted" if not answer["errno"] else "refused without a word")
            messages[said] = messages.get(said, 0) + 1
            # A refusal without an entry leaves the file as it was; of a very long text the kernel's buffer
            # has no room for caret and message.
            if verdict.ok or (verdict.problems and len(verdict.command) < 1900):
                theirs, ours = (*theirs, answer["file"]), (*ours, filter_file(verdict))
            if ours != theirs:
                differences += 1
                if differences <= args.show:
                    print(f"  {answer['event']}: {answer['filter']!r:.300}")
                    print(f"    kernel {theirs!s:.600}\n    ours   {ours!s:.600}")
        count = len(saved["answers"])
        print(f"{saved['release']}: {count - differences} of {count} agree")
        if args.verbose:
            for message, times in sorted(messages.items(), key=lambda item: -item[1]):
                print(f"  {times:6} {message}")
        worst = max(worst, differences)
    return 1 if worst else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    asking = commands.add_parser("ask", help="write filters to this kernel and save its answers")
    asking.add_argument("--seed", default="1")
    asking.add_argument("--count", type=int, default=1500)
    asking.add_argument("--out", required=True)
    asking.add_argument(
        "--uprobes", action="store_true", help="probes on this Python instead of a kernel function"
    )
    asking.add_argument("--offset", type=lambda text: int(text, 0), default=0x1000, help="where in it")
    comparing = commands.add_parser("compare", help="compare saved answers with the package's verdicts")
    comparing.add_argument("answers", nargs="+")
    comparing.add_argument("--show", type=int, default=20, help="how many differences to print")
    comparing.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if args.command == "ask":
        ask(args)
        return 0
    return compare(args)


if __name__ == "__main__":
    sys.exit(main())
