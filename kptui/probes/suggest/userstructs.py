"""Structures of the user interface, whose layout never changes, in the caller's memory or the kernel's copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kptui.probes.exprs import Deref, Expr, FetchArg
from kptui.probes.fetch import parse_type
from kptui.probes.suggest.rows import Suggestion
from kptui.probes.syscalls import STRUCTS

_IN_KERNEL: Final = (
    ("family", 0, "u16"),
    ("port_be", 2, "x16"),
    ("ipv4", 4, "u8[4]"),
    ("ipv6", 8, "x8[16]"),
    ("path", 2, "string"),
)
"""An address in the kernel's memory, where arrays can be read too."""

ADDRESSES: Final = frozenset({"sockaddr", "sockaddr_unsized", "__kernel_sockaddr_storage"})
"""Structures that hold a socket's address of any family."""

AS_TEXT: Final = "as text, up to a NUL byte (4 KB without one: no event)"

_NOTES: Final = {
    "name_port_be": "where it goes: network byte order, 80 is 0x5000",
    "name_ipv4_be": "where it goes: IPv4, network byte order",
    "port_be": "network byte order: 80 is 0x5000",
    "ipv4": "IPv4; bytes in the order they are written",
    "ipv6": "IPv6; network byte order",
    "ipv4_be": "IPv4, network byte order: 127.0.0.1 is 0x100007f",
    "ipv6_be": "the first half of an IPv6 address, network byte order",
    "ipv6_low_be": "the second half of an IPv6 address, network byte order",
    "path": "of a Unix socket",
    "family": "2 is IPv4, 10 is IPv6",
}


def in_layout(name: str, tag: str, source: Expr, user: bool) -> Iterator[Suggestion]:
    """The members of ``struct tag`` at the address that ``source`` gives, named after ``name``."""
    for member, offsets, type_ in _IN_KERNEL if tag == "sockaddr" and not user else STRUCTS.get(tag, ()):
        expr: Expr = source
        inside = user
        for offset in (offsets,) if isinstance(offsets, int) else offsets:
            expr = Deref(offset, expr, inside)
            inside = True  # the pointers in these structures are the program's, wherever the structure is
        kind = parse_type(type_)
        if kind.is_string and isinstance(expr, Deref):
            kind = replace(kind, base="ustring" if expr.user else "string")
            expr = Deref(expr.offset, expr.expr)
        arg = FetchArg(expr, f"{name}_{member}", kind)
        note = _NOTES.get(member, "") if tag == "sockaddr" or member.startswith("name_") else ""
        if member.endswith("text"):
            note = AS_TEXT
        yield Suggestion(str(expr), f"{name}_{member}", f"{tag}.{member}", arg, note)
