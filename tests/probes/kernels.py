"""Targets and definitions recorded on real kernels, for the tests of the checker.

Each data file holds one kernel's release, its README's section on probes, its message codes, how often the
symbols used occur, a cut of its BTF, and definitions with what the kernel said of them.
"""

from __future__ import annotations

import errno
import json
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kptui.btf import VOID, Btf, Member, Type, types
from kptui.probes.check import Target

KERNELS = ("5.10", "6.1", "6.12", "6.18", "7.3")
DATA = Path(__file__).parent / "data"
_HEADER = re.compile(r"\[ *\d+\.\d+\] (?P<where>[^:]+): error: (?P<message>.*)")


@dataclass(frozen=True)
class Recorded:
    """A definition, the errno's name (None: accepted), and (message, caret, command) of each log entry."""

    command: str
    errno: str | None
    entries: tuple[tuple[str, int, str], ...]


def parse_error_log(text: str) -> tuple[tuple[str, int, str], ...]:
    """The entries of an error_log in its three-line form."""
    lines = text.splitlines()
    out = []
    for i in range(0, len(lines) - 2, 3):
        match = _HEADER.fullmatch(lines[i])
        assert match, lines[i]
        out.append((match["message"], lines[i + 2].index("^") - 11, lines[i + 1].removeprefix("  Command: ")))
    return tuple(out)


def _name(number: int) -> str | None:
    return None if number == 0 else {errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(number, errno.errorcode[number])


@cache
def _data(version: str) -> Any:
    return json.loads(lzma.decompress((DATA / f"kernel-{version}.json.xz").read_bytes()))


class _Cut(Btf):
    """Single records under the ids that they had in the kernel's BTF."""

    def __init__(self, data: Any) -> None:
        self._cut = {
            int(number): Type(
                kind, name, ref, tuple(Member(*member) for member in members), encoding, element
            )
            for number, (kind, name, ref, members, encoding, element) in data["types"].items()
        }
        self._by_name = {types.FUNC: data["functions"], types.STRUCT: data["structs"]}

    def type(self, number: int) -> Type | None:
        return VOID if number == 0 else self._cut.get(number)

    def numbers(self, *kinds: int) -> Iterator[int]:
        return (number for number, found in self._cut.items() if found.kind in kinds)

    def name(self, number: int) -> str:
        return self._cut[number].name

    def find(self, name: str, *kinds: int) -> tuple[int, ...]:
        return tuple(self._by_name[kind][name] for kind in kinds if name in self._by_name[kind])


def target_of(version: str, **more: Any) -> Target:
    """The recorded kernel as a target."""
    data = _data(version)
    symbols, modules, events = data["symbols"], data["modules"], data["events"]
    options: dict[str, Any] = {
        "symbol_count": lambda name, module: symbols.get(f"{module}:{name}" if module else name, 0),
        "is_loaded_module": lambda name: name in modules,
        "event_exists": lambda group, event: f"{group}/{event}" in events,
        "not_probeable": lambda name, module: "blacklisted" if name in data["blacklist"] else None,
        "error_codes": frozenset(data["codes"]),
        "btf": _Cut(data["btf"]) if data["btf"] else None,
    }
    return Target.from_readme(data["readme"], data["release"], **(options | more))


def recorded(version: str) -> list[Recorded]:
    """Every definition tried on that kernel."""
    return [
        Recorded(item["command"], _name(item["errno"]), parse_error_log(item["error_log"]))
        for item in _data(version)["definitions"]
    ]
