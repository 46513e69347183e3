"""The parameters of a function that BTF knows, and the fetch arguments that read them at its entry and return."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kptui.btf import Btf, Member, Type, ctext
from kptui.btf.types import PTR, STRUCT
from kptui.probes.check.fetch import RESERVED
from kptui.probes.exprs import ArgType, Deref, Expr, FetchArg
from kptui.probes.fetch import MAX_NAME, is_identifier
from kptui.probes.reading import Reading, reading
from kptui.probes.slots import IN_REGISTERS, WORD, Slot, parameter_slots, result_slot
from kptui.probes.userptr import is_file_operation, is_user_parameter

RESULT: Final = "$retval"
"""The name of the result among the parameters, and where a path to one of its members starts."""

ALL_FEATURES: Final = frozenset({"char", "dentry"})
_LENGTH: Final = re.compile(r"(?:\w*_)?(?:len|length|size|count|cnt|n|nbytes|namelen|namlen)")
_OF_TEXT: Final = ("str", "kstr")  # functions that are about text
_NAMES_OF: Final = {"dentry": "%pd", "file": "%pD"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, or the result.

    ``index`` counts from 1, the result has 0; ``name`` is BTF's ('' if it has none), for the result RESULT;
    ``ctype`` its type in C without the name (``...`` for variable arguments), ``type`` its id. ``slot``: where
    it is. ``fetch`` reads it, None if nothing does; then ``reason`` says why. ``others`` are other ways to read
    it, under the same name. ``user``: it is a pointer into user memory, by BTF or known to be.
    """

    index: int
    name: str
    ctype: str
    type: int
    slot: Slot
    fetch: FetchArg | None
    reason: str = ""
    others: tuple[FetchArg, ...] = ()
    note: str = ""
    user: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """A function: its ``prototype`` in C, its parameters in order, its result."""

    function: str
    prototype: str
    parameters: tuple[Parameter, ...]
    returns: Parameter

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name (``arg2`` for a nameless second one), or the result for RESULT."""
        if name == RESULT:
            return self.returns
        return next((p for p in self.parameters if name == (p.name or f"arg{p.index}")), None)

    @property
    def fetchargs(self) -> tuple[FetchArg, ...]:
        """The arguments that read all parameters that can be read; all names differ."""
        return tuple(p.fetch for p in self.parameters if p.fetch is not None)


def signature(btf: Btf, function: str, features: Iterable[str] = ALL_FEATURES) -> Signature | None:
    """What is known of a function; None if BTF doesn't have it. ``features`` of the target, as
    check.traits.README_FEATURES names them: ``char`` and ``dentry`` count here.
    """
    proto = btf.prototype(function)
    if proto is None:
        return None
    able = frozenset(features)
    slots = parameter_slots(btf, proto)
    ctypes = [ctext.declaration(btf, member.type) for member in proto.members]
    operation = is_file_operation(ctypes)
    taken: set[str] = set()
    parameters = []
    for index, (member, slot) in enumerate(zip(proto.members, slots, strict=True), 1):
        name = argument_name(member.name or f"arg{index}", taken)
        taken.add(name)
        draft = Parameter(index, member.name, ctypes[index - 1], member.type, slot, None)
        if not member.name and not member.type:
            parameters.append(replace(draft, ctype="...", reason=slot.reason))
        else:
            user = is_user_parameter(function, member.name, draft.ctype) or (operation and index == 2)
            filled = _filled(btf, able, replace(draft, user=user), name)
            parameters.append(_measured(filled, proto.members[index : index + 1], function))
    slot = result_slot(btf, proto.ref)
    draft = Parameter(0, RESULT, ctext.declaration(btf, proto.ref), proto.ref, slot, None)
    returns = _filled(btf, able, draft, argument_name("ret", taken))
    if slot.size > IN_REGISTERS and returns.fetch is None and not slot.reason:
        returns = replace(returns, note="$retval is the address of the result")
    return Signature(function, ctext.declare(btf, proto, function), tuple(parameters), returns)


def _measured(parameter: Parameter, following: Sequence[Member], function: str) -> Parameter:
    """Text whose length is the next parameter may go on behind it, which is noted. What a program passes so is as often
    no text: it is read as an address first, as one without a NUL byte in 4 KB would lose the whole event.
    """
    text = parameter.fetch
    kind = text.type if text is not None else None
    if text is None or kind is None or not kind.is_string or not following:
        return parameter
    if not _LENGTH.fullmatch(following[0].name):
        return parameter
    if parameter.user and not function.startswith(_OF_TEXT):
        address, *others = parameter.others
        return replace(parameter, fetch=address, others=(text, *others))
    note = f"up to a NUL byte, which need not be within {following[0].name}"
    return replace(parameter, note=f"{parameter.note}; {note}" if parameter.note else note)


def argument_name(text: str, taken: Iterable[str] = ()) -> str:
    """A valid argument name like ``text``, of at most 32 characters, that no field and none of ``taken`` has."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)[:MAX_NAME]
    if not is_identifier(name):
        name = f"_{name}"[:MAX_NAME]
    used = RESERVED.union(taken)
    base, number = name, 2
    while name in used:
        tail = f"_{number}"
        name, number = base[: MAX_NAME - len(tail)] + tail, number + 1
    return name


def _filled(btf: Btf, able: frozenset[str], draft: Parameter, name: str) -> Parameter:
    """The parameter with what reads it, as an argument called ``name``."""
    kind = btf.resolved(draft.type)
    how = reading(btf, draft.type, draft.name, chars="char" in able)
    pointer = kind is not None and kind.kind == PTR
    user = pointer and (draft.user or how.user)
    draft = replace(draft, user=user, note="in user memory" if user else how.note)
    source = draft.slot.word
    if source is None:
        return replace(draft, reason=draft.slot.reason)
    if how.reason:
        return (
            _in_registers(draft, name, how) if draft.slot.in_registers else replace(draft, reason=how.reason)
        )
    ways = [*as_text(source, name, how, user), FetchArg(source, name, ArgType(how.base))]
    if how.text and not how.sure:
        ways.reverse()
    if pointer and kind is not None and not user and "dentry" in able:
        ways += _as_name(btf, kind, source, name)
    return replace(draft, fetch=ways[0], others=tuple(ways[1:]))


def as_text(source: Expr, name: str, how: Reading, user: bool) -> list[FetchArg]:
    """The argument that reads the text behind a pointer, if it is one to text."""
    if how.text != "pointer":
        return []
    return [FetchArg(Deref(0, source), name, ArgType("ustring" if user else "string"))]


def _as_name(btf: Btf, pointer: Type, source: Expr, name: str) -> list[FetchArg]:
    target = btf.resolved(pointer.ref)
    special = _NAMES_OF.get(target.name) if target is not None and target.kind == STRUCT else None
    return [] if special is None else [FetchArg(source, name, ArgType(special))]


def _in_registers(draft: Parameter, name: str, how: Reading) -> Parameter:
    """A structure in one or two registers, as bare words; a 128-bit number is refused, its halves are offered."""
    halves = []
    for n, word in enumerate(draft.slot.words):
        left = (draft.slot.size - WORD * n) * 8
        bits = next((bits for bits in (8, 16, 32) if left <= bits), 64)
        part = name if n == 0 else argument_name(f"{name[: MAX_NAME - 3]}_hi")
        halves.append(FetchArg(word, part, ArgType(f"x{bits}")))
    if how.is_number:
        words = " and ".join(map(str, draft.slot.words))
        return replace(draft, reason=f"{how.reason}; its halves are in {words}", others=tuple(halves))
    note = "a structure as one number" if len(halves) == 1 else "eight bytes of a structure"
    return replace(draft, fetch=halves[0], others=tuple(halves[1:]), note=note)
