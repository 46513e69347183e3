"""Writing for real is the last word: whether the kernel said what kptui expected it to say.

A difference is a mistake of kptui's, except where only the kernel can know.
"""

from __future__ import annotations

from typing import Final

from kptui.kernel.refusal import Refused
from kptui.probes.check import Target
from kptui.probes.check.log import MESSAGES
from kptui.verdict import Verdict

# What happens when a probe is armed, and what depends on rights and on other programs.
_ONLY_THE_KERNEL: Final = frozenset({MESSAGES["FAIL_REG_PROBE"], MESSAGES["BAD_INSN_BNDRY"]})
_OUTER_ERRORS: Final = frozenset(
    {"EACCES", "EBUSY", "EFAULT", "EILSEQ", "EINTR", "EIO", "ENODEV", "ENOMEM", "ENOSPC", "EPERM", "EROFS"}
)
_BY_BTF: Final = frozenset(
    MESSAGES[code]
    for code in (
        "NO_BTFARG", "NO_BTF_ENTRY", "NO_BTF_FIELD", "NO_PTR_STRCT", "NO_RETVAL", "NOSUP_BTFARG", "NOSUP_DAT_ARG",
        "BAD_TYPE4STR", "BAD_BTF_TID", "ARGS_2LONG", "BAD_VAR",
    )
)  # fmt: skip
_BY_SYMBOLS: Final = frozenset(
    MESSAGES[code] for code in ("BAD_PROBE_ADDR", "NON_UNIQ_SYMBOL", "BAD_RETPROBE")
)


def unknown_to(target: Target) -> frozenset[str]:
    """The messages of the kernel that nothing is known about that would tell them beforehand."""
    unknown = _ONLY_THE_KERNEL
    if target.btf is None:
        unknown |= _BY_BTF
    if target.symbol_count is None:
        unknown |= _BY_SYMBOLS
    if target.event_exists is None:
        unknown |= {MESSAGES["EVENT_EXIST"]}
    return unknown


def disagreement(
    expected: Verdict, refused: Refused | None, *, unknown: frozenset[str] = frozenset(), logged: bool = True
) -> str:
    """What kptui expected, as the end of ``kptui expected …``; '' where the kernel (None: it accepted) said the same,
    said what only it can know, or wasn't asked. ``logged``: this kernel has an error_log.
    """
    if refused is None:
        return "" if expected.ok else _wording(expected)
    if not refused.errno_name:
        return ""
    said = [(problem.message, problem.column) for problem in refused.problems]
    if expected.ok:
        outer = refused.errno_name in _OUTER_ERRORS or (said and said[0][0] in unknown)
        return "" if outer else "it to be accepted"
    ours = [(problem.message, problem.column) for problem in expected.problems]
    if logged and said != ours:
        if [message for message, _ in said] == [message for message, _ in ours]:
            return f"the caret at byte {ours[0][1]}, not {said[0][1]}"
        return _wording(expected)
    return "" if refused.errno_name == expected.errno else f"{expected.errno}, not {refused.errno_name}"


def _wording(verdict: Verdict) -> str:
    errno = f" ({verdict.errno})" if verdict.errno else ""
    if verdict.problems:
        return " and ".join(f"“{problem.message}”" for problem in verdict.problems) + errno
    return f"it to be refused without a message{errno}"
