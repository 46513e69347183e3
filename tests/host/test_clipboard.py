"""Where a copy goes in each environment, what the sequences look like, and a real tmux that receives one."""

from __future__ import annotations

import base64
import contextlib
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.host import clipboard
from kptui.host.clipboard import Way, copy, describe, harmless, plan_copy

BIN = {"PATH": "/usr/bin:/bin"}
SSH = {**BIN, "TERM": "xterm-256color", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}


@pytest.fixture
def tmux_socket(tmp_path: Path) -> Iterator[str]:
    """A socket that looks like tmux's and has nobody behind it."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        yield path


@pytest.mark.parametrize(
    ("environ", "ways"),
    [
        (SSH, ["osc52", "file"]),
        ({**BIN, "TERM": "xterm"}, ["osc52", "file"]),
        ({**BIN, "TERM": "xterm", "DISPLAY": ":0"}, ["osc52", "native", "file"]),
        ({**BIN, "TERM": "xterm", "WAYLAND_DISPLAY": "wayland-0"}, ["osc52", "native", "file"]),
        ({**SSH, "DISPLAY": "localhost:10.0"}, ["osc52", "file"]),
        ({**SSH, "TERM": "tmux-256color"}, ["osc52", "osc52-wrapped", "file"]),
        ({**SSH, "TERM": "screen-256color"}, ["osc52", "osc52-wrapped", "file"]),
        ({**SSH, "TERM": "screen", "STY": "123.pts-0"}, ["screen", "file"]),
        ({**SSH, "TERM": "xterm", "STY": "123.pts-0"}, ["screen", "file"]),
        ({**SSH, "TMUX": "/nowhere/default,1,0"}, ["osc52", "osc52-wrapped", "file"]),
        ({**SSH, "KPTUI_CLIPBOARD": "file"}, ["file"]),
        ({**SSH, "KPTUI_CLIPBOARD": "tmux"}, ["file"]),
        ({**SSH, "KPTUI_CLIPBOARD": "native"}, ["native", "file"]),
        ({**SSH, "KPTUI_CLIPBOARD": "OSC52"}, ["osc52", "file"]),
        ({**SSH, "KPTUI_CLIPBOARD": "nonsense"}, ["osc52", "file"]),
        ({**SSH, "KPTUI_OSC52_MAX": "4"}, ["osc52", "file"]),
        ({**SSH, "KPTUI_OSC52_MAX": "3"}, ["file"]),
        ({}, ["osc52", "file"]),
    ],
)
def test_the_ways(environ: Mapping[str, str], ways: list[Way]) -> None:
    assert plan_copy("four", environ) == ways


@pytest.mark.skipif(
    shutil.which("tmux", path=BIN["PATH"]) is None and not os.environ.get("KPTUI_REQUIRE_ALL"),
    reason="no tmux",
)
def test_tmux_is_asked_first_also_when_sudo_dropped_its_variable(tmux_socket: str) -> None:
    inside = {"TMUX": f"{tmux_socket},123,0", "TERM": "screen-256color"}
    assert plan_copy("x", {**SSH, **inside}) == ["tmux", "file"]
    assert plan_copy("x", {**BIN, "TERM": "screen-256color"}, [{}, inside]) == ["tmux", "file"]
    assert plan_copy("x" * 200_000, {**SSH, **inside}) == ["tmux", "file"]
    assert plan_copy("x", {**SSH, **inside, "KPTUI_CLIPBOARD": "osc52"}) == ["osc52", "osc52-wrapped", "file"]


def test_ssh_is_seen_above_sudo() -> None:
    assert plan_copy("x", {**BIN, "TERM": "xterm", "DISPLAY": ":0"}, [{"SSH_TTY": "/dev/pts/1"}]) == [
        "osc52",
        "file",
    ]


def sent(text: str, environ: Mapping[str, str], directory: Path) -> tuple[clipboard.CopyResult, str]:
    pieces: list[str] = []
    result = copy(text, write=pieces.append, environ=environ, state_dir=directory, above=())
    return result, "".join(pieces)


def decode(sequence: str) -> str:
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\a")
    return base64.b64decode(sequence[7:-1], validate=True).decode()


def test_a_plain_sequence_and_the_file(tmp_path: Path) -> None:
    text = "p:kptui/x vfs_read n=%dx:u64\n"
    result, out = sent(text, {**SSH, "HOME": str(tmp_path)}, tmp_path / "state")
    assert decode(out) == text
    assert (tmp_path / "state" / "clipboard").read_text() == text
    assert (tmp_path / "state" / "clipboard").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert result.ways == ("osc52", "file")
    assert result.ok
    assert result.sentence == "Sent 29 bytes to your terminal (OSC 52); also in ~/state/clipboard"
    sent("again", SSH, tmp_path / "state")
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["clipboard"]
    assert (tmp_path / "state" / "clipboard").read_text() == "again"


def test_wrapped_for_tmux(tmp_path: Path) -> None:
    result, out = sent("héllo", {**SSH, "TERM": "tmux-256color"}, tmp_path)
    plain, wrapped, end = out.partition("\x1bPtmux;")
    assert decode(plain) == "héllo"
    assert wrapped
    assert end.endswith("\x1b\\")
    assert decode(end[:-2].replace("\x1b\x1b", "\x1b")) == "héllo"
    assert "plain and wrapped for tmux" in result.sentence


def test_in_pieces_for_screen(tmp_path: Path) -> None:
    text = "line of text\n" * 200
    _, out = sent(text, {**SSH, "STY": "1.a"}, tmp_path)
    pieces = out.split("\x1b\\")
    assert pieces.pop() == ""
    assert all(piece.startswith("\x1bP") and len(piece) <= 2 + 240 for piece in pieces)
    assert decode("".join(piece[2:] for piece in pieces)) == text


def test_too_much_for_a_terminal_is_kept_in_the_file_only(tmp_path: Path) -> None:
    result, out = sent("x" * 80_000, SSH, tmp_path)
    assert out == ""
    assert result.ways == ("file",)
    assert "Saved 80,000 bytes" in result.sentence
    assert "no more than 74,994 bytes; KPTUI_OSC52_MAX" in result.sentence
    assert (tmp_path / "clipboard").stat().st_size == 80_000
    result, out = sent("x" * 80_000, {**SSH, "KPTUI_OSC52_MAX": "100000"}, tmp_path)
    assert len(decode(out)) == 80_000


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result, out = sent("x", SSH, tmp_path / "file")
    assert decode(out) == "x"
    assert result.ways == ("osc52",)
    assert "not saved in" in result.sentence
    result, _ = sent("x", {**SSH, "KPTUI_CLIPBOARD": "file"}, tmp_path / "file")
    assert not result.ok
    assert result.sentence.startswith("Copied nowhere")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    result, _ = sent("x", SSH, tmp_path)
    assert "No space left on device" in result.sentence
    assert list(tmp_path.iterdir()) == []


def test_the_desktop_is_tried_without_waiting_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyperclip  # type: ignore[import-untyped]

    got: list[str] = []
    monkeypatch.setattr(pyperclip, "copy", got.append)
    local = {**BIN, "TERM": "xterm", "DISPLAY": ":0"}
    result, _ = sent("x", local, tmp_path)
    assert got == ["x"]
    assert result.ways == ("osc52", "native", "file")
    assert "and the desktop's clipboard" in result.sentence

    def raises(_: str) -> None:
        raise pyperclip.PyperclipException("no mechanism")

    monkeypatch.setattr(pyperclip, "copy", raises)
    assert sent("x", local, tmp_path)[0].ways == ("osc52", "file")
    monkeypatch.setattr(clipboard, "PATIENCE", 0.1)
    monkeypatch.setattr(pyperclip, "copy", lambda _: time.sleep(30))
    start = time.monotonic()
    assert sent("x", local, tmp_path)[0].ways == ("osc52", "file")
    assert time.monotonic() - start < 15


def test_a_dead_tmux_falls_back_to_the_terminal(tmux_socket: str, tmp_path: Path) -> None:
    environ = {**BIN, "TERM": "screen-256color", "TMUX": f"{tmux_socket},1,0"}
    start = time.monotonic()
    result, out = sent("x", environ, tmp_path)
    assert time.monotonic() - start < 20
    assert result.ways == ("osc52", "osc52-wrapped", "file")
    assert decode(out.partition("\x1bPtmux;")[0]) == "x"


def test_a_tmux_that_hangs_is_left(tmux_socket: str, tmp_path: Path) -> None:
    program = tmp_path / "tmux"
    program.write_text("#!/bin/sh\nexec sleep 300\n")
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TERM": "tmux", "TMUX": f"{tmux_socket},1,0"}
    start = time.monotonic()
    assert sent("x", environ, tmp_path)[0].ways[0] == "osc52"
    assert time.monotonic() - start < 30


def test_an_old_tmux_without_w_gets_the_buffer_only(tmux_socket: str, tmp_path: Path) -> None:
    program = tmp_path / "tmux"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *-w*) echo "tmux: unknown option -- w" >&2; exit 1;; esac\n'
        f'echo "$*" > {tmp_path}/args\ncat > {tmp_path}/buffer\n'
    )
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TERM": "tmux", "TMUX": f"{tmux_socket},1,0"}
    assert sent("old", environ, tmp_path)[0].ways == ("tmux", "file")
    assert (tmp_path / "buffer").read_text() == "old"
    assert (tmp_path / "args").read_text() == f"-S {tmux_socket} load-buffer -\n"


@settings(max_examples=80, deadline=None)
@given(st.text())
def test_control_characters_never_leave(text: str) -> None:
    safe = harmless(text)
    assert all(c in "\n\t" or not (ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0) for c in safe)
    assert harmless(safe) == safe
    assert safe.count("\n") == text.count("\n")
    safe.encode()


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    _, out = sent("a\x1b]52;c;ZXZpbA==\x07\tb\r\n", SSH, tmp_path)
    assert decode(out) == "a\\x1b]52;c;ZXZpbA==\\x07\tb\\r\n"


def test_describe() -> None:
    environ = {**SSH, "HOME": "/home/a"}
    assert (
        describe(environ, ()) == "your terminal (OSC 52); and always the file ~/.local/state/kptui/clipboard"
    )
    assert "KPTUI_CLIPBOARD=x\\x1b is none of" in describe({**environ, "KPTUI_CLIPBOARD": "x\x1b"}, ())
    assert "KPTUI_OSC52_MAX=-1 is not a number" in describe({**environ, "KPTUI_OSC52_MAX": "-1"}, ())


@dataclass
class Tmux:
    """A tmux of its own, and a terminal that is attached to it."""

    name: str
    socket: str
    terminal: int

    def run(self, *arguments: str) -> str:
        command = ["tmux", "-L", self.name, *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout

    def received(self, wanted: bytes, seconds: float = 8) -> bytes:
        """What reaches the terminal, until ``wanted`` is in it."""
        data, end = b"", time.monotonic() + seconds
        while wanted not in data and time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                data += os.read(self.terminal, 65536)
        return data


@pytest.fixture
def tmux(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        if os.environ.get("KPTUI_REQUIRE_ALL"):
            pytest.fail("tmux is not installed")
        pytest.skip("tmux is not installed")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    name = f"kptui-test-{uuid.uuid4().hex[:8]}"
    command = ["tmux", "-L", name, "-f", "/dev/null"]
    subprocess.run([*command, "new-session", "-d", "-x", "80", "-y", "24", "cat"], check=True, timeout=120)
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("tmux", [*command, "attach"])
    made = Tmux(name, "", terminal)
    try:
        made.socket = made.run("display-message", "-p", "#{socket_path}").strip()
        made.received(b"\x1b[")
        yield made
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            made.run("kill-server")
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


@pytest.mark.parametrize("lost_by_sudo", [False, True])
def test_a_real_tmux_passes_it_on_to_its_terminal(tmux: Tmux, tmp_path: Path, lost_by_sudo: bool) -> None:
    text = "p:kptui/x vfs_read 'n=%dx'\nsecond\tline: ü\n"
    inside = {"TMUX": f"{tmux.socket},1,0", "TERM": "tmux-256color"}
    environ = {"PATH": os.environ["PATH"], "TERM": "tmux-256color", **({} if lost_by_sudo else inside)}
    pieces: list[str] = []
    result = copy(text, write=pieces.append, environ=environ, state_dir=tmp_path, above=[inside])
    assert result.ways == ("tmux", "file")
    assert pieces == []
    assert tmux.run("show-buffer") == text
    wanted = base64.b64encode(text.encode())
    assert wanted in tmux.received(wanted)


def test_a_real_tmux_takes_a_long_text(tmux: Tmux, tmp_path: Path) -> None:
    text = "0123456789abcdef\n" * 20_000
    environ = {"PATH": os.environ["PATH"], "TMUX": f"{tmux.socket},1,0"}
    start = time.monotonic()
    assert copy(text, write=print, environ=environ, state_dir=tmp_path, above=()).ways == ("tmux", "file")
    assert time.monotonic() - start < 20
    assert tmux.run("show-buffer") == text
