"""The application: it owns the world and the screen, judges what is written, and runs the commands."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.markup import escape
from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.filter import NoColor
from textual.notifications import SeverityLevel
from textual.screen import Screen

from kptui.events.log import EventLog
from kptui.safetext import neutralise
from kptui.symbols import SymbolTable
from kptui.ui.dialogs.base import Dialog
from kptui.ui.helper import Helper
from kptui.ui.judging import LineJudge
from kptui.ui.keymap import Keymap
from kptui.ui.learning import Learning
from kptui.ui.live import Live
from kptui.ui.pane import Pane
from kptui.ui.panes.symbols import SymbolsPane
from kptui.ui.typeahead import TypeAhead
from kptui.ui.workspace import PANES, Workspace
from kptui.ui.world import Gate, World

if TYPE_CHECKING:
    from kptui.kernel.states import EventState
    from kptui.ui.dialogs.filter import FilterPane


class KptuiApp(App[None], inherit_bindings=False):
    """kptui on a terminal."""

    CSS_PATH = "style.tcss"
    TITLE = "kptui"
    BINDINGS: ClassVar[list[BindingType]] = []
    COMMAND_PALETTE_BINDING = "f24"  # the palette is a command of ours; see commands.py

    def __init__(self, world: World) -> None:
        super().__init__(ansi_color=True)
        if world.config.color == "none":
            self._filters.append(NoColor())
        self.world = world
        self.keymap = Keymap(world.config.keys)
        self.learning = Learning(self, world)
        self.live = Live(self, world)
        self.lines = LineJudge(self)
        self.helper = Helper(self)
        self.last_copy = ""
        self._loop_of_ours: asyncio.AbstractEventLoop | None = None
        self._exit_wanted = False
        self._standing = False
        self._early: list[events.Key | events.Paste] = []
        self.typed = TypeAhead(self, super().on_event)

    # -- what the commands ask for

    @property
    def gate(self) -> Gate:
        return self.live.gate

    @property
    def states(self) -> tuple[EventState, ...]:
        return self.live.states

    @property
    def table(self) -> SymbolTable | None:
        return self.learning.table

    @property
    def log_of_events(self) -> EventLog:
        return self.live.captured

    async def refresh_states(self) -> None:
        await self.live.refresh()

    @property
    def group(self) -> str:
        """The group of new probes."""
        session = self.world.session
        return session.group if session is not None else self.world.group or "kptui"

    def taken_names(self) -> Collection[str]:
        """Event names in use in that group."""
        return {state.event for state in self.states if state.group == self.group}

    # -- start and end

    def get_default_screen(self) -> Screen[object]:
        return cast("Screen[object]", Workspace(self.live.captured))

    @property
    def workspace(self) -> Workspace:
        return cast("Workspace", self.screen_stack[0])

    def on_mount(self) -> None:
        self._loop_of_ours = asyncio.get_running_loop()
        if self._exit_wanted:
            self.exit()
        self.workspace.notice.show("" if self.world.demo else self.world.findings.headline)
        self.live.show_status()
        self.run_worker(self.learning.load(), group="symbols")
        self.live.start()
        self.show_footer()
        self.set_interval(0.25, self.show_footer)
        self.call_after_refresh(self._stand)

    async def on_event(self, event: events.Event) -> None:
        """Keys wait for the workspace, and for what the keys before them began; everything else goes its way."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
        elif self._standing:
            await self.typed.take(event)
        else:
            # Until the screen is up the terminal makes a line feed of enter (ICRNL).
            early = isinstance(event, events.Key) and event.key == "ctrl+j"
            self._early.append(events.Key("enter", "\r") if early else event)

    def _stand(self) -> None:
        self._standing = True
        for event in self._early:
            self.post_message(event)
        self._early.clear()

    def end_soon(self) -> None:
        """Exit, from a signal handler or a thread, without waiting for it; also before the screen is up."""
        loop = self._loop_of_ours
        self._exit_wanted = True
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.exit)

    def on_cursor_position(self, _event: events.CursorPosition) -> None:
        self.live.pacer.answered(time.monotonic())

    async def action_quit(self) -> None:
        self.run_command("quit.now")

    # -- authoring

    def judge(self, line: str) -> None:
        """Say of a line what the kernel would say."""
        self.lines.judge(line)

    def on_symbols_pane_chosen(self, message: SymbolsPane.Chosen) -> None:
        from kptui.ui.actions.authoring import draft_for

        self.workspace.editor.set_draft(draft_for(self, message.hit, message.kind))
        self.workspace.go("editor")
        self.show_footer()

    def on_filter_pane_changed(self, _message: FilterPane.Changed) -> None:
        from kptui.ui.actions.filtering import count_matches
        from kptui.ui.dialogs.filter import FilterPane

        screen = self.screen
        if isinstance(screen, Dialog) and isinstance(screen.pane, FilterPane):
            self.run_worker(count_matches(self, screen.pane), group="count", exclusive=True)

    # -- commands

    def on_pane_command_wanted(self, message: Pane.CommandWanted) -> None:
        self.run_command(message.command, message.pane)

    def run_command(self, command: str, pane: Pane | None = None) -> None:
        """Run a command by its id; the pane in focus has the first word."""
        pane = pane or self.workspace.current_pane
        if not pane.run(command):
            from kptui.ui.actions import ACTIONS

            action = ACTIONS.get(command)
            result = action(self) if action is not None else None
            if inspect.isawaitable(result):
                self.run_worker(_finish(result), group="command", name=command)
        self.show_footer()

    def show_footer(self) -> None:
        """Show the keys that work now."""
        if not self.screen_stack:  # a timer's last call, while the screens go
            return
        if isinstance(self.screen, Dialog):
            self.screen.show_footer()
            return
        pane = self.workspace.current_pane
        typing = list(pane.typing_hints) if pane.typing else []
        if self.screen is not self.workspace:  # Textual's palette: it has no footer
            typing = [("enter", "run it"), ("↑↓", "choose"), ("esc", "close")]
        self.workspace.footer.show(self.keymap.footer(pane.scope, pane.foremost, pane.without), typing)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for command in self.keymap.commands.values():
            if command.scope in ("everywhere", *PANES):
                keys = f"  ({escape(self.keymap.key(command.id))})" if command.keys else ""
                where = "" if command.scope == "everywhere" else f"{command.scope.capitalize()}: "
                run = self._runner(command.id, command.scope)
                yield SystemCommand(where + command.title, (command.help or command.title) + keys, run)

    def _runner(self, id_: str, scope: str) -> Callable[[], None]:
        def run() -> None:
            if scope != "everywhere":
                self.workspace.go(scope)
            self.run_command(id_)

        return run

    def say(self, text: str, severity: SeverityLevel = "information") -> None:
        """A toast: short, literal text."""
        timeout = 10 if severity == "error" else 5
        self.notify(neutralise(text), severity=severity, markup=False, timeout=timeout)


async def _finish(result: Awaitable[None]) -> None:
    await result
