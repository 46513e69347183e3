"""What a line of trace text says, as values: one frozen record for each kind of line the kernel writes.

Everything here is text as the kernel printed it (UTF-8 with surrogateescape, so no byte is lost); only the
numbers of the line prefix and of places become integers. What the kernel did not print is None, never a
guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

ArgType = Literal["num", "str", "fault", "array", "sym"]
ArgValue = str | tuple[str | None, ...] | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A place in the kernel: ``sym+0xOFF/0xSIZE [mod]``, or a bare address in ``addr`` (hex as printed).

    ``sym`` alone also holds the texts that are no symbol, such as ``[unknown/kretprobe'd]`` (a return
    trampoline as caller) and ``syscalls.sys_enter_openat`` (the parent of an event probe): they are all that
    is known.
    """

    sym: str | None
    off: int | None = None
    size: int | None = None
    mod: str | None = None
    addr: str | None = None

    def __str__(self) -> str:
        if self.sym is None:
            return self.addr or ""
        text = self.sym
        if self.off is not None:
            text += f"+{self.off:#x}"
        if self.size is not None:
            text += f"/{self.size:#x}"
        if self.mod is not None:
            text += f" [{self.mod}]"
        return text if self.addr is None else f"{text} <{self.addr}>"


@dataclass(frozen=True, slots=True)
class Arg:
    """One ``NAME=VALUE`` of a probe record.

    ``value`` is the text between the quotes for strings and characters, None for ``(fault)``, a tuple for
    arrays (an element that faulted is None), else the text as printed.
    """

    name: str
    value: ArgValue
    type: ArgType


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """A record with the usual prefix: a probe's (``ip``, or ``ret_ip`` and ``func``) or another event's
    (``body``).

    ``event`` is empty where the kernel prints no name (``Unknown type 7``, syscall events), with the text in
    ``body``; for the head of a stack it is ``<stack trace>`` or ``<user stack trace>``. ``body`` is None just
    for probe records. ``flags`` is None when irq-info was off, ``tgid`` when it was off or unknown. ``ts`` is
    seconds with six decimals, a plain count for counting clocks, or ``NNNus`` in latency-format, whose mark
    (``! # * @ $``) is in ``mark``. ``ambiguous``: the argument text can be read in more than one way even
    with the event's argument list at hand; then each string reaches as far as it can.
    """

    kind: ClassVar[Literal["event"]] = "event"
    comm: str
    pid: int
    tgid: int | None
    cpu: int
    flags: str | None
    ts: str
    event: str
    ip: Ref | None
    ret_ip: Ref | None
    func: str | None
    args: tuple[Arg, ...]
    body: str | None
    raw: str
    mark: str | None = None
    ambiguous: bool = False

    @property
    def text(self) -> str:
        """The whole record as the kernel printed it, without its last newline."""
        return self.raw

    @property
    def is_return(self) -> bool:
        return self.ret_ip is not None


@dataclass(frozen=True, slots=True)
class Lost:
    """``CPU:2 [LOST 4876 EVENTS]``: records gone before that CPU's next; count None when not told."""

    kind: ClassVar[Literal["lost"]] = "lost"
    cpu: int
    count: int | None
    text: str


@dataclass(frozen=True, slots=True)
class StackFrame:
    """One `` => function`` line below a ``<stack trace>`` or ``<user stack trace>`` record."""

    kind: ClassVar[Literal["stack_frame"]] = "stack_frame"
    text: str


@dataclass(frozen=True, slots=True)
class Annotate:
    """``##### CPU 3 buffer started ####``."""

    kind: ClassVar[Literal["annotate"]] = "annotate"
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """A ``#`` line of the ``trace`` file."""

    kind: ClassVar[Literal["header"]] = "header"
    text: str


@dataclass(frozen=True, slots=True)
class Raw:
    """A line of no known shape: context-info off, raw and hex mode, ``[LINE TOO BIG]``, garbage, an empty
    line.
    """

    kind: ClassVar[Literal["raw"]] = "raw"
    text: str


Record = TraceEvent | Lost | StackFrame | Annotate | Header | Raw


@dataclass(frozen=True, slots=True)
class ArgSpec:
    """What is known beforehand of an argument: its name, the kind of a value, and for arrays how many there
    are.
    """

    name: str
    kind: Literal["num", "str", "char", "sym"]
    count: int | None = None
