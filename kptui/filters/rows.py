"""A filter as rows of field, operator and value: the other view of the same text.

Every tree has rows and they give the same tree back: ``parse_filter(from_rows(to_rows(x))) == x``. Rows may
also be half-made (no value yet, a group not closed); their text is then what the check complains about, and
:func:`row_at` tells to which row a caret belongs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kptui.filters.fields import FilterField
from kptui.filters.syntax import And, FilterExpr, Not, Or, Predicate

Join = Literal["", "&&", "||"]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison with what stands around it.

    ``join`` ties it to the row before ('' in the first). ``opens`` is what is opened before the comparison,
    made of ``(`` and ``!``, e.g. ``(`` or ``!((``; ``negated`` is a ``!`` of the comparison itself;
    ``closes`` counts the parentheses closed after it. ``field`` has its modifiers (``__probe_ip.function``),
    ``value`` is as typed, with its quotes or braces.
    """

    join: Join
    field: str
    op: str
    value: str
    opens: str = ""
    negated: bool = False
    closes: int = 0

    def __post_init__(self) -> None:
        if self.opens.strip("!("):
            raise ValueError(f"opens holds ( and ! only, not {self.opens!r}")
        if self.closes < 0:
            raise ValueError("closes counts parentheses")


def to_rows(expr: FilterExpr) -> tuple[Row, ...]:
    """The rows of a tree, one for each predicate, from left to right."""
    rows: list[Row] = []
    _add(rows, expr, "", "")
    return tuple(rows)


def _add(rows: list[Row], expr: FilterExpr, join: Join, opens: str) -> None:
    match expr:
        case Predicate():
            negated = opens.endswith("!")
            before = opens[:-1] if negated else opens
            rows.append(Row(join, expr.place, expr.op, str(expr.value), before, negated))
        case Not(term=term):
            if isinstance(term, And | Or):
                _add_group(rows, term, join, opens + "!")
            else:
                _add(rows, term, join, opens + "!")
        case And(terms=terms) | Or(terms=terms):
            own: Join = "&&" if isinstance(expr, And) else "||"
            for number, term in enumerate(terms):
                add = _add_group if isinstance(term, Or) else _add
                add(rows, term, own if number else join, "" if number else opens)


def _add_group(rows: list[Row], expr: FilterExpr, join: Join, opens: str) -> None:
    _add(rows, expr, join, opens + "(")
    rows[-1] = replace(rows[-1], closes=rows[-1].closes + 1)


def _row_text(row: Row, first: bool) -> str:
    join = "" if first else f" {row.join or '&&'} "
    text = f"{join}{row.opens}{'!' if row.negated else ''}{row.field} {row.op} {row.value}"
    if not row.closes:
        return text
    # A function's name goes on to the next blank.
    blank = " " if row.field.endswith(".function") else ""
    return text + blank + ")" * row.closes


def from_rows(rows: Sequence[Row]) -> str:
    """The text of rows; '' for none. A row after the first without a join is tied with ``&&``."""
    return "".join(_row_text(row, number == 0) for number, row in enumerate(rows))


def row_at(rows: Sequence[Row], column: int) -> int | None:
    """The number of the row to which character ``column`` of :func:`from_rows` belongs; None without rows."""
    if not rows:
        return None
    end = 0
    for number, row in enumerate(rows):
        end += len(_row_text(row, number == 0))
        if column < end:
            return number
    return len(rows) - 1


def typed_value(field: FilterField, typed: str) -> str:
    """What a user typed into a value cell, made a value for ``field``: text gets the quotes that it lacks.

    Text that holds both kinds of quotes can't be a value; it comes back as it is, for the check to refuse.
    """
    text = typed.strip()
    if not field.is_text:
        return text
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]:
        return text
    if '"' not in text:
        return f'"{text}"'
    return f"'{text}'" if "'" not in text else text
