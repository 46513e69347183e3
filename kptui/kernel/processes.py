"""Processes as /proc shows them: for the process picker, for hiding our own threads, for telling who is
alive.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from kptui.safetext import neutralise

# The initial PID namespace has a fixed inode (include/linux/proc_ns.h, PROC_PID_INIT_INO).
_INITIAL_PID_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True, slots=True)
class Process:
    """``comm`` and ``cmdline`` (words joined by blanks, '' for kernel threads) are neutralised; ``tids``
    sorted.
    """

    pid: int
    comm: str
    cmdline: str
    tids: tuple[int, ...]


def threads_of(pid: int, proc: str | os.PathLike[str] = "/proc") -> tuple[int, ...]:
    """Thread ids of a process, sorted; empty when it is gone."""
    try:
        names = os.listdir(os.path.join(proc, str(pid), "task"))
    except OSError:
        return ()
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def list_processes(proc: str | os.PathLike[str] = "/proc", *, threads: bool = True) -> list[Process]:
    """All processes by pid. Those that end meanwhile are left out."""
    found = []
    for name in os.listdir(proc):
        if not name.isdecimal():
            continue
        base = Path(proc, name)
        with contextlib.suppress(OSError):
            comm = base.joinpath("comm").read_bytes().removesuffix(b"\n")
            with open(base / "cmdline", "rb") as file:
                cmdline = file.read(4096).rstrip(b"\0").replace(b"\0", b" ")
            tids = threads_of(int(name), proc) if threads else ()
            found.append(Process(int(name), neutralise(comm), neutralise(cmdline), tids))
    return sorted(found, key=lambda process: process.pid)


def start_time(pid: int, proc: str | os.PathLike[str] = "/proc") -> int | None:
    """Clock ticks after boot at which ``pid`` started; None when there is no such process, or only its
    zombie.
    """
    try:
        data = Path(proc, str(pid), "stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may itself contain blanks and parentheses; state is field 3, start time field
    # 22.
    fields = data[data.rfind(b")") + 1 :].split()
    try:
        return None if fields[0] in {b"Z", b"X"} else int(fields[19])
    except (IndexError, ValueError):
        return None


def alive(pid: int, started: int | None, proc: str | os.PathLike[str] = "/proc") -> bool:
    """Does the very process ``pid`` that started at ``started`` (None: unknown) still run?"""
    now = start_time(pid, proc)
    return now is not None and (started is None or started == now)


def boot_id(proc: str | os.PathLike[str] = "/proc") -> str:
    """This boot's random id; '' where unknown."""
    try:
        return Path(proc, "sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def in_initial_pid_namespace(proc: str | os.PathLike[str] = "/proc") -> bool:
    """False inside a container with its own pids: the kernel's event filters know only the host's."""
    try:
        return os.readlink(os.path.join(proc, "self/ns/pid")) == _INITIAL_PID_NAMESPACE
    except OSError:
        return True
