"""Probe events of the simulated kernel: what a definition turns into in the listing, in ``format`` and in a
record.

After trace_kprobe.c and trace_probe.c of 6.12; compared with that kernel's own files in the tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kptui.kernel.sim.machine import MASK
from kptui.kernel.sim.names import Prototype, default_type
from kptui.kernel.sim.symbols import ENDBR_SIZE, SimSymbol, SimSymbols
from kptui.probes.cnumber import parse_unsigned
from kptui.probes.exprs import Bitfield, BtfPath, Comm, Expr, ImmString, Raw, Retval
from kptui.probes.fetch import ProbeSyntaxError, is_identifier, parse_expr, parse_type

DEFAULT_GROUP = "kprobes"
DEFAULT_MAXACTIVE = 10  # max(10, 2 x possible CPUs), kernel/kprobes.c
MAX_NAME = 63
STRINGS = frozenset({"string", "ustring", "symstr"})
COMMON_FORMAT = """\
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

"""
# %pd and %pD read d_name.name through struct dentry and struct file of this kernel
# (traceprobe_expand_dentry_args)
DENTRY_NAME = "+0x0(+0x28({}))"
FILE_NAME = "+0x0(+0x28(+0x48({})))"


@dataclass(frozen=True, slots=True)
class SimArg:
    """An argument as listed: ``name=text``; ``base`` is a type name or a bitfield, ``count`` makes an array."""

    name: str
    text: str
    expr: Expr
    base: str | Bitfield
    count: int | None

    @property
    def is_string(self) -> bool:
        return self.base in STRINGS

    @property
    def size(self) -> int:
        """Bytes of one element in the record."""
        if isinstance(self.base, Bitfield):
            return self.base.container // 8
        if self.is_string:
            return 4
        if self.base == "char":
            return 1
        return 8 if self.base == "symbol" else int(self.base[1:]) // 8

    @property
    def signed(self) -> bool:
        return isinstance(self.base, str) and self.base.startswith("s") and self.base[1:].isdigit()

    @property
    def shape(self) -> tuple[str, str, int | None]:
        """What must agree between probes of one event."""
        return self.name, str(self.base), self.count

    def field_line(self, offset: int) -> str:
        count = self.count
        if self.is_string:
            kind = "__data_loc char[]" if count is None else f"__data_loc char[][{count}]"
            return f"\tfield:{kind} {self.name};\toffset:{offset};\tsize:{4 * (count or 1)};\tsigned:1;\n"
        kind = f"{'s' if self.signed else 'u'}{self.size * 8}"
        name = self.name if count is None else f"{self.name}[]"
        size = self.size * (count or 1)
        return f"\tfield:{kind} {name};\toffset:{offset};\tsize:{size};\tsigned:{int(self.signed)};\n"

    @property
    def printed(self) -> str:
        """The conversion in ``print fmt``."""
        if self.is_string:
            one = '\\"%s\\"'
        elif self.base == "char":
            one = "'%c'"
        elif self.base == "symbol":
            one = "%pS"
        else:
            long = "L" if self.size == 8 else ""
            letter = "d" if self.signed else "x" if str(self.base).startswith("x") else "u"
            one = f"{'0x' if letter == 'x' else ''}%{long}{letter}"
        return one if self.count is None else "{" + ",".join([one] * self.count) + "}"

    @property
    def sources(self) -> list[str]:
        """What ``print fmt`` prints."""
        names = [self.name] if self.count is None else [f"{self.name}[{i}]" for i in range(self.count)]
        return [f"__get_str({name})" if self.is_string else f"REC->{name}" for name in names]


@dataclass(slots=True)
class SimProbe:
    """One definition. ``address`` is where it sits (after an ENDBR64), None while its module is missing."""

    kind: str
    group: str
    event: str
    place: str
    symbol: SimSymbol | None
    offset: int
    address: int | None
    maxactive: int
    args: tuple[SimArg, ...]
    hits: int = 0

    @property
    def listed(self) -> str:
        head = f"r{self.maxactive}" if self.kind == "r" else "p"
        words = [f"{head}:{self.group}/{self.event}", self.place]
        return " ".join(words + [f"{arg.name}={arg.text}" for arg in self.args])

    @property
    def function(self) -> str | None:
        """The function whose calls it sees: only probes at a function's beginning see recorded calls."""
        at_entry = (
            self.symbol is not None and self.address is not None and entry_of(self.symbol) == self.address
        )
        return self.symbol.name if at_entry and self.symbol is not None else None


def entry_of(symbol: SimSymbol) -> int:
    return symbol.address + (ENDBR_SIZE if symbol.endbr else 0)


@dataclass(slots=True)
class SimEvent:
    """An event directory: one probe, or several of the same kind and arguments."""

    id: int
    probes: list[SimProbe]

    @property
    def first(self) -> SimProbe:
        return self.probes[0]

    @property
    def key(self) -> tuple[str, str]:
        return self.first.group, self.first.event

    def format(self) -> str:
        probe = self.first
        text = f"name: {probe.event}\nID: {self.id}\nformat:\n{COMMON_FORMAT}"
        places = ["__probe_func", "__probe_ret_ip"] if probe.kind == "r" else ["__probe_ip"]
        offset = 8
        for name in places:
            text += f"\tfield:unsigned long {name};\toffset:{offset};\tsize:8;\tsigned:0;\n"
            offset += 8
        for arg in probe.args:
            text += arg.field_line(offset)
            offset += arg.size * (arg.count or 1)
        shown = " <- ".join(["%lx"] * len(places))
        shown = " ".join([f"({shown})"] + [f"{arg.name}={arg.printed}" for arg in probe.args])
        sources = [f"REC->{name}" for name in places] + [
            source for arg in probe.args for source in arg.sources
        ]
        return f'{text}\nprint fmt: "{shown}", {", ".join(sources)}\n'


# ------------------------------------------------------------------ from words


def split_words(line: str) -> list[str]:
    """The words of a definition line; what follows ``#`` is a comment."""
    return re.split(r"[ \t\r\v\f]+", line.partition("#")[0].strip(" \t\r\v\f\n"))


def event_names(command: str, kind: str, place: str) -> tuple[str, str]:
    """(group, event) of a command word that the checker has accepted."""
    _, colon, spec = command[1:].partition(":")
    group, event = DEFAULT_GROUP, ""
    if colon:
        separator = "/" if "/" in spec else "."
        head, found, tail = spec.partition(separator)
        group, event = (head, tail) if found else (DEFAULT_GROUP, head)
    return group, event or generated_name(kind, place)


def generated_name(kind: str, place: str) -> str:
    """``p_vfs_read_0``: kind, symbol and decimal offset, cut to 63 bytes, made an identifier."""
    where, _, _ = place.partition("%")
    match = re.fullmatch(r"([^+]*?)(?:\+(.*))?", where)
    symbol, digits = (match[1], match[2]) if match else (where, None)
    offset = parse_unsigned(digits or "0") or 0
    name = f"{kind}_{symbol}_{offset}"[:MAX_NAME]
    return name[0] + re.sub(r"[:.*]", "_", name[1:])


def make_probe(line: str, symbols: SimSymbols, proto: Prototype | None) -> SimProbe:
    """The probe that an accepted definition makes. ``proto``: the function's prototype, None where BTF has
    none.
    """
    command, place, *words = split_words(line)
    kind = "r" if command[0] == "r" or place.endswith("%return") else "p"
    where = place.removesuffix("%return")
    group, event = event_names(command, kind, where)
    number = re.match(r"r(\d\w*)", command)
    maxactive = (parse_unsigned(number[1]) or 0) if number else DEFAULT_MAXACTIVE
    symbol, offset, shown, address = resolve_place(where, symbols)
    expanded = [word for given in words for word in _expand(given, proto)]
    args = tuple(make_arg(word, position, proto) for position, word in enumerate(expanded, 1))
    return SimProbe(kind, group, event, shown, symbol, offset, address, maxactive, args)


def resolve_place(where: str, symbols: SimSymbols) -> tuple[SimSymbol | None, int, str, int | None]:
    """(symbol, offset, as listed, address) of a place without ``%return``. Raw addresses are listed hashed."""
    raw = parse_unsigned(where)
    if raw is not None:
        found = symbols.resolve(raw)
        return (found[0] if found else None), (found[1] if found else 0), f"0x{_hashed(raw):016x}", raw
    name, plus, digits = where.partition("+")
    offset = parse_unsigned(digits) or 0 if plus else 0
    module, colon, plain = name.rpartition(":")
    shown = name + (f"+{offset}" if offset else "")
    copies = symbols.lookup(plain, module or None) if colon else symbols.lookup(name)
    if not copies:
        return None, offset, shown, None
    symbol = copies[0]
    address = symbol.address + offset
    inside = symbols.resolve(address)  # "_text+N" stands for the function there
    if inside is not None:
        symbol, offset = inside
        address = symbol.address + offset
    if address == symbol.address:
        address = entry_of(symbol)
    return symbol, offset, shown, address


def _hashed(address: int) -> int:
    """Something that can't be turned back into the address, as %p prints it; error numbers stay readable."""
    if address > MASK - 4095:
        return address
    value = (address * 0x9E3779B97F4A7C15 + 0x3F352813) & MASK
    return (value >> 16) & 0xFFFFFFFF


def _expand(word: str, proto: Prototype | None) -> list[str]:
    """``$arg*`` and ``$argN`` as the names that BTF gives them; other words as they are."""
    if proto is None:
        return [word]
    if word == "$arg*":
        return list(proto.parameters)
    match = re.fullmatch(r"\$arg(\d+)(:.*)?", word)
    if match and 1 <= int(match[1]) <= len(proto.parameters):
        return [proto.parameters[int(match[1]) - 1] + (match[2] or "")]
    return [word]


def make_arg(word: str, position: int, proto: Prototype | None = None) -> SimArg:
    """One accepted argument word, such as ``path=+0(%si):ustring``."""
    name, equals, text = word.partition("=")
    if not equals:
        text = word
        bare = word.partition(":")[0]
        name = bare if is_identifier(bare) else f"arg{position}"
    source, colon, type_text = text.partition(":")
    if type_text in {"%pd", "%pD"}:
        source = (DENTRY_NAME if type_text == "%pd" else FILE_NAME).format(source)
        type_text = "string"
        text = f"{source}:string"
    kind = parse_type(type_text) if colon else None
    expr = _expr(source)
    base: str | Bitfield | None = kind.base if kind else None
    if isinstance(expr, BtfPath) and proto is not None:
        expr, own = proto.lower(expr, base if isinstance(base, str) else None)
        base = base or own
    elif isinstance(expr, Retval) and proto is not None:
        base = base or default_type(proto.btf.resolved(proto.result))
    elif isinstance(expr, Comm | ImmString):
        base = base or "string"
    return SimArg(name, text, expr, base or "x64", kind.count if kind else None)


def _expr(source: str) -> Expr:
    """The tree of a source. Where the kernel is laxer than the tree's parser (it ignores what follows the
    last brace, takes ``++8(`` and ``+-8(``, and cuts offsets to 32 bits), the text is mended first.
    """
    try:
        return parse_expr(source)
    except ProbeSyntaxError:
        text = re.sub(r"([+-])(u?)([+-]?)(\w+)\(", _mend_offset, source[: source.rfind(")") + 1])
        try:
            return parse_expr(text)
        except ProbeSyntaxError:
            return Raw(source)


def _mend_offset(match: re.Match[str]) -> str:
    value = parse_unsigned(match[4])
    if value is None:
        return match[0]
    value = (-value if "-" in match[1] + match[3] else value) & 0xFFFFFFFF
    signed = value - (1 << 32) if value >> 31 else value
    return f"{'-' if signed < 0 else '+'}{match[2]}{abs(signed)}("
