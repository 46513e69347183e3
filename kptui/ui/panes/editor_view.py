"""How the probe editor looks: prototype, rows, a word on the row under the cursor, the line and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

from kptui.safetext import neutralise
from kptui.ui.editor_rows import empty_lines, field_line
from kptui.ui.hero import hero_lines
from kptui.ui.offer_rows import HEAD, Columns, detail_line, head_lines
from kptui.ui.paint import Line, Span, clip, length, pad, rule, shown_of, wrap

if TYPE_CHECKING:
    from kptui.ui.draft import Draft
    from kptui.ui.finding import Finder
    from kptui.ui.panes.editor import EditorPane


def draw_editor(pane: EditorPane, width: int, height: int) -> list[Line | Strip]:
    """The pane's lines."""
    draft = pane.draft
    if draft is None:
        empty: Line = []
        title = rule([("Probe", "title")], [], width, pane.has_focus)
        return [title, empty, *empty_lines(pane.kptui.keymap.key, width)]
    note: Line = [(f"replaces {'/'.join(draft.replacing)}", "")] if draft.replacing else []
    lines: list[Line | Strip] = [rule([("Probe", "title")], note, width, pane.has_focus)]
    hero = _hero(pane, draft, width)
    room = max(height - 2 - len(hero), 1)
    tight = room < 9 or draft.probe is None
    if not tight:
        lines.extend(head_lines(None if pane.offered is None else pane.offered.guide, width))
        room -= HEAD + 1
    rows = _found(pane, pane.finder, draft, width, room) if pane.finder else _rows(pane, draft, width, room)
    lines.extend(rows)
    lines.extend([] for _ in range(room - len(rows)))
    if not tight:
        keymap = pane.kptui.keymap
        key = keymap.typing_key("editor.native") if pane.finder else keymap.key("editor.native")
        lines.append(detail_line(pane.item, width, native=pane.native, key=key))
    lines.append(_parting(pane, len(rows), width))
    lines.extend(hero)
    return lines


def _parting(pane: EditorPane, rows: int, width: int) -> Line:
    """The rule above the line being written; it says where in the list one is, where not all of it is shown."""
    top = pane.cursor.top
    where = shown_of(range(top, top + rows), len(pane.rows)) if pane.finder is None else []
    if not where:
        return [("─" * width, "rule")]
    return [("─" * (width - length(where) - 3), "rule"), (" ", ""), *where, (" ─", "rule")]


def _hero(pane: EditorPane, draft: Draft, width: int) -> list[Line]:
    source = ""
    if pane.kernel is not None:
        source = "the kernel refused this" if pane.kernel.errno else "not written"
    hero = hero_lines(
        draft.line,
        pane.shown_verdict,
        width,
        editing=pane.editing if pane.edited and pane.edited.what == "line" else None,
        fixes=pane.fixes,
        fix_key=pane.kptui.keymap.key("editor.fix"),
        all_key=pane.kptui.keymap.key("editor.verdict"),
        source=source,
        remark=pane.remark if pane.kernel else "",
    )
    if pane.error:
        hero.append([(" ✗ ", "refused"), (clip(neutralise(pane.error), width - 4), "refused")])
    return hero


def _mark(pane: EditorPane, current: bool) -> Span:
    return ("▌", "focus") if current and pane.has_focus else (" ", "")


def _rows(pane: EditorPane, draft: Draft, width: int, room: int) -> list[Line]:
    if draft.probe is None:
        key = pane.kptui.keymap.key("editor.line")
        said = wrap(f"This line can't be shown as rows; {key} edits it as text.", width - 2)
        return [[(" ", ""), (piece, "dim")] for _, piece in said]
    tree = pane.offered
    window = pane.cursor.window(len(pane.rows), room)
    columns = Columns(draft, tree.tops if tree is not None else (), width, native=pane.native)
    drawn: list[Line] = []
    for index in window:
        row, current = pane.rows[index], index == pane.cursor.at
        mark = _mark(pane, current)
        if current and pane.editing is not None and pane.edited is not None and pane.edited.what != "line":
            label = {"arg": f"{row.index + 1}", "add": "+"}.get(row.what, row.what)
            drawn.append([mark, (pad(f" {label}", 11), "focus"), *pane.editing.spans(width - 13, "bold")])
        elif row.what == "offer" and tree is not None:
            item = tree.item(row.index)
            drawn.append([mark, *columns.line(item, current, item.key in tree.opened)])
        else:
            drawn.append([mark, *field_line(draft.probe, row, width, current)])
    return drawn


def _found(pane: EditorPane, finder: Finder, draft: Draft, width: int, room: int) -> list[Line]:
    """The search line, and what it found."""
    columns = Columns(draft, (), width, native=pane.native)
    typed = finder.line.spans(max(min(len(finder.line.text) + 1, width // 2), 10), "bold")
    said = clip(finder.said(), width - 6 - max(len(finder.line.text) + 1, 10))
    lines: list[Line] = [[(" / ", "focus"), *typed, ("  ", ""), (said, "dim")]]
    for index in finder.cursor.window(len(finder.hits), room - 1):
        current = index == finder.cursor.at
        lines.append([_mark(pane, current), *columns.hit(finder.row(index), current)])
    return lines
