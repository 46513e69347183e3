"""Looks at the kernel's tracing files beside the program that is tested, and says what it left behind."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass, fields
from pathlib import Path

from tests.realkernel.guest.steps import eventually

ROOT = Path("/sys/kernel/tracing")
LIMIT = 1 << 20
"""Bytes read of one file: "trace" may have no end while reading it makes events."""


def read(path: str) -> str:
    """A tracing file as text, "" if it is not there (events/kprobes exists only while it has an event).

    A file of an event that is being removed can still be found, and gives ENODEV.
    """
    try:
        with (ROOT / path).open("rb", buffering=0) as file:
            data = b""
            while len(data) < LIMIT and (part := file.read(65536)):
                data += part
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENODEV}:
            raise
        return ""
    return data.decode(errors="backslashreplace")


def append(path: str, text: str) -> None:
    """One write at the end, as ``echo TEXT >> FILE`` does; OSError is the kernel's answer."""
    descriptor = os.open(ROOT / path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, text.encode() + b"\n")
    finally:
        os.close(descriptor)


def definitions() -> list[str]:
    """The kprobe events as the kernel lists them."""
    return read("kprobe_events").splitlines()


def instances() -> list[str]:
    return sorted(os.listdir(ROOT / "instances"))


def events() -> list[str]:
    """Every dynamic kprobe and uprobe event, as GROUP/NAME."""
    lines = (read("kprobe_events") + read("uprobe_events")).splitlines()
    return sorted({line.split()[0].partition(":")[2] for line in lines})


def instance_of(pid: int) -> str:
    """The path below the tracing root of the instance that process `pid` made ("instances/kptui-PID")."""
    return f"instances/kptui-{pid}"


def enabled(event: str, where: str = "") -> bool:
    """Whether GROUP/NAME is on in an instance (at the top by default)."""
    return read(f"{where}/events/{event}/enable".lstrip("/")).startswith("1")


def filter_text(event: str, where: str = "") -> str:
    """An event's filter, "none" without one."""
    return read(f"{where}/events/{event}/filter".lstrip("/")).strip()


@dataclass(frozen=True)
class State:
    """Everything that a tracing tool may change and must put back."""

    kprobes: tuple[str, ...]
    uprobes: tuple[str, ...]
    instances: tuple[str, ...]
    enabled: tuple[str, ...]
    filters: tuple[str, ...]
    triggers: tuple[str, ...]
    tracing_on: str
    tracer: str

    @classmethod
    def now(cls) -> State:
        switches, filters, triggers = [], [], []
        names = instances()
        for where in ["", *(f"instances/{name}/" for name in names)]:
            for event in events():
                base = f"{where}events/{event}"
                switches.append(f"{base}: {read(f'{base}/enable').strip()}")
                filters.append(f"{base}: {read(f'{base}/filter').strip()}")
                lines = read(f"{base}/trigger").splitlines()
                triggers.append(f"{base}: {[line for line in lines if not line.startswith('#')]}")
        return cls(
            kprobes=tuple(definitions()),
            uprobes=tuple(read("uprobe_events").splitlines()),
            instances=tuple(names),
            enabled=tuple(switches),
            filters=tuple(filters),
            triggers=tuple(triggers),
            tracing_on=read("tracing_on").strip(),
            tracer=read("current_tracer").strip(),
        )

    def differences(self, other: State) -> str:
        """What `other`, seen later, has otherwise; "" if nothing."""
        lines = []
        for part in fields(self):
            before, after = getattr(self, part.name), getattr(other, part.name)
            if before != after:
                lines.append(f"{part.name}: was {before!r}, is {after!r}")
        return "\n".join(lines)


def back_to(before: State, seconds: float = 30) -> None:
    """Wait until everything is as it was; fail the step with the differences otherwise."""
    try:
        eventually(lambda: State.now() == before, "the tracing state as before", seconds)
    except AssertionError as error:
        error.args = (f"{error}\n{before.differences(State.now())}",)
        raise


def reset() -> None:
    """Remove every dynamic probe event and instance, so that one script's remains do not disturb the next."""
    for name in instances():
        for event in events():
            with contextlib.suppress(OSError):
                (ROOT / f"instances/{name}/events/{event}/enable").write_text("0")
        with contextlib.suppress(OSError):
            (ROOT / "instances" / name).rmdir()
    for event in events():
        with contextlib.suppress(OSError):
            (ROOT / f"events/{event}/trigger").write_text("0")
        with contextlib.suppress(OSError):
            (ROOT / f"events/{event}/enable").write_text("0")
    for file in ("kprobe_events", "uprobe_events"):
        with contextlib.suppress(OSError):
            (ROOT / file).write_text("")
