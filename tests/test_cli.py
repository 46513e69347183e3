"""The command line without a screen: what it imports, says and returns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kptui import __version__
from kptui.cli import main
from kptui.ui.commands import COMMANDS
from tests.program import PATIENCE, command, environ, headless

HEADLESS = [
    ["--help"],
    ["--version"],
    ["--keys"],
    ["doctor"],
    ["cleanup"],
    ["convert", "/dev/null"],
    ["convert", "--help"],
    ["--nonsense"],
    ["--group", "9"],
    [],
]


@pytest.mark.parametrize("arguments", HEADLESS, ids=" ".join)
def test_no_screen_library_is_imported(arguments: list[str], tmp_path: Path) -> None:
    watch = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('LOADED', sorted({name.partition('.')[0] for name in sys.modules}),"
        " file=sys.stderr))"
    )
    done = headless(*arguments, home=tmp_path, before=watch)
    loaded = done.stderr.rpartition("LOADED ")[2]
    assert "'kptui'" in loaded
    assert not {name for name in ("textual", "rich", "rapidfuzz", "pyperclip") if f"'{name}'" in loaded}


def test_python_m_and_version(tmp_path: Path) -> None:
    done = headless("--version", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"kptui {__version__}\n", "")


def test_help_names_every_headless_command_and_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("convert", "doctor", "cleanup", "--demo", "--tracefs", "--keys", "Exit status"):
        assert word in text


def test_keys_lists_every_command_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--keys"]) == 0
    ids = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert ids == [command.id for command in COMMANDS]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["vfs_read"], "invalid choice: 'vfs_read'"),
        (["doctor", "now"], "unrecognized arguments: now"),
        (["convert"], "required: FILE"),
        (["convert", "--to", "xml", "-"], "invalid choice: 'xml'"),
        (["--tracefs"], "expected one argument"),
        (["--dem"], "unrecognized arguments: --dem"),
        (["--demo", "doctor"], "--demo doesn't go with doctor"),
        (["--group", "x", "cleanup"], "--group doesn't go with cleanup"),
        (["--keys", "doctor"], "--keys doesn't go with doctor"),
        (["--keys", "--demo"], "--demo doesn't go with --keys"),
        (["\x1b]0;gotcha\x07"], "\\x1b]0;gotcha\\x07"),
        (["--x\x1b[2J"], "unrecognized arguments: --x\\x1b[2J"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        (["check", "a", "b"], "kptui check"),
        (["check", "--kind", "filter"], "kptui check"),
        (["args", "vfs_read", "--nonsense"], "kptui args"),
        (["symbols", "a", "--limit"], "kptui symbols"),
        (["convert", "a", "b"], "kptui convert"),
        (["doctor", "now"], "kptui doctor"),
        (["cleanup", "--demo"], "kptui cleanup"),
        (["--group", "x", "cleanup"], "kptui cleanup"),
        (["--keys", "--demo"], "kptui"),
    ],
)
def test_the_usage_is_that_of_the_command(
    arguments: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"usage: {usage} [-h]")
    assert last.startswith(f"{usage}: error: ")


@pytest.mark.parametrize("name", ["", "9lives", "a-b", "a.b", "a b", "a/b", "ü", "x" * 64, "a\nb"])
def test_a_group_that_no_kernel_takes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--group={name}"]) == 2
    err = capsys.readouterr().err
    assert "1 to 63 letters, digits and _" in err
    assert err.count("\n") == 1


def test_a_better_group_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--group", "my-probes"])
    assert "try --group my_probes" in capsys.readouterr().err


@pytest.mark.parametrize("before", [[], ["doctor"], ["cleanup"]])
def test_a_tracefs_that_is_none(
    before: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*before, "--tracefs", str(tmp_path)]) == 2
    assert "no tracefs is mounted there" in capsys.readouterr().err
    assert main([*before, "--tracefs", str(tmp_path / "nowhere")]) == 2
    assert "No such file or directory" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main([*before, "--tracefs", str(tmp_path / "file")]) == 2
    assert "Not a directory" in capsys.readouterr().err
    assert main([*before, "--tracefs", ""]) == 2
    assert "needs a directory" in capsys.readouterr().err


def test_debugfs_instead_of_tracefs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tracing" / "events").mkdir(parents=True)
    assert main(["doctor", "--tracefs", str(tmp_path)]) == 2
    assert f"try --tracefs {tmp_path}/tracing" in capsys.readouterr().err


def test_a_list_of_symbols_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kallsyms", str(tmp_path)]) == 2
    assert "that is a directory" in capsys.readouterr().err
    assert main(["--kallsyms", str(tmp_path / "nowhere")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["--kallsyms", "/dev/zero"]) == 2
    assert "is no file" in capsys.readouterr().err


def fake_tracefs(root: Path, *, kprobes: bool = True) -> Path:
    for name in ("events", "instances"):
        (root / name).mkdir(parents=True)
    if kprobes:
        (root / "kprobe_events").touch()
    return root


@pytest.mark.skipif(os.geteuid() != 0, reason="rights are looked at, too")
def test_doctor_where_everything_is_there(tmp_path: Path) -> None:
    done = headless("doctor", "--tracefs", str(fake_tracefs(tmp_path / "t")), home=tmp_path)
    assert done.returncode == 0
    assert f"mounted at {tmp_path}/t" in done.stdout
    assert "No tracing here" not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the first thing missing are the rights")
def test_doctor_says_what_is_missing_and_what_would_give_it(tmp_path: Path) -> None:
    tracefs = fake_tracefs(tmp_path / "t", kprobes=False)
    done = headless("doctor", "--tracefs", str(tracefs), home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    for title in (
        "Kernel",
        "Rights",
        "tracefs",
        "kprobe events",
        "Symbol addresses",
        "Kernel lockdown",
        "BTF",
    ):
        assert sum(line[4:].startswith(f"{title}  ") for line in done.stdout.splitlines()) == 1, title
    assert "Clipboard" in done.stdout
    assert "CONFIG_KPROBE_EVENTS" in done.stdout.partition("No tracing here: ")[2]


def test_doctor_is_aligned(tmp_path: Path) -> None:
    rows = headless("doctor", home=tmp_path).stdout.partition("\n\n")[0].splitlines()
    starts = {row.index("-> ") for row in rows if row.startswith("     ")}
    details = {len(row[4:]) - len(row[4:].split("  ", 1)[1].lstrip()) for row in rows if row[0] != " "}
    assert len(starts) <= 1
    assert len(details) == 1


def as_nobody(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    env = environ(home)
    probe = subprocess.run([*drop, sys.executable, "-c", "import kptui"], env=env, cwd="/", check=False)
    if probe.returncode:
        pytest.skip("nobody can't read this installation")
    return subprocess.run(
        [*drop, *command(*arguments)],
        env=env,
        cwd="/",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


def test_without_root(tmp_path: Path) -> None:
    done = as_nobody("doctor", home=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "sudo kptui" in done.stdout
    assert done.stdout.count("-> run: sudo kptui") == 1  # said once, however much it would give


def test_clean_up_without_root_or_without_tracefs(tmp_path: Path) -> None:
    done = as_nobody("cleanup", home=tmp_path)
    assert done.returncode == 1
    assert "sudo" in done.stderr


def test_clean_up_with_nothing_to_do(tmp_path: Path) -> None:
    tracefs = fake_tracefs(tmp_path / "t")
    done = headless("cleanup", "--tracefs", str(tracefs), home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Nothing was left behind by a killed kptui.\n")


# -- output that can't be written


@pytest.mark.parametrize("arguments", [["--help"], ["--keys"], ["doctor"], ["convert", "/etc/passwd"]])
@pytest.mark.parametrize("unbuffered", [None, "1"])
def test_a_reader_that_leaves(arguments: list[str], unbuffered: str | None, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command(*arguments),
        env=environ(tmp_path, PYTHONUNBUFFERED=unbuffered),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    os.close(write)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", [["--help"], ["--keys"], ["doctor"], ["convert", "/etc/passwd"]])
@pytest.mark.parametrize("unbuffered", [None, "1"])
def test_a_full_disk(arguments: list[str], unbuffered: str | None, tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*arguments),
            env=environ(tmp_path, PYTHONUNBUFFERED=unbuffered),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("arguments", ["--help", "--keys", "doctor", "", "--nonsense"])
def test_closed_streams(arguments: str, redirections: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *command(*arguments.split())],
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode == {"": 1, "doctor": done.returncode, "--nonsense": 2}.get(arguments, 0)
    assert done.returncode in (0, 1, 2)


@pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("arguments", [["--keys"], ["doctor"], ["--help"], ["--group", "ü–✗"]])
def test_a_locale_without_our_signs(
    arguments: list[str], locale: dict[str, str | None], tmp_path: Path
) -> None:
    done = subprocess.run(
        command(*arguments),
        env=environ(tmp_path, LANG=None, **locale),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1, 2)
    if "PYTHONUTF8" in locale or locale.get("PYTHONIOENCODING") == "ascii":
        assert (done.stdout + done.stderr).isascii()
        if arguments == ["--keys"]:
            assert b"list.up                ^ k" in done.stdout
