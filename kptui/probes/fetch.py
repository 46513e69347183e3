r"""Reads fetch arguments: the words after the place of a probe definition.

Grammar (a word has no white space and no ``#``)::

    arg  := [NAME "="] expr [":" type]
    expr := "%" REG | "$stack" [N] | "$arg" N | "$arg*" | "$retval" [members] | "$comm" | "$COMM"
          | "@" ADDR | "@" SYM [("+"|"-") N] | "@+" N | "\" NUMBER | "\" '"' TEXT '"'
          | ("+"|"-") ["u"] N "(" expr ")" | PARAM [members]
    members := ("->" | ".") NAME [members]
    type := BASE ["[" 1..64 "]"] | "b" N "@" N "/" (8|16|32|64) ["[" 1..64 "]"]

Where the kernel is laxer than sense (text after the last brace is ignored, ``++8(``) this parser refuses.
What depends on the kernel or on the probe around it (limits, BTF, which source fits which type) is not judged
here.
"""

from __future__ import annotations

import re
from typing import Final

from kptui.probes.abi import REGISTERS
from kptui.probes.cnumber import is_hex, parse_signed, parse_unsigned
from kptui.probes.errors import ProbeSyntaxError
from kptui.probes.exprs import (
    BASE_TYPES,
    ArgN,
    ArgStar,
    ArgType,
    Bitfield,
    BtfPath,
    Comm,
    Deref,
    Expr,
    FetchArg,
    FileOffset,
    Immediate,
    ImmString,
    MemAddr,
    Member,
    MemSym,
    Raw,
    Register,
    Retval,
    Stack,
    StackEntry,
)

__all__ = [
    "BASE_TYPES", "ArgN", "ArgStar", "ArgType", "Bitfield", "BtfPath", "Comm", "Deref", "Expr", "FetchArg",
    "FileOffset", "ImmString", "Immediate", "MemAddr", "MemSym", "Member", "ProbeSyntaxError", "Raw",
    "Register", "Retval", "Stack", "StackEntry", "is_identifier", "parse_expr", "parse_fetcharg",
    "parse_type",
]  # fmt: skip

MAX_NAME: Final = 32
_MAX_DEPTH: Final = 64  # beyond every kernel's limit; keeps the recursion bounded
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BREAK: Final = re.compile(r"[\s#\x00]")
_SYMBOL: Final = re.compile(r"[A-Za-z_.$][\w.$]*")
_NEWER: Final = re.compile(r"\(|\$current\b|this_cpu_(?:read|ptr)\(")
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)


def is_identifier(text: str) -> bool:
    """Whether ``text`` is a letter or ``_`` followed by letters, digits and ``_`` (ASCII): the kernel's
    is_good_name.
    """
    return _IDENTIFIER.fullmatch(text) is not None


def parse_fetcharg(text: str, column: int = 0) -> FetchArg:
    """One argument word, such as ``name=+0(%si):ustring``. ``column`` is added to the columns of errors.

    Raises ProbeSyntaxError.
    """
    if match := _BREAK.search(text):
        raise ProbeSyntaxError("White space and # end an argument", column + match.start())
    name: str | None = None
    body = text
    start = column
    if "=" in text:
        name, _, body = text.partition("=")
        _check_name(name, column)
        start = column + len(name) + 1
    if not body:
        raise ProbeSyntaxError("No argument expression", start)
    source, colon, type_text = body.partition(":")
    kind = parse_type(type_text, start + len(source) + 1) if colon else None
    expr = parse_expr(source, start)
    if isinstance(expr, ArgStar) and (name is not None or kind is not None):
        raise ProbeSyntaxError("Invalid $-variable specified", start)
    return FetchArg(expr, name, kind)


def _check_name(name: str, column: int) -> None:
    if not name:
        raise ProbeSyntaxError("Argument name is not specified", column)
    if len(name) > MAX_NAME:
        raise ProbeSyntaxError("Argument name is too long", column)
    if not is_identifier(name):
        raise ProbeSyntaxError("Argument name must follow the same rules as C identifiers", column)


def parse_type(text: str, column: int = 0) -> ArgType:
    """The text after the colon: ``u64``, ``ustring[6]``, ``b4@0/32``. Raises ProbeSyntaxError."""
    base, bracket, tail = text.partition("[")
    count: int | None = None
    if bracket:
        digits, closing, suffix = tail.partition("]")
        inner = column + len(base) + 1
        if not closing:
            raise ProbeSyntaxError("Array is not closed", column + len(text))
        if suffix:
            raise ProbeSyntaxError("Array has wrong suffix", inner + len(digits) + 1)
        count = parse_unsigned(digits, 32)
        if not count:
            raise ProbeSyntaxError("Invalid array size", inner)
        if count > 64:
            raise ProbeSyntaxError("Array number is too big", inner)
    if base in BASE_TYPES:
        if base.startswith("%") and count is not None:
            raise ProbeSyntaxError("Unknown type is specified", column)
        return ArgType(base, count)
    return ArgType(_bitfield(base, column), count)


def _bitfield(text: str, column: int) -> Bitfield:
    rest, slash, container_text = text.removeprefix("b").partition("/")
    container = parse_unsigned(container_text, 32)
    if not text.startswith("b") or not slash or container not in {8, 16, 32, 64}:
        raise ProbeSyntaxError("Unknown type is specified", column)
    width_text, _, offset_text = rest.partition("@")
    width, offset = parse_unsigned(width_text, 32), parse_unsigned(offset_text, 32)
    if not width or offset is None or width + offset > container:
        raise ProbeSyntaxError("Invalid bitfield", column)
    return Bitfield(width, offset, container)


def parse_expr(text: str, column: int = 0) -> Expr:
    """A source without name and type, such as ``+0(+112(%di))``. Raises ProbeSyntaxError."""
    return _expr(text, column, 0)


def _expr(text: str, column: int, depth: int) -> Expr:
    if depth > _MAX_DEPTH:
        raise ProbeSyntaxError("Dereference is too much nested", column)
    if _NEWER.match(text):
        return _raw(text, column)
    first = text[:1]
    if first == "$":
        return _variable(text, column)
    if first == "%":
        if text[1:] not in REGISTERS:
            raise ProbeSyntaxError("Invalid register name", column)
        return Register(text[1:])
    if first == "@":
        return _memory(text, column)
    if first == "\\":
        return _constant(text, column)
    if first in {"+", "-"}:
        return _dereference(text, column, depth)
    if match := _IDENTIFIER.match(text):
        return BtfPath(match.group(), _members(text, match.end(), column))
    raise ProbeSyntaxError("Invalid fetch argument", column)


def _variable(text: str, column: int) -> Expr:
    name = text[1:]
    if name == "retval":
        return Retval()
    if name.startswith("retval->"):
        return BtfPath("$retval", _members(text, len("$retval"), column))
    if name in {"comm", "COMM"}:
        return Comm(upper=name == "COMM")
    if name == "stack":
        return Stack()
    if name == "arg*":
        return ArgStar()
    for prefix in ("stack", "arg"):
        digits = name.removeprefix(prefix)
        if digits == name or not _DIGITS.fullmatch(digits):
            continue
        index = int(digits) if len(digits) < 12 else 1 << 32
        if index >= 1 << 31 or (prefix == "arg" and index == 0):
            raise ProbeSyntaxError(
                "Invalid stack number" if prefix == "stack" else "Invalid argument number", column
            )
        return StackEntry(index) if prefix == "stack" else ArgN(index)
    raise ProbeSyntaxError("Invalid $-variable specified", column)


def _memory(text: str, column: int) -> Expr:
    place = text[1:]
    if place.startswith("+"):
        offset = parse_unsigned(place[1:])
        if offset is None or place.startswith("++"):
            raise ProbeSyntaxError("Invalid file offset value", column)
        return FileOffset(offset, is_hex(place[1:]))
    if _DIGITS.match(place):
        address = parse_unsigned(place)
        if address is None:
            raise ProbeSyntaxError("Invalid memory address", column)
        return MemAddr(address, is_hex(place))
    match = _SYMBOL.match(place)
    if match is None:
        raise ProbeSyntaxError("Invalid memory address", column)
    rest = place[match.end() :]
    if not rest:
        return MemSym(match.group())
    offset = parse_signed(rest) if rest[0] in "+-" and rest[1:2].isdigit() else None
    if offset is None:
        raise ProbeSyntaxError("Invalid memory address", column + 1 + match.end())
    return MemSym(match.group(), offset, is_hex(rest) and offset != 0)


def _constant(text: str, column: int) -> Expr:
    if text.startswith('\\"'):
        if len(text) < 3 or not text.endswith('"'):
            raise ProbeSyntaxError("String is not closed with '\"'", column + len(text))
        return ImmString(text[2:-1])
    digits = text[1:]
    value = parse_signed(digits) if digits.startswith("-") else parse_unsigned(digits)
    if value is None:
        raise ProbeSyntaxError("Invalid immediate value", column + 1)
    return Immediate(value, is_hex(digits))


def _dereference(text: str, column: int, depth: int) -> Deref:
    opening = text.find("(")
    if opening < 0:
        raise ProbeSyntaxError("Dereference needs a brace", column)
    user = text[1] == "u"
    digits = text[2 if user else 1 : opening]
    offset = parse_signed(text[0] + digits, 32) if digits[:1].isdigit() else None
    if offset is None:
        raise ProbeSyntaxError("Invalid dereference offset", column)
    closing = text.rfind(")")
    if closing < opening:
        raise ProbeSyntaxError("Dereference brace is not closed", column + len(text))
    if closing != len(text) - 1:
        raise ProbeSyntaxError("Nothing may follow the closing brace", column + closing + 1)
    inner = _expr(text[opening + 1 : closing], column + opening + 1, depth + 1)
    if isinstance(inner, (Comm, ImmString)):
        raise ProbeSyntaxError("$comm can not be dereferenced", column + opening + 1)
    if isinstance(inner, ArgStar):
        raise ProbeSyntaxError("Invalid $-variable specified", column + opening + 1)
    return Deref(offset, inner, user, is_hex(digits))


def _members(text: str, position: int, column: int) -> tuple[Member, ...]:
    members: list[Member] = []
    while position < len(text):
        arrow = text.startswith("->", position)
        if not arrow and text[position] == "-":
            raise ProbeSyntaxError("Failed to parse single hyphen. Forgot '>'?", column + position)
        if not arrow and text[position] != ".":
            raise ProbeSyntaxError("Invalid fetch argument", column + position)
        position += 2 if arrow else 1
        match = _IDENTIFIER.match(text, position)
        if match is None:
            raise ProbeSyntaxError("This field is not found.", column + position)
        members.append(Member(match.group(), arrow))
        position = match.end()
    return tuple(members)


def _raw(text: str, column: int) -> Raw:
    open_braces: list[int] = []
    for index, char in enumerate(text):
        if char == "(":
            open_braces.append(index)
        elif char == ")":
            if not open_braces:
                raise ProbeSyntaxError("Invalid fetch argument", column + index)
            open_braces.pop()
    if open_braces:
        raise ProbeSyntaxError("Dereference brace is not closed", column + len(text))
    return Raw(text)
