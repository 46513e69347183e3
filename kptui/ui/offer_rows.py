"""How offers, members and found paths read, in columns; and what is said of the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.ui.paint import Line, clip, length, pad, wrap

if TYPE_CHECKING:
    from kptui.probes.exprs import FetchArg
    from kptui.ui.draft import Draft
    from kptui.ui.walking import Guide, Item

HEAD = 2  # rows of the prototype
_WIDE = 92


def head_lines(guide: Guide | None, width: int) -> list[Line]:
    """The function's prototype, or why there is none: always as many rows."""
    if guide is None:
        return [[(" …", "dim")], []]
    prototype, remark = neutralise(guide.help.prototype), neutralise(guide.help.remark)
    rows: list[Line] = [[(" " + piece, "")] for _, piece in wrap(prototype, width - 2)] if prototype else []
    if len(rows) > HEAD:
        rest = prototype[wrap(prototype, width - 2)[HEAD - 1][0] :]
        rows[HEAD - 1 :] = [[(" " + clip(rest, width - 2), "")]]
    if remark:
        rows.append([(" " + clip(remark, width - 2), "dim")])
    return [*rows, [], []][:HEAD]


class Columns:
    """Columns for rows of offers: their widths depend on the terminal and on what is offered, not on what is open."""

    def __init__(self, draft: Draft, items: Sequence[Item], width: int, *, native: bool) -> None:
        self._draft = draft
        self._native = native
        self._width = width
        tops = [item for item in items if not item.depth]
        wide = width >= _WIDE
        self._where = min(max((len(_short(item.where)) for item in tops), default=4), 14 if wide else 9)
        self._name = max(min(max((len(item.name) for item in tops), default=8), 16), 20 if wide else 18)
        self._type = 32 if width >= 112 else 24 if wide else 14 if width > 64 else 0

    def line(self, item: Item, current: bool, opened: bool) -> Line:
        """One row: taken or not, its name, where it is, its C type, the fetch argument that it adds, a note."""
        taken = item.offer is not None and self._draft.taken(item.offer) is not None
        sign = ("▾ " if opened else "▸ ") if item.opens else "  "
        line: Line = [(" ✓ ", "ok") if taken else ("   ", "")]
        line.append((pad(_short(item.where), self._where) + " ", "dim"))
        name = "  " * item.depth + sign + neutralise(item.name)
        line.append((pad(name, self._name) + " ", "bold" if current else ""))
        if self._type:
            line.append((pad(neutralise(item.ctype), self._type) + " ", "dim"))
        room = self._width - length(line) - 1
        if item.offer is None:
            return [*line, (clip(neutralise(item.note), room), "dim")]
        form = str(_form(item, self._native))
        text = f"{form}  {item.note}" if item.note and len(form) + len(item.note) + 2 <= room else form
        return [*line, (clip(neutralise(text), room), "ok" if taken else "bold" if current else "dim")]

    def hit(self, item: Item, current: bool) -> Line:
        """A path that was found."""
        taken = item.offer is not None and self._draft.taken(item.offer) is not None
        line: Line = [(" ✓ ", "ok") if taken else ("   ", "")]
        path = neutralise(item.key)
        text = item.note if item.offer is None else str(_form(item, self._native))
        room = self._width - 5 - len(text) - 1
        line.append((pad(path, max(room, min(len(path), self._width // 2))) + " ", "bold" if current else ""))
        return [*line, (clip(neutralise(text), self._width - length(line) - 1), "ok" if taken else "dim")]


def _short(where: str) -> str:
    """A place in short; '' for one that is a chain of its own, which the argument shows anyway."""
    return "" if where.count("(") > 1 else where


def _form(item: Item, native: bool) -> FetchArg:
    offer = item.offer
    assert offer is not None
    return offer.native if native and offer.native is not None else offer.arg


def detail_line(item: Item | None, width: int, *, native: bool, key: str) -> Line:
    """What is to be known of the row under the cursor: the other form, its path, its note."""
    if item is None:
        return []
    offer = item.offer
    if offer is not None and offer.native is not None:
        other = offer.arg if native else offer.native
        said = "plain, for every kernel: " if native else "or natively: "
        text = _with_remark(said, str(other), _remark(item, offer.native), width - len(key) - 3)
        return [(f" {key} ", "key"), (clip(neutralise(text), width - len(key) - 3), "dim")]
    path = item.spot.path if item.spot is not None else ""
    parts = [path, item.ctype if width < _WIDE else "", item.note if item.note != path else ""]
    return [(" " + clip(neutralise("   ".join(filter(None, parts))), width - 2), "dim")]


def _remark(item: Item, native: FetchArg) -> str:
    """What is to be known of a row, without the path that its note may begin with."""
    head, _, rest = item.note.partition("; ")
    return rest if head == str(native.expr) else item.note


def _with_remark(said: str, form: str, remark: str, room: int) -> str:
    """Another form and a remark; where there is no room for both, the form gives way."""
    body = form.partition("=")[2]
    for text in (f"{said}{form}", f"{said}{body}"):
        if not remark or len(text) + 2 + len(remark) <= room:
            return f"{text}  {remark}".rstrip()
    return f"{remark}  {said}{body}"
