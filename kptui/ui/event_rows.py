"""How one captured record reads: its cells in the events pane, its line for the clipboard.

All text is neutralised here, on its way to a cell or a file.
"""

from __future__ import annotations

import errno

from kptui.events.model import Arg, Record, TraceEvent
from kptui.safetext import neutralise
from kptui.ui.paint import clip, pad, right

COLUMNS = ("time", "delta", "cpu", "flags", "task", "event", "place", "args")
DEFAULT_COLUMNS = frozenset({"time", "cpu", "task", "event", "args"})
RIGHT = frozenset({"time", "delta", "cpu"})
# Errors as functions return them; the last four are the kernel's own (include/linux/errno.h).
_ERRORS = {f"-{number}": name for number, name in errno.errorcode.items()} | {
    "-512": "ERESTARTSYS",
    "-513": "ERESTARTNOINTR",
    "-514": "ERESTARTNOHAND",
    "-516": "ERESTART_RESTARTBLOCK",
}
_TITLES = {"task": "COMM-PID", "delta": "Δ"}


def columns(chosen: set[str], width: int, longest: int, stamp: int = 13) -> list[tuple[str, str, int]]:
    """(column, heading, cells) of each column chosen, for a pane of ``width`` cells, event names of at most
    ``longest`` and time stamps of ``stamp``; args get the rest (0).
    """
    wide = width >= 110
    sizes = {
        "time": stamp,
        "delta": 9,
        "cpu": 3,
        "flags": 5,
        "task": 22 if wide else 15,
        "event": max(min(longest, 28 if wide else 14), len("EVENT")),
        "place": 28 if wide else 20,
        "args": 0,
    }
    # On a narrow terminal the arguments need the room that the CPU has; who chose columns gets those.
    left_out = {"cpu"} if width < 100 and chosen == DEFAULT_COLUMNS else set()
    return [(c, _TITLES.get(c, c.upper()), sizes[c]) for c in COLUMNS if c in chosen - left_out]


def cell(event: TraceEvent, column: str, size: int, previous: float | None) -> str:
    """The text of one cell, exactly ``size`` cells wide; ``previous`` is the time of the row above in seconds."""
    match column:
        case "time":
            return right(neutralise(event.ts), size)
        case "delta":
            time = seconds(event.ts)
            return right(
                delta_text(time - previous) if time is not None and previous is not None else "", size
            )
        case "cpu":
            return right(str(event.cpu), size)
        case "flags":
            return pad(neutralise(event.flags or ""), size)
        case "task":
            pid = f"-{event.pid}"
            return pad(clip(neutralise(event.comm), size - len(pid)) + pid, size)
        case "event":
            return pad(clip_middle(neutralise(event.event), size), size)
        case "place":
            return pad(place_text(event), size)
    if len(event.args) == 1 and (name := error_name(event, event.args[0])):
        return f"{args_text(event)} {name}"
    return args_text(event)


def clip_middle(text: str, size: int) -> str:
    """``text`` in at most ``size`` cells, cut in its middle: names of probes differ at their ends."""
    tail = (size - 1) // 2
    return text if len(text) <= size or size < 5 else clip(text[:-tail], size - tail) + text[-tail:]


def seconds(ts: str) -> float | None:
    try:
        return float(ts)
    except ValueError:
        return None


def delta_text(seconds: float) -> str:
    if seconds < 0:
        return "–"
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def place_text(event: TraceEvent) -> str:
    place = event.ip or event.ret_ip
    if place is None:
        return ""
    name = f"{place.sym or place.addr or '?'}{f'+0x{place.off:x}' if place.off else ''}"
    if place.mod:
        name += f" [{place.mod}]"
    return neutralise(f"{name} <- {event.func}" if event.func else name)


def args_text(event: TraceEvent) -> str:
    """The arguments as the kernel printed them, with strings quoted."""
    if event.body is not None:
        return neutralise(event.body)
    pieces = []
    for arg in event.args:
        if arg.value is None:
            text = "(fault)"
        elif isinstance(arg.value, tuple):
            text = "{" + ",".join("(fault)" if v is None else v for v in arg.value) + "}"
        else:
            text = f'"{arg.value}"' if arg.type == "str" else arg.value
        pieces.append(f"{arg.name}={text}")
    return neutralise(" ".join(pieces))


def error_name(event: TraceEvent, arg: Arg) -> str:
    """What a negative number means that a function returned (``ENOENT``), or ''."""
    if event.func is None or arg.type != "num" or not isinstance(arg.value, str):
        return ""
    return _ERRORS.get(arg.value, "")


def row_text(record: Record) -> str:
    """One captured record as a line of text for the clipboard or a file: neutralised, whole."""
    if isinstance(record, TraceEvent):
        place = place_text(record)
        body = f"({place}) {args_text(record)}".rstrip() if place else args_text(record)
        task = f"{neutralise(record.comm)}-{record.pid}"
        return f"{task} [{record.cpu:03d}] {neutralise(record.ts)}: {neutralise(record.event)}: {body}"
    return neutralise(record.text)
