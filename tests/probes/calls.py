"""Calls that gcc compiles, with parameters of random types: what it put into registers and on the stack."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kptui.btf.types import FLOAT, PTR, UNION
from tests.btf.writer import Writer

STACK_WORDS = 256
_SCALARS = {
    "char": 1, "short": 2, "int": 4, "long": 8, "__int128": 16, "float": 4, "double": 8, "long double": 16,
    "enum e": 4, "void *": 8,
}  # fmt: skip
_COMMON = ("char", "short", "int", "long", "enum e", "void *")

_PRELUDE = r"""
#include <stdio.h>
#include <string.h>
enum e { E_A, E_B };
unsigned long dumped[8 + STACK_WORDS];
void dump(void);
asm(".text\ndump:\n"
    "mov %rdi, dumped(%rip)\nmov %rsi, dumped+8(%rip)\nmov %rdx, dumped+16(%rip)\n"
    "mov %rcx, dumped+24(%rip)\nmov %r8, dumped+32(%rip)\nmov %r9, dumped+40(%rip)\n"
    "mov %rdi, %rax\nlea dumped+64(%rip), %rdi\nmov %rsp, %rsi\nmov $STACK_WORDS, %ecx\nrep movsq\nret\n");
static void fill(void *at, int size, int seed) {
  for (int i = 0; i < size; i++) ((unsigned char *)at)[i] = seed * 37 + i * 11 + 1;
}
static void show(void) {
  for (int i = 0; i < 6; i++) printf("%016lx ", dumped[i]);
  for (int i = 0; i < STACK_WORDS; i++) printf("%016lx ", dumped[8 + i]);
  printf("\n");
}
"""


@dataclass(frozen=True)
class Struct:
    """A structure or union in C, with its size and the BTF id of its record."""

    c: str
    size: int
    number: int
    used: frozenset[int]
    """Bytes that belong to members; gcc may not copy the others."""
    align: int


@dataclass(frozen=True)
class Param:
    """A parameter: C type, size, BTF id, the bytes that count."""

    c: str
    size: int
    number: int
    used: frozenset[int]


@dataclass(frozen=True)
class Call:
    """A function and what a call of it left: 6 registers, then the stack from the return address on."""

    function: str
    params: tuple[Param, ...]
    words: tuple[int, ...]

    def agrees(self, index: int, found: bytes) -> bool:
        """Whether these are the bytes of parameter ``index`` (from 0)."""
        param = self.params[index]
        return len(found) >= param.size and all(
            found[i] == ((index + 1) * 37 + i * 11 + 1) & 0xFF for i in param.used
        )


class Program:
    """Random functions as C and as BTF."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.w = Writer()
        self.ids = {
            name: self.w.enum("e", [("E_A", 0), ("E_B", 1)])
            if name == "enum e"
            else self.w.add(PTR, "", 0)
            if name == "void *"
            else self.w.add(FLOAT, name, size)
            if name in {"float", "double", "long double"}
            else self.w.integer(name, size, signed=True)
            for name, size in _SCALARS.items()
        }
        self.code = [_PRELUDE.replace("STACK_WORDS", str(STACK_WORDS))]
        self.structs: list[Struct] = []

    def scalar(self) -> str:
        return self.dice.choice(_COMMON if self.dice.random() < 0.7 else tuple(_SCALARS))

    def structure(self) -> Struct:
        """One to five members; some unions, some packed, some with arrays, some with structures made before."""
        name = f"s{len(self.structs)}"
        union, packed = self.dice.random() < 0.2, self.dice.random() < 0.2
        members: list[tuple[str, int, int]] = []
        text, at, largest, most = [], 0, 0, 1
        used: set[int] = set()
        widest, aligned = 1, True
        for n in range(self.dice.randint(1, 5)):
            count = self.dice.choice((0, 0, 0, 2, 3))
            small = [made for made in self.structs if made.size <= 12]
            inner = self.dice.choice(small) if small and self.dice.random() < 0.2 else None
            if inner is not None:
                kind, one, own, of = inner.c, inner.size, inner.align, inner.number
            else:
                kind = self.scalar()
                if union and kind == "long double":  # gcc itself changed its mind about these
                    kind = "double"
                one = own = _SCALARS[kind]
                of = self.ids[kind]
            size = one * (count or 1)
            align = 1 if packed else own
            at = 0 if union else -(-at // align) * align
            number = self.w.array(of, count, self.ids["long"]) if count else of
            members.append((f"m{n}", number, at * 8))
            widest, aligned = max(widest, own), aligned and at % own == 0
            text.append(f"{kind} m{n}{f'[{count}]' if count else ''};")
            bytes_ = inner.used if inner is not None else range(one)
            used |= {at + one * copy + byte for copy in range(count or 1) for byte in bytes_}
            largest, most = max(largest, at + size), max(most, align)
            at += size
        total = -(-largest // most) * most
        number = self.w.struct(name, total, *members, **({"kind": UNION} if union else {}))
        word = "union" if union else "struct"
        # BTF can't tell a packed structure whose layout is natural
        natural = total % widest == 0 and aligned
        packed = packed and not natural
        packing = " __attribute__((packed))" if packed else ""
        self.code.append(f"{word} {name} {{ {' '.join(text)} }}{packing};")
        self.code.append(f'_Static_assert(sizeof({word} {name}) == {total}, "{name}");')
        align = 1 if packed else widest
        self.structs.append(Struct(f"{word} {name}", total, number, frozenset(used), align))
        return self.structs[-1]

    def parameter(self) -> Param:
        if self.dice.random() < 0.4:
            found = self.structure()
            return Param(found.c, found.size, found.number, found.used)
        kind = self.scalar()
        return Param(kind, _SCALARS[kind], self.ids[kind], frozenset(range(_SCALARS[kind])))

    def function(self, name: str) -> tuple[Param, ...]:
        params = tuple(self.parameter() for _ in range(self.dice.randint(1, 9)))
        result = self.parameter() if self.dice.random() < 0.7 else Param("void", 0, 0, frozenset())
        self.code.append(f"{result.c} {name}({', '.join(f'{p.c} p{n}' for n, p in enumerate(params))});")
        self.code.append(f'asm("{name}: jmp dump");')
        lines = [f"{p.c} p{n}; fill(&p{n}, {p.size}, {n + 1});" for n, p in enumerate(params)]
        call = f"{name}({', '.join(f'p{n}' for n in range(len(params)))}); show();"
        self.code.append(f"void call_{name}(void) {{ {' '.join(lines)} {call} }}")
        self.w.function(name, result.number, *((f"p{n}", p.number) for n, p in enumerate(params)))
        return params


def run(seed: int, count: int, gcc: str, home: Path) -> tuple[bytes, list[Call]]:
    """BTF of ``count`` functions, and what their calls left."""
    program = Program(seed)
    names = [f"f{n}" for n in range(count)]
    params = [program.function(name) for name in names]
    program.code.append(f"int main(void) {{ {' '.join(f'call_{name}();' for name in names)} }}")
    source, binary = home / "calls.c", home / "calls"
    source.write_text("\n".join(program.code) + "\n")
    # -no-pie: asm and C may name each other's symbols as they are
    subprocess.run([gcc, "-O0", "-w", "-Wno-psabi", "-no-pie", "-o", binary, source], check=True)
    out = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
    lines = [tuple(int(word, 16) for word in line.split()) for line in out.splitlines()]
    calls = [Call(name, p, words) for name, p, words in zip(names, params, lines, strict=True)]
    return program.w.data(), calls
