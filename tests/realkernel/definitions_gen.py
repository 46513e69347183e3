"""Generates probe definitions for a kernel to judge: valid, nearly valid, and garbage, by a seed."""

from __future__ import annotations

import random
import re

from tests.realkernel.words import Words

GROUP = "kptuidef"
STANDING = (
    f"p:{GROUP}/one vfs_read a=%di b=+0(%si):string",
    f"r:{GROUP}/ret vfs_read r=$retval:s32",
    f"p:{GROUP}/arr do_sys_openat2 n=+0(%dx):u16[3] c=$comm",
    f"p:{GROUP}/bare vfs_write",
)
FUNCTIONS = [
    "vfs_read", "vfs_write", "do_sys_openat2", "__x64_sys_openat", "d_path", "kernel_clone", "vfs_open",
]  # fmt: skip
ODD_SYMBOLS = [
    "no_such_function", "type_show", "t_next", "jiffies", "init_task", "_text", "sys_openat", "SyS_read",
    "ovl_lookup", "overlay:ovl_lookup", "overlay:nosuch", "nomod:func", ":vfs_read", "vfs_read:", "do_int3",
    "__x64_sys_nosuch", "vfs_readé", "VFS_READ", "a:b:c", "overlay:", "_stext", "kprobe_dispatcher",
]  # fmt: skip
DATA = [
    "jiffies", "init_task", "linux_banner", "no_such_data", "jiffies_64", "vfs_read", "type_show",
]  # fmt: skip
REGISTERS = [
    "di", "si", "dx", "cx", "r8", "r9", "ax", "bx", "bp", "sp", "ip", "flags", "cs", "ss", "orig_ax", "r10",
    "r15",
]  # fmt: skip
WRONG_REGISTERS = [
    "rdi", "RDI", "edi", "al", "r8d", "ds", "fs_base", "xmm0", "x0", "DI", "", "di di", "di)", " ",
]  # fmt: skip
TYPES = [
    "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "x8", "x16", "x32", "x64", "string", "ustring",
    "symbol", "symstr", "char",
]  # fmt: skip
WRONG_TYPES = [
    "", "u128", "int", "U32", "str", "u8:u8", "pointer", "%px", "char*", "u", "ux", "x", "b", "String",
]  # fmt: skip
BITFIELDS = [
    "b4@0/32", "b8@8/8", "b1@31/32", "b32@0/32", "b64@0/64", "b33@0/32", "b0@0/8", "b4", "b4@", "b4@0",
    "b4@0/", "b4@0/7", "b4/8", "b4@x/8", "bx@0/8", "b4@5/8", "b4@4/8", "b0x4@0x1/0x10", "b010@0/16",
    "b4@0/32x", "bool", "bar/8", "b@/8", "b1@0/64", "b18446744073709551615@1/32",
    "b1@18446744073709551615/8", "b+1@0/8",
]  # fmt: skip
ARRAYS = [
    "[1]", "[2]", "[64]", "[65]", "[0]", "[-1]", "[0x4]", "[010]", "[08]", "[x]", "[]", "[", "]", "[2",
    "[2]]", "[2]x", "[2][2]", "[4294967297]", "[+3]", "[1",
]  # fmt: skip
NUMBERS = [
    "0", "1", "8", "16", "0x10", "010", "08", "0x", "0xg", "00", "2147483648", "4294967296", "99999999999",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1x",
    "1_0", "0b1", "0X1F", "+1", "-1", "++1", "+-1", "--1", "-0", "1.5", "-", "0x10000000000000000",
]  # fmt: skip
VARIABLES = [
    "$retval", "$stack", "$stack0", "$stack1", "$stack2048", "$stack2049", "$stack01", "$stack0x1",
    "$stackx", "$stack-1", "$stack99999999999999999999", "$comm", "$COMM", "$Comm", "$arg1", "$arg2",
    "$arg6", "$arg7", "$arg20", "$arg01", "$arg2048", "$arg2049", "$argx", "$arg", "$arg*", "$arg*x",
    "$foo", "$", "$$", "$retvalx", "$retval->x", "$current", "$current->pid", "$arg1x", "$arg1->f_flags",
    "$stack", "$comm2", "$arg99999999999999999999", "$retval.x",
]  # fmt: skip
GOOD_SOURCES = [
    "$stack", "$stack0", "$stack3", "$comm", "$COMM", "$arg1", "$arg2", "$arg3", "$retval", "@jiffies",
    "@init_task+8", "@0x1000", "\\1", "\\-5", "\\0x10", '\\"text"', "file", "buf", "how->flags",
    "file->f_inode->i_ino", "file->f_path.dentry->d_name.name", "filename", "pos", "$arg4", "$arg6",
]  # fmt: skip
BTF_NAMES = [
    "file", "buf", "count", "pos", "dfd", "filename", "how", "path", "buflen", "nosuch", "_x",
    "file->f_flags", "file->f_inode->i_ino", "file->f_path.dentry", "file->f_path.dentry->d_name.name",
    "how->flags", "how->nosuch", "dfd->x", "how.flags", "file-f_flags", "file->f_path.nosuch", "file->",
    "file->f_path.dentry.x", "filename->x", "file-x->y", "file.f_flags->x", "buf->x", "kargs->flags",
    "args", "é", "à",
]  # fmt: skip
NAMES = [
    "a", "b", "c", "x", "arg1", "arg2", "fd", "comm", "cpu", "common_cpu", "stacktrace", "_", "A1", "name",
    "file", "count",
]  # fmt: skip
WRONG_NAMES = [
    "common_pid", "__probe_ip", "__probe_func", "common_type", "1a", "a-b", "a.b", "a b", "", "é", "Ã", "×",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a" * 33, "a:b", "$x", "%di", "a/b", "\udcc3\udcbf",
]  # fmt: skip
COMMANDS = [
    "p", "r", "p:ev", "r:ev", "p:grp/ev", "r:grp/ev", "p:grp/", "p:a.b", "p:a.b/c", "p:/ev", "p:.ev", "p:/",
    "p:", "r:", "p:1ev", "p:e-v", "p:g-r/ev", "p:-/ev", "p:1g/ev", "p:grp/ev/x", "p:grp.ev.x", "p:grp.",
    "p:é", "p:g é", "p:e v", "p1:ev", "p0", "r0:ev", "r1:ev", "r10:ev", "r4096:ev", "r4097:ev", "r0x10:ev",
    "r08:ev", "r1x:ev", "r1", "r99999999999", "r" + "1" * 64 + ":ev", "r-1:ev", "rx:ev", "pfoo:grp/ev",
    "p/ev", "p:" + "e" * 63, "p:" + "e" * 64, "p:" + "g" * 63 + "/e", "p:" + "g" * 64 + "/e",
    "p:" + "g" * 64 + ".e", "q:ev", "P:ev", "f:ev", "t:ev", "e:ev", "s:ev", "x", ":ev", "!p:ev", "pp",
    "p:kprobes/enable", "p:ev:x", "p:sched/sched_switch", "r:grp/ev%return", "p::ev", "p5", "r5", "p:ev#",
    "r 5:ev", "p: ev",
]  # fmt: skip
SAME = [
    f"p:{GROUP}/one", f"r:{GROUP}/ret", f"p:{GROUP}/arr", f"p:{GROUP}/bare", f"r:{GROUP}/one",
    f"p:{GROUP}/ret",
]  # fmt: skip
REMOVALS = [
    "-:nosuch", "-:", "-", "-x", "-:/", "-:nogrp/", f"-:{GROUP}/nosuch", "-:one", f"-:{GROUP}/bare",
    f"-:{GROUP}/one vfs_read", f"-:{GROUP}/one vfs_write", f"-:{GROUP}/one vfs_read a=%di",
    f"-:{GROUP}/one vfs_read a=%si", f"-:{GROUP}/one vfs_read a=%di b=+0(%si):string",
    f"-:{GROUP}/one vfs_read a=%di b=+0(%si):string c=%dx", f"-:{GROUP}/", f" -:{GROUP}/ret",
    f"-:{GROUP}.one", f"-:{GROUP}/one/x", "-:a-b", "- :one", f"-:{GROUP}/ret vfs_read+0", f"-:{GROUP}/ #x",
    "-:/one", "!:one", f"-:{GROUP}/arr do_sys_openat2 n=+0(%dx):u16[3]", "-:ONE", "-:one  ",
]  # fmt: skip
JUNK = [
    "(", ")", "[", "]", "{", "}", ":", "@", "$", "%", "+", "-", "\\", '"', "'", "=", "/", "#", ",", ".",
    ";", "!", "*", "&", "|", "<", ">", "~", "^", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b",
    "u", "x", "s", "t", "_", " ", "\t", "\r", "\v", "\f", "é", "à", "\udca0", "\udcff", "Ã", "->", "×",
]  # fmt: skip


class Generator:
    """Seeded definitions: valid, nearly valid, and garbage."""

    def __init__(self, seed: str, words: Words | None = None) -> None:
        self.random = random.Random(seed)
        self.words = words or Words()
        self.careful = False

    def some(self, good: list[str], wrong: list[str], rate: float = 0.1) -> str:
        rate = rate / 20 if self.careful else rate
        return self.random.choice(wrong if self.random.random() < rate else good)

    def number(self) -> str:
        return (
            str(self.random.choice([0, 0, 8, 16, 24, 104, 112]))
            if self.careful or self.random.random() < 0.85
            else self.pick(NUMBERS)
        )

    def pick(self, values: list[str]) -> str:
        return self.random.choice(values)

    def source(self) -> str:
        kind = self.random.random()
        if kind < 0.5:
            return "%" + self.some(REGISTERS, WRONG_REGISTERS)
        if self.careful:
            return self.pick(GOOD_SOURCES)
        if kind < 0.68:
            return self.pick(VARIABLES)
        if kind < 0.76:
            name = self.pick(DATA)
            return "@" + self.pick(
                [name, name, name + "+8", name + "-0x10", name + "+z", self.pick(NUMBERS), "+8", "", "0x10"]
            )
        if kind < 0.84:
            text = self.pick(
                ['"text"', '"open', '"', '""', '"a"b"', '"a=b"', '"a:b"', '"a b"', "x", "", *NUMBERS]
            )
            return "\\" + text
        if kind < 0.94:
            return self.pick(BTF_NAMES)
        return self.pick(
            [
                "123",
                "*",
                "&1",
                "",
                "(",
                ")",
                "(task_struct)$current->pid",
                "this_cpu_read(@jiffies)",
                "-",
                "+",
                "0(%di)",
            ]
        )

    def expression(self) -> str:
        text = self.source()
        depth = self.random.choice([0, 0, 0, 1, 1, 1, 2, 2, 3, 4])
        if self.random.random() < 0.03:
            depth = self.random.randrange(7, 18)
            text = self.pick(["%di", "%si", "@0", "$comm", "%rdi", "@jiffies", "$arg1"])
        for _ in range(depth):
            sign = self.random.choice(["+"] * 8 + ["-", "+u", "+u", "-u", "++", "+-"])
            brace = (
                ")"
                if self.careful or self.random.random() < 0.96
                else self.pick(["", "))", ")x", ")[2]", ")+8"])
            )
            opening = "(" if self.careful or self.random.random() < 0.98 else self.pick(["", "[", "(("])
            text = f"{sign}{'0' if depth > 6 else self.number()}{opening}{text}{brace}"
        return text

    def argument(self) -> str:
        name = ""
        if self.random.random() < 0.7:
            name = self.some(NAMES, WRONG_NAMES, 0.08) + "="
        body = self.expression()
        if self.random.random() < 0.55:
            kind = (
                self.some(TYPES, WRONG_TYPES, 0.08) if self.random.random() < 0.85 else self.pick(BITFIELDS)
            )
            body += ":" + kind
            if self.random.random() < 0.25:
                body += self.pick(ARRAYS)
            if self.random.random() < 0.06:
                body = body.partition(":")[0] + self.pick([":%pd", ":%pD", ":%p", ":%pdx"])
        return name + body

    def place(self) -> str:
        symbol = self.some(FUNCTIONS, ODD_SYMBOLS, 0.15)
        odd = self.random.random()
        if self.careful or odd < 0.85:
            return symbol
        if odd < 0.88:
            return symbol + self.pick(
                ["%return", "%foo", "%", "%returnx", "%return%return", "+0%return", "+8%return"]
            )
        if odd < 0.97:
            return symbol + self.pick(
                ["+0", "+0x0", "+8", "-4", "+x", "+", "+-5", "+4294967296", "+00", "++0", "+08", "+0 "]
            )
        return self.pick(
            [
                "0x10",
                "1234",
                "0",
                "0x",
                "08",
                "-1",
                "+5",
                "99999999999999999999",
                "/bin/sh:0x10",
                "/bin/sh",
                "%return",
                "+0",
            ]
        )

    def definition(self) -> str:
        roll = self.random.random()
        if roll < 0.05:
            return self.pick(REMOVALS)
        if roll < 0.07:
            return self.special()
        if roll < 0.17:
            return self.same()
        self.careful = self.random.random() < 0.6
        plain = self.careful or self.random.random() < 0.7
        command = self.pick(["p", "r", "p:ev", "r:ev", "p:grp/ev"] if plain else COMMANDS)
        words = [command, self.place()]
        words += [self.argument() for _ in range(self.random.choice([0, 1, 1, 1, 1, 2, 2, 3]))]
        text = self.random.choice([" ", " ", " ", "  ", "\t"]).join(words)
        damaged = self.random.random() < (0.15 if self.careful else 0.3)
        self.careful = False
        return self.damage(text) if damaged else text

    def same(self) -> str:
        """A definition with the name of a standing event, or with much of its text."""
        base = self.random.choice(STANDING)
        words = base.split()
        odd = self.random.random()
        if odd < 0.3:
            words[0] = self.pick(SAME)
        elif odd < 0.5:
            words[1] = self.pick([*FUNCTIONS, "vfs_read+0", "vfs_read%return", "no_such_function"])
        elif odd < 0.7 and len(words) > 2:
            words[-1] = self.pick(
                [words[-1] + ":x32", "a=%di", "b=+0(%si):ustring", "r=$retval:u32", "c=$comm:string", "z=%di"]
            )
        elif odd < 0.8:
            words.append(self.argument())
        elif odd < 0.9:
            words = words[:-1] if len(words) > 2 else words
        return " ".join(words)

    def special(self) -> str:
        few = self.random.randrange(100, 140)
        many = {
            "plain": [f"a{i}=%di" for i in range(few)],
            "star": [*(f"a{i}=%di" for i in range(126)), "$arg*"],
            "big": [f"a{i}=+0(%di):u64[64]" for i in range(few % 5 + 4)],
            "names": [f"a{i}=+0(%di):%pD" for i in range(few % 5 + 4)],
            "long": ["a=%di" + "x" * (few % 20 + 50)],
            "row": ["a=" + "%di" * (few % 6 + 19)],
            "line": ["x" * self.random.choice([4083, 4084, 4085, 4086, 5000])],
        }
        if self.random.random() < 0.5:
            return " ".join(["p", "vfs_read", *many[self.pick(list(many))]])
        return self.random.choice([
            "", " ", "\t", "# comment", " #", "p", "r ", "p#x y", "p:ev vfs_read # a=%di", "\r",
            "p:ev vfs_read\r", "\xa0", "p vfs_read $arg1 $arg2 $arg3 $arg*", "r vfs_read $arg1:u32 %rdi",
            "p vfs_read $arg* $arg*", "p vfs_read $arg* %rdi", "p vfs_read a=%di $arg* %rdi x=%rsi",
            "p vfs_read $arg1x", "p vfs_read $arg5", "r vfs_read+8 $arg*", "p 0x10 $arg1",
        ])  # fmt: skip

    def damage(self, text: str) -> str:
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            at = self.random.randrange(len(text) + 1)
            end = min(len(text), at + self.random.choice([0, 1, 1, 2]))
            text = text[:at] + (self.pick(JUNK) if self.random.random() < 0.6 else "") + text[end:]
        return text


_LAST = re.compile(
    r"\s[0+]*(1844674407370955[0-9]{4}|0x[fF]{13}[0-9a-fA-F]{3}|17{18}[0-7]{3})(?![0-9a-zA-Z])"
)


def is_safe(text: str) -> bool:
    """Whether it may be written. A huge $argN makes unfixed kernels look far outside an array. An address among
    the last 4,095 is taken for an error number by 5.10, and for some of these (EINTR) Python writes for ever.
    """
    if any(number != "18446744073709551615" for number in _LAST.findall(text)):
        return False
    return not re.search(r"\$arg[0-9]{10}", text) and "\n" not in text and "\0" not in text


def definitions(seed: int, count: int, generator: Generator | None = None) -> list[str]:
    """``count`` definitions for one seed, or of the generator given."""
    generator = generator or Generator(f"definitions {seed}")
    out: list[str] = []
    while len(out) < count:
        text = generator.definition()
        if is_safe(text):
            out.append(text)
    return out
