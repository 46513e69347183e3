"""Synthetic events: ``s:[synthetic/]NAME TYPE FIELD[; TYPE FIELD]…`` (kernel/trace/trace_events_synth.c).

The kernel's own parser, on the raw line: the log shows the line as it was written, and a caret stands where
the text that is wrong occurs **first** in it. Kernels before 5.12, which read words instead, are judged by the
same rules.
"""

from __future__ import annotations

from typing import Final

from kptui.probes.check import ktext
from kptui.probes.check.head import NotMine
from kptui.probes.check.log import Log
from kptui.probes.check.standing import standing_of
from kptui.probes.check.target import Target

MAX_FIELDS: Final = 64
MAX_STRING: Final = 256
_PREFIX: Final = "synthetic/"
_TYPES: Final = frozenset({
    "s64", "u64", "s32", "u32", "s16", "u16", "s8", "u8", "char", "unsigned char", "int", "unsigned int",
    "long", "unsigned long", "bool", "pid_t", "gfp_t",
})  # fmt: skip
_SPACE: Final = "\t\n\v\f\r \xa0"


def read(log: Log, target: Target) -> None:
    """The whole line, judged. Refused as the kernel does; NotMine for another kind's."""
    listed_form(log, target)


def listed_form(log: Log, target: Target) -> str:
    """How the kernel will list the line (create_synth_event). Refused as the kernel does."""
    raw = log.line.lstrip(_SPACE)
    if "synthetic" not in target.features:
        raise NotMine("This kernel has no synthetic events.")
    if not raw.startswith("s:"):
        raise NotMine("A synthetic event is written s:NAME TYPE FIELD; …")
    log.probe = "synthetic"
    log.show(raw, len(log.line) - len(raw))
    blank = min((at for at in (raw.find(" "), raw.find("\t")) if at >= 0), default=-1)
    if blank < 0:
        raise log.refuse(0, "SYNTH_INVALID_CMD")
    start = 2
    if "/" in raw[start:]:
        if not raw.startswith(_PREFIX, start):
            raise log.refuse(0, "SYNTH_INVALID_DYN_CMD")
        start += len(_PREFIX)
    first = raw[start:].partition(";")[0]
    if not first.startswith("!") and len(ktext.split_words(first)) < 3:
        raise log.refuse(0, "SYNTH_INVALID_CMD")
    name = raw[start:blank]
    if not name:
        raise log.refuse(0, "SYNTH_INVALID_CMD")
    if not ktext.is_good_name(name):
        raise log.refuse(raw.find(name), "SYNTH_BAD_NAME")
    if any(old.probe == "synthetic" for old in standing_of(target, name)):
        raise log.refuse(raw.find(name), "SYNTH_EVENT_EXISTS", "EEXIST")
    fields = _fields(log, target, raw, raw[blank:].lstrip(_SPACE))
    return f"s:{_PREFIX}{name}\t{'; '.join(fields)}"


def _fields(log: Log, target: Target, raw: str, text: str) -> list[str]:
    listed: list[str] = []
    for part in text.split(";"):
        words = [word for _, word in ktext.split_words(part)]
        while words:
            used, field = _field(log, target, raw, words)
            words = words[used:]
            listed.append(field)
            if len(listed) > MAX_FIELDS:
                raise log.refuse(0, "SYNTH_TOO_MANY_FIELDS")
    if not listed:
        raise log.refuse(0, "SYNTH_INVALID_CMD")
    return listed


def _field(log: Log, target: Target, raw: str, words: list[str]) -> tuple[int, str]:
    """How many words one field takes, and how it is listed (parse_synth_field)."""
    prefix, used = "", 1
    if words[0] == "unsigned":
        if len(words) < 3:
            raise log.refuse(raw.find(words[0]), "SYNTH_INCOMPLETE_TYPE")
        prefix, used = "unsigned ", 2
    kind = words[used - 1]
    if len(words) <= used:
        raise log.refuse(raw.find(kind), "SYNTH_INVALID_FIELD")
    field = words[used]
    name, bracket, rest = field.partition("[")
    if not ktext.is_good_name(name):
        raise log.refuse(raw.find(field), "SYNTH_BAD_NAME")
    if not _is_type(target, f"{prefix}{kind}{bracket}{rest}"):
        if bracket and "char[" in f"{kind}{bracket}":  # a text: what is wrong must be its length
            raise log.refuse(raw.find(field), "SYNTH_INVALID_ARRAY_SPEC")
        raise log.refuse(raw.find(kind), "SYNTH_INVALID_TYPE")
    return used + 1, f"{prefix}{kind}{bracket}{rest} {name}"


def _is_type(target: Target, kind: str) -> bool:
    """Whether a type, brackets of its field included, has a size (synth_field_size)."""
    if kind in _TYPES:
        return True
    if "char[" not in kind:
        return "long[" in kind and target.traits.synth_stack
    start = kind.find("char[") + len("char[")
    end = kind.find("]")
    if end < start or end != len(kind) - 1 or end - start > 3:
        return False
    try:
        return start == end or ktext.kstrtouint(kind[start:end]) <= MAX_STRING
    except ktext.NumberError:
        return False
