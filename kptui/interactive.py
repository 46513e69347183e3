"""Start the screen and end it: what must happen before the first frame, on a signal, and after the last.

Cleanup lives here, outside the screen: whatever ends the program (quit, SIGINT, SIGTERM, SIGHUP when SSH drops, an
exception), the session is closed and the kernel left as it was.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kptui.host.config import Config

if TYPE_CHECKING:
    from types import FrameType

    from kptui.kernel.session import Session
    from kptui.ui.app import KptuiApp
    from kptui.ui.world import World

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEMO_RELEASE = "6.12.107+deb13-amd64"  # where the demo's symbols and events were recorded
GRACE = 4.0  # s for the screen to end after a signal before the session is closed without it


class Opened:
    """The session once it is open, for whoever has to close it."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self._lock = threading.Lock()
        self._closing = False

    def open(self, make: Callable[[], Session]) -> Session | None:
        """Open it, unless the end has already begun."""
        with self._lock:
            if self._closing:
                return None
            self.session = make()
        return self.session

    def close(self) -> list[str]:
        # A signal can end the program while the session is being opened; wait for that, but not for ever.
        locked = self._lock.acquire(timeout=2)
        try:
            self._closing = True
            return self.session.close() if self.session is not None else []
        finally:
            if locked:
                self._lock.release()


def run(args: argparse.Namespace, config: Config) -> int:
    """The whole interactive program; returns the exit status."""
    opened = Opened()
    world = _demo_world(args, config, opened) if args.demo else _real_world(args, config, opened)
    if isinstance(world, str):
        print(f"kptui: {world}", file=sys.stderr)
        return 1
    with _splash(world):
        from kptui.ui.app import KptuiApp
    app = KptuiApp(world)
    ending = Ending(app, opened)
    try:
        with ending:
            app.run(mouse=config.mouse)
    finally:
        left = opened.close()
        _farewell(left)
    if ending.signal is not None:
        return 128 + ending.signal
    return 1 if left or app.return_code else 0


def _farewell(left: list[str]) -> None:
    """What could not be undone, and how to; nothing else is worth a line. The terminal may be gone by now."""
    with contextlib.suppress(OSError, ValueError):
        for sentence in left:
            print(f"kptui: {sentence}", file=sys.stderr)
        if left:
            print("kptui: `kptui cleanup` tries again", file=sys.stderr)


class Ending:
    """Turns signals into an orderly end, and into a disorderly one that still cleans up when the screen hangs."""

    def __init__(self, app: KptuiApp, opened: Opened) -> None:
        self._app = app
        self._opened = opened
        self.signal: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Ending:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        # From here on a further signal must not interrupt the cleaning up.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        first = self.signal is None
        self.signal = number
        if first:
            threading.Thread(target=self._insist, daemon=True, name="kptui-ending").start()
        with contextlib.suppress(RuntimeError):
            self._app.end_soon()

    def _insist(self) -> None:
        time.sleep(GRACE)
        self._opened.close()
        os._exit(128 + (self.signal or 0))


# -- worlds


def _demo_world(args: argparse.Namespace, config: Config, opened: Opened) -> World | str:
    from kptui.host.dirs import state_dir
    from kptui.kernel.capabilities import Findings
    from kptui.kernel.session import Session
    from kptui.kernel.sim import SimFiles, demo_kallsyms
    from kptui.safetext import decode
    from kptui.ui.world import World

    files = SimFiles()

    def make() -> Session:
        session = Session.open(files, state_dir=state_dir(), group=args.group)
        session.start_reader()
        return session

    return World(
        read_symbols=demo_kallsyms,
        open_session=lambda: opened.open(make),
        findings=Findings(None, ()),
        config=config,
        state_dir=state_dir(),
        environ=os.environ,
        release=DEMO_RELEASE,
        readme=decode(files.read("README")),
        demo=True,
        group=args.group,
    )


def _real_world(args: argparse.Namespace, config: Config, opened: Opened) -> World | str:
    from kptui.host.dirs import state_dir
    from kptui.kernel.capabilities import examine
    from kptui.kernel.files import TracefsFiles
    from kptui.kernel.kallsyms import start_reading
    from kptui.safetext import decode
    from kptui.ui.world import World

    path = args.kallsyms or "/proc/kallsyms"
    reading = start_reading(path)
    findings = examine(tracefs=args.tracefs)
    if args.tracefs and findings.tracefs is None:
        return f"{args.tracefs} is no tracefs: it has no kprobe_events and no instances"
    readme = ""
    if findings.tracefs is not None:
        with contextlib.suppress(OSError):
            readme = decode(TracefsFiles(findings.tracefs).read("README"))

    readings = [reading]

    def read_symbols() -> bytes:
        # The first reading began before the screen; a later one is asked for because modules come and go.
        return (readings.pop() if readings else start_reading(path)).result()

    def make() -> Session:
        from kptui.kernel.session import Session

        assert findings.tracefs is not None
        session = Session.open(TracefsFiles(findings.tracefs), state_dir=state_dir(), group=args.group)
        session.start_reader()
        return session

    def open_session() -> Session | None:
        return opened.open(make) if findings.can_trace else None

    return World(
        read_symbols=read_symbols,
        open_session=open_session,
        findings=findings,
        config=config,
        state_dir=state_dir(),
        environ=os.environ,
        release=os.uname().release,
        readme=readme,
        group=args.group,
    )


# -- the first frame


@contextlib.contextmanager
def _splash(world: World) -> Iterator[None]:
    """A skeleton of the screen, written before textual is imported: something stands there within milliseconds.

    On an exception the terminal is given back, since nobody else would.
    """
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
        _write(_skeleton(size.columns, size.lines, world))
        yield
    except BaseException:
        _write("\x1b[?25h\x1b[?1049l")
        raise


def _skeleton(columns: int, lines: int, world: World) -> str:
    title = " kptui  DEMO" if world.demo else f" kptui  {world.release}"
    rows = [title[:columns], "─ Symbols " + "─" * max(columns - 10, 0), " reading symbols …"]
    body = "".join(f"\x1b[{row};1H{text[:columns]}" for row, text in enumerate(rows[:lines], 1))
    return f"\x1b[?1049h\x1b[?25l\x1b[2J{body}"


def _write(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), text.encode())
