"""Pointers into user memory that BTF doesn't mark: kernels built with gcc before 16 have no type tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kptui.probes.syscalls import FUNCTIONS, known_call

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
    ("memdup_user_nul", "src"), ("vmemdup_user", "src"), ("check_zeroed_user", "from"), ("do_mount", "dir_name"),
    ("do_readv", "vec"), ("do_writev", "vec"), ("do_preadv", "vec"), ("do_pwritev", "vec"),
    ("ksys_pread64", "buf"), ("ksys_pwrite64", "buf"), ("user_statfs", "pathname"), ("do_utime", "filename"),
    ("user_path_create", "pathname"), ("user_path_locked_at", "name"), ("do_statfs64", "p"),
    ("do_statfs_native", "p"), ("do_statx", "buffer"), ("do_syslog", "buf"), ("do_msgrcv", "buf"),
    ("do_msgsnd", "mtext"),
    ("__sys_getsockopt", "optval"), ("__sys_getsockopt", "optlen"), ("__sys_recvmmsg", "mmsg"),
    ("__sys_recvmmsg", "timeout"), ("__sys_sendmmsg", "mmsg"), ("do_recvmmsg", "mmsg"),
    ("bpf_obj_get_user", "pathname"), ("bpf_obj_pin_user", "pathname"),
})  # fmt: skip
_MEMBERS: Final = frozenset({
    ("filename", "uptr"), ("__filename_head", "uptr"), ("iovec", "iov_base"), ("user_msghdr", "msg_name"),
    ("user_msghdr", "msg_iov"), ("user_msghdr", "msg_control"), ("msghdr", "msg_control_user"),
    ("iov_iter", "ubuf"), ("user_arg_ptr", "native"),
})  # fmt: skip
_NAMES: Final = frozenset({
    "ubuf", "uaddr", "uaddr1", "uaddr2", "uptr", "useraddr", "user_buf", "userbuf", "uservaddr", "uvec", "umsg", "ufds",
    "uiov", "uarg", "_uarg", "uargs", "uattr", "ufattr", "ufh", "ufrom", "umod", "umask", "uss_ptr", "uoss_ptr", "uru",
    "uts", "utx", "uwaitv", "usr_src", "usockaddr", "usockaddr_len", "usockvec", "upeer_sockaddr", "upeer_addrlen",
    "user_optval", "user_iocb", "user_mask_ptr", "u_data", "u_info", "u_event", "u_mqstat", "u_omqstat", "u_msg_ptr",
    "u_msg_prio", "u_name",
})  # fmt: skip
"""Names that nobody gives to a kernel pointer, but for those of _AMBIGUOUS to what the kernel has a copy of."""

_AMBIGUOUS: Final = frozenset({"uaddr", "ubuf", "uarg"})
_KERNEL: Final = re.compile(r"struct (?:sockaddr|ubuf_info)")
_COPY: Final = re.compile(r"(?:copy|kfifo|kstrto|memdup)(?:\w*)_(from|to)_user(?:_|32|$)")
_COPIED: Final = {"from": ("from", "src", "s"), "to": ("to",)}
_FILE_OPERATION: Final = (
    ("struct file *", "char *", "size_t", "loff_t *"),
    ("struct file *", "const char *", "size_t", "loff_t *"),
)
"""What ``read`` and ``write`` of struct file_operations take; the second is the program's buffer."""


def is_user_parameter(function: str, parameter: str, ctype: str = "") -> bool:
    """Whether that parameter, a ``ctype`` if known, leads into user memory if it is a pointer.

    A socket's operations get a copy of the address that the user gave, as ``struct sockaddr *uaddr``
    (move_addr_to_kernel in net/socket.c), and ``ubuf`` may be a ``struct ubuf_info``: kernel memory.
    """
    if (function, parameter) in _PARAMETERS or _copies(function, parameter):
        return True
    if parameter in _NAMES and not (parameter in _AMBIGUOUS and _KERNEL.search(ctype)):
        return not ctype.endswith("**")  # where the kernel keeps a pointer into user memory
    known = FUNCTIONS.get(function)
    if known is None and function.startswith("__"):
        known = known_call(function)
    return any(arg.name == parameter and "__user" in arg.ctype for arg in known or ())


def _copies(function: str, parameter: str) -> bool:
    """What ``copy_…_from_user`` copies from, and ``copy_…_to_user`` copies to."""
    way = _COPY.search(function)
    return way is not None and parameter in _COPIED[way[1]]


def is_file_operation(ctypes: Sequence[str]) -> bool:
    """Whether a function with parameters of these types is a ``read`` or ``write`` of a file's operations."""
    return tuple(ctypes) in _FILE_OPERATION


def is_user_member(struct: str, member: str) -> bool:
    """The same of a structure's member."""
    return (struct, member) in _MEMBERS
