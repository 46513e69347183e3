"""Formats that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

from kptui.events.format import EventFormat, parse_format

DATA = Path(__file__).parent / "data"


def load(name: str) -> EventFormat:
    return parse_format((DATA / name).read_text())


FLT = load("format_flt.txt")
ALL = load("format_all_types.txt")
