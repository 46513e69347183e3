"""How the kernel refuses a filter: its messages, and where it stopped.

Source: the ``ERRORS`` list of kernel/trace/trace_events_filter.c, 5.10 to 7.x.
"""

from __future__ import annotations

from typing import Literal

from kptui.filters.fields import FilterField
from kptui.filters.syntax import Operator

Code = Literal[
    "FIELD_NOT_FOUND",
    "INVALID_OP",
    "INVALID_VALUE",
    "EXPECT_DIGIT",
    "EXPECT_STRING",
    "ILLEGAL_FIELD_OP",
    "ILLEGAL_INTVAL",
    "OPERAND_TOO_LONG",
    "MISSING_BRACE_OPEN",
    "MISSING_BRACE_CLOSE",
    "INVALID_CPULIST",
    "NO_FUNCTION",
    "MISSING_QUOTE",
    "TOO_MANY_OPEN",
    "TOO_MANY_CLOSE",
    "TOO_MANY_PREDS",
    "INVALID_FILTER",
    "ERRNO",
]
MESSAGES: dict[Code, str] = {
    "FIELD_NOT_FOUND": "Field not found",
    "INVALID_OP": "Invalid operator",
    "INVALID_VALUE": "Invalid value (did you forget quotes)?",
    "EXPECT_DIGIT": "Expecting numeric field",
    "EXPECT_STRING": "Expecting string field",
    "ILLEGAL_FIELD_OP": "Illegal operation for field type",
    "ILLEGAL_INTVAL": "Illegal integer value",
    "OPERAND_TOO_LONG": "Operand too long",
    "MISSING_BRACE_OPEN": "Missing '{'",
    "MISSING_BRACE_CLOSE": "Missing '}'",
    "INVALID_CPULIST": "Invalid cpulist",
    "NO_FUNCTION": "Function not found",
    "MISSING_QUOTE": "Missing matching quote",
    "TOO_MANY_OPEN": "Too many '('",
    "TOO_MANY_CLOSE": "Too few '('",
    "TOO_MANY_PREDS": "Too many terms in predicate expression",
    "INVALID_FILTER": "Meaningless filter expression",
    "ERRNO": "Error",
}
"""The kernel's words by the names of its ``FILT_ERR_*`` enumerators."""


class Refusal(Exception):
    """The kernel stops here: ``code`` with the caret at ``column``; ``at`` is the byte that is meant.

    ``start`` is where the predicate begins (or ``at``), ``field`` its field as far as it was known.
    """

    def __init__(
        self,
        code: Code,
        column: int,
        at: int,
        errno: str = "EINVAL",
        *,
        start: int | None = None,
        field: FilterField | None = None,
        op: Operator | None = None,
        op_at: int | None = None,
    ) -> None:
        super().__init__(MESSAGES[code])
        self.code: Code = code
        self.column = column
        self.at = at
        self.errno = errno
        self.start = at if start is None else start
        self.field = field
        self.op = op
        self.op_at = op_at
