"""One fetch argument, as the kernel parses it: names, type, expression, and the operations it becomes.

The operations are counted, not made: the kernel has room for 15 of them. The caret's base (``offset``) moves
with dereferences and members as the kernel's does, oddities included: from 6.5 on it stays behind the
outermost dereference, and ``+u`` counts one byte short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kptui.probes.check import ktext, members, sources, storing
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
        self.fields = fields
        self.field: str | None = None
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
        self.kept = self.field = None
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
        return Parsed(name, kind, count, body, tuple(self.symbols), kept, self.field)

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
        sources.read_source(self, text)
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
