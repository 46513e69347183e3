"""What an expression reads in the end: a register, a variable, memory, a constant, a parameter by its name
(parse_probe_arg, parse_probe_vars).
"""

from __future__ import annotations

from typing import Protocol

from kptui.probes.abi import REGISTERS
from kptui.probes.check import casts, ktext, members
from kptui.probes.check.log import Refused

_PARAM_MAX = 16384 // 8  # THREAD_SIZE / sizeof(long) on x86-64


class Parser(casts.Parser, Protocol):
    """What is needed of the argument parser. ``symbols`` are those read with ``@``; ``fields`` the names of the fields
    of the event that is watched, None if unknown, and ``field`` the one that is read.
    """

    symbols: list[str]
    fields: frozenset[str] | None
    field: str | None

    @property
    def op(self) -> str:
        """The last operation."""
        ...

    def need(self, op: str, errno: str = "EINVAL") -> None: ...


def read_source(parser: Parser, text: str) -> None:
    """One source; refused as the kernel does."""
    first = text[:1]
    if first == "$":
        _variable(parser, text)
    elif first == "%":
        if parser.head.probe not in {"kernel", "user"}:
            parser.log.err(parser.offset, "BAD_VAR")
            if parser.traits.register_twice:
                parser.log.err(parser.offset, "BAD_FETCH_ARG")
            raise Refused("EINVAL")
        if text[1:] not in REGISTERS:
            raise parser.log.refuse(parser.offset, "BAD_REG_NAME")
        parser.set("REG")
    elif first == "@":
        _memory(parser, text)
    elif first == "\\":
        _constant(parser, text)
    elif parser.head.probe == "event" and parser.traits.typecast and (ktext.is_letter(text) or first == "_"):
        if parser.fields is not None and text not in parser.fields:
            raise parser.log.refuse(parser.offset, "NO_EVENT_FIELD")
        parser.set("FIELD")
    elif parser.traits.moving_caret and (ktext.is_letter(text) or first == "_"):
        if not parser.head.at_function:
            raise parser.log.refuse(parser.offset, "NOSUP_BTFARG")
        _btf(parser, text)
    elif first == "(" and parser.traits.event_cast and parser.head.probe != "event":
        if parser.traits.btf:
            raise parser.log.refuse(parser.offset, "TYPECAST_NOT_EVENT")
        raise parser.log.refuse(parser.offset, "NOSUP_BTFARG", "EOPNOTSUPP")
    elif not parser.op:
        raise parser.log.refuse(parser.offset, "BAD_FETCH_ARG")


def _btf(parser: Parser, text: str) -> None:
    if not parser.traits.btf:
        raise parser.log.refuse(parser.offset, "NOSUP_BTFARG", "EOPNOTSUPP")
    members.parse_variable(
        parser,
        parser.last,
        parser.proto,
        text,
        returns=parser.head.sees_return,
        current=parser.traits.typecast,
    )


def _variable(parser: Parser, text: str) -> None:
    name = text[1:]
    if parser.head.probe == "event":
        _event_field(parser, name)
    elif name in {"comm", "COMM"}:
        parser.set("COMM")
    elif name == "retval" or (parser.traits.moving_caret and name.startswith("retval")):
        if not parser.head.sees_return:
            raise parser.log.refuse(parser.offset, "RETVAL_ON_PROBE")
        parser.set("RETVAL")
        if parser.traits.btf and parser.head.in_kernel:
            _btf(parser, text)
    elif name.startswith("stack"):
        _stack(parser, name[5:])
    elif parser.traits.typecast and parser.head.in_kernel and name.startswith("current"):
        if name[7:8] == "-":
            _btf(parser, text)
        elif name != "current":
            raise parser.log.refuse(parser.offset, "BAD_VAR")
        else:
            parser.set("CURRENT")
    elif name.startswith("arg") and (parser.traits.moving_caret or parser.head.entry):
        _argument(parser, name[3:])
    else:
        raise parser.log.refuse(parser.offset, "BAD_VAR")


def _event_field(parser: Parser, name: str) -> None:
    """``$FIELD``; before 6.5 it is looked up when the argument is done, see eprobe.finish_argument."""
    if not parser.traits.moving_caret or parser.fields is None or name in parser.fields:
        parser.field = name
        parser.set("FIELD")
    elif name in {"comm", "COMM"}:
        parser.set("COMM")
    else:
        raise parser.log.refuse(parser.offset if parser.traits.event_caret else 0, "BAD_VAR")


def _decimal(parser: Parser, text: str, code: str | None) -> int:
    try:
        value = ktext.kstrtoul(text, 10)
    except ktext.NumberError as error:
        raise parser.log.refuse(
            parser.offset, "BAD_VAR", error.errno if parser.traits.typecast else "EINVAL"
        ) from None
    if code is not None and value > _PARAM_MAX:
        raise parser.log.refuse(parser.offset, code)
    return value


def _stack(parser: Parser, number: str) -> None:
    if not number:
        parser.set("STACKP")
        return
    if not ktext.is_digit(number):
        raise parser.log.refuse(parser.offset, "BAD_VAR")
    _decimal(parser, number, "BAD_STACK_NUM" if parser.head.in_kernel else None)
    parser.set("STACK")


def _argument(parser: Parser, number: str) -> None:
    value = _decimal(parser, number, "BAD_ARG_NUM")
    if not value:
        raise parser.log.refuse(parser.offset, "BAD_ARG_NUM")
    parser.kept = value - 1
    if parser.head.entry:
        parser.set("ARG")
    elif parser.head.at_function and parser.traits.return_args:
        parser.set("EDATA")
    else:
        raise parser.log.refuse(parser.offset, "NOFENTRY_ARGS")


def _memory(parser: Parser, text: str) -> None:
    if ktext.is_digit(text[1:]):
        _number(parser, text[1:], parser.offset, "BAD_MEM_ADDR")
        parser.set("IMM")
    elif text[1:2] == "+":
        if parser.head.in_kernel:
            raise parser.log.refuse(parser.offset, "FILE_ON_KPROBE")
        _number(parser, text[2:], parser.offset, "BAD_FILE_OFFS", signed=True)
        parser.set("FOFFS")
    else:
        if not parser.head.in_kernel:
            raise parser.log.refuse(parser.offset, "SYM_ON_UPROBE")
        parser.symbols.append(text[1:])
        parser.set("SYMBOL")
        parser.need("IMM")
    parser.need("DEREF")


def _number(parser: Parser, text: str, at: int, code: str, *, signed: bool = False) -> None:
    try:
        if signed:
            ktext.kstrtol(text)
        else:
            ktext.kstrtoul(text)
    except ktext.NumberError as error:
        raise parser.log.refuse(at, code, error.errno) from None


def _constant(parser: Parser, text: str) -> None:
    if text[1:2] == '"':
        if not text[2:].endswith('"') and (text[2:] or not parser.traits.lone_quote):
            raise parser.log.refuse(parser.offset + len(text), "IMMSTR_NO_CLOSE")
        parser.set("DATA")
        return
    number = text[1:]
    if ktext.is_digit(number):
        _number(parser, number, parser.offset + 1, "BAD_IMM")
    elif number[:1] in {"-", "+"}:
        _number(parser, number.removeprefix("+"), parser.offset + 1, "BAD_IMM", signed=True)
    else:
        raise parser.log.refuse(parser.offset + 1, "BAD_IMM")
    parser.set("IMM")
