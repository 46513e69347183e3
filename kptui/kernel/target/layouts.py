"""Where the kernel's own structures have the members that ``%pd`` and ``%pD`` read."""

from __future__ import annotations

from kptui.btf import Btf, Member


def dentry_offsets(btf: Btf) -> tuple[int, int] | None:
    """Bytes from a struct dentry to ``d_name.name`` and from a struct file to ``f_path.dentry``."""
    name = _offset(btf, "dentry", ("d_name", "name"))
    dentry = _offset(btf, "file", ("f_path", "dentry"))
    return (name, dentry) if name is not None and dentry is not None else None


def _offset(btf: Btf, tag: str, path: tuple[str, ...]) -> int | None:
    """Bytes from a structure's start to a member; members of unnamed members count as its own."""
    record = btf.struct(tag)
    bits = 0
    for name in path:
        step = None if record is None else _member(btf, record.members, name)
        if step is None:
            return None
        bits += step[0]
        record = btf.resolved(step[1])
    return bits // 8


def _member(btf: Btf, members: tuple[Member, ...], name: str) -> tuple[int, int] | None:
    """Bits to a member, and the id of its type."""
    for member in members:
        if member.name == name:
            return member.bits, member.type
        inner = btf.resolved(member.type) if not member.name else None
        found = _member(btf, inner.members, name) if inner is not None else None
        if found is not None:
            return member.bits + found[0], found[1]
    return None
