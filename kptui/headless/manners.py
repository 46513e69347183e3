"""How a headless command reads, writes and complains."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from kptui.safetext import neutralise

CHUNK = 1 << 16
LONGEST_LINE = 1 << 24  # bytes: what has none shorter (/dev/zero) is no text
WANTED_TYPES = "give a copy of /sys/kernel/btf/vmlinux, or none"
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "zcat"),
    (b"\xfd7zXZ\x00", "xz", "xzcat"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
    (b"BZh", "bzip2", "bzcat"),
)


class Unusable(Exception):
    """A file or an option can't be used; ``str()`` is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Sentences on standard error, each behind the command's name."""

    command: str

    def say(self, sentence: str) -> None:
        if sys.stderr is None:  # closed by the caller (2>&-)
            return
        with contextlib.suppress(OSError):
            sys.stderr.write(f"kptui {self.command}: {neutralise(sentence)}\n")
            sys.stderr.flush()


def reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or os.strerror(error.errno or errno.EIO)
    return str(error)


def open_input(name: str) -> int:
    """A descriptor for FILE, or 0 for ``-``. Unusable if it can't be read."""
    if name == "-":
        return 0
    if not name:
        raise Unusable("FILE is empty; give a file name, or - for standard input")
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Unusable(f"can't read {name}: {reason(error)}") from error
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        os.close(fd)
        raise Unusable(f"can't read {name}: it is a directory")
    return fd


def read_option(option: str, name: str, limit: int = 1 << 28) -> bytes:
    """The content of the file given with an option. Unusable if there is none, or it is compressed or huge."""
    if not name:
        raise Unusable(f"{option} is empty; give a file name")
    try:
        with open(name, "rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise Unusable(f"{option} {name}: {reason(error)}") from error
    if len(data) > limit:
        raise Unusable(f"{option} {name}: larger than {limit >> 20} MiB")
    for magic, how, tool in _COMPRESSED:
        if data.startswith(magic):
            raise Unusable(f"{option} {name} is compressed with {how}; use: {option} <({tool} {name})")
    return data


def read_types(option: str, name: str) -> bytes:
    """The content of a file of type information. Unusable if it is none, or not all of it."""
    from kptui.btf.header import flaw_of

    data = read_option(option, name)
    if flaw := flaw_of(data):
        raise Unusable(
            f"{option} {name} {flaw}" if "copy it" in flaw else f"{option} {name} {flaw}; {WANTED_TYPES}"
        )
    return data


def physical_lines(fd: int, shown: str) -> Iterator[list[bytes]]:
    """The lines of what a descriptor gives, in batches as they come, each with its newline if it has one.

    Only ``\\n`` ends a line. Unusable if reading fails on the way, or a line has no end.
    """
    parts: list[bytes] = []
    held = 0
    while True:
        try:
            chunk = os.read(fd, CHUNK)
        except OSError as error:
            raise Unusable(f"reading {shown} stopped: {reason(error)}") from error
        if not chunk:
            break
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*parts, lines[0]])
            parts, held = [], 0
            yield [line + b"\n" for line in lines]
        if rest:
            parts.append(rest)
            held += len(rest)
        if held > LONGEST_LINE:
            raise Unusable(f"reading {shown} stopped: a line of it is longer than {LONGEST_LINE >> 20} MiB")
    if parts:
        yield [b"".join(parts)]


class Output:
    """Standard output in pieces, flushed after each. OSError as the system gives it, EBADF if it is closed."""

    def __init__(self) -> None:
        if sys.stdout is None:  # closed by the caller (>&-): descriptor 1 may by now be a file of ours
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def write(self, text: str) -> None:
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()


def forget_output() -> None:
    """After a broken pipe or a full disk: keeps the interpreter's last flush quiet."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
