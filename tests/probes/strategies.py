"""Hypothesis strategies over every form of the fetch-argument language and of a probe definition."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from kptui.probes.abi import REGISTERS
from kptui.probes.definition import Place, Probe
from kptui.probes.exprs import (
    BASE_TYPES,
    ArgN,
    ArgStar,
    ArgType,
    Bitfield,
    BtfPath,
    Comm,
    Deref,
    Expr,
    FetchArg,
    FileOffset,
    Immediate,
    ImmString,
    MemAddr,
    Member,
    MemSym,
    Raw,
    Register,
    Retval,
    Stack,
    StackEntry,
)

LETTERS = string.ascii_letters + "_"
WORD = LETTERS + string.digits

identifiers = st.builds(
    str.__add__, st.sampled_from(LETTERS), st.text(st.sampled_from(WORD), max_size=12)
).filter(lambda name: not name.startswith("this_cpu_"))
symbols = st.builds(str.__add__, identifiers, st.sampled_from(["", ".isra.0", ".constprop.12", "$x"]))
unsigned = st.integers(0, 2**64 - 1) | st.integers(0, 300)
# Text of a constant string: no white space, no comment, no colon; '=' needs a name and is added below.
texts = st.text(
    st.characters(blacklist_characters="#:=\x00", blacklist_categories=("Cs", "Z", "C")), max_size=12
)
members = st.lists(st.builds(Member, identifiers, st.booleans()), min_size=1, max_size=3).map(tuple)
btf_paths = st.builds(BtfPath, identifiers, members | st.just(())) | st.builds(
    lambda first, rest: BtfPath("$retval", (Member(first), *rest)), identifiers, members | st.just(())
)
raws = st.sampled_from(
    ["$current", "$current->pid", "(task_struct)$current->pid", "this_cpu_read(@x)", "(open_how)(%dx)->flags"]
).map(Raw)


@st.composite
def mem_syms(draw: st.DrawFn) -> MemSym:
    offset = draw(st.integers(-(2**63), 2**63 - 1) | st.just(0))
    return MemSym(draw(symbols), offset, draw(st.booleans()) and offset != 0)


# What can stand inside a dereference, and what can not.
values: st.SearchStrategy[Expr] = st.one_of(
    st.sampled_from(REGISTERS).map(Register),
    st.integers(0, 4000).map(StackEntry),
    st.just(Stack()),
    st.integers(1, 4000).map(ArgN),
    st.just(Retval()),
    st.builds(MemAddr, unsigned, st.booleans()),
    mem_syms(),
    st.builds(FileOffset, unsigned, st.booleans()),
    st.builds(Immediate, unsigned | st.integers(-(2**63), -1), st.booleans()),
    btf_paths,
    raws,
)
sources = st.recursive(
    values,
    lambda inner: st.builds(Deref, st.integers(-(2**31), 2**31 - 1), inner, st.booleans(), st.booleans()),
    max_leaves=6,
)
expressions: st.SearchStrategy[Expr] = sources | st.builds(Comm, st.booleans()) | texts.map(ImmString)


@st.composite
def bitfields(draw: st.DrawFn) -> Bitfield:
    container = draw(st.sampled_from([8, 16, 32, 64]))
    width = draw(st.integers(1, container))
    return Bitfield(width, draw(st.integers(0, container - width)), container)


arrays = st.none() | st.integers(1, 64)
types = (
    st.builds(ArgType, st.sampled_from(sorted(t for t in BASE_TYPES if not t.startswith("%"))), arrays)
    | st.builds(ArgType, bitfields(), arrays)
    | st.sampled_from(["%pd", "%pD"]).map(ArgType)
)


@st.composite
def fetch_args(draw: st.DrawFn) -> FetchArg:
    if draw(st.integers(0, 15)) == 0:
        return FetchArg(ArgStar())
    expr = draw(expressions)
    name = draw(st.none() | identifiers)
    if name is not None and isinstance(expr, ImmString) and draw(st.booleans()):
        expr = ImmString(f"{expr.text}=x")
    return FetchArg(expr, name, draw(st.none() | types))


places = st.builds(
    Place, symbols, st.integers(0, 2**32 - 1) | st.just(0), st.none() | identifiers
) | st.builds(lambda address: Place(None, address=address), unsigned)


@st.composite
def probes(draw: st.DrawFn) -> Probe:
    kind = draw(st.sampled_from(["p", "r"]))
    group = draw(st.none() | identifiers | st.just("a-b"))
    args = tuple(draw(st.lists(fetch_args(), max_size=4)))
    maxactive = draw(st.none() | st.integers(1, 4096)) if kind == "r" else None
    return Probe(
        "p" if kind == "p" else "r", draw(places), group, draw(st.none() | identifiers), maxactive, args
    )
