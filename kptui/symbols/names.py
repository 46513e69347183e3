"""What a symbol's name and type say by themselves: noise, other names of a syscall, reasons against a probe.

Nothing here needs the table; the search and the screen share these rules.
"""

from __future__ import annotations

import re

TEXT_TYPES = frozenset(
    "tTwW"
)  # kallsyms letters of functions; weak ones ('w', 'W') are functions in practice
NOISE_PREFIXES = ("__pfx_", "__cfi_", "$")  # padding before functions, CFI preambles, mapping marks ("$x")

_SYSCALL = re.compile(
    r"(?:__(?:x64|ia32|arm64)_)?(?P<compat>compat_)?(?:__(?:se|do)_)?(?:__(?:se|do)_)?(?P<sys>sys|SyS|SYSC)_"
    r"(?P<call>[a-z_][a-z0-9_]*)"
)
_MANUAL = re.compile(r"(?P<call>[a-z][a-z0-9_]*)(?:\(2?\)?)?")
_CLONE = re.compile(r"\.(?:isra|constprop|part|cold|llvm|lto_priv|str|rodata|data)(?:\.\d+)*")
_RENAMED = {
    "do_fork": ("_do_fork", "kernel_clone"),  # 4.2, 5.10
    "_do_fork": ("kernel_clone",),
    "do_sys_open": ("do_sys_openat2",),  # 5.6
    "generic_make_request": ("submit_bio_noacct",),  # 5.9
    "probe_kernel_read": ("copy_from_kernel_nofault",),  # 5.8
}


def aliases(name: str) -> tuple[str, ...]:
    """The kernel's symbols for a syscall that is called by another of its names, the likeliest first.

    ``execve``, ``sys_execve``, ``SyS_execve``, ``execve(2)``, ``execve()`` and ``__se_sys_execve`` give
    ``__x64_sys_execve`` and the names of other builds. Empty when ``name`` is no such name.
    (arch/x86/include/asm/syscall_wrapper.h makes the ``__x64_sys_`` stubs since 4.17; ``SyS_`` is what
    older kernels had.)
    """
    if found := _SYSCALL.fullmatch(name):
        call, compat = found["call"], found["compat"] or ""
    elif manual := _MANUAL.fullmatch(name):
        call, compat = manual["call"], ""
    else:
        return ()
    wanted = (
        f"__ia32_{compat}sys_{call}" if compat else f"__x64_sys_{call}",
        f"__x64_{compat}sys_{call}",
        f"__arm64_{compat}sys_{call}",
        f"__do_{compat}sys_{call}",
        f"__se_{compat}sys_{call}",
        f"{compat}sys_{call}",
    )
    return tuple(other for other in dict.fromkeys(wanted) if other != name)


def successors(name: str) -> tuple[str, ...]:
    """Names under which newer kernels have the function ``name``: renamed, or split off for allocation
    profiling.

    (6.10 made ``kmalloc`` and its like macros over ``…_noprof`` functions, include/linux/alloc_tag.h.)
    """
    return (*_RENAMED.get(name, ()), f"{name}_noprof", f"__{name}_noprof")


def is_noise(name: str) -> bool:
    """True for compiler marks that no one looks for: ``__pfx_…``, ``__cfi_…``, ``$x``."""
    return name.startswith(NOISE_PREFIXES)


def base_name(name: str) -> str:
    """``name`` without the compiler's suffixes: ``do_execveat_common.isra.0.cold`` ->
    ``do_execveat_common``.
    """
    clone = _CLONE.search(name)
    return name[: clone.start()] if clone and clone.start() else name


def refusal(name: str, type_: str, module: str | None, copies: int) -> str | None:
    """A short reason against a probe on this symbol by its name, or None.

    All but one are refused. A ``.cold`` part of a traceable function is accepted (6.12, seen), but it is
    the middle of a function that rarely runs: its registers hold no arguments.
    """
    if module is not None and (module == "bpf" or module.startswith("__builtin__")):
        return "BPF program" if module == "bpf" else "trampoline"
    if type_ in "iI":
        return "indirect function"
    if type_ not in TEXT_TYPES:
        return "data"
    if is_noise(name):
        return "padding, not a function"
    if name.startswith("__SCT__"):
        return "static call trampoline"
    if name.endswith(".cold") or ".cold." in name:
        return "cold part"
    if copies > 1:
        return "duplicate name"
    return None
