"""The environment of the processes above us, because sudo throws most of it away.

Debian's sudo keeps TERM, COLORTERM, DISPLAY and LANG but neither ``TMUX`` nor ``SSH_CONNECTION``; the shell
from which it was started still has them, and root may read ``/proc/PID/environ``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

_GENERATIONS = 32
_MOST_BYTES = 1 << 18  # of one environment; the rest is left unread


def ancestors(pid: int | None = None, *, proc: str = "/proc") -> Iterator[dict[str, str]]:
    """The environments of the parent of ``pid`` (default: this process), its parent and so on, nearest first.

    What can't be read (gone, not ours) is passed over; at most 32 generations; never raises.
    """
    seen: set[int] = set()
    current = _parent(os.getpid() if pid is None else pid, proc)
    while current > 0 and current not in seen and len(seen) < _GENERATIONS:
        seen.add(current)
        environment = _environment(current, proc)
        if environment:
            yield environment
        current = _parent(current, proc)


def lookup(name: str, environ: Mapping[str, str], above: Iterable[Mapping[str, str]]) -> str | None:
    """The value of ``name`` in ``environ``, else in the nearest of ``above`` that has one; empty is as good
    as none.
    """
    return next((value for one in (environ, *above) if (value := one.get(name))), None)


def _parent(pid: int, proc: str) -> int:
    """The parent's number, or 0. The command name in ``stat`` may contain blanks and parentheses."""
    data = _read(f"{proc}/{pid}/stat", 4096)
    fields = data.rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0


def _environment(pid: int, proc: str) -> dict[str, str]:
    pairs = (entry.partition(b"=") for entry in _read(f"{proc}/{pid}/environ", _MOST_BYTES).split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, equals, value in pairs if name and equals}


def _read(path: str, limit: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError:
        return b""
