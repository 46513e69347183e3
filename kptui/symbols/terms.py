"""The words of a search, as fzf has them: each has to fit, in any order.

A plain word's letters stand in a name in order (``vfsrd``). ``'read`` stands there in one piece, ``^vfs`` begins it,
``read$`` ends it, ``^vfs_read$`` is all of it, ``!cold`` isn't in it. A word with ``*``, ``?`` or ``[ab]`` is a glob
for the whole name, as the kernel's set_ftrace_filter takes it (lib/glob.c). Case doesn't count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress, repeat
from operator import contains, eq, not_
from typing import Literal, NamedTuple

from kptui.symbols import names as naming
from kptui.symbols import score as scoring
from kptui.symbols.index import fold

Kind = Literal["letters", "part", "start", "end", "whole", "glob"]

TIERS = 3
_UNBOUNDED = 1 << 30
OUT_OF_ORDER = 3.0  # points of 100 for words that stand in a name otherwise than they were typed
_SET = re.compile(r"\[[^\]]+\]")
_WILD = re.compile(r"[*?]|" + _SET.pattern)
_PIECE = re.compile(r"\*+|\?|\[(?P<no>[!^]?)(?P<set>[^\]]+)\]|(?:[^*?\[]|\[(?![^\]]+\]))+")
_SHORTENED = frozenset[Kind]({"letters", "part", "start"})  # a beginning of it fits all that it fits


class Term(NamedTuple):
    """One word. ``text`` is folded, without the sign of its kind, never empty."""

    kind: Kind
    text: str
    negated: bool = False

    @property
    def letters(self) -> str:
        """What a name must have of it, letter for letter; '' for a negated word."""
        if self.negated:
            return ""
        return _literal(self.text) if self.kind == "glob" else self.text

    @property
    def lengths(self) -> tuple[int, int]:
        """The shortest and the longest name that can fit."""
        if self.negated:
            return 0, _UNBOUNDED
        length = len(self.text)
        if self.kind == "glob":
            length = len(_SET.sub("?", self.text).replace("*", ""))
            return length, _UNBOUNDED if "*" in self.text else length
        return length, length if self.kind == "whole" else _UNBOUNDED

    @property
    def edges(self) -> tuple[str, str]:
        """The letters that a name must begin and end with; '' for any."""
        if self.negated:
            return "", ""
        head = tail = self.text
        if self.kind == "glob":
            literals = _WILD.split(self.text)
            head, tail = literals[0], literals[-1]
        return (
            head[:1] if self.kind in {"start", "whole", "glob"} else "",
            tail[-1:] if self.kind in {"end", "whole", "glob"} else "",
        )

    def pick(self, names: Sequence[str]) -> list[int]:
        """Indices of the ``names`` that fit, in order. A few thousand names a call: most of it holds the
        interpreter's lock.
        """
        if self.kind == "letters":
            from kptui.symbols.match import subsequence

            return subsequence(self.text, names)
        if self.kind == "glob" and not self.negated:
            return _pick_glob(self.text, names)
        fits = _TESTS[self.kind](self.text, names)
        return list(compress(range(len(names)), map(not_, fits) if self.negated else fits))

    def lay(self, name: str) -> tuple[int, tuple[int, ...]]:
        """Points, as :mod:`kptui.symbols.score` gives them, and places of the letters in a name that fits."""
        match self.kind:
            case "letters":
                return scoring.points(self.text, name)
            case "glob":
                found = _pattern(self.text).fullmatch(name)
                assert found is not None
                places = tuple(at for start, end in found.regs[1:] for at in range(start, end))
                return scoring.best_points(len(places)), places
            case "end":
                return scoring.run_points(self.text, name, len(name) - len(self.text))
            case "start" | "whole":
                return scoring.run_points(self.text, name, 0)
            case "part":
                return scoring.run_points(self.text, name, scoring.best_run(self.text, name))


Terms = tuple[Term, ...]


def terms_of(text: str) -> Terms:
    """The words of what is looked for. A sign without anything behind it, as while it is typed, means nothing."""
    found = (_term(fold(naming.without_parentheses(word))) for word in text.split())
    return tuple(dict.fromkeys(term for term in found if term is not None))


def _term(word: str) -> Term | None:
    negated = word.startswith("!")
    bare = word.removeprefix("!")
    start = bare.startswith("^")
    end = bare.endswith("$") and len(bare) > 1
    part = bare.startswith("'")
    text = bare[1 if start or part else 0 : -1 if end else None]
    if not text:
        return None
    if _WILD.search(text):
        return Term("glob", text, negated)
    if start or end:
        return Term("whole" if start and end else "start" if start else "end", text, negated)
    return Term("part" if part or negated else "letters", text, negated)


def plain(terms: Terms) -> str:
    """The letters of a search for one plain word; '' for any other."""
    return terms[0].text if len(terms) == 1 and terms[0].kind == "letters" else ""


def spelt(terms: Terms) -> str:
    """What a misspelt name would be like: plain words, joined as names join theirs; '' where a word is no plain one."""
    return "_".join(term.text for term in terms) if all(term.kind == "letters" for term in terms) else ""


def beginnings(terms: Terms) -> Iterator[Terms]:
    """``terms`` and, one by one, what was typed before: all that fits one of these fits the next."""
    last = terms[-1]
    yield terms
    if last.kind in _SHORTENED and not last.negated:
        for length in range(len(last.text) - 1, 0, -1):
            yield *terms[:-1], Term(last.kind, last.text[:length])
    if len(terms) > 1:
        yield terms[:-1]


def lengths(terms: Terms) -> tuple[int, int]:
    """The shortest and the longest name that can fit."""
    bounds = [term.lengths for term in terms]
    return max(shortest for shortest, _ in bounds), min(longest for _, longest in bounds)


def are_quick(terms: Terms) -> bool:
    """Whether it costs less to try a name than to have sieved it out."""
    return all(term.kind != "letters" for term in terms)


def containing(terms: Terms, lower: Sequence[str], numbers: Sequence[int], step: int) -> list[int]:
    """Those of ``numbers`` whose name in ``lower`` fits every term; ``step`` of them at a time."""
    *others, last = terms
    found: list[int] = []
    for start in range(0, len(numbers), step):
        part = numbers[start : start + step]
        names = (
            lower[part.start : part.stop] if isinstance(part, range) else list(map(lower.__getitem__, part))
        )
        for term in others:
            kept = term.pick(names)
            part = list(map(part.__getitem__, kept))
            names = list(map(names.__getitem__, kept))
        found += map(part.__getitem__, last.pick(names))
    return found


def lay(terms: Terms, name: str) -> scoring.Match:
    """The score of several words, or of one that isn't plain, on the scale of :mod:`kptui.symbols.score`, and their
    places in a name that fits them.
    """
    points = best = letters = 0
    places: set[int] = set()
    ordered, behind = True, -1
    for term in terms:
        if term.negated:
            continue
        some, where = term.lay(name)
        points += some
        best += scoring.best_points(len(where))
        letters += len(where)
        places.update(where)
        if where:
            ordered = ordered and where[0] > behind
            behind = where[-1]
    earned = scoring.scale(points, best, min(letters, len(name)), len(name))
    return scoring.Match(earned - (0 if ordered else OUT_OF_ORDER), tuple(sorted(places)))


def tiers(terms: Terms, names: Sequence[str], numbers: Sequence[int]) -> list[list[int]]:
    """Those of ``numbers`` whose ``names`` have the words best, in TIERS lists at most: the one word begins it; each
    begins a part of it; each is there in one piece. A name may be in all. One list of all where there are no words,
    but globs and the like.
    """
    words = [term.text for term in terms if not term.negated and term.kind in ("letters", "part")]
    if not words:
        return [[*numbers]]
    first, *others = words
    found = list(compress(zip(names, numbers, strict=True), map(contains, names, repeat(first))))
    if not others:
        begun = [number for name, number in found if name.startswith(first)]
        part = f"_{first}"
        return [begun, [number for name, number in found if part in name], [number for _, number in found]]
    for word in others:
        found = [pair for pair in found if word in pair[0]]
    parts = [number for name, number in found if all(_begins_part(word, name) for word in words)]
    return [[], parts, [number for _, number in found]]


def _begins_part(word: str, name: str) -> bool:
    return f"_{word}" in name or name.startswith(word)


def near_enough(terms: Terms, name: str) -> bool:
    """Whether each plain word is in ``name``, or most of it is in one place: a misspelling of all of them together
    must not leave one out.
    """
    from kptui.symbols.match import within

    return len(terms) == 1 or all(within(term.text, name) for term in terms)


@lru_cache(maxsize=64)
def _pattern(glob: str) -> re.Pattern[str]:
    """What ``glob`` means for a whole name, with a group for each run of letters. Atomic groups: whatever the glob, a
    match takes no more steps than letters times stars.
    """
    parts = [""]
    for piece in _PIECE.finditer(glob):
        text = piece.group()
        if text.startswith("*"):
            parts.append("")
        elif text == "?":
            parts[-1] += "."
        elif piece["set"]:
            inner = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", piece["set"])
            parts[-1] += f"[{'^' if piece['no'] else ''}{inner}]"
        else:
            parts[-1] += f"({re.escape(text)})"
    first, *middle = parts
    last = middle.pop() if middle else None
    whole = first + "".join(f"(?>.*?{part})" for part in middle if part)
    try:
        return re.compile(whole + ("" if last is None else f".*{last}"), re.DOTALL)
    except re.error:  # a range that ends before it begins
        return re.compile("(?!)")


@lru_cache(maxsize=64)
def _literal(glob: str) -> str:
    return _WILD.sub("", glob)


def _pick_glob(glob: str, names: Sequence[str]) -> list[int]:
    """As Term.pick: what can be told without the pattern first, at a fifth of its cost."""
    tests, decided = _glob_tests(glob)
    numbers: Sequence[int] = range(len(names))
    for test, part in tests:
        kept = list(compress(range(len(names)), map(test, names, repeat(part))))
        numbers = list(map(numbers.__getitem__, kept))
        names = list(map(names.__getitem__, kept))
    return [*numbers] if decided else list(compress(numbers, map(_pattern(glob).fullmatch, names)))


@lru_cache(maxsize=64)
def _glob_tests(glob: str) -> tuple[list[tuple[Callable[[str, str], object], str]], bool]:
    """What a name must begin with, end with and contain to fit ``glob``, and whether that is all."""
    head, *others = _WILD.split(glob)
    tail = others.pop()
    tests: list[tuple[Callable[[str, str], object], str]] = []
    tests += [(str.startswith, head)] if head else []
    tests += [(str.endswith, tail)] if tail else []
    tests += [(contains, part) for part in others if part]
    return tests, len(tests) <= 1 and set(_WILD.findall(glob)) == {"*"}


_TESTS: dict[Kind, Callable[[str, Sequence[str]], Iterable[object]]] = {
    "part": lambda text, names: map(contains, names, repeat(text)),
    "start": lambda text, names: map(str.startswith, names, repeat(text)),
    "end": lambda text, names: map(str.endswith, names, repeat(text)),
    "whole": lambda text, names: map(eq, names, repeat(text)),
    "glob": lambda text, names: map(_pattern(text).fullmatch, names),
}
