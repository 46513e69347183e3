"""Arguments that the kernel rewrites before parsing: ``$arg*`` and ``$argN`` by BTF, ``%pd``, ``%pD``."""

from __future__ import annotations

from kptui.btf import Btf, Type
from kptui.btf.types import PROTO
from kptui.probes.check import ktext
from kptui.probes.check.head import Head
from kptui.probes.check.log import Log, Refused
from kptui.probes.check.target import Target

_ARGS_BUFFER = 128  # MAX_BTF_ARGS_LEN
_DENTRY_BUFFER = 256  # MAX_DENTRY_ARGS_LEN


class Prototype:
    """What BTF says of the probed function; asked for once, as the kernel does (query_btf_context)."""

    def __init__(self, target: Target, head: Head) -> None:
        self.btf: Btf | None = target.btf
        # The kernel looks for the symbol with its module in front, which BTF doesn't have
        self._function = head.symbol
        self._hidden = 0
        if head.probe == "tracepoint":
            # The parameters are those of the tracepoint's stub, whose first one is the kernel's own; where there
            # is no such tracepoint, those of a function that happens to have the name
            self._hidden = 1
            if target.count(f"__tracepoint_{head.symbol}"):
                self._function = f"__probestub_{head.symbol}"
        if self.btf is not None and self._function and self.btf.prototype(self._function) is None:
            # The kernel looks into its own type information first, then into that of its modules
            found = target.module_btf(self._function) if target.module_btf is not None else None
            self.btf = found or self.btf
        self.asked = False
        self.proto: Type | None = None

    @property
    def unknown(self) -> bool:
        """Nothing can be told: the target came without BTF."""
        return self.btf is None

    def query(self) -> bool:
        """Whether BTF knows the function; from then on params and proto can be used."""
        if not self.asked and self.btf is not None and self._function is not None:
            found = self.btf.prototype(self._function)
            if found is not None and found.kind == PROTO:
                self.proto, self.asked = found, True
        return self.proto is not None

    @property
    def params(self) -> tuple[tuple[str, int], ...]:
        """Name and type id of each parameter."""
        return (
            () if self.proto is None else tuple((m.name, m.type) for m in self.proto.members[self._hidden :])
        )

    def before(self, n: int) -> str | None:
        """The name of the kernel's own parameter of a tracepoint's stub, which a negative number leads to."""
        at = self._hidden + n
        return self.proto.members[at].name if self.proto is not None and at >= 0 else None


def expand(log: Log, target: Target, head: Head, proto: Prototype) -> tuple[list[str], bool]:
    """The argument words after the kernel's rewriting of ``$arg*`` and ``$argN``, and whether there was one.

    Words that aren't rewritten stay; log.words keeps what was typed, as the kernel's log does.
    """
    words = log.words[2:]
    star = _find_star(log, head, words)
    if star is None:
        return words, False
    if target.traits.btf and proto.unknown:
        # With parameters unknown, $argN means itself and $arg* is believed
        return [word for word in words if not word.startswith("$arg*")], False
    if not target.traits.btf or not proto.query() or not proto.params:
        if star >= 0 and target.traits.star_refused:
            raise log.refuse(0, "NOSUP_BTFARG", "EOPNOTSUPP")
        if star >= 0:
            log.err(0, "NOSUP_BTFARG")
        return words, False
    if star >= 0:
        log.expanded = star + 2, len(proto.params)
    out: list[str] = []
    room = _ARGS_BUFFER
    for i, word in enumerate(words):
        log.index = i + 2
        if i == star:
            for n in range(len(proto.params)):
                out.append(_nth(log, proto, n, "", room))
                room -= len(out[-1]) + 1
        elif word.startswith("$arg"):
            number, length = ktext.simple_strtoul(word[4:], 10)
            suffix = word[4 + length :]
            if suffix[:1] not in {"", ":"}:
                raise log.refuse(0, "BAD_VAR", "ENOENT")
            if number == 0 and target.traits.arg0_checked:
                raise log.refuse(0, "BAD_ARG_NUM")
            index = ((number - 1 + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)  # an int in the kernel
            out.append(_nth(log, proto, index, suffix, room))
            room -= len(out[-1]) + 1
        else:
            out.append(word)
    return out, True


def _find_star(log: Log, head: Head, words: list[str]) -> int | None:
    """Index of the ``$arg*`` word, -1 if there are only ``$argN`` words, None if there is neither."""
    star = -1
    found = False
    for i, word in enumerate(words):
        if not word.startswith("$arg"):
            continue
        log.index = i + 2
        if not (head.entry or head.sees_return):
            raise log.refuse(0, "NOFENTRY_ARGS")
        found = True
        if ktext.is_digit(word[4:]):
            continue
        if word[4:5] != "*":
            raise log.refuse(0, "BAD_VAR")
        if star >= 0:
            raise log.refuse(0, "DOUBLE_ARGS")
        star = i
    return star if found else None


def _nth(log: Log, proto: Prototype, n: int, suffix: str, room: int) -> str:
    """Name of parameter ``n`` and the type written after it; refused if there is none or no room."""
    if n >= len(proto.params):
        raise log.refuse(0, "NO_BTFARG", "ENOENT")
    if n < 0 and (hidden := proto.before(n)) is not None:
        text = hidden + suffix
    elif n < 0:
        # $arg0 before it was checked: the kernel reads the record before the first parameter, whose name
        # leads nowhere
        raise log.refuse(0, "NO_BTF_ENTRY", "ENOENT")
    else:
        text = proto.params[n][0] + suffix
    if len(text) >= room:
        raise log.refuse(0, "ARGS_2LONG", "E2BIG")
    return text


def expand_dentries(log: Log, target: Target, words: list[str], *, logged: bool) -> list[str]:
    """``EXPR:%pd`` and ``EXPR:%pD`` as dereferences that read the name. ``logged``: the log shows them."""
    if not target.traits.dentry:
        return words
    name_at, dentry_at = target.dentry_offsets
    out = list(words)
    used = 0
    for i, word in enumerate(words):
        if word[-4:] not in {":%pd", ":%pD"}:
            continue
        name, equal, body = word[:-4].partition("=") if "=" in word[:-4] else ("", "", word[:-4])
        inner = body if word.endswith("d") else f"+0x{dentry_at:x}({body})"
        text = f"{name}{equal}+0x0(+0x{name_at:x}({inner})):string"
        if len(text) >= _DENTRY_BUFFER - used:
            raise Refused("ENOMEM", "All %pd and %pD arguments together are too long for the kernel.")
        used += len(text) + 1
        out[i] = text
        if logged:
            log.rewrite(i + 2, text)
    return out
