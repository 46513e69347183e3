"""From text to tree: the filter language without any event in mind."""

from __future__ import annotations

from kptui.filters import lexis
from kptui.filters.features import ALL_FEATURES
from kptui.filters.refusal import Refusal
from kptui.filters.scan import RawPredicate, Rules, Token, scan
from kptui.filters.syntax import And, CpuList, FilterExpr, Function, Not, Number, Or, Predicate, String, Value

MAX_DEPTH = 100
"""Groups and negations within each other; the kernel knows no limit, a tree of values needs one."""


class FilterSyntaxError(ValueError):
    """The text is no filter: ``message`` in the kernel's words, ``column`` the 0-based character meant."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


def parse_filter(text: str) -> FilterExpr:
    """The tree of ``text``; white space around it is allowed.

    Raises :exc:`FilterSyntaxError`, also for ``0`` (which clears a filter and is none), and for more than
    :data:`MAX_DEPTH` levels. Whether the fields exist and fit is not asked: see :mod:`kptui.filters.check`.
    """
    raw = lexis.to_raw(text).rstrip(lexis.SPACES)
    if raw.lstrip(lexis.SPACES) == "0":
        raise FilterSyntaxError("0 clears the filter; it is no condition", raw.index("0"))
    if "\0" in raw:
        raise FilterSyntaxError("A filter can't hold a NUL byte", lexis.char_index(raw, raw.index("\0")))
    try:
        tokens = scan(raw, Rules(fields=None, features=ALL_FEATURES))
    except Refusal as refusal:
        raise FilterSyntaxError(str(refusal), lexis.char_index(raw, refusal.at)) from None
    return _Builder(raw, tokens).expression()


class _Builder:
    """Recursive descent over tokens whose order the scan has already proved right."""

    def __init__(self, raw: str, tokens: list[Token]) -> None:
        self.raw = raw
        self.tokens = tokens
        self.at = 0

    def expression(self, depth: int = 0) -> FilterExpr:
        alternatives = [self._conjunction(depth)]
        while self._take("||"):
            alternatives.append(self._conjunction(depth))
        return alternatives[0] if len(alternatives) == 1 else Or(tuple(alternatives))

    def _conjunction(self, depth: int) -> FilterExpr:
        terms = [self._term(depth)]
        while self._take("&&"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _take(self, token: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    def _term(self, depth: int) -> FilterExpr:
        negations = 0
        while self._take("!"):
            negations += 1
        if depth + negations > MAX_DEPTH:
            raise FilterSyntaxError("Too many levels of parentheses and negations", 0)
        term: FilterExpr
        if self._take("("):
            term = self.expression(depth + negations + 1)
            self._take(")")
        else:
            token = self.tokens[self.at]
            assert isinstance(token, RawPredicate)
            self.at += 1
            term = self._predicate(token)
        for _ in range(negations):
            term = Not(term)
        return term

    def _predicate(self, token: RawPredicate) -> Predicate:
        if not token.name.isascii():
            raise FilterSyntaxError("Field not found", lexis.char_index(self.raw, token.start))
        text = lexis.from_raw(token.value)
        value: Value
        try:
            if token.kind == "number":
                value = Number(text)
            elif token.kind == "cpus":
                value = CpuList(text)
            elif token.kind == "function":
                value = Function(text)
            else:
                value = String(text, "'" if self.raw[token.value_at] == "'" else '"')
        except ValueError as error:
            raise FilterSyntaxError(str(error), lexis.char_index(self.raw, token.value_at)) from None
        return Predicate(token.name, token.op, value, token.ustring)
