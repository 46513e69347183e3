"""What wraps an expression: dereferences, and on newer kernels typecasts and per-CPU reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from kptui.btf.types import STRUCT
from kptui.probes.check import ktext, members
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log
from kptui.probes.check.meta import Prototype
from kptui.probes.check.traits import Traits

MAX_NESTED = 8
_CPU_PTR = "this_cpu_ptr("
_CPU_READ = "this_cpu_read("


@dataclass(frozen=True, slots=True)
class Nested:
    """One level around an expression. ``offset``: the caret's base inside it (for a cast: before it)."""

    kind: Literal["kernel", "user", "cpu", "cast"]
    inner: str
    offset: int
    reads: bool = False
    cast: str = ""
    field: str = ""
    field_at: int = 0


class Parser(members.Ops, Protocol):
    """What is needed of the argument parser."""

    traits: Traits
    head: Head
    proto: Prototype
    last: members.Last


def read_nested(parser: Parser, text: str, depth: int) -> Nested | None:
    """The outermost level of ``text``; None if it is a plain source."""
    first = text[:1]
    is_cpu = text.startswith((_CPU_PTR, _CPU_READ))
    if parser.traits.typecast:
        if not (first in {"+", "-", "("} or is_cpu):
            return None
        if depth >= MAX_NESTED:
            raise parser.log.refuse(parser.offset, "TOO_MANY_NESTED", "E2BIG")
        if first == "(":
            return _cast(parser, text)
        if is_cpu:
            return _per_cpu(parser, text)
    if first not in {"+", "-"}:
        return None
    return _dereference(parser, text)


def _dereference(parser: Parser, text: str) -> Nested:
    log: Log = parser.log
    user = text[1:2] == "u"
    if user:
        # The kernel writes the sign over the u and goes on from there: its own count loses a byte
        text = text[0] + text[2:]
    number = text.removeprefix("+")
    open_at = number.find("(")
    if open_at < 0:
        raise log.refuse(parser.offset, "DEREF_NEED_BRACE")
    try:
        ktext.kstrtol(number[:open_at])
    except ktext.NumberError as error:
        raise log.refuse(parser.offset, "BAD_DEREF_OFFS", error.errno) from None
    parser.offset += open_at + 1 + (0 if number.startswith("-") else 1)
    inner = number[open_at + 1 :]
    close = inner.rfind(")")
    if close < 0:
        raise log.refuse(parser.offset + len(inner), "DEREF_OPEN_BRACE")
    return Nested("user" if user else "kernel", inner[:close], parser.offset)


def _per_cpu(parser: Parser, text: str) -> Nested:
    if not parser.head.in_kernel or parser.head.probe == "event":
        raise parser.log.refuse(parser.offset, "NOSUP_PERCPU")
    prefix = _CPU_PTR if text.startswith(_CPU_PTR) else _CPU_READ
    parser.offset += len(prefix)
    inner = text[len(prefix) :]
    close = inner.rfind(")")
    if close < 0:
        raise parser.log.refuse(parser.offset + len(inner), "DEREF_OPEN_BRACE")
    return Nested("cpu", inner[:close], parser.offset, reads=prefix == _CPU_READ)


def _matching(text: str) -> int:
    """Index of the ``)`` that closes the first ``(``; -1 if none does."""
    depth = 0
    for i, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return i
    return -1


def _cast(parser: Parser, text: str) -> Nested:
    """``(STRUCT[,FIELD])EXPR->MEMBER`` (handle_typecast)."""
    log: Log = parser.log
    if not parser.traits.btf or not (parser.head.at_function or parser.head.probe == "event"):
        raise log.refuse(parser.offset, "NOSUP_BTFARG", "EOPNOTSUPP")
    before = parser.offset
    close = text.find(")")
    if close < 0:
        raise log.refuse(before + len(text), "DEREF_OPEN_BRACE")
    cast, rest = text[1:close], text[close + 1 :]
    parser.offset += close + 1
    if rest.startswith("("):
        end = _matching(rest)
        if end < 0:
            raise log.refuse(parser.offset, "DEREF_OPEN_BRACE")
        if rest[end + 1 : end + 3] != "->":
            raise log.refuse(parser.offset + end + 1, "TYPECAST_REQ_FIELD")
        parser.offset += 1
        inner, field_at = rest[1:end], end + 3
    elif rest[:1] in {"+", "-"} or rest.startswith((_CPU_PTR, _CPU_READ)):
        open_at = rest.find("(", 1)
        if open_at < 0:
            raise log.refuse(parser.offset, "DEREF_NEED_BRACE")
        matched = _matching(rest[open_at:])
        if matched < 0:
            raise log.refuse(parser.offset + len(rest), "DEREF_OPEN_BRACE")
        end = open_at + matched + 1
        if rest[end : end + 2] != "->":
            raise log.refuse(parser.offset + end, "TYPECAST_REQ_FIELD")
        inner, field_at = rest[:end], end + 2
    else:
        sign = min((i for i in (rest.find("+"), rest.find("-")) if i >= 0), default=-1)
        if rest.startswith("@") and sign >= 0 and ktext.is_digit(rest[sign + 1 :]):
            raise log.refuse(parser.offset, "TYPECAST_SYM_OFFSET")
        end = rest.find("-")
        if end < 0 or rest[end + 1 : end + 2] != ">":
            raise log.refuse(parser.offset + len(rest), "TYPECAST_REQ_FIELD")
        inner, field_at = rest[:end], end + 2
    return Nested("cast", inner, before, cast=cast, field=rest[field_at:], field_at=close + 1 + field_at)


def resolve_cast(parser: Parser, level: Nested) -> None:
    """Look the structure and the members of a typecast up, inner expression done."""
    btf = parser.proto.btf
    log: Log = parser.log
    parser.offset = level.offset + 1
    name, comma, prefix = level.cast.partition(",")
    if btf is None:
        parser.offset = level.offset + level.field_at
        parser.push("DEREF")
        return
    # The empty name finds the first structure without one
    nameless = (number for number in btf.numbers(STRUCT) if not btf.name(number))
    struct = btf.struct(name) if name else next(map(btf.type, nameless), None)
    if struct is None:
        raise log.refuse(parser.offset, "NO_PTR_STRCT")
    if comma:
        parser.offset += len(name) + 1
        bits, rest, _ = members.walk_dots(parser, parser.last, btf, prefix, struct)
        if bits % 8:
            raise log.refuse(parser.offset, "TYPECAST_NOT_ALIGNED")
        if rest is not None:
            raise log.refuse(parser.offset - 2, "TYPECAST_BAD_ARROW")
    parser.offset = level.offset + level.field_at
    parser.last.in_struct = True
    members.parse_members(parser, parser.last, btf, level.field, struct, cast=True)
