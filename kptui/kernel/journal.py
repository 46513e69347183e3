"""What has to be undone, on disk before it is done: so that even ``kill -9`` leaves nothing behind for good.

One file per process, JSON lines: a header that says whose it is, then ``{"n": 3, "undo": {…}}`` before each
change, and ``{"done": 3}`` once it is undone. A disk that is full never stops anybody from tracing: the
journal moves to /run/kptui, then to memory, and says so once.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kptui.kernel.plan import Undo
from kptui.safetext import neutralise

FALLBACKS: tuple[Path, ...] = (Path("/run/kptui"),)
_MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose journal it is. ``start`` are clock ticks (``/proc/PID/stat``), ``device`` is tracefs'
    ``st_dev``.
    """

    pid: int
    start: int | None
    boot: str
    root: str
    device: int
    instance: str
    group: str


class Journal:
    """The pending undos of this process, mirrored in memory in the order in which they were recorded.

    ``directories`` are tried in order; none at all means memory only, without a warning (the demo).
    """

    def __init__(self, owner: Owner, directories: Sequence[Path]) -> None:
        self.owner = owner
        self.warnings: list[str] = []
        self.path: Path | None = None
        self._fd: int | None = None
        self._left = list(directories)
        self._pending: dict[int, Undo] = {}
        self._next = 1
        if directories:
            self._move("")

    @property
    def pending(self) -> tuple[tuple[int, Undo], ...]:
        """(number, undo) of what is not undone yet, oldest first."""
        return tuple(self._pending.items())

    def record(self, undo: Undo) -> int:
        """Keeps ``undo`` before its change is made; the same undo twice is one. Returns its number."""
        for number, known in self._pending.items():
            if (known.kind, known.path, known.data) == (undo.kind, undo.path, undo.data):
                return number
        number = self._next
        self._next += 1
        self._pending[number] = undo
        self._write({"n": number, "undo": asdict(undo)}, sync=True)
        return number

    def update(self, number: int, undo: Undo) -> None:
        """Replaces a recorded undo by one that knows more (the definition as the kernel lists it)."""
        if number in self._pending:
            self._pending[number] = undo
            self._write({"n": number, "undo": asdict(undo)}, sync=False)

    def done(self, number: int) -> None:
        """The change is undone (or was never made)."""
        if self._pending.pop(number, None) is not None:
            self._write({"done": number}, sync=False)

    def done_with(self, path: str, data: str = "") -> None:
        """As :meth:`done`, for the undo that writes ``data`` to ``path`` (or removes the directory)."""
        for number, undo in self.pending:
            if (undo.path, undo.data) == (path, data):
                self.done(number)

    def close(self) -> None:
        """Deletes the file when nothing is pending; else it stays for
        :func:`kptui.kernel.leftovers.cleanup`.
        """
        fd, self._fd = (
            self._fd,
            None,
        )  # first, so that a signal handler that comes here too can't close it twice
        if fd is not None:
            os.close(fd)
        if self.path is not None and not self._pending:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self.path = None

    def _write(self, item: dict[str, object], *, sync: bool) -> None:
        if self._fd is None:
            return
        try:
            _append(self._fd, item, sync=sync)
        except OSError as error:
            self._move(str(error.strerror or error))

    def _move(self, why: str) -> None:
        """Starts the journal afresh, complete, in the next directory that takes it."""
        old = self.path
        if self._fd is not None:
            os.close(self._fd)
        self._fd = self.path = None
        started = False
        tried = [f"{old.parent}: {why}"] if old is not None else []
        while self._left and not started:
            directory = self._left.pop(0)
            try:
                self._fd, self.path = self._start(directory)
                started = True
            except OSError as error:
                tried.append(f"{directory}: {error.strerror or error}")
        if not started:
            self.warnings.append(
                neutralise(
                    f"no undo journal can be written ({'; '.join(tried)}): quitting cleans up as always, "
                    "but after kill -9 or a power cut the probes would have to be removed by hand"
                )
            )
        elif tried:
            self.warnings.append(neutralise(f"the undo journal moved to {self.path} ({'; '.join(tried)})"))
        if old is not None:
            with contextlib.suppress(OSError):
                old.unlink()

    def _start(self, directory: Path) -> tuple[int, Path]:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        for count in range(1, 100):
            suffix = "" if count == 1 else f"_{count}"
            path = directory / f"kptui-{self.owner.pid}{suffix}.journal"
            try:
                fd = os.open(path, flags, 0o600)
                break
            except FileExistsError:  # of a dead process that had our pid: left for the clean-up
                continue
        else:
            raise FileExistsError(17, "too many old journals", str(directory))
        try:
            _append(fd, {"kptui": 1, **asdict(self.owner)}, sync=False)
            for number, undo in self._pending.items():
                _append(fd, {"n": number, "undo": asdict(undo)}, sync=False)
            os.fsync(fd)
        except OSError:
            os.close(fd)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return fd, path


def _append(fd: int, item: dict[str, object], *, sync: bool) -> None:
    data = json.dumps(item).encode("ascii") + b"\n"
    while data:
        data = data[os.write(fd, data) :]
    if sync:
        os.fsync(fd)


@dataclass(frozen=True, slots=True)
class OldJournal:
    """A journal read back. ``owner`` is None when the header is unreadable, ``pid`` then comes from the name.

    ``damaged`` counts lines that made no sense: the last one is normally torn when a process is killed.
    """

    path: Path
    pid: int
    owner: Owner | None
    pending: tuple[tuple[int, Undo], ...]
    damaged: int


def find_journals(directories: Sequence[Path]) -> list[OldJournal]:
    """Every journal in ``directories``, also damaged ones; directories that can't be read count as empty."""
    found = []
    for directory in directories:
        try:
            paths = sorted(directory.glob("kptui-*.journal"))
        except OSError:
            continue
        for path in paths:
            digits = path.name.removeprefix("kptui-").removesuffix(".journal").partition("_")[0]
            if digits.isdecimal() and len(digits) < 10 and path.is_file():
                found.append(read_journal(path, int(digits)))
    return found


def read_journal(path: Path, pid: int) -> OldJournal:
    """Reads as much as makes sense; never raises on a damaged, binary or unreadable file."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES)
    except OSError:
        return OldJournal(path, pid, None, (), 1)
    owner: Owner | None = None
    pending: dict[int, Undo] = {}
    damaged = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            if "kptui" in item:
                owner = _owner(item)
            elif "done" in item:
                pending.pop(int(item["done"]), None)
            else:
                pending[int(item["n"])] = _undo(item["undo"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            damaged += 1
    return OldJournal(path, owner.pid if owner else pid, owner, tuple(pending.items()), damaged)


def _owner(item: dict[str, object]) -> Owner:
    pid, start, device = item["pid"], item["start"], item["device"]
    if not isinstance(pid, int) or not isinstance(start, int | None) or not isinstance(device, int):
        raise TypeError("header")
    return Owner(
        pid, start, str(item["boot"]), str(item["root"]), device, str(item["instance"]), str(item["group"])
    )


def _undo(item: dict[str, object]) -> Undo:
    kind = item["kind"]
    if kind == "rmdir":
        return Undo("rmdir", str(item["path"]))
    if kind == "write":
        return Undo("write", str(item["path"]), str(item["data"]), str(item.get("listed", "")))
    raise ValueError("kind")
