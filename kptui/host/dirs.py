"""Where kptui keeps its own few files: the undo journal and the last copy (state), the key bindings
(configuration).

The XDG base directories; under sudo those of root, so that no file of root's appears in someone's home.
"""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Mapping
from pathlib import Path

NAME = "kptui"


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """``$XDG_STATE_HOME/kptui`` or ``~/.local/state/kptui``. It need not exist: see :func:`make_usable`."""
    return _base("XDG_STATE_HOME", ".local/state", os.environ if environ is None else environ) / NAME


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """``$XDG_CONFIG_HOME/kptui`` or ``~/.config/kptui``."""
    return _base("XDG_CONFIG_HOME", ".config", os.environ if environ is None else environ) / NAME


def make_usable(directory: Path) -> str | None:
    """Create ``directory`` (0700) where it is missing and try to write in it; None, or a sentence why it
    can't be used.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        return f"{shown(directory)} can't be written ({error.strerror or error}): set XDG_STATE_HOME"
    return None


def shown(path: Path, environ: Mapping[str, str] | None = None) -> str:
    """``path`` with the home directory as ``~``."""
    home = _home(os.environ if environ is None else environ)
    try:
        return str(Path("~") / path.relative_to(home))
    except ValueError:
        return str(path)


def _base(variable: str, below_home: str, environ: Mapping[str, str]) -> Path:
    given = Path(environ.get(variable, ""))
    if given.is_absolute() and not _under_sudo(environ):  # the specification: ignore relative ones
        return given
    return _home(environ) / below_home


def _home(environ: Mapping[str, str]) -> Path:
    """The home directory: HOME, unless it may be that of the person who called sudo."""
    given = Path(environ.get("HOME", ""))
    if given.is_absolute() and not _under_sudo(environ):
        return given
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:  # a user that the system doesn't know, as in containers
        return given if given.is_absolute() else Path("/")


def _under_sudo(environ: Mapping[str, str]) -> bool:
    return os.geteuid() == 0 and environ.get("SUDO_UID", "0") != "0"
