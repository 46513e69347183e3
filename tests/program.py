"""The real program in a terminal of its own: what it draws, which modes it leaves behind, how it ends.

Nothing here sleeps for a fixed time: everything waits for what it wants to see, up to a generous limit.
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
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # s; a quiet machine needs 1
_MODE = re.compile(rb"\x1b\[\?(\d+)([hl])")
_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P^_X].*?\x1b\\|\x1b[ -/]*[0-~]"
    rb"|[\x00-\x08\x0b-\x1a]",
    re.DOTALL,
)
READY = "No events yet"  # in the events pane once the session is open

# The program as `python -m kptui` runs it, after some lines that make it misbehave in the way of the test.
_MAIN = "import sys\nsys.argv[0] = 'kptui'\nfrom kptui.cli import main\nsys.exit(main())\n"


def environ(home: Path, **changes: str | None) -> dict[str, str]:
    """A plain environment with ``home`` as the only place for files; None removes a variable."""
    kept = {name: os.environ[name] for name in ("PATH", "VIRTUAL_ENV") if name in os.environ}
    base: dict[str, str | None] = {
        **kept,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "KPTUI_CLIPBOARD": "file",
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def command(*arguments: str, before: str = "") -> list[str]:
    """The command line of the program; ``before`` is Python that runs first."""
    if before:
        return [sys.executable, "-c", f"{before}\n{_MAIN}", *arguments]
    return [sys.executable, "-m", "kptui", *arguments]


def headless(
    *arguments: str, home: Path, before: str = "", env: Mapping[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The program without a terminal, to its end."""
    return subprocess.run(
        command(*arguments, before=before),
        env=environ(home, **(env or {})),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Program:
    """The program, controlling terminal and all, until ``with`` ends (then it is killed if it still lives)."""

    def __init__(
        self,
        *arguments: str,
        home: Path,
        before: str = "",
        env: Mapping[str, str | None] | None = None,
        size: tuple[int, int] = (160, 40),
        wrap: Sequence[str] = (),
        controlling: bool = True,
    ) -> None:
        self.data = b""
        self._home = home
        self._master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._slave = slave
        self.attributes = termios.tcgetattr(slave)
        start = ["setsid", "--ctty"] if controlling else ["setsid"]
        self._process = subprocess.Popen(
            [*start, *wrap, *command(*arguments, before=before)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ(home, **(env or {})),
            cwd="/",
        )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self.hang_up()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    # -- what it shows

    @property
    def text(self) -> str:
        """Everything it has drawn and said, in the order of drawing."""
        return _ESCAPES.sub(b"", self.data).decode("utf-8", "replace")

    @property
    def said(self) -> str:
        """What stands on the terminal after the screen has gone."""
        return _ESCAPES.sub(b"", self.data.rpartition(b"\x1b[?1049l")[2]).decode("utf-8", "replace")

    def flat(self) -> str:
        """What it has drawn, every run of white space as one blank: for sentences that may be wrapped."""
        return " ".join(self.text.split())

    @property
    def modes(self) -> dict[int, bool]:
        """The terminal's private modes as they stand now."""
        return {int(number): state == b"h" for number, state in _MODE.findall(self.data)}

    def restored(self) -> bool:
        """The terminal is as it was found: main screen, cursor, no mouse, paste or focus reports, line discipline."""
        on = {number for number, state in self.modes.items() if state} - {25, 7}
        visible = self.modes.get(25, True) and self.modes.get(7, True)
        kitty = self.data.count(b"\x1b[<u") >= len(re.findall(rb"\x1b\[>\d+u", self.data))
        return not on and visible and kitty and termios.tcgetattr(self._slave) == self.attributes

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            self.data += os.read(self._master, 1 << 16)
            return True
        return False

    def until(self, *texts: str, seconds: float = PATIENCE) -> None:
        """Wait until all of ``texts`` have been drawn."""
        end = time.monotonic() + seconds
        while not all(text in self.text for text in texts):
            if time.monotonic() > end or (self._process.poll() is not None and not self._read(0)):
                missing = [text for text in texts if text not in self.text]
                raise AssertionError(f"never seen: {missing}; {self._process.poll()=}\n{self.text[-3000:]}")
            self._read(0.05)

    def until_file(self, name: str, seconds: float = PATIENCE) -> None:
        """Wait until there is a file ``name`` in its home."""
        end = time.monotonic() + seconds
        while not (self._home / name).exists():
            if time.monotonic() > end or self._process.poll() is not None:
                raise AssertionError(f"no {name}; {self._process.poll()=}\n{self.text[-3000:]}")
            self._read(0.02)

    # -- what is done to it

    def send(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """The terminal goes away."""
        for fd in (self._slave, self._master):
            if fd >= 0:
                os.close(fd)
        self._slave = self._master = -1

    def wait(self, seconds: float = PATIENCE, *, reading: bool = True) -> int:
        """Its exit status; negative when a signal killed it. Not ``reading``: the terminal takes nothing any more."""
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            if time.monotonic() > end:
                self._process.send_signal(signal.SIGABRT)
                raise AssertionError(f"did not end:\n{self.text[-3000:]}")
            if self._master >= 0 and reading:
                self._read(0.05)
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.1)
        while self._master >= 0 and self._read(0):
            pass
        return self._process.returncode
