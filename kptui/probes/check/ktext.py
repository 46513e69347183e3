"""Characters and numbers as the kernel's C library sees them, on text that holds one character for each byte.

Bytes are kept as Latin-1 text so that a position is a byte position. The kernel's tables are Latin-1 too:
0xa0 is white space and 0xc0 to 0xff are letters but for the two signs among them (lib/ctype.c).
"""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = "0123456789"
_LETTERS: Final = "".join(
    chr(c)
    for c in (*range(0x41, 0x5B), *range(0x61, 0x7B), *range(0xC0, 0x100))
    if c not in {0xD7, 0xF7}  # the multiplication and division signs
)
_SPACE: Final = "\t\n\v\f\r \xa0"
_WORD: Final = re.compile(f"[^{_SPACE}]+")
_NAME: Final = re.compile(f"[{_LETTERS}_][{_LETTERS}{_DIGITS}_]*")
_GROUP: Final = re.compile(f"[{_LETTERS}_-][{_LETTERS}{_DIGITS}_-]*")

_DIGITS_OF: Final = {8: re.compile("[0-7]+"), 10: re.compile("[0-9]+"), 16: re.compile("[0-9a-fA-F]+")}

U64: Final = 1 << 64
S64: Final = 1 << 63


class NumberError(ValueError):
    """Not a number (``EINVAL``) or one that does not fit (``ERANGE``)."""

    def __init__(self, errno: str) -> None:
        super().__init__(errno)
        self.errno = errno


def split_words(text: str) -> list[tuple[int, str]]:
    """The words of a line and where each starts (argv_split)."""
    return [(match.start(), match.group()) for match in _WORD.finditer(text)]


def words_of(text: str) -> list[str]:
    """The words of a line."""
    return _WORD.findall(text)


def is_digit(text: str) -> bool:
    """Whether the first character is an ASCII digit; false for ''."""
    return text[:1] != "" and text[0] in _DIGITS


def is_letter(text: str) -> bool:
    """Whether the first character is a letter for the kernel; false for ''."""
    return text[:1] != "" and text[0] in _LETTERS


def is_good_name(name: str) -> bool:
    """Letter or ``_``, then letters, digits, ``_`` (is_good_name)."""
    return _NAME.fullmatch(name) is not None


def is_good_group(name: str) -> bool:
    """As a name, with ``-`` anywhere (is_good_system_name)."""
    return _GROUP.fullmatch(name) is not None


def _digits(text: str, base: int) -> tuple[int, int]:
    """Value of the leading digits of ``base`` and how many there are."""
    match = _DIGITS_OF[base].match(text)
    if match is None:
        return 0, 0
    return int(match.group(), base), match.end()


def _radix(text: str) -> tuple[int, int]:
    """Base of a number in C spelling and the length of its prefix."""
    if text[:1] != "0":
        return 10, 0
    if text[1:2] in {"x", "X"} and text[2:3] and text[2] in "0123456789abcdefABCDEF":
        return 16, 2
    return 8, 0


def _unsigned(text: str, base: int) -> int:
    skip = 0
    if base == 0:
        base, skip = _radix(text)
    value, count = _digits(text[skip:] if skip else text, base)
    if value >= U64:
        raise NumberError("ERANGE")
    if not count or (skip + count != len(text) and text[skip + count :] != "\n"):
        raise NumberError("EINVAL")
    return value


def kstrtoul(text: str, base: int = 0) -> int:
    """kstrtoul: an optional ``+``, then C digits and nothing else. NumberError otherwise."""
    return _unsigned(text.removeprefix("+"), base)


def kstrtouint(text: str) -> int:
    """kstrtouint with base 0."""
    value = kstrtoul(text)
    if value >= 1 << 32:
        raise NumberError("ERANGE")
    return value


def kstrtol(text: str) -> int:
    """kstrtol with base 0: kstrtoul with an optional ``-`` in place of the ``+``."""
    if text.startswith("-"):
        value = _unsigned(text[1:], 0)
        # -0 and values whose negation wraps round to a positive number
        if value > S64:
            raise NumberError("ERANGE")
        return -value
    value = kstrtoul(text)
    if value >= S64:
        raise NumberError("ERANGE")
    return value


def simple_strtoul(text: str, base: int = 0) -> tuple[int, int]:
    """simple_strtoul: value modulo 2**64 of the leading number and its length (0: none)."""
    skip = 0
    if base == 0:
        base, skip = _radix(text)
    value, count = _digits(text[skip:], base)
    return value % U64, skip + count
