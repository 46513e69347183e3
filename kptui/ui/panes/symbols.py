"""Find a function: a search line and the ranked hits, in one widget.

One widget takes the keys and paints the list, so that a key is on the screen within one frame.
"""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from kptui.safetext import neutralise
from kptui.symbols import Hit, Hits, Symbol, SymbolSearch, not_probeable
from kptui.ui.paint import Line, clip, highlight, length, pad, rule, wrap
from kptui.ui.pane import Cursor, Pane
from kptui.ui.textline import TextLine


class SymbolsPane(Pane):
    """Search as you type over every symbol of the machine."""

    scope = "symbols"
    typing_keys = (
        ("enter", "probe it"),
        ("ctrl+r", "return probe"),
        ("↑↓", "choose"),
        ("esc", "done typing"),
    )

    class Chosen(Message):
        """A symbol was chosen for a probe of ``kind`` p or r."""

        def __init__(self, hit: Hit, kind: str) -> None:
            super().__init__()
            self.hit = hit
            self.kind = kind

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.query_line = TextLine()
        self.searching = False
        self.data = True
        self.noise = False
        self.note = "reading symbols …"
        self.warning = ""
        self.hits = Hits(query="", hits=(), total=0, complete=True)
        self.cursor = Cursor()
        self._search: SymbolSearch | None = None
        self._waiting = False  # for the index, to look for what is typed
        self.count = 0

    def set_search(self, search: SymbolSearch | None, count: int, note: str = "", warning: str = "") -> None:
        """Give the pane its symbols; ``note`` is shown where there are none."""
        self._search = search
        self.count = count
        self.note = note
        self.warning = warning
        self._run()

    @property
    def search(self) -> SymbolSearch | None:
        """The search over the machine's symbols, once they are read."""
        return self._search

    @property
    def typing(self) -> bool:
        return self.searching

    @property
    def hit(self) -> Hit | None:
        return self.hits.hits[self.cursor.at] if self.cursor.at < len(self.hits.hits) else None

    @property
    def symbol(self) -> Symbol | None:
        return self.hit.symbol if self.hit else None

    def start_search(self, text: str | None = None) -> None:
        self.searching = True
        if text is not None:
            self.query_line = TextLine.of(text)
            self._run()
        else:
            self.query_line = TextLine.offer(self.query_line.text)
        self.redraw()

    def search_ready(self) -> None:
        """The index is there: what was typed before can be looked for."""
        if self._waiting:
            self._run()

    def _run(self, *, now: bool = False) -> None:
        search, query = self._search, self.query_line.text.strip()
        # To search without an index would make it first, and hold up the keys that follow.
        self._waiting = bool(query) and search is not None and not search.prepared and not now
        if search is not None and not self._waiting:
            self.hits = search.search(query, data=self.data, noise=self.noise)
        self.cursor.at = self.cursor.top = 0
        self.redraw()

    def text_key(self, event: events.Key) -> bool:
        match event.key:
            case "enter":
                self.choose("p")
            case "ctrl+r":
                self.choose("r")
            case "escape":
                self.searching = False
                self.redraw()
            case "up" | "down" | "pageup" | "pagedown":
                command = {"up": "list.up", "down": "list.down", "pageup": "list.page_up"}.get(
                    event.key, "list.page_down"
                )
                self.cursor.key(command, len(self.hits.hits), self.size.height - 2)
                self.redraw()
            case "ctrl+p" | "ctrl+c" | "ctrl+q" | "ctrl+z" | "ctrl+l":
                return False
            case "tab" | "shift+tab":
                self.searching = False
                return False
            case _:
                changed = self.query_line.key(event.key, event.character)
                if changed is None:
                    return False
                moved = changed.text == self.query_line.text
                self.query_line = changed
                self.redraw() if moved else self._run()
        return True

    def text_paste(self, text: str) -> None:
        self.query_line = self.query_line.insert(text)
        self._run()

    def on_blur(self) -> None:
        self.searching = False

    def choose(self, kind: str) -> None:
        if self._waiting:  # whoever types ahead means what was typed
            self._run(now=True)
        if self.hit is not None:
            self.searching = False
            self.redraw()
            self.kptui.on_symbols_pane_chosen(self.Chosen(self.hit, kind))

    def run(self, command: str) -> bool:
        """Run a command of this pane; False if it is none of them."""
        if self.cursor.key(command, len(self.hits.hits), self.size.height - 2):
            self.redraw()
            return True
        match command:
            case "symbols.entry":
                self.choose("p")
            case "symbols.return":
                self.choose("r")
            case "symbols.data":
                self.data = not self.data
                self._run()
            case "symbols.noise":
                self.noise = not self.noise
                self._run()
            case "symbols.clear":
                self.query_line = TextLine()
                self._run()
            case _:
                return False
        return True

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        total = f"{self.hits.total:,}" + ("" if self.hits.complete else "+")
        counted = f"{total} of {self.count:,}" if self.query_line.text else f"{self.count:,}"
        counted = f"indexing {self.count:,} …" if self._waiting else counted
        hidden = "" if self.data else " · functions only"
        side: Line = [(counted + hidden, "")] if self._search else []
        lines: list[Line | Strip] = [rule([("Symbols", "title")], side, width, self.has_focus)]
        lines.append(self._search_line(width))
        if self.warning and height > 8:
            lines.append([("! ", "warn"), (clip(self.warning, width - 3), "warn")])
        room = height - len(lines)
        if not self.hits.hits:
            lines.extend(self._empty(width))
            return lines
        for index in self.cursor.window(len(self.hits.hits), room):
            lines.append(self._row(self.hits.hits[index], width, index == self.cursor.at))
        return lines

    def _search_line(self, width: int) -> Line:
        if self.searching:
            return [(" / ", "focus"), *self.query_line.spans(width - 4, "bold")]
        if self.query_line.text:
            return [(" / ", "dim"), (clip(self.query_line.text, width - 4), "bold")]
        key = self.kptui.keymap.key("search")
        return [
            (f" {key} ", "key"),
            (clip("finds a function by some of its letters: vfsread, sys_execve …", width - 4), "dim"),
        ]

    def _empty(self, width: int) -> list[Line]:
        if self._search is None:
            return [[(" ", ""), (piece, "dim")] for _, piece in wrap(self.note, width - 2)]
        text = f" nothing matches {self.query_line.text!r}"
        more = (
            " d shows data symbols too"
            if not self.data
            else " try fewer letters, or n for __pfx_ and the like"
        )
        return [[(clip(neutralise(text), width), "")], [(clip(more, width), "dim")]]

    def _row(self, hit: Hit, width: int, current: bool) -> Line:
        symbol = hit.symbol
        reason = not_probeable(symbol, hit.copies)
        mark = "▌" if current else "!" if reason else " "
        style = "focus" if current else "warn" if reason else ""
        tail = symbol.type
        if symbol.module:
            tail = f"[{neutralise(symbol.module)}] {tail}"
        if reason and current:
            tail = f"{reason}  {tail}"
        elif hit.alias:
            tail = f"= {neutralise(hit.alias)}  {tail}"
        name = neutralise(symbol.name)
        addressed = symbol.address is not None and width >= 60
        address = f"{symbol.address:016x}" if addressed and symbol.address is not None else ""
        room = width - len(tail) - len(address) - (2 if address else 0) - 4
        base = "bold" if current else "dim" if reason else ""
        shown = clip(name, room)
        positions = hit.positions if name == symbol.name else ()
        line: Line = [(mark, style), (" ", "")]
        line.extend(
            highlight(shown, [p for p in positions if p < len(shown) - (shown != name)], "match", base)
        )
        line.append((" " * (room - length(line) + 2), ""))
        line.append((f" {tail} ", "warn" if reason and current else "dim"))
        if address:
            line.append((pad(address, len(address) + 1), "dim"))
        return line
