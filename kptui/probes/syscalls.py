"""What the system calls take: names and C types of their arguments, and how each is best fetched.

The tables have every call that a kernel from 5.10 to 7.3 has a function for. They come before what the kernel itself
tells: BTF has the body of a call (``__do_sys_*``) only where the compiler didn't put it into its caller, 107 of the 462
calls of 6.12, and tracefs has events for 358 of them, not for those of 32-bit programs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from kptui.probes.abi import syscall_of
from kptui.probes.calls import common, compat, more, narrow

__all__ = [
    "COMPAT",
    "FUNCTIONS",
    "KERNEL_NAMES",
    "STRUCTS",
    "SYSCALLS",
    "SyscallArg",
    "enter_event",
    "known_call",
    "natural_kind",
    "parse_prototype",
    "syscall_of",
]


@dataclass(frozen=True, slots=True)
class SyscallArg:
    """One parameter.

    ``kind`` says how to fetch it: a number type (``s32``, ``x32``, ``u64`` …) for a value, ``ustring`` or
    ``string`` for a pointer to text, ``argv`` for a NULL-terminated array of user strings, ``x64`` for
    other pointers.
    """

    name: str
    ctype: str
    kind: str

    @property
    def struct(self) -> str | None:
        """The struct that a ``struct NAME *`` points to, else None."""
        match = re.match(r"(?:const )?struct (\w+)", self.ctype)
        return match[1] if match and self.ctype.endswith("*") and self.ctype.count("*") == 1 else None


STRUCTS: Final = MappingProxyType(
    {
        "open_how": (("flags", 0, "x64"), ("mode", 8, "x64"), ("resolve", 16, "x64")),
        "clone_args": (("flags", 0, "x64"), ("exit_signal", 32, "u64")),
        "sockaddr": (
            ("family", 0, "u16"),
            ("port_be", 2, "x16"),
            ("ipv4_be", 4, "x32"),
            ("ipv6_be", 8, "x64"),
            ("ipv6_low_be", 16, "x64"),
            ("path", 2, "ustring"),
        ),
        "__kernel_timespec": (("sec", 0, "s64"), ("nsec", 8, "s64")),
        "__kernel_old_timeval": (("sec", 0, "s64"), ("usec", 8, "s64")),
        "pollfd": (("fd", 0, "s32"), ("events", 4, "x16")),
        "epoll_event": (("events", 0, "x32"), ("data", 4, "x64")),
        "iovec": (("base", 0, "x64"), ("len", 8, "u64"), ("text", (0, 0), "ustring")),
        "compat_iovec": (("base", 0, "x32"), ("len", 4, "u32")),
        "user_msghdr": (
            ("name", 0, "x64"),
            ("namelen", 8, "s32"),
            ("iov_base", (16, 0), "x64"),
            ("iov_len", (16, 8), "u64"),
            ("iovlen", 24, "u64"),
            ("iov_text", (16, 0, 0), "ustring"),
            ("name_port_be", (0, 2), "x16"),
            ("name_ipv4_be", (0, 4), "x32"),
        ),
        "rlimit": (("cur", 0, "u64"), ("max", 8, "u64")),
        "rlimit64": (("cur", 0, "u64"), ("max", 8, "u64")),
        "sched_param": (("priority", 0, "s32"),),
        "sembuf": (("num", 0, "u16"), ("op", 2, "s16"), ("flg", 4, "x16")),
        "utimbuf": (("actime", 0, "s64"), ("modtime", 8, "s64")),
        "old_timespec32": (("sec", 0, "s32"), ("nsec", 4, "s32")),
    }
)
"""Members of structs of the user interface, whose layout never changes: (name, byte offset, type). Several offsets lead
through pointers."""

_KINDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("int", "pid_t", "clockid_t", "__s32", "key_t", "key_serial_t", "mqd_t", "timer_t"), "s32"),
        **dict.fromkeys(("compat_long_t", "compat_ssize_t", "compat_off_t", "compat_pid_t"), "s32"),
        **dict.fromkeys(("unsigned int", "unsigned", "uid_t", "gid_t", "qid_t", "u32", "__u32"), "u32"),
        **dict.fromkeys(("compat_ulong_t", "compat_size_t", "enum landlock_rule_type"), "u32"),
        **dict.fromkeys(("compat_uptr_t", "compat_aio_context_t", "rwf_t", "old_sigset_t"), "x32"),
        **dict.fromkeys(("umode_t", "compat_mode_t"), "x16"),
        **dict.fromkeys(("old_uid_t", "old_gid_t"), "u16"),
        **dict.fromkeys(("long", "loff_t", "off_t", "ssize_t"), "s64"),
        **dict.fromkeys(("unsigned long", "size_t", "u64", "__u64"), "u64"),
    }
)  # fmt: skip


def natural_kind(ctype: str) -> str:
    """How to fetch a value of a C type when nothing more is known: ``int`` -> ``s32``, ``const char __user
    *`` -> ``ustring``.

    Upper halves of registers are undefined for types under 64 bits, so every number gets its own width.
    """
    if ctype.endswith("*"):
        target = re.sub(r"\b(?:const|__user)\b|\s", "", ctype)
        if target == "char**":
            return "argv"
        if target == "char*":
            return "ustring" if "__user" in ctype else "string"
        return "x64"
    return _KINDS.get(ctype.removeprefix("const "), "x64")


def parse_prototype(line: str) -> tuple[str, tuple[SyscallArg, ...]]:
    """``name(C parameters)`` as name and arguments; ``:kind`` behind a parameter overrides its natural
    kind.
    """
    name, _, rest = line.strip().rstrip(")").partition("(")
    args: list[SyscallArg] = []
    for parameter in filter(None, rest.split(", ")):
        declaration, _, kind = parameter.partition(":")
        match = re.fullmatch(r"(.*[ *])(\w+)", declaration)
        if match is None:
            raise ValueError(f"not a C parameter: {parameter!r}")
        ctype = match[1].strip().removesuffix(" const")
        if ctype.endswith("*const"):
            ctype = ctype.removesuffix("const")
        args.append(SyscallArg(match[2], ctype, kind or natural_kind(ctype)))
    return name, tuple(args)


@cache
def _table(text: str) -> MappingProxyType[str, tuple[SyscallArg, ...]]:
    lines = text.replace(",\n    ", ", ").split("\n")
    return MappingProxyType(dict(parse_prototype(line) for line in lines if line))


KERNEL_NAMES: Final = MappingProxyType(
    {
        "stat": "newstat",
        "lstat": "newlstat",
        "fstat": "newfstat",
        "umount2": "umount",
        "sendfile": "sendfile64",
    }
)
"""Calls whose function in the kernel has another name than the call."""

_COMMON = _table(common.FILES + common.PROCESSES + common.NETWORK)
_CALLS = {**_table(more.MORE + narrow.NARROW), **_COMMON}
SYSCALLS: Final = MappingProxyType({**_CALLS, **{call: _CALLS[name] for call, name in KERNEL_NAMES.items()}})
"""Arguments of the system calls, by the kernel's name behind ``__x64_sys_`` and by the call's own."""

COMPAT: Final = _table(compat.COMPAT)
"""Arguments of the calls that are another function for 32-bit programs, by the name behind ``…_compat_sys_``."""

_OLD: Final = _table(narrow.OLD)

FUNCTIONS: Final = _table(common.PLAIN)
"""Parameters of a few ordinary functions, in registers."""


def known_call(symbol: str) -> tuple[SyscallArg, ...] | None:
    """The arguments of the call that a function is the entry or the body of; None where the tables don't have it."""
    call = syscall_of(symbol)
    if call is None:
        return None
    if "_compat_sys_" in symbol:
        return COMPAT.get(call)
    own = _OLD.get(call) if symbol.startswith("__") else None
    return SYSCALLS.get(call) if own is None else own


_FIELD = re.compile(r"^\s*field:(?P<type>[^;]*?)(?P<name>\w+);", re.MULTILINE)
_TEXT_OF = re.compile(r"__(\w+)_val")


def enter_event(text: str) -> tuple[SyscallArg, ...] | None:
    """The arguments of a call from its ``events/syscalls/sys_enter_NAME/format``; None for another text.

    Pointers of a call lead to user memory; which of them to text the format says since 6.19, before that
    ``const char *`` is taken for it.
    """
    fields = [(m["type"].strip(), m["name"]) for m in _FIELD.finditer(text)]
    if all(name != "__syscall_nr" for _, name in fields):
        return None
    texts = {
        match[1] for ctype, name in fields if "__data_loc" in ctype and (match := _TEXT_OF.fullmatch(name))
    }
    args = []
    for ctype, name in fields:
        if name.startswith(("common_", "__syscall_nr")) or "__data_loc" in ctype:
            continue
        if ctype.endswith("*") and "__user" not in ctype:
            ctype = f"{ctype[:-1].rstrip()} __user *"  # noqa: PLW2901
        kind = natural_kind(ctype)
        if kind == "ustring" and name not in texts and not ctype.startswith("const"):
            kind = "x64"
        args.append(SyscallArg(name, ctype, kind))
    return tuple(args)
