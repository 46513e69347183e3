"""A program in a terminal of its own, read byte by byte with the time of each, and never answered.

What a terminal emulator would draw is not needed here: how many cells have been painted, and whether a name stands
among them, can be told from the text between the escape sequences.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P^_X].*?\x1b\\"
    rb"|\x1b[ -/]*[0-~]|[\x00-\x1a\x1c-\x1f]",
    re.DOTALL,
)
_ASKS_POSITION = b"\x1b[6n"


def painted(data: bytes) -> str:
    """The characters that ``data`` draws, in the order of drawing."""
    return _ESCAPES.sub(b"", data).decode("utf-8", "replace")


class Terminal:
    """Starts ``command`` with ``columns`` by ``rows`` cells; ``started`` is the time just before.

    ``stdin`` replaces the terminal as standard input; ``answer`` tells the position when asked, which no program
    should need to paint, but fzf waits a second for.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 120,
        rows: int = 40,
        stdin: Path | None = None,
        answer: bool = False,
    ) -> None:
        self.cells = columns * rows
        self.data = b""
        self.last = 0.0
        self._answer = answer
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            _become(command, environ, stdin)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        # In good order first: a kptui that has a kernel to trace would leave its trace instance there.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            self.wait(lambda _: False, 5.0)
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def wait(
        self, seen: Callable[[bytes], bool], seconds: float = 20.0, *, quiet: float | None = None
    ) -> float | None:
        """The time at which ``seen`` became true of all that was written since :meth:`forget`.

        With ``quiet``, also the time of the last byte if nothing more came for so long. None when ``seconds``
        passed or the program ended.
        """
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            patience = end - now if quiet is None or not self.data else min(quiet, end - now)
            if not select.select([self._fd], [], [], patience)[0]:
                if quiet is not None and self.data:
                    return self.last
                continue
            try:
                chunk = os.read(self._fd, 1 << 16)
            except OSError:  # EIO: the program has closed the terminal
                return None
            self.last = time.perf_counter()
            self.data += chunk
            if self._answer and _ASKS_POSITION in chunk:
                self.send(b"\x1b[1;1R")
            if seen(self.data):
                return self.last
        return None

    def settle(self, seconds: float = 0.3, most: float | None = None) -> None:
        """Read on until nothing has come for so long, at most three times as long: a screen may never rest."""
        end = time.perf_counter() + (3 * seconds if most is None else most)
        while (left := end - time.perf_counter()) > 0 and select.select(
            [self._fd], [], [], min(seconds, left)
        )[0]:
            try:
                chunk = os.read(self._fd, 1 << 16)
            except OSError:
                return
            self.data += chunk
            if self._answer and _ASKS_POSITION in chunk:
                self.send(b"\x1b[1;1R")

    def forget(self) -> None:
        self.data = b""

    def send(self, keys: bytes) -> float:
        """Press ``keys``; the time just before."""
        now = time.perf_counter()
        os.write(self._fd, keys)
        return now

    def has_frame(self, data: bytes) -> bool:
        """A frame is there: 20 cells that aren't blank, or half of the screen painted, blanks counted."""
        text = painted(data)
        return len(text) >= self.cells // 2 or len(text) - text.count(" ") >= 20


def _become(command: Sequence[str], environ: Mapping[str, str], stdin: Path | None) -> None:
    try:
        if stdin is not None:
            os.dup2(os.open(stdin, os.O_RDONLY), 0)
        os.execvpe(command[0], list(command), dict(environ))
    finally:
        os._exit(127)
