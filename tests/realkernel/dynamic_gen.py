"""Generates lines for dynamic_events: every kind of dynamic event, valid, nearly valid and garbage, by a seed."""

from __future__ import annotations

import re

from kptui.filters.features import ALL_FEATURES
from kptui.filters.fields import FilterField
from tests.realkernel import filters_gen
from tests.realkernel.definitions_gen import (
    GROUP,
    REMOVALS,
    SAME,
    TYPES,
    WRONG_NAMES,
    WRONG_TYPES,
    Generator,
)  # fmt: skip
from tests.realkernel.definitions_gen import STANDING as KPROBES
from tests.realkernel.definitions_gen import is_safe as is_safe_kprobe
from tests.realkernel.words import Words

SYNTH = "kptuisyn"
EVENT_PROBES = (
    f"s:{SYNTH} u32 pid; char comm[16]; u64 lat",
    f"e:{GROUP}/ep sched.sched_switch p=$next_pid c=$next_comm:string",
    f"e:{GROUP}/es synthetic.{SYNTH} q=$pid",
)
FPROBES = (
    f"f:{GROUP}/fen vfs_read file count",
    f"f:{GROUP}/fex vfs_read%return r=$retval:s64",
    f"t:{GROUP}/tp sched_switch prev",
    f"e:{GROUP}/ef {GROUP}.fen f=$file",
)
EVENTS = {
    "sched/sched_switch": "prev_comm prev_pid prev_prio prev_state next_comm next_pid next_prio",
    "syscalls/sys_enter_openat": "__syscall_nr dfd filename flags mode",
    "kmem/kmalloc": "call_site ptr bytes_req bytes_alloc gfp_flags",
    f"synthetic/{SYNTH}": "pid comm lat",
    f"{GROUP}/fen": "__probe_ip file count",
    f"{GROUP}/fex": "__probe_func __probe_ret_ip r",
    f"{GROUP}/tp": "__probe_ip prev",
}
"""Events that event probes watch here, with the names of their fields."""
NO_EVENTS = [
    "sched.nosuch", "nosuch.event", f"{GROUP}.one", f"{GROUP}/ep", "ftrace.print", "sched", ".b", "sched.",
    "/b", "1s.x", "s.1x", "a-b.c-d", "sched.sched_switch.x", "sched/sched_switch.x", "sched/", "if", "é.é",
    "e" * 63 + ".x", "e" * 64 + ".x", "x." + "e" * 63, "x." + "e" * 64, f"{GROUP}.nosuch", "",
]  # fmt: skip
FIELD_SOURCES = [
    "$comm", "$COMM", "$stack", "$retval", "$arg1", "$arg*", "$nosuch", "$common_pid", "$", "%di", "%zz",
    "@jiffies", "@nosuch_data", "@jiffies+z", "@jiffies+8", "@0x1000", "@+8", "\\1", "\\x", '\\"text"',
    "comm", "nosuch", "next_pid->x", "(task_struct)next_pid->pid", "(task_struct)$prev_pid->comm",
    "(nosuch)$next_pid->pid", "(task_struct)nosuch->pid", "(task_struct)$next_pid", "$current",
    "$current->pid", "this_cpu_read(@jiffies)", "this_cpu_ptr($next_pid)", "123", "",
]  # fmt: skip
FUNCTION_PLACES = [
    "no_such_function", "jiffies", "kprobe_dispatcher", "do_int3", "type_show", "vfs_read+8", "vfs_read+0",
    "overlay:ovl_lookup", "nomod:f", "vfs_read:", ":vfs_read", "0x10", "12", "0", "08", "-1", "%return",
    "vfs_read%foo", "vfs_read%", "vfs_read%return%return", "vfs_readé", "vfs_re?d", "vfs_rea*", "*fs_read",
    "vfs_[rx]ead", "nosuch_*", "a/b", "vfs.read", "", "sched_switch",
]  # fmt: skip
PATTERNS = frozenset({"vfs_re?d", "vfs_rea*", "*fs_read", "vfs_[rx]ead", "nosuch_*"})
"""Those of FUNCTION_PLACES that mean several functions; no other pattern is ever written."""
TRACEPOINTS = ["sched_switch", "sched_wakeup", "kmalloc", "sys_enter", "ext4_da_write_begin"]
TRACEPOINT_PLACES = [
    "no_such_tracepoint", "vfs_read", "vfs_write", "1abc", "sched-switch", "sched:sched_switch", "sched.x",
    "sched_switch%return", "sched_switch%", "é", "sched_switch×", "_", "", "sched_switch+0",
]  # fmt: skip
PARAMETERS = [
    "prev", "next", "preempt", "prev_state", "p", "__data", "prev->pid", "next->comm", "prev->comm:string",
    "regs->di", "id", "ptr", "$arg1", "$arg2", "$arg9", "$arg*", "$arg0", "nosuch", "$retval", "x=$retval",
]  # fmt: skip
SYNTH_TYPES = [
    "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "int", "long", "char", "bool", "pid_t", "gfp_t",
    "unsigned int", "unsigned long", "unsigned char", "char[16]", "unsigned", "long[]", "unsigned long[]",
    "char[]",
]  # fmt: skip
WRONG_SYNTH_TYPES = [
    "foo", "u128", "signed int", "unsigned u8", "unsigned foo", "struct x", "short", "unsigned", "size_t",
    "__data_loc", "x[3]", "u32[2]", "char[257]", "U32", "", "stacktrace", "void *",
]  # fmt: skip
SYNTH_NAMES = ["pid", "lat", "a", "b", "comm", "x1", "_y", "common_pid", "u32", "pid"]
WRONG_SYNTH_NAMES = [
    "1x", "a-b", "a.b", "é", "x/y", "a]", "", "a:b", "c[16]", "c[]", "c[256]", "c[257]", "c[0]", "c[x]",
    "c[1", "c[1]x", "c[1][2]", "c[-1]", "c[0x9]", "c[010]", "c[1 ]", "n" * 70, "unsigned",
]  # fmt: skip
SYNTH_HEADS = [
    "s:ev", "s:synthetic/ev", "s:g/ev", f"s:{SYNTH}", f"s:synthetic/{SYNTH}", "s:", "s", "s:/", "s:1e", "s:a-b",
    "s:a.b", "s:synthetic/", "S:ev", "sx:ev", "s:é", "s:" + "e" * 100, "s:!ev", "s:kone", "s: ev",
]  # fmt: skip
OTHER_HEADS = [
    "x", "w:wp", "z", ":", "e", "f", "t", "s", "!", "=", "é", "\udcff", "F:ev", "E:ev", "T:ev", "a:b/c",
]  # fmt: skip
KIND_HEADS = [
    "", ":ev", ":grp/ev", ":grp/", ":", ":/ev", ":1ev", ":e-v", ":g-r/ev", ":a.b", ":a.b/c", ":grp/ev/x", "x",
    "x:ev", "5", "10:ev", "0:ev", "4097:ev", "1x:ev", "0x10:ev", "9" * 64 + ":ev", ":é", ":" + "e" * 63,
    ":" + "e" * 64, ":" + "g" * 64 + "/e", "::ev", ":sched/sched_switch", f":{GROUP}/one",
]  # fmt: skip
DYNAMIC_REMOVALS = [
    f"-:{GROUP}/ep", f"-:{GROUP}/es", f"-:{SYNTH}", f"-:synthetic/{SYNTH}", "-:synthetic/", f"!s:{SYNTH}",
    f"!p:{GROUP}/one", f"!e:{GROUP}/ep sched.sched_switch", f"-:{GROUP}/ep sched/sched_switch",
    f"-:{GROUP}/ep sch.sched_switch", f"-:{GROUP}/ep .sched_switch", f"-:{GROUP}/ep sched.nosuch",
    f"-:{GROUP}/ep sched.sched_switch p=$next_pid", f"-:{GROUP}/ep sched.sched_switch q=$next_pid",
    f"-:{GROUP}/ep sched.sched_switch p=$next_pid c=$next_comm:string",
    f"-:{GROUP}/ep sched.sched_switch p=$next_pid c=$next_comm:string x", f"-:{GROUP}/ep sched_switch",
    f"-:{GROUP}/es synthetic.{SYNTH} q=$pid", f"-:{SYNTH} u32 nonsense", f"-:{GROUP}/fen", f"-:{GROUP}/fex",
    f"-:{GROUP}/fex vfs_read%return", f"-:{GROUP}/fex vfs_read", f"-:{GROUP}/fex vfs_read r=$retval:s64",
    f"-:{GROUP}/fen vfs_read file=file", f"-:{GROUP}/fen vfs_read file", f"-:{GROUP}/tp sched_switch",
    f"-:{GROUP}/tp sched_switch prev=prev", f"-:{GROUP}/tp next", f"-:{GROUP}/ef", f"-:{GROUP}/ef {GROUP}.fen",
    "!", "!:", "!foo", "!x:nosuch", f"!x:{GROUP}/bare", f"!:{GROUP}/bare", f" !p:{GROUP}/one", f"!-:{GROUP}/one",
    f"-:{GROUP}/one vfs_read", f"-:{GROUP}/", "-:ep", "-:fen", "-:synthetic/nosuch", f"-:{GROUP}/{SYNTH}",
]  # fmt: skip


def _filter_fields(names: list[str]) -> dict[str, FilterField]:
    """Fields as the generator of filters wants them: texts and numbers, told by their names."""
    return {
        name: FilterField(
            name, "string" if "comm" in name else "number", signed=False, bits=64, operators=("==",)
        )
        for name in names
    }


ENDINGS: list[list[str]] = [[], [], ["if", "next_pid", "==", "1"], ["$arg*"], ["%zz"]]


def standing(readme: str) -> tuple[str, ...]:
    """What is defined before the others are asked, on a kernel with this README."""
    found: tuple[str, ...] = KPROBES
    if "e[:[<group>/]" in readme:
        found += EVENT_PROBES
    return found + FPROBES if "f[:[<group>/]" in readme else found


class DynamicGenerator(Generator):
    """Lines for dynamic_events."""

    def definition(self) -> str:
        roll = self.random.random()
        if roll < 0.07:
            return self.pick([*DYNAMIC_REMOVALS, *DYNAMIC_REMOVALS, *REMOVALS])
        if roll < 0.10:
            return self.pick(OTHER_HEADS) + self.pick(["", " ", " x", " vfs_read", " vfs_read a=%di", " # x"])
        if roll < 0.12:
            return self.crowd()
        if roll < 0.24:
            return super().definition()
        if roll < 0.32:
            return self.again()
        self.careful = self.random.random() < 0.5
        text = self.pick_kind()
        damaged = self.random.random() < (0.1 if self.careful else 0.25)
        self.careful = False
        return self.damage(text) if damaged else text

    def pick_kind(self) -> str:
        if self.words.functions and self.words.events and self.random.random() < 0.25:
            return self.of_this_kernel()
        kind = self.random.random()
        if kind < 0.3:
            return self.function()
        if kind < 0.5:
            return self.tracepoint()
        if kind < 0.78:
            return self.event()
        return self.synthetic()

    def head(self, letter: str) -> str:
        if self.careful or self.random.random() < 0.6:
            return letter + self.pick(["", ":ev", ":grp/ev", ":grp/"])
        return letter + self.pick(KIND_HEADS)

    def line(self, *words: str) -> str:
        return self.random.choice([" ", " ", " ", "  ", "\t"]).join(words)

    def of_this_kernel(self) -> str:
        """A line about a function, a tracepoint or an event that only this kernel may have."""
        chance, words = self.random, self.words
        kind = chance.choice("ffte")
        if kind == "f":
            function = self.pick(list(words.functions))
            named = words.parameters(function)
            sources = [name + words.path(found, chance) for name, found in named] + [
                "$retval",
                "$arg1",
                "$arg*",
            ]
            sources += [f"{name}:{self.pick(TYPES)}" for name, _ in named]
            return self.line(
                self.head("f"), function, *(self.pick(sources) for _ in range(chance.choice([0, 1, 1, 2])))
            )
        group, _, event = self.pick(list(words.events)).partition(":")
        if kind == "t":
            named = words.parameters(f"__probestub_{event}")[1:]
            sources = [name + words.path(found, chance) for name, found in named] + [
                "$arg1",
                "$arg2",
                "$arg*",
            ]
            return self.line(
                self.head("t"), event, *(self.pick(sources) for _ in range(chance.choice([0, 1, 1, 2])))
            )
        fields = list(words.fields(f"{group}:{event}")) or ["pid"]
        arguments = [self.field_argument(fields) for _ in range(chance.choice([0, 1, 1, 2]))]
        ending = ["if", self.pick(fields), "==", "1"] if chance.random() < 0.3 else []
        return self.line(self.head("e"), f"{group}.{event}", *arguments, *ending)

    def function(self) -> str:
        place = self.some(
            ["vfs_read", "vfs_write", "do_sys_openat2", "d_path", "kernel_clone"], FUNCTION_PLACES, 0.3
        )
        if self.random.random() < 0.3:
            place += "%return"
        words = [self.argument() for _ in range(self.random.choice([0, 1, 1, 1, 2, 3]))]
        return self.line(self.head("f"), place, *words)

    def tracepoint(self) -> str:
        place = self.some(TRACEPOINTS, TRACEPOINT_PLACES, 0.3)
        words = [
            self.pick(PARAMETERS) if self.random.random() < 0.6 else self.argument()
            for _ in range(self.random.choice([0, 1, 1, 2, 3]))
        ]
        return self.line(self.head("t"), place, *words)

    def event(self) -> str:
        event = self.pick(list(EVENTS))
        fields = EVENTS[event].split()
        attached = event.replace("/", self.pick([".", "."] if self.careful else [".", ".", "/"]))
        attached = attached if self.careful or self.random.random() < 0.85 else self.pick(NO_EVENTS)
        words = [self.field_argument(fields) for _ in range(self.random.choice([0, 1, 1, 1, 2, 3]))]
        if self.random.random() < 0.4:
            rule = filters_gen.Generator(str(self.random.random()), _filter_fields(fields), ALL_FEATURES)
            made = rule.one() if self.random.random() < 0.5 else f"{self.pick(fields)} == 1"
            words += ["if", *made.split()] if self.random.random() < 0.95 else ["if"]
        return self.line(self.head("e"), attached, *words)

    def field_argument(self, fields: list[str]) -> str:
        text = "$" + self.pick(fields) if self.random.random() < 0.8 else self.pick(fields)
        if not self.careful and self.random.random() < 0.35:
            text = self.pick(FIELD_SOURCES)
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])):
            text = f"{self.pick(['+', '+', '-', '+u'])}{self.number()}({text})"
        if self.random.random() < 0.5:
            text += ":" + self.some(TYPES, WRONG_TYPES, 0.1)
            text += self.pick(["[2]", "[x]", "[", "[65]"]) if self.random.random() < 0.15 else ""
        if self.random.random() < 0.5:
            text = self.some(["a", "b", "pid", "arg2"], WRONG_NAMES, 0.1) + "=" + text
        return text

    def synthetic(self) -> str:
        head = "s:ev" if self.careful or self.random.random() < 0.6 else self.pick(SYNTH_HEADS)
        fields = []
        for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 5])):
            name = self.some(SYNTH_NAMES, WRONG_SYNTH_NAMES, 0.25)
            if self.random.random() < 0.15:
                name += self.pick(["[16]", "[]", "[3]"])
            fields.append(
                f"{self.some(SYNTH_TYPES, WRONG_SYNTH_TYPES, 0.15)}{self.pick([' ', ' ', '  '])}{name}"
            )
        text = self.pick(["; ", ";", " ; ", " ", "; "]).join(fields)
        ending = self.pick(["", "", "", ";", " ;", " ", "; ;", " # x"])
        return head + self.pick([" ", " ", "\t", "  ", "\v"]) + text + ending

    def again(self) -> str:
        """A line with the name of an event that stands, or with much of its text."""
        base = self.random.choice([*KPROBES, *EVENT_PROBES, *FPROBES, *FPROBES])
        words = base.split()
        odd = self.random.random()
        if odd < 0.3:
            words[0] = self.pick(
                [*SAME, f"f:{GROUP}/fen", f"f:{GROUP}/fex", f"t:{GROUP}/tp", f"e:{GROUP}/ep"]
            )
        elif odd < 0.5 and words[0][0] in "ft":
            words[1] = self.pick(
                ["vfs_read", "vfs_write", "sched_wakeup", "no_such_function", "vfs_read%return"]
            )
        elif odd < 0.7:
            words[-1] = self.pick(
                [words[-1] + ":x32", "file=\\1", "r=$retval", "count", "prev=\\1", "z=@jiffies"]
            )
        elif odd < 0.8:
            words.append(self.argument())
        elif odd < 0.9:
            words = words[:-1] if len(words) > 2 else words
        return " ".join(words)

    def crowd(self) -> str:
        """Many arguments or fields: around every limit there is."""
        count = self.random.choice([15, 16, 17, 63, 64, 65, 127, 128, 129, 140])
        if self.random.random() < 0.3:
            many = "; ".join(f"u32 f{i}" for i in range(min(count, 70)))
            return f"s:ev {many}" + self.pick(["", "", "; foo x", "; u32 1x"])
        head, source = (
            self.pick(["f vfs_read", "t sched_switch", "e sched.sched_switch", "e sched.no"]),
            "$arg1",
        )
        if head.startswith("e"):
            source = "$next_pid"
        elif head.startswith("f") and self.random.random() < 0.5:
            head, source = "f vfs_read%return", ""
        words = [f"a{i}={source or f'$arg{i + 1}'}" for i in range(count)]
        return " ".join([head, *words, *self.random.choice(ENDINGS)])


def is_safe(text: str) -> bool:
    """Whether it may be written: nothing that harms an unfixed kernel, no pattern that means thousands of
    functions, no filter that ends in ``&&``, ``||`` or ``!``.
    """
    if not is_safe_kprobe(text):
        return False
    # Words as the kernel cuts them: bytes, of which 0xa0 is a blank
    raw = text.encode("utf-8", "surrogateescape").decode("latin-1").partition("#")[0]
    words = re.findall("[^\t\n\v\f\r \xa0]+", raw)
    if not words:
        return True
    place = words[1] if len(words) > 1 else ""
    symbol = place.partition("%")[0]
    if words[0][0] == "f" and any(char in symbol for char in "*?[]!\\") and symbol not in PATTERNS:
        return False
    # Whichever of the words the kernel takes for the "if", what follows must be complete
    return all(filters_gen.is_safe(" ".join(words[at:])) for at in range(2, len(words) + 1))


def definitions(seed: int, count: int, words: Words | None = None) -> list[str]:
    """``count`` lines for one seed."""
    generator = DynamicGenerator(f"dynamic {seed}", words or Words())
    out: list[str] = []
    while len(out) < count:
        text = generator.definition()
        if is_safe(text):
            out.append(text)
    return out
