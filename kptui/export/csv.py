"""Records as CSV, for spreadsheets and people: six columns, one line a record, whatever the bytes are.

Quoting is RFC 4180's. Control bytes, newlines, bidi marks and bytes that are no UTF-8 stand as visible
escapes (``\\n``, ``\\x1b``), so that a file can be paged safely. Cells are not altered beyond that: a command
name ``=1+1`` stays ``=1+1``, since a prefix against spreadsheet formulas would falsify the data for every
other reader; import files from hostile machines with the columns set to text. Exact bytes are what JSON lines
are for.
"""

from __future__ import annotations

from kptui.events.model import Record, TraceEvent
from kptui.events.values import arguments_text
from kptui.safetext import neutralise

COLUMNS = ("ts", "cpu", "pid", "comm", "event", "args")
HEADER = ",".join(COLUMNS)


def _cell(text: str) -> str:
    text = neutralise(text)
    if not text:
        return text
    if "," in text or '"' in text or text[0] == " " or text[-1] == " ":
        return '"' + text.replace('"', '""') + '"'
    return text


def record_to_csv(record: Record) -> str:
    """One line without its newline. A record that is no event has its kind as ``event`` and its text as
    ``args``.
    """
    if isinstance(record, TraceEvent):
        return (
            f"{record.ts},{record.cpu},{record.pid},{_cell(record.comm)},{_cell(record.event)},"
            f"{_cell(arguments_text(record))}"
        )
    cpu = str(record.cpu) if record.kind == "lost" else ""
    return f",{cpu},,,{record.kind},{_cell(record.text)}"
