"""Characters, numbers and CPU lists as the kernel reads them in a filter.

The kernel parses bytes with its own Latin-1 character classes (a byte 0xa0 is a blank, 0xe9 a letter) and
its own number conversions; carets count bytes. A filter is therefore handled as a *raw* text: one character
a byte.
"""

from __future__ import annotations

import re
from functools import lru_cache

# lib/ctype.c: 9 to 13, the blank, and 0xa0.
SPACES = "\t\n\v\f\r \xa0"
# lib/ctype.c: ASCII letters and digits, and 0xc0 to 0xff without the two signs × and ÷.
ALNUM = frozenset(
    [chr(c) for c in range(128) if chr(c).isalnum()]
    + [chr(c) for c in range(0xC0, 0x100) if c not in (0xD7, 0xF7)]
)
NAME = ALNUM | {"_"}
DIGITS = frozenset("0123456789")

_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")

PAGE_SIZE = 4096
MAX_TEXT_BYTES = PAGE_SIZE - 1
"""The longest filter in bytes: event_filter_write() refuses a page or more without a word."""
MAX_STRING_BYTES = 255
MAX_NUMBER_BYTES = 23


def to_raw(text: str) -> str:
    """``text`` as one character a byte (UTF-8; U+DC80 to U+DCFF are the bytes that they stand for)."""
    if text.isascii():
        return text
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        data = text.encode("utf-8", "replace")
    return data.decode("latin-1")


def from_raw(raw: str) -> str:
    """The inverse of :func:`to_raw`."""
    return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "surrogateescape")


def char_index(raw: str, byte: int) -> int:
    """The character of the text as typed in which byte ``byte`` of ``raw`` lies."""
    if raw.isascii():
        return byte
    # A cut inside a character leaves an incomplete sequence at the end, which "ignore" drops, while bytes
    # that never were UTF-8 count one each, as they do in the text.
    head = raw[:byte].encode("latin-1")
    for back in range(4):
        cut = head[: len(head) - back]
        decoded = cut.decode("utf-8", "surrogateescape")
        whole = from_raw(raw)
        if whole.startswith(decoded):
            return len(decoded)
    return len(head.decode("utf-8", "surrogateescape"))


def skip_spaces(raw: str, at: int) -> int:
    while at < len(raw) and raw[at] in SPACES:
        at += 1
    return at


def skip_alnum(raw: str, at: int) -> int:
    while at < len(raw) and raw[at] in ALNUM:
        at += 1
    return at


def skip_name(raw: str, at: int) -> int:
    while at < len(raw) and raw[at] in NAME:
        at += 1
    return at


def unsigned_value(text: str) -> int | None:
    """What ``kstrtoull(text, 0)`` makes of ``text`` (lib/kstrtox.c); None when it refuses it."""
    if _DECIMAL.fullmatch(text) is not None:
        return int(text)
    text = text.removeprefix("+")
    base = 10
    if text[:1] == "0":
        base = 8
        if text[1:2] in ("x", "X") and text[2:3] and text[2] in "0123456789abcdefABCDEF":
            base, text = 16, text[2:]
    digits = "0123456789abcdef"[:base]
    if not text or any(char not in digits for char in text.lower()) or not text.isascii():
        return None
    value = int(text, base)
    return value if value < 1 << 64 else None


def signed_value(text: str) -> int | None:
    """What ``kstrtoll(text, 0)`` makes of ``text``; None when it refuses it."""
    if text.startswith("-"):
        value = unsigned_value(text[1:])
        return -value if value is not None and value <= 1 << 63 else None
    value = unsigned_value(text)
    return value if value is not None and value < 1 << 63 else None


def cpu_list(text: str, cpus: int) -> frozenset[int] | None:
    """The same as :func:`cpu_mask`, as a set."""
    mask = cpu_mask(text, cpus)
    return None if mask is None else frozenset(n for n in range(mask.bit_length()) if mask >> n & 1)


@lru_cache(maxsize=256)
def cpu_mask(text: str, cpus: int) -> int | None:
    """The CPUs, one bit each, that ``bitmap_parselist()`` (lib/bitmap-str.c) reads on a machine of ``cpus``
    possible ones.

    ``text`` is what stands between the braces: numbers, ranges, ``N`` (the last CPU), ``all``, and
    ``RANGE:USED/GROUP``; separated by commas or blanks. None when the kernel refuses it.
    """
    found = 0
    at = 0
    last = cpus - 1
    while True:
        while at < len(text) and (text[at] in SPACES or text[at] == ","):
            at += 1
        if at >= len(text):
            return found
        plain = _PLAIN_REGION.match(text, at)
        if plain is not None:
            start, at = int(plain[1]), plain.end()
            end = int(plain[2]) if plain[2] is not None else start
            used = group = end + 1
        else:
            region = _region(text, at, last)
            if region is None:
                return None
            start, end, used, group, at = region
        if start > end or group == 0 or used > group or end >= cpus:
            return None
        size = end - start + 1
        used, group = min(used, size), min(group, size)
        times = -(-size // group)
        # the used bits of a group, again and again
        bits = ((1 << used) - 1) * (((1 << group * times) - 1) // ((1 << group) - 1))
        found |= (bits & ((1 << size) - 1)) << start
        if at < 0:
            return found


# What most regions are; not at a line's end, where the kernel stops
_PLAIN_REGION = re.compile("([0-9]{1,9})(?:-([0-9]{1,9}))?(?=[, \t])")


def _region(text: str, at: int, last: int) -> tuple[int, int, int, int, int] | None:
    """One region as start, end, used, group and where it ends; -1: the kernel reads no further."""

    def number(at: int) -> tuple[int, int] | None:
        if text[at : at + 1] == "N":
            return last, at + 1
        end = at
        while end < len(text) and text[end] in DIGITS:
            end += 1
        digits = text[at:end].lstrip("0")[:11]  # 2**32 has ten digits
        value = int(digits or "0") if end > at else -1
        return (value, end) if 0 <= value < 1 << 32 else None

    def ends(at: int) -> bool:
        return at >= len(text) or text[at] in SPACES or text[at] == ","

    def stop(at: int) -> int:
        return -1 if at >= len(text) or text[at] == "\n" else at

    if text[at : at + 3].lower() == "all":
        start, end, at = 0, last, at + 3
    else:
        first = number(at)
        if first is None:
            return None
        start, at = first
        if ends(at):
            return start, start, start + 1, start + 1, stop(at)
        second = number(at + 1) if text[at] == "-" else None
        if second is None:
            return None
        end, at = second
    if ends(at):
        return start, end, end + 1, end + 1, stop(at)
    used = number(at + 1) if text[at] == ":" else None
    if used is None or text[used[1] : used[1] + 1] != "/":
        return None
    group = number(used[1] + 1)
    if group is None:
        return None
    return start, end, used[0], group[0], group[1]
