"""Bad terminals, files, disks and kernels: a clear sentence, no traceback, the terminal restored, the right status."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.program import READY, Program, command, headless

# A kernel without kprobes passes for one with them: the instance is real, only defining would be refused.
FORCED = """
import kptui.kernel.capabilities as _c
_c._kprobes = lambda place, euid: _c.Finding("kprobes", True, "kprobe events", "forced")
"""
TRACEFS = Path("/sys/kernel/tracing")
needs_tracefs = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access(TRACEFS / "instances", os.W_OK) or shutil.which("unshare") is None,
    reason="needs root, a tracefs and unshare",
)
JUNK = random.Random(7).randbytes(200_000)


def ends_well(program: Program, *, status: int = 0, keys: bytes = b"q") -> str:
    """Quits; what stands on the terminal afterwards."""
    program.send(keys)
    assert program.wait() == status
    assert program.restored()
    assert "Traceback" not in program.text
    return program.said


# -- terminals


@pytest.mark.parametrize("term", [None, "", "dumb", "unknown"])
def test_a_terminal_that_can_not_show_a_screen(term: str | None, tmp_path: Path) -> None:
    with Program("--demo", home=tmp_path, env={"TERM": term}) as program:
        assert program.wait() == 1
        assert program.text.strip() == (
            "kptui: TERM names no terminal that can show a screen; try: TERM=xterm-256color kptui"
        )
        assert program.modes == {}


def test_no_terminal_at_all(tmp_path: Path) -> None:
    done = headless("--demo", home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kptui: the screen needs a terminal; `kptui --help` lists what works without one\n"


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (300, 4)], ids=str)
def test_small_terminals(size: tuple[int, int], tmp_path: Path) -> None:
    with Program("--demo", home=tmp_path, size=size) as program:
        program.until("Quit")
        assert ends_well(program).strip() == ""


def test_a_terminal_of_one_cell(tmp_path: Path) -> None:
    mounted = """
import kptui.ui.live as _l
_start = _l.Live.start
def _marked(self):
    _start(self)
    open(__import__("os").environ["HOME"] + "/up", "w").close()
_l.Live.start = _marked
"""
    with Program("--demo", home=tmp_path, size=(1, 1), before=mounted) as program:
        program.until_file("up")
        assert ends_well(program).strip() == ""


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
def test_a_locale_without_our_signs(locale: dict[str, str], tmp_path: Path) -> None:
    with Program("--demo", home=tmp_path, env={"LANG": None, **locale}) as program:
        program.until("Symbols ----", READY)
        assert "\\u" not in program.text
        ends_well(program)


# -- the configuration


CONFIGS: dict[str, tuple[bytes, str]] = {
    "truncated": (b"[keys]\nquit = [", "not valid TOML"),
    "binary": (b"\xff\xfe" + JUNK, "not UTF-8"),
    "text that is none": (b"hello there", "line 1"),
    "huge": (b"#" * (2 << 20), "larger than 1 MiB"),
    "unknown table": (b"[colours]\n", "colours"),
    "unknown command": (b'[keys]\n"probe.nwe" = "a"\n', "no command is called 'probe.nwe'"),
    "two commands, one key": (b'[keys]\nhelp = "x"\npalette = "x"\n', "wanted by both"),
    "wrong type": (b"[ui]\nmouse = 3\n", "mouse must be true or false"),
    "escapes": (b'[keys]\n"\x1b]0;x\x07" = "a"\n', "config.toml"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_bad_configuration(name: str, tmp_path: Path) -> None:
    data, reason = CONFIGS[name]
    path = tmp_path / "config/kptui/config.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    done = headless("--demo", home=tmp_path)  # told even before the terminal is looked at
    assert done.returncode == 2
    assert "config.toml" in done.stderr
    assert reason in done.stderr
    assert "--config /dev/null" in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "said"), [("nowhere.toml", "no such file"), (".", "Is a directory"), ("", "Is a directory")]
)
def test_a_configuration_that_is_not_there(given: str, said: str, tmp_path: Path) -> None:
    done = headless("--demo", "--config", str(tmp_path / given) if given else "", home=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("arguments", [["--config", "/dev/null"], []], ids=["past a bad one", "empty one"])
def test_starting_without_a_configuration(arguments: list[str], tmp_path: Path) -> None:
    path = tmp_path / "config/kptui/config.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"[" if arguments else b"")
    with Program("--demo", *arguments, home=tmp_path) as program:
        program.until(READY)
        ends_well(program)


# -- the list of symbols

_LINE = b"ffffffff81000000 T _stext\n"
LISTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "no symbols"),
    "binary": (lambda: JUNK, "no symbols"),
    "zeros": (lambda: bytes(4 << 20), "no symbols"),
    "one endless line": (lambda: b"a" * (16 << 20), "no symbols"),
    "junk": (lambda: b"x y z\n" * 500_000, "no symbols"),
    "truncated": (lambda: _LINE + b"ffffffff81000100 t vfs_rea", "vfs_rea"),
    "escapes": (lambda: _LINE + b"ffffffff81000100 t vfs\x1b]0;gotcha\x07\n", "gotcha"),
    "400,000": (
        lambda: b"".join(b"%016x t many_%06d\n" % (0xFFFFFFFF81000000 + n, n) for n in range(400_000)),
        "many_000000",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_bad_list_of_symbols(name: str, tmp_path: Path) -> None:
    make, seen = LISTS[name]
    path = tmp_path / "list"
    path.write_bytes(make())
    with Program("--demo", "--kallsyms", str(path), home=tmp_path) as program:
        program.until("Quit", seen, READY)
        assert b"\x1b]0;gotcha" not in program.data
        ends_well(program)


def test_quitting_while_a_huge_list_is_being_read(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(LISTS["400,000"][0]() * 3)
    with Program("--demo", "--kallsyms", str(path), home=tmp_path) as program:
        program.until("Quit")
        ends_well(program)


def test_a_list_that_vanishes_after_it_was_looked_at(tmp_path: Path) -> None:
    gone = """
import kptui.interactive as _i
import os
_world = _i._demo_world
def _gone(args, *rest):
    os.unlink(args.kallsyms)
    return _world(args, *rest)
_i._demo_world = _gone
"""
    (tmp_path / "list").write_bytes(_LINE)
    with Program("--demo", "--kallsyms", str(tmp_path / "list"), home=tmp_path, before=gone) as program:
        program.until("no symbols", READY)
        ends_well(program)


# -- homes and disks


def test_no_home(tmp_path: Path) -> None:
    none = {"HOME": None, "XDG_STATE_HOME": None, "XDG_CONFIG_HOME": None}
    with Program("--demo", home=tmp_path, env=none) as program:
        program.until(READY)
        ends_well(program)


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = {"HOME": "/dev/null", "XDG_STATE_HOME": None, "XDG_CONFIG_HOME": None}
    done = headless("doctor", home=tmp_path, env=home)
    assert done.returncode in (0, 1)
    assert done.stderr == ""
    with Program("--demo", home=tmp_path, env=home) as program:
        program.until(READY)
        ends_well(program)


def own_instances() -> set[str]:
    return {name for name in os.listdir(TRACEFS / "instances") if name.startswith("kptui-")}


@pytest.fixture
def standing() -> Iterator[set[str]]:
    """The instances of kptui that stand; afterwards no more may."""
    before = own_instances()
    yield before
    more = own_instances() - before
    for name in more:
        (TRACEFS / "instances" / name).rmdir()
    assert not more


def in_own_mounts(*commands: str) -> list[str]:
    """A wrapper that runs ``commands`` in a mount name space of its own, then the program."""
    return ["unshare", "-m", "sh", "-ec", f'{"; ".join(commands)}; exec "$@"', "sh"]


@needs_tracefs
@pytest.mark.tracefs
def test_a_full_disk_for_the_journal(tmp_path: Path, standing: set[str]) -> None:
    state = tmp_path / "state"
    state.mkdir()
    full = in_own_mounts(
        f"mount -t tmpfs -o size=16k none {state}",
        f"dd if=/dev/zero of={state}/filler bs=4k 2>/dev/null || true",
        "mount -t tmpfs -o size=64k none /run",
    )
    with Program(home=tmp_path, before=FORCED, wrap=full) as program:
        program.until(READY, "undo journal moved to")
        assert own_instances() - standing
        ends_well(program)


@needs_tracefs
@pytest.mark.tracefs
def test_no_disk_at_all_for_the_journal(tmp_path: Path, standing: set[str]) -> None:
    state = tmp_path / "state"
    state.mkdir()
    read_only = in_own_mounts(
        f"mount -t tmpfs -o ro none {state}",
        "mount -t tmpfs -o ro none /run",
    )
    with Program(home=tmp_path, before=FORCED, wrap=read_only) as program:
        program.until(READY, "no undo journal can be")
        assert own_instances() - standing
        ends_well(program)


# -- a tracefs that isn't what it was


@needs_tracefs
@pytest.mark.tracefs
@pytest.mark.skipif(shutil.which("nsenter") is None, reason="needs nsenter")
def test_a_tracefs_that_vanishes(tmp_path: Path, standing: set[str]) -> None:
    place = tmp_path / "tracefs"
    place.mkdir()
    wrap = in_own_mounts(f"mount -t tracefs nodev {place}")
    with Program("--tracefs", str(place), home=tmp_path, before=FORCED, wrap=wrap) as program:
        program.until(READY)
        left = own_instances() - standing
        subprocess.run(["nsenter", "-t", str(program.pid), "-m", "umount", "-l", str(place)], check=True)
        program.until("no longer mounted")
        said = ends_well(program, status=1)
    assert f"still there: instances/{next(iter(left))}" in said
    assert "kptui cleanup" in said
    # Nothing is lost: the journal knows, and the same tracefs under its other name is cleaned up.
    done = headless("cleanup", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "removed" in done.stdout


@needs_tracefs
@pytest.mark.tracefs
def test_what_a_killed_one_left_is_offered(tmp_path: Path, standing: set[str]) -> None:
    with Program(home=tmp_path, before=FORCED) as program:
        program.until(READY)
        program.signal(9)
        assert program.wait() == -9
        pid = program.pid
    assert own_instances() - standing == {f"kptui-{pid}"}
    with Program(home=tmp_path, before=FORCED) as program:
        program.until(READY, f"A killed kptui (pid {pid})")
        ends_well(program)
    done = headless("cleanup", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"(pid {pid}) had left the trace instance kptui-{pid}: removed" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="rights are looked at first")
def test_a_tracefs_without_kprobes(tmp_path: Path) -> None:
    for name in ("events", "instances"):
        (tmp_path / "t" / name).mkdir(parents=True)
    with Program("--tracefs", str(tmp_path / "t"), home=tmp_path) as program:
        program.until("CONFIG_KPROBE_EVENTS", "Quit")
        ends_well(program)


@pytest.mark.skipif(os.geteuid() != 0, reason="rights are looked at first")
def test_a_tracefs_that_makes_no_instance(tmp_path: Path) -> None:
    (tmp_path / "t/events").mkdir(parents=True)
    (tmp_path / "t/instances").mkdir()
    (tmp_path / "t/kprobe_events").touch()
    with Program("--tracefs", str(tmp_path / "t"), home=tmp_path) as program:
        program.until("no live tracing", "Quit")
        ends_well(program)
    assert os.listdir(tmp_path / "t/instances") == []


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
def test_without_root_the_screen_opens_and_says_what_is_missing(tmp_path: Path) -> None:
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*drop, *command("--version")], cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("nobody can't read this installation")
    nowhere = {"HOME": "/nonexistent", "XDG_STATE_HOME": None, "XDG_CONFIG_HOME": None}
    with Program(home=tmp_path, wrap=drop, env=nowhere) as program:
        program.until("sudo kptui", "No live events here", "Quit")
        ends_well(program)
