"""Numbers as the kernel reads them (kstrtoul and kstrtol with base 0): ``0x`` hex, leading ``0`` octal, no
suffix.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?P<oct>0[0-7]*)|(?P<dec>[1-9][0-9]*))", re.ASCII)


def parse_unsigned(text: str, bits: int = 64) -> int | None:
    """The value of an unsigned C number (``12``, ``0x1f``, ``017``, ``+3``), or None if it is none or does
    not fit.
    """
    match = _NUMBER.fullmatch(text.removeprefix("+"))
    if match is None or len(text) > 64:
        return None
    if match["hex"] is not None:
        value = int(match["hex"], 16)
    elif match["oct"] is not None:
        value = int(match["oct"], 8)
    else:
        value = int(match["dec"])
    return value if value < 1 << bits else None


def parse_signed(text: str, bits: int = 64) -> int | None:
    """The value of a C number with an optional sign, or None if it is none or does not fit a signed
    ``bits``-bit int.
    """
    if text.startswith("-"):
        value = None if text.startswith("-+") else parse_unsigned(text[1:], bits + 1)
        return None if value is None or value > 1 << (bits - 1) else -value
    value = parse_unsigned(text, bits)
    return None if value is None or value >= 1 << (bits - 1) else value


def is_hex(text: str) -> bool:
    """Whether the number is written in hexadecimal (after an optional sign)."""
    return text.lstrip("+-")[:2] in {"0x", "0X"}


def spell(value: int, in_hex: bool) -> str:
    """``value`` (not negative) as text that parse_unsigned reads back."""
    return hex(value) if in_hex else str(value)
