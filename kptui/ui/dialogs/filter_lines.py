"""What the filter builder says below the text: about the value, about the field under the cursor, event by event."""

from __future__ import annotations

from collections.abc import Mapping

from kptui.filters import Row
from kptui.safetext import neutralise
from kptui.ui.filter_value import FilterValue
from kptui.ui.paint import Line, clip
from kptui.ui.textline import TextLine
from kptui.verdict import Verdict

MOST_EVENTS = 6


def notes_of(value: FilterValue, group_key: str) -> list[str]:
    """What the kernel accepts, and what is often not what was meant."""
    notes = []
    if value.mixed:
        notes.append(f"&& goes before ||; {group_key} groups rows")
    if plain := value.plain_glob:
        notes.append(f"~ {neutralise(plain)} has no *: only exactly this passes")
    return notes


def field_lines(value: FilterValue, row: Row | None, naming: TextLine | None, width: int) -> list[Line]:
    """What the field of a row is, or the fields that the letters typed (``naming``) can mean."""
    if naming is not None:
        letters = "" if naming.offered else naming.text
        matching = "  ".join(field.name for field in value.matching(letters))
        return [[(clip(f" {matching or 'no such field'}", width), "ok" if matching else "refused")]]
    field = value.field_of(row) if row is not None else None
    if field is None:
        return []
    kind = (
        "text"
        if field.is_text
        else f"{'s' if field.signed else 'u'}{field.bits}"
        if field.bits
        else field.kind
    )
    return [[(clip(f" {field.name}: {kind}   {' '.join(field.operators)}", width), "dim")]]


def group_lines(verdicts: Mapping[str, Verdict], width: int) -> list[Line]:
    """What each event of the group makes of the filter; one that refuses keeps the filter it has."""
    lines: list[Line] = []
    for event, verdict in verdicts.items():
        if verdict.ok:
            lines.append([("   ✓ ", "ok"), (clip(neutralise(event), width - 6), "")])
        else:
            why = verdict.problems[0].message if verdict.problems else verdict.sentence
            said = f"{neutralise(event)}: {neutralise(why)}; it keeps the filter it has"
            lines.append([("   ✗ ", "refused"), (clip(said, width - 6), "warn")])
    return lines[:MOST_EVENTS]
