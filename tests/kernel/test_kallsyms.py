"""The list of symbols as it comes from a file: what is no such list is said, never cut short in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from kptui.kernel import kallsyms
from kptui.kernel.kallsyms import KallsymsError, read_plain, start_reading

LINE = b"ffffffff81000000 T _text\n"


def test_a_file_comes_whole_by_either_way(tmp_path: Path) -> None:
    path = tmp_path / "kallsyms"
    path.write_bytes(LINE * 1000)
    reading = start_reading(str(path))
    assert reading.result() == reading.result() == read_plain(str(path)) == LINE * 1000


def test_the_kernel_s_own_list_can_be_read() -> None:
    assert start_reading().result().count(b"\n") > 1000


def test_a_file_too_large_is_refused_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kallsyms"
    path.write_bytes(LINE * 100_000)
    monkeypatch.setattr(kallsyms, "MAX_BYTES", 2 << 20)
    too_large = "larger than 2 MiB: that is no list of symbols"
    with pytest.raises(KallsymsError, match=too_large):
        start_reading(str(path)).result()
    with pytest.raises(KallsymsError, match=too_large):
        read_plain(str(path))
    path.write_bytes(b"x" * (2 << 20))
    assert len(start_reading(str(path)).result()) == 2 << 20


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", "empty is empty: it lists no symbols"),
        ("folder", "folder is not there, or no file"),
        ("none\x1b", r"none\x1b is not there, or no file"),
    ],
)
def test_what_is_no_list_is_said_in_a_sentence(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(KallsymsError) as caught:
        start_reading(str(tmp_path / name)).result()
    assert str(caught.value).endswith(said)
