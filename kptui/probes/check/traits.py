"""What tells one kernel's parser from another's, gathered in one place.

First the features read from the tracefs ``README``, then, where that tells nothing, the release. Each field's
comment names the difference; the numbers are mainline releases, with the stable trees in which Debian's
kernels carry the same change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

README_FEATURES: Final = {
    "kprobe": "kprobe_events",
    "uprobe": "uprobe_events",
    "percent_return": "%return",
    "user_memory": "+|-[u]<offset>",
    "immediate": "imm-value",
    "optional_event": "[<group>/][<event>]",
    "symstr": "symstr,",
    "char": ", char,",
    "dentry": "%pd/%pD",
    "btf": "<argname>",
    "members": "<argname>[->field",
    "return_args": "kernel return probes support: $retval, $arg<N>",
    "typecast": "(structname[,field])",
    "current": "$current",
    "this_cpu": "this_cpu_read(",
    "fprobe": "f[:[<group>/][<event>]]",
    "tprobe": "t[:[<group>/][<event>]]",
    "eprobe": "e[:[<group>/][<event>]]",
    "synthetic": "s:[synthetic/]<event>",
}
"""Features and the text of the tracefs README that proves each of them.

Besides these a target may be given ``ibt``: functions begin with ENDBR64 and offset 4 is their entry too.
"""

FEATURES_6_12: Final = frozenset(README_FEATURES) - {"typecast", "current", "this_cpu"}


@dataclass(frozen=True, slots=True)
class Traits:
    """The parser of one kernel, as switches. See the comments for what each changes."""

    raw_dash: bool  # 5.12: a removal starts with "-" in the very first byte; before, blanks may precede it
    far_address: bool  # 5.18: a raw address outside of all code is accepted, as if a module could bring it
    dot_group: bool  # 5.15: GROUP.EVENT is GROUP/EVENT
    hyphen_group: bool  # 6.0: "-" in group names
    optional_event: bool  # 6.0: GROUP/ with a generated event name; "-:GROUP/" removes the group
    name_limit: int  # longest event name: 63 bytes; 64 before the 2023 fix
    unique: bool  # 6.7, and stable trees from 5.15: a symbol that exists twice is refused
    early_symbol: bool  # 6.12: the symbol is looked up before the return test, in its module too; EINVAL
    moving_caret: bool  # 6.5: the parser rewritten; the caret base moves with dereferences
    btf: bool  # parameter names, $arg*: 6.5 with CONFIG_PROBE_EVENTS_BTF_ARGS
    return_args: bool  # 6.9: $argN in return probes
    dentry: bool  # 6.9: %pd and %pD
    string_message: bool  # 6.9: $comm and constants with another type get a log entry
    arg0_checked: bool  # the word $arg0 is refused before the prototype is looked at
    typecast: bool  # 7.2: typecasts, $current, this_cpu_*; loop in place of recursion, at most 8 levels
    event_cast: bool  # 6.18.44 (not 6.18.15): typecasts for event probes only, with a message for the others
    user_symbols: bool  # before 6.2: uprobes take the types symbol and symstr, which can't work
    size_limit: bool  # 2026: at most 3072 bytes of fixed data in an event
    # 2026, seen in the same kernels as size_limit: a lone \\" counts as closed before; the kernel looked at the
    # byte in front of the empty rest and found the opening quote there.
    lone_quote: bool
    count: str  # what happens to the 129th argument: "cut", "silent" (E2BIG without entry), "message"
    body_limit: int  # longest argument expression in bytes
    star_refused: (
        bool  # $arg* without type information is refused at once; before, it went on to a second entry
    )
    fprobe_maxactive: bool  # until 6.13: a number after "f"; later anything but a colon there is BAD_MAXACT
    fprobe_late: bool  # 6.16: fprobes are put in place when enabled; every refusal at registration is EINVAL
    entry_args_limited: bool  # 6.15: an exit fprobe keeps at most 15 parameters from the entry
    tracepoint_waits: bool  # 6.12: a tracepoint that isn't there may come with a module
    register_twice: bool  # until 6.18: a register in f, t or e gets BAD_FETCH_ARG on top of BAD_VAR
    event_caret: bool  # the caret of an unknown event field stands at the field; before, at the word
    exact_attach: (
        bool  # a removal's SYSTEM.EVENT must be the event probe's; before, SYSTEM could be cut short
    )
    synth_stack: bool  # 6.3, and 6.1's stable tree: long[] in synthetic events, a stack trace
    other_text: bool  # 6.5, and stable trees: a string whose address can't be read shows the next string
    no_match_logged: bool  # 6.19: a line that no kind of dynamic event takes gets a log entry
    types: frozenset[str]
    wording: tuple[tuple[str, str], ...]  # messages that read otherwise here

    def says(self, code: str) -> str | None:
        """This kernel's own text for a message, or None for the usual one."""
        return dict(self.wording).get(code)


def release_numbers(release: str) -> tuple[int, int, int]:
    """``6.12.107+deb13-amd64`` -> (6, 12, 107); missing numbers are 0, no number at all is (6, 12, 0)."""
    match = re.match(r"\s*(\d+)\.(\d+)(?:\.(\d+))?", release)
    if match is None:
        return (6, 12, 0)
    return int(match[1]), int(match[2]), int(match[3] or 0)


def _size_limited(version: tuple[int, int, int]) -> bool:
    # The fix reached 6.1.176 and 6.12.107 and is missing from 5.10.223 and 6.18.15. A distribution's release
    # text may hide the patch level ("6.1.0-50-amd64"): then the long-lived trees count as up to date.
    series, patch = version[:2], version[2]
    if series in {(6, 1), (6, 6), (6, 12)}:
        return patch == 0 or patch >= {(6, 1): 160, (6, 6): 125, (6, 12): 80}[series]
    return version >= (7, 1, 0)


def _spelled_variable(version: tuple[int, int, int]) -> bool:
    # "$-valiable" was mended in 7.0 and in stable trees: in 6.12's, and in 6.18's between 6.18.15 and 6.18.44.
    series, patch = version[:2], version[2]
    if series in {(6, 12), (6, 18)}:
        return patch == 0 or patch >= {(6, 12): 50, (6, 18): 30}[series]
    return version >= (7, 0, 0)


def _mended_2026(version: tuple[int, int, int]) -> bool:
    # Fixes that 6.12.117 and 7.3 have, and 6.18.15 and 6.1.0-50 (6.1's tree of October 2026) have not.
    return version >= (6, 19, 0) or (version[:2] == (6, 12) and (version[2] == 0 or version[2] >= 117))


@lru_cache(maxsize=64)
def traits_of(release: str, features: frozenset[str], codes: frozenset[str] | None = None) -> Traits:
    """The switches for a kernel.

    ``codes`` are the kernel's own message codes (``EVENT_TOO_BIG``) as BTF's ``TP_ERR_*`` enumerators name
    them; where given, they decide which checks exist, whatever the release says.
    """
    version = release_numbers(release)

    def has(code: str, by_release: bool) -> bool:
        return by_release if codes is None else code in codes

    types = {"string", "ustring", "symbol"}
    types |= {f"{sign}{bits}" for sign in "usx" for bits in (8, 16, 32, 64)}
    types |= {name for name in ("char", "symstr") if name in features}
    modern = has("BAD_MAXACT_TYPE", version >= (6, 5, 0))
    typecast = "typecast" in features
    wording = []
    if not modern:
        wording.append(("BAD_MAXACT_TYPE", "Maxactive is not for kprobe"))
    if not _spelled_variable(version):
        wording.append(("BAD_VAR", "Invalid $-valiable specified"))
    if not typecast:
        wording.append(("FILE_ON_KPROBE", "File offset is not available with kprobe"))
    count = "message" if has("TOO_MANY_ARGS", version >= (6, 15, 0)) else ("silent" if modern else "cut")
    limited = has("EVENT_TOO_BIG", _size_limited(version))
    return Traits(
        raw_dash=version >= (5, 12, 0),
        far_address=version >= (5, 18, 0),
        dot_group=version >= (5, 15, 0),
        hyphen_group=version >= (6, 0, 0) or (version[:2] == (5, 15)),
        optional_event="optional_event" in features,
        name_limit=63 if version >= (5, 15, 0) else 64,
        unique=has("NON_UNIQ_SYMBOL", version >= (5, 15, 0)),
        early_symbol=version >= (6, 12, 0),
        moving_caret=modern,
        btf=modern and "btf" in features,
        return_args="return_args" in features,
        dentry="dentry" in features,
        string_message=has("NEED_STRING_TYPE", version >= (6, 9, 0)),
        arg0_checked=_mended_2026(version),
        typecast=typecast,
        event_cast=not typecast and has("TYPECAST_NOT_EVENT", version[:2] == (6, 18) and version[2] >= 44),
        user_symbols=version < (6, 2, 0),
        size_limit=limited,
        lone_quote=not limited,
        count=count,
        body_limit=255 if typecast else 63,
        star_refused=_mended_2026(version),
        fprobe_maxactive=version < (6, 14, 0),
        fprobe_late=version >= (6, 16, 0),
        entry_args_limited=has("TOO_MANY_EARGS", version >= (6, 15, 0)),
        tracepoint_waits=has("BAD_TP_NAME", version >= (6, 12, 0)),
        register_twice=version < (6, 19, 0),
        event_caret=_mended_2026(version),
        exact_attach=_mended_2026(version),
        synth_stack=version >= (6, 1, 0),
        other_text=version >= (6, 5, 0) or version[:2] == (6, 1),
        no_match_logged=version >= (6, 19, 0),
        types=frozenset(types),
        wording=tuple(wording),
    )
