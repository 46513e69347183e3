"""One fetch argument, as the kernel parses it: names, type, expression, and the operations it becomes.

The operations are counted, not made: the kernel has room for 15 of them. The caret's base (``offset``) moves
with dereferences and members as the kernel's does, oddities included: from 6.5 on it stays behind the
outermost dereference, and ``+u`` counts one byte short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kptui.probes.abi import REGISTERS
from kptui.probes.check import ktext, members, storing
from kptui.probes.check.casts import Nested, read_nested, resolve_cast
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.meta import Prototype
from kptui.probes.check.target import Target
from kptui.probes.check.types import find_type, type_size

MAX_NAME = 32
MAX_ARRAY = 64
MAX_EVENT_SIZE = 3072
_ROOM = 15  # FETCH_INSN_MAX less the end mark
_PARAM_MAX = 16384 // 8  # THREAD_SIZE / sizeof(long) on x86-64
RESERVED: Final = frozenset({
    "common_type", "common_flags", "common_preempt_count", "common_pid", "common_tgid", "__probe_ip",
    "__probe_ret_ip", "__probe_func",
})  # fmt: skip
KERNEL_TYPES: Final = frozenset({"symbol", "symstr"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """An argument that passed: its name, its type (``x64``), array length (0: none) and body as written.

    ``symbols`` are those read with ``@``, to be looked up when the probe is registered. ``kept``: the number of
    the function's parameter, from 0, that an exit probe keeps from the entry. ``field``: the event's field that
    it reads.
    """

    name: str
    type: str
    count: int
    body: str
    symbols: tuple[str, ...] = ()
    kept: int | None = None
    field: str | None = None


class Arguments:
    """Parses the arguments of one definition, one after the other. ``fields``: those of the event that an event
    probe watches, None if unknown.
    """

    def __init__(
        self,
        log: Log,
        target: Target,
        head: Head,
        proto: Prototype,
        fields: frozenset[str] | None = None,
    ) -> None:
        self.log = log
        self.traits = target.traits
        self.head = head
        symbols = head.in_kernel or self.traits.user_symbols
        self._types = self.traits.types if symbols else self.traits.types - KERNEL_TYPES
        self.proto = proto
        self.last = members.Last()
        self.offset = 0
        self.size = 0
        self.parsed: list[Parsed] = []
        self._names: set[str] = set()
        self.symbols: list[str] = []
        self.kept: int | None = None
        self._fields = fields
        self._field: str | None = None
        self._ops: list[str] = [""]

    # -- the operations

    @property
    def op(self) -> str:
        return self._ops[-1]

    def set(self, op: str) -> None:
        """Make the current operation ``op``."""
        self._ops[-1] = op

    def push(self, op: str) -> bool:
        """Append an operation; False if there is no room."""
        if len(self._ops) >= _ROOM:
            return False
        self._ops.append(op)
        return True

    def need(self, op: str, errno: str = "EINVAL") -> None:
        """Append an operation; refused if there is no room."""
        if not self.push(op):
            raise self.log.refuse(self.offset, "TOO_MANY_OPS", errno)

    # -- one word

    def parse(self, word: str) -> Parsed:
        """``[NAME=]BODY`` (traceprobe_parse_probe_arg)."""
        name, equal, body = word.partition("=")
        if equal:
            if len(name) > MAX_NAME:
                raise self.log.refuse(0, "ARG_NAME_TOO_LONG")
            if not name:
                raise self.log.refuse(0, "NO_ARG_NAME")
            start = len(name) + 1
        else:
            name, body, start = self._default_name(word), word, 0
        if not ktext.is_good_name(name):
            raise self.log.refuse(0, "BAD_ARG_NAME")
        if name in RESERVED or name in self._names:
            raise self.log.refuse(0, "USED_ARG_NAME")
        self.offset = start
        parsed = self._body(name, body, start)
        self.parsed.append(parsed)
        self._names.add(name)
        return parsed

    def _default_name(self, word: str) -> str:
        if self.traits.btf:
            name = word.partition(":")[0]
            if ktext.is_good_name(name):
                return name
        return f"arg{len(self.parsed) + 1}"

    def _body(self, name: str, body: str, start: int) -> Parsed:
        if len(body) > self.traits.body_limit:
            raise self.log.refuse(start, "ARG_TOO_LONG", "E2BIG" if self.traits.moving_caret else "EINVAL")
        if not body:
            raise self.log.refuse(start, "NO_ARG_BODY")
        expr, written, type_at, count, kind = self._split_type(body)
        self.symbols = []
        self.kept = self._field = None
        if not self.traits.moving_caret:
            self._grow(kind, count)
        self._ops = [""]
        self.last = members.Last()
        self._expression(expr)
        if not self.traits.moving_caret:
            self.offset = start
        elif self.last.type is not None:
            if written is None:
                kind = members.fetch_type(self.last)
            elif "string" in written:
                storing.read_string(self, written)
        if self.traits.moving_caret:
            self._grow(kind, count)
        storing.store(self, kind, count, written, type_at)
        kept = self.kept if self.head.sees_return else None
        return Parsed(name, kind, count, body, tuple(self.symbols), kept, self._field)

    def _split_type(self, body: str) -> tuple[str, str | None, int, int, str]:
        """Expression, type as written, its position, array length and the type it comes to."""
        expr, colon, written = body.partition(":")
        at = len(expr) + 1 if colon else 0
        count = 0
        base = written
        if colon and "[" in written:
            base, _, length = written.partition("[")
            number_at = self.offset + at + len(base) + 1
            close = length.find("]")
            if close < 0:
                raise self.log.refuse(number_at + len(length), "ARRAY_NO_CLOSE")
            if length[close + 1 :]:
                raise self.log.refuse(number_at + close + 1, "BAD_ARRAY_SUFFIX")
            try:
                count = ktext.kstrtouint(length[:close])
            except ktext.NumberError:
                count = 0
            if not count:
                raise self.log.refuse(number_at, "BAD_ARRAY_NUM")
            if count > MAX_ARRAY:
                raise self.log.refuse(number_at, "ARRAY_TOO_BIG")
        given = base if colon else None
        if self.head.probe != "event" and (expr in {"$comm", "$COMM"} or expr.startswith('\\"')):
            if count or given not in {None, "string"}:
                if self.traits.string_message:
                    raise self.log.refuse(self.offset + at, "NEED_STRING_TYPE")
                raise Refused("EINVAL", '$comm and \\"text" can only have the type string.')
            return expr, given, at, count, "string"
        kind = find_type(given, self._types)
        if kind is None:
            raise self.log.refuse(self.offset + at, "BAD_TYPE")
        return expr, given, at, count, kind

    def _grow(self, kind: str, count: int) -> None:
        self.size += type_size(kind) * (count or 1)
        if self.traits.size_limit and self.size > MAX_EVENT_SIZE:
            raise self.log.refuse(self.offset, "EVENT_TOO_BIG", "E2BIG")

    # -- the expression

    def _expression(self, text: str) -> None:
        nested: list[Nested] = []
        while (level := read_nested(self, text, len(nested))) is not None:
            nested.append(level)
            text = level.inner
        self._leaf(text)
        for level in reversed(nested):
            if level.kind == "cast":
                resolve_cast(self, level)
                continue
            self.offset = level.offset
            if self.op in {"COMM", "DATA"}:
                raise self.log.refuse(self.offset, "COMM_CANT_DEREF")
            if level.kind == "cpu" and level.inner.startswith("@"):
                self.set("CPU")
            else:
                self.need({"cpu": "CPU", "user": "UDEREF"}.get(level.kind, "DEREF"))
            self.last.clear()
            if level.reads:
                self.need("DEREF")

    def _leaf(self, text: str) -> None:
        first = text[:1]
        if first == "$":
            self._variable(text)
        elif first == "%":
            if self.head.probe not in {"kernel", "user"}:
                self.log.err(self.offset, "BAD_VAR")
                if self.traits.register_twice:
                    self.log.err(self.offset, "BAD_FETCH_ARG")
                raise Refused("EINVAL")
            if text[1:] not in REGISTERS:
                raise self.log.refuse(self.offset, "BAD_REG_NAME")
            self.set("REG")
        elif first == "@":
            self._memory(text)
        elif first == "\\":
            self._constant(text)
        elif self.head.probe == "event" and self.traits.typecast and (ktext.is_letter(text) or first == "_"):
            if self._fields is not None and text not in self._fields:
                raise self.log.refuse(self.offset, "NO_EVENT_FIELD")
            self.set("FIELD")
        elif self.traits.moving_caret and (ktext.is_letter(text) or first == "_"):
            if not self.head.at_function:
                raise self.log.refuse(self.offset, "NOSUP_BTFARG")
            self._btf(text)
        elif first == "(" and self.traits.event_cast and self.head.probe != "event":
            if self.traits.btf:
                raise self.log.refuse(self.offset, "TYPECAST_NOT_EVENT")
            raise self.log.refuse(self.offset, "NOSUP_BTFARG", "EOPNOTSUPP")
        elif not self.op:
            raise self.log.refuse(self.offset, "BAD_FETCH_ARG")

    def _btf(self, text: str) -> None:
        if not self.traits.btf:
            raise self.log.refuse(self.offset, "NOSUP_BTFARG", "EOPNOTSUPP")
        members.parse_variable(
            self, self.last, self.proto, text, returns=self.head.sees_return, current=self.traits.typecast
        )

    def _variable(self, text: str) -> None:
        name = text[1:]
        if self.head.probe == "event":
            self._event_field(name)
        elif name in {"comm", "COMM"}:
            self.set("COMM")
        elif name == "retval" or (self.traits.moving_caret and name.startswith("retval")):
            if not self.head.sees_return:
                raise self.log.refuse(self.offset, "RETVAL_ON_PROBE")
            self.set("RETVAL")
            if self.traits.btf and self.head.in_kernel:
                self._btf(text)
        elif name.startswith("stack"):
            self._stack(name[5:])
        elif self.traits.typecast and self.head.in_kernel and name.startswith("current"):
            if name[7:8] == "-":
                self._btf(text)
            elif name != "current":
                raise self.log.refuse(self.offset, "BAD_VAR")
            else:
                self.set("CURRENT")
        elif name.startswith("arg") and (self.traits.moving_caret or self.head.entry):
            self._argument(name[3:])
        else:
            raise self.log.refuse(self.offset, "BAD_VAR")

    def _event_field(self, name: str) -> None:
        """``$FIELD``; before 6.5 it is looked up when the argument is done, see eprobe.finish_argument."""
        if not self.traits.moving_caret or self._fields is None or name in self._fields:
            self._field = name
            self.set("FIELD")
        elif name in {"comm", "COMM"}:
            self.set("COMM")
        else:
            raise self.log.refuse(self.offset if self.traits.event_caret else 0, "BAD_VAR")

    def _decimal(self, text: str, code: str | None) -> int:
        try:
            value = ktext.kstrtoul(text, 10)
        except ktext.NumberError as error:
            raise self.log.refuse(
                self.offset, "BAD_VAR", error.errno if self.traits.typecast else "EINVAL"
            ) from None
        if code is not None and value > _PARAM_MAX:
            raise self.log.refuse(self.offset, code)
        return value

    def _stack(self, number: str) -> None:
        if not number:
            self.set("STACKP")
            return
        if not ktext.is_digit(number):
            raise self.log.refuse(self.offset, "BAD_VAR")
        self._decimal(number, "BAD_STACK_NUM" if self.head.in_kernel else None)
        self.set("STACK")

    def _argument(self, number: str) -> None:
        value = self._decimal(number, "BAD_ARG_NUM")
        if not value:
            raise self.log.refuse(self.offset, "BAD_ARG_NUM")
        self.kept = value - 1
        if self.head.entry:
            self.set("ARG")
        elif self.head.at_function and self.traits.return_args:
            self.set("EDATA")
        else:
            raise self.log.refuse(self.offset, "NOFENTRY_ARGS")

    def _memory(self, text: str) -> None:
        if ktext.is_digit(text[1:]):
            self._number(text[1:], self.offset, "BAD_MEM_ADDR")
            self.set("IMM")
        elif text[1:2] == "+":
            if self.head.in_kernel:
                raise self.log.refuse(self.offset, "FILE_ON_KPROBE")
            self._number(text[2:], self.offset, "BAD_FILE_OFFS", signed=True)
            self.set("FOFFS")
        else:
            if not self.head.in_kernel:
                raise self.log.refuse(self.offset, "SYM_ON_UPROBE")
            self.symbols.append(text[1:])
            self.set("SYMBOL")
            self.need("IMM")
        self.need("DEREF")

    def _number(self, text: str, at: int, code: str, *, signed: bool = False) -> None:
        try:
            if signed:
                ktext.kstrtol(text)
            else:
                ktext.kstrtoul(text)
        except ktext.NumberError as error:
            raise self.log.refuse(at, code, error.errno) from None

    def _constant(self, text: str) -> None:
        if text[1:2] == '"':
            if not text[2:].endswith('"') and (text[2:] or not self.traits.lone_quote):
                raise self.log.refuse(self.offset + len(text), "IMMSTR_NO_CLOSE")
            self.set("DATA")
            return
        number = text[1:]
        if ktext.is_digit(number):
            self._number(number, self.offset + 1, "BAD_IMM")
        elif number[:1] in {"-", "+"}:
            self._number(number.removeprefix("+"), self.offset + 1, "BAD_IMM", signed=True)
        else:
            raise self.log.refuse(self.offset + 1, "BAD_IMM")
        self.set("IMM")
