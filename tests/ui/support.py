"""A workspace over the simulated kernel whose clock only the test moves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from textual.pilot import Pilot

from kptui.host.config import Config
from kptui.kernel.capabilities import Finding, Findings
from kptui.kernel.session import Session
from kptui.kernel.sim import ManualClock, SimFiles, demo_kallsyms
from kptui.kernel.sim.known import know_sim, sim_types
from kptui.kernel.sim.symbols import demo_probe_lists
from kptui.kernel.target.known import Known, Types
from kptui.safetext import decode
from kptui.symbols import ProbeLists, SymbolTable
from kptui.ui.app import KptuiApp
from kptui.ui.world import World

WIDE, NARROW = (160, 48), (80, 24)
_KEYS = {" ": "space", "/": "slash", "_": "underscore", "*": "asterisk", '"': "quotation_mark"}


class Driven:
    """An app under test with its simulated kernel."""

    def __init__(self, app: KptuiApp, pilot: Pilot[None], files: SimFiles) -> None:
        self.app = app
        self.pilot = pilot
        self.files = files

    async def press(self, *keys: str) -> None:
        """Press keys; ``=text`` types a text."""
        await self.press_unsettled(*keys)
        await self.settle()

    async def press_unsettled(self, *keys: str) -> None:
        """Press keys, and don't wait for what they begin."""
        for key in keys:
            pressed = [_KEYS.get(c, c) for c in key[1:]] if key.startswith("=") else [key]
            for one in pressed:
                await self.pilot.press(one)

    async def settle(self) -> None:
        """Until nothing is under way: workers done, the screen painted."""
        for _ in range(500):
            await self.pilot.pause()
            busy = [w for w in self.app.workers if not w.is_finished and w.group not in ("command", "poll")]
            if not busy and not self.app.gate.busy and self.app.typed.idle:
                break
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        for _ in range(3000):  # a slow machine has its time; a test that fails may take longer
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"never: {what or condition}\n{self.screen()}")

    async def happen(self, seconds: float = 5.0) -> None:
        """Let the simulated machine run on, and the events arrive on the screen."""
        self.files.advance(seconds)
        before = -1
        while before != self.app.log_of_events.received:
            before = self.app.log_of_events.received
            await self.pilot.pause(0.25)
        await self.app.refresh_states()
        await self.pilot.pause()

    def screen(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def toasts(self) -> list[str]:
        return [toast.message for toast in self.app._notifications]

    def listed(self) -> str:
        return decode(self.files.read("kprobe_events"))


@contextlib.asynccontextmanager
async def demo(
    tmp_path: Path,
    size: tuple[int, int] = WIDE,
    *,
    live: bool = True,
    kallsyms: Callable[[], bytes] = demo_kallsyms,
    config: Config | None = None,
    ready: bool = True,
    notifications: bool = False,
    know: Callable[[SymbolTable | None], Known | None] | None = None,
    types: Callable[[], Types] = sim_types,
) -> AsyncIterator[Driven]:
    """The app over a simulated kernel, symbols read and session open; the session is closed at the end."""
    files = SimFiles(seed=1, clock=ManualClock())
    opened: list[Session] = []

    def open_session() -> Session | None:
        if not live:
            return None
        session = Session.open(files, state_dir=tmp_path)
        session.start_reader()
        opened.append(session)
        return session

    missing = (
        ()
        if live
        else (Finding("rights", False, "rights", "not root: tracefs is closed", "run: sudo kptui"),)
    )
    environ = {"KPTUI_CLIPBOARD": "file", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    world = World(
        read_symbols=kallsyms,
        open_session=open_session,
        read_types=types,
        know=know or (lambda table: know_sim(table) if table is not None else None),
        findings=Findings(None, missing),
        config=config or Config(),
        state_dir=tmp_path,
        environ=environ,
        release="6.12.107+deb13-amd64",
        readme=decode(files.read("README")),
        demo=live,
        list_processes=files.processes,
        read_lists=demo_probe_lists if kallsyms is demo_kallsyms else ProbeLists,
    )
    app = KptuiApp(world)
    try:
        async with app.run_test(size=size, notifications=notifications) as pilot:
            driven = Driven(app, pilot, files)
            if ready:
                await driven.until(
                    lambda: "reading" not in app.workspace.symbols.note and (bool(world.session) or not live),
                    "start",
                )
                await driven.settle()
            yield driven
    finally:
        for session in opened:
            assert session.close() == []
