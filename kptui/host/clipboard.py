"""Copying over SSH, through tmux and sudo, to wherever the user's clipboard is.

No way of doing this says whether it worked: the terminal may drop OSC 52 in silence, tmux with its defaults
does drop it, a remote ``xclip`` fills a clipboard that no one sees. So the text takes every way that can
work here, is kept in a file besides, and the result tells what was done, not that it is on the clipboard.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kptui.host import dirs
from kptui.host.ancestry import ancestors, lookup
from kptui.safetext import neutralise

Way = Literal["tmux", "screen", "osc52", "osc52-wrapped", "native", "file"]
MODES = ("auto", "tmux", "osc52", "native", "file")
FILE = "clipboard"
OSC52_MAX = 74_994  # bytes of text whose sequence stays below hterm's 100,000
SCREEN_CHUNK = 240  # bytes; GNU screen takes up to 768 in one string
PATIENCE = 1.0  # s that all programs asked for one copy may take together
_SSH = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")
_TERMINAL = ("TMUX", "TMUX_PANE", "STY", "TERM", "DISPLAY", "WAYLAND_DISPLAY", *_SSH)
_VARIABLES = (*_TERMINAL, "KPTUI_CLIPBOARD", "KPTUI_OSC52_MAX")


@dataclass(frozen=True, slots=True)
class CopyResult:
    """``ways`` that the text went, in order; ``sentence`` says so for the screen; not ``ok``: none, not
    even the file.
    """

    ways: tuple[Way, ...]
    sentence: str
    ok: bool


def plan_copy(text: str, environ: Mapping[str, str], above: Iterable[Mapping[str, str]] = ()) -> list[Way]:
    """The ways that ``text`` would go in this environment, best first; ``file`` is always the last.

    ``above`` are the environments of the processes above, nearest first. Nothing is done.
    """
    return _ways(_Surroundings(environ, above), len(harmless(text).encode()))


def copy(
    text: str,
    *,
    write: Callable[[str], None],
    environ: Mapping[str, str],
    state_dir: Path | None = None,
    above: Iterable[Mapping[str, str]] | None = None,
) -> CopyResult:
    """Send ``text`` every way that can work. Never raises, never waits for much more than a second.

    ``write`` is given escape sequences that must reach the terminal unchanged. ``above`` defaults to the
    environments of the processes above this one. Control characters other than newline and tab become
    visible escapes first.
    """
    around = _Surroundings(environ, ancestors() if above is None else above)
    data = harmless(text).encode()
    deadline = time.monotonic() + PATIENCE
    done: list[Way] = []
    waiting = _ways(around, len(data))
    while waiting:
        way = waiting.pop(0)
        if way == "tmux":
            if _tmux(data, around, deadline):
                done.append(way)
            else:
                waiting = [*_terminal_ways(around, len(data), tmux=False), *waiting]
        elif way == "native":
            if _native(data.decode(), deadline):
                done.append(way)
        elif way != "file":
            write(_sequence(way, data))
            done.append(way)
    target = (dirs.state_dir(environ) if state_dir is None else state_dir) / FILE
    problem = _save(target, data)
    if problem is None:
        done.append("file")
    sentence = _sentence(done, data, around, dirs.shown(target, environ), problem)
    return CopyResult(tuple(done), sentence, bool(done))


def describe(environ: Mapping[str, str], above: Iterable[Mapping[str, str]] | None = None) -> str:
    """Which ways a copy would go here, for ``kptui doctor``."""
    around = _Surroundings(environ, ancestors() if above is None else above)
    ways = [_NAMES[way] for way in _ways(around, 1) if way != "file"]
    place = dirs.shown(dirs.state_dir(environ) / FILE, environ)
    return f"{'; '.join([*ways, f'and always the file {place}'])}{around.complaint}"


def harmless(text: str) -> str:
    """``text`` with every unsafe character but newline and tab made visible."""
    return "".join(part if part in "\n\t" else neutralise(part) for part in re.split(r"([\n\t])", text))


class _Surroundings:
    """What the environment says about the terminal, wherever in the line of processes it says it."""

    def __init__(self, environ: Mapping[str, str], above: Iterable[Mapping[str, str]]) -> None:
        environments = [*above]
        found = {name: lookup(name, environ, environments) or "" for name in _VARIABLES}
        self.term = found["TERM"]
        self.tmux = found["TMUX"]
        self.tmux_pane = found["TMUX_PANE"]
        self.screen = bool(found["STY"])
        self.path = environ.get("PATH")
        self.ssh = any(found[name] for name in _SSH)
        self.display = bool(found["DISPLAY"] or found["WAYLAND_DISPLAY"]) or sys.platform == "darwin"
        self.complaint = ""
        mode = found["KPTUI_CLIPBOARD"].strip().lower() or "auto"
        if mode not in MODES:
            self.complaint = f" (KPTUI_CLIPBOARD={neutralise(mode)} is none of {', '.join(MODES)}: auto)"
            mode = "auto"
        self.mode = mode
        limit = found["KPTUI_OSC52_MAX"].strip()
        self.limit = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else OSC52_MAX
        if limit and str(self.limit) != limit.lstrip("0"):
            self.complaint += f" (KPTUI_OSC52_MAX={neutralise(limit)} is not a number of bytes: {OSC52_MAX})"

    @property
    def tmux_socket(self) -> str | None:
        """The socket of a tmux server that is there; ``$TMUX`` is socket, server's process, session."""
        socket = self.tmux.rsplit(",", 2)[0]
        with contextlib.suppress(OSError, ValueError):
            if socket and stat.S_ISSOCK(os.stat(socket).st_mode):
                return socket
        return None


def _ways(around: _Surroundings, size: int) -> list[Way]:
    ways: list[Way] = []
    if around.mode in ("auto", "tmux", "osc52"):
        ways += _terminal_ways(around, size, tmux=around.mode != "osc52")
    if around.mode == "native" or (around.mode == "auto" and around.display and not around.ssh):
        ways.append("native")
    return [*ways, "file"]


def _terminal_ways(around: _Surroundings, size: int, *, tmux: bool) -> list[Way]:
    """The ways through the terminal. tmux's own command is the only one that its default settings let
    through.
    """
    if tmux and around.tmux_socket and shutil.which("tmux", path=around.path):
        return ["tmux"]
    if around.mode == "tmux" or size > around.limit:
        return []
    if around.tmux or around.term.startswith(("tmux", "screen")):
        # A tmux at the user's end of an SSH connection takes one or the other, by its settings.
        return ["screen"] if around.screen and not around.tmux else ["osc52", "osc52-wrapped"]
    return ["screen"] if around.screen else ["osc52"]


def _sequence(way: Way, data: bytes) -> str:
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\a"
    if way == "osc52-wrapped":
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if way == "screen":
        parts = range(0, len(sequence), SCREEN_CHUNK)
        return "".join(f"\x1bP{sequence[at : at + SCREEN_CHUNK]}\x1b\\" for at in parts)
    return sequence


def _tmux(data: bytes, around: _Surroundings, deadline: float) -> bool:
    """Fill tmux's buffer and have it tell its terminal (``-w``, from 3.2 on; older ones fill the buffer
    only).
    """
    socket = around.tmux_socket
    program = shutil.which("tmux", path=around.path)
    if socket is None or program is None:
        return False
    environment = dict(os.environ, TMUX=around.tmux)
    if around.tmux_pane:
        environment["TMUX_PANE"] = around.tmux_pane
    for options in (["-w"], []):
        patience = deadline - time.monotonic()
        if patience <= 0:
            return False
        try:
            finished = subprocess.run(
                [program, "-S", socket, "load-buffer", *options, "-"],
                input=data,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                timeout=patience,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if finished.returncode == 0:
            return True
        if not any(word in finished.stderr for word in (b"usage", b"flag", b"option")):
            return False
    return False


def _native(text: str, deadline: float) -> bool:
    """Hand it to the desktop by pyperclip, which raises where there is none and may hang; hence a thread."""
    worked = threading.Event()

    def run() -> None:
        with contextlib.suppress(Exception):
            importlib.import_module("pyperclip").copy(text)
            worked.set()

    thread = threading.Thread(target=run, name="kptui-clipboard", daemon=True)
    thread.start()
    thread.join(max(deadline - time.monotonic(), 0.05))
    return worked.is_set()


def _save(path: Path, data: bytes) -> str | None:
    """Replace ``path`` by ``data``, for its owner only; None, or why it could not be."""
    temporary: str | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".clipboard-", dir=path.parent)  # 0600
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        return error.strerror or str(error)
    return None


_NAMES: dict[Way, str] = {
    "tmux": "tmux (its buffer and, where it allows, your terminal)",
    "screen": "your terminal (OSC 52 through screen)",
    "osc52": "your terminal (OSC 52)",
    "osc52-wrapped": "your terminal (OSC 52 wrapped for tmux)",
    "native": "the desktop's clipboard",
    "file": "a file",
}


def _sentence(done: list[Way], data: bytes, around: _Surroundings, place: str, problem: str | None) -> str:
    size = f"{len(data):,} byte{'' if len(data) == 1 else 's'}"
    plain = (
        "your terminal (OSC 52, plain and wrapped for tmux)" if "osc52-wrapped" in done else _NAMES["osc52"]
    )
    places = [
        plain if way == "osc52" else _NAMES[way] for way in done if way not in ("file", "osc52-wrapped")
    ]
    if places:
        kept = f"; also in {place}" if problem is None else f"; not saved in {place}: {problem}"
        return f"Sent {size} to {' and '.join(places)}{kept}{around.complaint}"
    why = ""
    if len(data) > around.limit and around.mode in ("auto", "osc52"):
        why = f" (a terminal takes no more than {around.limit:,} bytes; KPTUI_OSC52_MAX raises that)"
    if problem is None:
        return f"Saved {size} in {place}{why}{around.complaint}"
    return f"Copied nowhere{why}: {place}: {problem}{around.complaint}"
