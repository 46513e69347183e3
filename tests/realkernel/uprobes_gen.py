"""Generates uprobe definitions for a kernel to judge: valid, nearly valid, and garbage, by a seed.

The files that are probed are made below /tmp; names carry the process's number in seven digits (or KPTUI_TAG), so
that nothing of anybody else's is met.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from tests.realkernel.definitions_gen import Generator, is_safe
from tests.realkernel.words import Words

TAG: Final = os.environ.get("KPTUI_TAG") or f"{os.getpid():07}"
GROUP: Final = f"kptuiup{TAG}"
FOLDER: Final = Path(f"/tmp/kpu{TAG}")
_D: Final = str(FOLDER)
STANDING: Final = (
    f"p:{GROUP}/one {_D}/a:0x10 a=%di b=+0(%si):string",
    f"p:{GROUP}/one {_D}/b:0x10 a=%di b=+0(%si):string",
    f"r:{GROUP}/ret {_D}/a:0x20 r=$retval:s32",
    f"p:{GROUP}/arr {_D}/b:0x20 n=+0(%dx):u16[3] c=$comm",
    f"p:{GROUP}/bare {_D}/lib-x.so.1:0x30",
    f"p:{GROUP}/counted {_D}/a:0x40(0x50) %di",
)
GOOD_FILES: Final = [
    "a", "b", "link", "hard", "lib-x.so.1", "_under", "dot.name", "é", "co:lon", "pa(ren", "p%c", ".hidden",
    "x" * 70, "dir/../a", "./a", "/a", "dir/inner", "1", "co:1",
]  # fmt: skip
BAD_FILES: Final = [
    "",
    "dir",
    "dir/",
    "a/",
    "a/b",
    "nosuch",
    "dir/nosuch",
    "broken",
    "loop",
    "fifo",
    "x" * 256,
]
OTHERS: Final = [
    "/bin/sh", "/bin/sh", "/bin/sh", "/dev/null", "/", "/etc", "/nosuch", "/proc/version", "bin/sh", "./a",
    "../tmp", "/proc/self/exe", "sh", "a", "", "//bin//sh", "/bin/sh:", "/dev/null:x", ".", "/" + "y" * 300,
    "/" + "z/" * 2100,
]  # fmt: skip
OFFSETS: Final = ["0", "0x10", "0x20", "16", "0x40", "0x1234", "0xfffff", "020", "0x30"]
WRONG_OFFSETS: Final = [
    "", "x", "-1", "+1", "0x", "08", "0xg", "18446744073709551615", "18446744073709551616", "1x", "0b1", "1 ",
    "1.5", "00", "0x10000000000000000", "1_0",
]  # fmt: skip
SUFFIXES: Final = [
    "%return", "%return", "(0x50)", "(0)", "(16)", "%return(0x50)", "(0x50)%return", "%", "%foo", "%returnx",
    "%return%return", "(", "()", "(x)", "(0x50", "(0x50)x", "(08)", "(18446744073709551616)", "(-1)", "(+1)",
    ")", "+8", "(1)(2)", "%return(", "%x(1)", "(1%return)",
]  # fmt: skip
COMMANDS: Final = [
    "p", "r", "p:EV", "r:EV", "p:GRP/EV", "r:GRP/EV", "p:GRP/", "p:GRP.EV", "p:GRP.EV/c", "p:/EV", "p:.EV",
    "p:/", "p:", "r:", "p:1EV", "p:e-EV", "p:g-GRP/EV", "p:-GRP/EV", "p:1GRP/EV", "p:GRP/EV/x", "p:GRP.EV.x",
    "p:GRP.", "p:éEV", "p:GRP é", "p10:GRP/EV", "p0", "r0:EV", "r1:EV", "r4097:EV", "r08:EV", "r10", "rx:EV",
    "pfoo:GRP/EV", "p/EV", "p:EV" + "e" * 50, "p:EV" + "e" * 64, "p:GRP" + "g" * 64 + "/e",
    "p:GRP" + "g" * 64 + ".e", "q:EV", "P:EV", "f:EV", "t:EV", "e:EV", "s:EV", "x", ":EV", "!p:EV", "pp",
    "p:EV:x", "p:sched/sched_switch", "r:GRP/EV%return", "p::EV", "p:EV#", "p: EV", "p5", "p%return",
]  # fmt: skip
SAME: Final = ["one", "ret", "arr", "bare", "counted"]
REMOVALS: Final = [
    "-:EV", "-:", "-", "-x", "-:/", "-:noGRP/", "-:GROUP/nosuch", "-:GROUP/bare", "-:GROUP/one D/a:0x10",
    "-:GROUP/one D/a:0x0000000000000010", "-:GROUP/one D/b:0x0000000000000010 a=%di",
    "-:GROUP/one D/b:0x0000000000000010 a=%si", "-:GROUP/one D/link:0x0000000000000010",
    "-:GROUP/one D/a:0x0000000000000010 a=%di b=+0(%si):string c=%dx", "-:GROUP/", " -:GROUP/ret",
    "-:GROUP.one", "-:GROUP/one/x", "- :one", "-:GROUP/counted D/a:0x0000000000000040",
    "-:GROUP/counted D/a:0x0000000000000040(0x50)", "-:GROUP/counted D/a:0x0000000000000040(0x50) arg1=%di",
    "-:GROUP/ #x", "!:GROUP/one", "-:GROUP/one  ", "-:GROUP/one D/a", "-:GROUP/one /", "-:GROUP/ret D/a:0x20",
]  # fmt: skip
SOURCES: Final = [
    "@+8", "@+0x10", "@+0", "@+", "@++8", "@+-8", "@+z", "@+08", "@sym", "@sym+8", "@", "@-1", "@0x10", "@5",
    "@+99999999999999999999", "$stack2049", "$stack4294967296", "$stack99999999999999999999", "$stack3",
    "$retvalx", "$retval", "$retval->x", "$arg1", "$arg0", "$arg*", "file", "file->f_flags", "_", "(x)%di",
    "(x)%di->y", "this_cpu_read(@x)", "this_cpu_ptr(%di)", "$current", '\\"text"', '\\"', "\\1", "$comm",
]  # fmt: skip


def prepare() -> None:
    """Make the files that the definitions mean."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "dir").mkdir(parents=True)
    for name in GOOD_FILES:
        path = FOLDER / name.lstrip("/")
        if name not in {"link", "hard"} and ".." not in name:
            path.write_bytes(b"\x90" * 4096)
    (FOLDER / "link").symlink_to("a")
    (FOLDER / "hard").hardlink_to(FOLDER / "a")
    (FOLDER / "broken").symlink_to("nosuch")
    (FOLDER / "loop").symlink_to("loop")
    os.mkfifo(FOLDER / "fifo")


def clean() -> None:
    """Remove those files."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def _named(text: str) -> str:
    """With our own names for their stand-ins."""
    for short, full in (("GROUP", GROUP), ("GRP", f"g{TAG}"), ("EV", f"e{TAG}"), (" D/", f" {_D}/")):
        text = text.replace(short, full)
    return text


class UprobeGenerator(Generator):
    """Seeded uprobes."""

    def source(self) -> str:
        if not self.careful and self.random.random() < 0.25:
            return self.pick(SOURCES)
        if self.careful and self.random.random() < 0.3:
            return self.pick(["$stack", "$stack7", "@+8", "$comm", "\\3", "@0x10"])
        return "%" + self.pick(["di", "si", "ax"]) if self.careful else super().source()

    def place(self) -> str:
        roll = self.random.random()
        if self.careful or roll < 0.75:
            path = f"{_D}/" + self.pick(["a", "b", "a", "b", *GOOD_FILES])
        elif roll < 0.87:
            path = f"{_D}/" + self.pick(BAD_FILES)
        else:
            path = self.pick(OTHERS)
        place = path + (":" if self.careful or self.random.random() < 0.97 else "")
        place += self.some(OFFSETS, WRONG_OFFSETS, 0.15)
        if self.random.random() < (0.1 if self.careful else 0.25):
            place += self.pick(["%return", "(0x50)"] if self.careful else SUFFIXES)
        return place

    def definition(self) -> str:
        roll = self.random.random()
        if roll < 0.06:
            return _named(self.pick(REMOVALS))
        if roll < 0.08:
            return self.special()
        if roll < 0.22:
            return self.same()
        self.careful = self.random.random() < 0.5
        plain = self.careful or self.random.random() < 0.6
        words = [_named(self.pick(["p:EV", "r:EV", "p:GRP/EV", "p"] if plain else COMMANDS)), self.place()]
        words += [self.argument() for _ in range(self.random.choice([0, 1, 1, 1, 2, 2, 3]))]
        text = self.random.choice([" ", " ", " ", "  ", "\t"]).join(words)
        damaged = self.random.random() < (0.15 if self.careful else 0.3)
        self.careful = False
        return self.damage(text) if damaged else text

    def same(self) -> str:
        """A definition with the name of a standing event, or with much of its text."""
        words = self.random.choice(STANDING).split()
        for _ in range(self.random.choice([1, 1, 2])):
            odd = self.random.random()
            if odd < 0.25:
                words[0] = f"{self.pick(['p', 'r'])}:{GROUP}/{self.pick(SAME)}"
            elif odd < 0.4:
                words[0] = self.pick(["p", "r"]) + _named(self.pick([":EV", ":GRP/EV", ""]))
            elif odd < 0.7:
                name = self.pick(["a", "b", "link", "hard", "dir/../a", "./b", "lib-x.so.1"])
                offset = self.pick(
                    ["0x10", "16", "0x20", "0x30", "0x40", "0x40(0x50)", "0x40(80)", "0x40(1)"]
                )
                words[1] = f"{_D}/{name}:{offset}{self.pick(['', '', '', '%return'])}"
            elif odd < 0.85 and len(words) > 2:
                words[-1] = self.pick(
                    [
                        words[-1] + ":x32",
                        "a=%di",
                        "b=+0(%si):ustring",
                        "r=$retval:u32",
                        "c=$comm:string",
                        "%di",
                    ]
                )
            elif odd < 0.93:
                words.append(self.argument())
            else:
                words = words[:-1] if len(words) > 2 else words
        return " ".join(words)

    def special(self) -> str:
        few = self.random.randrange(100, 140)
        many = {
            "plain": [f"a{i}=%di" for i in range(few)],
            "big": [f"a{i}=+0(%di):u64[64]" for i in range(few % 5 + 4)],
            "long": ["a=%di" + "x" * (few % 20 + 50)],
            "row": ["a=" + "%di" * (few % 6 + 19)],
            "line": ["x" * self.random.choice([4095 - 8 - len(_D) - i for i in range(-3, 4)])],
        }
        if self.random.random() < 0.6:
            place = self.pick([f"{_D}/a:0", f"{_D}/nosuch:0", f"{_D}/a:x", "a:0", f"{_D}/a:0x"])
            return " ".join([_named("p:EV"), place, *many[self.pick(list(many))]])
        return self.random.choice([
            "", " ", "\t", "# comment", " #", "p", "r ", "p#x y", f"p {_D}/a:0 # a=%di", f"p {_D}/a:0\r",
            "\xa0", "p vfs_read", "r vfs_read %rdi", "p 0x10", f"p {_D}/a", f"p:e {_D}/a:", "p /:0", "p :/0",
            "p :0/", "p /:0/", "p:0 /", f"r {_D}/a:0 $arg1 $retval", f"p {_D}/a:0 $arg*",
        ])  # fmt: skip


def uprobes(seed: int, count: int, words: Words | None = None) -> list[str]:
    """``count`` definitions for one seed."""
    generator = UprobeGenerator(f"uprobes {seed}", words or Words())
    out: list[str] = []
    while len(out) < count:
        text = generator.definition()
        if is_safe(text):
            out.append(text)
    return out
