"""Where our files go, whoever we are."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from kptui.host import dirs


def test_the_xdg_places() -> None:
    assert dirs.state_dir({"HOME": "/home/a"}) == Path("/home/a/.local/state/kptui")
    assert dirs.config_dir({"HOME": "/home/a"}) == Path("/home/a/.config/kptui")
    assert dirs.state_dir({"HOME": "/home/a", "XDG_STATE_HOME": "/s"}) == Path("/s/kptui")
    assert dirs.config_dir({"HOME": "/home/a", "XDG_CONFIG_HOME": "relative"}) == Path(
        "/home/a/.config/kptui"
    )


def test_under_sudo_it_is_roots_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    environ = {"HOME": "/home/a", "SUDO_UID": "1000", "XDG_STATE_HOME": "/home/a/s"}
    assert dirs.state_dir(environ) == Path(pwd.getpwuid(0).pw_dir) / ".local/state/kptui"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert dirs.state_dir(environ) == Path("/home/a/s/kptui")


def test_no_home_and_an_unknown_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    assert dirs.state_dir({}) == Path("/.local/state/kptui")


def test_a_usable_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    assert dirs.make_usable(tmp_path / "a" / "b") is None
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_an_unusable_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = dirs.make_usable(tmp_path / "file" / "below")
    assert sentence is not None
    assert str(tmp_path) in sentence
    assert "XDG_STATE_HOME" in sentence


def test_the_home_directory_is_shown_short() -> None:
    assert dirs.shown(Path("/home/a/.local/x"), {"HOME": "/home/a"}) == "~/.local/x"
    assert dirs.shown(Path("/var/x"), {"HOME": "/home/a"}) == "/var/x"
