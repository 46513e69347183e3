"""Filters that the kernel accepts and that don't do what was meant.

Every rule was seen on a running kernel (5.10 to 7.x); none of them makes a filter invalid.
"""

from __future__ import annotations

from collections.abc import Iterable

from kptui.events.format import EventFormat
from kptui.filters import lexis
from kptui.filters.edits import Edit, Explanation
from kptui.filters.fields import FilterField
from kptui.filters.paths import may_be_relative, remark_on_path
from kptui.filters.scan import RawPredicate, Token

_TASK_COMM_BYTES = 15
_ERROR_CODES = range(1, 4096)


def remarks_on(tokens: Iterable[Token], event: EventFormat) -> list[Explanation]:
    """A sentence, and where there is one the edit that mends it, for each oddity, in the order of the text; each
    sentence once.
    """
    paths = may_be_relative(event)
    found: dict[str, Edit | None] = {}
    seen = set()
    for token in tokens:
        if not isinstance(token, RawPredicate) or token.field is None:
            continue
        if token.number is not None and 0 < token.number < token.field.half and not token.ustring:
            continue  # nothing is odd about most numbers
        said = token.name, token.op, token.kind, token.value, token.ustring
        if said not in seen:
            seen.add(said)
            for sentence, edit in _of_predicate(token, token.field):
                found.setdefault(sentence, edit)
            if paths and token.kind == "string" and (said_of_path := remark_on_path(token, event)):
                found.setdefault(lexis.from_raw(said_of_path), None)
    return list(found.items())


def _of_predicate(p: RawPredicate, field: FilterField) -> list[Explanation]:
    found: list[Explanation] = []
    if field.hides and field.kind not in ("cpu", "stacktrace"):
        other = {"comm": "COMM", "COMM": "comm", "cpu": "CPU", "CPU": "cpu", "common_cpu": "cpu"}.get(
            field.name
        )
        if other is not None:
            what = "the task's name" if other.lower() == "comm" else "the CPU"
            found.append((f"{field.name} is this event's argument here; {other} is {what}.", None))
    if p.ustring and field.kind != "pointer":
        found.append((f".ustring does nothing here: {field.name} is already in the record.", None))
    match p.kind:
        case "string":
            found += _of_string(p, field)
        case "number":
            found += [(sentence, None) for sentence in _of_number(p, field)]
        case "cpus":
            found += _of_cpus(p, field)
        case "function":
            pass
    return found


def _operator(p: RawPredicate, op: str) -> Edit:
    return Edit(p.op_at, p.op_at + len(p.op), op, f"use {op}")


def _of_string(p: RawPredicate, field: FilterField) -> list[Explanation]:
    text = lexis.from_raw(p.value)
    if p.op == "~":
        if not text:
            return [(f'{field.name} ~ "" is never true; use == "" for an empty text.', _operator(p, "=="))]
        if text[0] in lexis.DIGITS and any(char in text for char in "*?["):
            hint = f"[{text[0]}]{text[1:]}"
            sentence = (
                f'"{text}" begins with a digit, so the kernel compares it literally, wildcards included'
            )
            first, rest = p.value[0], p.value[1:]
            mended = Edit(p.value_at + 1, p.value_at + 2, f"[{first}]", f'write "[{first}]{rest}"')
            return [(f'{sentence}; write "{hint}".', mended)]
        return []
    found: list[Explanation] = []
    if "*" in text or "?" in text:
        said = f'{p.op} compares literally: the wildcards in "{text}" only work with ~.'
        found.append((said, _operator(p, "~") if p.op == "==" else None))
    is_comm = field.name in ("comm", "COMM") and field.origin == "generic"
    if is_comm and len(p.value) > _TASK_COMM_BYTES:
        found.append((f'A task\'s name has at most 15 bytes, so "{text}" is never the same.', None))
    return found


def _of_number(p: RawPredicate, field: FilterField) -> list[str]:
    if field.kind == "array":
        if field.size in (1, 2, 4, 8):
            return [f"{field.name} is an array: the kernel compares its {field.size} bytes as one number."]
        return [f"{field.name} is an array, which can't be filtered: this is never true."]
    if field.kind == "stacktrace":
        return [f"{field.name} is no number to compare: this is never true."]
    if field.kind == "cpu":
        if p.op == "&":
            return [f"{field.name} & is never true; use == or < >, or a list: {field.name} & CPUS{{0-3}}."]
        return []
    if field.kind == "cpumask":
        return [f"{field.name} is a set of CPUs; test it with {field.name} & CPUS{{0-3}}."]
    if field.size not in (1, 2, 4, 8):
        return [f"{field.name} has {field.size} bytes, which a filter can't compare: this is never true."]
    value = p.number
    if value is None:
        return []
    return _of_width(p, field, value) + _of_sign(p, field, value)


def _of_width(p: RawPredicate, field: FilterField, value: int) -> list[str]:
    bits = field.size * 8
    cut = value & ((1 << bits) - 1)
    if field.signed and cut >> (bits - 1):
        cut -= 1 << bits
    if cut != value:
        wide = f"{p.value} doesn't fit the {bits} bits of {field.name}"
        return [f"{wide}: the kernel compares with {cut}."]
    if p.op == "&" and value == 0:
        return [f"{field.name} & 0 is never true."]
    return []


def _of_sign(p: RawPredicate, field: FilterField, value: int) -> list[str]:
    if field.signed or field.origin == "common" or field.name.startswith("__probe"):
        return []
    name, bits = field.name, field.size * 8
    if p.op == "<" and value == 0:
        sentence = f"{name} is unsigned and never below 0"
        return [f"{sentence}; if it holds a signed value, keep it as s{bits} (error codes: s32 or s64)."]
    if p.op == ">=" and value == 0:
        return [
            f"{name} is unsigned, so >= 0 is always true; if it holds a signed value, keep it as s{bits}."
        ]
    # An error code as the unsigned type of this width prints it.
    if p.op in ("<", "<=", ">", ">=") and bits >= 32 and (1 << bits) - value in _ERROR_CODES:
        return [f"{name} is compared unsigned; to compare it with negative numbers keep it as s{bits}."]
    return []


def _of_cpus(p: RawPredicate, field: FilterField) -> list[Explanation]:
    cpus = lexis.cpu_mask(p.value, 1 << 13)
    if field.kind == "array" and field.size not in (1, 2, 4, 8):
        return [(f"{field.name} is an array, which can't be filtered: this is never true.", None)]
    if cpus is None or field.kind == "cpumask":
        return []
    several = cpus & (cpus - 1)
    if not cpus:
        return [("The list of CPUs is empty.", None)]
    if several and p.op == "==":
        return [(f"{field.name} == with several CPUs is never true; use &.", _operator(p, "&"))]
    if several and p.op == "!=":
        mended = f"!({field.name} & CPUS{{{p.value}}})"
        said = f"{field.name} != with several CPUs is always true; use {mended}."
        return [(said, Edit(p.start, p.end, mended, f"use {mended}"))]
    return []
