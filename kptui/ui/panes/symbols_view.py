"""How the symbols look: the search line, the hits, and whether the one under the cursor can be probed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip

from kptui.safetext import neutralise
from kptui.symbols import Hit
from kptui.ui.paint import Line, clip, highlight, length, pad, rule, wrap

if TYPE_CHECKING:
    from kptui.ui.panes.symbols import SymbolsPane

_SIGNS = {True: ("✓", "ok"), False: ("✗", "refused"), None: ("?", "warn")}


def draw_symbols(pane: SymbolsPane, width: int, height: int) -> list[Line | Strip]:
    """The pane's lines."""
    lines: list[Line | Strip] = [rule([("Symbols", "title")], _side(pane), width, pane.has_focus)]
    lines.append(_search_line(pane, width))
    if pane.warning and height > 8:
        lines.append([("! ", "warn"), (clip(pane.warning, width - 3), "warn")])
    if not pane.hits.hits:
        lines.extend(_empty(pane, width))
        return lines
    below = _about(pane, width)[: max(height - len(lines) - 1, 0)]
    room = height - len(lines) - len(below)
    window = pane.cursor.window(len(pane.hits.hits), room)
    for index in window:
        lines.append(_row(pane, pane.hits.hits[index], width, index == pane.cursor.at))
    lines.extend([] for _ in range(room - len(window)))
    lines.extend(below)
    return lines


def _side(pane: SymbolsPane) -> Line:
    """How many there are, and what narrows them."""
    if pane.search is None:
        return []
    total = f"{pane.hits.total:,}" + ("" if pane.hits.complete else "+")
    counted = f"{total} of {pane.count:,}" if pane.query_line.text else f"{pane.count:,}"
    counted = f"indexing {pane.count:,} …" if pane.waiting else counted
    return [(counted + ("" if pane.data or pane.hits.asked.types else " · functions only"), "")]


def _search_line(pane: SymbolsPane, width: int) -> Line:
    if pane.searching:
        return [(" / ", "focus"), *pane.query_line.spans(width - 4, "bold")]
    if pane.query_line.text:
        return [(" / ", "dim"), (clip(pane.query_line.text, width - 4), "bold")]
    key = pane.kptui.keymap.key("search")
    hint = "vfsread  mod:ext4 type:data probe:yes"
    if width >= 72:
        hint = "letters: vfsread  glob: vfs_*  narrow: mod:ext4 type:data probe:yes"
    return [(f" {key} ", "key"), (clip(hint, width - 4), "dim")]


def _empty(pane: SymbolsPane, width: int) -> list[Line]:
    if pane.search is None:
        return [[(" ", ""), (piece, "dim")] for _, piece in wrap(pane.note, width - 2)]
    asked = pane.hits.asked
    if wrong := asked.problem or asked.missing:
        return [[(" ", ""), (piece, "warn")] for _, piece in wrap(wrong, width - 2)]
    rows = [f"nothing matches {neutralise(pane.query_line.text)!r}"]
    if "|" in asked.text:
        rows.append("each word has to fit: a | b is two searches")
    elif asked.narrows:
        left = pane.search.search(asked.text, limit=0, data=pane.data, noise=pane.noise)
        rows.append(f"without {neutralise(asked.words)}: {left.total:,}{'' if left.complete else '+'}")
        rows.append("filters: mod:NAME  type:text|data|T…  probe:yes|no")
    else:
        key, typed = pane.kptui.keymap.key, "esc, then " if pane.searching else ""
        more = f"{typed}{key('symbols.noise')} for __pfx_ and the like"
        rows.append(
            f"{typed}{key('symbols.data')} shows data symbols too"
            if not pane.data
            else f"try fewer letters, or {more}"
        )
    return [[(clip(f" {row}", width), "dim" if number else "")] for number, row in enumerate(rows)]


def _about(pane: SymbolsPane, width: int) -> list[Line]:
    """Of the symbol under the cursor: can it be probed, and why not; so many rows whatever it says."""
    hit = pane.hit
    rows = 1 if width >= 72 else 2
    if hit is None or pane.search is None:
        return [[] for _ in range(rows)]
    said = pane.probeability(hit)
    sign, style = _SIGNS[said.probeable] if said.probeable is not None or said.reason else ("·", "dim")
    if hit.copies > 1 and hit.symbol.is_text and said.place:
        text = f"{hit.copies} of this name: {pane.kptui.keymap.key('symbols.entry')} lists them"
        sign, style = "!", "warn"
    elif said.reason:
        text = said.reason
    elif said.probeable:
        text = "can be probed"
    elif pane.search.probing is None:
        text = "looking what can be probed …"
    else:
        text = "nothing known against it; the kernel's lists can't be read"
    if hit.alias:
        text += f" · for {neutralise(hit.alias)}"
    pieces = [piece for _, piece in wrap(text, width - 4)][:rows]
    lines: list[Line] = [[(f" {sign} ", style), (pieces[0], "" if sign != "·" else "dim")]]
    lines += [[("   ", ""), (clip(piece, width - 4), "")] for piece in pieces[1:]]
    return [*lines, *([] for _ in range(rows - len(lines)))]


def _row(pane: SymbolsPane, hit: Hit, width: int, current: bool) -> Line:
    symbol = hit.symbol
    said = pane.probeability(hit)
    sign = "?" if said.probeable is None else "!"
    mark = "▌" if current else sign if said.against else " "
    style = "focus" if current else "warn" if said.against else ""
    tail = symbol.type
    if symbol.module:
        tail = f"[{neutralise(symbol.module)}] {tail}"
    if hit.copies > 1 and symbol.is_text:
        tail = f"×{hit.copies}  {tail}"
    if hit.alias:
        tail = f"= {neutralise(hit.alias)}  {tail}"
    name = neutralise(symbol.name)
    addressed = symbol.address is not None and width >= 60
    address = f"{symbol.address:016x}" if addressed and symbol.address is not None else ""
    room = width - len(tail) - len(address) - (2 if address else 0) - 4
    base = "bold" if current else "dim" if said.against else ""
    shown = clip(name, room)
    positions = hit.positions if name == symbol.name else ()
    line: Line = [(mark, style), (" ", "")]
    line.extend(highlight(shown, [p for p in positions if p < len(shown) - (shown != name)], "match", base))
    line.append((" " * (room - length(line) + 2), ""))
    line.append((f" {tail} ", "dim"))
    if address:
        line.append((pad(address, len(address) + 1), "dim"))
    return line
