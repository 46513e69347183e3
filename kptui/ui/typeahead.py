"""Keys typed ahead: over a slow line several arrive at once, and each must meet what the one before it did.

A key may move the focus, open a dialog or write to the kernel, all of which end later than the key's own handler.
So keys wait in one queue and are given out one at a time, to whatever then has the focus.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.message_pump import MessagePump

from kptui.ui.dialogs.base import Dialog
from kptui.ui.pane import Pane
from kptui.ui.workspace import Workspace

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp

PATIENCE = 3.0  # s that keys wait for a command: a kernel that hangs must not take the keyboard with it
LOOK = 0.02  # s between looks whether the command has ended
AT_ONCE = ("ctrl+c", "ctrl+q")  # never wait


class TypeAhead:
    """The queue of the keys (and pastes); ``give`` hands one to Textual as usual."""

    def __init__(self, app: KptuiApp, give: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way = False
        self._since = 0.0  # when the command began that keys wait for

    @property
    def idle(self) -> bool:
        """Whether every key has done what it does."""
        return not self._waiting and not self._under_way

    async def take(self, event: events.Key | events.Paste) -> None:
        """A key or a paste came in."""
        if isinstance(event, events.Key) and event.key in AT_ONCE:
            self._waiting.clear()
            await self._give(event)
            return
        self._waiting.append(event)
        await self._next()

    async def _next(self) -> None:
        if self._under_way or not self._waiting or not self._app.screen_stack:
            return
        if self._busy():
            self._app.set_timer(LOOK, self._next)
            return
        event = self._waiting.popleft()
        while self._is_text(event):  # moves no focus and opens nothing: the next key need not wait for it
            await self._give(event)
            if not self._waiting:
                return
            event = self._waiting.popleft()
        self._under_way = True
        target: MessagePump = self._app.focused or self._app.screen
        await self._give(event)
        # Behind the key in the queue of its widget, then behind what that asked of the app (the focus, above all).
        if not target.call_later(self._app.call_later, self._done):
            await self._done()

    async def _done(self) -> None:
        self._under_way = False
        await self._next()

    def _is_text(self, event: events.Key | events.Paste) -> bool:
        """Whether a key is a letter for a line of text that is being edited."""
        pane = self._app.focused
        return isinstance(event, events.Key) and event.is_printable and isinstance(pane, Pane) and pane.typing

    def _at_work(self, group: str) -> bool:
        return any(worker.group == group and not worker.is_finished for worker in self._app.workers)

    def _busy(self) -> bool:
        """Whether what the last key began is still under way: a dialog opening, a command at work."""
        screen = self._app.screen
        if isinstance(screen, Dialog):
            busy = not screen.pane.has_focus or self._at_work("apply")
        elif isinstance(screen, Workspace):
            early = bool(self._app.workspace.symbols.chosen_early)
            busy = early or self._at_work("command") or self._at_work("help")
        else:
            busy = False
        now = time.monotonic()
        self._since = (self._since or now) if busy else 0.0
        return busy and now - self._since < PATIENCE
