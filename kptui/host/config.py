"""``config.toml``: keys, colour, mouse, how much to keep. A mistake in it is told in one sentence, with the
line.

::

    [keys]
    "probes.add" = "a"           # command id (kptui --keys lists them): a key or a list of keys
    [ui]
    color = "auto"               # or "none"
    mouse = true
    [events]
    max_events = 500000          # kept in the event pane
    max_bytes = 67108864
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from kptui.host.dirs import config_dir, shown
from kptui.safetext import neutralise

FILE = "config.toml"
MAX_FILE = 1 << 20
EVENTS = (1_000, 10_000_000)  # least and most of max_events
BYTES = (1 << 20, 4 << 30)  # of max_bytes
_SECTIONS = {"keys": (), "ui": ("color", "mouse"), "events": ("max_events", "max_bytes")}

_HEADER = re.compile(r"""\s*\[+\s*["']?(\w+)""")

Colour = Literal["auto", "none"]


class ConfigError(ValueError):
    """The file can't be used; the text is one sentence that names the file, where it is wrong and what to
    do.
    """


@dataclass(frozen=True, slots=True)
class Config:
    """What the user set. ``keys``: command id to its keys, instead of the built-in ones; an empty tuple
    unbinds.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    color: Colour = "auto"
    mouse: bool = True
    max_events: int = 500_000
    max_bytes: int = 64 << 20


def load_config(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in ``path``, or in the user's ``config.toml``; that one may be missing. Raises
    ConfigError.
    """
    file = path if path is not None else config_dir(environ) / FILE
    name = neutralise(shown(file, environ))
    try:
        data = _read(file, name)
    except (FileNotFoundError, NotADirectoryError):  # also where HOME is /dev/null
        if path is None:
            return Config()
        raise ConfigError(f"{name}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{name} can't be read: {error.strerror or error}") from error
    return parse_config(data, name)


def parse_config(data: bytes, name: str = FILE) -> Config:
    """The configuration that ``data`` holds, ``name`` for messages. Raises ConfigError."""
    if len(data) > MAX_FILE:
        raise ConfigError(f"{name} is larger than 1 MiB: that is no configuration of kptui's; move it away")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}, line {line}: this is not UTF-8 text; move the file away") from None
    import tomllib  # here, because most people have no such file

    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        detail = neutralise(str(error)) if isinstance(error, ValueError) else "nested too deeply"
        raise ConfigError(f"{name} is not valid TOML: {detail}") from None
    return _Reader(name, text, found).config()


class _Reader:
    """Takes the values out of the parsed file and tells what is wrong with them."""

    def __init__(self, name: str, text: str, found: Mapping[str, object]) -> None:
        self._name = name
        self._lines = text.splitlines()
        self._found = found

    def config(self) -> Config:
        self._known("", self._found, _SECTIONS)
        ui, events = self._section("ui"), self._section("events")
        default = Config()
        return Config(
            keys=MappingProxyType(
                {id_: self._keys(id_, value) for id_, value in self._section("keys").items()}
            ),
            color=self._color(ui.get("color", default.color)),
            mouse=self._mouse(ui.get("mouse", default.mouse)),
            max_events=self._number("max_events", events.get("max_events", default.max_events), EVENTS),
            max_bytes=self._number("max_bytes", events.get("max_bytes", default.max_bytes), BYTES),
        )

    def _section(self, section: str) -> Mapping[str, object]:
        values = self._found.get(section, {})
        if not isinstance(values, dict):
            message = f"{section} must be a table: write [{section}] on a line of its own"
            raise self._error("", section, message)
        if section != "keys":
            self._known(section, values, _SECTIONS[section])
            return values
        return _flat(values)

    def _known(self, section: str, values: Mapping[str, object], known: Iterable[str]) -> None:
        for key in values:
            if key not in known:
                import difflib

                kind = f"[{section}] has no setting" if section else "there is no table"
                near = difflib.get_close_matches(key, list(known), 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise self._error(section, key, f"{kind} {neutralise(key)!r}; {hint}")

    def _keys(self, id_: str, value: object) -> tuple[str, ...]:
        keys = value if isinstance(value, list) else [value]
        if all(isinstance(key, str) and key.strip() for key in keys):
            return tuple(str(key).strip() for key in keys)
        message = f'{neutralise(id_)} must be a key or a list of keys, such as "ctrl+n" or ["n", "f2"]'
        raise self._error("keys", id_, message)

    def _color(self, value: object) -> Colour:
        if value == "auto":
            return "auto"
        if value == "none":
            return "none"
        raise self._error("ui", "color", 'color must be "auto" or "none"')

    def _mouse(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise self._error("ui", "mouse", "mouse must be true or false")

    def _number(self, key: str, value: object, limits: tuple[int, int]) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and limits[0] <= value <= limits[1]:
            return value
        raise self._error("events", key, f"{key} must be a whole number from {limits[0]:,} to {limits[1]:,}")

    def _error(self, section: str, key: str, message: str) -> ConfigError:
        line = self._line(section, key)
        return ConfigError(f"{self._name}, line {line}: {message}" if line else f"{self._name}: {message}")

    def _line(self, section: str, key: str) -> int | None:
        """The line that sets ``key``, as far as a look at the text tells: its last part may stand alone."""
        for name in dict.fromkeys((key, key.rpartition(".")[2])):
            wanted = re.compile(rf"""\s*(?:\[+\s*)?["']?{re.escape(name)}["']?\s*[.=\]]""")
            inside = not section
            for number, line in enumerate(self._lines, 1):
                if header := _HEADER.match(line):
                    inside = not section or header[1] == section
                if inside and wanted.match(line):
                    return number
        return None


def _flat(values: Mapping[str, object], before: str = "") -> dict[str, object]:
    """``probe.new = "a"`` without quotes is a table in a table to TOML; here it is the command
    ``probe.new``.
    """
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{before}{key}.")
        else:
            found[before + key] = value
    return found


def _read(path: Path, name: str) -> bytes:
    """The file, at most a byte more than allowed. Opened without waiting, so that a pipe can't hold the
    start up.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError(f"{name} is not a file")
        return file.read(MAX_FILE + 1)
