"""What this kernel says of itself: its release and the manual in tracefs, from which features are read."""

from __future__ import annotations

import os

from kptui.kernel.files import KernelFiles
from kptui.safetext import decode, neutralise


def release() -> str:
    """The running kernel's release, ``6.12.95-amd64``."""
    return neutralise(os.uname().release)


def read_readme(files: KernelFiles) -> str:
    """tracefs' README, which documents exactly the syntax this kernel was built with; '' when unreadable."""
    try:
        return decode(files.read("README", 1 << 20))
    except OSError:
        return ""
