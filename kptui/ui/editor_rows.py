"""The rows of the probe editor: what there is to move the cursor over, and how each reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.ui.paint import Line, clip, length, pad

if TYPE_CHECKING:
    from kptui.probes.definition import Probe
    from kptui.probes.suggest import Suggestion
    from kptui.ui.draft import Draft

LABEL = 11  # cells of a field's label


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the editor: what it stands for (kind, name, place, maxactive, arg, add, offer, line), which of them."""

    what: str
    index: int = 0


def rows_of(draft: Draft, offers: int) -> list[Row]:
    """The rows of a draft: its fields, its arguments, what is offered; the bare line where it doesn't parse."""
    probe = draft.probe
    if probe is None:
        return [Row("line")]
    rows = [Row("kind"), Row("name"), Row("place")]
    if probe.kind == "r":
        rows.append(Row("maxactive"))
    rows.extend(Row("arg", i) for i in range(len(probe.args)))
    rows.append(Row("add"))
    rows.extend(Row("offer", i) for i in range(offers))
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


class OfferColumns:
    """What is offered at a place, in columns as wide as the offers need."""

    def __init__(self, draft: Draft, offers: Sequence[Suggestion], width: int) -> None:
        self._draft = draft
        self._offers = offers
        self._width = width
        self._where = min(max((len(o.where) for o in offers), default=4), 14)
        self._name = min(max((len(o.name) for o in offers), default=8), 16)
        form = max((len(str(o.arg)) for o in offers), default=8)
        left = width - self._where - self._name - form - 8
        self._type = min(max((len(o.ctype) for o in offers), default=8), max(left, 12), 30)

    def line(self, index: int, current: bool) -> Line:
        """One offer: taken or not, where it is, its name, its C type, the fetch argument that it adds, a note."""
        offer = self._offers[index]
        taken = self._draft.taken(offer) is not None
        line: Line = [(" ✓ ", "ok") if taken else ("   ", "")]
        line.append((pad(offer.where, self._where) + " ", "dim"))
        line.append((pad(offer.name, self._name) + " ", "bold" if current else ""))
        if self._width > 64:
            line.append((pad(offer.ctype, self._type) + " ", "dim"))
        room = self._width - length(line) - 1
        form = str(offer.arg)
        text = f"{form}  {offer.note}" if offer.note and len(form) + len(offer.note) + 2 <= room else form
        return [*line, (clip(text, room), "ok" if taken else "bold" if current else "dim")]
