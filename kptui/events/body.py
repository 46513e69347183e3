"""The body of a probe record: ``(PLACE) NAME=VALUE …`` or ``(CALLER <- FUNC) NAME=VALUE …``.

The kernel escapes nothing, so a string may hold quotes and text that looks like further arguments. The body
is therefore cut only where `` NAME=`` stands, and a cut counts only if everything after it can be read to the
end. That is decided from the right in one pass (no backtracking: a hostile file name can't make it slow).
Formats: kernel/trace/trace_kprobe.c print_kprobe_event, kernel/trace/trace_probe.c PRINT_TYPE_FUNC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Literal

from kptui.events.model import Arg, ArgSpec, Ref

_SYM = r"[^\s()+,{}\"<>=]+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[[^\]\s]+\])?"
_NUM = r"0x[0-9a-f]+|-?\d+"
_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
_ADDR = r"(?: <[0-9a-f]+>)?"

PLACE = (
    r"\((?P<at>" + _SYM + _ADDR + r"|0x[0-9a-f]+|0|\[unknown/kretprobe'd\]|[^\s()<>]+)"
    r"(?: <- (?P<func>[^\s()]+(?: \[[^\]\s]+\])?" + _ADDR + r"))?\)(?= " + _WORD + r"=|\Z)"
)
_PLACE = re.compile(PLACE)
_SYMBOL = re.compile(
    r"(?P<sym>[^\s+]+)\+0x(?P<off>[0-9a-f]{1,16})/0x(?P<size>[0-9a-f]{1,16})"
    r"(?: \[(?P<mod>[^\]]+)\])?(?: <(?P<addr>[0-9a-f]+)>)?"
)
_ADDRESS = re.compile(r"0x[0-9a-f]+|0")
_CUT = re.compile(r" (" + _WORD + r")=")
_MAX_ARGS = 128  # MAX_TRACE_ARGS, kernel/trace/trace_probe.h
_CLOSE = re.compile(r"(?s:.*)\"\}?\Z|'\Z|(?s:.*)'\}\Z")
_ELEMENT = r"(?:" + _SYM + _ADDR + r"|" + _NUM + r"|\(fault\)|'(?s:.)')"
_ARRAY = re.compile(r"\{" + _ELEMENT + r"(?:," + _ELEMENT + r")*\}")
_ELEMENTS = re.compile(_ELEMENT)
_NUMBER = re.compile(_NUM)
_SYMBOL_VALUE = re.compile(_SYM + _ADDR)
# The common case, read from the left: no quote inside a string, nothing exotic.
_SIMPLE = re.compile(
    r" ("
    + _WORD
    + r")=(?:("
    + _NUM
    + r")|\"([^\"]*)\"|(\(fault\))|(\{[^\"'{}]+\})|'((?s:.))'|("
    + _SYM
    + _ADDR
    + r"))(?= |\Z)"
)

Shape = Literal["closed", "open", "other"]


def place(text: str) -> Ref:
    """``sym+0x1/0x2 [mod]``, an address, or a text that is neither, as a Ref."""
    if match := _SYMBOL.fullmatch(text):
        sym, off, size, mod, addr = match.group("sym", "off", "size", "mod", "addr")
        return Ref(sym, int(off, 16), int(size, 16), mod, addr)
    if _ADDRESS.fullmatch(text):
        return Ref(None, addr=text)
    return Ref(text)


def head(body: str) -> re.Match[str] | None:
    """The parenthesis that starts a probe's body (groups ``at`` and ``func``), or None: not a probe's."""
    return _PLACE.match(body)


def _value(name: str, text: str) -> Arg | None:
    """A value that can't hold a blank and a name: all but strings and arrays of strings."""
    if _NUMBER.fullmatch(text):
        return Arg(name, text, "num")
    if text == "(fault)":
        return Arg(name, None, "fault")
    if len(text) == 3 and text[0] == text[2] == "'":
        return Arg(name, text[1], "str")
    if _SYMBOL_VALUE.fullmatch(text):
        return Arg(name, text, "sym")
    if text.startswith("{") and _ARRAY.fullmatch(text):
        items = _ELEMENTS.findall(text)
        return Arg(name, tuple(_element(item) for item in items), "array")
    return None


def _element(text: str) -> str | None:
    if text == "(fault)":
        return None
    return text[1:-1] if text[0] in "'\"" and len(text) > 1 else text


def _string_array(text: str, count: int | None) -> tuple[str | None, ...] | None:
    """``{"a",(fault),"b"}``: cut at commas after a quote or a fault; with ``count`` only if that many come
    out.
    """
    inner = text[1:-1]
    items: list[str | None] = []
    pos = 0
    while True:
        if inner.startswith("(fault)", pos):
            items.append(None)
            pos += len("(fault)")
        elif inner.startswith('"', pos):
            left = None if count is None else count - len(items)
            if left == 1:
                end = len(inner) - 1
            else:
                ends = [p for sign in ('","', '",(fault)') if (p := inner.find(sign, pos + 1)) >= 0]
                end = min(ends, default=len(inner) - 1)
            if end <= pos or inner[end] != '"':
                return None
            items.append(inner[pos + 1 : end])
            pos = end + 1
        else:
            return None
        if pos == len(inner):
            return tuple(items) if count is None or len(items) == count else None
        if inner[pos] != ",":
            return None
        pos += 1


def _arg(name: str, text: str, spec: ArgSpec | None) -> Arg | None:
    arg: Arg | None
    if text.startswith('"'):
        arg = Arg(name, text[1:-1], "str") if len(text) > 1 and text.endswith('"') else None
    elif text.startswith(('{"', "{(")):
        items = _string_array(text, spec.count if spec else None)
        arg = Arg(name, items, "array") if items is not None else _value(name, text)
    else:
        arg = _value(name, text)
    if arg is not None and spec is not None and not _fits(arg, text, spec):
        return None
    if arg is not None and spec is not None and spec.kind == "sym" and arg.type == "num":
        return Arg(name, arg.value, "sym")  # an address that no symbol covers
    return arg


def _fits(arg: Arg, text: str, spec: ArgSpec) -> bool:
    if spec.count is not None:
        return arg.type == "array" and isinstance(arg.value, tuple) and len(arg.value) == spec.count
    match spec.kind:
        case "num":
            return arg.type == "num"
        case "sym":
            return arg.type in ("sym", "num")
        case "char":
            return text[:1] == "'"
        case _:
            return arg.type == "fault" or text[:1] == '"'


class _Cuts:
    """The places where an argument may begin, and which of them lead to the end of the body."""

    __slots__ = ("at", "braces", "good", "names", "quotes", "text", "values")

    def __init__(self, text: str, pos: int) -> None:
        self.text = text
        found = list(_CUT.finditer(text, pos))
        count = len(found)
        self.at = [m.start() for m in found] + [len(text)]
        self.names = [m[1] for m in found]
        self.values = [m.end() for m in found]
        self.good = [False] * count + [True]
        # Good cuts right behind a closing quote, or behind an array of strings; from the right.
        self.quotes: list[int] = []
        self.braces: list[int] = []
        for i in range(count, -1, -1):
            if i < count:
                self.good[i] = next(self.ends(i), None) is not None
            if self.good[i] and self.at[i] > pos:
                if text[self.at[i] - 1] == '"':
                    self.quotes.append(i)
                elif text.endswith(('"}', ")}"), pos, self.at[i]):
                    self.braces.append(i)

    def ends(self, i: int) -> Iterator[int]:
        """The cuts at which argument ``i`` can end with everything after it readable, nearest first."""
        text, start = self.text, self.values[i]
        if text.startswith('"', start):
            return (j for j in reversed(self.quotes) if j > i and self.at[j] - 1 > start)
        if text.startswith(('{"', "{("), start):
            return (j for j in reversed(self.braces) if j > i)
        if self.good[i + 1] and _value(self.names[i], text[start : self.at[i + 1]]) is not None:
            return iter((i + 1,))
        return iter(())

    def value(self, i: int, j: int) -> str:
        """The text of argument ``i`` when the next one starts at cut ``j``."""
        return self.text[self.values[i] : self.at[j]]

    def arg(self, i: int, j: int, spec: ArgSpec | None) -> Arg | None:
        return _arg(self.names[i], self.value(i, j), spec)


def shape(text: str, pos: int) -> tuple[Shape, bool]:
    """Whether the arguments from ``pos`` can be read to the end, and whether one of them is a string.

    ``open``: they can't, but a string or character begins, so that the record goes on after a newline.
    """
    if pos == len(text):
        return "closed", False
    cuts = _Cuts(text, pos)
    if not cuts.names or cuts.at[0] != pos:
        return "other", False
    quoted = any(text[v : v + 1] in ('"', "'") or text[v : v + 2] in ('{"', "{'", "{(") for v in cuts.values)
    if cuts.good[0]:
        return "closed", quoted
    return ("open" if quoted else "other"), quoted


def closes(line: str) -> bool:
    """Whether ``line``, coming after a newline inside a string, ends that string and the record with it."""
    cuts = _Cuts(line, 0)
    return any(good and _CLOSE.match(line, 0, at) for good, at in zip(cuts.good, cuts.at, strict=True))


def simple(text: str, pos: int) -> tuple[Arg, ...] | None:
    """The arguments if they hold nothing unusual, else None. Reads from the left, about 1 µs an argument."""
    args: list[Arg] = []
    add = args.append
    while match := _SIMPLE.match(text, pos):
        group = match.lastindex
        name, value = match.group(1, group or 1)
        if group == 2:
            add(Arg(name, value, "num"))
        elif group in (3, 6):
            add(Arg(name, value, "str"))
        elif group == 4:
            add(Arg(name, None, "fault"))
        elif group == 7:
            add(Arg(name, value, "sym"))
        elif _ARRAY.fullmatch(value):
            add(Arg(name, tuple([_element(item) for item in value[1:-1].split(",")]), "array"))
        else:
            return None
        pos = match.end()
    return tuple(args) if pos == len(text) else None


def by_specs(text: str, pos: int, specs: Sequence[ArgSpec]) -> tuple[tuple[Arg, ...], bool] | None:
    """The arguments read along their list, and whether another reading would fit too; None if none does.

    From the left to the right, each string reaches as far as it can.
    """
    return _follow(_Cuts(text, pos), pos, [(spec.name, spec) for spec in specs])


def by_names(text: str, pos: int, names: Sequence[str]) -> tuple[tuple[Arg, ...], bool] | None:
    """As ``by_specs`` when only the names are known."""
    return _follow(_Cuts(text, pos), pos, [(name, None) for name in names])


def _follow(
    cuts: _Cuts, pos: int, wanted: Sequence[tuple[str, ArgSpec | None]]
) -> tuple[tuple[Arg, ...], bool] | None:
    if not wanted or not cuts.names or cuts.at[0] != pos:
        return ((), False) if not wanted and pos == len(cuts.text) else None
    where: dict[str, list[int]] = {}
    for i, name in enumerate(cuts.names):
        if cuts.good[i]:
            where.setdefault(name, []).append(i)
    # For each argument, from the last: the cuts where it may start, with the farthest where the next one may.
    routes: list[dict[int, list[int]]] = []
    goal = [len(cuts.at) - 1]  # from the right
    for name, spec in reversed(wanted):
        routes.append(_routes(cuts, where.get(name, ()), goal, spec))
        goal = list(routes[-1])
    if 0 not in routes[-1]:
        return None
    args: list[Arg] = []
    ambiguous = False
    i = 0
    for (_name, spec), ways in zip(wanted, reversed(routes), strict=True):
        ambiguous = ambiguous or len(ways[i]) > 1
        arg = cuts.arg(i, ways[i][0], spec)
        if arg is None:
            return None
        args.append(arg)
        i = ways[i][0]
    return tuple(args), ambiguous


def _routes(
    cuts: _Cuts, starts: Sequence[int], goal: Sequence[int], spec: ArgSpec | None
) -> dict[int, list[int]]:
    """For each of ``starts``, from the right: the one or two farthest of ``goal`` where its value can end."""
    text = cuts.text
    reachable = set(goal)
    texts = [j for j in goal if text[cuts.at[j] - 1] == '"']
    found: dict[int, list[int]] = {}
    for i in reversed(starts):
        start = cuts.values[i]
        if text.startswith('"', start):
            fits = spec is None or (spec.kind == "str" and spec.count is None)
            ways = [j for j in texts[:2] if j > i and cuts.at[j] - 1 > start] if fits else []
        elif text.startswith(('{"', "{("), start):
            some = (j for j in goal[:_MAX_ARGS] if j > i and text[cuts.at[j] - 1] == "}")
            ways = list(islice((j for j in some if cuts.arg(i, j, spec) is not None), 2))
        else:
            ways = [i + 1] if i + 1 in reachable and cuts.arg(i, i + 1, spec) is not None else []
        if ways:
            found[i] = ways
    return found


def guess(text: str, pos: int, budget: int = 600) -> tuple[Arg, ...] | None:
    """The arguments without any list: shortest strings first, and no name twice (the kernel refuses that).

    Where no such reading is found within ``budget`` steps, each string reaches as far as it can; None if that
    too gives what no kernel prints.
    """
    if pos == len(text):
        return ()
    cuts = _Cuts(text, pos)
    if not cuts.names or cuts.at[0] != pos or not cuts.good[0]:
        return None
    last = len(cuts.at) - 1
    stack: list[tuple[int, ...]] = [(0,)]
    while stack and budget > 0:
        budget -= 1
        path = stack.pop()
        if path[-1] == last:
            if (args := _build(cuts, path)) is not None:
                return args
            continue
        names = {cuts.names[i] for i in path}
        if len(path) > _MAX_ARGS or len(names) < len(path):
            continue
        stack.extend([(*path, j) for j in islice(cuts.ends(path[-1]), 16)][::-1])
    path = (0,)
    while path[-1] != last and len(path) <= _MAX_ARGS:
        *_, farthest = cuts.ends(path[-1])
        path = (*path, farthest)
    names = {cuts.names[i] for i in path[:-1]}
    return _build(cuts, path) if path[-1] == last and len(names) == len(path) - 1 else None


def _build(cuts: _Cuts, path: tuple[int, ...]) -> tuple[Arg, ...] | None:
    args: list[Arg] = []
    for i, j in pairwise(path):
        arg = cuts.arg(i, j, None)
        if arg is None:
            return None
        args.append(arg)
    return tuple(args)
