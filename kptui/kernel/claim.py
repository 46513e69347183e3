"""Which names are ours: several kptuis may run at once, and dead ones may have left theirs."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kptui.kernel.files import KernelFiles
from kptui.kernel.journal import OldJournal, Owner, find_journals
from kptui.kernel.plan import OWN_INSTANCE
from kptui.kernel.processes import alive, boot_id

DEFAULT_GROUP = "kptui"


@dataclass(frozen=True, slots=True)
class Other:
    """Another kptui's trace of itself: an instance, a journal, or both."""

    pid: int
    live: bool
    instances: tuple[str, ...]
    journal: OldJournal | None

    @property
    def group(self) -> str:
        """Its group; without a readable journal the default one is assumed."""
        owner = self.journal.owner if self.journal else None
        return owner.group if owner else DEFAULT_GROUP


def device_of(root: str) -> int:
    """``st_dev`` of the tracefs, the same at every mount point; 0 when unknown."""
    try:
        return os.stat(root).st_dev
    except OSError:
        return 0


def same_tracefs(files: KernelFiles, owner: Owner) -> bool:
    return owner.root == files.root or (owner.device != 0 and owner.device == device_of(files.root))


def find_others(files: KernelFiles, directories: Sequence[Path], proc: str) -> list[Other]:
    """All kptuis with an instance here or a journal about this tracefs, by pid; a pid may appear twice.

    A journal of an earlier boot is dead, whatever runs under its pid now.
    """
    boot = boot_id(proc)
    try:
        names = [name for name in files.listdir("instances") if OWN_INSTANCE.fullmatch(name)]
    except OSError:
        names = []
    others = []
    for journal in find_journals(directories):
        owner = journal.owner
        if owner is not None and not same_tracefs(files, owner):
            continue
        same_boot = owner is None or not owner.boot or not boot or owner.boot == boot
        base = owner.instance if owner else f"kptui-{journal.pid}"
        live = same_boot and alive(journal.pid, owner.start if owner else None, proc)
        mine = tuple(name for name in names if name in {base, f"{base}-try"}) if same_boot else ()
        names = [name for name in names if name not in mine]
        others.append(Other(journal.pid, live, mine, journal))
    by_pid: dict[int, list[str]] = {}
    for name in names:
        match = OWN_INSTANCE.fullmatch(name)
        if match is not None:
            by_pid.setdefault(int(match["pid"]), []).append(name)
    others.extend(
        Other(pid, alive(pid, None, proc), tuple(instances), None) for pid, instances in by_pid.items()
    )
    return sorted(others, key=lambda other: other.pid)


def choose_group(others: Sequence[Other], pid: int) -> str:
    """``kptui``, or ``kptui_PID`` when another live kptui holds that."""
    taken = any(other.live and other.pid != pid and other.group == DEFAULT_GROUP for other in others)
    return f"{DEFAULT_GROUP}_{pid}" if taken else DEFAULT_GROUP


def choose_instance(files: KernelFiles, pid: int) -> str:
    """``kptui-PID``; with a number when a dead process with our pid left one."""
    names = [f"kptui-{pid}", *(f"kptui-{pid}_{count}" for count in range(2, 100))]
    return next((name for name in names if not files.exists(f"instances/{name}")), names[-1])


@contextlib.contextmanager
def starting_lock(directory: Path | None) -> Iterator[None]:
    """One kptui at a time chooses its names. Best effort: without a writable directory there is no lock."""
    fd = -1
    if directory is not None:
        with contextlib.suppress(OSError):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if fd >= 0:
            os.close(fd)
