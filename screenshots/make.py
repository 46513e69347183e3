"""Makes the pictures of this folder from the running demo: ``python screenshots/make.py [NAME…]``.

The simulated kernel stands still between two keys and the screen's clock is moved by hand, so the same code gives the
same pictures on every machine. ``--check`` writes nothing and exits 1 when a picture differs from the committed one.
"""

# ruff: noqa: E402 -- run as a script, it has to find the package and the tests beside its folder

from __future__ import annotations

import argparse
import asyncio
import contextlib
import difflib
import html
import itertools
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from textual.events import Paste
from textual.pilot import Pilot

from kptui.host.config import Config
from kptui.interactive import DEMO_RELEASE
from kptui.kernel.capabilities import Findings
from kptui.kernel.session import Session
from kptui.kernel.sim import ManualClock, SimFiles, demo_kallsyms
from kptui.kernel.sim.known import know_sim, sim_types
from kptui.kernel.sim.symbols import demo_probe_lists
from kptui.safetext import decode
from kptui.ui.app import KptuiApp
from kptui.ui.world import World
from tests.ui.support import NARROW, WIDE, Driven

PID = 4121  # of the pretended process: the instance is called after it
FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


class HandClock:
    """The screen's ``time``; it stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Stage(Driven):
    """A driven demo whose screen sees only the time that :meth:`pass_time` lets pass."""

    def __init__(self, app: KptuiApp, pilot: Pilot[None], files: SimFiles, clock: HandClock) -> None:
        super().__init__(app, pilot, files)
        self.clock = clock

    async def press(self, *keys: str) -> None:
        """Press keys; ``=text`` pastes a text, which is faster than typing it."""
        for key in keys:
            focused = self.app.screen.focused
            if key.startswith("=") and focused is not None:
                focused.post_message(Paste(key[1:]))
                await self.pilot.pause()
            else:
                await super().press(key)
        await self.settle()

    async def start(self) -> None:
        await self.until(lambda: self.app.world.session is not None, "session")
        pane = self.app.workspace.symbols
        await self.until(lambda: pane.search is not None and pane.search.probing is not None, "symbols")
        await self.settle()

    async def pass_time(self, seconds: int) -> None:
        """The kernel runs on, its events arrive, then the screen's clock follows: a second at a time."""
        for _ in range(seconds):
            before = self.app.log_of_events.received
            self.files.advance(1.0)
            await self.until(self._arrived, "events arrived")
            self.app.live.rate = -1.0
            self.clock.now += 1.0
            await self.app.refresh_states()
            await self.until(lambda: self.app.live.rate >= 0, "rate measured")
            assert self.app.live.rate == self.app.log_of_events.received - before

    def _arrived(self) -> bool:
        """Whether the screen has every record that the kernel wrote."""
        session = self.app.world.session
        assert session is not None
        counts = {"entries": 0, "read events": 0}
        place = f"instances/{session.instance}/per_cpu"
        for cpu in self.files.listdir(place):
            for line in decode(self.files.read(f"{place}/{cpu}/stats")).splitlines():
                name, _, value = line.partition(": ")
                if name in counts:
                    counts[name] += int(value)
        return not counts["entries"] and counts["read events"] == self.app.log_of_events.received

    async def probe(self, query: str, *keys: str, start: bool = True) -> None:
        """Find a function, press ``keys`` in the editor, write and start the probe."""
        await self.press("1", "slash", "ctrl+u", f"={query}", *keys)
        if start:
            defined = len(self.app.states)
            await self.press("s")
            await self.until(lambda: len(self.app.states) > defined, "defined")
            await self.until(lambda: all(s.enabled for s in self.app.states if s.ours), "started")

    async def picture(self) -> str:
        self.app.clear_notifications()
        await self.settle()
        return clean(self.app.export_screenshot(title="kptui --demo"))


@contextlib.asynccontextmanager
async def stage(size: tuple[int, int]) -> AsyncIterator[Stage]:
    """The demo on a terminal of ``size``, symbols read and session open."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as restore:
        state_dir = Path(place)
        files = SimFiles(seed=1, clock=ManualClock())
        opened: list[Session] = []

        def open_session() -> Session:
            session = Session.open(files, state_dir=state_dir, pid=PID)
            session.start_reader()
            opened.append(session)
            return session

        world = World(
            read_symbols=demo_kallsyms,
            open_session=open_session,
            read_types=sim_types,
            know=lambda table: know_sim(table) if table is not None else None,
            findings=Findings(None, ()),
            config=Config(),
            state_dir=state_dir,
            environ={"KPTUI_CLIPBOARD": "file", "HOME": place, "PATH": os.environ.get("PATH", "")},
            release=DEMO_RELEASE,
            readme=decode(files.read("README")),
            demo=True,
            list_processes=files.processes,
            read_lists=demo_probe_lists,
        )
        clock = HandClock()
        for name, module in list(sys.modules.items()):
            if name.startswith("kptui.ui") and getattr(module, "time", None) is time:
                restore.callback(setattr, module, "time", time)
                module.time = clock  # type: ignore[attr-defined]
        app = KptuiApp(world)
        try:
            async with app.run_test(size=size) as pilot:
                on_stage = Stage(app, pilot, files, clock)
                await on_stage.start()
                yield on_stage
        finally:
            for session in opened:
                session.close()
            files.close()


# -- the pictures


async def workspace_wide() -> str:
    async with stage(WIDE) as it:
        await it.probe("do_sys_openat2", "enter", "space", "j", "space")
        await it.probe("__x64_sys_execve", "ctrl+r", "space")
        await it.probe("execve", "enter", "space", "j", "space", "j", "space")
        await it.press("3", "home", "F", "i", '=filename ~ "/etc/*"', "enter", "s")
        await it.until(lambda: any(s.filter for s in it.app.states), "filter set")
        await it.pass_time(8)
        await it.press("3", "home", "j", "j", "enter", "4")
        return await it.picture()


async def workspace_80x24() -> str:
    async with stage(NARROW) as it:
        await it.probe("execve", "enter", "space", "j", "space", "j", "space", start=False)
        await it.press("1", "slash", "ctrl+u", "=sysexec")
        return await it.picture()


async def struct_walker() -> str:
    async with stage(NARROW) as it:
        await it.probe("vfs_read", "enter", "space", "up", "up", "right", start=False)
        for name in ("f_path", "dentry", "d_name", "name"):
            for _ in range(40):
                item = it.app.workspace.editor.item
                if item is not None and item.name == name and item.depth:
                    break
                await it.press("down")
            await it.press("space" if name == "name" else "right")
        return await it.picture()


async def editor_error() -> str:
    async with stage(NARROW) as it:
        await it.probe("do_sys_openat2", "enter", "space", "i", "space", "=mode=%rdi:x32", start=False)
        return await it.picture()


async def filter_builder() -> str:
    async with stage(NARROW) as it:
        await it.probe("do_sys_openat2", "enter", "space", "j", "space")
        await it.pass_time(8)
        await it.press("3", "F", "i", '=filename ~ "/etc/*" && (comm == "ls" || common_pid == 742)', "enter")
        return await it.picture()


async def events() -> str:
    async with stage((120, 34)) as it:
        await it.probe("do_sys_openat2", "ctrl+r", "space")
        await it.probe("do_sys_openat2", "enter", "space", "j", "space")
        await it.pass_time(8)
        await it.press("4", "plus", "c", "down", "space", "enter")
        await it.press("ampersand", '=comm == "cat" || comm == "ls"', "enter", *"kkkkkkkkkkk")
        return await it.picture()


PICTURES: dict[str, Callable[[], Awaitable[str]]] = {
    "workspace-wide": workspace_wide,
    "workspace-80x24": workspace_80x24,
    "struct-walker": struct_walker,
    "editor-error": editor_error,
    "filter-builder": filter_builder,
    "events": events,
}


# -- the files

CELL = (12.2, 24.4)  # width and height of a cell in the picture, as Rich draws it


def clean(svg: str) -> str:
    """Textual's picture without what it would fetch from the network, under an id that doesn't change."""
    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-\d+", "t", svg)
    svg = re.sub(r"font-family:[^;]*;", f"font-family: {FONTS};", svg)
    return re.sub(r"[ \t]+\n", "\n", svg).strip() + "\n"


def rows(svg: str) -> list[str]:
    """What a picture shows, a row of text each; a row that shows colours is followed by them.

    Two pictures with the same rows look the same, whatever the library that drew them calls its styles.
    """
    styles = dict(re.findall(r"\.t-(r\d+) \{ (.*?) \}", svg))
    text: dict[int, dict[int, str]] = {}
    look: dict[int, dict[int, str]] = {}
    for css, x, y, piece in re.findall(r'<text class="t-(r\d+)" x="(.*?)" y="(.*?)".*?>(.*?)</text>', svg):
        row, column = round((float(y) - 20) / CELL[1]), round(float(x) / CELL[0])
        for at, sign in enumerate(html.unescape(piece)):
            if sign.strip():
                text.setdefault(row, {})[column + at] = sign
                look.setdefault(row, {})[column + at] = styles[css]
    for colour, x, y, width in re.findall(r'<rect fill="(.*?)" x="(.*?)" y="(.*?)" width="(.*?)"', svg):
        row, column = round((float(y) - 1.5) / CELL[1]), round(float(x) / CELL[0])
        for at in range(column, column + round(float(width) / CELL[0])):
            look.setdefault(row, {})[at] = look.get(row, {}).get(at, "") + f" on {colour}"
    shown = []
    for row in range(max([*text, *look], default=-1) + 1):
        signs = text.get(row, {})
        shown.append("".join(signs.get(at, " ") for at in range(max(signs, default=-1) + 1)))
        runs = itertools.groupby(sorted(look.get(row, {}).items()), key=lambda cell: cell[1])
        shown.append("; ".join(f"{next(cells)[0]}: {css}" for css, cells in runs))
    return shown


def differences(name: str, made: str) -> list[str]:
    """How the committed picture differs from ``made``, as lines to read; none when they show the same."""
    file = HERE / f"{name}.svg"
    if not file.exists():
        return [f"{file.name} is missing"]
    old = file.read_text(encoding="utf-8")
    return list(difflib.unified_diff(rows(old), rows(made), file.name, "the program now", lineterm="", n=0))


def make(name: str) -> str:
    """The picture ``name`` as SVG."""

    async def run() -> str:
        return await PICTURES[name]()

    return asyncio.run(run())


def main(argv: Sequence[str] | None = None) -> int:
    """Make or check the pictures named, or all; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make the pictures of the running demo.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)}; default: all")
    parser.add_argument("--check", action="store_true", help="only compare with the files; 1 if one differs")
    args = parser.parse_args(argv)
    unknown = set(args.names) - set(PICTURES)
    if unknown:
        parser.error(f"no picture is called {', '.join(sorted(unknown))}")
    failed = False
    for name in args.names or PICTURES:
        made = make(name)
        if not args.check:
            (HERE / f"{name}.svg").write_text(made, encoding="utf-8")
        elif found := differences(name, made):
            failed = True
            print("\n".join(found[:40]))
    if failed:
        print("The pictures are not what the program shows: python screenshots/make.py makes them anew.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
