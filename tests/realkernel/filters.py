"""Filters written to a running kernel, and the kernel's answers compared with ours.

    python3 -m tests.realkernel.filters ask --seed 1 --count 1500 --out answers.json
    python3 -m tests.realkernel.filters ask --uprobes --out answers.json      a kernel without kprobes
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
import re
import sys
import time
from pathlib import Path
from typing import Any

from kptui.events.format import EventFormat, parse_format
from kptui.filters.check import check_filter, filter_file
from kptui.filters.features import features_from_btf_names
from kptui.filters.fields import field_table
from kptui.filters.refusal import MESSAGES
from kptui.probes.check.traits import release_numbers
from tests.realkernel.agree import Agreement, cut_entry
from tests.realkernel.filters_gen import Generator
from tests.realkernel.words import BTF_FILE, TRACEFS, kallsyms

# Two runs at the same time, and events of others, must not meet.
INSTANCE = f"kptui-filters-{os.getpid()}"
GROUP = f"kptuiflt{os.getpid()}"
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
STATIC = (
    "sched/sched_switch",
    "syscalls/sys_enter_openat",
    "ipi/ipi_send_cpumask",
    "workqueue/workqueue_execute_start",
    "sched/sched_process_exec",
    "irq/irq_handler_entry",
)
_IN_FILE = 1900
"""Bytes of a filter beyond which the kernel's buffer may have no room for caret and message (a page)."""


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


def codes() -> list[str]:
    """The names of this kernel's own messages, from its BTF; [] where there is none."""
    if not BTF_FILE.exists():
        return []
    return sorted({name.decode() for name in re.findall(rb"\0(FILT_ERR_\w+)", BTF_FILE.read_bytes())})


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
        features = features_from_btf_names(frozenset(codes()), os.uname().release)
        formats = {event: text_of(instance / "events" / event / "format") for event in events}
        answers = []
        for number, event in enumerate(events):
            fields = field_table(parse_format(formats[event]), features)
            generator = Generator(f"{args.seed}-{event.rsplit('/', 1)[1]}", fields, features)
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
        words = {word for answer in answers for word in re.findall(r"[\w.]+", str(answer["filter"]))}
        result = {
            "release": os.uname().release,
            "readme": text_of(TRACEFS / "README"),
            "seed": args.seed,
            "codes": codes(),
            "symbols": sorted(words & {symbol[2] for symbol in kallsyms()}),
            "cpus": int(re.split(r"[-,]", Path("/sys/devices/system/cpu/possible").read_text().strip())[-1])
            + 1,
            "formats": formats,
            "answers": answers,
        }
        Path(args.out).write_text(json.dumps(result))
        print(f"{result['release']}: {len(answers)} filters on {len(events)} events")
    finally:
        with contextlib.suppress(OSError):
            instance.rmdir()
        for event in EVENTS:
            put(definitions, f"-:{event}\n".encode())


def logged(text: str, *, cut: bool = False) -> tuple[str, int, str] | None:
    """Message, caret and command of the one entry in an error_log; None when it is empty. ``cut``: it must be one
    that the log had no room for, see cut_entry.
    """
    end = r"(.*\^)\n\Z" if cut else r"(.*)\n( *)\^\n\Z"
    match = re.match(
        rf"\[[^\]]*\] event filter parse error: error: ([^\n]*)\n  Command: {end}", text, re.DOTALL
    )
    if match is None:
        return None
    return match[1], -1 if cut else len(match[3]) - len("  Command: "), match[2]


def judged(answer: dict[str, Any], fmt: EventFormat, saved: dict[str, Any]) -> tuple[object, object]:
    """Our word and the kernel's on one filter: errno, entry, and what the filter file reads afterwards."""
    names = frozenset(saved["codes"])
    verdict = check_filter(
        answer["filter"],
        fmt,
        features_from_btf_names(names, saved["release"]),
        has_function=lambda name: name in saved["symbols"],
        cpus=saved["cpus"],
    )
    first = verdict.problems[0] if verdict.problems else None
    entry = (first.message, first.column, verdict.command) if first else None
    cut = entry is not None and release_numbers(saved["release"]) < (5, 18, 0)
    entry = cut_entry(*entry) if cut and entry is not None else entry
    theirs: tuple[object, ...] = (
        answer["errno"] and errno.errorcode[answer["errno"]],
        logged(answer["error_log"], cut=entry is not None and entry[1] < 0),
    )
    ours: tuple[object, ...] = (verdict.errno or 0, entry)
    # A refusal without an entry leaves the file as it was; of a very long text the kernel's buffer has no
    # room for caret and message.
    if verdict.ok or (verdict.problems and len(verdict.command) < _IN_FILE):
        theirs, ours = (*theirs, answer["file"]), (*ours, filter_file(verdict))
    return ours, theirs


def compared(path: Path) -> Agreement:
    """How far one file of answers agrees with the checker."""
    saved = json.loads(path.read_text())
    formats = {event: parse_format(text) for event, text in saved["formats"].items()}
    known = [MESSAGES.get(name.removeprefix("FILT_ERR_"), name) for name in saved["codes"]]
    found = Agreement(saved["release"], "filters", str(saved["seed"]), known=frozenset(known))
    for answer in saved["answers"]:
        start = time.perf_counter()
        ours, theirs = judged(answer, formats[answer["event"]], saved)
        found.spent.append(time.perf_counter() - start)
        entry = logged(answer["error_log"]) or logged(answer["error_log"], cut=True)
        said = entry[0] if entry else ("refused without a word" if answer["errno"] else "accepted")
        found.total += 1
        found.accepted += not answer["errno"]
        found.messages[said] += 1
        if ours == theirs:
            found.agreed += 1
        else:
            text = f"{answer['event']}: {answer['filter']!r:.300}"
            found.classes[said].append(f"{text}\n      ours {ours!s:.600}\n      real {theirs!s:.600}")
    return found


def compare(args: argparse.Namespace) -> int:
    """Print the agreement for each file of answers and every difference; 1 if there is one."""
    found = [compared(Path(path)) for path in args.answers]
    for agreement in found:
        print(agreement.text(args.show))
    return 1 if any(agreement.classes for agreement in found) else 0


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
    args = parser.parse_args()
    if args.command == "ask":
        ask(args)
        return 0
    return compare(args)


if __name__ == "__main__":
    sys.exit(main())
