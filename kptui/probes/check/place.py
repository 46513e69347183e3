"""Word 0 and word 1 of a kernel probe: kind, maxactive, event name, probed place (trace_kprobe_create)."""

from __future__ import annotations

from kptui.probes.check import ktext
from kptui.probes.check.head import DEFAULT_GROUPS, MAX_NAME, Head, NotMine, event_name, sanitised
from kptui.probes.check.log import Log
from kptui.probes.check.target import NOWHERE, Target

MAXACTIVE_LIMIT = 4096
_UINT_MAX = 0xFFFFFFFF


def read_head(log: Log, target: Target) -> Head:
    """Words 0 and 1 in the kernel's order of checks. Refused as the kernel does; NotMine for a uprobe's."""
    traits = target.traits
    command = log.words[0]
    if len(log.words) < 2:
        raise NotMine("A definition needs a place after the command, as in “p vfs_read”.")
    returns = command[0] == "r"
    colon = command.find(":", 1)
    if ktext.is_digit(command[1:]):
        if not returns:
            raise log.refuse(1, "BAD_MAXACT_TYPE")
        maxactive(log, command[1 : colon if colon >= 0 else None])

    symbol: str | None = None
    offset = 0
    entry = sees_return = False
    address: int | None = None
    try:
        address = ktext.kstrtoul(log.words[1])
    except ktext.NumberError:
        log.index = 1
        symbol, offset, suffixed = _place(log)
        returns = returns or suffixed
        if traits.early_symbol:
            _symbol_exists(log, target, symbol, "EINVAL", "EINVAL", modules=True)
        sees_return = returns
        known = _is_known(target, symbol)
        # A symbol of a module that isn't loaded, or none at all: the kernel finds no entry, nor its absence
        at_entry = known and target.entry(symbol, offset)
        entry = at_entry and not returns
        if returns and known and not at_entry and target.lands(symbol, offset) != NOWHERE:
            raise log.refuse(0, "BAD_RETPROBE") from None
        if traits.unique and not traits.early_symbol:
            _symbol_exists(log, target, symbol, "ENOENT", "EADDRNOTAVAIL", modules=False)
    log.index = 0
    group, event = DEFAULT_GROUPS["kernel"], None
    if colon >= 0:
        group, event = event_name(log, target, command[colon + 1 :], colon + 1)
    if event is None and symbol is not None:
        event = sanitised(f"{'r' if returns else 'p'}_{symbol}_{offset}")
    return Head(returns, sees_return, entry, symbol, offset, group, event, address)


def maxactive(log: Log, text: str) -> None:
    """The number of instances after the letter of an exit probe."""
    try:
        value = ktext.kstrtouint(text)
    except ktext.NumberError:
        value = 0
    if len(text) > MAX_NAME - 1 or not value:
        raise log.refuse(1, "BAD_MAXACT")
    if value > MAXACTIVE_LIMIT:
        raise log.refuse(1, "MAXACT_TOO_BIG")


def _place(log: Log) -> tuple[str, int, bool]:
    word = log.words[1]
    if "/" in word and ":" in word:
        raise NotMine("A path and an offset make a uprobe: write it to uprobe_events.")
    symbol, percent, suffix = word.partition("%")
    if percent and suffix != "return":
        raise log.refuse(len(symbol), "BAD_ADDR_SUFFIX")
    cut = min((at for at in (symbol.find("+"), symbol.find("-")) if at >= 0), default=-1)
    if cut < 0:
        return symbol, 0, bool(percent)
    try:
        offset = ktext.kstrtol(symbol[cut:])
    except ktext.NumberError:
        offset = -1
    if not 0 <= offset <= _UINT_MAX:
        raise log.refuse(0, "BAD_PROBE_ADDR")
    return symbol[:cut], offset, bool(percent)


def _split_module(symbol: str) -> tuple[str | None, str]:
    module, colon, name = symbol.partition(":")
    return (module, name) if colon else (None, symbol)


def waits_for_module(target: Target, symbol: str | None) -> bool:
    """Whether a missing symbol is forgiven: it belongs to a module that isn't loaded."""
    module = _split_module(symbol)[0] if symbol is not None else None
    return module is not None and not target.module_loaded(module)


def _is_known(target: Target, symbol: str) -> bool:
    module, name = _split_module(symbol)
    if module is not None and not target.module_loaded(module):
        return False
    return target.count(name, module) > 0


def _symbol_exists(log: Log, target: Target, symbol: str, missing: str, twice: str, *, modules: bool) -> None:
    module, name = _split_module(symbol)
    if module is not None and (not modules or not target.module_loaded(module)):
        return
    count = target.count(name, module)
    if count > 1:
        raise log.refuse(0, "NON_UNIQ_SYMBOL", twice)
    if count == 0:
        raise log.refuse(0, "BAD_PROBE_ADDR", missing)
