"""However the program ends, the session is closed once and the terminal given back.

Quitting, SIGINT, SIGTERM, SIGHUP when SSH drops, a terminal that goes away without a signal, an exception, a screen
that hangs: all of them come through here, outside the screen, since none of them may depend on it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from kptui.safetext import neutralise

if TYPE_CHECKING:
    from types import FrameType

    from kptui.kernel.session import Session

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 4.0  # s for the screen to end when it was asked to, before all is cleaned up without it
OPENING = 10.0  # s that closing waits for an opening under way
_LOCAL_FLAGS = 3  # in what termios.tcgetattr gives
_LOOK = 2000  # ms between looks at the terminal; its end normally wakes us at once

SKELETON_OFF = "\x1b[?1049l\x1b[?25h"
# Everything that textual's driver switches on: mouse, focus, paste, resize reports, no wrapping, kitty keys, screen.
SCREEN_OFF = (
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[<u"
    f"\x1b[0m{SKELETON_OFF}"
)


class Interrupted(BaseException):
    """A signal came before there was a screen to end. BaseException: no handler on the way may keep it."""


class Opened:
    """The session once it is open, for whoever has to close it."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self._opening = threading.Lock()
        self._closing = threading.Event()

    def open(self, make: Callable[[], Session]) -> Session | None:
        """Open it with ``make`` (on any thread), unless the end has already begun."""
        with self._opening:
            if self._closing.is_set():
                return None
            session = make()
            self.session = session
        if self._closing.is_set():  # whoever closes may not have waited for us
            session.close()
            return None
        return session

    def close(self) -> list[str]:
        """Undo everything; a sentence for each thing that could not be undone.

        The end can come while the session is being opened: that is waited for, but not for ever.
        """
        self._closing.set()
        locked = self._opening.acquire(timeout=OPENING)
        try:
            return self.session.close() if self.session is not None else []
        finally:
            if locked:
                self._opening.release()


class Ending:
    """Handlers for the signals of :data:`SIGNALS` from ``with`` on; afterwards these are ignored.

    Before :meth:`screen` a signal raises :class:`Interrupted` in the main thread; then it asks the screen to end, and
    when that takes too long, everything is undone without the screen and the process ends on the spot.
    """

    def __init__(self, opened: Opened, grace: float = GRACE) -> None:
        self.signal: int | None = None
        self._opened = opened
        self._grace = grace
        self._end_screen: Callable[[], None] | None = None
        self._to_reset = ""
        self._attributes: list[int | list[bytes | int]] | None = None
        self._insisting = threading.Lock()
        self._wakeup = self._woken = -1
        self._over = threading.Event()

    def __enter__(self) -> Ending:
        with contextlib.suppress(termios.error, OSError, ValueError):
            self._attributes = termios.tcgetattr(0)
        self._woken, self._wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        threading.Thread(target=self._watch, daemon=True, name="kptui-ending").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.begin_closing()

    # -- the stages, in their order

    def skeleton(self) -> None:
        """The skeleton of the screen is about to be drawn; keys that are typed meanwhile are kept, but not echoed
        over it.
        """
        self._to_reset = SKELETON_OFF
        if self._attributes is not None:
            silent = list(self._attributes)
            silent[_LOCAL_FLAGS] = cast(int, silent[_LOCAL_FLAGS]) & ~termios.ECHO
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(0, termios.TCSANOW, silent)

    def screen(self, end_screen: Callable[[], None]) -> None:
        """From here on there is a screen, which ``end_screen`` (callable from a signal handler) asks to end."""
        self._to_reset = SCREEN_OFF
        self._end_screen = end_screen
        if self.signal is not None:  # its exception was lost in a place that lets none out
            raise Interrupted

    def screen_ended(self, *, orderly: bool) -> None:
        """The screen is gone, and has given the terminal back if that was ``orderly``; its threads may still run."""
        self._to_reset = "" if orderly else SKELETON_OFF
        self._insist_later()

    def begin_closing(self) -> None:
        """From here on no signal interrupts what is being undone, and nobody else undoes it."""
        self._over.set()
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)

    def status(self, failed: bool) -> int:
        """The exit status: 128 + signal, 1 when it failed, 0."""
        return 128 + self.signal if self.signal is not None else int(failed)

    def restore_terminal(self) -> None:
        """Leave the other screen, show the cursor, put the line discipline back; what textual has done is not
        repeated.
        """
        text, self._to_reset = self._to_reset, ""
        if self._attributes is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
        if text:
            write_terminal(text)

    # -- signals

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._over.is_set():
            return
        self._received(number)
        if self._end_screen is None:
            raise Interrupted
        with contextlib.suppress(RuntimeError):
            self._end_screen()

    def _received(self, number: int) -> None:
        if self.signal is None:
            self.signal = number
        self._insist_later()

    def _insist_later(self) -> None:
        if self._insisting.acquire(blocking=False):  # once, and never given back
            threading.Thread(target=self._insist, daemon=True, name="kptui-insisting").start()

    def _insist(self) -> None:
        if self._over.wait(self._grace):
            return
        left = self._opened.close()
        # A terminal that takes nothing any more (a dead line) must not keep us: it has a second.
        rescue = threading.Thread(target=self._rescue, args=(left,), daemon=True)
        rescue.start()
        rescue.join(1)
        os._exit(self.status(bool(left)))

    def _rescue(self, left: Sequence[str]) -> None:
        # In the background tcsetattr would stop the process; a blocked SIGTTOU lets it through.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        self.restore_terminal()
        farewell(left)

    def _watch(self) -> None:
        """What the main thread may miss: a signal while it is stuck in a wait, where Python's handlers don't run, and a
        terminal that vanishes without SIGHUP (setsid, containers), whose end textual would read for ever.
        """
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        poll.register(0, 0)
        while not self._over.is_set():
            for fd, event in poll.poll(_LOOK):
                if fd == self._woken:
                    for number in os.read(fd, 512):
                        if number in SIGNALS:
                            self._received(number)
                elif event:
                    poll.unregister(fd)
                    if event & select.POLLHUP and self.signal is None and not self._over.is_set():
                        os.kill(os.getpid(), signal.SIGHUP)


def write_terminal(text: str) -> None:
    """Send control sequences to the terminal that the screen is drawn on, if it still is there."""
    # Not sys.stderr: while the screen is up, that is textual's.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream = sys.__stderr__
        assert stream is not None
        os.write(stream.fileno(), text.encode(stream.encoding, stream.errors or "replace"))


def farewell(left: Sequence[str]) -> None:
    """What could not be undone, and how to; nothing else is worth a line. The terminal may be gone by now."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        for sentence in left:
            print(f"kptui: {neutralise(sentence)}", file=sys.__stderr__)
        if left and not any("kptui cleanup" in sentence for sentence in left):
            print("kptui: `kptui cleanup` tries again", file=sys.__stderr__, flush=True)


def drop_dead_streams() -> None:
    """What a vanished terminal holds back must not turn the exit status into Python's 120 (last flush failed)."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
