"""The types that may follow an argument's colon: which there are, how big they are, bit fields."""

from __future__ import annotations

from typing import Final

from kptui.probes.check import ktext

_SIZES: Final = {"8": 1, "16": 2, "32": 4, "64": 8}


def type_size(name: str) -> int:
    """Bytes of an argument of that type in the event's fixed part."""
    if name in {"string", "ustring", "symstr"}:
        return 4
    return 1 if name == "char" else 8 if name == "symbol" else _SIZES[name[1:]]


def find_type(name: str | None, types: frozenset[str]) -> str | None:
    """The type that a written one comes to, its container for a bit field; None: unknown."""
    if name is None:
        return "x64"
    if name.startswith("b"):
        _, slash, size = name.partition("/")
        try:
            bits = ktext.kstrtoul(size) if slash else 0
        except ktext.NumberError:
            return None
        return f"u{bits}" if bits in {8, 16, 32, 64} else None
    return name if name in types else None


def bad_bitfield(text: str, size: int) -> bool:
    """Whether ``bW@O/C`` has a fault in W or O; ``size`` is that of C in bytes."""
    width, length = ktext.simple_strtoul(text[1:])
    rest = text[1 + length :]
    if not width or rest[:1] != "@":
        return True
    start, length = ktext.simple_strtoul(rest[1:])
    return not length or rest[1 + length : 2 + length] != "/" or size * 8 < (width + start) % ktext.U64
