"""An event's ``format`` file as values: which fields an event has, of which type, where.

Filters are checked against it, the event pane takes its columns from it, and it tells an entry probe
(``__probe_ip``) from a return probe (``__probe_func``, ``__probe_ret_ip``). Text in, values out: a file that
a kernel wrote differently than expected is read as far as it makes sense, and refused with one sentence
otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from kptui.safetext import neutralise

FieldKind = Literal["number", "string", "pointer", "array", "strings", "cpumask"]


class FormatError(ValueError):
    """The text is no event format; ``str()`` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Field:
    """One ``field:`` line.

    ``ctype`` is the type as the kernel keeps it: what stands before the name, plus the brackets after it
    (``u8[]``, ``char[16]``, ``__data_loc char[]``). ``offset`` and ``size`` are bytes in the record.
    ``kind``:

    ``number``   a scalar; also structures and anything unknown
    ``string``   text in the record: ``__data_loc char[]``, ``__rel_loc char[]``, ``char x[N]``
    ``pointer``  ``char *``: text elsewhere in memory (static events only)
    ``array``    several numbers (``u8 arr[]``); how many is ``size`` over the size of one, see ``count``
    ``strings``  several strings (``__data_loc char[][2]``), of which a filter sees the first
    ``cpumask``  a set of CPUs (``__data_loc cpumask_t``)

    ``common`` is true for the ``common_*`` fields that every event has.
    """

    name: str
    ctype: str
    offset: int
    size: int
    signed: bool
    kind: FieldKind
    common: bool = False

    @property
    def bits(self) -> int:
        """Width of one number in bits; 0 where the field holds none."""
        if self.kind == "number":
            return self.size * 8
        return _element_size(self.ctype) * 8 if self.kind == "array" else 0

    @property
    def count(self) -> int | None:
        """How many elements an array has; 1 for everything else, None when the type doesn't tell."""
        if self.kind == "strings":
            last = re.search(r"\[(\d+)\]$", self.ctype)
            return int(last.group(1)) if last else None
        if self.kind != "array":
            return 1
        element = _element_size(self.ctype)
        return self.size // element if element and self.size % element == 0 else None


@dataclass(frozen=True, slots=True)
class EventFormat:
    """One event: its name, the number that marks its records, its fields in the order of the file."""

    name: str
    id: int
    fields: tuple[Field, ...]
    print_fmt: str = ""

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def args(self) -> tuple[Field, ...]:
        """The event's own fields: for a probe its arguments, without common and ``__probe_*`` fields."""
        hidden = _PLACE_FIELDS if self.is_probe else frozenset[str]()
        return tuple(field for field in self.fields if not field.common and field.name not in hidden)

    @property
    def is_return(self) -> bool:
        """True for a return probe (kernel or user)."""
        return {"__probe_func", "__probe_ret_ip"} <= {field.name for field in self.fields}

    @property
    def is_probe(self) -> bool:
        """True for an entry or return probe, kernel or user."""
        return self.is_return or self.field("__probe_ip") is not None


_PLACE_FIELDS = frozenset(("__probe_ip", "__probe_func", "__probe_ret_ip"))
_LINE = re.compile(
    r"\s*field:(?P<what>[^;]+);\s*offset:(?P<offset>\d{1,9});\s*size:(?P<size>\d{1,9});"
    r"(?:\s*signed:(?P<signed>-?\d);)?"
)
# ``u8 arr[]``, ``char comm[16]``, ``unsigned long args[6]``, ``__data_loc char[][1] s``
_DECLARATION = re.compile(
    r"(?P<type>.*[\s*\]])(?P<name>[^\s\[\]*;]+)(?P<brackets>(?:\[[^\]]*\])*)\Z", re.DOTALL
)
_FIXED_WIDTH = re.compile(r"\b[usx](8|16|32|64)\b|\b__?[us](8|16|32|64)\b|\bu?int(8|16|32|64)_t\b")
# Sizes on x86-64, the machine whose records these are.
_C_SIZES = {"char": 1, "bool": 1, "_Bool": 1, "short": 2, "int": 4, "long": 8, "size_t": 8, "pid_t": 4}


def _element_size(ctype: str) -> int:
    """Bytes of one element of an array type; 0 if the type is not known."""
    if match := _FIXED_WIDTH.search(ctype):
        return int(next(group for group in match.groups() if group)) // 8
    if "*" in ctype:
        return 8
    words = re.findall(r"\w+", ctype)
    sizes = [_C_SIZES[word] for word in words if word in _C_SIZES]
    if sizes:
        return max(sizes) if sizes != [2, 4] else 2
    return 4 if "unsigned" in words or "signed" in words else 0


def _kind(ctype: str) -> FieldKind:
    """The rules of ``filter_assign_type()``, kernel/trace/trace_events_filter.c, with arrays set apart."""
    if "__data_loc" in ctype or "__rel_loc" in ctype:
        if "char" in ctype:
            return "strings" if re.search(r"\]\s*\[\d+\]", ctype) else "string"
        if "cpumask_t" in ctype:
            return "cpumask"
        return "array" if "[" in ctype else "number"
    if "[" in ctype:
        return "string" if "char" in ctype else "array"
    if ctype in ("char *", "const char *"):
        return "pointer"
    return "number"


def _field(line: str) -> Field | None:
    match = _LINE.match(line)
    if match is None:
        return None
    declaration = _DECLARATION.match(match["what"].strip())
    if declaration is None:
        return None
    ctype = declaration["type"].strip() + declaration["brackets"]
    name = declaration["name"]
    return Field(
        name=name,
        ctype=ctype,
        offset=int(match["offset"]),
        size=int(match["size"]),
        signed=(match["signed"] or "0") not in ("0", "-0"),
        kind=_kind(ctype),
        common=name.startswith("common_"),
    )


def parse_format(text: str) -> EventFormat:
    """The event that ``text``, the content of ``events/GROUP/EVENT/format``, describes.

    Unknown lines are passed over; ``signed:`` may be missing (very old kernels), so may ``print fmt:``.

    Raises :exc:`FormatError` when it is empty, binary, cut short, or something else altogether.
    """
    if not text.strip():
        raise FormatError("The event format is empty.")
    if "\0" in text:
        raise FormatError("This is binary data, not an event format.")
    name: str | None = None
    number: int | None = None
    fields: list[Field] = []
    print_fmt: str | None = None
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line.startswith("name:") and name is None:
            name = line[5:].strip()
        elif line.startswith("ID:") and number is None:
            digits = line[3:].strip()
            if not re.fullmatch(r"[0-9]{1,9}", digits):
                raise FormatError(f"Line {at + 1} of the event format has no event number after ID:.")
            number = int(digits)
        elif line.lstrip().startswith("field:"):
            field = _field(line)
            if field is None:
                raise FormatError(
                    f"Line {at + 1} of the event format is no complete field: {neutralise(line.strip()[:60])}"
                )
            fields.append(field)
        elif line.startswith("print fmt:"):
            # A print format may hold newlines inside its string; it is the last thing in the file.
            print_fmt = "\n".join([line[10:].lstrip(), *lines[at + 1 :]]).rstrip("\n")
            break
    if name is None and number is None and not fields:
        raise FormatError("This is no event format: it has neither a name: nor an ID: nor a field: line.")
    if not name:
        raise FormatError("The event format has no name: line.")
    if number is None:
        raise FormatError("The event format has no ID: line.")
    if not fields:
        raise FormatError("The event format has no field: lines; it may have been cut short.")
    return EventFormat(name=name, id=number, fields=tuple(fields), print_fmt=print_fmt or "")
