"""The rows of the probe editor: what there is to move the cursor over, and how each reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.ui.paint import Line, clip, pad

if TYPE_CHECKING:
    from kptui.probes.definition import Probe
    from kptui.ui.draft import Draft

LABEL = 11  # cells of a field's label


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the editor: what it stands for (kind, name, place, maxactive, arg, add, offer, waiting, line), and
    which of them.
    """

    what: str
    index: int = 0


def rows_of(draft: Draft, offers: int | None) -> list[Row]:
    """The rows of a draft: its fields, its arguments, what is offered (None: not known yet); the bare line where it
    doesn't parse.
    """
    probe = draft.probe
    if probe is None:
        return [Row("line")]
    rows = [Row("kind"), Row("name"), Row("place")]
    if probe.kind == "r":
        rows.append(Row("maxactive"))
    rows.extend(Row("arg", i) for i in range(len(probe.args)))
    rows.append(Row("add"))
    rows.extend([Row("waiting")] if offers is None else [Row("offer", i) for i in range(offers)])
    return rows


def text_of(probe: Probe, row: Row) -> str:
    """What a row holds as text to be edited; '' for a new argument."""
    match row.what:
        case "name":
            return f"{probe.group}/{probe.event}" if probe.group and probe.event else probe.event or ""
        case "place":
            return str(probe.place)
        case "maxactive":
            return str(probe.maxactive or "")
        case "arg":
            return str(probe.args[row.index])
    return ""


def with_text(draft: Draft, row: Row, text: str) -> Draft | None:
    """The draft after a row was edited to ``text``; None where that means nothing. Raises ProbeSyntaxError."""
    match row.what:
        case "name":
            return draft.with_name(text)
        case "place":
            return draft.with_place(text)
        case "maxactive":
            return draft.with_maxactive(text)
        case "arg" | "add":
            return draft.with_arg(row.index, text)
        case "line":
            return replace(draft, line=text, replacing=draft.replacing if _same(draft, text) else None)
    return None


def _same(draft: Draft, text: str) -> bool:
    """Whether a typed line is still the probe that is replaced: one of another name at another place isn't."""
    old, new = draft.probe, replace(draft, line=text).probe
    return old is None or new is None or old.event == new.event or old.place == new.place


def field_line(probe: Probe, row: Row, width: int, current: bool) -> Line:
    """A field or an argument, after the cursor's mark."""
    style = "bold" if current else ""
    if row.what == "waiting":
        return [
            (pad("   …", LABEL), style),
            (clip("the kernel's types are being read", width - LABEL - 2), "dim"),
        ]
    if row.what == "arg":
        text = clip(neutralise(str(probe.args[row.index])), width - 6)
        return [(pad(f" {row.index + 1:>2}", 4), "dim"), (text, style)]
    if row.what == "add":
        what = "a to type another" if probe.args else "none yet: take offers below, or a to type one"
        return [("  + ", "dim"), (clip(what, width - 6), "dim")]
    text = {
        "kind": "(•) entry  ( ) return" if probe.kind == "p" else "( ) entry  (•) return",
        "name": f"{probe.group or 'kprobes'} / {probe.event or '(the kernel makes one)'}",
        "place": str(probe.place),
        "maxactive": str(probe.maxactive or "–  (calls at a time; more for ones that sleep)"),
    }[row.what]
    return [(pad(f" {row.what}", LABEL), "dim"), (clip(neutralise(text), width - LABEL - 2), style)]


def empty_lines(key: Callable[[str], str], width: int) -> list[Line]:
    """What to do where there is no draft; ``key`` gives a command's key."""
    lines: list[Line] = []
    for keys, text in (
        (key("search"), "find a function"),
        (key("symbols.entry"), "on a symbol: an entry probe, with what its registers hold"),
        (key("symbols.return"), "on a symbol: a return probe, with the return value"),
        (f"{key('pane.editor')} {key('editor.line')}", "or type a whole line, as in kprobe_events"),
    ):
        lines.append([(f" {pad(keys, 7)}", "key"), (clip(text, width - 9), "dim")])
    return lines
