"""What is new: the session, probes and their counters, captured events.

Threads produce, the screen asks. The reader's thread knows nothing of the screen; a timer drains it in batches, and
whatever may block is read on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from kptui.events.log import EventLog
from kptui.events.model import ArgSpec
from kptui.kernel.refusal import Refused
from kptui.safetext import neutralise
from kptui.ui.commands import COMMANDS
from kptui.ui.pacing import ASK, Pacer
from kptui.ui.panes.chrome import Status
from kptui.ui.world import Gate, World

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.kernel.states import EventState
    from kptui.ui.app import KptuiApp

TICK = 0.1  # s between looks at the reader: ten frames a second are the most anyone reads
POLL = 1.0  # s between looks at the probes' counters
FEED = 1 << 18  # bytes given to the log at once: about 3 ms of the loop
PAUSE = 0.005  # s for keys and frames between two of them
LISTING = 2.0  # s that opening the session waits for the first list of symbols
SILENCE = 10.0  # s without an event before the pane asks whether that is right
# What means nothing where there is no kernel to trace.
WRITING = frozenset({"editor.write", "editor.start"})
SWITCHING = frozenset(
    command.id for command in COMMANDS if command.scope == "probes" and command.id != "probes.add"
)


class Live:
    """The state of the machine as last seen, and the timers that keep it fresh."""

    def __init__(self, app: KptuiApp, world: World) -> None:
        self._app = app
        self.world = world
        self.gate = Gate()
        self.captured = EventLog(max_bytes=world.config.max_bytes, max_events=world.config.max_events)
        self.states: tuple[EventState, ...] = ()
        self.lost = 0
        self.rate = 0.0
        self.pacer = Pacer(self._ask)
        self._painted = 0
        self._pending = memoryview(b"")
        self._feeding = False  # a timer will go on with it
        self._counted = (time.monotonic(), 0)
        self._polling = False
        self._opened = False  # whether the session was opened, or found to be impossible
        self._reader_error = ""
        self._warnings: tuple[str, ...] = ()
        self._since: dict[tuple[str, str], float] = {}  # when each event was first seen enabled
        self._specs: dict[tuple[str, str], tuple[str, tuple[ArgSpec, ...]]] = {}

    def start(self) -> None:
        """Open the session, start the timers."""
        app = self._app
        app.run_worker(self._open(), group="kernel")
        app.set_interval(TICK, self._tick)
        app.set_interval(POLL, self._poll)

    @property
    def session(self) -> Session | None:
        return self.world.session

    @property
    def ours(self) -> list[EventState]:
        return [state for state in self.states if state.ours]

    # -- the session

    async def _open(self) -> None:
        app = self._app
        # To be opened beside it would only delay the list; but a list that doesn't come must not delay the session.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(app.learning.listed.wait(), LISTING)
        try:
            session = await self.gate.call(self.world.open_session)
        except (OSError, Refused) as error:
            app.workspace.notice.show(f"no live tracing: {neutralise(str(error))}")
            session = None
        self.world.session = session
        self._opened = True
        app.learning.knowledge.begin(app.table)
        app.workspace.probes.available = session is not None
        if session is None:
            app.workspace.editor.without = WRITING
            app.workspace.probes.without = SWITCHING
        app.workspace.probes.redraw()
        for note in self.world.notes:
            app.say(note, "warning")
        self.show_warnings()
        self.show_status()
        await self.refresh()

    def show_warnings(self) -> None:
        """Say what the session has newly to complain of."""
        if self.session is not None:
            for note in self.session.warnings[len(self._warnings) :]:
                self._app.say(note, "warning")
            self._warnings = self.session.warnings

    async def refresh(self) -> None:
        """Ask the kernel what stands, and show it."""
        session, workspace = self.session, self._app.workspace
        if session is None:
            self._show_hint()
            return
        before = [(state.group, state.event, state.definition) for state in self.states]
        try:
            self.states = await self.gate.call(session.states)
            stats = await self.gate.call(session.stats)
            await self._learn_formats(session)
        except (OSError, Refused) as error:
            workspace.notice.show(neutralise(str(error)))
            return
        if not self._app.screen_stack:  # it has ended meanwhile
            return
        if before != [(state.group, state.event, state.definition) for state in self.states]:
            self._app.judge(workspace.editor.line)
        workspace.notice.show("" if self.world.demo else self.world.findings.headline)
        self.lost = stats.lost
        now = time.monotonic()
        on = {(state.group, state.event) for state in self.ours if state.enabled}
        self._since = {name: self._since.get(name, now) for name in on}
        workspace.probes.set_states(self.states, now)
        workspace.events.longest_name = max((len(state.event) for state in self.ours), default=12)
        self._show_hint()
        self.show_status()

    async def _learn_formats(self, session: Session) -> None:
        """Tell the log the arguments of our events, so that a string that imitates one is read right."""
        known = {name: self._specs[name][0] for name in self._specs}
        ours = {(state.group, state.event): state.definition for state in self.ours}
        if known == ours:
            return
        for name, definition in ours.items():
            if known.get(name) != definition:
                try:
                    format_ = await self.gate.call(session.format, *name)
                except (Refused, ValueError):
                    continue
                from kptui.events.parse import arg_specs

                self._specs[name] = definition, arg_specs(format_.print_fmt)
        self._specs = {name: self._specs[name] for name in ours if name in self._specs}
        # The kernel prints no group: of two events of one name neither is told apart, and neither is believed.
        names = [event for _, event in self._specs]
        specs = {event: spec for (_, event), (_, spec) in self._specs.items() if names.count(event) == 1}
        self.captured.set_formats(specs)

    # -- timers

    def _tick(self) -> None:
        session = self.session
        if not self._app.screen_stack:  # it is ending
            return
        if session is not None and session.reader is not None:
            if not self._pending:
                self._pending = memoryview(session.reader.drain())
            if not self._feeding:
                self._feed()
            if session.reader.error and session.reader.error != self._reader_error:
                self._reader_error = session.reader.error
                self._app.say(self._reader_error, "error")
        now = time.monotonic()
        then, received = self._counted
        if now - then >= 1:
            self.rate = (self.captured.received - received) / (now - then)
            self._counted = (now, self.captured.received)
        pane = self._app.workspace.events
        new = self.captured.received - self._painted
        if self.pacer.ready(now, new, pane.size.height):
            self._painted = self.captured.received
            if pane.tick():
                self._app.call_after_refresh(lambda: self.pacer.painted(time.monotonic()))
            self.show_status()

    def collect(self) -> None:
        """Take what the reader has read."""
        if self.session is not None and self.session.reader is not None:
            self._pending = memoryview(bytes(self._pending) + self.session.reader.drain())

    def _ask(self) -> bool:
        """Ask the terminal where its cursor is; it answers when it has drawn everything before."""
        driver = self._app._driver
        if driver is None or self._app.is_headless:
            return False
        driver.write(ASK)
        return True

    def _feed(self) -> None:
        """Give what was read to the log, a piece at a time."""
        self._feeding = False
        if self._pending:
            self.captured.feed(bytes(self._pending[:FEED]))
            self._pending = self._pending[FEED:]
            if self._pending:
                self._feeding = True
                self._app.set_timer(PAUSE, self._feed)

    def _poll(self) -> None:
        if self._app.screen_stack and self.session is not None and not self._polling and not self.gate.busy:
            self._app.run_worker(self._poll_once(), group="poll")

    async def _poll_once(self) -> None:
        self._polling = True
        try:
            await self.refresh()
        finally:
            self._polling = False

    # -- what it says

    def show_status(self) -> None:
        session, workspace = self.session, self._app.workspace
        workspace.status.show(
            Status(
                kernel=self.world.release,
                demo=self.world.demo,
                live=session is not None,
                instance=f"instance {session.instance}" if session else "",
                on=sum(state.enabled for state in self.ours),
                defined=len(self.ours),
                rate=self.rate,
                lost=max(self.lost, self.captured.lost),
                hidden=session is not None,
                pane=workspace.number,
                alone=workspace.narrow,
                busy="" if self._opened else "opening tracefs …",
            )
        )

    def _show_hint(self) -> None:
        """What the empty events pane says: the next step, or why nothing comes."""
        key = self._app.keymap.key
        on = [state for state in self.ours if state.enabled]
        if self.session is None:
            lines = [
                "No live events here: the line on top says what is missing. Lines and scripts can be written."
            ]
        elif not self.ours:
            lines = [f"No events yet: {key('search')} finds a function, {key('symbols.entry')} probes it."]
        elif not on:
            lines = [f"No events yet: {key('pane.probes')} and {key('probes.toggle')} enable a probe."]
        else:
            names = ", ".join(f"{neutralise(s.event)} ({s.hits or 0} hits)" for s in on[:4])
            lines = [f"Waiting for {names} …"]
            if time.monotonic() - min(self._since.values(), default=time.monotonic()) > SILENCE:
                lines.append(_silent(sum(state.hits or 0 for state in on)))
        self._app.workspace.events.set_hint(lines)


def _silent(hits: int) -> str:
    """What may be behind it that no event comes of probes that were hit so often."""
    if hits:
        return (
            "Hit, but no event in ten seconds: kptui's own calls count as hits and are left out; does a filter drop "
            "the others?"
        )
    return (
        "Nothing in ten seconds: is this function called at all (callers may have it inlined)? "
        "Does a filter drop everything?"
    )
