"""A change that did not happen, in the kernel's words and in one clear sentence."""

from __future__ import annotations

import errno

from kptui.kernel.files import KernelFiles
from kptui.safetext import neutralise
from kptui.verdict import Problem

_PLAIN = {
    "EACCES": "permission denied: tracefs needs root",
    "EBUSY": "it is in use",
    "EEXIST": "that name is already used by another event",
    "EINTR": "the kernel broke off every time",
    "EINVAL": "the kernel refused it without saying why (its log, dmesg, may)",
    "EILSEQ": "that is not an instruction boundary",
    "E2BIG": "too long, or too many arguments",
    "ENODEV": "tracefs or the instance has gone away",
    "ENOENT": "the kernel knows no such thing",
    "ENOMEM": "the kernel is out of memory",
    "ENOSPC": "no space left",
    "EOPNOTSUPP": "this kernel does not support it",
    "EPERM": "the kernel forbids it (lockdown, or rights are missing)",
    "EROFS": "tracefs is mounted read-only",
}


class Refused(Exception):
    """The kernel (``errno_name`` such as EINVAL), or kptui itself before any write ('' then), said no.

    ``problems`` hold the kernel's messages, the most helpful first; ``command`` is the text that was
    refused and ``path`` the file, relative to tracefs; ``sentence`` is one clear line, safe to show.
    """

    def __init__(
        self,
        sentence: str,
        *,
        errno_name: str = "",
        problems: tuple[Problem, ...] = (),
        command: str = "",
        path: str = "",
    ) -> None:
        self.sentence = neutralise(sentence)
        self.errno_name = errno_name
        self.problems = problems
        self.command = command
        self.path = path
        super().__init__(self.sentence)


def errno_name(error: OSError) -> str:
    """``EINVAL`` for 22; '' for an error without number."""
    return errno.errorcode.get(error.errno or 0, "")


def explain(error: OSError) -> str:
    """The error in plain words, with the kernel's name for it."""
    name = errno_name(error)
    plain = _PLAIN.get(name, error.strerror or str(error))
    return neutralise(f"{plain} ({name})" if name else plain)


def vanished(files: KernelFiles, path: str = "") -> Refused:
    """tracefs was unmounted under us."""
    sentence = f"tracefs is no longer mounted at {files.root} – mount -t tracefs nodev {files.root}"
    return Refused(sentence, errno_name="ENOENT", path=path)
