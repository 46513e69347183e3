"""Work in a child, in a program of its own: a test run has threads, and forks of it would do more than is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kptui.kernel.aside import begin
from kptui.kernel.symbols import SymbolSource
from kptui.symbols import ProbeLists

KALLSYMS = b"".join(b"ffffffff810%05x T function_%d\n" % (16 * n, n) for n in range(3000))


def run(body: str, *arguments: str) -> str:
    code = f"import os, sys\nfrom kptui.kernel.aside import begin\n{body}"
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_pieces_come_in_order_then_nothing() -> None:
    body = """
def work():
    yield b"a" * 3_000_000
    yield b"b"
ahead = begin(work)
print([(len(p), p[:1]) for p in (ahead.piece(), ahead.piece(), ahead.piece(), ahead.piece())])
"""
    assert run(body) == "[(3000000, b'a'), (1, b'b'), (0, b''), (0, b'')]\n"


def test_a_child_that_fails_says_nothing_on_the_terminal_and_is_collected() -> None:
    body = """
import atexit
atexit.register(print, "the end, once")
def work():
    yield b"first"
    print("not to be seen")
    raise RuntimeError("nor this")
ahead = begin(work)
print(ahead.piece(), ahead.piece())
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child is left")
print(sorted(os.listdir("/proc/self/fd"))[:-1])
"""
    assert run(body).splitlines() == [
        "b'first' b''",
        "no child is left",
        "['0', '1', '2']",
        "the end, once",
    ]


def test_a_child_that_dies_is_noticed() -> None:
    body = """
def work():
    yield b"first"
    os.kill(os.getpid(), 9)
    yield b"never"
ahead = begin(work)
print(ahead.piece(), ahead.piece())
"""
    assert run(body) == "b'first' b''\n"


def test_what_nobody_wants_is_ended() -> None:
    body = """
import time
def work():
    time.sleep(600)
    yield b"late"
ahead = begin(work)
ahead.close()
print(ahead.piece())
"""
    assert run(body) == "b''\n"


def test_no_fork_beside_threads() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert begin(lambda: [b"x"]) is None
    finally:
        over.set()
        thread.join()


SOURCE = """
from pathlib import Path
from kptui.kernel.symbols import SymbolSource
from kptui.symbols import ProbeLists
def read():
    with open(sys.argv[2], "a") as file:
        file.write(f"{os.getpid()}\\n")
    return Path(sys.argv[1]).read_bytes()
"""


def test_the_first_search_comes_from_a_child_the_next_is_read_anew(tmp_path: Path) -> None:
    data, readers = tmp_path / "kallsyms", tmp_path / "readers"
    data.write_bytes(KALLSYMS)
    body = f"""{SOURCE}
source = SymbolSource(read, ProbeLists)
search = source()
search.prepare()
search.warm()
print(len(search.table), search.search("fnctn2999").hits[0].symbol)
Path(sys.argv[1]).write_bytes(b"ffffffff81000000 T other\\n")
print(source())
print(os.getpid())
"""
    first, again, pid = run(body, str(data), str(readers)).splitlines()
    assert first.startswith("3000 Symbol(")
    assert "name='function_2999'" in first
    assert again == "b'ffffffff81000000 T other\\n'"
    child, second = readers.read_text().splitlines()
    assert child != pid
    assert second == pid


def test_where_the_child_fails_the_reason_is_told_by_the_reading(tmp_path: Path) -> None:
    body = f"""{SOURCE}
try:
    SymbolSource(read, ProbeLists)()
except FileNotFoundError as error:
    print("told:", error.strerror)
"""
    assert run(body, str(tmp_path / "none"), str(tmp_path / "readers")) == "told: No such file or directory\n"


def test_without_a_child_it_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    pids: list[int] = []

    def read() -> bytes:
        pids.append(os.getpid())
        return KALLSYMS

    source = SymbolSource(read, ProbeLists)
    assert source() == KALLSYMS
    assert pids == [os.getpid()]
    source.close()
