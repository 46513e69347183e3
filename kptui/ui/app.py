"""The application: it owns the world, runs the commands, and asks the kernel and the log for what is new.

Threads produce, the screen asks: the reader knows nothing of the screen; a timer drains it in batches.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import ClassVar, cast

from rich.markup import escape
from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from kptui.events.log import EventLog
from kptui.kernel.refusal import Refused
from kptui.kernel.states import EventState
from kptui.probes.check import Target, check_definition
from kptui.safetext import neutralise
from kptui.symbols import SymbolSearch, SymbolTable
from kptui.ui.actions import ACTIONS
from kptui.ui.actions.filtering import count_matches
from kptui.ui.commands import Keymap
from kptui.ui.dialogs.base import Dialog
from kptui.ui.dialogs.filter import FilterPane
from kptui.ui.draft import Draft
from kptui.ui.pane import Pane
from kptui.ui.panes.chrome import Status
from kptui.ui.panes.editor import EditorPane
from kptui.ui.panes.symbols import SymbolsPane
from kptui.ui.workspace import Workspace
from kptui.ui.world import Gate, World

TICK = 0.1  # s between looks at the reader: ten frames a second are the most anyone reads
POLL = 1.0  # s between looks at the probes' counters
FEED = 1 << 20  # bytes given to the log in one tick: about 20 ms of the loop


class KptuiApp(App[None], inherit_bindings=False):
    """kptui on a terminal."""

    CSS_PATH = "style.tcss"
    TITLE = "kptui"
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f24"  # the palette is a command of ours; see commands.py

    def __init__(self, world: World) -> None:
        super().__init__(ansi_color=True)
        self.world = world
        self.keymap = Keymap(world.config.keys)
        self.gate = Gate()
        self.log_of_events = EventLog(max_bytes=world.config.max_bytes, max_events=world.config.max_events)
        self.table: SymbolTable | None = None
        self.states: tuple[EventState, ...] = ()
        self.target = Target.from_readme(world.readme, world.release)
        self.last_copy = ""
        self.lost = 0
        self.said_warnings: tuple[str, ...] = ()
        self._pending = b""
        self.rate = 0.0
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._exit_wanted = False
        self._polling = False
        self._counted = (0.0, 0)
        self._reader_error = ""
        self._enabled_at: dict[tuple[str, str], float] = {}

    # -- start

    def get_default_screen(self) -> Screen[object]:
        return cast("Screen[object]", Workspace(self.log_of_events))

    @property
    def workspace(self) -> Workspace:
        return cast("Workspace", self.screen_stack[0])

    def on_mount(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        if self._exit_wanted:
            self.exit()
        self.workspace.notice.show("" if self.world.demo else self.world.findings.headline)
        self.show_status()
        self.run_worker(self.load_symbols(), group="symbols")
        self.run_worker(self._open_session(), group="kernel")
        self.set_interval(TICK, self._tick)
        self.set_interval(POLL, self._poll)
        self.set_interval(0.25, self.show_footer)
        for note in self.world.notes:
            self.say(note, "warning")

    async def load_symbols(self) -> None:
        """Read and index the symbols off the event loop."""
        pane = self.workspace.symbols

        def read() -> tuple[SymbolTable, SymbolSearch]:
            table = SymbolTable.parse(self.world.read_symbols())
            return table, SymbolSearch(table)

        try:
            table, search = await asyncio.to_thread(read)
        except (OSError, ValueError) as error:
            pane.set_search(None, 0, f"no symbols: {neutralise(str(error))}")
            return
        self.table = table
        if not len(table):
            pane.set_search(None, 0, "no symbols in this file; start with --kallsyms FILE")
            return
        hidden = (
            "addresses hidden (kptr_restrict or no root): names still work" if table.addresses_hidden else ""
        )
        pane.set_search(search, len(table), warning=hidden)
        modules = frozenset(table.modules)
        self.target = replace(
            self.target,
            symbol_count=lambda name, module: len(table.lookup(name, module)),
            is_loaded_module=modules.__contains__,
        )
        self.judge(self.workspace.editor.line)

    async def _open_session(self) -> None:
        try:
            session = await self.gate.call(self.world.open_session)
        except (OSError, Refused) as error:
            self.workspace.notice.show(f"no live tracing: {neutralise(str(error))}")
            return
        self.world.session = session
        self.workspace.probes.available = session is not None
        if session is None:
            self.show_hint()
            return
        self.said_warnings = session.warnings
        for warning in session.warnings:
            self.say(warning, "warning")
        await self.refresh_states()

    # -- what is new

    def _tick(self) -> None:
        session = self.world.session
        if session is not None and session.reader is not None:
            self._pending += session.reader.drain()
            if self._pending:
                self.log_of_events.feed(self._pending[:FEED])
                self._pending = self._pending[FEED:]
            if session.reader.error and session.reader.error != self._reader_error:
                self._reader_error = session.reader.error
                self.say(self._reader_error, "error")
        now = time.monotonic()
        then, received = self._counted
        if now - then >= 1:
            self.rate = (self.log_of_events.received - received) / (now - then)
            self._counted = (now, self.log_of_events.received)
        self.workspace.events.tick()
        self.show_status()

    def _poll(self) -> None:
        if self.world.session is not None and not self._polling and not self.gate.busy:
            self.run_worker(self._poll_once(), group="poll")

    async def _poll_once(self) -> None:
        self._polling = True
        try:
            await self.refresh_states()
        finally:
            self._polling = False

    async def refresh_states(self) -> None:
        """Ask the kernel what stands, and show it."""
        session = self.world.session
        if session is None:
            return
        try:
            self.states = await self.gate.call(session.states)
            stats = await self.gate.call(session.stats)
        except (OSError, Refused) as error:
            self.workspace.notice.show(f"tracefs can't be read: {neutralise(str(error))}")
            return
        if not self.world.findings.headline or self.world.demo:
            self.workspace.notice.show("")
        self.lost = stats.lost
        now = time.monotonic()
        for state in self.states:
            if state.enabled:
                self._enabled_at.setdefault((state.group, state.event), now)
            else:
                self._enabled_at.pop((state.group, state.event), None)
        self.workspace.probes.set_states(self.states, now)
        self.show_hint()

    def show_hint(self) -> None:
        """What the empty events pane says: the next step, or why nothing comes."""
        key = self.keymap.key
        pane = self.workspace.events
        ours = [s for s in self.states if s.ours]
        on = [s for s in ours if s.enabled]
        if self.world.session is None:
            hint = "No live events here: this machine or this user can't trace; the status line says why."
        elif not ours:
            hint = f"No events yet: {key('search')} finds a function, {key('symbols.entry')} probes it."
        elif not on:
            hint = f"No events yet: {key('pane.probes')} and {key('probes.toggle')} enable a probe."
        else:
            waited = time.monotonic() - min(self._enabled_at.values(), default=time.monotonic())
            names = ", ".join(f"{s.event} ({s.hits or 0} hits)" for s in on[:4])
            hint = f"Waiting for {names} …"
            if waited > 10:
                hint += (
                    "\nNothing in ten seconds: is this function called at all? Does a filter drop everything?"
                )
        if hint != pane.hint:
            pane.hint = neutralise(hint.replace("\n", "\0")).replace("\\x00", "\n")
            pane.redraw()

    def show_status(self) -> None:
        session = self.world.session
        ours = [s for s in self.states if s.ours]
        pane = self.workspace.current
        self.workspace.status.show(
            Status(
                kernel=self.world.release,
                demo=self.world.demo,
                live=session is not None,
                instance=f"instance {session.instance}" if session else "",
                on=sum(s.enabled for s in ours),
                defined=len(ours),
                rate=self.rate,
                lost=max(self.lost, self.log_of_events.lost),
                hidden=session is not None,
                pane=("symbols", "editor", "probes", "events").index(pane) + 1,
            )
        )

    def show_footer(self) -> None:
        if isinstance(self.screen, Dialog):
            self.screen.show_footer()
            return
        pane = self.workspace.current_pane
        typing: list[tuple[str, str]] = []
        if pane.typing:
            typing = [("enter", "take"), ("esc", "back")]
            if pane.scope == "symbols":
                typing = [
                    ("enter", "probe it"),
                    ("ctrl+r", "return probe"),
                    ("↑↓", "choose"),
                    ("esc", "done typing"),
                ]
        self.workspace.footer.show(self.keymap.footer(pane.scope), typing)

    # -- authoring

    def taken_names(self) -> Collection[str]:
        """Event names in use in our group."""
        group = self.group
        return {s.event for s in self.states if s.group == group}

    @property
    def group(self) -> str:
        session = self.world.session
        return session.group if session is not None else self.world.group or "kptui"

    def judge(self, line: str) -> None:
        """Say of a line what the kernel would say."""
        editor = self.workspace.editor
        replacing = editor.draft.replacing if editor.draft else None
        existing = tuple(
            s.definition for s in self.states if (s.group, s.event) != replacing and s.kind in ("p", "r")
        )
        enabled = frozenset(f"{s.group}/{s.event}" for s in self.states if s.enabled or s.enabled_elsewhere)
        target = replace(self.target, existing=existing, enabled=enabled)
        editor.verdict = check_definition(line, target) if line else None
        editor.redraw()
        self.workspace.hero.refresh(layout=True)

    def on_editor_pane_changed(self, message: EditorPane.Changed) -> None:
        self.judge(message.line)

    def on_symbols_pane_chosen(self, message: SymbolsPane.Chosen) -> None:
        from kptui.ui.actions.authoring import draft_for

        self.workspace.editor.set_draft(draft_for(self, message.hit, message.kind))
        self.workspace.go("editor")
        self.show_footer()

    def on_filter_pane_changed(self, message: FilterPane.Changed) -> None:
        screen = self.screen
        if isinstance(screen, Dialog) and isinstance(screen.pane, FilterPane):
            self.run_worker(count_matches(self, screen.pane), group="count", exclusive=True)

    # -- commands

    def on_pane_command_wanted(self, message: Pane.CommandWanted) -> None:
        self.run_command(message.command, message.pane)

    def run_command(self, command: str, pane: Pane | None = None) -> None:
        """Run a command by its id; the pane in focus has the first word."""
        pane = pane or self.workspace.current_pane
        runner = getattr(pane, "run", None)
        if runner is not None and runner(command):
            self.show_footer()
            return
        action = ACTIONS.get(command)
        if action is None:
            return
        result = action(self)
        if inspect.isawaitable(result):
            self.run_worker(_await(result), group="command", name=command)
        self.call_after_refresh(self.show_footer)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for command in self.keymap.commands.values():
            if command.scope in ("everywhere", *("symbols", "editor", "probes", "events")):
                keys = f"  ({escape(self.keymap.key(command.id))})" if command.keys else ""
                title = (
                    command.title
                    if command.scope == "everywhere"
                    else f"{command.scope.capitalize()}: {command.title}"
                )
                yield SystemCommand(
                    title, (command.help or command.title) + keys, self._runner(command.id, command.scope)
                )

    def _runner(self, id_: str, scope: str):  # type: ignore[no-untyped-def]
        def run() -> None:
            if scope != "everywhere":
                self.workspace.go(scope)
            self.run_command(id_, self.workspace.current_pane)

        return run

    # -- saying things

    def say(self, text: str, severity: str = "information") -> None:
        """A toast: short, literal text."""
        level = severity if severity in ("warning", "error") else "information"
        self.notify(
            neutralise(text),
            severity=level,  # type: ignore[arg-type]
            markup=False,
            timeout=10 if level == "error" else 5,
        )

    def end_soon(self) -> None:
        """Exit, from a signal handler or a thread, without waiting for it; also before the screen is up."""
        loop = self._own_loop
        self._exit_wanted = True
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.exit)

    async def action_quit(self) -> None:
        self.run_command("quit.now")

    def on_app_blur(self, _event: events.AppBlur) -> None:
        """Nothing: without a focused terminal the events go on."""


async def _await(result: object) -> None:
    await result  # type: ignore[misc]


__all__ = ["Draft", "KptuiApp", "NoMatches"]
