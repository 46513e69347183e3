"""The files of recorded kernels, as an outsider would give them to a headless command.

README, kallsyms and BTF are made of the cuts in tests/probes/data: every symbol and type that the recorded definitions
touch, with addresses of our own.
"""

from __future__ import annotations

import json
import lzma
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kptui.btf.types import ARRAY, ENUM, INT, PROTO, STRUCT, UNION
from tests.btf.writer import Writer
from tests.probes.kernels import DATA

TEXT, CODE, DATA_AT, MODULE = 0xFFFFFFFF81000000, 0xFFFFFFFF81100000, 0xFFFFFFFF82000000, 0xFFFFFFFFC0000000
_KEPT = 32  # ids that stay: the kernel takes an integer's size for an id now and then
_FWD = 7


@dataclass(frozen=True)
class Files:
    """Paths of one kernel's files."""

    release: str
    readme: Path
    kallsyms: Path
    btf: Path

    @property
    def options(self) -> list[str]:
        """For definitions: none stands."""
        return [*self.for_filters, "--existing", "/dev/null"]

    @property
    def for_filters(self) -> list[str]:
        files = ("--readme", str(self.readme), "--kallsyms", str(self.kallsyms), "--btf", str(self.btf))
        return [*files, "--release", self.release]


@cache
def _data(version: str) -> Any:
    return json.loads(lzma.decompress((DATA / f"kernel-{version}.json.xz").read_bytes()))


def files_of(version: str, folder: Path) -> Files:
    """Write a kernel's files into ``folder``."""
    data = _data(version)
    files = Files(data["release"], folder / "README", folder / "kallsyms", folder / "vmlinux")
    files.readme.write_text(
        f"tracing mini-HOWTO:\n  kprobe_events uprobe_events dynamic_events\n{data['readme']}"
    )
    files.kallsyms.write_text(kallsyms(data))
    files.btf.write_bytes(btf(data))
    return files


def kallsyms(data: Any) -> str:
    """Every symbol as often as the kernel has it, NOKPROBE_SYMBOLs with their mark, and the static events."""
    lines = [
        (TEXT, "T", "_text"),
        (TEXT, "T", "_stext"),
        (DATA_AT - 16, "T", "_etext"),
        (DATA_AT + (1 << 24), "B", "_end"),
    ]
    lines.append((CODE - 64, "T", "__fentry__"))
    at = CODE
    for name, count in data["symbols"].items():
        if ":" in name or name in data["modules"]:
            continue
        module = next((m for m in data["modules"] if f"{m}:{name}" in data["symbols"]), None)
        kind, place = (
            ("d", at + DATA_AT - TEXT) if name in {"jiffies", "init_task", "cpu_number"} else ("t", at)
        )
        for n in range(count):
            text = name if module is None else f"{name}\t[{module}]"
            lines.append((place + 64 * n if module is None else MODULE + at - CODE, kind, text))
        at += 64 * max(count, 1)
    lines += [
        (at + DATA_AT - TEXT + 8 * n, "d", f"_kbl_addr_{name}") for n, name in enumerate(data["blacklist"])
    ]
    for event in data["events"]:
        lines.append((at + DATA_AT - TEXT + 1024, "d", f"event_{event.partition('/')[2]}"))
    return "".join(f"{address:016x} {kind} {name}\n" for address, kind, name in sorted(lines))


def btf(data: Any) -> bytes:
    """The cut of the kernel's types, small ids where they were, and its message codes as an enum."""
    cut = data["btf"] or {"types": {}, "functions": {}, "structs": {}}
    old = {int(number): record for number, record in cut["types"].items()}
    order = [n if n in old else None for n in range(1, _KEPT + 1)] + sorted(n for n in old if n > _KEPT)
    new = {number: at for at, number in enumerate(order, 1) if number is not None}
    writer = Writer()
    for number in order:
        if number is None:
            writer.add(_FWD, "absent", 0)
        else:
            _record(writer, old[number], new)
    codes = [f"TP_ERR_{code}" for code in data["codes"]]
    writer.enum("", [(code, n) for n, code in enumerate(codes)])
    return writer.data()


def _record(writer: Writer, record: Any, new: dict[int, int]) -> None:
    kind, name, ref, members, encoding, element = record
    away = 1 << 20  # leads nowhere, as in the cut
    target = ref if kind in {INT, STRUCT, UNION, ENUM, _FWD} or ref == 0 else new.get(ref, away)
    extra, count, flag = b"", 0, 0
    if kind == INT:
        extra = struct.pack("<I", encoding)
    elif kind == ARRAY:
        extra, target = struct.pack("<III", new.get(element, away), 0, 1), 0
    elif kind in {STRUCT, UNION}:
        count, flag = len(members), int(any(width for *_, width in members))
        rows = [(text, new.get(t, away) if t else 0, bits | width << 24) for text, t, bits, width in members]
        extra = writer.members(*rows)
    elif kind == PROTO:
        count = len(members)
        extra = writer.params(*((text, new.get(t, away) if t else 0) for text, t, *_ in members))
    writer.add(kind, name, target, extra, count, flag)
