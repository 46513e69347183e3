"""Types as C text: prototypes and declarations as a person would write them.

Names come from BTF as they are: neutralise the result before showing it.
"""

from __future__ import annotations

from typing import Final

from kptui.btf.reader import Btf
from kptui.btf.types import (
    ARRAY,
    CONST,
    ENUM,
    ENUM64,
    FUNC,
    FWD,
    PROTO,
    PTR,
    RESTRICT,
    STRUCT,
    TYPE_TAG,
    UNION,
    VOLATILE,
    Member,
    Type,
)

_QUALIFIERS: Final = {CONST: "const", VOLATILE: "volatile", RESTRICT: "restrict"}
_TAGS: Final = frozenset({"user", "rcu", "percpu", "iomem", "kptr", "bitwise"})
_SHORT: Final = {
    "long unsigned int": "unsigned long",
    "long int": "long",
    "long long unsigned int": "unsigned long long",
    "long long int": "long long",
    "short unsigned int": "unsigned short",
    "short int": "short",
    "_Bool": "bool",
}
_KEYWORDS: Final = {STRUCT: "struct", UNION: "union", ENUM: "enum", ENUM64: "enum"}
_MAX_STEPS: Final = 500  # the longest of 60,000 prototypes takes 40


def prototype(btf: Btf, function: str) -> str | None:
    """``ssize_t vfs_read(struct file *file, char __user *buf, size_t count, loff_t *pos)``; None if BTF has
    no such function.
    """
    proto = btf.prototype(function)
    return None if proto is None else declare(btf, proto, function)


def declaration(btf: Btf, number: int, name: str = "") -> str:
    """The declaration of ``name`` with that type, or without a name the type: ``char comm[16]``, ``int *``."""
    found = btf.type(number)
    return f"? {name}".rstrip() if found is None else declare(btf, found, name)


def member(btf: Btf, field: Member) -> str:
    """A struct's member: ``struct dentry *dentry``, ``unsigned int sk_padding:1``, ``union {…}``."""
    return declaration(btf, field.type, field.name) + (f":{field.width}" if field.width else "")


def declare(btf: Btf, kind: Type, name: str = "") -> str:
    """The same of a record in hand; a prototype gives the function's."""
    return _Writer(btf).declare(kind, name)


class _Writer:
    """One text; damaged BTF may nest function pointers without end, so that the steps are counted."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._steps = _MAX_STEPS

    def declare(self, kind: Type | None, name: str = "") -> str:
        text = name
        front: list[str] = []  # qualifiers of what comes next
        tags: list[str] = []
        found = kind
        while found is not None and self._steps > 0:
            self._steps -= 1
            step = found.ref
            if found.kind in _QUALIFIERS:
                if _QUALIFIERS[found.kind] not in front:
                    front.append(_QUALIFIERS[found.kind])
            elif found.kind == TYPE_TAG:
                tags.insert(0, _tag(found))
            elif found.kind == PTR:
                words = " ".join((*front, *tags))
                text = f"*{words} {text}" if words and text else f"*{words}{text}"
                front, tags = [], []
            elif found.kind == ARRAY:
                text = f"{_grouped(text)}[{found.count or ''}]"
                step = found.element
            elif found.kind == PROTO:
                text = f"{_grouped(text)}({self._parameters(found)})"
                front = []
            elif found.kind != FUNC:
                return " ".join(filter(None, (*front, _base(found), *tags, text)))
            found = self._btf.type(step)
        return f"? {text}".rstrip()

    def _parameters(self, proto: Type) -> str:
        parts = []
        for parameter in proto.members:
            if self._steps <= 0:
                parts.append("…")
                break
            if not parameter.name and not parameter.type:
                parts.append("...")
            else:
                parts.append(self.declare(self._btf.type(parameter.type), parameter.name))
        return ", ".join(parts) or "void"


def _grouped(text: str) -> str:
    return f"({text})" if text.startswith("*") else text


def _base(kind: Type) -> str:
    keyword = _KEYWORDS.get(kind.kind)
    if kind.kind == FWD:
        keyword = "union" if kind.flag else "struct"
    if keyword is not None:
        return f"{keyword} {kind.name or '{…}'}"
    return _SHORT.get(kind.name, kind.name) or "void"


def _tag(kind: Type) -> str:
    if kind.flag:
        return f"__attribute__(({kind.name}))"
    return f"__{kind.name}" if kind.name in _TAGS else f'__attribute__((btf_type_tag("{kind.name}")))'
