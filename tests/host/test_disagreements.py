"""The file of disagreements: bounded, private, one ASCII line each."""

from __future__ import annotations

import json
from pathlib import Path

from kptui.host.disagreements import FILE, MOST, keep


def test_entries_are_lines_of_ascii_json(tmp_path: Path) -> None:
    hostile = "p:x é\x1b]52;c;AAAA\x07\n\udcff\u202e"
    path = keep(tmp_path / "new", {"text": hostile})
    assert path == tmp_path / "new" / FILE
    assert keep(tmp_path / "new", {"text": "two"}) == path
    data = path.read_bytes()
    assert data.isascii()
    assert b"\x1b" not in data
    entries = [json.loads(line) for line in data.splitlines()]
    assert [entry["text"] for entry in entries] == [hostile, "two"]
    assert entries[0]["time"].startswith("20")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_older_half_goes_when_it_is_full(tmp_path: Path) -> None:
    for number in range(600):
        path = keep(tmp_path, {"number": number, "text": "x" * 1000})
    assert path is not None
    assert path.stat().st_size <= MOST
    numbers = [json.loads(line)["number"] for line in path.read_text().splitlines()]
    assert numbers == list(range(numbers[0], 600))
    assert len(numbers) > 100


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    assert keep(tmp_path, {"text": "x" * MOST}) is None
    (tmp_path / "file").touch()
    assert keep(tmp_path / "file", {"text": "x"}) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / FILE).symlink_to(tmp_path / "victim")
    assert keep(tmp_path, {"text": "x"}) is None
    assert (tmp_path / "victim").read_text() == "precious"
