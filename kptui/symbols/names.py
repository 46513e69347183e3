"""What a symbol's name says by itself: noise, compilers' suffixes, other names of a syscall.

Nothing here needs the table.
"""

from __future__ import annotations

import re

TEXT_TYPES = frozenset("tTwW")  # kallsyms letters of functions; weak ones are functions in practice
TEXT_CODES = frozenset(map(ord, TEXT_TYPES))
NOISE_PREFIXES = ("__pfx_", "__cfi_", "$")  # padding before functions, CFI preambles, mapping marks ("$x")

SYSCALL_PREFIXES = (
    "__x64_",
    "__ia32_",
    "__arm64_",
    "__do_",
    "__se_",
    "sys_",
    "compat_sys_",
)  # lead to all of aliases()

_SYSCALL = re.compile(
    r"(?:__(?:x64|ia32|arm64)_)?(?P<compat>compat_)?(?:__(?:se|do)_)?(?:__(?:se|do)_)?(?P<sys>sys|SyS|SYSC)_"
    r"(?P<call>[a-z_][a-z0-9_]*)"
)
_MANUAL = re.compile(r"_?[a-z][a-z0-9_]*")
_PARENTHESES = re.compile(r"\((?:2|3p?)?\)?$")
_CLONE = re.compile(r"\.(?:isra|constprop|part|cold|llvm|lto_priv|str|rodata|data)(?:\.\d+)*")
# What the manual and the C library call otherwise than x86-64's table of system calls
# (arch/x86/entry/syscalls/syscall_64.tbl). Some stubs under the old name are built, too, and never called.
_CALLED = {
    **dict.fromkeys(("stat", "fstat", "lstat", "uname", "fstatat"), "new{}"),
    **dict.fromkeys(("pread", "pwrite", "sendfile", "fadvise", "prlimit"), "{}64"),
    **dict.fromkeys(("sigaction", "sigprocmask", "sigreturn", "sigsuspend"), "rt_{}"),
    "posix_fadvise": "fadvise64",
    "umount2": "umount",
    "_exit": "exit",
    "send": "sendto",
    "recv": "recvfrom",
    "wait": "wait4",
    "waitpid": "wait4",
    "readdir": "getdents64",
    "getdents": "getdents64",
    "nice": "setpriority",
    "sbrk": "brk",
}


def aliases(name: str) -> tuple[str, ...]:
    """The kernel's symbols for a syscall that is called by another of its names, the likeliest first.

    ``execve``, ``sys_execve``, ``SyS_execve``, ``execve(2)``, ``execve()`` and ``__se_sys_execve`` give
    ``__x64_sys_execve`` and the names of other builds. Empty when ``name`` is no such name.
    (arch/x86/include/asm/syscall_wrapper.h makes the ``__x64_sys_`` stubs since 4.17; ``SyS_`` is what
    older kernels had.)
    """
    bare = without_parentheses(name)
    if found := _SYSCALL.fullmatch(bare):
        call, compat = found["call"], found["compat"] or ""
    elif _MANUAL.fullmatch(bare):
        call, compat = bare, ""
    else:
        return ()
    calls = [_CALLED[call].format(call), call] if call in _CALLED else [call]
    wanted = [form for call in calls for form in _forms(call, compat)]
    return tuple(other for other in dict.fromkeys(wanted) if other != name)


def without_parentheses(name: str) -> str:
    """``execve`` of ``execve(2)``, ``execve()`` and, half typed, ``execve(``."""
    return _PARENTHESES.sub("", name)


def _forms(call: str, compat: str) -> tuple[str, ...]:
    return (
        f"__ia32_{compat}sys_{call}" if compat else f"__x64_sys_{call}",
        f"__x64_{compat}sys_{call}",
        f"__arm64_{compat}sys_{call}",
        f"__do_{compat}sys_{call}",
        f"__se_{compat}sys_{call}",
        f"{compat}sys_{call}",
    )


def is_noise(name: str) -> bool:
    """True for compiler marks that no one looks for: ``__pfx_…``, ``__cfi_…``, ``$x``."""
    return name.startswith(NOISE_PREFIXES)


def base_name(name: str) -> str:
    """``name`` without the compiler's suffixes: ``do_execveat_common.isra.0.cold`` ->
    ``do_execveat_common``.
    """
    clone = _CLONE.search(name)
    return name[: clone.start()] if clone and clone.start() else name
