"""A change to the kernel as a value: shown on the screen, printed as a script, compared in a test, then
applied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a step back: write ``data`` to ``path``, or remove the directory ``path``.

    ``listed`` is the event's definition as the kernel lists it, where known: an event of the same name
    that reads differently was made by somebody else since, and is left alone.
    """

    kind: Literal["write", "rmdir"]
    path: str
    data: str = ""
    listed: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One write (or mkdir, rmdir) below the tracefs root; ``note`` says in plain words what it does."""

    path: str
    data: str
    undo: Undo | None = None
    note: str = ""
    kind: Literal["write", "mkdir", "rmdir"] = "write"

    def __str__(self) -> str:
        if self.kind != "write":
            return f"{self.kind} {self.path}"
        return f"{self.data.rstrip()} >> {self.path}"


Plan = tuple[Step, ...]

OWN_INSTANCE = re.compile(r"kptui-(?P<pid>\d+)(?:_\d+)?(?:-try)?")
_REMOVAL = re.compile(r"-:(?P<group>[A-Za-z_][\w-]*)/(?P<event>[A-Za-z_]\w*)\n?", re.ASCII)
_CONTROL_FILES = ("kprobe_events", "uprobe_events", "dynamic_events")


def removal_target(undo: Undo) -> tuple[str, str] | None:
    """(group, event) when the undo removes a probe event, else None."""
    match = _REMOVAL.fullmatch(undo.data)
    if undo.kind == "write" and undo.path in _CONTROL_FILES and match is not None:
        return match["group"], match["event"]
    return None


def harmless(undo: Undo) -> bool:
    """True for what a kptui can have written: a removal by name, or anything inside an own instance.

    A journal read back from disk may be damaged; nothing else of it is ever carried out.
    """
    if removal_target(undo) is not None:
        return True
    parts = undo.path.split("/")
    inside = len(parts) >= 2 and parts[0] == "instances" and OWN_INSTANCE.fullmatch(parts[1]) is not None
    if not inside or ".." in parts:
        return False
    return len(parts) == 2 if undo.kind == "rmdir" else (parts[-1] in {"enable", "tracing_on"})
