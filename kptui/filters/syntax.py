"""The filter language as a tree of values: ``parse_filter(str(x)) == x``.

``And`` and ``Or`` hold two or more terms and never a term of their own kind (those are merged), so that a
tree has one spelling with as few parentheses as the language needs. Values keep their spelling (``0x10``
stays hex).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kptui.filters import lexis

Operator = Literal["~", "!=", "==", "<=", "<", ">=", ">", "&"]
OPERATORS: tuple[Operator, ...] = ("~", "!=", "==", "<=", "<", ">=", ">", "&")
"""In the order in which the kernel tries them (kernel/trace/trace_events_filter.c, OPS)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as typed: ``5``, ``-100``, ``0x1f``, ``017``."""

    text: str

    def __post_init__(self) -> None:
        if lexis.signed_value(self.text) is None and lexis.unsigned_value(self.text) is None:
            raise ValueError(f"{self.text!r} is no number of a filter")
        if not (self.text[:1] in lexis.DIGITS or self.text[:1] == "-"):
            raise ValueError(f"a number of a filter begins with a digit or -, not {self.text!r}")
        if len(self.text) > lexis.MAX_NUMBER_BYTES:
            raise ValueError("a number of a filter has at most 23 characters")

    @property
    def value(self) -> int:
        value = lexis.signed_value(self.text)
        if value is None:
            value = lexis.unsigned_value(self.text)
        assert value is not None
        return value

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class String:
    """Quoted text; there are no escapes, so text with both kinds of quotes can't be written."""

    text: str
    quote: Literal['"', "'"] = '"'

    def __post_init__(self) -> None:
        if self.quote in self.text or "\0" in self.text:
            raise ValueError(f"a string of a filter can't hold its own quote {self.quote} or NUL")
        if len(lexis.to_raw(self.text)) > lexis.MAX_STRING_BYTES:
            raise ValueError("a string of a filter has at most 255 bytes")

    @classmethod
    def of(cls, text: str) -> String:
        """``text`` in the kind of quotes that it doesn't hold. Raises ValueError when it holds both."""
        return cls(text, "'" if '"' in text else '"')

    def __str__(self) -> str:
        return f"{self.quote}{self.text}{self.quote}"


@dataclass(frozen=True, slots=True)
class CpuList:
    """``CPUS{0-3,8}``; ``text`` is what stands between the braces."""

    text: str

    def __post_init__(self) -> None:
        if not self.text or set("}\"'()&|\0") & set(self.text):
            raise ValueError(f"{self.text!r} is no list of CPUs")

    def __str__(self) -> str:
        return f"CPUS{{{self.text}}}"


@dataclass(frozen=True, slots=True)
class Function:
    """The value after ``.function``: a symbol or a hexadecimal address; it ends at the next blank."""

    name: str

    def __post_init__(self) -> None:
        raw = lexis.to_raw(self.name)
        if not raw or any(char in lexis.SPACES or char in "\"'()\0" for char in raw):
            raise ValueError(f"{self.name!r} is no function name of a filter")
        if raw[0] in lexis.DIGITS and not (raw.isalnum() and lexis.unsigned_value(raw) is not None):
            raise ValueError(f"{self.name!r} is no address")

    def __str__(self) -> str:
        return self.name


Value = Number | String | CpuList | Function


@dataclass(frozen=True, slots=True)
class Predicate:
    """``field op value``; a :class:`Function` value prints the ``.function`` after the field."""

    field: str
    op: Operator
    value: Value
    ustring: bool = False

    def __post_init__(self) -> None:
        if not self.field or not set(self.field) <= lexis.NAME or not self.field.isascii():
            raise ValueError(f"{self.field!r} is no field name")
        if self.op not in OPERATORS:
            raise ValueError(f"{self.op!r} is no operator of a filter")

    @property
    def place(self) -> str:
        """The left side: the field and its modifiers."""
        ustring = ".ustring" if self.ustring else ""
        function = ".function" if isinstance(self.value, Function) else ""
        return f"{self.field}{ustring}{function}"

    def __str__(self) -> str:
        return f"{self.place} {self.op} {self.value}"


@dataclass(frozen=True, slots=True)
class Not:
    """``!term``."""

    term: FilterExpr

    def __str__(self) -> str:
        return _text(self)


@dataclass(frozen=True, slots=True)
class And:
    """All ``terms`` hold; two or more."""

    terms: tuple[FilterExpr, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _merged(And, self.terms))

    def __str__(self) -> str:
        return _text(self)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of ``terms`` holds; two or more."""

    terms: tuple[FilterExpr, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _merged(Or, self.terms))

    def __str__(self) -> str:
        return _text(self)


FilterExpr = Predicate | Not | And | Or


def _merged(kind: type[And] | type[Or], terms: tuple[FilterExpr, ...]) -> tuple[FilterExpr, ...]:
    flat: list[FilterExpr] = []
    for term in terms:
        if isinstance(term, And | Or) and isinstance(term, kind):
            flat += term.terms
        else:
            flat.append(term)
    if len(flat) < 2:
        raise ValueError(f"{kind.__name__} needs two terms or more")
    return tuple(flat)


def _group(expr: FilterExpr) -> str:
    text = _text(expr)
    # A function's name goes on to the next blank, so the parenthesis must not touch it.
    return f"({text} )" if _ends_in_function(expr) else f"({text})"


def _ends_in_function(expr: FilterExpr) -> bool:
    while True:
        match expr:
            case Predicate(value=value):
                return isinstance(value, Function)
            case Not(term=term):
                if isinstance(term, And | Or):
                    return False
                expr = term
            case And(terms=terms) | Or(terms=terms):
                expr = terms[-1]
                if isinstance(expr, Or):  # it stands in parentheses
                    return False


def _text(expr: FilterExpr) -> str:
    match expr:
        case Predicate():
            return str(expr)
        case Not(term=term):
            return "!" + (_group(term) if isinstance(term, And | Or) else _text(term))
        case And(terms=terms):
            return " && ".join(_group(term) if isinstance(term, Or) else _text(term) for term in terms)
        case Or(terms=terms):
            return " || ".join(map(_text, terms))


def predicates(expr: FilterExpr) -> Iterator[Predicate]:
    """Every predicate of the tree from left to right."""
    stack = [expr]
    while stack:
        match stack.pop():
            case Predicate() as predicate:
                yield predicate
            case Not(term=term):
                stack.append(term)
            case And(terms=terms) | Or(terms=terms):
                stack += reversed(terms)
