"""The filter being built: one value, the text, seen as rows or as text, for one event or a whole group.

Nothing here draws or writes; the builder shows it and the session sets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kptui.events.format import EventFormat
from kptui.filters import (
    FilterField,
    FilterSyntaxError,
    Or,
    Row,
    check_filter,
    fields_of,
    from_rows,
    parse_filter,
    to_rows,
    typed_value,
)
from kptui.filters.rows import Join
from kptui.verdict import Verdict

_FALLBACK = FilterField("common_pid", "number", True, 32, ("==", "!=", "<", "<=", ">", ">=", "&"))
_OPERATORS = ("==", "!=", "~", "<", "<=", ">", ">=", "&")
_MOST_BRACKETS = 3
CELLS = ("join", "field", "op", "value")  # of a row that can be edited, from left to right


@dataclass(frozen=True, slots=True)
class FilterKernel:
    """What is known of the kernel that a filter is for: see :func:`kptui.filters.check_filter`."""

    features: frozenset[str]
    has_function: Callable[[str], bool | None] | None = None
    cpus: int | None = None


class FilterValue:
    """``formats`` are those of every event of ours in the group, ``event`` among them."""

    def __init__(
        self,
        event: str,
        formats: Mapping[str, EventFormat],
        text: str,
        kernel: FilterKernel,
        whole_group: bool,
    ) -> None:
        self.event = event
        self.formats = formats
        self.kernel = kernel
        self.whole_group = whole_group
        self.fields: dict[str, FilterField] = {}
        self.rows: tuple[Row, ...] = ()
        self.text = ""
        self._find_fields()
        self.take_text(text)

    # -- the value

    def take_text(self, text: str) -> None:
        """Another text; it need not be a filter yet."""
        self.text = text
        try:
            self.rows = to_rows(parse_filter(text)) if text.strip() else ()
        except FilterSyntaxError:
            self.rows = ()

    def take_rows(self, rows: Sequence[Row]) -> None:
        if rows and rows[0].join:
            rows = (replace(rows[0], join=""), *rows[1:])
        self.rows = tuple(rows)
        self.text = from_rows(self.rows)

    @property
    def as_rows(self) -> bool:
        """Whether the text can be shown as rows."""
        return bool(self.rows) or not self.text.strip()

    def set_group(self, whole_group: bool) -> None:
        self.whole_group = whole_group
        self._find_fields()

    def _find_fields(self) -> None:
        """The fields of this event, or of all the group's."""
        formats = self.formats.values() if self.whole_group else [self.formats[self.event]]
        self.fields = {}
        for format_ in formats:
            for field in fields_of(format_, self.kernel.features):
                self.fields.setdefault(field.name, field)

    # -- the verdict

    def verdicts(self, text: str) -> dict[str, Verdict]:
        """What the kernel would say of a text for this event, or for each event of the group; on any thread."""
        events = self.formats if self.whole_group else [self.event]
        kernel = self.kernel
        return {
            event: check_filter(
                text, self.formats[event], kernel.features, has_function=kernel.has_function, cpus=kernel.cpus
            )
            for event in events
        }

    def foremost(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """The verdict to show for all of them: that of this event, or of the first event that takes it: one that
        lacks a field doesn't keep the others from having it.
        """
        own = verdicts[self.event]
        return own if own.ok else next((verdict for verdict in verdicts.values() if verdict.ok), own)

    # -- rows

    def field_of(self, row: Row) -> FilterField | None:
        return self.fields.get(row.field.split(".")[0])

    def matching(self, text: str) -> list[FilterField]:
        """The fields that typed letters can mean: those that begin so, then those that hold them."""
        text = text.casefold()
        usable = [field for field in self.fields.values() if field.operators]
        starts = [field for field in usable if field.name.casefold().startswith(text)]
        return starts + [field for field in usable if text in field.name.casefold() and field not in starts]

    def add(self, join: Join) -> None:
        """Another row, on the field of the last one. What is joined with ``||`` so far is put in parentheses before
        an ``&&``, since the new row is meant for all of it.
        """
        field = self.field_of(self.rows[-1]) if self.rows else None
        if field is None or not field.operators:
            field = next((f for f in self.fields.values() if f.operators), _FALLBACK)
        value = '""' if field.is_text else "0"
        row = Row(join="" if not self.rows else join, field=field.name, op=field.operators[0], value=value)
        self.take_rows((*(_grouped(self.rows) if join == "&&" else self.rows), row))

    def remove(self, at: int) -> None:
        self.take_rows((*self.rows[:at], *self.rows[at + 1 :]))

    def set_row(self, at: int, row: Row) -> None:
        self.take_rows((*self.rows[:at], row, *self.rows[at + 1 :]))

    def set_field(self, at: int, name: str) -> None:
        """Another field, by its name or by letters of it; operator and value follow its type."""
        row = self.rows[at]
        field = self.fields.get(name)
        if field is None and name:
            field = next(iter(self.matching(name)), None)
        if field is None:
            self.set_row(at, replace(row, field=name or row.field))
            return
        op = row.op if row.op in field.operators else field.operators[0] if field.operators else row.op
        quoted = row.value[:1] in ('"', "'")
        value = row.value if quoted == field.is_text else '""' if field.is_text else "0"
        self.set_row(at, replace(row, field=field.name, op=op, value=value))

    def set_value(self, at: int, typed: str) -> None:
        """Another value as typed: text gets the quotes that it lacks."""
        row = self.rows[at]
        field = self.field_of(row)
        plain = field is None or row.field.endswith(".function")
        value = typed.strip() if plain or field is None else typed_value(field, typed)
        self.set_row(at, replace(row, value=value))

    @property
    def mixed(self) -> bool:
        """Whether rows are joined by both && and || without parentheses to tell which goes first."""
        joins: list[set[str]] = [set()]
        for row in self.rows:
            joins[-1].add(row.join)
            joins.extend(set() for _ in range(row.opens.count("(")))
            for _ in range(min(row.closes, len(joins) - 1)):
                if {"&&", "||"} <= joins.pop():
                    return True
        return any({"&&", "||"} <= level for level in joins)

    @property
    def plain_glob(self) -> str:
        """A pattern without a wildcard, which only the whole text matches; '' if there is none."""
        plain = (row.value for row in self.rows if row.op == "~" and not any(c in row.value for c in "*?["))
        return next((value for value in plain if value.strip("\"'")), "")

    def choose_operator(self, at: int, sign: str) -> None:
        """The operator that begins with ``sign``, or the next one that does."""
        row = self.rows[at]
        field = self.field_of(row)
        operators = [op for op in (field.operators if field else _OPERATORS) if op.startswith(sign)]
        if operators:
            self.set_row(at, replace(row, op=_after(operators, row.op)))

    def cycle(self, at: int, cell: str) -> None:
        """The next join, field or operator of a row."""
        row = self.rows[at]
        field = self.field_of(row)
        if cell == "join" and row.join:
            self.set_row(at, replace(row, join="||" if row.join == "&&" else "&&"))
        elif cell == "op":
            operators = field.operators if field and field.operators else _OPERATORS
            self.set_row(at, replace(row, op=_after(operators, row.op)))
        elif cell == "field":
            self.set_field(at, _after([f.name for f in self.fields.values() if f.operators], row.field))

    def only_processes(self, pids: str) -> None:
        """Let ``pids`` (a filter of processes) hold beside what there is."""
        old = self.text.strip()
        self.take_text(f"({old}) && ({pids})" if old else pids)

    def bracket(self, at: int, what: str) -> None:
        """Open or close a parenthesis around a row, or negate it; after three there are none again."""
        row = self.rows[at]
        if what == "negate":
            row = replace(row, negated=not row.negated)
        elif what == "open":
            row = replace(row, opens=row.opens + "(" if row.opens.count("(") < _MOST_BRACKETS else "")
        else:
            row = replace(row, closes=(row.closes + 1) % (_MOST_BRACKETS + 1))
        self.set_row(at, row)


def bare(value: str) -> str:
    """A value without its quotes, for typing it anew; '' for a row's untouched 0."""
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        return value[1:-1]
    return "" if value == "0" else value


def _grouped(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows whose outermost join is ``||``, in parentheses; others as they are."""
    try:
        if not isinstance(parse_filter(from_rows(rows)), Or):
            return rows
    except FilterSyntaxError:
        return rows
    rows = (replace(rows[0], opens="(" + rows[0].opens), *rows[1:])
    return (*rows[:-1], replace(rows[-1], closes=rows[-1].closes + 1))


def _after(names: Sequence[str], name: str) -> str:
    at = names.index(name) if name in names else -1
    return names[(at + 1) % len(names)]
