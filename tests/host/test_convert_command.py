"""``kptui convert`` as a shell sees it: exit codes, messages, files that are whole or not there."""

from __future__ import annotations

import argparse
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kptui.host.convert_command import add_parser, run_convert

LINE = b'            bash-1234    [001] .....  5021.123456: open: (vfs_open+0x0/0x90) path="/x"\n'


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(["convert", *words])


def run(*words: str) -> int:
    return run_convert(arguments(*words))


def shell(
    *words: str, stdin: bytes | None = b"", stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kptui", "convert", *words],
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=240,
        check=False,
    )


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"# tracer: nop\n" + LINE * 3)
    return path


def test_a_file_to_standard_output(capture: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(str(capture)) == 0
    out, err = capfd.readouterr()
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["header", "event", "event", "event"]
    assert err == ""
    assert run(str(capture), "--to", "csv") == 0
    assert capfd.readouterr().out.splitlines()[0] == "ts,cpu,pid,comm,event,args"


def test_standard_input_in_a_real_process() -> None:
    done = shell("-", stdin=LINE * 2)
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 2)


def test_textual_is_not_imported() -> None:
    code = (
        "import sys, kptui.cli; kptui.cli.main(['convert', '/dev/null']); "
        "sys.exit(any(name.split('.')[0] in ('textual', 'rich') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("closed", "status", "lines", "said"),
    [
        (">&-", 1, 0, b"kptui convert: can't write standard output: Bad file descriptor\n"),
        ("2>&-", 0, 4, b""),
        ("-o /dev/null >&-", 0, 0, b""),
    ],
)
def test_a_caller_that_closed_our_output(
    capture: Path, closed: str, status: int, lines: int, said: bytes
) -> None:
    command = f'exec "$0" -m kptui convert "$1" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, str(capture)],
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (status, lines, said)


def test_what_is_said_to_nobody_is_no_failure() -> None:
    command = 'exec "$0" -m kptui convert - 2>&-'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable], input=b"", capture_output=True, timeout=240, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_an_empty_name_for_the_output_is_a_wrong_call(
    capture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(str(capture), "-o", "") == 2
    assert capfd.readouterr() == (
        "",
        "kptui convert: -o is empty; give a file name, or - for standard output\n",
    )


@pytest.mark.parametrize("to", ["jsonl", "csv"])
def test_an_output_file(capture: Path, tmp_path: Path, to: str) -> None:
    target = tmp_path / "out"
    assert run(str(capture), "--to", to, "-o", str(target)) == 0
    assert target.read_bytes().count(b"\n") == (4 if to == "jsonl" else 5)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "trace.txt"]


def test_an_existing_output_keeps_its_mode_and_its_link(capture: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(target)
    assert run(str(capture), "-o", str(link)) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text().count("\n") == 4


def test_a_file_onto_itself(capture: Path) -> None:
    assert run(str(capture), "-o", str(capture)) == 0
    assert capture.read_bytes().startswith(b'{"kind":"header"')
    assert capture.read_bytes().count(b"\n") == 4


def message(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("kptui convert: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_an_empty_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert run(str(path)) == 0
    assert "is empty: no records" in message(capfd)


@pytest.mark.parametrize("name", ["missing", ".", "trace.txt/x", "bad\x1b[31m\nname"])
def test_what_cannot_be_read(
    name: str, capture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    assert run(str(tmp_path / name), "-o", str(target)) == 1
    text = message(capfd)
    assert "can't read" in text
    assert "\x1b" not in text
    assert target.read_text() == "old"


def test_a_file_without_read_permission(
    capture: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: str, flags: int) -> int:  # root may read everything: the refusal has to be played
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert run(str(capture)) == 1
    assert f"can't read {capture}: Permission denied" in message(capfd)


def test_binary_input_is_kept_and_remarked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "binary"
    path.write_bytes(bytes(range(256)) * 50)
    assert run(str(path)) == 0
    out, err = capfd.readouterr()
    assert all(json.loads(line)["kind"] == "raw" for line in out.splitlines())
    assert "no line in the usual trace format" in err


@pytest.mark.parametrize(
    ("magic", "hint"),
    [
        (b"\x17\x08Dtracing\x006\x00", "trace-cmd report"),
        (b"PERFILE2\x00", "perf script"),
        (b"\x1f\x8b\x08", "zcat"),
        (b"\xfd7zXZ\x00\x00", "xzcat"),
    ],
)
def test_files_in_other_forms_are_named(
    magic: bytes, hint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other"
    path.write_bytes(magic + b"x" * 100)
    assert run(str(path)) == 1
    assert hint in message(capfd)


def test_a_full_disk(capture: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(str(capture), "-o", "/dev/full") == 1
    assert "can't write /dev/full: No space left on device" in message(capfd)


def test_standard_output_on_a_full_disk(capture: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = shell(str(capture), stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr == b"kptui convert: can't write standard output: No space left on device\n"


def test_a_failure_leaves_the_old_output_and_nothing_else(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    target.write_text("old")

    def no_space(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        assert run(str(capture), "-o", str(target)) == 1
    assert f"can't write {target}: No space left on device" in message(capfd)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "trace.txt"]


def test_an_output_in_no_folder(capture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(str(capture), "-o", str(tmp_path / "no" / "out")) == 1
    assert "No such file or directory" in message(capfd)
    assert run(str(capture), "-o", str(tmp_path)) == 1
    assert "Is a directory" in message(capfd)


def test_a_reader_that_leaves_early(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(LINE * 20_000)
    done = subprocess.run(
        ["sh", "-c", '"$0" -m kptui convert "$1" | head -n 1; echo "$?"', sys.executable, str(path)],
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 2
    read, write = os.pipe()
    os.close(read)
    done = shell(str(path), stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_truncated_last_line_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut"
    path.write_bytes(LINE + LINE[:70])
    assert run(str(path)) == 0
    records = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [record["kind"] for record in records] == ["event", "event"]
    assert records[1]["body"] == LINE[52:70].decode().split(": ", 1)[1]


@pytest.mark.parametrize("words", [(), ("a", "b"), ("a", "--to", "xml"), ("--nonsense", "a")])
def test_wrong_usage_is_2(words: tuple[str, ...]) -> None:
    done = shell(*words)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"usage:" in done.stderr


def test_an_empty_name_is_wrong_usage(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("") == 2
    assert "FILE is empty" in message(capfd)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_live_stream_that_is_interrupted_is_written_whole(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "kptui", "convert", "-", "-o", str(target)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        process.stdin.write(LINE * 5)
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=120) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stderr.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert target.read_text().count("\n") == 5


def test_a_pipe_as_output_file(capture: Path) -> None:
    done = shell(str(capture), "-o", "/dev/stdout")
    assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (0, 4, b"")
