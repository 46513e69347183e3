"""Words 0 and 1 of an event probe (``e``), its filter, and its registration (kernel/trace/trace_eprobe.c)."""

from __future__ import annotations

from typing import Final

from kptui.probes.check.fetch import Parsed
from kptui.probes.check.head import DEFAULT_GROUPS, Head, NotMine, event_name, limit_count
from kptui.probes.check.log import Log, Probe, Refused
from kptui.probes.check.standing import Standing, look_up_data, standing_of
from kptui.probes.check.target import Target
from kptui.verdict import Verdict

_OWN: Final = "ftrace"
_NOT_ATTACHABLE: Final[frozenset[Probe]] = frozenset({"kernel", "user", "event"})


def read_head(log: Log, target: Target) -> Head:
    """``e[:EVENT] SYSTEM.EVENT … [if FILTER]`` (__trace_eprobe_create)."""
    if "eprobe" not in target.features:
        raise NotMine("This kernel has no event probes.")
    if len(log.words) < 2:
        raise NotMine("An event probe needs an event to watch, as in “e sched.sched_switch”.")
    log.probe = "event"
    command, word = log.words[:2]
    group, event = DEFAULT_GROUPS["event"], None
    colon = command.find(":", 1)
    if colon >= 0:
        group, event = event_name(log, target, command[colon + 1 :], colon + 1)
    log.index = 1
    attached = _attached(log, target, word)
    end = next((i for i, other in enumerate(log.words) if i > 1 and other == "if"), len(log.words))
    limit_count(log, target, log.words[2:end])
    if not _exists(target, *attached):
        raise log.refuse(0, "BAD_ATTACH_EVENT", "ENODEV")
    if end < len(log.words):
        _filter(log, target, attached, end + 1)
    return Head(
        False, False, False, None, 0, group, attached[1] if event is None else event,
        probe="event", attached=attached, arguments_end=end,
    )  # fmt: skip


def _attached(log: Log, target: Target, word: str) -> tuple[str, str]:
    try:
        system, event = event_name(log, target, word, 0)
    except Refused:
        log.err(0, "NO_EVENT_INFO")
        raise
    if event is None or ("/" not in word and "." not in word):
        raise log.refuse(0, "NO_EVENT_INFO")
    return system, event


def _find(target: Target, system: str, event: str) -> Standing | None:
    return next((old for old in standing_of(target, event) if old.group == system), None)


def _exists(target: Target, system: str, event: str) -> bool:
    """Whether there is such an event, and of a kind that can be watched: neither a probe nor one of ftrace's own
    (find_and_get_event).
    """
    if system == _OWN:
        return False
    standing = _find(target, system, event)
    if standing is not None:
        return standing.probe not in _NOT_ATTACHABLE
    known = target.event_exists(system, event) if target.event_exists is not None else None
    return known is not False


def fields_of(target: Target, head: Head) -> frozenset[str] | None:
    """Names of the watched event's own fields; None: unknown."""
    if head.attached is None:
        return None
    known = target.event_fields(*head.attached) if target.event_fields is not None else None
    if known is not None:
        return frozenset(known)
    standing = _find(target, *head.attached)
    return frozenset(standing.fields) if standing is not None else None


def _filter(log: Log, target: Target, attached: tuple[str, str], first: int) -> None:
    if first >= len(log.words):
        log.index = first
        raise log.refuse(0, "NO_EP_FILTER")
    if target.check_event_filter is None:
        return
    text = " ".join(log.words[first:]).encode("latin-1").decode("utf-8", "surrogateescape")
    verdict = target.check_event_filter(*attached, text)
    if verdict is None:
        return
    log.filter = (verdict, first)
    if not verdict.ok:
        raise Refused("EINVAL", verdict.sentence)


def filter_in_line(verdict: Verdict, log: Log, first: int, position: int) -> int:
    """The byte in the line as typed for a character in the filter's text, which the kernel joins by blanks."""
    at = len(verdict.command[:position].encode("utf-8", "surrogateescape"))
    for start, word in zip(log.starts[first:], log.typed[first:], strict=True):
        if at <= len(word):
            return start + at
        at -= len(word) + 1
    return log.starts[-1] + len(log.typed[-1])


def finish_argument(log: Log, target: Target, head: Head, arg: Parsed) -> None:
    """What follows the parsing of each argument: its field, where that is looked up so late, and symbols."""
    fields = fields_of(target, head)
    if not target.traits.moving_caret and arg.field is not None and fields is not None:
        known = arg.field in fields or arg.field in {"comm", "COMM"}
        if not known:
            raise log.refuse(0, "BAD_ATTACH_ARG", "ENOENT")
    for name in arg.symbols:
        if not look_up_data(log, target, name, logged=False):
            raise Refused("ENOENT", f"The kernel has no symbol {name}.")


def register(log: Log, target: Target, head: Head, args: list[Parsed]) -> None:
    """A second event probe of the same name is none that joins: every taken name is refused."""
    taken = _find(target, head.group, head.event or "") is not None
    if taken or (target.event_exists and target.event_exists(head.group, head.event or "")):
        log.index = 0
        raise log.refuse(0, "EVENT_EXIST", "EEXIST")
