"""The journal says before each change how to undo it, wherever it can still be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.kernel.journal import Journal, Owner, find_journals, read_journal
from kptui.kernel.plan import Undo, harmless

OWNER = Owner(4242, 99, "boot", "/sys/kernel/tracing", 7, "kptui-4242", "kptui")
FIRST = Undo("rmdir", "instances/kptui-4242")
SECOND = Undo("write", "kprobe_events", "-:kptui/é\udcff\n")


def test_what_is_recorded_is_on_disk_at_once_and_gone_when_done(tmp_path: Path) -> None:
    journal = Journal(OWNER, [tmp_path])
    assert journal.record(FIRST) == 1
    assert journal.record(SECOND) == 2
    assert journal.record(FIRST) == 1
    (old,) = find_journals([tmp_path])
    assert (old.owner, old.pending, old.damaged) == (OWNER, ((1, FIRST), (2, SECOND)), 0)
    journal.done_with("instances/kptui-4242")
    assert find_journals([tmp_path])[0].pending == ((2, SECOND),)
    journal.done(2)
    journal.close()
    journal.close()
    assert list(tmp_path.iterdir()) == []
    assert journal.warnings == []


def test_it_stays_while_something_is_pending(tmp_path: Path) -> None:
    journal = Journal(OWNER, [tmp_path])
    journal.record(FIRST)
    journal.close()
    assert [old.pending for old in find_journals([tmp_path])] == [((1, FIRST),)]


def test_a_dead_namesake_is_not_overwritten(tmp_path: Path) -> None:
    Journal(OWNER, [tmp_path]).record(FIRST)
    second = Journal(OWNER, [tmp_path])
    assert second.path is not None
    assert second.path.name == "kptui-4242_2.journal"
    assert len(find_journals([tmp_path])) == 2


def test_an_unwritable_directory_moves_it_with_one_warning(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    journal = Journal(OWNER, [blocked / "state", tmp_path / "run"])
    journal.record(FIRST)
    assert journal.path == tmp_path / "run/kptui-4242.journal"
    assert len(journal.warnings) == 1
    assert "moved to" in journal.warnings[0]
    nowhere = Journal(OWNER, [blocked / "state"])
    nowhere.record(FIRST)
    assert nowhere.path is None
    assert nowhere.pending == ((1, FIRST),)
    assert len(nowhere.warnings) == 1
    assert "kill -9" in nowhere.warnings[0]


def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = tmp_path / "full"
    journal = Journal(OWNER, [full, tmp_path / "run"])
    journal.record(FIRST)
    real = os.write

    def write(fd: int, data: bytes) -> int:
        if Path(f"/proc/self/fd/{fd}").resolve().parent == full:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    journal.record(SECOND)
    assert [old.pending for old in find_journals([full, tmp_path / "run"])] == [((1, FIRST), (2, SECOND))]
    assert list(full.iterdir()) == []
    assert "No space left" in journal.warnings[0]


def test_no_directory_means_memory_without_a_word() -> None:
    journal = Journal(OWNER, [])
    journal.record(FIRST)
    assert (journal.path, journal.warnings, journal.pending) == (None, [], ((1, FIRST),))


@given(st.binary(max_size=80), st.integers(0, 400))
@settings(max_examples=80)
def test_damaged_journals_give_what_still_makes_sense(junk: bytes, cut: int) -> None:
    path = Path(f"/dev/shm/kptui-{os.getpid()}-test.journal")
    journal = Journal(OWNER, [])
    journal.record(FIRST)
    lines = b'{"kptui": 1, "pid": 1, "start": null, "boot": "", "root": "", "device": 0, '
    lines += (
        b'"instance": "", "group": ""}\n{"n": 1, "undo": {"kind": "rmdir", "path": "instances/kptui-1"}}\n'
    )
    try:
        path.write_bytes(lines[:cut] + b"\n" + junk + b"\n" + lines)
        old = read_journal(path, 5)
    finally:
        path.unlink()
    assert old.owner is not None
    assert (1, Undo("rmdir", "instances/kptui-1")) in old.pending


def test_nothing_but_own_names_is_ever_carried_out() -> None:
    assert harmless(SECOND) is False
    assert harmless(Undo("write", "kprobe_events", "-:kptui/open\n"))
    assert harmless(Undo("write", "instances/kptui-1/events/a/b/enable", "0"))
    for undo in (
        Undo("rmdir", "instances/other"),
        Undo("rmdir", "instances/kptui-1/../other"),
        Undo("write", "events/enable", "0"),
        Undo("write", "kprobe_events", "p:a/b c\n"),
        Undo("write", "instances/foreign/events/a/b/enable", "0"),
        Undo("write", "instances/kptui-1/../../tracing_on", "0"),
    ):
        assert not harmless(undo), undo
