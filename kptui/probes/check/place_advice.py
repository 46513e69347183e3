"""Why the kernel has no such place for a kprobe, or allows none there, in plain words."""

from __future__ import annotations

import re
from typing import Final

from kptui.probes.check import ktext
from kptui.probes.check.case import NONE, Advice, Case
from kptui.probes.check.target import NOWHERE, TEXT_STARTS
from kptui.safetext import neutralise

_REASONS: Final = {
    "data": "{} is data, not code.",
    "blacklisted": "{} is on the kernel’s blacklist of kprobes: code that handling a probe itself runs through.",
    "no function": "{} is a mark in the kernel’s text, not a function.",
    "not traceable": "{} is hidden from tracing (notrace), and this kernel allows no probe on such a function.",
}
"""By what Target.not_probeable answers."""

ERRORS: Final = (1 << 64) - 4096  # above are error numbers (IS_ERR)
_OUTSIDE: Final = "This leads outside the code of the kernel and its modules."
_ERROR: Final = (
    "This kernel takes an address in the last 4,095 bytes for an error number and answers with it; told EINTR, for"
    " 0xfffffffffffffffc, some programs write it again for ever."
)
_DATA: Final = re.compile(r"@([A-Za-z_.][\w.]*|(?=[):]|$))")
_PLACE: Final = re.compile(r"(?:(?P<module>[^:+-]+):)?(?P<name>[^+%-]*)(?P<offset>[+-][^%]*)?")


def refused(case: Case) -> Advice:
    """FAIL_REG_PROBE: what stands at the place."""
    if case.log.probe != "kernel" or len(case.log.typed) < 2:
        return NONE
    name, module, offset = place_of(case)
    if name is None and offset > ERRORS and not case.target.traits.far_address:
        return _ERROR, ()
    landed = case.target.lands(name if module is None else f"{module}:{name}", offset)
    if landed == NOWHERE:
        return _OUTSIDE, ()
    elsewhere = ""
    if landed is not None:
        if name not in {None, landed.function, *TEXT_STARTS}:
            elsewhere = "This leads elsewhere: "
        name, module = landed.function, None
    reason = None
    if name and case.target.not_probeable is not None:
        reason = case.target.not_probeable(name, module)
    sentence = _REASONS.get(reason or "", "").format(_shown(name))
    return sentence and elsewhere + sentence, ()


def bad_offset(case: Case) -> str:
    """A sentence for an offset that is none; '' for others."""
    match = _PLACE.match(case.log.typed[1]) if len(case.log.typed) > 1 else None
    sign = (match and match["offset"]) or ""
    try:
        good = not sign or 0 <= ktext.kstrtol(sign) < 1 << 32
    except ktext.NumberError:
        good = False
    if good:
        return ""
    return f"{_shown(sign)} is no offset: after the symbol a plus and a number of 0 to 4294967295 may follow."


def unknown(case: Case) -> Advice:
    """BAD_PROBE_ADDR: whether it is the symbol, the offset or, for the caret stands there too, a symbol behind @."""
    if case.log.probe != "kernel" or len(case.log.typed) < 2:
        return NONE
    name, module, offset = place_of(case)
    if name and case.target.count(name, module) == 0:
        where = f"The module {_shown(module)}" if module else "The kernel"
        return f"{where} has no symbol {_shown(name)}.", ()
    if (data := missing_data(case)) is not None:
        return (
            f"The kernel has no symbol {_shown(data)}, which stands after @."
            if data
            else "After @ nothing stands.",
            (),
        )
    beyond = case.target.lands(name if module is None else f"{module}:{name}", offset) == NOWHERE
    return _OUTSIDE if beyond else "", ()


def missing_data(case: Case) -> str | None:
    """The first symbol behind an ``@`` that the kernel doesn't have, '' for none at all."""
    found = (data for word in case.log.typed[2:] for data in _DATA.findall(word))
    return next((data for data in found if not data or case.target.count(data) == 0), None)


def place_of(case: Case) -> tuple[str | None, str | None, int]:
    """Symbol, module and offset of word 1; an address has no symbol."""
    word = case.log.typed[1]
    try:
        return None, None, ktext.kstrtoul(word)
    except ktext.NumberError:
        pass
    match = _PLACE.match(word)
    assert match is not None
    try:
        offset = ktext.kstrtol(match["offset"]) if match["offset"] else 0
    except ktext.NumberError:
        offset = 0
    return match["name"], match["module"], offset


def _shown(text: str | None) -> str:
    return neutralise((text or "").encode("latin-1", "replace").decode("utf-8", "surrogateescape"))
