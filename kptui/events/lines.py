"""The shapes of trace lines that stand at fixed columns.

A command name holds any byte but NUL, a file name too, so nothing may be searched for: in the normal format
the ``-`` before the pid is always byte 16 (``%16s-%-7d``, kernel/trace/trace_output.c trace_print_context),
in latency-format byte 8 (``%8.8s-%-7d``), and from there on the pattern is strict.
"""

from __future__ import annotations

import re

COMM_WIDTH = 16

_TAIL = (
    rb"(?:\(( *\d{1,10}|-+)\) )?"  # tgid with record-tgid
    rb"\[(\d{3,10})\] "
    rb"(?:(\S{4,8}) )?"  # 4 flags before 5.15, 5 since, up to 7 on PREEMPT_RT; none with noirq-info
    rb" *(\d+(?:\.\d{6})?): "
)
# Groups: comm, pid, tgid, cpu, flags, time. Numbers are bounded: what is longer comes from no kernel.
NORMAL = re.compile(rb"([^\n]{16})-(-?\d{1,10}) +" + _TAIL)
# A newline in the name: here the pid must also fill its column (7, 5 before 5.10), as a short name can't.
_PID_COLUMN = rb"(?=(?:\d[\d ]{6}|\d[\d ]{4}|\d{6,}) [\[(])"
NORMAL_SPLIT = re.compile(rb"((?s:.{16}))-" + _PID_COLUMN + rb"(-?\d{1,10}) +" + _TAIL)
# Groups: comm, pid, cpu, flags, time with its unit, mark.
LATENCY = re.compile(rb"((?s:.{8}))-(-?\d{1,10}) +(\d{1,10})([^\s\d]\S{3,7}) +(-?\d+(?:us)?)([ !#*+@$]?): ")

NAME = re.compile(r"([^\s:(]+(?: \[[^\]\n]*\])?):(?: |$)")
STACKS = ("<stack trace>", "<user stack trace>")  # records without a name
MARKER = "tracing_mark_write"

LOST = re.compile(rb"CPU:(\d{1,10}) \[LOST (?:(\d{1,20}) )?EVENTS\]")
ANNOTATE = re.compile(rb"##### CPU \d+ [^\n]*####")
TOO_BIG = b"[LINE TOO BIG]"
# Options raw and hex: never the rest of a string that is known to be complete.
_NUMERIC = re.compile(rb"\d+ \d+ \d+ type: \d+|[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{16} type: \d+")


def is_start(line: bytes, pos: int = 0) -> re.Match[bytes] | None:
    """The prefix of a record at ``pos``, or None. A name with newlines needs its lines together."""
    return (
        NORMAL.match(line, pos)
        or LATENCY.match(line, pos)
        or (NORMAL_SPLIT.match(line, pos) if line.find(b"\n", pos, pos + COMM_WIDTH) >= 0 else None)
    )


def is_standalone(line: bytes) -> bool:
    """Whether ``line`` (no newline) is a record of its own that has no prefix: stack, LOST, header and the
    like.
    """
    first = line[:1]
    if first == b" ":
        return line.startswith(b" => ")
    if first == b"#":
        return True
    if first == b"C":
        return LOST.fullmatch(line) is not None
    return line == TOO_BIG or _NUMERIC.fullmatch(line) is not None
