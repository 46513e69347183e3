"""Where the System V ABI for x86-64 puts each parameter of a function, by the types that BTF gives them.

Counting parameters is right only while each takes one register. Structures up to 16 bytes take two or go to the
stack as a whole, larger ones are copied to the stack, 128-bit integers take two registers, floating point goes
to registers that probes can't read, and a large result takes the first register for itself.
Source: System V ABI, AMD64 supplement, 3.2.3; what gcc does with misaligned and empty members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kptui.btf import Btf, Type
from kptui.btf.types import ARRAY, ENUM, ENUM64, INT, PTR, STRUCT, UNION
from kptui.probes.abi import ARGUMENT_REGISTERS, PT_REGS
from kptui.probes.exprs import Deref, Expr, Register, Retval, StackEntry

WORD: Final = 8
IN_REGISTERS: Final = 16  # bytes: a larger structure is passed in memory
_MAX_DEPTH: Final = 32

Part = Literal["integer", "float", "memory"]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value is: in ``registers`` (one for each eight bytes), or at word ``stack`` of the stack.

    ``size`` in bytes. ``reason``: why nothing in the probe language reads it; '' if it can be read. ``saved``: the
    registers are the caller's, in the ``struct pt_regs`` that ``%di`` points to.
    """

    registers: tuple[str, ...] = ()
    stack: int | None = None
    size: int = 0
    reason: str = ""
    saved: bool = False

    @property
    def text(self) -> str:
        """``%di``, ``%di:%si`` for two registers, ``$stack1``, ``$retval``, ``+112(%di)``; '' if nowhere."""
        if self.stack is not None:
            return f"$stack{self.stack}"
        return ":".join(map(str, self.words))

    @property
    def in_registers(self) -> bool:
        """The registers hold the value itself, not the address of one that is too large for them."""
        return bool(self.registers) and 0 < self.size <= IN_REGISTERS

    @property
    def words(self) -> tuple[Expr, ...]:
        """The expressions that read the registers."""
        return tuple(self._word(name) for name in self.registers)

    @property
    def word(self) -> Expr | None:
        """The expression that reads the first eight bytes; None if nothing does."""
        if self.stack is not None:
            return StackEntry(self.stack)
        return self._word(self.registers[0]) if self.registers else None

    def _word(self, name: str) -> Expr:
        if self.saved:
            return Deref(PT_REGS[name], Register("di"))
        return Retval() if name == "retval" else Register(name)


def classify(btf: Btf, number: int) -> tuple[Part, ...] | None:
    """A class for each eight bytes of a type: () for one without size, ("memory",) for one that is passed in
    memory; None if BTF doesn't know its size.
    """
    size = btf.size(number)
    kind = btf.resolved(number)
    if size is None or kind is None:
        return None
    if kind.kind in {STRUCT, UNION}:
        if size > IN_REGISTERS:
            return ("memory",)
        parts: list[Part | None] = [None] * -(-size // WORD)
        if not _spread(btf, kind, 0, parts, 0):
            return ("memory",)
        known: list[Part] = [part or "integer" for part in parts]
        return tuple(known)
    if kind.is_float:
        return ("memory",) if "long double" in kind.name else ("float",)
    if kind.kind in {INT, PTR, ENUM, ENUM64}:
        whole: Part = "integer"
        return (whole,) * -(-size // WORD)
    return None


def _spread(btf: Btf, kind: Type, at: int, parts: list[Part | None], depth: int) -> bool:
    """Class the members from bit ``at``; False if they make the whole thing pass in memory."""
    if depth > _MAX_DEPTH:
        return False
    for member in kind.members:
        start = at + member.bits
        if member.width and kind.kind == STRUCT:  # in a union gcc takes it for a whole one of its type
            for index in {start // 64, (start + member.width - 1) // 64}:
                if index < len(parts):
                    parts[index] = "integer"
        elif not _place(btf, member.type, start, parts, depth + 1):
            return False
    return True


def _place(btf: Btf, number: int, at: int, parts: list[Part | None], depth: int) -> bool:
    kind, size = btf.resolved(number), btf.size(number)
    if kind is None or size is None or depth > _MAX_DEPTH:
        return False
    if kind.kind == ARRAY:
        step = (btf.size(kind.element) or 0) * 8
        if not step or not kind.count:
            return True
        # of an array gcc looks at the first element, and takes the others for its like wherever they lie
        first: list[Part | None] = [None] * -(-(at % 64 + step) // 64)
        if kind.count > IN_REGISTERS or not _place(btf, kind.element, at % 64, first, depth + 1):
            return False
        for n in range(-(-(at % 64 + step * kind.count) // 64)):
            _merge(parts, at // 64 + n, first[n % len(first)])
        return True
    if kind.kind in {STRUCT, UNION}:
        return _spread(btf, kind, at, parts, depth)
    if at % (min(size, IN_REGISTERS) * 8 or 8) or (kind.is_float and "long double" in kind.name):
        return False
    for index in range(at // 64, -(-(at + size * 8) // 64)):
        _merge(parts, index, "float" if kind.is_float else "integer")
    return True


def _merge(parts: list[Part | None], index: int, part: Part | None) -> None:
    if index < len(parts) and part is not None and parts[index] != "integer":
        parts[index] = part


def _alignment(btf: Btf, number: int, depth: int = 0) -> int:
    """How many bytes a type is aligned to, from 1 to 16. BTF has no attributes: what is packed shows only where
    a member or the size says so.
    """
    kind, size = btf.resolved(number), btf.size(number)
    if kind is None or not size or depth > _MAX_DEPTH:
        return 1
    if kind.kind == ARRAY:
        return _alignment(btf, kind.element, depth + 1)
    if kind.kind not in {STRUCT, UNION}:
        return min(size, 2 * WORD)
    inner = [(m, _alignment(btf, m.type, depth + 1)) for m in kind.members]
    most = max((align for _, align in inner), default=1)
    packed = size % most or any(not m.width and m.bits % (align * 8) for m, align in inner)
    return 1 if packed else most


def _is_x87(btf: Btf, number: int) -> bool:
    """A ``long double``, alone in a structure or not: returned in a register of the x87."""
    for _ in range(_MAX_DEPTH):
        kind = btf.resolved(number)
        if kind is None or kind.kind not in {STRUCT, UNION} or len(kind.members) != 1:
            return kind is not None and kind.is_float and "long double" in kind.name
        number = kind.members[0].type
    return False


def _in_memory(btf: Btf, number: int) -> bool:
    """The caller says where the result is to go: the address takes the first register."""
    return classify(btf, number) == ("memory",) and not _is_x87(btf, number)


def parameter_slots(btf: Btf, proto: Type) -> tuple[Slot, ...]:
    """The slot of each parameter of a prototype, at the function's first instruction."""
    free = list(ARGUMENT_REGISTERS)
    floats = 0
    stack = 1  # word 0 is the return address
    lost = ""
    if _in_memory(btf, proto.ref):
        del free[0]  # the address where the result goes
    slots: list[Slot] = []
    for parameter in proto.members:
        if not parameter.name and not parameter.type:
            slots.append(Slot(reason="variable arguments: each call has others"))
            continue
        parts, size = classify(btf, parameter.type), btf.size(parameter.type) or 0
        if parts is None:
            lost = lost or f"the size of {parameter.name or 'a parameter'} is unknown, and so is where it is"
        if lost:
            slots.append(Slot(reason=lost))
            continue
        assert parts is not None
        if not parts:
            slots.append(Slot(reason="it has no size and is not passed"))
            continue
        whole = parts.count("integer")
        fits = "memory" not in parts and whole <= len(free) and floats + parts.count("float") <= 8
        if fits:
            taken = iter(free[:whole])
            del free[:whole]
            if "float" in parts:
                slots.append(Slot(size=size, reason=f"in %xmm{floats}, a register that probes can't read"))
                floats += parts.count("float")
            else:
                slots.append(Slot(tuple(taken), size=size))
            continue
        if _alignment(btf, parameter.type) > WORD:
            stack += (stack - 1) % 2
        slots.append(Slot(stack=stack, size=size))
        stack += -(-size // WORD)
    return tuple(slots)


def result_slot(btf: Btf, number: int) -> Slot:
    """Where a function's result is when it returns. A result in memory leaves its address in ``$retval``."""
    if number == 0:
        return Slot(reason="it returns nothing (void)")
    kind, parts, size = btf.resolved(number), classify(btf, number), btf.size(number) or 0
    if kind is not None and (kind.is_float or _is_x87(btf, number)):
        return Slot(size=size, reason="floating point, in a register that probes can't read")
    if parts is None:
        return Slot(reason="the size of the result is unknown")
    if parts == ("memory",):
        return Slot(("retval",), size=size)
    if "float" in parts:
        return Slot(size=size, reason="in %xmm0, a register that probes can't read")
    if not parts:
        return Slot(reason="the result has no size")
    return Slot(("retval", "dx")[: len(parts)], size=size)
