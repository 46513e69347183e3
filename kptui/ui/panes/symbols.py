"""Find a function: a search line and the ranked hits, in one widget.

One widget takes the keys and paints the list, so that a key is on the screen within one frame.
"""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from kptui.safetext import neutralise
from kptui.symbols import Hit, Probeability, Probing, Symbol, SymbolSearch
from kptui.symbols.hits import no_hits
from kptui.ui.paint import Line
from kptui.ui.pane import Cursor, Pane
from kptui.ui.panes.symbols_view import draw_symbols
from kptui.ui.textline import TextLine

ONLY = "probe:yes"


class SymbolsPane(Pane):
    """Search as you type over every symbol of the machine."""

    scope = "symbols"
    typing_keys = (
        ("enter", "probe it"),
        ("ctrl+r", "return probe"),
        ("↑↓", "choose"),
        ("esc", "done"),
        ("ctrl+o", "only probeable"),
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
        self.reading = True  # symbols are still to come
        self.warning = ""
        self.hits = no_hits()
        self.cursor = Cursor()
        self._search: SymbolSearch | None = None
        self.waiting = False  # for the index, to look for what is typed
        self.chosen_early = ""  # the kind of probe that is wanted once there are symbols
        self._warned: Hit | None = None  # that it can't be probed: who asks again gets it
        self.count = 0

    def set_search(self, search: SymbolSearch | None, count: int, note: str = "", warning: str = "") -> None:
        """Give the pane its symbols; ``note`` is shown where there are none."""
        self._search = search
        self.reading = False
        self.count = count
        self.note = note
        self.warning = warning
        self._run()
        early, self.chosen_early = self.chosen_early, ""
        if early and self.searching and self.query_line.text.strip():
            self.choose(early)

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

    def set_probing(self, search: SymbolSearch, probing: Probing) -> None:
        """What can be probed is known now."""
        search.probing = probing
        if search is self._search:
            if self.hits.asked.probe is not None:
                self._run()
            self.redraw()

    def search_ready(self) -> None:
        """The index is there: what was typed before can be looked for, and how many of a name there are is known."""
        if self.waiting or self._search is None:
            self._run()
        else:
            self.hits = self._search.search(self.query_line.text, data=self.data, noise=self.noise).grown(
                len(self.hits.hits)
            )
            self.redraw()

    def _run(self, *, now: bool = False) -> None:
        search, query = self._search, self.query_line.text.strip()
        # To search without an index would make it first, and hold up the keys that follow.
        self.waiting = bool(query) and search is not None and not search.prepared and not now
        if search is not None and not self.waiting:
            self.hits = search.search(query, data=self.data, noise=self.noise)
        self.cursor.at = self.cursor.top = 0
        self.redraw()

    def text_key(self, event: events.Key) -> bool:
        self.chosen_early = ""
        match event.key:
            case "enter":
                self.choose("p")
            case "ctrl+r":
                self.choose("r")
            case "ctrl+o":
                self._toggle_probeable()
            case "escape":
                self.searching = False
                self.redraw()
            case "up" | "down" | "pageup" | "pagedown":
                command = {"up": "list.up", "down": "list.down", "pageup": "list.page_up"}.get(
                    event.key, "list.page_down"
                )
                self._move(command)
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
        first, *_ = text.strip().splitlines() or [""]  # of a stack trace, the innermost function
        self.query_line = self.query_line.paste(first)
        self._run()

    def on_blur(self) -> None:
        self.searching = False

    def choose(self, kind: str) -> None:
        if self.reading and self.searching:
            self.chosen_early = kind
        if self.waiting:  # whoever types ahead means what was typed
            self._run(now=True)
        hit, search = self.hit, self._search
        if hit is None or search is None:
            return
        copies = search.copies(hit)
        if sum(copy.symbol.is_text for copy in copies) > 1:
            from kptui.ui.dialogs.copies import choose_copy

            choose_copy(self.kptui, search, copies, lambda copy: self._take(copy, kind))
        else:
            self._take(hit, kind)

    def _take(self, hit: Hit, kind: str) -> None:
        """Have a probe written on ``hit``; where none can be, say why, and do it when asked again."""
        said = self.probeability(hit)
        name = neutralise(hit.symbol.name)
        if said.probeable is False and said.place is None and self._warned != hit:
            self._warned = hit
            self.kptui.say(
                f"{name} can't be probed: {said.reason}. The same again writes it all the same.", "warning"
            )
            return
        self.searching = False
        self.redraw()
        self.kptui.on_symbols_pane_chosen(self.Chosen(hit, kind))
        if said.probeable is None and said.reason:
            self.kptui.say(f"{name}: {said.reason}", "warning")

    def probeability(self, hit: Hit) -> Probeability:
        return self._search.probeability(hit) if self._search is not None else Probeability(None)

    def _toggle_probeable(self) -> None:
        """Put ``probe:yes`` into the line, or take it out."""
        words = self.query_line.text.split()
        kept = [word for word in words if not word.startswith("probe:")]
        text = " ".join(kept if len(kept) < len(words) else [*kept, ONLY])
        self.query_line = TextLine.of(f"{text} " if text else "")
        self._run()

    def run(self, command: str) -> bool:
        """Run a command of this pane; False if it is none of them."""
        if self._move(command):
            return True
        match command:
            case "symbols.entry":
                self.choose("p")
            case "symbols.return":
                self.choose("r")
            case "symbols.probeable":
                self._toggle_probeable()
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

    def _move(self, command: str) -> bool:
        """Move the cursor by one of the list commands, and have the hits that it is about to reach; False if it is
        none.
        """
        page = self.size.height - 2
        if command == "list.bottom" and self._search is not None:
            self.hits = self.hits.grown(len(self._search.table))
        elif self.cursor.at + 2 * page >= len(self.hits.hits):
            self.hits = self.hits.grown(self.cursor.at + 4 * page)
        if not self.cursor.key(command, len(self.hits.hits), page):
            return False
        self.redraw()
        return True

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        return draw_symbols(self, width, height)
