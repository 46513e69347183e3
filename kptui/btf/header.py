"""What can be told of a file of type information from its first bytes: whole, cut short, a module's, or none at all."""

from __future__ import annotations

import struct
from typing import Final

MAGIC: Final = b"\x9f\xeb"
_OTHER_ORDER: Final = b"\xeb\x9f"
_SIZE: Final = 24
_LARGEST: Final = 1 << 28  # a kernel's has 4 to 10 MiB


def flaw_of(data: bytes) -> str:
    """What is wrong with it, to be put behind the file's name (``is no BTF``); '' where the header fits the file.

    Source: struct btf_header (include/uapi/linux/btf.h). What its records hold isn't looked at.
    """
    if not data:
        return "is empty"
    if data[:2] == _OTHER_ORDER:
        return "is the BTF of a big-endian machine"
    if data[:2] != MAGIC:
        return "is no BTF"
    if len(data) < _SIZE:
        return f"was cut short: {len(data)} bytes are no whole header; copy it again"
    version, flags, header, type_at, type_len, text_at, text_len = struct.unpack_from("<BBIIIII", data, 2)
    size = header + max(type_at + type_len, text_at + text_len)
    if version != 1 or flags or not _SIZE <= header < 1 << 10 or size > _LARGEST or type_len % 4:
        return "is damaged: behind the first two bytes comes no header of BTF"
    if size > len(data):
        return f"was cut short: it has {len(data):,} of {size:,} bytes; copy it again"
    if text_len and data[header + text_at + text_len - 1]:
        return "is damaged: its texts have no end"
    return ""


def is_split(data: bytes) -> bool:
    """Whether it continues another BTF, as a module's does: its strings don't begin with the empty one."""
    if flaw_of(data):
        return False
    header, text_at = struct.unpack_from("<I8xI", data, 4)
    start = header + text_at
    return data[start : start + 1] != b"\0"
