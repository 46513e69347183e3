"""What a real kernel said and did, packed: a subset of its symbols, recorded calls, its tracefs README."""

from __future__ import annotations

from pathlib import Path


def unpack(name: str) -> bytes:
    """The content of ``name`` (``calls.json.xz``) without its compression."""
    import lzma

    return lzma.decompress((Path(__file__).parent / name).read_bytes())
