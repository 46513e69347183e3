"""One pass over a filter, step by step as the kernel makes it.

The kernel first counts quotes and parentheses of the whole text (``calc_stack()``), then reads predicates
from left to right (``predicate_parse()``, ``parse_pred()``; kernel/trace/trace_events_filter.c, 5.10 to
7.x). Where it stops, with which message, at which column and with which errno follows from that order, so
both the check against an event's fields and the parser of the language stand on this one reader.

All texts here are *raw* (one character a byte, see :mod:`kptui.filters.lexis`) and all positions are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kptui.filters import lexis
from kptui.filters.fields import FilterField
from kptui.filters.refusal import Code, Refusal
from kptui.filters.syntax import OPERATORS, Operator

ValueKind = Literal["number", "string", "cpus", "function"]


class RawPredicate(NamedTuple):
    """A predicate as it stands in the text: where its parts begin and end."""

    start: int
    name: str
    name_end: int
    ustring: bool
    op: Operator
    op_at: int
    kind: ValueKind
    value: str  # without quotes or braces
    value_at: int
    end: int
    field: FilterField | None
    number: int | None = None  # what the kernel makes of a number


@dataclass(frozen=True, slots=True)
class Rules:
    """What a scan holds the text against.

    ``fields`` None: any name will do, and values are judged by their form alone. ``has_function`` answers
    whether the kernel knows a symbol (None: it isn't known here), ``cpus`` is the number of possible CPUs.
    """

    fields: dict[str, FilterField] | None
    features: frozenset[str]
    has_function: Callable[[str], bool | None] | None = None
    cpus: int = 8192


Token = RawPredicate | Literal["(", ")", "!", "&&", "||"]


_SPECIAL = re.compile("['\"()&|]")
_NESTING = re.compile("['\"()]")
_PLAIN = re.compile(f"[^{lexis.SPACES}'\"()&|]")
_BEFORE = re.compile(f"(?:[{lexis.SPACES}(]|!(?![=~]))+")
_AFTER = re.compile(rf"[{lexis.SPACES}]*(\)|&&|\|\||\Z)")
# What most terms are: a number or a text compared, and what joins the next term
_COMPARISON = re.compile(
    r"([A-Za-z0-9_]+)[ \t]*(==|!=|<=|<|>=|>|&|~)[ \t]*"
    rf"""(-?[0-9][0-9A-Za-z]{{0,21}}|"[^"]{{0,{lexis.MAX_STRING_BYTES}}}"|'[^']{{0,{lexis.MAX_STRING_BYTES}}}')"""
    r"[ \t]*(&&|\|\||(?=\))|\Z)"
)
_SIGNS: dict[str, Literal["(", ")", "!", "&&", "||"]] = {"(": "(", ")": ")", "!": "!", "&&": "&&", "||": "||"}
_OPERATORS: dict[str, Operator] = {op: op for op in OPERATORS}


def check_balance(raw: str) -> bool:
    """Quotes and parentheses of the whole text, as ``calc_stack()`` looks at them; raises :exc:`Refusal`.

    False when nothing in it could be a term.
    """
    depth = 1
    at = 0
    has_term = _PLAIN.search(raw) is not None
    special = _NESTING if has_term else _SPECIAL  # a lone & or | counts as a term
    while (match := special.search(raw, at)) is not None:
        at = match.start()
        char = raw[at]
        if char in "'\"":
            has_term = True
            end = raw.find(char, at + 1)
            if end < 0:
                raise Refusal("MISSING_QUOTE", at, at, "ESRCH")
            at = end
        elif char in "|&":
            if raw[at + 1 : at + 2] != char:
                has_term = True
        elif char == "(":
            depth += 1
        elif depth == 1:
            raise Refusal("TOO_MANY_CLOSE", at, at, "EPERM")
        else:
            depth -= 1
        at += 1
    if depth != 1:
        at = _bad_open(raw, depth)
        raise Refusal("TOO_MANY_OPEN", at, at, "ENOENT")
    return has_term


def _bad_open(raw: str, depth: int) -> int:
    level = depth
    quote = ""
    for at in range(len(raw) - 1, 0, -1):
        char = raw[at]
        if quote:
            if char == quote:
                quote = ""
        elif char == "(":
            if level == depth:
                return at
            level -= 1
        elif char == ")":
            level += 1
        elif char in "'\"":
            quote = char
    return 0


def scan(raw: str, rules: Rules) -> list[Token]:
    """The tokens of a complete filter, or :exc:`Refusal` at the first thing that the kernel refuses.

    ``raw`` has no white space at its end (the kernel strips it) and isn't ``0``.
    """
    if not check_balance(raw):
        raise Refusal("ERRNO", 0, min(len(raw), lexis.skip_spaces(raw, 0)))
    tokens: list[Token] = []
    at = 0
    while at < len(raw):
        if (before := _BEFORE.match(raw, at)) is not None:
            tokens += [_SIGNS[char] for char in before[0] if char in _SIGNS]
            at = before.end()
            continue
        match = _COMPARISON.match(raw, at)
        comparison = _comparison(match, rules) if match is not None else None
        if match is not None and comparison is not None and match[4]:
            tokens += (comparison, _SIGNS[match[4]])
            at = match.end()
            continue
        predicate = comparison or _predicate(raw, at, rules)
        tokens.append(predicate)
        at, done = _after(raw, predicate.end, tokens)
        if done:
            return tokens
    # Kernels without the 2026 fix accept the rest of an incomplete filter, or print a warning with a stack
    # trace; it is refused here for all of them.
    raise Refusal("INVALID_FILTER", len(raw), len(raw))


def _after(raw: str, at: int, tokens: list[Token]) -> tuple[int, bool]:
    """Closing parentheses and the next joint after a predicate; True at the end of the text."""
    while (found := _AFTER.match(raw, at)) is not None:
        at = found.end()
        if not found[1]:
            return at, True
        tokens.append(_SIGNS[found[1]])
        if found[1] != ")":
            return at, False
    at = lexis.skip_spaces(raw, at)
    raise Refusal("TOO_MANY_PREDS", at, at, "EPERM")


def _comparison(match: re.Match[str], rules: Rules) -> RawPredicate | None:
    """A field compared with a number or a text, where nothing is wrong with it; None: it is to be looked at closely."""
    name, sign, text, _ = match.groups()
    start, value_at = match.start(), match.start(3)
    field = rules.fields.get(name) if rules.fields is not None else None
    if rules.fields is not None and (field is None or field.is_text != (text[0] in "'\"")):
        return None
    op, end = _OPERATORS[sign], value_at + len(text)
    if text[0] in "'\"":
        if op not in ("==", "!=", "~"):
            return None
        return RawPredicate(
            start, name, start + len(name), False, op, match.start(2), "string", text[1:-1], value_at, end, field
        )  # fmt: skip
    signed = field.signed if field is not None else text[0] == "-"
    value = lexis.signed_value(text) if signed else lexis.unsigned_value(text)
    if value is None or op == "~":
        return None
    return RawPredicate(
        start, name, start + len(name), False, op, match.start(2), "number", text, value_at, end, field, value
    )  # fmt: skip


def _predicate(raw: str, start: int, rules: Rules) -> RawPredicate:
    name_end = lexis.skip_name(raw, start)
    if name_end == start:
        raise Refusal("ERRNO", 0, start, "EPERM")
    name = raw[start:name_end]
    field = None
    if rules.fields is not None:
        field = rules.fields.get(name)
        if field is None:
            raise Refusal("FIELD_NOT_FOUND", name_end + 1, start)
    at = name_end
    ustring = "ustring" in rules.features and raw.startswith(".ustring", at)
    at += len(".ustring") if ustring else 0
    function = "function" in rules.features and raw.startswith(".function", at)
    at += len(".function") if function else 0
    op_at = lexis.skip_spaces(raw, at)
    op = next((op for op in OPERATORS if raw.startswith(op, op_at)), None)
    if op is None:
        raise Refusal("INVALID_OP", op_at + 1, op_at, start=start, field=field)
    value_at = lexis.skip_spaces(raw, op_at + len(op))
    place = _Place(raw, start, field, op, op_at, value_at, rules)
    kind: ValueKind
    number = None
    if function:
        kind = "function"
        value, end = place.function()
    elif "cpus" in rules.features and raw.startswith("CPUS", value_at):
        kind = "cpus"
        value, end = place.cpus()
    elif raw[value_at : value_at + 1] in ("'", '"'):
        kind = "string"
        value, end = place.string()
    elif value_at < len(raw) and (raw[value_at] in lexis.DIGITS or raw[value_at] == "-"):
        kind = "number"
        value, end, number = place.number()
    else:
        raise place.refusal("INVALID_VALUE", value_at)
    return RawPredicate(start, name, name_end, ustring, op, op_at, kind, value, value_at, end, field, number)


class _Place(NamedTuple):
    """A predicate read up to its value; every method reads one kind of value and says where it ends."""

    raw: str
    start: int
    field: FilterField | None
    op: Operator
    op_at: int
    value_at: int
    rules: Rules

    def refusal(self, code: Code, byte: int, at: int | None = None) -> Refusal:
        """Stop at ``byte``: the kernel's caret is one further on (it counts from the second byte)."""
        return Refusal(
            code,
            byte + 1,
            byte if at is None else at,
            start=self.start,
            field=self.field,
            op=self.op,
            op_at=self.op_at,
        )

    def function(self) -> tuple[str, int]:
        raw, at = self.raw, self.value_at
        if self.field is not None and self.field.size != 8:
            raise self.refusal("ILLEGAL_FIELD_OP", at, self.start)
        if self.op not in ("==", "!="):
            raise self.refusal("INVALID_OP", at, self.op_at)
        if raw[at : at + 1] and raw[at] in lexis.DIGITS:
            end = lexis.skip_alnum(raw, at)
            if end - at > lexis.MAX_NUMBER_BYTES:
                raise self.refusal("OPERAND_TOO_LONG", end, at)
            address = lexis.unsigned_value(raw[at:end])
            if address is None:
                raise self.refusal("INVALID_VALUE", end, at)
        else:
            end = at
            while end < len(raw) and raw[end] not in lexis.SPACES:
                end += 1
            address = None
        if not self._known(raw[at:end], address):
            raise self.refusal("NO_FUNCTION", end, at)
        return raw[at:end], end

    def _known(self, name: str, address: int | None) -> bool:
        if not name or set(name) & set("\"'()") or (address is None and not name[0].isascii()):
            return False
        if self.field is None:
            return True
        if address is not None and address < 0xFFFF_8000_0000_0000:
            return False  # not in the kernel's half of the address space (x86-64)
        if address is None and ("&&" in name or "||" in name):
            return False
        known = self.rules.has_function(name) if self.rules.has_function is not None else None
        return known is not False

    def cpus(self) -> tuple[str, int]:
        raw = self.raw
        if self.field is not None and self.field.kind not in ("cpumask", "cpu", "number", "array"):
            raise self.refusal("ILLEGAL_FIELD_OP", self.value_at, self.start)
        if self.op not in ("==", "!=", "&"):
            raise self.refusal("ILLEGAL_FIELD_OP", self.value_at, self.op_at)
        opening = self.value_at + len("CPUS")
        if raw[opening : opening + 1] != "{":
            raise self.refusal("MISSING_BRACE_OPEN", opening + 1, min(opening, len(raw)))
        end = raw.find("}", opening + 1)
        if end < 0:
            raise self.refusal("MISSING_BRACE_CLOSE", len(raw), opening)
        text = raw[opening + 1 : end]
        if not text or lexis.cpu_mask(text, self.rules.cpus) is None:
            raise self.refusal("INVALID_CPULIST", end, opening + 1)
        return text, end + 1

    def string(self) -> tuple[str, int]:
        raw, at = self.raw, self.value_at
        if self.op not in ("==", "!=", "~"):
            raise self.refusal("ILLEGAL_FIELD_OP", at, self.op_at)
        if self.field is not None and not self.field.is_text:
            raise self.refusal("EXPECT_DIGIT", at)
        end = raw.find(raw[at], at + 1)
        if end < 0:
            raise self.refusal("MISSING_QUOTE", len(raw), at)
        if end - at - 1 > lexis.MAX_STRING_BYTES:
            raise self.refusal("OPERAND_TOO_LONG", end, at)
        return raw[at + 1 : end], end + 1

    def number(self) -> tuple[str, int, int]:
        raw, at = self.raw, self.value_at
        if self.field is not None and self.field.is_text:
            raise self.refusal("EXPECT_STRING", at)
        if self.op == "~":
            raise self.refusal("ILLEGAL_FIELD_OP", at, self.op_at)
        end = lexis.skip_alnum(raw, at + (raw[at] == "-"))
        if end - at > lexis.MAX_NUMBER_BYTES:
            raise self.refusal("OPERAND_TOO_LONG", end, at)
        text = raw[at:end]
        signed = self.field.signed if self.field is not None else text.startswith("-")
        value = lexis.signed_value(text) if signed else lexis.unsigned_value(text)
        if value is None:
            raise self.refusal("ILLEGAL_INTVAL", at)
        return text, end, value
