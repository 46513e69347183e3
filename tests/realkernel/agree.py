"""How far two verdicts agree: counts, classes of differences, and the messages that were seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

CUT = 242
"""Bytes of a command that error_log showed whole before 5.18."""


def cut_entry(message: str, column: int, command: str) -> tuple[str, int, str]:
    """As error_log had it before 5.18: 256 bytes for heading and command together, and where that was too short
    no end of the line before the caret's (TRACING_LOG_CMD_MAX); the caret in one byte. Column -1 then; the text is
    all there is.
    """
    raw = command.encode("utf-8", "surrogateescape")
    if len(raw) <= CUT:
        return message, column, command
    shown = raw[: CUT + 1] + b" " * ((column & 0xFF) + len("  Command: ")) + b"^"
    return message, -1, shown.decode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Agreement:
    """The comparison of one file of answers.

    ``what`` is the interface or ``filters``. ``explained`` counts differences by the rule that explains them,
    ``classes`` has the others: a line for each kind, with its examples. ``messages`` counts what the kernel
    said, ``known`` are all messages that it could have said ("" unknown).
    """

    release: str
    what: str
    seed: str
    total: int = 0
    agreed: int = 0
    accepted: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    classes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    messages: Counter[str] = field(default_factory=Counter)
    known: frozenset[str] = frozenset()
    spent: list[float] = field(default_factory=list)

    @property
    def differences(self) -> int:
        """Those that no rule explains."""
        return sum(map(len, self.classes.values()))

    def add(self, other: Agreement) -> None:
        """Count another file of the same kernel and interface in."""
        self.total += other.total
        self.agreed += other.agreed
        self.accepted += other.accepted
        self.explained += other.explained
        self.messages += other.messages
        self.known |= other.known
        self.spent += other.spent
        for name, examples in other.classes.items():
            self.classes[name] += examples

    def text(self, show: int) -> str:
        """One line, then what was explained, and each class of difference with ``show`` examples."""
        times = sorted(self.spent) or [0.0]
        share = self.agreed / self.total if self.total else 0.0
        lines = [
            (
                f"{self.release} {self.what} seed {self.seed}: {self.agreed} of {self.total} agree ({share:.2%}), "
                f"{self.explained.total()} explained, {self.differences} not; {self.accepted} accepted; "
                f"{sum(times) / len(times) * 1e3:.3f} ms each, {times[-1] * 1e3:.2f} ms at most"
            )
        ]
        lines += [f"  explained {count} x {rule}" for rule, count in self.explained.most_common()]
        for name, examples in sorted(self.classes.items(), key=lambda item: -len(item[1])):
            lines.append(f"  DIFFERENT {len(examples)} x {name:.300}")
            lines += [f"    {example:.1500}" for example in examples[:show]]
        return "\n".join(lines)
