"""One file of the simulated tracefs, and the numbers that are written to such files."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from dataclasses import dataclass


def wrong(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@dataclass(frozen=True, slots=True)
class Node:
    """A file. Without ``reader`` or ``writer`` root can open it so, and the operation fails with EINVAL."""

    reader: Callable[[], bytes] | None = None
    writer: Callable[[bytes], None] | None = None

    def read(self) -> bytes:
        if self.reader is None:
            raise wrong(errno.EINVAL)
        return self.reader()

    def write(self, data: bytes) -> None:
        if self.writer is None:
            raise wrong(errno.EINVAL)
        self.writer(data)


def number_in(data: bytes) -> int:
    """What kstrtoul with base 10 makes of a write: digits, perhaps a newline; EINVAL for anything else."""
    text = data.decode("latin-1").removesuffix("\n")
    if not re.fullmatch(r"\+?[0-9]+", text):
        raise wrong(errno.EINVAL)
    return int(text)


def bit_in(data: bytes) -> bool:
    value = number_in(data)
    if value not in {0, 1}:
        raise wrong(errno.EINVAL)
    return bool(value)
