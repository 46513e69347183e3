from __future__ import annotations

import re
from pathlib import Path

import pytest

from kptui.btf import Btf
from kptui.btf.types import PTR
from kptui.probes.callsig import call_arguments, call_signature, type_id
from kptui.probes.fetch import is_identifier, parse_type
from kptui.probes.syscalls import (
    COMPAT,
    FUNCTIONS,
    KERNEL_NAMES,
    STRUCTS,
    SYSCALLS,
    SyscallArg,
    enter_event,
    known_call,
    natural_kind,
    parse_prototype,
)
from kptui.probes.walk import Walker
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer

DATA = Path(__file__).parent / "data"

# What 5.10, 6.1, 6.12, 6.18 and 7.3 say of their calls in events/syscalls/sys_enter_*/format: name, then "type name"
# of each argument; of calls that have changed what 6.12 says.
KERNEL = {
    words[0]: [word for word in words[1:] if word]
    for line in (DATA / "syscalls.txt").read_text().splitlines()
    if (words := line.split("\t"))
}
# Release, prefix and the rest of the names of the system calls' functions in kallsyms.
NAMES = [
    (words[0], words[1], words[2:])
    for line in (DATA / "call_names.txt").read_text().splitlines()
    if (words := line.split(" "))
]


def plain(declaration: str) -> str:
    """A declaration without ``__user`` and without white space around stars, which the kernel's text has
    lost.
    """
    return (
        re.sub(r"\s*\*\s*", "*", re.sub(r"\b__user\b", " ", declaration))
        .replace("*const*", "**")
        .replace("*const ", "*")
        .strip()
    )


@pytest.mark.parametrize(("release", "prefix", "names"), NAMES, ids=[f"{r} {p}" for r, p, _ in NAMES])
def test_every_call_of_a_kernel_has_named_arguments(release: str, prefix: str, names: list[str]) -> None:
    assert len(names) > 110, release
    assert [name for name in names if known_call(prefix + name) is None] == []


@pytest.mark.parametrize("call", sorted(set(KERNEL)))
def test_arguments_are_what_a_kernel_says_of_them(call: str) -> None:
    ours = [re.sub(r"\s+", " ", plain(f"{arg.ctype} {arg.name}")) for arg in SYSCALLS[call]]
    theirs = [re.sub(r"\s+", " ", plain(text)) for text in KERNEL[call]]
    assert ours == theirs


@pytest.mark.parametrize(("call", "name"), KERNEL_NAMES.items())
def test_calls_with_another_name_in_the_kernel(call: str, name: str) -> None:
    assert call not in KERNEL
    assert name in KERNEL
    assert SYSCALLS[call] == SYSCALLS[name]


def test_functions_whose_name_is_now_another_call_s() -> None:
    def types(symbol: str) -> list[str]:
        return [arg.ctype for arg in known_call(symbol) or ()]

    assert types("__x64_sys_stat")[1] == "struct __old_kernel_stat __user *"
    assert types("sys_stat") == types("__x64_sys_newstat")
    assert types("__x64_sys_sendfile")[2] == "off_t __user *"
    assert types("__x64_sys_sendfile64")[2] == "loff_t __user *"


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


@pytest.mark.parametrize("table", [SYSCALLS, COMPAT, FUNCTIONS], ids=["calls", "compat", "functions"])
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
        assert len({name for name, _, _ in members}) == len(members)
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


FORMAT = """name: sys_enter_bpf
ID: 449
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
\tfield:int cmd;\toffset:16;\tsize:8;\tsigned:0;
\tfield:union bpf_attr * uattr;\toffset:24;\tsize:8;\tsigned:0;
\tfield:unsigned int size;\toffset:32;\tsize:8;\tsigned:0;
\tfield:const char * name;\toffset:40;\tsize:8;\tsigned:0;
\tfield:char * dir;\toffset:48;\tsize:8;\tsigned:0;
\tfield:char * out;\toffset:56;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] __dir_val;\toffset:64;\tsize:4;\tsigned:0;

print fmt: "cmd: 0x%08lx", ((unsigned long)(REC->cmd))
"""


def test_a_kernel_that_tells_more_of_a_call_is_believed() -> None:
    own = enter_event(FORMAT)
    assert own is not None
    assert [(arg.name, arg.ctype, arg.kind) for arg in own] == [
        ("cmd", "int", "s32"),
        ("uattr", "union bpf_attr __user *", "x64"),
        ("size", "unsigned int", "u32"),
        ("name", "const char __user *", "ustring"),
        ("dir", "char __user *", "ustring"),
        ("out", "char __user *", "x64"),
    ]
    assert enter_event("nonsense") is None
    assert enter_event("\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n") == ()
    assert call_arguments("__x64_sys_bpf", None, own) == own
    assert call_arguments("__x64_sys_newcall", None, own) == own
    assert call_arguments("__x64_sys_newcall") is None
    # what the table knows of a buffer stays known
    read = enter_event(FORMAT.replace("out;", "buf;"))
    assert [a.kind for a in call_arguments("__x64_sys_read", None, read) or () if a.name == "buf"] == ["x64"]


def test_the_body_of_a_call_that_no_table_has() -> None:
    w = Writer()
    char, number = w.integer("char", 1), w.integer("int", 4, signed=True)
    registers = w.struct("pt_regs", 168)
    w.function("__do_sys_newcall", number, ("path", w.add(PTR, "", char)), ("flags", number))
    w.function("__do_sys_nothing", number, ("__unused", w.add(PTR, "", w.add(10, "", registers))))
    btf = Btf.parse(w.data())
    found = call_signature("__x64_sys_newcall", btf)
    assert found is not None
    assert found.prototype == "long sys_newcall(char __user *path, int flags)"
    assert [str(p.fetch) for p in found.parameters] == ["path=+112(%di):x64", "flags=+104(%di):s32"]
    assert call_arguments("__x64_sys_nothing", btf) == ()


def test_signatures_of_calls() -> None:
    found = call_signature("__x64_sys_execve", kernel())
    assert found is not None
    assert [(p.name, p.slot.registers, str(p.fetch)) for p in found.parameters] == [
        ("filename", ("di",), "filename=+0(+112(%di)):ustring"),
        ("argv", ("si",), "argv=+0(+104(%di)):ustring[6]"),
        ("envp", ("dx",), "envp=+0(+96(%di)):ustring[6]"),
    ]
    fourth = call_signature("__x64_sys_openat")
    assert fourth is not None
    assert (fourth.parameters[3].slot.registers, fourth.parameters[3].slot.text) == (("r10",), "+56(%di)")
    assert call_signature("vfs_read", kernel()) is None
    assert call_signature("__x64_sys_nosuchcall", kernel()) is None
    compat = call_signature("__ia32_compat_sys_ioctl")
    assert compat is not None
    assert compat.prototype == "long compat_sys_ioctl(unsigned int fd, unsigned int cmd, compat_ulong_t arg)"
    assert [p.slot.registers[0] for p in compat.parameters] == ["bx", "cx", "dx"]
    x32 = call_signature("__x64_compat_sys_ioctl")
    assert x32 is not None
    assert [p.slot.registers[0] for p in x32.parameters] == ["di", "si", "dx"]


def test_a_32_bit_program_s_buffers_are_its_own_kind() -> None:
    w = Writer()
    word, long = w.integer("unsigned int", 4), w.integer("long unsigned int", 8)
    wide = w.struct("iovec", 16, ("iov_base", long, 0), ("iov_len", long, 64))
    narrow = w.struct("compat_iovec", 8, ("iov_base", word, 0), ("iov_len", word, 32))
    w.add(2, "", wide)
    w.add(2, "", narrow)
    btf = Btf.parse(w.data())
    for symbol, expected in {
        "__x64_sys_readv": "iov_len=+u8(+104(%di)):u64",
        "__ia32_sys_readv": "iov_len=+u4(+88(%di)):u32",
        "__ia32_compat_sys_preadv": "iov_len=+u4(+88(%di)):u32",
    }.items():
        signed = call_signature(symbol, btf)
        assert signed is not None
        walk = Walker(btf, signed)
        assert str(walk.reach(walk.parse("vec->iov_len")).fetch) == expected


def test_types_by_their_c_text() -> None:
    btf = kernel()
    pointer = type_id(btf, "const struct sockaddr __user *")
    assert pointer is not None
    kind = btf.resolved(pointer)
    assert kind is not None
    assert kind.kind == PTR
    target = btf.resolved(kind.ref)
    assert target is not None
    assert target.name == "sockaddr"
    assert type_id(btf, "struct nosuch *") is None
    assert btf.pointer_to(1 << 30) is None
