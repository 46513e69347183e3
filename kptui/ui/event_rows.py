"""How one captured record reads: its cells in the events pane, its line for the clipboard.

All text is neutralised here, on its way to a cell or a file.
"""

from __future__ import annotations

from kptui.events.model import Record, TraceEvent
from kptui.safetext import neutralise
from kptui.ui.paint import clip, pad, right

COLUMNS = ("time", "delta", "cpu", "flags", "task", "event", "place", "args")
DEFAULT_COLUMNS = frozenset({"time", "cpu", "task", "event", "args"})
RIGHT = frozenset({"time", "delta", "cpu"})
_TITLES = {"task": "COMM-PID", "delta": "Δ"}


def columns(chosen: set[str], width: int, longest: int) -> list[tuple[str, str, int]]:
    """(column, heading, cells) of each column chosen, for a pane of ``width`` cells and event names of at most
    ``longest``; args get the rest (0).
    """
    wide = width >= 110
    sizes = {
        "time": 13,
        "delta": 9,
        "cpu": 3,
        "flags": 5,
        "task": 22 if wide else 16,
        "event": max(min(longest, 28 if wide else 16), len("EVENT")),
        "place": 28 if wide else 20,
        "args": 0,
    }
    return [(c, _TITLES.get(c, c.upper()), sizes[c]) for c in COLUMNS if c in chosen]


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
            return pad(neutralise(event.event), size)
        case "place":
            return pad(place_text(event), size)
    return args_text(event)


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


def row_text(record: Record) -> str:
    """One captured record as a line of text for the clipboard or a file: neutralised, whole."""
    if isinstance(record, TraceEvent):
        place = place_text(record)
        body = f"({place}) {args_text(record)}".rstrip() if place else args_text(record)
        task = f"{neutralise(record.comm)}-{record.pid}"
        return f"{task} [{record.cpu:03d}] {neutralise(record.ts)}: {neutralise(record.event)}: {body}"
    return neutralise(record.text)
