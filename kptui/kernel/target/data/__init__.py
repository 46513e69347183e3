"""The newest kernel known here, 7.3: what it says of itself, for machines that say nothing.

``README.xz`` is its tracefs README, ``codes.txt.xz`` the names of the messages of its probe and filter parsers
(the ``TP_ERR_*`` and ``FILT_ERR_*`` enumerators in its BTF), ``events.txt.xz`` its static events (GROUP:EVENT).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

NEWEST: Final = "7.3.4+deb13-amd64"


def _unpack(name: str) -> str:
    import lzma

    return lzma.decompress((Path(__file__).parent / name).read_bytes()).decode("ascii")


@cache
def readme() -> str:
    return _unpack("README.xz")


@cache
def codes() -> frozenset[str]:
    return frozenset(_unpack("codes.txt.xz").split())


@cache
def events() -> frozenset[tuple[str, str]]:
    """Group and event of each."""
    pairs = (line.partition(":") for line in _unpack("events.txt.xz").split())
    return frozenset((group, event) for group, _, event in pairs)
