"""Pointers into user memory that BTF doesn't mark: kernels built with gcc before 16 have no type tags."""

from __future__ import annotations

from typing import Final

from kptui.probes.abi import syscall_of
from kptui.probes.syscalls import FUNCTIONS, SYSCALLS

_PARAMETERS: Final = frozenset({
    ("do_sys_open", "filename"), ("getname", "filename"), ("getname_flags", "filename"),
    ("getname_uflags", "filename"), ("user_path_at", "name"), ("user_path_at_empty", "name"),
    ("strncpy_from_user", "src"), ("strnlen_user", "str"), ("strndup_user", "s"), ("memdup_user", "src"),
    ("____sys_recvmsg", "uaddr"), ("_copy_from_user", "from"), ("_copy_to_user", "to"), ("copy_mount_string", "data"),
    ("import_iovec", "uvec"), ("import_ubuf", "buf"), ("move_addr_to_kernel", "uaddr"),
    ("__sys_connect", "uservaddr"), ("__sys_bind", "umyaddr"), ("__sys_sendto", "buff"),
    ("__sys_sendto", "addr"), ("__sys_recvfrom", "ubuf"), ("__sys_recvfrom", "addr"),
    ("__sys_sendmsg", "msg"), ("__sys_recvmsg", "msg"), ("do_execveat_common", "argv"),
    ("do_fchmodat", "filename"), ("do_fchownat", "filename"), ("do_faccessat", "filename"),
    ("do_readlinkat", "pathname"), ("do_readlinkat", "buf"), ("vfs_fstatat", "filename"),
    ("do_utimes", "filename"), ("do_sys_truncate", "pathname"), ("vfs_readlink", "buffer"),
})  # fmt: skip
_MEMBERS: Final = frozenset({
    ("filename", "uptr"), ("__filename_head", "uptr"), ("iovec", "iov_base"), ("user_msghdr", "msg_name"),
    ("user_msghdr", "msg_iov"), ("user_msghdr", "msg_control"), ("msghdr", "msg_control_user"),
    ("iov_iter", "ubuf"), ("user_arg_ptr", "native"),
})  # fmt: skip
_NAMES: Final = frozenset(
    {"ubuf", "uaddr", "uaddr2", "uptr", "useraddr", "user_buf", "userbuf", "uservaddr", "uvec"}
)
"""Names that nobody gives to a kernel pointer, but for ``uaddr``: see below."""


def is_user_parameter(function: str, parameter: str, ctype: str = "") -> bool:
    """Whether that parameter, a ``ctype`` if known, leads into user memory if it is a pointer.

    A socket's operations get a copy of the address that the user gave, as ``struct sockaddr *uaddr``
    (move_addr_to_kernel in net/socket.c): kernel memory.
    """
    if (function, parameter) in _PARAMETERS:
        return True
    if parameter in _NAMES and not (parameter == "uaddr" and "struct sockaddr" in ctype):
        return True
    known = FUNCTIONS.get(function)
    if known is None and function.startswith("__"):
        call = syscall_of(function)
        known = None if call is None else SYSCALLS.get(call)
    return any(arg.name == parameter and "__user" in arg.ctype for arg in known or ())


def is_user_member(struct: str, member: str) -> bool:
    """The same of a structure's member."""
    return (struct, member) in _MEMBERS
