"""The fields that a filter of an event can name, and what each of them allows.

The event's own fields come first, so that an argument called ``comm`` or ``cpu`` hides the generic field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from kptui.events.format import EventFormat, Field
from kptui.filters.features import ALL_FEATURES

FilterKind = Literal["number", "string", "pointer", "array", "cpu", "cpumask", "stacktrace"]

NUMBER_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "&")
STRING_OPERATORS = ("==", "!=", "~")
CPU_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
SET_OPERATORS = ("&", "==", "!=")


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field as the filter sees it.

    ``kind``: ``string`` is text in the record (or the task's name), ``pointer`` a ``char *`` of a static
    event, ``array`` several numbers, ``cpu`` the generic CPU number. ``bits`` is the width of a number (0:
    none), ``size`` the bytes that the kernel compares, ``origin`` where the name comes from. ``operators``
    are those that can be true; the kernel accepts some more. ``hides`` is true for an argument that takes
    the name of a generic field.
    """

    name: str
    kind: FilterKind
    signed: bool
    bits: int
    operators: tuple[str, ...]
    size: int = 0
    origin: Literal["event", "generic", "common"] = "event"
    hides: bool = False
    half: int = field(init=False, default=0)
    """Of numbers that a filter can compare: numbers from 1 to below this one mean the same, signed or not."""
    is_text: bool = field(init=False, default=False)
    """The kernel wants a quoted value (``is_string_field()``)."""

    def __post_init__(self) -> None:
        if self.kind == "number" and self.size in (1, 2, 4, 8) and not self.hides:
            object.__setattr__(self, "half", 1 << (8 * self.size - 1))
        object.__setattr__(self, "is_text", self.kind in ("string", "pointer"))


def _generic(name: str, kind: FilterKind, signed: bool, operators: tuple[str, ...]) -> FilterField:
    # Size 0: kernel/trace/trace_events.c, __generic_field().
    bits = 32 if kind == "cpu" else 0
    return FilterField(name, kind, signed, bits, operators, size=0, origin="generic")


_GENERIC = {
    field.name: field
    for field in (
        _generic("comm", "string", True, STRING_OPERATORS),
        _generic("COMM", "string", True, STRING_OPERATORS),
        _generic("cpu", "cpu", True, CPU_OPERATORS),
        _generic("CPU", "cpu", True, CPU_OPERATORS),
        _generic("common_cpu", "cpu", True, CPU_OPERATORS),
        _generic("stacktrace", "stacktrace", False, ()),
        _generic("STACKTRACE", "stacktrace", False, ()),
    )
}
_OPERATORS: dict[FilterKind, tuple[str, ...]] = {
    "number": NUMBER_OPERATORS,
    "string": STRING_OPERATORS,
    "pointer": STRING_OPERATORS,
    "array": (),
    "cpumask": SET_OPERATORS,
}


def generic_fields(features: frozenset[str] = ALL_FEATURES) -> dict[str, FilterField]:
    """The fields that every event has beside its own, by name."""
    return {
        name: field
        for name, field in _GENERIC.items()
        if (field.kind != "stacktrace" or "stacktrace" in features)
        and (name != "common_cpu" or "common_cpu" in features)
    }


def _own(field: Field) -> FilterField:
    kind: FilterKind = "string" if field.kind == "strings" else field.kind
    return FilterField(
        name=field.name,
        kind=kind,
        signed=field.signed,
        bits=field.bits,
        operators=_OPERATORS[kind],
        size=field.size,
        origin="common" if field.common and field.name not in _GENERIC else "event",
        hides=field.name in _GENERIC,
    )


@lru_cache(maxsize=64)
def _table(fmt: EventFormat, features: frozenset[str]) -> dict[str, FilterField]:
    own = [_own(field) for field in fmt.fields]
    table = {field.name: field for field in own if field.origin == "event"}
    for name, generic in generic_fields(features).items():
        table.setdefault(name, generic)
    for known in own:
        table.setdefault(known.name, known)
    return table


def field_table(fmt: EventFormat, features: frozenset[str] = ALL_FEATURES) -> dict[str, FilterField]:
    """Every name that a filter of this event may use, in the order in which the kernel looks."""
    return _table(fmt, features)


def fields_of(fmt: EventFormat, features: frozenset[str] = ALL_FEATURES) -> tuple[FilterField, ...]:
    """The fields to offer: arguments, the probed place, ``common_*``, then the generic ones.

    ``stacktrace`` and the capital doubles are left out, except where an argument hides the plain name (then
    ``COMM`` or ``CPU`` is the way to the task's name or the processor).
    """
    table = field_table(fmt, features)
    names = [field.name for field in fmt.args]
    names += [name for name in ("__probe_ip", "__probe_func", "__probe_ret_ip") if name in table]
    names += ["COMM" if "comm" in names else "comm", "common_pid", "CPU" if "cpu" in names else "cpu"]
    names += [field.name for field in fmt.fields if field.common]
    unique = dict.fromkeys(name for name in names if name in table)
    return tuple(table[name] for name in unique)
