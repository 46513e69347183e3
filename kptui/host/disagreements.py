"""Where the kernel said something else than kptui had expected: a file of such cases, to be reported and mended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kptui.host.dirs import make_usable

FILE: Final = "disagreements.jsonl"
MOST: Final = 256 << 10  # bytes; beyond that the older half goes


def keep(directory: Path, entry: Mapping[str, object]) -> Path | None:
    """Append ``entry`` as one line of ASCII JSON, with the time before it; the file, or None where it can't be written.

    Blocks; the file is for its owner only and never larger than 256 KiB.
    """
    made = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **entry}
    line = json.dumps(made, ensure_ascii=True).encode("ascii") + b"\n"
    path = directory / FILE
    if make_usable(directory) is not None or len(line) > MOST:
        return None
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _append(file, line)
        finally:
            os.close(file)
    except OSError:
        return None
    return path


def _append(file: int, line: bytes) -> None:
    size = os.fstat(file).st_size
    if size + len(line) > MOST:
        newest = os.pread(file, MOST // 2, max(size - MOST // 2, 0))
        kept = newest[newest.find(b"\n") + 1 :]
        os.ftruncate(file, 0)
        os.pwrite(file, kept, 0)
        size = len(kept)
    os.pwrite(file, line, size)
