"""A filter run over captured events.

Two uses: a view filter over everything that was captured (lenient: fields may be missing, types are those of
the text), and the trial of a filter on the past before it is set (exact: with the event's fields the
kernel's own oddities apply, so that the count is what the kernel would have let through).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from functools import partial

from kptui.filters import lexis
from kptui.filters.explain import explain
from kptui.filters.features import ALL_FEATURES
from kptui.filters.fields import FilterField
from kptui.filters.glob import pattern_matcher
from kptui.filters.refusal import Refusal
from kptui.filters.scan import RawPredicate, Rules, scan
from kptui.filters.syntax import And, CpuList, FilterExpr, Function, Not, Number, Or, Predicate, String
from kptui.verdict import Problem, Verdict

Captured = Mapping[str, str | int | None]
"""One event: argument names to what was printed (None for a fault), and the names of :data:`VIEW_FIELDS`."""
Test = Callable[[Captured], bool]

VIEW_FIELDS: tuple[str, ...] = ("comm", "common_pid", "pid", "tgid", "cpu", "event", "ts")
"""What every captured event has beside its arguments (``tgid`` may be None)."""

_ALIASES: dict[str, tuple[str, ...]] = {
    "COMM": ("comm",),
    "common_comm": ("comm",),
    "pid": ("common_pid",),
    "tid": ("pid", "common_pid"),
    "common_pid": ("pid",),
    "common_tgid": ("tgid",),
    "CPU": ("cpu",),
    "common_cpu": ("cpu",),
}
_NUMBER_SIZES = (1, 2, 4, 8)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_filter(expr: FilterExpr, fields: Mapping[str, FilterField] | None = None) -> Test:
    """A function that tells whether an event passes.

    Values come as printed: numbers in any base the kernel prints (``0x1f``, ``-5``, ``4294967295``), a
    character argument as itself, text without quotes, None for ``(fault)``, which is an empty text and no
    number. A comparison of a field that the event lacks is false (its negation is then true).

    Without ``fields`` a pattern that begins with a digit works as one would expect; constants aren't cut to
    the field's width and ``cpu &`` tests bits: a view is for reading, not for rehearsing the kernel's traps.
    With ``fields`` (see :func:`kptui.filters.fields.field_table`) all of them apply.
    """
    match expr:
        case Predicate():
            return _predicate(expr, fields)
        case Not(term=term):
            inner = compile_filter(term, fields)
            return lambda event: not inner(event)
        case And(terms=terms):
            tests = [compile_filter(term, fields) for term in terms]
            if len(tests) == 2:
                first, second = tests
                return lambda event: first(event) and second(event)
            return lambda event: all(test(event) for test in tests)
        case Or(terms=terms):
            tests = [compile_filter(term, fields) for term in terms]
            if len(tests) == 2:
                first, second = tests
                return lambda event: first(event) or second(event)
            return lambda event: any(test(event) for test in tests)


_MISSING = object()


def _getter(name: str, fields: Mapping[str, FilterField] | None) -> Callable[[Captured], object]:
    names = _ALIASES.get(name, ())
    if not names:
        return lambda event: event.get(name, _MISSING)
    # An argument of this name comes before the event's own data; a field that is known to be generic doesn't
    # read an argument that took the plain name.
    every = (name, *names)
    field = fields.get(name) if fields is not None else None
    if field is not None and field.origin == "generic" and name in ("COMM", "CPU"):
        every = (name, f"common_{name.lower()}", *names)

    def get(event: Captured) -> object:
        for candidate in every:
            if candidate in event:
                return event[candidate]
        return _MISSING

    return get


def _never(event: Captured) -> bool:
    return False


def _predicate(predicate: Predicate, fields: Mapping[str, FilterField] | None) -> Test:
    field = fields.get(predicate.field) if fields is not None else None
    get = _getter(predicate.field, fields)
    match predicate.value:
        case String(text=text):
            return _text_test(get, predicate.op, text, exact=fields is not None)
        case Number() as number:
            return _number_test(get, predicate.op, number, field)
        case CpuList(text=text):
            return _cpus_test(get, predicate.op, text)
        case Function(name=name):
            return _function_test(get, predicate.op, name)


def _text_test(get: Callable[[Captured], object], op: str, text: str, *, exact: bool) -> Test:
    matches = pattern_matcher(text, digits_literal=exact) if op == "~" else text.__eq__
    wanted = op != "!="

    def test(event: Captured) -> bool:
        value = get(event)
        if value is _MISSING:
            return False
        printed = value if isinstance(value, str) else "" if value is None else str(value)
        return matches(printed) is wanted

    return test


def number_of(value: object) -> int | float | None:
    """A printed value as a number: decimal, hexadecimal, a time stamp, or the code of one character."""
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value)
    except ValueError:
        pass
    digits = value.removeprefix("-")
    try:
        if digits[:2] in ("0x", "0X"):
            return int(value, 16)
        if "." in value and digits.replace(".", "", 1).isdecimal():
            return float(value)
    except ValueError:
        return None
    raw = lexis.to_raw(value.strip("'") if len(value) == 3 else value)
    return ord(raw) if len(raw) == 1 else None


def _cut(value: int, field: FilterField) -> int:
    """``value`` in the width and the sign of the field."""
    bits = field.size * 8
    value &= (1 << bits) - 1
    return value - (1 << bits) if field.signed and value >> (bits - 1) else value


def _array_number(field: FilterField, value: object) -> int | None:
    """A small array as the kernel's filter compares it: its bytes, the first lowest, as one number.

    ``value`` is what was printed (``{1,2,3,4}``, characters as themselves) or the number itself.
    """
    if isinstance(value, int):
        return _cut(value, field)
    if not isinstance(value, str) or value[:1] != "{" or value[-1:] != "}" or field.bits == 0:
        return None
    inner = value[1:-1]
    single = len(inner) == 2 * field.size - 1 and inner[1::2] == "," * (field.size - 1)
    items = inner[::2] if field.bits == 8 and single else inner.split(",")
    if len(items) * field.bits != field.size * 8:
        return None
    whole = 0
    for at, item in enumerate(items):
        part = number_of(item)
        if not isinstance(part, int):
            return None
        whole |= (part & ((1 << field.bits) - 1)) << (at * field.bits)
    return _cut(whole, field)


def _number_test(
    get: Callable[[Captured], object], op: str, number: Number, field: FilterField | None
) -> Test:
    constant = number.value
    number_in: Callable[[object], int | float | None] = number_of
    if field is not None:
        if field.kind == "cpu" and op == "&":
            return _never
        whole = field.size in _NUMBER_SIZES
        if field.kind in ("stacktrace", "cpumask") or (field.kind == "array" and not whole):
            return _never
        if field.kind in ("number", "array") and whole:
            constant = _cut(constant, field)
        if field.kind == "array":
            number_in = partial(_array_number, field)
    if op == "&":

        def bits_test(event: Captured) -> bool:
            value = number_in(get(event))
            return isinstance(value, int) and value & constant != 0

        return bits_test
    compare = _COMPARE.get(op)
    if compare is None:
        return _never

    def test(event: Captured) -> bool:
        value = number_in(get(event))
        return value is not None and compare(value, constant)

    return test


def _cpus_test(get: Callable[[Captured], object], op: str, text: str) -> Test:
    cpus = lexis.cpu_list(text, 1 << 13)
    if cpus is None:
        return _never
    single = next(iter(cpus)) if len(cpus) == 1 else None

    def test(event: Captured) -> bool:
        value = number_of(get(event))
        if value is None:
            return False
        if op == "&":
            return value in cpus
        equal = value == single
        return equal if op == "==" else not equal

    return test


def _function_test(get: Callable[[Captured], object], op: str, name: str) -> Test:
    """By the printed symbol; an address as the constant compares with a printed address only."""
    address = lexis.unsigned_value(name) if name[0] in lexis.DIGITS else None

    def test(event: Captured) -> bool:
        value = get(event)
        if value is _MISSING or value is None:
            return False
        if address is not None:
            equal = number_of(value) == address
        else:
            equal = str(value).split(" ", 1)[0].split("+", 1)[0] == name
        return equal if op == "==" else not equal

    return test


def view_check(text: str, fields: Collection[str]) -> Verdict:
    """The verdict on a view filter: its grammar, and whether any captured event has the field.

    ``fields`` are the argument names seen; :data:`VIEW_FIELDS` and the kernel's generic names are known
    anyway. Types aren't held against it, since the same name may be a number in one event and text in
    another. An empty text shows everything. Columns are those of the character meant, not the kernel's.
    """
    raw = lexis.to_raw(text.replace("\0", "")).rstrip(lexis.SPACES)
    command = lexis.from_raw(raw)
    if not raw or raw.strip(lexis.SPACES) == "0":
        return Verdict(ok=True, command=command)
    known = {*fields, *VIEW_FIELDS, *_ALIASES, "__probe_ip", "__probe_func", "__probe_ret_ip"}
    rules = Rules(fields=None, features=ALL_FEATURES)
    try:
        for token in scan(raw, rules):
            if isinstance(token, RawPredicate) and token.name not in known:
                raise Refusal("FIELD_NOT_FOUND", token.start, token.start)
    except Refusal as refusal:
        names = {
            name: FilterField(name, "number", signed=True, bits=64, operators=()) for name in sorted(known)
        }
        sentence, edit = explain(refusal, raw, Rules(fields=names, features=ALL_FEATURES))
        if refusal.code == "FIELD_NOT_FOUND":
            sentence = sentence.replace("This event has no field", "No captured event has a field")
        at = lexis.char_index(raw, refusal.at)
        problem = Problem(str(refusal), at, at, sentence, (edit.as_fix(raw),) if edit else ())
        return Verdict(ok=False, command=command, problems=(problem,), errno=refusal.errno)
    return Verdict(ok=True, command=command)
