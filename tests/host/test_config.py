"""config.toml: what it can say, and one clear sentence for each way in which it can be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.host.config import Config, ConfigError, load_config, parse_config


def test_everything_it_can_say() -> None:
    text = b"""
    [keys]
    "probe.new" = "ctrl+n"
    probe.remove = ["d", "delete"]
    quit = []
    [ui]
    color = "none"
    mouse = false
    [events]
    max_events = 1_000
    max_bytes = 1048576
    """
    config = parse_config(text)
    assert dict(config.keys) == {"probe.new": ("ctrl+n",), "probe.remove": ("d", "delete"), "quit": ()}
    assert (config.color, config.mouse) == ("none", False)
    assert (config.max_events, config.max_bytes) == (1000, 1 << 20)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# nothing\n", b"\xef\xbb\xbf", b"[keys]\n[ui]\n[events]\n"])
def test_saying_nothing(data: bytes) -> None:
    assert parse_config(data) == Config()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"[ui]\ncolour = 'none'", "c, line 2: [ui] has no setting 'colour'; did you mean color?"),
        (b"[ui]\nzzz = 1", "c, line 2: [ui] has no setting 'zzz'; known are color, mouse"),
        (b"\n[key]\na = 'b'", "c, line 2: there is no table 'key'; did you mean keys?"),
        (b"colors = 1", "c, line 1: there is no table 'colors'; known are keys, ui, events"),
        (b"[ui]\ncolor = 'red'", 'c, line 2: color must be "auto" or "none"'),
        (b"[ui]\n\n mouse = 1", "c, line 3: mouse must be true or false"),
        (
            b"[events]\nmax_events = 1",
            "c, line 2: max_events must be a whole number from 1,000 to 10,000,000",
        ),
        (
            b"[events]\nmax_events = true",
            "c, line 2: max_events must be a whole number from 1,000 to 10,000,000",
        ),
        (
            b"[events]\nmax_bytes = 1e9",
            "c, line 2: max_bytes must be a whole number from 1,048,576 to 4,294,967,296",
        ),
        (
            b"[keys]\nb = 'x'\n'a.b' = 7",
            'c, line 3: a.b must be a key or a list of keys, such as "ctrl+n" or ["n", "f2"]',
        ),
        (
            b"[keys]\na.b = ['x', '']",
            'c, line 2: a.b must be a key or a list of keys, such as "ctrl+n" or ["n", "f2"]',
        ),
        (b"ui = 3", "c, line 1: ui must be a table: write [ui] on a line of its own"),
        (b"[[keys]]", "c, line 1: keys must be a table: write [keys] on a line of its own"),
        (
            b"[ui\ncolor = 1",
            "c is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 4)",
        ),
        (b"[ui]\ncolor = ", "c is not valid TOML: Invalid value (at end of document)"),
        (b"ok = 1\n\xff\xfe\0\0", "c, line 2: this is not UTF-8 text; move the file away"),
        (
            b"# " + b"x" * (1 << 20),
            "c is larger than 1 MiB: that is no configuration of kptui's; move it away",
        ),
        (b"a = " + b"[" * 100_000, "c is not valid TOML: nested too deeply"),
        (b'[ui]\n"\\u001b[31m" = 1', "c: [ui] has no setting '\\\\x1b[31m'; known are color, mouse"),
    ],
)
def test_a_mistake_is_one_clear_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(data, "c")
    assert str(caught.value) == sentence


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text("[]=\"'\n#.abkeysui{},1 ", max_size=60).map(str.encode)))
def test_whatever_is_in_it_it_is_a_configuration_or_one_sentence(data: bytes) -> None:
    message = "c"
    try:
        parse_config(data, "c")
    except ConfigError as error:
        message = str(error)
    assert message.startswith("c")
    assert message.isprintable()


def test_the_users_file_may_be_missing_but_not_one_that_was_named(tmp_path: Path) -> None:
    assert load_config(environ={"HOME": str(tmp_path)}) == Config()
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(tmp_path / "none.toml")


def test_the_users_file_is_found(tmp_path: Path) -> None:
    (tmp_path / ".config/kptui").mkdir(parents=True)
    (tmp_path / ".config/kptui/config.toml").write_text("[ui]\nmouse = 0")
    with pytest.raises(ConfigError, match=r"~/\.config/kptui/config\.toml, line 2: mouse"):
        load_config(environ={"HOME": str(tmp_path)})
    (tmp_path / ".config/kptui/config.toml").write_text("[ui]\nmouse = false")
    assert load_config(environ={"HOME": str(tmp_path)}).mouse is False


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_config(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="is not a file"):
            load_config(path)
