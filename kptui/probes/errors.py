"""One error type for everything in a probe definition that doesn't follow its grammar."""

from __future__ import annotations


class ProbeSyntaxError(ValueError):
    """A text that is no probe definition, or no part of one.

    ``message`` is the kernel's own wording (kernel/trace/trace_probe.h, the ERRORS table) where the kernel
    has one; ``column`` is the 0-based character of the parsed text at which the trouble starts (may be one
    past the end).
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column
