"""``kptui check`` on definitions and filters that real kernels from 5.10 to 7.3 have judged, as an outsider
would run it: files in, JSON lines out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kptui.cli import main
from tests.filters.test_golden import ANSWERS, logged
from tests.headless.kernels import files_of
from tests.probes.kernels import KERNELS, recorded

FORMAT = Path(__file__).parent.parent / "filters" / "data" / "format_flt.txt"
UNKNOWABLE = {("p:ev do_sys_openat2+0xfffff", version) for version in KERNELS} | {("p:dup t_next", "5.10")}
"""What only the kernel knows: where instructions begin far from here, and which functions it doesn't trace."""
KEYS = ["line", "text", "command", "ok", "messages", "errno", "hint", "warnings"]


def check(
    capfd: pytest.CaptureFixture[str], lines: list[str], folder: Path, *options: str
) -> list[dict[str, Any]]:
    """Judge these lines; the objects, one for each."""
    path = folder / "lines"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="surrogateescape")
    status = main(["check", str(path), "--json", *options])
    out, err = capfd.readouterr()
    assert err == ""
    found = [json.loads(line) for line in out.splitlines()]
    assert [item["line"] for item in found] == list(range(1, len(lines) + 1))
    assert [item["text"] for item in found] == lines
    assert all(list(item) == KEYS for item in found)
    assert status == (0 if all(item["ok"] for item in found) else 1)
    return found


@pytest.mark.parametrize("version", KERNELS)
def test_definitions(version: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cases = [case for case in recorded(version) if (case.command, version) not in UNKNOWABLE]
    assert len(cases) > 140
    found = check(capfd, [case.command for case in cases], tmp_path, *files_of(version, tmp_path).options)
    for case, item in zip(cases, found, strict=True):
        got = [(m["message"], m["column"], item["command"]) for m in item["messages"]]
        assert (item["errno"], got) == (case.errno, list(case.entries)), case.command
        assert item["ok"] == (case.errno is None)
        assert (item["hint"] is None) == item["ok"], case.command


@pytest.mark.parametrize("version", KERNELS)
def test_filters(version: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answers = [answer for answer in ANSWERS if version in answer["kernels"]]
    files = files_of(version, tmp_path)
    found = check(
        capfd,
        [a["filter"] for a in answers],
        tmp_path,
        "--filter",
        "--format",
        str(FORMAT),
        *files.for_filters,
    )
    for answer, item in zip(answers, found, strict=True):
        if answer["filter"] == "dfd == 1 &&":  # always refused, whatever an unfixed kernel does
            assert (item["errno"], item["messages"][0]["message"]) == (
                "EINVAL",
                "Meaningless filter expression",
            )
            continue
        assert item["ok"] == (answer["errno"] == 0), answer["filter"]
        assert [(m["message"], m["column"]) for m in item["messages"]] == logged(answer)
        if item["messages"]:
            assert item["command"] == answer["error_log"].split("\n")[1].removeprefix("  Command: ")


def test_without_btf_a_kernel_has_no_btf_arguments(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = files_of("6.12", tmp_path).options
    lines = ["p:ev vfs_read file->f_inode", "p:ev vfs_read a=$arg1"]
    with_btf = check(capfd, lines, tmp_path, *options)
    options[options.index("--btf") + 1] = "none"
    without = check(capfd, lines, tmp_path, *options)
    assert [item["ok"] for item in with_btf] == [True, True]
    assert [item["ok"] for item in without] == [False, True]
    assert without[0]["messages"][0]["message"] == "BTF is not available or not supported"


def test_without_symbols_every_symbol_exists_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = files_of("6.12", tmp_path).options
    lines = ["p:ev no_such_function", "p:ev type_show", "p:ev ext4:nosuch", "p:ev vfs_read a=@nosuch"]
    refused = check(capfd, lines, tmp_path, *options)
    assert [item["ok"] for item in refused] == [False] * 4
    options[options.index("--kallsyms") + 1] = "none"
    found = check(capfd, lines, tmp_path, *options)
    assert [(item["ok"], item["warnings"]) for item in found] == [(True, [])] * 4


def test_data_and_forbidden_functions(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = ["p:ev do_int3", "p:ev event_sched_switch", "p:sched/sched_switch vfs_read"]
    found = check(capfd, lines, tmp_path, *files_of("6.12", tmp_path).options)
    said = [(item["messages"][0]["message"], item["messages"][0]["column"], item["errno"]) for item in found]
    assert said == [
        ("Failed to register probe event", 5, "EINVAL"),
        ("Failed to register probe event", 5, "EINVAL"),
        ("Given group/event name is already used by another event", 0, "EEXIST"),
    ]
