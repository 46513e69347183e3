"""Events: format files, trace text to events, the bounded log, counts: bytes and text in, values out."""

from kptui.events.assemble import LineAssembler
from kptui.events.format import EventFormat, Field, FormatError, parse_format
from kptui.events.log import EventLog, LogView
from kptui.events.model import (
    Annotate,
    Arg,
    ArgSpec,
    Header,
    Lost,
    Raw,
    Record,
    Ref,
    StackFrame,
    TraceEvent,
)
from kptui.events.parse import TraceParser, arg_specs
from kptui.events.values import Counts, arguments_text, counts_by, event_values

__all__ = [
    "Annotate",
    "Arg",
    "ArgSpec",
    "Counts",
    "EventFormat",
    "EventLog",
    "Field",
    "FormatError",
    "Header",
    "LineAssembler",
    "LogView",
    "Lost",
    "Raw",
    "Record",
    "Ref",
    "StackFrame",
    "TraceEvent",
    "TraceParser",
    "arg_specs",
    "arguments_text",
    "counts_by",
    "event_values",
    "parse_format",
]
