"""A tracefs of plain files for the logic of sessions: just enough of the kernel's manners."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from kptui.kernel.files import TracefsFiles

NOTRACE = "set_event_notrace_pid"


def name_of(line: str) -> str:
    """``group/event`` of a definition."""
    return line.partition(" ")[0].partition(":")[2]


class FakeTracefs(TracefsFiles):
    """Events appear in every instance when defined; ``%rdi`` and filters with ``nosuch`` are refused."""

    def __init__(self, root: Path, *, instance_files: tuple[str, ...] = (NOTRACE,)) -> None:
        super().__init__(root)
        self.base = root
        self.instance_files = instance_files
        self.busy: set[str] = set()
        self.writes: list[tuple[str, str]] = []
        self.entries: dict[str, list[str]] = {}
        for name in ("instances", "events"):
            (root / name).mkdir(parents=True)
        for name in ("kprobe_events", "error_log", "kprobe_profile"):
            (root / name).write_bytes(b"")

    def mkdir(self, path: str) -> None:
        super().mkdir(path)
        instance = self.base / path
        for name in ("error_log", "trace", "tracing_on", "buffer_percent", *self.instance_files):
            (instance / name).write_bytes(b"")
        (instance / "options").mkdir()
        (instance / "options/event-fork").write_bytes(b"0\n")
        (instance / "events").mkdir()
        for line in (self.base / "kprobe_events").read_text().splitlines():
            self._make_event(instance, name_of(line))

    def rmdir(self, path: str) -> None:
        if path in self.busy:
            raise OSError(errno.EBUSY, "busy", path)
        if not (self.base / path).is_dir():
            raise FileNotFoundError(errno.ENOENT, "gone", path)
        shutil.rmtree(self.base / path)

    def append(self, path: str, data: bytes) -> None:
        text = data.decode()
        self.writes.append((path, text))
        full = self.base / path
        if not full.exists():
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        if path == "kprobe_events":
            self._control(text.rstrip("\n"))
        elif full.name == "filter" and text != "0" and ("nosuch" in text or "=" not in text):
            self._log(full.parents[3] / "error_log", "event filter parse error", "Field not found", text, 7)
            full.write_text(f"{text}\n       ^\nparse_error: Field not found\n\n")
            raise OSError(errno.EINVAL, "invalid", path)
        elif full.name == "filter":
            full.write_text("none\n" if text == "0" else text + "\n")
        elif full.name == NOTRACE:
            full.write_bytes(full.read_bytes() + data)
        else:
            full.write_text(text.rstrip("\n") + "\n")

    def _control(self, line: str) -> None:
        path = self.base / "kprobe_events"
        lines = path.read_text().splitlines()
        if line.startswith("-:"):
            kept = [other for other in lines if name_of(other) != line[2:]]
            if kept == lines:
                raise FileNotFoundError(errno.ENOENT, "no such event", str(path))
            if line[2:] in self.busy or self._enabled(line[2:]):
                raise OSError(errno.EBUSY, "busy", str(path))
            for home in self._homes():
                shutil.rmtree(home / "events" / line[2:], ignore_errors=True)
        elif "%rdi" in line:
            column = line.index("%rdi")
            self._log(self.base / "error_log", "trace_kprobe", "Invalid register name", line, column)
            raise OSError(errno.EINVAL, "invalid", str(path))
        else:
            kept = [*lines, line]
            for home in self._homes():
                self._make_event(home, name_of(line))
        path.write_text("".join(f"{other}\n" for other in kept))

    def _homes(self) -> list[Path]:
        return [self.base, *(self.base / "instances").iterdir()]

    def _enabled(self, name: str) -> bool:
        return any(
            (home / "events" / name / "enable").read_text().startswith("1")
            for home in self._homes()
            if (home / "events" / name).exists()
        )

    @staticmethod
    def _make_event(home: Path, name: str) -> None:
        directory = home / "events" / name
        if not directory.exists():
            directory.mkdir(parents=True)
            (directory / "enable").write_text("0\n")
            (directory / "filter").write_text("none\n")

    def _log(self, path: Path, where: str, message: str, command: str, column: int) -> None:
        log = self.entries.setdefault(os.fspath(path), [])
        stamp = f"[{len(log) + 1:5d}.000001]"
        log.append(f"{stamp} {where}: error: {message}\n  Command: {command}\n{' ' * (11 + column)}^\n")
        path.write_text("".join(log[-8:]))
