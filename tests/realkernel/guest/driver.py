"""A program in a terminal of a given size, driven by keystrokes and read off the screen, as a person would.

The terminal is tmux with a socket and configuration of its own.  Nothing here waits for a fixed time: what a
step needs to see it waits for, up to a limit that a slow guest (software emulation, two at a time) keeps.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.realkernel.guest.steps import StepFailed

PATIENCE = 180.0
"""Seconds to wait for something on the screen."""

CONFIGURATION = """
set -g default-terminal screen-256color
set -g status off
set -g remain-on-exit on
set -g escape-time 0
set -g set-clipboard on
set -g history-limit 2000
set -s exit-empty off
set -g automatic-rename off
"""
# automatic-rename off: after output tmux opens /proc/PID/cmdline for the window's name, which a probe on opens
# would show as an event, which is output: the screen would never be at rest.
# set-clipboard on: tmux takes what the program sends by OSC 52 as a paste buffer of its own, where a step can
# read it.


class Line:
    """A line to the tmux server that stays open (its control mode): commands out, answers back.

    An answer stands between "%begin TIME NUMBER FLAGS" and "%end …" or "%error …" with the same number (tmux(1),
    CONTROL MODE).
    """

    def __init__(self, words: Sequence[str]) -> None:
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        self._client = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
        )
        assert self._client.stdout
        self._answers = io.BufferedReader(self._client.stdout)  # type: ignore[type-var]
        self._answer()  # that of attaching

    def ask(self, words: Sequence[str]) -> str:
        """Have one command carried out; its output.  StepFailed with tmux's words if it fails."""
        assert self._client.stdin
        try:
            self._client.stdin.write(shlex.join(words).encode() + b"\n")
            good, text = self._answer()
        except OSError as error:
            raise StepFailed(f"tmux {shlex.join(words)}: {error}") from error
        if not good:
            raise StepFailed(f"tmux {shlex.join(words)}: {text.strip()}")
        return text

    def _answer(self) -> tuple[bool, str]:
        number = b""
        lines: list[bytes] = []
        for line in self._answers:
            word, *rest = line.split()[:3] or [b""]
            if not number and word == b"%begin":
                number = rest[1]
            elif number and word in (b"%end", b"%error") and rest[1:2] == [number]:
                return word == b"%end", b"".join(lines).decode(errors="backslashreplace")
            elif number:
                lines.append(line)
        raise StepFailed("tmux is gone")

    def close(self) -> None:
        self._client.kill()
        self._client.communicate()


class Terminal:
    """One program in one terminal.

    `size` is (columns, rows).  The program begins with `start` and its terminal stays when it ends, so that
    its last words and its exit status can be seen.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._folder = tempfile.mkdtemp(
            prefix="terminal-", dir="/run" if os.access("/run", os.W_OK) else None
        )
        self._socket = f"{self._folder}/socket"
        configuration = Path(self._folder) / "tmux.conf"
        configuration.write_text(CONFIGURATION)
        # By its path: searching for it, call by call, would be most of what a probe on execve sees.
        self._tmux_words = [
            shutil.which("tmux") or "tmux",
            "-u",
            "-S",
            self._socket,
            "-f",
            str(configuration),
        ]
        self._started = False
        self._line: Line | None = None

    def tmux(self, *words: str, give: bytes | None = None) -> str:
        """Run one tmux command; its output.  StepFailed with tmux's words if it fails."""
        environment = {key: value for key, value in os.environ.items() if key not in {"TMUX", "TMUX_PANE"}}
        environment["LC_ALL"] = "C.UTF-8"
        done = subprocess.run(
            [*self._tmux_words, *words], input=give, capture_output=True, check=False, env=environment
        )
        if done.returncode:
            raise StepFailed(f"tmux {shlex.join(words)}: {done.stderr.decode().strip()}")
        return done.stdout.decode(errors="backslashreplace")

    # -- the program ----------------------------------------------------------------------------------------

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start `command` in the terminal; what ran there before is ended."""
        words = [f"{key}={value}" for key, value in (environment or {}).items()]
        line = shlex.join(["env", *words, *command])
        if self._started:
            self.tmux("respawn-pane", "-k", "-t", "program", f"exec {line}")
            self.tmux("clear-history", "-t", "program")
            return
        columns, rows = self.size
        self.tmux("new-session", "-d", "-s", "program", "-x", f"{columns}", "-y", f"{rows}", f"exec {line}")
        self._started = True
        self._line = Line([*self._tmux_words, "-C", "attach", "-t", "program", "-f", "ignore-size,no-output"])

    def _ask(self, *words: str) -> str:
        """As `tmux`, without a process for each command: that would be most of a slow guest's work."""
        return self._line.ask(words) if self._started and self._line else self.tmux(*words)

    def _show(self, what: str) -> str:
        return self._ask("display-message", "-p", "-t", "program", what).strip()

    @property
    def pid(self) -> int:
        """The program's process (it is started with exec, so this is not a shell)."""
        return int(self._show("#{pane_pid}"))

    @property
    def ended(self) -> bool:
        return self._show("#{pane_dead}") == "1"

    def exit_status(self, seconds: float = PATIENCE) -> int:
        """Wait for the program's end; its exit status, or 128 + N if signal N ended it."""
        end = time.monotonic() + seconds
        while True:
            shown = self._show("#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}:#{pid}")
            dead, status, killed_by, server = shown.split(":")
            if dead == "1" and status:
                return int(status)
            if dead == "1" and killed_by:
                # A number, or a name ("TERM") where tmux's C library has those.
                return 128 + int(killed_by if killed_by.isdigit() else signal.Signals[f"SIG{killed_by}"])
            if dead == "1":
                # tmux 3.3a in a slow guest can miss the child's end, which stays a zombie: look again.
                os.kill(int(server), signal.SIGCHLD)
            if time.monotonic() > end:
                raise StepFailed(f"the program did not end within {seconds:g} s", self.screen())
            time.sleep(0.2)

    def wait_other(self, before: str, seconds: float = PATIENCE) -> str:
        """Wait until the screen is another than `before`, for where a key's effect has no text of its own."""
        return self.wait(lambda screen: screen != before, seconds)

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """What the program sees when the SSH connection drops: its terminal goes away (SIGHUP, then EIO)."""
        self._hang_up_line()
        self.tmux("kill-session", "-t", "program")
        self._started = False

    def close(self) -> None:
        """End the program and the terminal, whatever state they are in."""
        self._hang_up_line()
        subprocess.run([*self._tmux_words, "kill-server"], capture_output=True, check=False)
        self._started = False

    def _hang_up_line(self) -> None:
        if self._line:
            self._line.close()
        self._line = None

    # -- keys -----------------------------------------------------------------------------------------------

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: "Enter", "Escape", "Tab", "BTab", "Space", "Up", "C-p", "F1", "q" …"""
        self._ask("send-keys", "-t", "program", "--", *names)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._ask("send-keys", "-t", "program", "-l", "--", text)

    def paste(self, text: str) -> None:
        """Paste text as a terminal does (bracketed, when the program asked for that)."""
        self.tmux("load-buffer", "-b", "pasted", "-", give=text.encode())
        self.tmux("paste-buffer", "-d", "-p", "-b", "pasted", "-t", "program")

    # -- the screen -----------------------------------------------------------------------------------------

    def screen(self, *, colours: bool = False) -> str:
        """What is on the screen; with `colours`, escape sequences and all."""
        return self._ask("capture-pane", "-p", *(["-e"] if colours else []), "-t", "program")

    def has(self, wanted: str | re.Pattern[str]) -> bool:
        return found(wanted, self.screen())

    def wait(
        self,
        wanted: str | re.Pattern[str] | Callable[[str], object],
        seconds: float = PATIENCE,
        *,
        gone: bool = False,
    ) -> str:
        """Wait until the screen has the text (or matches, or satisfies); with `gone`, until it no more does.

        The screen is returned.  StepFailed with the screen after `seconds`, or when the program ended first.
        """
        end = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if found(wanted, screen) is not gone:
                return screen
            what = getattr(wanted, "__name__", None) or getattr(wanted, "pattern", wanted)
            if self.ended:
                raise StepFailed(f"the program ended while waiting for {what!r}", self.screen())
            if time.monotonic() > end:
                still = "still there" if gone else "not there"
                raise StepFailed(f"{still} after {seconds:g} s: {what!r}", screen)
            time.sleep(0.15)

    def wait_still(self, seconds: float = PATIENCE) -> str:
        """Wait until four looks in a row saw the same screen, but for the counters on top of it, for where no text
        tells that it is complete.
        """
        end = time.monotonic() + seconds
        screen, same = self.screen(), 0
        while same < 3:
            time.sleep(0.25)
            now = self.screen()
            same = same + 1 if now.partition("\n")[2] == screen.partition("\n")[2] else 0
            screen = now
            if time.monotonic() > end:
                raise StepFailed(f"the screen did not come to rest within {seconds:g} s", screen)
        return screen

    def press_until(
        self,
        key: str,
        wanted: str | re.Pattern[str] | Callable[[str], object],
        *,
        presses: int = 40,
    ) -> str:
        """Press a key until the screen has what is wanted, looking after each press."""
        for _ in range(presses):
            screen = self.wait_still()
            if found(wanted, screen):
                return screen
            self.keys(key)
        return self.wait(wanted, 5)

    def clipboard(self) -> str | None:
        """What the program last copied by OSC 52; None if it never did."""
        names = self.tmux("list-buffers", "-F", "#{buffer_name}").split()
        return self.tmux("show-buffer", "-b", names[0]) if names else None

    def clear_clipboard(self) -> None:
        for name in self.tmux("list-buffers", "-F", "#{buffer_name}").split():
            self.tmux("delete-buffer", "-b", name)


def found(wanted: str | re.Pattern[str] | Callable[[str], object], screen: str) -> bool:
    if isinstance(wanted, str):
        return wanted in screen
    if isinstance(wanted, re.Pattern):
        return wanted.search(screen) is not None
    return bool(wanted(screen))


class Worker:
    """A process of a known number that opens files when told to, for probes filtered by process.

    It is a shell that opens by redirection, so each open is its own and not a child's.
    """

    def __init__(self) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", 'while read -r f; do { : < "$f"; } 2>/dev/null; echo done; done'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    @property
    def pid(self) -> int:
        return self._shell.pid

    def open(self, *paths: str | Path) -> None:
        """Open each file (or fail to), and come back when that is over."""
        assert self._shell.stdin
        assert self._shell.stdout
        for path in paths:
            self._shell.stdin.write(f"{path}\n")
            self._shell.stdout.readline()

    def close(self) -> None:
        self._shell.kill()
        self._shell.communicate()
