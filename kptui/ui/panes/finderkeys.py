"""The keys of the search for members: letters narrow it, enter and space take what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from kptui.ui.textline import TextLine

if TYPE_CHECKING:
    from kptui.ui.finding import Finder
    from kptui.ui.panes.offered import OfferedPane

_MOVES = {"up": "list.up", "down": "list.down", "pageup": "list.page_up", "pagedown": "list.page_down"}


def finder_key(pane: OfferedPane, finder: Finder, event: events.Key) -> bool:
    """Take a key; False leaves it to the commands that work everywhere."""
    key = event.key
    if key in ("escape", "ctrl+c"):
        pane.stop_finding()
    elif key in ("enter", "space"):
        if finder.complete:
            _take(pane, finder, stay=key == "space")
        else:  # the keys behind it wait for this
            pane.app.run_worker(_take_later(pane, finder, stay=key == "space"), group="command")
    elif key in _MOVES:
        finder.cursor.key(_MOVES[key], len(finder.hits), max(pane.size.height - 10, 2))
        pane.redraw()
    elif not event.is_printable and pane.kptui.keymap.command(pane.scope, key) == "editor.native":
        pane.toggle_native()
    else:
        changed = finder.line.key(key, event.character)
        if changed is None:
            return False
        typed(pane, finder, changed)
    return True


def typed(pane: OfferedPane, finder: Finder, changed: TextLine) -> None:
    """The query is another one now."""
    again = changed.text.strip() != finder.line.text.strip()
    finder.line = changed
    if again:
        finder.complete = False
        finder.work = pane.app.run_worker(finder.run(), group="find", exclusive=True)
    pane.redraw()


def _take(pane: OfferedPane, finder: Finder, *, stay: bool) -> None:
    item = finder.item
    if item is not None and (stay or not pane.has_taken(item)):
        pane.take(item)
    if not stay and (item is not None or not finder.line.text):
        pane.stop_finding()


async def _take_later(pane: OfferedPane, finder: Finder, *, stay: bool) -> None:
    await finder.done()
    if pane.finder is finder:
        _take(pane, finder, stay=stay)
