"""Words 0 and 1 of a probe on a function's entry or exit (``f``) or on a tracepoint (``t``), and its
registration (kernel/trace/trace_fprobe.c).
"""

from __future__ import annotations

from typing import Final

from kptui.probes.check import ktext
from kptui.probes.check.fetch import Parsed
from kptui.probes.check.head import DEFAULT_GROUPS, Head, NotMine, event_name, sanitised
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.place import maxactive
from kptui.probes.check.standing import Standing, look_up_data, same_name, standing_of
from kptui.probes.check.target import Target

MAX_ENTRY_ARGS: Final = 15
"""Parameters that an exit probe can keep from the entry (MAX_FPROBE_DATA_SIZE_WORD)."""
_RETVAL: Final = "$retval"


def read_head(log: Log, target: Target) -> Head:
    """``f[:EVENT] SYMBOL[%return]`` or ``t[:EVENT] TRACEPOINT`` (__trace_fprobe_create)."""
    command = log.words[0]
    tracepoint = command[0] == "t"
    if ("tprobe" if tracepoint else "fprobe") not in target.features:
        raise NotMine(f"This kernel has no {'tracepoint probes' if tracepoint else 'fprobes'}.")
    if len(log.words) < 2:
        what = "tracepoint" if tracepoint else "function"
        raise NotMine(f"A definition needs a {what} after the command.")
    log.probe = "tracepoint" if tracepoint else "function"
    colon, active = _command(log, target, command)
    log.index = 1
    symbol, returns = _place(log, tracepoint=tracepoint)
    log.index = 0
    if active and not returns:
        raise log.refuse(1, "BAD_MAXACT_TYPE")
    group, event = DEFAULT_GROUPS[log.probe], None
    if colon >= 0:
        group, event = event_name(log, target, command[colon + 1 :], colon + 1)
    if event is None:
        event = _generated(symbol, tracepoint=tracepoint, returns=returns)
    if tracepoint and not target.traits.tracepoint_waits and not target.count(f"__tracepoint_{symbol}"):
        log.index = 1
        raise log.refuse(0, "NO_TRACEPOINT")
    return Head(returns, returns, not returns, symbol, 0, group, event, probe=log.probe)


def _command(log: Log, target: Target, command: str) -> tuple[int, bool]:
    """Where the colon is (-1: no name), and whether there is a number of instances."""
    if target.traits.fprobe_maxactive:
        colon = command.find(":", 1)
        if not ktext.is_digit(command[1:]):
            return colon, False
        maxactive(log, command[1 : colon if colon >= 0 else None])
        return colon, True
    if command[1:2] not in {"", ":"}:
        raise log.refuse(1, "BAD_MAXACT")
    return (1 if command[1:] else -1), False


def _place(log: Log, *, tracepoint: bool) -> tuple[str, bool]:
    """Symbol, and whether the probe is at its exit: said so, or because an argument reads ``$retval``."""
    symbol, percent, suffix = log.words[1].partition("%")
    if percent:
        if tracepoint or suffix != "return":
            raise log.refuse(len(symbol), "BAD_ADDR_SUFFIX")
        return symbol, True
    if tracepoint:
        for at, char in enumerate(symbol):
            if not _is_word(char):
                raise log.refuse(at, "BAD_TP_NAME")
    for number, word in enumerate(log.words[2:], 2):
        at = word.find(_RETVAL)
        if at >= 0 and not _is_word(word[at + len(_RETVAL) :]):
            if not tracepoint:
                return symbol, True
            log.index = number
            raise log.refuse(at, "RETVAL_ON_PROBE")
    return symbol, False


def _is_word(text: str) -> bool:
    return ktext.is_letter(text) or ktext.is_digit(text) or text[:1] == "_"


def _generated(symbol: str, *, tracepoint: bool, returns: bool) -> str:
    if tracepoint:
        return sanitised(f"{'_' if ktext.is_digit(symbol) else ''}{symbol}")
    return sanitised(f"{symbol}__{'exit' if returns else 'entry'}")


def _same_place(target: Target, head: Head, old: Standing) -> bool:
    return old.symbol == head.symbol


def register(log: Log, target: Target, head: Head, args: list[Parsed]) -> None:
    """The rules for taken names, then the target's function (register_trace_fprobe).

    Where the probe is put in place only when it is enabled, symbols after ``@`` aren't looked up before
    either, and whatever is refused here is EINVAL.
    """
    late = target.traits.fprobe_late
    kept = {arg.kept for arg in args if arg.kept is not None}
    if head.returns and target.traits.entry_args_limited and len(kept) > MAX_ENTRY_ARGS:
        log.index = 2
        raise log.refuse(0, "TOO_MANY_EARGS", "E2BIG")
    try:
        same_name(log, target, head, args, _same_place)
        if not late:
            for name in (name for arg in args for name in arg.symbols):
                if not look_up_data(log, target, name):
                    raise log.refuse(0, "BAD_PROBE_ADDR", "ENOENT")
        log.index = 1
        if head.probe == "function":
            if not _is_function(target, head.symbol or ""):
                raise log.refuse(0, "BAD_PROBE_ADDR" if late else "FAIL_REG_PROBE")
        elif not late and target.count(f"__tracepoint_{head.symbol}"):
            _tracepoint_is_free(target, head)
            if not _is_function(target, f"__probestub_{head.symbol}"):
                raise log.refuse(0, "FAIL_REG_PROBE")  # its stub is in a file that isn't traced
    except Refused as refused:
        raise Refused("EINVAL" if late else refused.errno, refused.reason) from None


def _is_function(target: Target, symbol: str) -> bool:
    if not target.traits.fprobe_late and ktext.is_digit(symbol):
        # ftrace takes a number for a position in its list of functions, whose length we don't know
        try:
            return ktext.kstrtoul(symbol) > 0
        except ktext.NumberError:
            return False
    known = target.is_traceable(symbol) if target.is_traceable is not None else None
    return known is not False


def _tracepoint_is_free(target: Target, head: Head) -> None:
    """The kernel's stub can be attached to a tracepoint once only."""
    for old in standing_of(target):
        if old.probe == "tracepoint" and old.symbol == head.symbol:
            raise Refused(
                "EEXIST", f"{old.name} probes this tracepoint, and this kernel allows one probe only."
            )
