"""Generates filters for an event of a kernel to judge: valid, nearly valid, and garbage, by a seed."""

from __future__ import annotations

import random

from kptui.filters.fields import FilterField


def _words(text: str) -> list[str]:
    return text.split()


KNOWN_FUNCTIONS = ("vfs_read", "vfs_write", "do_sys_openat2")
UNKNOWN_FUNCTIONS = ("nosuch_fn", "vfs_read)", "vfs_read+4", "vfs_read&&x", "'vfs_read'", "")
KNOWN_DATA = ("jiffies", "init_task")
ADDRESSES = ("0x10", "0", "12x", "0xzz", "1" * 25, "99999999999999999999")

COMMON = _words(
    "comm COMM cpu CPU common_cpu common_pid common_type common_flags common_preempt_count "
    "stacktrace STACKTRACE "
    "common_tgid pid nosuch none common_stacktrace"
)
OPERATORS = ("~", "!=", "==", "<=", "<", ">=", ">", "&")
WRONG_OPERATORS = ("=", "!~", "=>", "=~", "|", "===", "in", "", "!", "<>", "<<", "&&", "~~", "==!")
NUMBERS = _words(
    "0 1 -1 -0 00 08 017 0x 0x1f 0XFF 0xg 1x 256 -129 65536 4294967296 9223372036854775807 "
    "9223372036854775808 "
    "-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 0xffffffffffffffff "
    "0x10000000000000000 +1 1.5 1e3 1_0 - -- 0b1 -0x5 0000000000000000000000001 12345678901234567890123"
)
STRINGS = (
    '""',
    '"a"',
    "'b c'",
    '"a*"',
    '"*"',
    '"[a-z]?"',
    '"9p*"',
    "'it\"s'",
    '"it\'s"',
    '"a && b"',
    '"(("',
    '"é"',
    '"' + "x" * 255 + '"',
    '"' + "x" * 256 + '"',
    '"unclosed',
    '"a\\"b"',
    "'\t'",
)
GOOD_STRINGS = (
    '""', '"bash"', "'b c'", '"a*"', '"*x"', '"*m*"', '"*"', '"[a-z]?"', "'it\"s'", '"it\'s"', '"a && b"', '"(("',
    '"é"', '"!h*"', '"' + "x" * 255 + '"',
)  # fmt: skip
CPU_LISTS = _words(
    "0 1 0-1 N all ALL 0,1 ,0 0- -1 1-0 0-1:1/2 0-1:0/1 0-1:3/2 0:1/1 5 0,99999 0x1 none 0-N N-0 0-1:1/0 0N"
)
JUNK = [
    "(",
    ")",
    "!",
    "&&",
    "||",
    "&",
    "|",
    " ",
    "\t",
    "\n",
    "\u00a0",
    "#",
    ";",
    ",",
    "$",
    ".",
    "[0]",
    "é",
    "à",
    "=",
    "1",
]
JUNK += [
    "'",
    '"',
    "{",
    "}",
    "\\",
    "\udcff",
    "\udca0",
    "\0",
    "CPUS",
    ".function",
    ".ustring",
    "and",
    "or",
    "not",
]

_SIGNED = ("-300", "-1", "0", "7", "0x1f", "017")
_UNSIGNED = ("0", "1", "7", "0x1f", "017", "65536", "18446744073709551615")


def is_safe(text: str) -> bool:
    """Whether it may be written: complete in the kernel's eyes, whatever is cut off or stripped."""
    raw = text.encode("utf-8", "surrogateescape").split(b"\0")[0].rstrip(b"\t\n\v\f\r \xa0")
    return not raw.endswith((b"&&", b"||", b"!"))


class Generator:
    """Seeded filters for one event: valid, nearly valid, and garbage.

    ``fields`` are all that a filter of the event can name; ``features`` what the kernel's language has.
    """

    def __init__(self, seed: str, fields: dict[str, FilterField], features: frozenset[str]) -> None:
        self.random = random.Random(seed)
        self.fields = list(fields.values())
        self.names = list(fields)
        self.features = features

    def blank(self) -> str:
        return self.random.choice(["", " ", " ", " ", "  ", "\t", "\n"])

    def name(self) -> str:
        return self.random.choice(self.names if self.random.random() < 0.75 else COMMON)

    # -- what the kernel should take

    def good(self) -> str:
        """A predicate with an operator and a value that fit the field's type."""
        chance = self.random
        field = chance.choice(self.fields)
        name, blank = field.name, self.blank()
        if field.is_text:
            if field.kind == "pointer" and "ustring" in self.features and chance.random() < 0.5:
                name += ".ustring"
            value = chance.choice(GOOD_STRINGS)
            return f"{name}{blank}{chance.choice(['==', '!=', '~'])}{self.blank()}{value}"
        if field.kind == "cpumask":
            if "cpus" not in self.features:
                return self.plain()
            return f"{name}{blank}{chance.choice(['&', '==', '!='])}{self.blank()}CPUS{{{self.cpus()}}}"
        if field.kind == "stacktrace":
            return self.plain()
        if field.size == 8 and "function" in self.features and chance.random() < 0.15:
            function = chance.choice([*KNOWN_FUNCTIONS, *KNOWN_DATA])
            return f"{name}.function{blank}{chance.choice(['==', '!='])}{self.blank()}{function} "
        if "cpus" in self.features and field.kind in {"number", "cpu"} and chance.random() < 0.15:
            return f"{name}{blank}{chance.choice(['&', '==', '!='])}{self.blank()}CPUS{{{self.cpus()}}}"
        operator = chance.choice(["==", "!=", "<", "<=", ">", ">=", "&"])
        value = chance.choice(_SIGNED if field.signed else _UNSIGNED)
        if chance.random() < 0.4:
            value = str(chance.randrange(-200 if field.signed else 0, 100_000))
        return f"{name}{blank}{operator}{self.blank()}{value}"

    def plain(self) -> str:
        """A predicate that every event takes."""
        return self.random.choice(
            ["common_pid == 1", "common_type != 0x1f", "common_flags & 1", "common_pid > -5"]
        )

    def cpus(self) -> str:
        return self.random.choice(["0", "1", "0-1", "0,1", "0-1:1/2", "N", "all", "0-N"])

    def well(self, depth: int = 0) -> str:
        """Such predicates joined, negated and in parentheses."""
        chance = self.random
        if depth > 3 or chance.random() < 0.45:
            return chance.choice(["", "", "", "!", "! ", "!!"]) + self.good()
        joint = f"{self.blank()}{chance.choice(['&&', '||'])}{self.blank()}"
        text = f"{self.well(depth + 1)}{joint}{self.well(depth + 1)}"
        return chance.choice([f"({text})", f"!( {text} )"]) if chance.random() < 0.4 else text

    # -- what it may refuse

    def value(self) -> str:
        kind = self.random.random()
        if kind < 0.45:
            return (
                self.random.choice(NUMBERS)
                if self.random.random() < 0.6
                else str(self.random.randrange(-300, 70000))
            )
        if kind < 0.78:
            return self.random.choice(STRINGS)
        if kind < 0.9:
            brace = self.random.choice(["{}"] * 8 + ["{", "}", "", "()"])
            opening, closing = (brace[:1], brace[1:]) if brace != "}" else ("", "}")
            return f"CPUS{opening}{self.random.choice([*CPU_LISTS, ''])}{closing}"
        return self.random.choice(
            ["word", "a.b", "*x*", "$x", "", "(1)", "comm", "=", "CPU", "CPUS ", "true"]
        )

    def predicate(self) -> str:
        odd = self.random.random()
        name = self.name()
        operator = self.random.choice(OPERATORS)
        value = self.value()
        if odd < 0.08:
            operator = self.random.choice(WRONG_OPERATORS)
        elif odd < 0.16:
            name += ".function" if self.random.random() < 0.8 else ".ustring.function"
            value = self.random.choice([*KNOWN_FUNCTIONS * 2, *KNOWN_DATA, *UNKNOWN_FUNCTIONS, *ADDRESSES])
            if self.random.random() < 0.7:
                operator = self.random.choice(["==", "!="])
            value += " "
        elif odd < 0.2:
            name += self.random.choice(
                [".ustring", ".function.ustring", ".Function", ". function", ".ustringx", "."]
            )
        elif odd < 0.23:
            name, value = value, name
        return f"{name}{self.blank()}{operator}{self.blank()}{value}"

    def nearly(self) -> str:
        """A good predicate with its name, operator or value replaced by one that may not fit."""
        text = self.good()
        for operator in OPERATORS:
            before, found, after = text.partition(operator)
            if not found:
                continue
            kind = self.random.random()
            if kind < 0.3:
                return f"{self.name()} {operator}{after}"
            if kind < 0.6:
                return f"{before}{self.random.choice([*OPERATORS, *WRONG_OPERATORS])}{after}"
            return f"{before}{operator}{self.blank()}{self.value()}"
        return text

    def expression(self, depth: int = 0) -> str:
        if depth > 3 or self.random.random() < 0.4:
            odd = self.random.random()
            term = self.predicate() if odd < 0.25 else self.nearly() if odd < 0.4 else self.good()
            return self.random.choice(["", "", "", "!", "! ", "!!"]) + term
        joint = (
            self.random.choice(["&&", "||"])
            if self.random.random() < 0.95
            else self.random.choice(["&", "|", "and", ""])
        )
        text = f"{self.expression(depth + 1)}{self.blank()}{joint}{self.blank()}{self.expression(depth + 1)}"
        return f"({text})" if self.random.random() < 0.4 else text

    def damaged(self) -> str:
        text = list(self.well())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(text) + 1)
            if self.random.random() < 0.4 and text:
                del text[min(at, len(text) - 1)]
            else:
                text.insert(at, self.random.choice(JUNK))
        return "".join(text)

    def garbage(self) -> str:
        return "".join(
            self.random.choice([*JUNK, self.name(), self.random.choice(OPERATORS), self.value()])
            for _ in range(self.random.randrange(0, 9))
        )

    def long(self) -> str:
        """As much as one write holds, and a little more; deep parentheses."""
        chance = self.random
        kind = chance.random()
        if kind < 0.4:
            text = " || ".join(["common_pid == 1"] * chance.choice([200, 214, 215, 216, 240]))
            return text[: chance.choice([4094, 4095, 4096, 4097, 5000])]
        if kind < 0.7:
            depth = chance.choice([5, 50, 300, 900])
            return f"{'(' * depth}common_pid == 1{')' * (depth - chance.choice([0, 0, 1]))}"
        joint = chance.choice([" && ", "||", " || !"])
        return joint.join(self.plain() for _ in range(chance.choice([10, 60, 170])))

    def one(self) -> str:
        """One filter that may be written."""
        kind = self.random.random()
        while True:
            if kind < 0.42:
                text = self.well()
            elif kind < 0.55:
                text = self.predicate()
            elif kind < 0.67:
                text = self.nearly()
            elif kind < 0.78:
                text = self.expression()
            elif kind < 0.91:
                text = self.damaged()
            elif kind < 0.98:
                text = self.garbage()
            else:
                text = self.long()
            if is_safe(text):
                return text
