"""How the filter builder looks: its rows, the text and its verdict, and what is said below that: about the value,
about the field under the cursor, event by event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.strip import Strip

from kptui.filters import Row
from kptui.safetext import neutralise
from kptui.ui.filter_value import CELLS, FilterValue
from kptui.ui.hero import hero_lines
from kptui.ui.paint import Line, clip, length, pad, rule, wrap
from kptui.ui.textline import TextLine
from kptui.verdict import Verdict

if TYPE_CHECKING:
    from kptui.ui.dialogs.filter import FilterPane

MOST_EVENTS = 6


def draw_filter(pane: FilterPane, width: int, height: int) -> list[Line | Strip]:
    """The builder's lines."""
    value = pane.value
    target = (
        f"{pane.group}: {', '.join(value.formats)}" if value.whole_group else f"{pane.group}/{value.event}"
    )
    title = "Group filter" if value.whole_group else "Filter"
    lines: list[Line | Strip] = [rule([(f"{title} of {clip(target, width - 30)}", "title")], [], width, True)]
    bottom = bottom_lines(pane, width)
    room = height - len(bottom) - 2
    lines.extend(_body(pane, width, room))
    lines.extend([] for _ in range(room + 1 - len(lines)))
    lines.append([("─" * width, "rule")])
    lines.extend(bottom)
    return lines


def bottom_lines(pane: FilterPane, width: int) -> list[Line]:
    """The text, its verdict, and what is said below that."""
    key = pane.kptui.keymap.key
    editing = pane.editing if pane.editing is not None and pane.editing_text else None
    text = editing.text if editing else pane.value.text
    if not text.strip() and editing is None:
        add: Line = [(f" {key('filter.add_and')}", "key"), (" adds a row   ", "dim")]
        typed: Line = [(key("filter.text"), "key"), (" types it as text", "dim")]
        return [[(" no filter: every event passes", "dim")], [*add, *typed]]
    verdict = pane.verdict
    rows = hero_lines(
        text,
        verdict,
        width,
        editing=editing,
        fixes=pane.fixes,
        fix_key=key("filter.fix"),
        all_key=key("filter.verdict"),
        source="" if not pane.refused else "the kernel refused this" if pane.refused.errno else "not set",
        remark=pane.remark if pane.refused else "",
        accepted=f"the kernel will accept this{_share(pane)}   {pane.counted}".rstrip(),
    )
    if verdict is not None and verdict.ok and editing is None:
        told = f"{_share(pane)}   {pane.counted}".strip() if verdict.notes and not pane.refused else ""
        rows.extend([[("   ", ""), (clip(told, width - 4), "dim")]] if told else [])
        notes = _notes(pane.value, key("filter.open"))
        rows.extend([("   ", ""), (clip(note, width - 4), "warn")] for note in notes)
    if pane.value.whole_group and verdict is not None and pane.refused is None:
        rows.extend(_events(pane.verdicts or {}, width))
    naming = pane.editing if not pane.editing_text and CELLS[pane.cell] == "field" else None
    rows.extend(_field(pane.value, pane.row, naming, width))
    return rows


# -- the rows


def _body(pane: FilterPane, width: int, room: int) -> list[Line]:
    if not pane.value.as_rows:
        key = pane.kptui.keymap.key("filter.text")
        said = wrap(f"This text can't be shown as rows; {key} edits it as text.", width - 2)
        return [[(" ", ""), (piece, "dim")] for _, piece in said]
    rows = pane.value.rows
    if not rows:
        names = wrap("  ".join(pane.value.fields), width - 10)
        return [[(f" {'' if at else 'fields:':<8}", "dim"), (row, "dim")] for at, row in names[:room]]
    cells = min(max(len(row.field) for row in rows) + 1, 30)
    window = pane.cursor.window(len(rows), room)
    return [_row(pane, rows[index], index == pane.cursor.at, cells, width) for index in window]


def _row(pane: FilterPane, row: Row, current: bool, names: int, width: int) -> Line:
    line: Line = [("▌" if current else " ", "focus")]

    def cell(name: str, text: str, size: int) -> None:
        chosen = current and CELLS[pane.cell] == name
        if chosen and pane.editing is not None and not pane.editing_text:
            line.extend(pane.editing.spans(max(size, 20), "bold"))
        else:
            line.append((pad(neutralise(text), size), "cursor" if chosen else "bold" if current else ""))
        line.append((" ", ""))

    cell("join", row.join, 2)
    line.append((pad(row.opens + ("!" if row.negated else ""), 4), "warn"))
    cell("field", row.field, names)
    cell("op", row.op, 2)
    cell("value", row.value, min(max(len(row.value) + 1, 8), max(width - length(line) - 6, 8)))
    line.append((")" * row.closes, "warn"))
    return line


# -- below the text


def _notes(value: FilterValue, group_key: str) -> list[str]:
    """What the kernel accepts, and what is often not what was meant."""
    notes = []
    if value.mixed:
        notes.append(f"&& goes before ||; {group_key} groups rows")
    if plain := value.plain_glob:
        notes.append(f"~ {neutralise(plain)} has no *: only exactly this passes")
    return notes


def _field(value: FilterValue, row: Row | None, naming: TextLine | None, width: int) -> list[Line]:
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


def _share(pane: FilterPane) -> str:
    """For how many events of the group, where it isn't all."""
    verdicts = (pane.verdicts or {}).values() if pane.value.whole_group else ()
    taken = sum(verdict.ok for verdict in verdicts)
    return f" for {taken} of {len(verdicts)} events" if taken < len(verdicts) else ""


def _events(verdicts: Mapping[str, Verdict], width: int) -> list[Line]:
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
