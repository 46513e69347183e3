"""Generates definitions of kprobes from the names of the kernel that is asked: its functions, their parameters
and members by BTF, duplicates, modules, data; and texts that provoke the rarer messages."""

from __future__ import annotations

import re

from kptui.btf import Type
from kptui.btf.types import INT, PTR, STRUCT, UNION
from tests.realkernel.definitions_gen import (
    ARRAYS,
    BITFIELDS,
    COMMANDS,
    FUNCTIONS,
    GROUP,
    NAMES,
    REGISTERS,
    SAME,
    STANDING,
    TYPES,
    Generator,
)
from tests.realkernel.words import Words

MORE_STANDING = (
    f"p:{GROUP}/several vfs_read a=%di b=%si:u32",
    f"p:{GROUP}/several vfs_write a=%di b=%si:u32",
    f"p:{GROUP}/several vfs_read+0 a=%dx b=%si:u32",
    f"r:{GROUP}/rets vfs_read r=$retval:s64",
    f"r:{GROUP}/rets vfs_write r=$retval:s64",
    f"p:{GROUP}2/one vfs_read",
    f'p:{GROUP}2/two vfs_write x=\\5 s=\\"text" n=+0(%si):string[2]',
    f"p:{GROUP}/btf vfs_read file count",
    f"p:{GROUP}/star vfs_read $arg*",
    f"p:{GROUP}/member vfs_read i=file->f_inode->i_ino f=file->f_flags",
    f"p:{GROUP}/bits vfs_read b=%di:b4@8/32 c=%si:char s=%dx:symbol",
)
"""Beside STANDING; those with names of parameters where the kernel knows them."""
_BY_NAME = re.compile(r" (file|\$arg\*)|=file")
SAME_MORE = [f"p:{GROUP}/{name}" for name in ("several", "btf", "star", "member", "bits")]
SAME_MORE += [f"r:{GROUP}/rets", f"p:{GROUP}2/one", f"p:{GROUP}2/two", f"r:{GROUP}2/one", *SAME]
TAKEN = ["sched/sched_switch", "syscalls/sys_enter_openat", "kmem/kmalloc", "ftrace/function"]
NEAR_MEMBERS = [
    "->nosuch", ".x", "->", "-", "->x-y", "->a.b", "->a.", "..", "-x", ">x", "->f_path.dentry->d_name.name",
    "->->x", "-> x", "->0", ".nosuch->x", "->f_path.",
]  # fmt: skip
STRUCTS = [
    "task_struct", "file", "dentry", "inode", "list_head", "nosuch", "", "page", "sk_buff", "int", "task_struct *",
    "file,f_path", "dentry,d_name", "task_struct,nosuch", "inode,i_sb->x", "list_head,next", "task_struct,",
    "dentry,d_name.name", "task_struct,sched_reset_on_fork", "sk_buff,cloned",
]  # fmt: skip
CAST_MEMBERS = [
    "->pid", "->comm", "->f_flags", "->d_name.name", "->d_name", "->nosuch", "->next", "->mm->pgd", "", "->", ".pid",
    "->f_path.dentry->d_name.name", "->sched_reset_on_fork", "->d_parent->d_parent", "->__state", "->i_ino",
]  # fmt: skip
PER_CPU = [
    "this_cpu_read(@jiffies)", "this_cpu_ptr(@jiffies)", "this_cpu_read(%di)", "this_cpu_ptr(%di", "this_cpu_read",
    "this_cpu_read($stack)", "this_cpu_ptr(+0(%di))", "this_cpu_read(@nosuch_data)", "this_cpu_ptr()",
    "+0(this_cpu_ptr(@jiffies))", "(task_struct)this_cpu_read(@jiffies)->pid", "this_cpu_read(this_cpu_ptr(%di))",
    "this_cpu_ptr($comm)", "this_cpu_read(@jiffies+8)", "this_cpu_read(file)", "this_cpu_read(\\1)",
]  # fmt: skip
RARE = [
    "p vfs_read {}".format(" ".join(["$arg1"] * 30)),
    "p vfs_read {}".format(" ".join(f"$arg{1 + i % 4}:u8" for i in range(20))),
    "r:ev kfree $retval", "r:ev kfree x=$retval:u8", "r:ev schedule $retval", "r:ev kfree $retval->x",
    "r:ev kfree%return $arg*", "p vfs_read count->x", "p vfs_read buf->x", "p vfs_read count:string",
    "p vfs_read file:string", "p vfs_read buf:string", "p vfs_read buf:ustring", "p vfs_read pos:string",
    "p vfs_read file->f_inode:string", "p d_path buf:string[2]", "p d_path path->dentry->d_iname:string",
    "p vfs_read $arg0", "r vfs_read $arg0", "p vfs_read x=$arg0", "p vfs_read x=$arg2049", "p vfs_read x=$stack2049",
    "p vfs_read $arg5 $arg6", "p vfs_read $arg1->f_flags", "p vfs_read $argx", "p vfs_read $arg", "p no_such $arg1",
    "p vfs_read x=$arg*", "p vfs_read $arg*:u8", "p vfs_read $arg* $arg2", "r vfs_read $arg* $retval",
    "p vfs_read+4 $arg*", "p vfs_read+4 file", "p vfs_read+4 $retval", "p vfs_read+4 $arg1", "r vfs_read+4 $arg1",
    "p vfs_read:x file", "p vfs_read \\1:string", "p vfs_read $comm:u8", "p vfs_read $comm:string[2]",
    'p vfs_read \\"x":ustring', 'p vfs_read x=\\"x":string', 'p vfs_read +0(\\"x")', "p vfs_read +0($comm)",
    'p vfs_read x=\\"', 'p vfs_read x=+0(\\")', 'p vfs_read x=\\""', 'p vfs_read x=\\"":string',
    "p vfs_read @jiffies:string", "p vfs_read @0x10:string", "p vfs_read @0x10:symstr", "p vfs_read +0(%di):symstr",
    "p vfs_read +u0(%di):symstr", "p vfs_read \\1:symstr", "p vfs_read $stack:symstr", "p vfs_read @jiffies:symstr",
    "p vfs_read @jiffies+z", "p vfs_read @+8", "p vfs_read @no_such_data", "p vfs_read @", "p vfs_read @0xzz",
    "p vfs_read =%di", "p vfs_read x=", "p vfs_read x=:u8", "p vfs_read x=%di:", "p vfs_read :u8",
    "p 18446744073709551615", "p 0x1000 %di", "r 0x1000 $retval", "p 0", "r 0x0", "p 18446744073709551616",
    "p:kptuidef/one vfs_read a=%di:u8 b=+0(%si):string", "p:kptuidef/nosuch/x vfs_read", "p:g/ vfs_read",
    "p:g. vfs_read",
    "p: vfs_read", "r: vfs_read", "p:/ vfs_read", "p:. vfs_read", "p:/x vfs_read", "p5:x vfs_read", "r0:x vfs_read",
    "r4097:x vfs_read", "r99999999999:x vfs_read", "p vfs_read%retur", "p vfs_read%", "r vfs_read%return", "p %return",
    "p vfs_read file->f_mode", "p vfs_read file->f_path.mnt->mnt_root->d_name.name:string",
    "p vfs_read (file)$arg1->f_flags", "p vfs_read (task_struct)$current->pid", "p vfs_read $current->pid",
    "p vfs_read $current->comm:string", "p vfs_read $current", "p vfs_read $current:u8", "p vfs_read $currentx",
    "p vfs_read $current->nosuch", "p vfs_read+4 $current->pid", "p vfs_read x=$current->mm->pgd",
    "p vfs_read (task_struct,tasks)%di->pid", "p vfs_read (task_struct,sched_reset_on_fork)%di->pid",
    "p vfs_read (task_struct,mm->pgd)%di->pid", "p vfs_read (dentry,d_name.name)%di->d_inode->i_ino",
    "p vfs_read (file)@jiffies+8->f_flags", "p vfs_read (file)(@jiffies+8)->f_flags", "p vfs_read (file)file",
    "p vfs_read (nosuch)file->x", "p vfs_read (file", "p vfs_read (file)", "p vfs_read (file)(file->f_inode)->i_ino",
    "p vfs_read (file)(%di", "p vfs_read (file)(%di)", "p vfs_read (file)+0(%di", "p vfs_read (file)+0(%di)->f_flags",
    "p vfs_read +0((file)file->f_inode)", "p vfs_read (inode)(file)file->f_inode->i_ino", "p vfs_read ()file->x",
    "p vfs_read (inode)((file)file->f_inode)->i_ino:u8", "p vfs_read (file)file.f_flags", "p vfs_read (int)file->x",
]  # fmt: skip


def standing(words: Words) -> tuple[str, ...]:
    """What stands while kprobes are asked."""
    more = [line for line in MORE_STANDING if "btf" in words.features or not _BY_NAME.search(line)]
    return (*STANDING, *(line for line in more if "char" in words.features or ":char" not in line))


class KernelGenerator(Generator):
    """Seeded definitions for kprobe_events of the kernel whose words are given."""

    def __init__(self, seed: str, words: Words) -> None:
        super().__init__(seed, words)
        self.function = ""  # the one whose parameters are meant
        self._left: list[str] = []

    def definition(self) -> str:
        roll = self.random.random()
        if roll < 0.12:
            return self.rare()
        if roll < 0.2:
            return self.again()
        if roll < 0.6 or not self.words.functions:
            return super().definition()
        self.careful = self.random.random() < 0.75
        text = self.real()
        damaged = self.random.random() < (0.06 if self.careful else 0.3)
        self.careful = False
        return self.damage(text) if damaged else text

    def rare(self) -> str:
        if not self._left:
            self._left = self.random.sample(RARE, len(RARE))
        if self.random.random() < 0.6:
            return self._left.pop()
        text = self.pick(RARE)
        if self.random.random() < 0.6:
            return self.damage(text)
        if self.random.random() < 0.15 and self.words.functions:
            return text.replace("vfs_read", self.pick(list(self.words.functions)))
        return text

    def again(self) -> str:
        """With a name that is taken: of a standing event, of one with several probes, of the kernel's own."""
        words = self.random.choice([*MORE_STANDING, *MORE_STANDING, *STANDING]).split()
        for _ in range(self.random.choice([1, 1, 2])):
            odd = self.random.random()
            if odd < 0.2:
                words[0] = self.pick(SAME_MORE)
            elif odd < 0.3:
                words[0] = self.pick(["p:", "r:"]) + self.pick(TAKEN)
            elif odd < 0.5:
                words[1] = self.pick([*FUNCTIONS, "vfs_read+0", "vfs_read%return", "vfs_read+16", "0x1000"])
            elif odd < 0.6 and len(words) > 2:
                words.pop()
            elif odd < 0.7:
                words.append(self.argument())
            elif odd < 0.9 and len(words) > 2:
                at = self.random.randrange(2, len(words))
                words[at] = words[at].partition(":")[0] + self.pick(
                    [":u32", ":x64", ":u64", "", ":s32", ":u32[2]"]
                )
            elif len(words) > 3:
                words[2], words[3] = words[3], words[2]
        return " ".join(words)

    def real(self) -> str:
        """A probe on one of this kernel's functions, with arguments that it may have."""
        kind = self.random.random()
        words = self.words
        sort = (
            words.functions if kind < 0.7 else words.modules if kind < 0.78 else words.distances if kind < 0.88
            else words.twice if kind < 0.91 else words.untraced if kind < 0.94
            else words.blacklisted if kind < 0.97 else words.data
        )  # fmt: skip
        place = self.pick(list(sort or words.functions))
        self.function = place.rpartition(":")[2] if not place.startswith("_text") else ""
        returns = self.random.random() < 0.35
        if self.random.random() < (0.03 if self.careful else 0.12):
            place += self.pick(["+4", "+0", "+16", "+5", "+1", "-1", "+0x10000", "+4294967296", "+99999999"])
        head = self.pick(["p", "p:ev", "p:grp/ev", "p:grp/"])
        if returns and self.random.random() < 0.3:
            place += "%return"
        elif returns:
            head = "r" + self.pick(["", "", "1", "64"]) + head[1:]
        if not self.careful and self.random.random() < 0.1:
            head = self.pick(COMMANDS)
        several = [self.known(returns) for _ in range(self.random.choice([0, 1, 1, 2, 3, 4]))]
        if self.random.random() < (0.12 if "btf" in words.features else 0.03):
            several.insert(self.random.randrange(len(several) + 1), "$arg*")
        self.function = ""
        return " ".join([head, place, *several])

    def known(self, returns: bool) -> str:
        """An argument of the function in question, by name, by number or by what it returns."""
        parameters = self.words.parameters(self.function)
        kind = self.random.random()
        unknown = not parameters or "btf" not in self.words.features
        if kind < 0.3 or (unknown and kind < (1 if self.careful else 0.6)):
            return self.argument()
        name, what = self.random.choice(parameters) if parameters else (self.pick(NAMES), None)
        if kind < 0.4:
            text = f"$arg{self.random.randrange(1, len(parameters) + (1 if self.careful else 3))}"
        elif kind < 0.52 and returns:
            what = self.words.returned(self.function)
            text = "$retval" + self.members(what)
        elif kind < 0.6 and "typecast" in self.words.features:
            text = self.cast(name)
        elif kind < 0.66 and "dentry" in self.words.features:
            source = self.pick(["%di", name, "+8(%si)", "$arg1", "+0(+0(%di))"])
            return f"{self.named()}{source}:{self.pick(['%pd', '%pD'])}"
        else:
            text = name + self.members(what)
        if self.random.random() < (0.05 if self.careful else 0.15):
            text = f"+{self.random.choice([0, 8, 16])}({text})"
        return self.named() + text + self.typed(what if "->" not in text else None)

    def argument(self) -> str:
        return self.simple() if self.careful else super().argument()

    def simple(self) -> str:
        """An argument that every kernel takes at every place, whatever its source: types fit."""
        chance = self.random
        number = self.pick(["", "", ":u8", ":u32", ":s64", ":x16", ":s16", ":u64", ":b4@8/32"])
        kind = chance.random()
        if kind < 0.35:
            return f"{self.named()}%{self.pick(REGISTERS)}{self.pick([number, number, ':symbol'])}"
        if kind < 0.5:
            source = self.pick(["$stack", "$stack0", "$stack7", "\\1", "\\-5", "\\0x10"])
            return f"{self.named()}{source}{number}"
        if kind < 0.6:
            text = self.pick(
                ["$comm", "$comm:string", '\\"text"', '\\"a":string', "@jiffies", "@init_task+8:u32"]
            )
            return self.named() + text
        text = f"%{self.pick(REGISTERS)}"
        for _ in range(chance.choice([1, 1, 1, 2, 3, 5])):
            text = f"{self.pick(['+', '+', '+', '-', '+u'])}{self.number()}({text})"
        if text.startswith("+u"):
            return self.named() + text + self.pick([number, ":ustring", ":string", ":string[2]"])
        arrays = [":string", ":ustring", ":u8[4]", ":x64[2]", ":s32[0x10]", ":string[3]", ":symbol[2]"]
        return self.named() + text + self.pick([number, *arrays])

    def named(self) -> str:
        return "" if self.random.random() < 0.5 else f"{self.pick(NAMES)}{self.random.randrange(100)}="

    def members(self, what: Type | None) -> str:
        """Members to go on with, or something like it."""
        chance = self.random.random()
        if chance < (0.03 if self.careful else 0.15):
            return self.pick(NEAR_MEMBERS)
        if what is not None and what.kind == PTR and chance < 0.75:
            text = self.words.path(what, self.random)
            if not self.careful and self.random.random() < 0.2:
                text = text.replace(
                    *self.random.choice([("->", "."), (".", "->"), ("->", "-"), ("_", "-")]), 1
                )
            return text
        return ""

    def typed(self, what: Type | None) -> str:
        """A type that may fit."""
        kind = self.random.random()
        if kind < 0.55:
            return ""
        if what is not None and what.kind == PTR and kind < 0.7:
            return self.pick([":string", ":ustring", ":x64", ":symbol", ":symstr"])
        if what is not None and what.kind in {INT, STRUCT, UNION} and kind < 0.6:
            return ":string"
        if self.careful:
            return self.pick([":u8", ":u32", ":s64", ":x16", ":u64", ":s32"])
        text = ":" + (self.pick(TYPES) if kind < 0.9 else self.pick(BITFIELDS))
        return text + (self.pick(ARRAYS) if self.random.random() < 0.2 else "")

    def cast(self, name: str) -> str:
        """A typecast, a per-CPU read, the current task."""
        kind = self.random.random()
        inner = self.pick(
            [name, "%di", "$current", "$arg1", "@init_task", "+8(%si)", "$stack", f"({name})", "$retval"]
        )
        if kind < 0.2:
            return self.pick(PER_CPU)
        if kind < 0.4:
            return "$current" + self.pick(CAST_MEMBERS)
        if self.careful:
            struct, member = self.random.choice([
                ("task_struct", "->pid"), ("file", "->f_flags"), ("dentry", "->d_name.name"), ("inode", "->i_ino"),
                ("list_head", "->next"), ("dentry,d_name", "->d_parent"), ("task_struct,tasks", "->pid"),
            ])  # fmt: skip
            return f"({struct}){inner}{member}"
        text = f"({self.pick(STRUCTS)}){inner}{self.pick(CAST_MEMBERS)}"
        for _ in range(self.random.choice([0, 0, 0, 1, 2, 8])):
            text = f"({self.pick(STRUCTS)})({text}){self.pick(CAST_MEMBERS)}" if kind < 0.7 else f"+8({text})"
        return text
