"""Writes definitions to a file of tracefs, one after the other, and takes away what that defined.

This machine's tracefs may have other users. So an entry of error_log counts only if it shows what was written,
and an event is taken away only if it came with a write and is at the place written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

TRACEFS = Path("/sys/kernel/tracing")
_HEADER = re.compile(r"\[ *(\d+\.\d+)\] ([^:]+): error: (.*)")
_SPACE = re.compile(rb"[\t\n\v\f\r \xa0]+")  # isspace() as the kernel has it
_KEPT = 8  # entries that error_log holds
Entry = tuple[str, str, int, str]
"""Time, message, caret and command."""


def write(path: Path, text: str) -> int:
    """One write(2), appended; the errno or 0."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        return error.errno or -1
    finally:
        os.close(fd)
    return 0


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def log_entries(text: str) -> list[Entry]:
    """The entries of an error_log. One whose command was cut (5.10) has no line for the caret: -1, and all that
    stands there, ``^`` included, as the command.
    """
    lines = text.split("\n")
    out = []
    for i, line in enumerate(lines[:-1]):
        match = _HEADER.fullmatch(line)
        if match is None or not lines[i + 1].startswith("  Command: "):
            continue
        command, marker = lines[i + 1][11:], lines[i + 2] if i + 2 < len(lines) else ""
        if marker.strip() == "^":
            out.append((match[1], match[3], len(marker.encode("utf-8", "surrogateescape")) - 12, command))
        elif command.endswith(" ^"):
            out.append((match[1], match[3], -1, command))
    return out


def kernel_words(text: str) -> list[str]:
    """The words of a line as the kernel cuts it."""
    raw = text.encode("utf-8", "surrogateescape").partition(b"#")[0].partition(b"\n")[0]
    return [word.decode("utf-8", "surrogateescape") for word in _SPACE.split(raw) if word]


class Asker:
    """``file``: the name of the file in tracefs."""

    def __init__(self, file: str) -> None:
        self.events = TRACEFS / file
        self.log = TRACEFS / "error_log"
        self.before: list[str] = []

    def listed(self) -> list[str]:
        """The definitions that stand."""
        return [line for line in read(self.events).splitlines() if not line.startswith("#")]

    def remove(self, line: str) -> None:
        """Take one listed definition away."""
        word, place, *args = re.split("[ \t]", line)
        name = word.partition(":")[2]
        place = place.removesuffix("%return")  # of an fprobe, which is removed without it
        if write(self.events, " ".join([f"-:{name}", place, *args])):
            write(self.events, f"-:{name}")

    def restore(self, before: list[str], text: str) -> None:
        """Make the list what it was before ``text``: remove what came by it, put back what went of ours."""
        for _ in range(3):
            now = self.listed()
            came = [line for line in now if line not in before and _is_by(line, text)]
            kept = [line for line in now if line in self.before]
            if not came and kept == self.before:
                return
            for line in reversed(came or kept):  # what is watched by another goes after that
                self.remove(line)
            now = self.listed()
            for line in self.before:
                if line not in now:
                    write(self.events, line)

    def _written(self, text: str) -> tuple[int, list[Entry]]:
        """The errno and the entries of one write; again where others have pushed ours out of the log."""
        words = kernel_words(text)  # the log shows them from the first on, or those of a filter
        for _ in range(5):
            last = max((float(entry[0]) for entry in log_entries(read(self.log))), default=0)
            code = write(self.events, text)
            new = [entry for entry in log_entries(read(self.log)) if float(entry[0]) > last]
            ours = [entry for entry in new if set(kernel_words(entry[3])[:1]) <= set(words)]
            if ours or not code or len(new) < _KEPT:
                break
        return code, ours

    def ask(
        self, texts: Sequence[str], standing: Sequence[str], look: Callable[[], object] = lambda: None
    ) -> list[dict[str, object]]:
        """The answers. ``standing`` are defined before, and stand as ``self.before`` shows them; ``look`` is
        called when they do.
        """
        others = self.listed()
        out: list[dict[str, object]] = []
        try:
            for line in standing:
                if write(self.events, line):
                    raise SystemExit(f"cannot define {line}")
            self.before = [line for line in self.listed() if line not in others]
            look()
            for text in texts:
                before = self.listed()
                code, entries = self._written(text)
                out.append({"text": text, "errno": code, "entries": [entry[1:] for entry in entries]})
                if not code or text.lstrip().startswith(("-", "!")):  # some may have gone all the same
                    self.restore(before, text)
        finally:
            for line in reversed(self.listed()):
                if line in self.before or (line not in others and any(_is_by(line, s) for s in standing)):
                    self.remove(line)
        return out


def _is_by(line: str, text: str) -> bool:
    """Whether a listed event can have come by that text: its place is in it, whatever the spelling of the
    offset; a raw address (listed as a hash) proves nothing.
    """
    word, place = re.split("[ \t]", line)[:2]
    if line.startswith("s"):
        return word.rpartition("/")[2] in text
    if line.startswith("e"):  # GROUP/EVENT is listed as GROUP.EVENT
        return place.partition(".")[2] in text
    stem = place.rpartition(":")[0] if "/" in place else re.split(r"[+%]", place)[0]
    return place.startswith("0x") or stem in text
