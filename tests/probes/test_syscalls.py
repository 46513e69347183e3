from __future__ import annotations

import re
from pathlib import Path

import pytest

from kptui.probes.fetch import is_identifier, parse_type
from kptui.probes.syscalls import (
    FUNCTIONS,
    KERNEL_NAMES,
    STRUCTS,
    SYSCALLS,
    SyscallArg,
    natural_kind,
    parse_prototype,
)

# What 6.1.0-50-amd64 says of its calls in events/syscalls/sys_enter_*/format: name, then "type name" of each
# argument.
KERNEL = {
    words[0]: [word for word in words[1:] if word]
    for line in (Path(__file__).parent / "data" / "syscalls.txt").read_text().splitlines()
    if (words := line.split("\t"))
}


def plain(declaration: str) -> str:
    """A declaration without ``__user`` and without white space around stars, which the kernel's text has
    lost.
    """
    return re.sub(r"\s*\*\s*", "*", re.sub(r"\b__user\b", " ", declaration)).replace("*const*", "**").strip()


@pytest.mark.parametrize("call", sorted(set(SYSCALLS) - set(KERNEL_NAMES)))
def test_arguments_are_what_a_kernel_says_of_them(call: str) -> None:
    ours = [re.sub(r"\s+", " ", plain(f"{arg.ctype} {arg.name}")) for arg in SYSCALLS[call]]
    theirs = [re.sub(r"\s+", " ", plain(text)).replace("*const*", "**") for text in KERNEL[call]]
    assert ours == theirs


@pytest.mark.parametrize(("call", "name"), KERNEL_NAMES.items())
def test_calls_with_another_name_in_the_kernel(call: str, name: str) -> None:
    assert call not in KERNEL
    assert name in KERNEL
    assert SYSCALLS[call] == SYSCALLS[name]


def test_the_common_calls_are_there() -> None:
    wanted = """open openat openat2 creat read write pread64 pwrite64 close stat lstat newfstatat access
    faccessat unlink
        unlinkat rename renameat2 mkdir rmdir link symlink readlink chmod chown mount umount2 execve execveat
        clone clone3 fork vfork exit exit_group kill tgkill wait4 prctl ptrace setuid setgid chdir chroot
        ioctl fcntl dup dup2 dup3 pipe2 mmap munmap mprotect brk socket connect accept accept4 bind listen
        sendto recvfrom sendmsg recvmsg shutdown setsockopt getsockopt nanosleep clock_nanosleep epoll_wait
        poll futex bpf perf_event_open finit_module delete_module sync fsync fdatasync truncate ftruncate
        getdents64 lseek sendfile splice statx memfd_create"""
    assert set(wanted.split()) <= set(SYSCALLS)


@pytest.mark.parametrize("table", [SYSCALLS, FUNCTIONS], ids=["calls", "functions"])
def test_every_argument_can_be_fetched(table: dict[str, tuple[SyscallArg, ...]]) -> None:
    for args in table.values():
        assert len({arg.name for arg in args}) == len(args) <= 6
        for arg in args:
            assert is_identifier(arg.name)
            if arg.kind == "argv":
                assert arg.ctype.count("*") == 2
                continue
            assert str(parse_type(arg.kind)) == arg.kind
            assert not arg.kind.endswith("string") or arg.ctype.endswith("char __user *")


def test_members_lie_where_their_size_allows() -> None:
    for members in STRUCTS.values():
        offsets = [offset for _, offset, _ in members]
        assert offsets == sorted(set(offsets))
        for name, _, kind in members:
            assert is_identifier(name)
            assert str(parse_type(kind)) == kind


@pytest.mark.parametrize(
    ("ctype", "kind"),
    [
        ("int", "s32"), ("unsigned int", "u32"), ("umode_t", "x16"), ("size_t", "u64"), ("loff_t", "s64"),
        ("const char __user *", "ustring"), ("const char *", "string"), ("struct file *", "x64"),
        ("const char __user *const __user *", "argv"), ("something_t", "x64"),
    ],
)  # fmt: skip
def test_natural_kinds(ctype: str, kind: str) -> None:
    assert natural_kind(ctype) == kind


def test_prototypes() -> None:
    assert parse_prototype("f(struct a __user *p, int flags:x32)") == (
        "f",
        (SyscallArg("p", "struct a __user *", "x64"), SyscallArg("flags", "int", "x32")),
    )
    assert parse_prototype("f(struct a __user *p)")[1][0].struct == "a"
    assert parse_prototype("sync()") == ("sync", ())
    with pytest.raises(ValueError, match="not a C parameter"):
        parse_prototype("f(int)")
