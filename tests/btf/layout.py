"""``python -m tests.btf.layout [--pairs N] [--seed N] [FILE…]``: offsets and sizes of members against gcc's.

bpftool writes the types of a kernel's BTF as C, gcc compiles it, and for random pairs of a structure and a
member the fetch argument that the walker makes is compared with where gcc has the member: byte offset and size,
for bit fields the bits themselves. C can't say all that BTF does (bpftool loses alignments), so that pahole is
asked where gcc differs. Without FILE: BTF of all real kernels there are.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kptui.btf import Btf
from kptui.btf.types import CONST, ENUM, ENUM64, FWD, MODIFIERS, STRUCT, UNION
from kptui.probes.exprs import Bitfield, Deref, Register
from kptui.probes.params import Parameter, Signature
from kptui.probes.slots import Slot
from kptui.probes.walk import Spot, Walker
from kptui.probes.walk.spot import reach
from kptui.probes.walk.walker import flattened
from tests.btf.sources import real_btf

PAIRS = 2000
BIT_FIELDS = 0.15  # of the pairs, at least
_PLACES = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
_RUN = r"""
static unsigned char buffer[1 << 20];
static void bits(int n, int size) {
  int first = -1, count = 0;
  for (int i = 0; i < size * 8; i++)
    if (buffer[i / 8] >> i % 8 & 1) { if (first < 0) first = i; count++; }
  printf("%d %d %d\n", n, first, count);
}
static void place(int n, unsigned long at, unsigned long size) { printf("%d %lu %lu\n", n, at * 8, size * 8); }
"""


@dataclass(frozen=True)
class Pair:
    """A member: ``tag`` as C has it (``struct file``); ``bits`` and ``width`` as the walker's argument says."""

    tag: str
    member: str
    bits: int
    width: int
    is_field: bool


def programs() -> tuple[str, str] | None:
    """bpftool and gcc; None if one is missing."""
    found = shutil.which("bpftool", path=_PLACES), shutil.which("gcc")
    return (found[0], found[1]) if found[0] and found[1] else None


def pairs(btf: Btf, count: int, seed: int) -> list[Pair]:
    """``count`` random members of structures and unions whose tag is the only one of its name."""
    dice = random.Random(seed)
    plain: list[tuple[int, str, str]] = []
    fields: list[tuple[int, str, str]] = []
    names = {number: btf.name(number) for number in btf.numbers(STRUCT, UNION)}
    others = (btf.name(number) for number in btf.numbers(ENUM, ENUM64, FWD))  # of the same tag: renamed in C
    often = Counter([*names.values(), *others])
    for number, name in names.items():
        if not name or often[name] > 1:
            continue
        kind = btf.type(number)
        assert kind is not None
        tag = f"{'union' if kind.kind == UNION else 'struct'} {name}"
        for member, _ in flattened(btf, kind):
            if not member.name.startswith("__cacheline_group_"):
                (fields if member.width else plain).append((number, tag, member.name))
    most = min(len(fields), int(count * BIT_FIELDS))
    chosen = dice.sample(fields, most) + dice.sample(plain, min(len(plain), count - most))
    return [_pair(btf, *one) for one in chosen]


def _members(btf: Btf, number: int) -> tuple[Spot, ...]:
    """Of a structure behind ``%di``, of no function's in particular."""
    nothing = Parameter(0, "", "", 0, Slot(), None)
    return Walker(btf, Signature("", "", (), nothing)).children(Spot("s", "s", number, base=Register("di")))


def _pair(btf: Btf, number: int, tag: str, member: str) -> Pair:
    """By the fetch argument where there is one, else (structures, arrays of them) by the spot."""
    spot = next(child for child in _members(btf, number) if child.name == member)
    size = (btf.size(spot.type) or 0) * 8
    fetch = reach(btf, spot).fetch
    if fetch is None or fetch.type is None:
        return Pair(tag, member, spot.bits, spot.width or size, bool(spot.width))
    expr = fetch.expr
    while isinstance(expr, Deref) and isinstance(expr.expr, Deref):
        expr = expr.expr  # text behind a pointer: where the pointer is
    assert isinstance(expr, Deref)
    base = fetch.type.base
    if isinstance(base, Bitfield):
        return Pair(tag, member, expr.offset * 8 + base.offset, base.width, bool(spot.width))
    digits = "".join(filter(str.isdigit, base))
    if digits and fetch.type.count is None:
        size = int(digits)
    return Pair(tag, member, expr.offset * 8, size, False)


def is_const(btf: Btf, tag: str, member: str) -> bool:
    """Whether C can't assign to it."""
    word, name = tag.split()
    number = btf.find(name, UNION if word == "union" else STRUCT)[0]
    found = next(btf.type(c.type) for c in _members(btf, number) if c.name == member)
    while found is not None and found.kind in MODIFIERS:
        if found.kind == CONST:
            return True
        found = btf.type(found.ref)
    return False


def compare(
    path: Path, chosen: Sequence[Pair], tools: tuple[str, str], home: Path
) -> list[tuple[Pair, int, int]]:
    """What gcc has elsewhere: bits and width."""
    bpftool, gcc = tools
    header, source, binary = home / "vmlinux.h", home / "layout.c", home / "layout"
    with header.open("wb") as out:
        subprocess.run([bpftool, "btf", "dump", "file", path, "format", "c"], check=True, stdout=out)
    lines = ['#include "vmlinux.h"', "int printf(const char *, ...);", *_RUN.splitlines(), "int main(void) {"]
    before = len(lines)
    lines += [_statement(n, pair) for n, pair in enumerate(chosen)]
    wrong: list[tuple[Pair, int, int]] = []
    for _ in range(3):
        source.write_text("\n".join([*lines, "}", ""]))
        done = subprocess.run(
            [gcc, "-O0", "-w", "-fms-extensions", "-o", binary, source],
            check=False,
            capture_output=True,
            text=True,
        )
        # members that bpftool's C lacks: nothing to compare with
        lost = {int(n) - before - 1 for n in re.findall(r"layout\.c:(\d+):\d+: error", done.stderr)}
        if not done.returncode or not lost or not all(0 <= n < len(chosen) for n in lost):
            break
        wrong += [(chosen[n], -1, -1) for n in sorted(lost)]
        for n in lost:
            lines[before + n] = ";"
    done.check_returncode()
    printed = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(printed) + len(wrong) == len(chosen)
    for line in printed:
        n, bits, width = map(int, line.split())
        pair = chosen[n]
        if (bits, width) != (pair.bits, pair.width):
            wrong.append((pair, bits, width))
    return wrong


def _statement(n: int, pair: Pair) -> str:
    if pair.is_field:
        return (
            f"{{ {pair.tag} *s = (void *)buffer; __builtin_memset(s, 0, sizeof *s);"
            f" s->{pair.member} = -1; bits({n}, sizeof *s); }}"
        )
    return f"place({n}, __builtin_offsetof({pair.tag}, {pair.member}), sizeof((({pair.tag} *)0)->{pair.member}));"


def pahole_agrees(path: Path, pair: Pair) -> bool:
    """Whether pahole has the member where we have it."""
    name = pair.tag.split()[1]
    done = subprocess.run(["pahole", "-C", name, path], check=False, capture_output=True, text=True)
    line = re.compile(
        rf"\b{pair.member}\b(?:\[\d*\])*(?:\)\(.*\))?(?::(\d+))?(?: __attribute__\(\(.*?\)\))?;"
        r"\s+/\*\s*(\d+)(?::\s*(\d+))?\s+(\d+) \*/"
    )
    places = set()
    for width, at, bit, size in line.findall(done.stdout):
        places.add((int(at) * 8 + int(bit or 0), int(width or 0) or int(size) * 8))
    return (pair.bits, pair.width) in places


@dataclass(frozen=True)
class Result:
    """The pairs compared, those that only pahole has where we have them, and the differences."""

    pairs: list[Pair]
    by_pahole: list[Pair]
    wrong: list[str]


def check(path: Path, tools: tuple[str, str], count: int = PAIRS, seed: int = 1) -> Result:
    """Compare ``count`` pairs of one kernel's BTF."""
    btf = Btf.parse(path.read_bytes())
    chosen = [p for p in pairs(btf, count, seed) if not (p.is_field and is_const(btf, p.tag, p.member))]
    with tempfile.TemporaryDirectory(prefix="kptui-layout-") as home:
        differ = compare(path, chosen, tools, Path(home))
    second = {pair: bool(shutil.which("pahole")) and pahole_agrees(path, pair) for pair, _, _ in differ}
    wrong = [
        f"{pair.tag} {pair.member}: ours bit {pair.bits}, {pair.width} wide; gcc's {bits}, {width}"
        for pair, bits, width in differ
        if not second[pair]
    ]
    return Result(chosen, [pair for pair, agrees in second.items() if agrees], wrong)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.btf.layout", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    tools = programs()
    if tools is None:
        print("layout: bpftool and gcc are needed", file=sys.stderr)
        return 2
    status = 0
    with tempfile.TemporaryDirectory(prefix="kptui-btf-") as home:
        kernels = [(str(path), path) for path in options.files]
        for name, data in () if kernels else real_btf():
            path = Path(home) / f"{len(kernels)}.btf"
            path.write_bytes(data)
            kernels.append((name, path))
        for name, path in kernels:
            found = check(path, tools, options.pairs, options.seed)
            fields = sum(pair.is_field for pair in found.pairs)
            print(
                f"{name}: {len(found.pairs)} pairs, {fields} of them bit fields;"
                f" {len(found.by_pahole)} as pahole has them, not gcc; {len(found.wrong)} differ",
                flush=True,
            )
            for line in found.wrong[:20]:
                print(f"    {line}")
            status |= bool(found.wrong)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
