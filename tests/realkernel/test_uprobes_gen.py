"""The generator of uprobes, and the asking that may meet other users of tracefs."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any

import pytest

from tests.realkernel import uprobes_gen
from tests.realkernel.asker import kernel_words
from tests.realkernel.asker import log_entries as entries
from tests.realkernel.facts import files as files_of


def test_the_same_seed_gives_the_same_definitions() -> None:
    assert uprobes_gen.uprobes(7, 300) == uprobes_gen.uprobes(7, 300)
    assert uprobes_gen.uprobes(7, 300) != uprobes_gen.uprobes(8, 300)


def test_every_definition_may_be_written() -> None:
    texts = uprobes_gen.uprobes(3, 2000)
    assert all("\n" not in text and "\0" not in text for text in texts)
    assert len(set(texts)) > 1500


def test_nothing_that_could_be_anybody_elses_is_removed() -> None:
    for text in uprobes_gen.uprobes(5, 3000):
        if text.startswith("-:") and "/" in (name := kernel_words(text)[0][2:]):
            group = name.partition("/")[0]
            assert group not in {"kprobes", "uprobes", "kptui"}


@pytest.fixture
def files() -> Iterator[None]:
    uprobes_gen.prepare()
    yield
    uprobes_gen.clean()


@pytest.mark.usefixtures("files")
def test_what_paths_lead_to_is_told() -> None:
    folder = str(uprobes_gen.FOLDER)
    texts = [f"p {folder}/{name}:0" for name in ("a", "hard", "link", "b", "dir", "nosuch", "loop", "fifo")]
    by_name: dict[str, Any] = {
        path.removeprefix(f"{folder}/"): kind for path, kind in files_of(texts).items()
    }
    assert by_name["a"] == by_name["hard"] == by_name["link"] != by_name["b"]
    assert by_name["a"][0] is True
    assert by_name["dir"][0] is by_name["fifo"][0] is False
    assert (by_name["nosuch"], by_name["loop"]) == ("ENOENT", "ELOOP")
    assert stat.S_ISFIFO((uprobes_gen.FOLDER / "fifo").stat().st_mode)


def test_error_log_is_read_whatever_the_command_holds() -> None:
    log = (
        "[    1.000001] trace_uprobe: error: Not a regular file\n  Command: p /é:0\n             ^\n"
        "[   12.000002] trace_uprobe: error: Bad\n  Command: p x\n"
        "[   12.000003] trace_uprobe: error: Invalid register name\n  Command: r /a:0 %x\n                  ^\n"
    )
    assert entries(log) == [
        ("1.000001", "Not a regular file", 2, "p /é:0"),
        ("12.000003", "Invalid register name", 7, "r /a:0 %x"),
    ]


def test_words_are_cut_as_the_kernel_does() -> None:
    assert kernel_words(" p:a\t/b:0 \udca0 c # d") == ["p:a", "/b:0", "c"]
    assert kernel_words("à b") == ["\udcc3", "b"]
