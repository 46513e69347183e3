"""``kptui symbols`` as a shell sees it: what it prints, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kptui.cli import main
from tests.symbols.golden import kallsyms

ROOT = Path(__file__).parent.parent.parent
KEYS = ["name", "type", "module", "address", "probeable", "reason"]
TABLE = b"""\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81000100 T vfs_read
ffffffff81000180 t vfs_read.cold
ffffffff81000190 t vfs_kept.isra.0
ffffffff81000200 D vfs_read_data
ffffffff81000300 t twice
ffffffff81000400 t twice
ffffffff81000500 T kernel_clone
ffffffff81000600 T __x64_sys_execve
ffffffff81000700 t __pfx_vfs_read
ffffffffc0000000 t ext4_sync_fs\t[ext4]
ffffffffc0000100 t twice\t[ext4]
"""


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "kallsyms"
    path.write_bytes(TABLE)
    return str(path)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("symbols") / "kallsyms"
    path.write_bytes(kallsyms())
    return str(path)


class Run:
    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *words: str) -> tuple[int, str, str]:
        status = main(["symbols", *words])
        out, err = self._capfd.readouterr()
        return status, out, err

    def objects(self, *words: str) -> list[dict[str, Any]]:
        status, out, err = self(*words, "--json")
        assert (status, err) == (0, "")
        found: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
        assert all(list(one) == KEYS for one in found)
        return found


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    return Run(capfd)


def test_an_object_a_symbol(run: Run, table: str) -> None:
    first = run.objects("vfsread", "--kallsyms", table)
    assert first[0] == {
        "name": "vfs_read",
        "type": "T",
        "module": None,
        "address": "ffffffff81000100",
        "probeable": None,
        "reason": None,
    }
    by_name = {one["name"]: one for one in first}
    assert by_name["vfs_read_data"]["probeable"] is False
    assert "data" in by_name["vfs_read_data"]["reason"]
    assert by_name["vfs_read.cold"]["probeable"] is None
    assert "cold part of vfs_read" in by_name["vfs_read.cold"]["reason"]
    (clone,) = run.objects("vfs_kept.isra", "--kallsyms", table)
    assert "isra clone" in clone["reason"]
    assert "__pfx_vfs_read" not in by_name
    assert run.objects("__pfx_vfs_read", "--kallsyms", table)[0]["name"] == "__pfx_vfs_read"


def test_each_copy_is_an_object_and_says_its_place(run: Run, table: str) -> None:
    copies = run.objects("twice", "--kallsyms", table)
    assert [(one["module"], one["address"]) for one in copies] == [
        (None, "ffffffff81000300"),
        (None, "ffffffff81000400"),
        ("ext4", "ffffffffc0000100"),
    ]
    places = ["_text+0x300", "_text+0x400", "ext4:twice"]
    assert all(place in one["reason"] for place, one in zip(places, copies, strict=True))
    assert [one["module"] for one in run.objects("mod:ext4 twice", "--kallsyms", table)] == ["ext4"]
    assert len(run.objects("twice", "--kallsyms", table, "--limit", "2")) == 2


def test_addresses_that_are_hidden_are_null(run: Run, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.write_bytes(b"".join(b"0" * 16 + line[16:] + b"\n" for line in TABLE.splitlines()))
    assert run.objects("vfs_read", "--kallsyms", str(hidden))[0]["address"] is None
    assert "addresses are hidden" in run("vfs_read", "--kallsyms", str(hidden))[2]
    status, out, _ = run("fixed_percpu", "--kallsyms", str(hidden))
    assert (status, out.split()[0]) == (0, "fixed_percpu_data")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("vfsread", "vfs_read"),
        ("vfs_raed", "vfs_read"),
        ("shcedule", "schedule"),
        ("tcp_conect", "tcp_connect"),
        ("sys_execve", "__x64_sys_execve"),
        ("SyS_execve", "__x64_sys_execve"),
        ("execve(2)", "__x64_sys_execve"),
        ("execve()", "__x64_sys_execve"),
        ("_do_fork", "kernel_clone"),
        ("__kmalloc", "__kmalloc_noprof"),
    ],
)
def test_ranked_lines(run: Run, real: str, query: str, wanted: str) -> None:
    status, out, err = run(query, "--kallsyms", real)
    assert (status, err) == (0, "")
    name, type_, module, mark, *_ = out.splitlines()[0].split()
    assert (name, module, mark) == (wanted, "-", "?")
    assert type_ in "tT"
    assert len(out.splitlines()) <= 20


def test_a_function_s_successor_is_told_though_it_is_still_there(run: Run, real: str) -> None:
    names = [line.split()[0] for line in run("do_sys_open", "--kallsyms", real)[1].splitlines()]
    assert names[:2] == ["do_sys_open", "do_sys_openat2"]


def test_nothing_fits(run: Run, table: str) -> None:
    status, out, err = run("vfs_wrong_thing_altogether", "--kallsyms", table)
    assert (status, out) == (1, "")
    assert err.startswith("kptui symbols: nothing fits vfs_wrong_thing_altogether; the nearest names: ")
    assert run("zzzz", "--kallsyms", table, "--json")[:2] == (1, "")
    missing = run("mod:nosuch x", "--kallsyms", table)
    assert missing == (1, "", "kptui symbols: no module with symbols is called nosuch; there are ext4\n")
    assert "foo: is none of mod: type: probe:" in run("foo:bar", "--kallsyms", table)[2]
    long = run("vfs_" + "x" * 10_000, "--kallsyms", table)
    assert long[0] == 1
    assert len(long[2]) < 300


def test_all_that_fits_comes_with_a_limit_that_is_high_enough(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "many"
    made = [f"{'vfs_' if i % 3 else 'dev_'}{i}_{'read' * (i % 2)}{'ab'[i % 2]}" for i in range(12_000)]
    path.write_text("".join(f"{i + 1:016x} {'Td'[i % 5 == 0]} {name}\n" for i, name in enumerate(made)))
    for query, fits in (
        ("vfs", lambda name: name.startswith("vfs")),
        ("e_1", lambda name: re.search("e.*_.*1", name)),
        ("vfs_*readb", lambda name: re.fullmatch("vfs_.*readb", name)),
        ("read vfs !7", lambda name: "read" in name and "vfs" in name and "7" not in name),
        ("type:T", lambda name: int(name.split("_")[1]) % 5),
    ):
        status, out, err = run(query, "--kallsyms", str(path), "--limit", "1000000")
        names = [line.split()[0] for line in out.splitlines()]
        assert (status, err) == (0, "")
        assert sorted(names) == sorted(name for name in made if fits(name)), query
        assert run(query, "--kallsyms", str(path))[1].count("\n") == min(len(names), 20)
        some = run(query, "--kallsyms", str(path), "--limit", "700", "--json")[1].splitlines()
        assert [json.loads(line)["name"] for line in some] == names[:700]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["ext4_*"], ["ext4_sync_fs"]),
        (["vfs", "read", "!cold"], ["vfs_read", "vfs_read_data"]),
        (["MOD:EXT4", "sync"], ["ext4_sync_fs"]),
        (["ext4_sync_fs+0x1b/0x90 [ext4]"], ["ext4_sync_fs"]),
        (["^__pfx_"], ["__pfx_vfs_read"]),
        (["read$"], ["vfs_read"]),
    ],
)
def test_words_and_globs(run: Run, table: str, words: list[str], wanted: list[str]) -> None:
    assert [one["name"] for one in run.objects(*words, "--kallsyms", table)] == wanted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "required: QUERY"),
        ([""], "QUERY is empty"),
        (["  "], "QUERY is empty"),
        (["x", "--limit", "0"], "no number from 1"),
        (["x", "--limit", "two"], "no number from 1"),
        (["x", "--kallsyms", ""], "--kallsyms is empty"),
        (["x", "--kallsyms", "/nonexistent"], "No such file"),
        (["x", "--kallsyms", "/"], "directory"),
        (["x", "--kallsyms", str(ROOT / "README.md")], "no line of it is a symbol"),
        (["type:foo"], "type: takes text"),
        (["probe:perhaps"], "probe: takes yes or no"),
        (["x", "--nonsense"], "unrecognized"),
    ],
)
def test_wrong_usage(run: Run, table: str, words: list[str], said: str) -> None:
    given = words if "--kallsyms" in words or not words else [*words, "--kallsyms", table]
    status, out, err = run(*given)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_lines_that_are_no_symbols_are_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(TABLE + b"half a li\n\x00\xff\x1b[31m\n")
    status, out, err = run("vfs_read", "--kallsyms", str(path), "--limit", "1")
    assert (status, out.split()[0]) == (0, "vfs_read")
    assert err == f"kptui symbols: {path}: 2 lines are no symbols and passed over\n"


def test_a_compressed_file_is_told(run: Run) -> None:
    path = ROOT / "tests" / "symbols" / "data" / "kallsyms-6.12.txt.xz"
    assert "compressed with xz" in run("x", "--kallsyms", str(path))[2]


def test_names_that_a_terminal_would_obey_are_shown(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(b"ffffffff81000000 T na\x1b[31mme\nffffffff81000010 T \xff\xfename\n")
    _, out, err = run("name", "--kallsyms", str(path))
    assert "\x1b" not in out + err
    assert len(run.objects("name", "--kallsyms", str(path))) == 2


def test_this_machine_s_own_symbols(run: Run) -> None:
    if not os.access("/proc/kallsyms", os.R_OK) or not Path("/proc/kallsyms").read_bytes():
        pytest.skip("no symbols here")
    assert run.objects("vfs_read")[0]["name"] == "vfs_read"


def test_a_reader_that_has_enough_is_no_error(real: str) -> None:
    command = f"{sys.executable} -m kptui symbols a --limit 5000 --json --kallsyms {real} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
