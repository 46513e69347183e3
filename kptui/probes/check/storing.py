"""The end of an argument: how what was read is stored, by its type (finalize_fetch_insn)."""

from __future__ import annotations

from typing import Final, Protocol

from kptui.probes.check import members
from kptui.probes.check.casts import Parser
from kptui.probes.check.types import bad_bitfield, type_size

_STRING_SOURCES: Final = {"DEREF", "UDEREF", "IMM", "COMM", "DATA", "FIELD"}
_SYMSTR_SOURCES: Final = {"REG", "STACK", "RETVAL", "ARG", "DEREF", "FIELD"}


class Writer(Parser, Protocol):
    """What is needed of the argument parser."""

    @property
    def op(self) -> str:
        """The last operation."""
        ...

    def need(self, op: str, errno: str = "EINVAL") -> None: ...


def read_string(parser: Writer, written: str) -> None:
    """One more read for ``char *`` where a string type is written; refused for what BTF says is no text."""
    if parser.proto.btf is None or parser.last.type is None:
        return
    source = members.string_source(parser.proto.btf, parser.last.type)
    if source == "pointer":
        parser.need("UDEREF" if written[0] == "u" else "DEREF", "E2BIG")
    elif not source:
        raise parser.log.refuse(parser.offset, "BAD_TYPE4STR")


def store(parser: Writer, kind: str, count: int, written: str | None, type_at: int) -> None:
    """Strings, storing, bit fields, arrays; ``type_at``: where the type stands, counted from the caret's base."""
    loose = "E2BIG" if parser.traits.moving_caret else "EINVAL"
    at = parser.offset + type_at
    stored = "RAW"
    if kind in {"string", "ustring", "symstr"}:
        if parser.op not in (_SYMSTR_SOURCES if kind == "symstr" else _STRING_SOURCES):
            raise parser.log.refuse(at, "BAD_SYMSTRING" if kind == "symstr" else "BAD_STRING")
        if kind == "symstr" or parser.op in {"IMM", "COMM", "DATA", "FIELD"} or count:
            parser.need("STORE")
        stored = "SYMSTR" if kind == "symstr" else "STRING"
    elif parser.op == "DEREF":
        stored = "MEM"
    elif parser.op != "UDEREF":
        parser.need("STORE", loose)
    if written is not None:
        if written.startswith("b") and (bad_bitfield(written, type_size(kind)) or not parser.push("BITS")):
            raise parser.log.refuse(at, "BAD_BITFIELD")
    elif parser.last.type is not None and (parser.last.bit_size % 8 or parser.last.bit_offset):
        parser.need("BITS")
    if count:
        if stored not in {"MEM", "STRING"}:
            raise parser.log.refuse(at, "BAD_STRING")
        parser.need("ARRAY", loose)
