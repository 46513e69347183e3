"""Start the screen: what must happen before the first frame, which kernel it is given, and what is said after the last.

The first frame is drawn before anything heavy is imported; the symbols are being read by a child process meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kptui.ending import Ending, Interrupted, Opened, drop_dead_streams, farewell, write_terminal
from kptui.host.config import Config
from kptui.kernel.symbols import SymbolSource
from kptui.safetext import decode, neutralise

if TYPE_CHECKING:
    from kptui.kernel.files import KernelFiles
    from kptui.kernel.leftovers import Leftover
    from kptui.kernel.session import Session
    from kptui.kernel.sim import SimFiles
    from kptui.kernel.target.known import Known, Types
    from kptui.symbols import ProbeLists, SymbolTable
    from kptui.ui.app import KptuiApp
    from kptui.ui.world import World

DEMO_RELEASE = "6.12.107+deb13-amd64"  # where the demo's symbols and events were recorded
CRASH = "crash.txt"


def run(args: argparse.Namespace, config: Config) -> int:
    """The whole interactive program; returns the exit status."""
    gc.disable()  # to load the screen makes next to no garbage; the screen switches it on again when it is up
    symbols = SymbolSource(functools.partial(_read_symbols, args), functools.partial(_read_lists, args))
    opened = Opened()
    crash = ""
    failed = False
    with Ending(opened) as ending:
        try:
            ending.skeleton()
            _draw_skeleton("DEMO" if args.demo else os.uname().release)
            symbols.take()
            make = _demo_world if args.demo else _real_world
            crash, failed = _show(make(args, config, opened, symbols), ending)
        except Interrupted:
            pass
        except Exception:  # noqa: BLE001 - whatever it is, the terminal and the kernel are put in order first
            import traceback

            crash = traceback.format_exc()
        finally:
            ending.begin_closing()
            ending.restore_terminal()
            left = opened.close()
            symbols.close()
    farewell(left)
    if crash and ending.signal is None:  # a terminal that goes away under a signal makes for many errors
        _tell_crash(crash)
    drop_dead_streams()
    return ending.status(bool(crash or failed or left))


def _show(world: World, ending: Ending) -> tuple[str, bool]:
    """Run the screen to its end; what it died of (a traceback, or ''), and whether it wants a failure reported."""
    import asyncio

    from rich.console import Console

    from kptui.ui.app import KptuiApp

    app = KptuiApp(world)
    # Tracebacks are for a file, not for somebody's terminal.
    said = io.StringIO()
    app.error_console = Console(file=said, color_system=None, markup=False, highlight=False, width=110)
    ending.screen(app.end_soon)

    async def screen() -> None:
        try:
            await app.run_async(mouse=world.config.mouse)
        finally:
            ending.screen_ended(orderly=not said.getvalue())

    # Returns when the threads have done what they were doing; `ending` limits the time for that.
    asyncio.run(screen())
    return _traceback(app, said.getvalue()), bool(app.return_code)


def _traceback(app: KptuiApp, said: str) -> str:
    error: BaseException | None = getattr(app, "_exception", None)
    error = getattr(error, "error", error)  # a worker's own, not textual's report of it
    if not isinstance(error, BaseException):
        return said.strip()
    import traceback

    return "".join(traceback.format_exception(error))


def _tell_crash(text: str) -> None:
    """One sentence on the terminal, the traceback in a file."""
    from kptui.host.dirs import shown, state_dir

    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    path: Path | None = state_dir() / CRASH
    try:
        assert path is not None
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text.encode("utf-8", "backslashreplace").decode() + "\n")
    except OSError:
        path = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"kptui: it failed, by a mistake of its own: {neutralise(last[:300])}", file=sys.stderr)
        if path is not None:
            print(f"kptui: where, for a report: {shown(path)}", file=sys.stderr)
        else:
            print(text.encode("ascii", "backslashreplace").decode(), file=sys.stderr)


# -- worlds


def _demo_world(args: argparse.Namespace, config: Config, opened: Opened, symbols: SymbolSource) -> World:
    from kptui.host.dirs import state_dir
    from kptui.kernel.capabilities import Findings
    from kptui.ui.world import World

    @functools.cache
    def machine() -> SimFiles:
        from kptui.kernel.sim import SimFiles

        return SimFiles()

    def open_session() -> Session | None:
        world.readme = decode(machine().read("README"))
        return opened.open(lambda: _open_session(machine(), args.group))

    def know(table: SymbolTable | None) -> Known | None:
        from kptui.kernel.sim.known import know_sim

        return know_sim(table) if table is not None else None

    def types() -> Types:
        from kptui.kernel.sim.known import sim_types

        return sim_types()

    world = World(
        read_symbols=symbols,
        open_session=open_session,
        read_types=types,
        know=know,
        findings=Findings(None, ()),
        config=config,
        state_dir=state_dir(),
        environ=os.environ,
        release=DEMO_RELEASE,
        demo=True,
        group=args.group,
        list_processes=lambda: machine().processes(),
        read_lists=functools.partial(_read_lists, args),
    )
    return world


def _real_world(args: argparse.Namespace, config: Config, opened: Opened, symbols: SymbolSource) -> World:
    from kptui.host.dirs import state_dir
    from kptui.kernel.capabilities import examine
    from kptui.kernel.files import TracefsFiles
    from kptui.ui.world import World

    findings = examine(tracefs=args.tracefs)
    files = TracefsFiles(findings.tracefs) if findings.tracefs is not None else None
    readme = ""
    if files is not None:
        with contextlib.suppress(OSError):
            readme = decode(files.read("README"))
    notes: list[str] = []

    def open_session() -> Session | None:
        if files is None or not findings.can_trace:
            return None
        session = opened.open(lambda: _open_session(files, args.group))
        if session is not None:
            from kptui.kernel.leftovers import leftovers

            with contextlib.suppress(OSError):
                notes.extend(leftover_notes(leftovers(files, state_dir()), config))
        return session

    @functools.cache
    def types() -> Types:
        from kptui.kernel.target.known import NO_TYPES, read_types
        from kptui.kernel.target.machine import Machine

        try:
            return read_types(Machine(findings.tracefs))
        except (OSError, ValueError):  # a BTF that is none
            return NO_TYPES

    def know(table: SymbolTable | None) -> Known | None:
        from kptui.kernel.target.known import know_machine

        try:
            return know_machine(findings.tracefs, table, foreign=bool(args.kallsyms), types=types())
        except (OSError, ValueError):  # a BTF that is none
            return None

    return World(
        read_symbols=symbols,
        open_session=open_session,
        read_types=types,
        know=know,
        findings=findings,
        config=config,
        state_dir=state_dir(),
        environ=os.environ,
        release=os.uname().release,
        readme=readme,
        group=args.group,
        notes=notes,
        read_lists=functools.partial(_read_lists, args),
    )


def _read_symbols(args: argparse.Namespace) -> bytes:
    """The list of symbols; OSError with a sentence where there is none."""
    if args.demo and not args.kallsyms:
        from kptui.kernel.sim import demo_kallsyms

        return demo_kallsyms()
    from kptui.kernel.kallsyms import KallsymsError, start_reading

    try:
        return start_reading(args.kallsyms or "/proc/kallsyms").result()
    except KallsymsError as error:
        raise OSError(str(error)) from error


def _read_lists(args: argparse.Namespace) -> ProbeLists:
    """What the kernel whose symbols are shown says of probes; nothing of another one's, whose symbols are in a file."""
    if args.kallsyms:
        from kptui.symbols.lists import NO_LISTS

        return NO_LISTS
    if args.demo:
        from kptui.kernel.sim.symbols import demo_probe_lists

        return demo_probe_lists()
    from kptui.kernel.files import TracefsFiles
    from kptui.kernel.probelists import read_probe_lists

    return read_probe_lists(TracefsFiles(args.tracefs) if args.tracefs else None)


def _open_session(files: KernelFiles, group: str | None) -> Session:
    """A session that is being read; nothing stays behind when that fails half-way."""
    from kptui.host.dirs import state_dir
    from kptui.kernel.session import Session

    session = Session.open(files, state_dir=state_dir(), group=group)
    try:
        session.start_reader()
    except BaseException:
        session.close()
        raise
    return session


def leftover_notes(found: Sequence[Leftover], config: Config) -> list[str]:
    """One sentence about what killed kptuis left and how to be rid of it, or none."""
    if not found:
        return []
    from kptui.ui.keymap import Keymap

    probes = sum(len(item.probes) for item in found)
    instances = sum(len(item.instances) for item in found)
    counts = [(probes, "probe"), (instances, "trace instance")]
    what = " and ".join(f"{count} {name}{'s' * (count > 1)}" for count, name in counts if count)
    pids = ", ".join(str(item.pid) for item in found[:5]) + (" …" if len(found) > 5 else "")
    who = f"A killed kptui (pid {pids})" if len(found) == 1 else f"{len(found)} killed kptuis (pids {pids})"
    keymap = Keymap(config.keys)
    how = f"press {keymap.key('palette')} and choose" if keymap.key("palette") else "the palette has"
    return [f"{who} left {what}: {how} {keymap.commands['leftovers'].title}"]


# -- the first frame


def _draw_skeleton(about: str) -> None:
    """A skeleton of the screen, before textual is imported: something stands there within milliseconds."""
    with contextlib.suppress(OSError, ValueError):
        size = os.get_terminal_size(sys.stderr.fileno())
        title = f" kptui  {neutralise(about)}"
        rows = [title, "─ Symbols " + "─" * max(size.columns - 10, 0), " reading symbols …"]
        shown = [row[: size.columns] for row in rows[: size.lines]]
        body = "".join(f"\x1b[{number};1H{row}" for number, row in enumerate(shown, 1))
        write_terminal(f"\x1b[?1049h\x1b[?25l\x1b[2J{body}")
