"""The names of the kernel that is asked: real functions with their parameters, duplicates, modules, data.

Read in the guest, so that definitions can be made of them. All of it is the same at every boot of one kernel
(addresses are not), so that a seed gives the same definitions again.
"""

from __future__ import annotations

import contextlib
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kptui.btf import Btf, Type
from kptui.btf.types import PTR, STRUCT, UNION
from kptui.probes.check.target import features_of

TRACEFS = Path("/sys/kernel/tracing")
BTF_FILE = Path("/sys/kernel/btf/vmlinux")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Words:
    """``functions`` are traceable, of the kernel itself and there once; ``modules`` are ``module:function``.

    ``twice`` are functions of which there are several, ``untraced`` those that ftrace doesn't know,
    ``blacklisted`` the forbidden ones, ``data`` symbols that are no functions. ``distances`` are texts
    ``_text+0x…`` of functions, ``events`` (``group:event``) those of the kernel, ``features`` what its README
    proves.
    """

    functions: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    untraced: tuple[str, ...] = ()
    blacklisted: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    distances: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    btf: Btf | None = field(default=None, compare=False)

    def parameters(self, function: str) -> tuple[tuple[str, Type | None], ...]:
        """The names of a function's parameters and their types; () where BTF doesn't have it."""
        proto = self.btf.prototype(function) if self.btf is not None else None
        if self.btf is None or proto is None:
            return ()
        return tuple((member.name, self.btf.resolved(member.type)) for member in proto.members)

    def returned(self, function: str) -> Type | None:
        """The type that a function returns."""
        proto = self.btf.prototype(function) if self.btf is not None else None
        return self.btf.resolved(proto.ref) if self.btf is not None and proto is not None else None

    def fields(self, event: str) -> tuple[str, ...]:
        """The names of the fields of an event (``group:event``), () where it can't be read."""
        try:
            text = (TRACEFS / "events" / event.replace(":", "/") / "format").read_text()
        except OSError:
            return ()
        own = text.partition("\n\n")[2]
        return tuple(re.findall(r"^\tfield:.*?(\w+)(?:\[\d*\])?;", own, re.MULTILINE))

    def path(self, kind: Type | None, chance: random.Random, *, arrow: bool = True) -> str:
        """Members to reach from a value of that type, ``->f_path.dentry``; "" where there are none."""
        out = ""
        for _ in range(chance.choice([1, 1, 2, 3])):
            if self.btf is None or kind is None:
                break
            if arrow and (kind.kind != PTR or (kind := self.btf.resolved(kind.ref)) is None):
                break
            if kind.kind not in {STRUCT, UNION}:
                break
            named = self._members(kind)
            if not named:
                break
            name, number = chance.choice(named)
            out += ("->" if arrow else ".") + name
            kind = self.btf.resolved(number)
            arrow = kind is not None and kind.kind == PTR
        return out

    def _members(self, kind: Type) -> list[tuple[str, int]]:
        """Name and type of each member, those of anonymous structures with them."""
        found: list[tuple[str, int]] = []
        for member in kind.members:
            if member.name:
                found.append((member.name, member.type))
                continue
            inner = self.btf.resolved(member.type) if self.btf is not None else None
            if inner is not None and inner.kind in {STRUCT, UNION}:
                found += self._members(inner)
        return found


@cache
def kallsyms() -> list[list[str]]:
    """/proc/kallsyms: address, kind, name and perhaps ``[module]`` of each symbol."""
    return [line.split() for line in Path("/proc/kallsyms").read_text().splitlines()]


def read_words(limit: int = 3000) -> Words:
    """The running kernel's words, at most ``limit`` of a sort."""
    lines = kallsyms()
    count = Counter(line[2] for line in lines)
    traced = set()
    modules = []
    with contextlib.suppress(OSError):  # a kernel without function tracing
        for line in (TRACEFS / "available_filter_functions").read_text().splitlines():
            name, *module = line.split()
            traced.add(name)
            if module and count[name] == 1 and module[0] != "[bpf]":
                modules.append(f"{module[0][1:-1]}:{name}")
    blacklisted = set()
    with contextlib.suppress(OSError):
        for entry in Path("/sys/kernel/debug/kprobes/blacklist").read_text().splitlines():
            blacklisted.add(entry.split()[-1])
    text = next((int(line[0], 16) for line in lines if line[2] == "_text"), 0)
    own = [line for line in lines if len(line) == 3 and _NAME.fullmatch(line[2])]
    functions = [line for line in own if line[1] in "tT" and line[2] in traced and count[line[2]] == 1]

    def some(names: list[str]) -> tuple[str, ...]:
        """Spread over the list, in an order that is the same at every boot."""
        ordered = sorted(set(names))
        return tuple(random.Random("words").sample(ordered, min(limit, len(ordered))))

    known = traced | blacklisted
    chosen = set(some([line[2] for line in functions]))
    return Words(
        functions=tuple(sorted(chosen)),
        modules=some(modules),
        twice=some([line[2] for line in own if line[1] in "tT" and count[line[2]] > 1]),
        untraced=some(
            [line[2] for line in own if line[1] in "tT" and line[2] not in known and count[line[2]] == 1]
        ),
        blacklisted=some([name for name in blacklisted if count[name] == 1]),
        data=some([line[2] for line in own if line[1] in "dDbBrR"]),
        distances=some(
            [
                f"_text+0x{int(line[0], 16) - text:x}"
                for line in own
                if text and line[1] in "tT" and (line[2] in chosen or count[line[2]] > 1)
            ]
        ),
        events=some((TRACEFS / "available_events").read_text().split()),
        features=features_of((TRACEFS / "README").read_text()),
        btf=Btf.parse(BTF_FILE.read_bytes()) if BTF_FILE.exists() else None,
    )
