"""What the common system calls take: names and C types of their arguments, and how each is best fetched.

Source: include/linux/syscalls.h and the SYSCALL_DEFINE lines. The table has the calls behind most questions
about files, processes and the network; for any other call the arguments are shown by number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from kptui.probes.abi import syscall_of

__all__ = [
    "FUNCTIONS",
    "KERNEL_NAMES",
    "STRUCTS",
    "SYSCALLS",
    "SyscallArg",
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
        return match[1] if match and self.ctype.endswith("*") else None


_FILES = """
open(const char __user *filename, int flags:x32, umode_t mode)
openat(int dfd, const char __user *filename, int flags:x32, umode_t mode)
openat2(int dfd, const char __user *filename, struct open_how __user *how, size_t usize)
creat(const char __user *pathname, umode_t mode)
close(unsigned int fd)
close_range(unsigned int fd, unsigned int max_fd, unsigned int flags:x32)
read(unsigned int fd, char __user *buf:x64, size_t count)
write(unsigned int fd, const char __user *buf:x64, size_t count)
readv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
writev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
pread64(unsigned int fd, char __user *buf:x64, size_t count, loff_t pos)
pwrite64(unsigned int fd, const char __user *buf:x64, size_t count, loff_t pos)
lseek(unsigned int fd, off_t offset, unsigned int whence)
sendfile64(int out_fd, int in_fd, loff_t __user *offset, size_t count)
splice(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, size_t len,
    unsigned int flags:x32)
copy_file_range(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, size_t len,
    unsigned int flags:x32)
newstat(const char __user *filename, struct stat __user *statbuf)
newlstat(const char __user *filename, struct stat __user *statbuf)
newfstat(unsigned int fd, struct stat __user *statbuf)
newfstatat(int dfd, const char __user *filename, struct stat __user *statbuf, int flag:x32)
statx(int dfd, const char __user *filename, unsigned flags:x32, unsigned int mask:x32,
    struct statx __user *buffer)
statfs(const char __user *pathname, struct statfs __user *buf)
access(const char __user *filename, int mode:x32)
faccessat(int dfd, const char __user *filename, int mode:x32)
faccessat2(int dfd, const char __user *filename, int mode:x32, int flags:x32)
unlink(const char __user *pathname)
unlinkat(int dfd, const char __user *pathname, int flag:x32)
rename(const char __user *oldname, const char __user *newname)
renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname)
renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
    unsigned int flags:x32)
mkdir(const char __user *pathname, umode_t mode)
mkdirat(int dfd, const char __user *pathname, umode_t mode)
mknodat(int dfd, const char __user *filename, umode_t mode, unsigned int dev:x32)
rmdir(const char __user *pathname)
link(const char __user *oldname, const char __user *newname)
linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname, int flags:x32)
symlink(const char __user *oldname, const char __user *newname)
symlinkat(const char __user *oldname, int newdfd, const char __user *newname)
readlink(const char __user *path, char __user *buf:x64, int bufsiz)
readlinkat(int dfd, const char __user *pathname, char __user *buf:x64, int bufsiz)
chmod(const char __user *filename, umode_t mode)
fchmod(unsigned int fd, umode_t mode)
fchmodat(int dfd, const char __user *filename, umode_t mode)
chown(const char __user *filename, uid_t user, gid_t group)
fchown(unsigned int fd, uid_t user, gid_t group)
fchownat(int dfd, const char __user *filename, uid_t user, gid_t group, int flag:x32)
utimensat(int dfd, const char __user *filename, struct __kernel_timespec __user *utimes, int flags:x32)
truncate(const char __user *path, long length)
ftruncate(unsigned int fd, off_t length)
fallocate(int fd, int mode:x32, loff_t offset, loff_t len)
sync()
syncfs(int fd)
fsync(unsigned int fd)
fdatasync(unsigned int fd)
sync_file_range(int fd, loff_t offset, loff_t nbytes, unsigned int flags:x32)
getdents64(unsigned int fd, struct linux_dirent64 __user *dirent, unsigned int count)
getcwd(char __user *buf:x64, unsigned long size)
chdir(const char __user *filename)
fchdir(unsigned int fd)
chroot(const char __user *filename)
pivot_root(const char __user *new_root, const char __user *put_old)
mount(char __user *dev_name, char __user *dir_name, char __user *type, unsigned long flags:x64,
    void __user *data)
umount(char __user *name, int flags:x32)
ioctl(unsigned int fd, unsigned int cmd:x32, unsigned long arg:x64)
fcntl(unsigned int fd, unsigned int cmd, unsigned long arg:x64)
flock(unsigned int fd, unsigned int cmd:x32)
dup(unsigned int fildes)
dup2(unsigned int oldfd, unsigned int newfd)
dup3(unsigned int oldfd, unsigned int newfd, int flags:x32)
pipe(int __user *fildes)
pipe2(int __user *fildes, int flags:x32)
inotify_add_watch(int fd, const char __user *pathname, u32 mask:x32)
setxattr(const char __user *pathname, const char __user *name, const void __user *value, size_t size,
    int flags:x32)
getxattr(const char __user *pathname, const char __user *name, void __user *value, size_t size)
"""

_PROCESSES = """
execve(const char __user *filename, const char __user *const __user *argv,
    const char __user *const __user *envp)
execveat(int fd, const char __user *filename, const char __user *const __user *argv,
    const char __user *const __user *envp, int flags:x32)
clone(unsigned long clone_flags:x64, unsigned long newsp:x64, int __user *parent_tidptr,
    int __user *child_tidptr, unsigned long tls:x64)
clone3(struct clone_args __user *uargs, size_t size)
fork()
vfork()
exit(int error_code)
exit_group(int error_code)
kill(pid_t pid, int sig)
tkill(pid_t pid, int sig)
tgkill(pid_t tgid, pid_t pid, int sig)
rt_sigaction(int sig, const struct sigaction __user *act, struct sigaction __user *oact, size_t sigsetsize)
wait4(pid_t upid, int __user *stat_addr, int options:x32, struct rusage __user *ru)
waitid(int which, pid_t upid, struct siginfo __user *infop, int options:x32, struct rusage __user *ru)
prctl(int option, unsigned long arg2:x64, unsigned long arg3:x64, unsigned long arg4:x64,
    unsigned long arg5:x64)
ptrace(long request, long pid, unsigned long addr:x64, unsigned long data:x64)
setuid(uid_t uid)
setgid(gid_t gid)
setreuid(uid_t ruid, uid_t euid)
setresuid(uid_t ruid, uid_t euid, uid_t suid)
setsid()
setns(int fd, int flags:x32)
unshare(unsigned long unshare_flags:x64)
setpriority(int which, int who, int niceval)
sched_setaffinity(pid_t pid, unsigned int len, unsigned long __user *user_mask_ptr)
prlimit64(pid_t pid, unsigned int resource, const struct rlimit64 __user *new_rlim,
    struct rlimit64 __user *old_rlim)
mmap(unsigned long addr:x64, unsigned long len, unsigned long prot:x64, unsigned long flags:x64,
    unsigned long fd:s32, unsigned long off:x64)
munmap(unsigned long addr:x64, size_t len)
mprotect(unsigned long start:x64, size_t len, unsigned long prot:x64)
madvise(unsigned long start:x64, size_t len_in, int behavior)
brk(unsigned long brk:x64)
memfd_create(const char __user *uname, unsigned int flags:x32)
nanosleep(struct __kernel_timespec __user *rqtp, struct __kernel_timespec __user *rmtp)
clock_nanosleep(const clockid_t which_clock, int flags:x32, const struct __kernel_timespec __user *rqtp,
    struct __kernel_timespec __user *rmtp)
clock_settime(const clockid_t which_clock, const struct __kernel_timespec __user *tp)
futex(u32 __user *uaddr, int op, u32 val, const struct __kernel_timespec __user *utime, u32 __user *uaddr2,
    u32 val3)
bpf(int cmd, union bpf_attr __user *uattr, unsigned int size)
perf_event_open(struct perf_event_attr __user *attr_uptr, pid_t pid, int cpu, int group_fd,
    unsigned long flags:x64)
init_module(void __user *umod, unsigned long len, const char __user *uargs)
finit_module(int fd, const char __user *uargs, int flags:x32)
delete_module(const char __user *name_user, unsigned int flags:x32)
reboot(int magic1:x32, int magic2:x32, unsigned int cmd:x32, void __user *arg)
sethostname(char __user *name, int len)
getrandom(char __user *ubuf:x64, size_t len, unsigned int flags:x32)
process_vm_readv(pid_t pid, const struct iovec __user *lvec, unsigned long liovcnt,
    const struct iovec __user *rvec, unsigned long riovcnt, unsigned long flags:x64)
"""

_NETWORK = """
socket(int family, int type:x32, int protocol)
socketpair(int family, int type:x32, int protocol, int __user *usockvec)
connect(int fd, struct sockaddr __user *uservaddr, int addrlen)
accept(int fd, struct sockaddr __user *upeer_sockaddr:x64, int __user *upeer_addrlen)
accept4(int fd, struct sockaddr __user *upeer_sockaddr:x64, int __user *upeer_addrlen, int flags:x32)
bind(int fd, struct sockaddr __user *umyaddr, int addrlen)
listen(int fd, int backlog)
shutdown(int fd, int how)
getsockname(int fd, struct sockaddr __user *usockaddr:x64, int __user *usockaddr_len)
getpeername(int fd, struct sockaddr __user *usockaddr:x64, int __user *usockaddr_len)
sendto(int fd, void __user *buff, size_t len, unsigned int flags:x32, struct sockaddr __user *addr,
    int addr_len)
recvfrom(int fd, void __user *ubuf, size_t size, unsigned int flags:x32, struct sockaddr __user *addr:x64,
    int __user *addr_len)
sendmsg(int fd, struct user_msghdr __user *msg, unsigned int flags:x32)
recvmsg(int fd, struct user_msghdr __user *msg, unsigned int flags:x32)
sendmmsg(int fd, struct mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags:x32)
setsockopt(int fd, int level, int optname, char __user *optval:x64, int optlen)
getsockopt(int fd, int level, int optname, char __user *optval:x64, int __user *optlen)
poll(struct pollfd __user *ufds, unsigned int nfds, int timeout_msecs)
ppoll(struct pollfd __user *ufds, unsigned int nfds, struct __kernel_timespec __user *tsp,
    const sigset_t __user *sigmask, size_t sigsetsize)
select(int n, fd_set __user *inp, fd_set __user *outp, fd_set __user *exp,
    struct __kernel_old_timeval __user *tvp)
epoll_create1(int flags:x32)
epoll_ctl(int epfd, int op, int fd, struct epoll_event __user *event)
epoll_wait(int epfd, struct epoll_event __user *events, int maxevents, int timeout)
epoll_pwait(int epfd, struct epoll_event __user *events, int maxevents, int timeout,
    const sigset_t __user *sigmask, size_t sigsetsize)
eventfd2(unsigned int count, int flags:x32)
"""

# Ordinary functions that people start with; these prototypes are the same from 5.10 to 7.x.
_PLAIN = """
do_sys_openat2(int dfd, const char __user *filename, struct open_how *how)
vfs_read(struct file *file, char __user *buf:x64, size_t count, loff_t *pos)
vfs_write(struct file *file, const char __user *buf:x64, size_t count, loff_t *pos)
ksys_read(unsigned int fd, char __user *buf:x64, size_t count)
ksys_write(unsigned int fd, const char __user *buf:x64, size_t count)
"""

STRUCTS: Final = MappingProxyType(
    {
        "open_how": (("flags", 0, "x64"), ("mode", 8, "x64"), ("resolve", 16, "x64")),
        "clone_args": (("flags", 0, "x64"), ("exit_signal", 32, "u64")),
        "sockaddr": (("family", 0, "u16"), ("port_be", 2, "x16"), ("ipv4_be", 4, "x32")),
        "__kernel_timespec": (("sec", 0, "s64"), ("nsec", 8, "s64")),
        "pollfd": (("fd", 0, "s32"), ("events", 4, "x16")),
        "epoll_event": (("events", 0, "x32"), ("data", 4, "x64")),
        "iovec": (("base", 0, "x64"), ("len", 8, "u64")),
    }
)
"""Members of structs of the user interface, whose layout never changes: (name, byte offset, type)."""

_KINDS: Final = MappingProxyType(
    {
        "int": "s32", "pid_t": "s32", "const clockid_t": "s32", "unsigned int": "u32", "unsigned": "u32",
        "uid_t": "u32",
        "gid_t": "u32", "u32": "u32", "umode_t": "x16", "long": "s64", "loff_t": "s64", "off_t": "s64",
        "ssize_t": "s64", "unsigned long": "u64", "size_t": "u64",
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
    return _KINDS.get(ctype, "x64")


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
        ctype = match[1].strip()
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

_CALLS = _table(_FILES + _PROCESSES + _NETWORK)
SYSCALLS: Final = MappingProxyType({**_CALLS, **{call: _CALLS[name] for call, name in KERNEL_NAMES.items()}})
"""Arguments of the common system calls, by the kernel's name behind ``__x64_sys_`` and by the call's own."""

FUNCTIONS: Final = _table(_PLAIN)
"""Parameters of a few ordinary functions, in registers."""
