"""The fetch-argument language as a syntax tree of plain values; ``str`` of a node is the text that the kernel
reads.

Source: Documentation/trace/kprobetrace.rst and kernel/trace/trace_probe.c. ``hex`` on a number keeps its
spelling, so that text which a person typed or the kernel listed comes back as it was (leading zeros and octal
apart).
"""

from __future__ import annotations

from dataclasses import dataclass

from kptui.probes.cnumber import spell

BASE_TYPES = frozenset(
    {f"{sign}{bits}" for sign in "usx" for bits in (8, 16, 32, 64)}
    | {"char", "symbol", "string", "ustring", "symstr", "%pd", "%pD"}
)
"""Type names other than bitfields. ``%pd`` (struct dentry *) and ``%pD`` (struct file *) exist since 6.9."""


def _signed(value: int, in_hex: bool) -> str:
    return f"{'-' if value < 0 else '+'}{spell(abs(value), in_hex)}"


@dataclass(frozen=True, slots=True)
class Register:
    """``%di``: a register as it was at the probed instruction."""

    name: str

    def __str__(self) -> str:
        return f"%{self.name}"


@dataclass(frozen=True, slots=True)
class StackEntry:
    """``$stack2``: the N-th word of the stack."""

    index: int

    def __str__(self) -> str:
        return f"$stack{self.index}"


@dataclass(frozen=True, slots=True)
class Stack:
    """``$stack``: the value of the stack pointer."""

    def __str__(self) -> str:
        return "$stack"


@dataclass(frozen=True, slots=True)
class ArgN:
    """``$arg2``: the N-th argument of the function, from 1."""

    index: int

    def __str__(self) -> str:
        return f"$arg{self.index}"


@dataclass(frozen=True, slots=True)
class ArgStar:
    """``$arg*``: every parameter by its BTF name; a word of its own."""

    def __str__(self) -> str:
        return "$arg*"


@dataclass(frozen=True, slots=True)
class Retval:
    """``$retval``: the return register, in return probes."""

    def __str__(self) -> str:
        return "$retval"


@dataclass(frozen=True, slots=True)
class Comm:
    """``$comm`` (or ``$COMM``): the command name of the current task."""

    upper: bool = False

    def __str__(self) -> str:
        return "$COMM" if self.upper else "$comm"


@dataclass(frozen=True, slots=True)
class MemAddr:
    """``@0xffffffff81000000``: memory at an address."""

    address: int
    hex: bool = True

    def __str__(self) -> str:
        return f"@{spell(self.address, self.hex)}"


@dataclass(frozen=True, slots=True)
class MemSym:
    """``@jiffies+8``: memory at a kernel symbol. A symbol without offset prints none."""

    symbol: str
    offset: int = 0
    hex: bool = False

    def __str__(self) -> str:
        return f"@{self.symbol}{_signed(self.offset, self.hex) if self.offset else ''}"


@dataclass(frozen=True, slots=True)
class FileOffset:
    """``@+0x1234``: memory at a file offset of the mapped object (uprobes only)."""

    offset: int
    hex: bool = True

    def __str__(self) -> str:
        return f"@+{spell(self.offset, self.hex)}"


@dataclass(frozen=True, slots=True)
class Immediate:
    r"""``\42``: a constant."""

    value: int
    hex: bool = False

    def __str__(self) -> str:
        return f"\\{'-' if self.value < 0 else ''}{spell(abs(self.value), self.hex)}"


@dataclass(frozen=True, slots=True)
class ImmString:
    r"""``\"text"``: a constant string. It can hold no white space, ``#`` or ``:``, and ``=`` only behind a
    NAME=.
    """

    text: str

    def __str__(self) -> str:
        return f'\\"{self.text}"'


@dataclass(frozen=True, slots=True)
class Deref:
    """``+8(EXPR)``, ``-u8(EXPR)``: memory at EXPR's value plus ``offset`` (32 bits, signed); ``user`` reads
    user memory.
    """

    offset: int
    expr: Expr
    user: bool = False
    hex: bool = False

    def __str__(self) -> str:
        sign = "-" if self.offset < 0 else "+"
        return f"{sign}{'u' if self.user else ''}{spell(abs(self.offset), self.hex)}({self.expr})"


@dataclass(frozen=True, slots=True)
class Member:
    """One step of a BTF path: ``->name`` through a pointer (``arrow``) or ``.name`` into an embedded
    struct.
    """

    name: str
    arrow: bool = True

    def __str__(self) -> str:
        return f"{'->' if self.arrow else '.'}{self.name}"


@dataclass(frozen=True, slots=True)
class BtfPath:
    """``file->f_path.dentry``: a parameter by its BTF name (or ``$retval``) and members of what it points
    to.
    """

    root: str
    members: tuple[Member, ...] = ()

    def __str__(self) -> str:
        return self.root + "".join(map(str, self.members))


@dataclass(frozen=True, slots=True)
class Raw:
    """A form that only newest kernels know (``(task_struct)$current->pid``, ``this_cpu_read(x)``), kept as
    text.
    """

    text: str

    def __str__(self) -> str:
        return self.text


Expr = (
    Register | StackEntry | Stack | ArgN | ArgStar | Retval | Comm | MemAddr | MemSym | FileOffset | Immediate
    | ImmString | Deref | BtfPath | Raw
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bitfield:
    """``b4@0/32``: ``width`` bits from bit ``offset`` of a container of ``container`` bits (8, 16, 32 or
    64).
    """

    width: int
    offset: int
    container: int

    def __str__(self) -> str:
        return f"b{self.width}@{self.offset}/{self.container}"


@dataclass(frozen=True, slots=True)
class ArgType:
    """``s32``, ``ustring[6]``, ``b4@0/32``: how the value is stored and printed; ``count`` makes it an array
    (1 to 64).
    """

    base: str | Bitfield
    count: int | None = None

    def __str__(self) -> str:
        return f"{self.base}{'' if self.count is None else f'[{self.count}]'}"

    @property
    def is_string(self) -> bool:
        """Whether it prints text read from memory (string, ustring)."""
        return self.base in {"string", "ustring"}


@dataclass(frozen=True, slots=True)
class FetchArg:
    """One argument of a probe: ``name=expr:type``, name and type optional."""

    expr: Expr
    name: str | None = None
    type: ArgType | None = None

    def __str__(self) -> str:
        head = "" if self.name is None else f"{self.name}="
        return f"{head}{self.expr}{'' if self.type is None else f':{self.type}'}"
