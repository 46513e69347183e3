"""The kernel's lists of what may be probed, read from where they are; what can't be read is unknown."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kptui.kernel.files import TracefsFiles
from kptui.kernel.probelists import read_probe_lists
from kptui.symbols import ProbeLists


def places(tmp_path: Path, blacklist: str | None, traceable: str | None) -> tuple[TracefsFiles, str]:
    tracing, debug = tmp_path / "tracing", tmp_path / "debug"
    (debug / "kprobes").mkdir(parents=True)
    tracing.mkdir()
    if blacklist is not None:
        (debug / "kprobes" / "blacklist").write_text(blacklist)
    if traceable is not None:
        (tracing / "available_filter_functions").write_text(traceable)
    return TracefsFiles(tracing), str(debug)


def test_both_are_read(tmp_path: Path) -> None:
    files, debug = places(tmp_path, "0x10-0x20\tdie\n", "vfs_read\ninit_once\ninit_once\nread [ext4]\n")
    lists = read_probe_lists(files, debugfs=debug)
    assert lists.blacklist is not None
    assert lists.blacklist.names == {"die"}
    assert lists.blacklist.covers(0x1F)
    assert lists.traceable is not None
    assert (lists.traceable["init_once"], lists.traceable["read [ext4]"]) == (2, 1)


@pytest.mark.parametrize("text", [None, "", "cut off in the midd"])
def test_what_is_not_there_empty_or_cut_short_is_unknown(tmp_path: Path, text: str | None) -> None:
    files, debug = places(tmp_path, text, text)
    assert read_probe_lists(files, debugfs=debug) == ProbeLists(None, None)


def test_what_is_closed_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path) -> bytes:
        if path.name == "available_filter_functions":
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        return b"0x10-0x20\tdie\n"

    monkeypatch.setattr(Path, "read_bytes", closed)
    lists = read_probe_lists(TracefsFiles(tmp_path), debugfs=str(tmp_path))
    assert lists.traceable is None
    assert lists.blacklist is not None


def test_this_machine_s_are_no_error() -> None:
    assert isinstance(read_probe_lists(), ProbeLists)
