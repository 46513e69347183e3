"""What is typed into the search line: letters to look for, and words that narrow where.

``mod:ext4``, ``type:data`` and ``probe:yes`` stand anywhere in the line, in any order; a word that is half typed
narrows to all that it may become. Case doesn't count, but in the letters of kallsyms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kptui.safetext import neutralise
from kptui.symbols import names as naming

KERNEL = ("kernel", "vmlinux")  # what mod: calls the part that is no module
_FILTER = re.compile(r"(mod|module|type|probe):(\S*)", re.IGNORECASE)
_PLACE = re.compile(r"([A-Za-z0-9_-]+):(\S*)")
_IN_MODULE = re.compile(r"\[([A-Za-z0-9_-]+)\]")  # as kallsyms and a stack trace write it behind a name
_FOR_A_SHELL = re.compile(r"[*?\[(:]")
_OFFSET = re.compile(r"\+(?:0x[0-9a-f]+|\d+)(?:/0x[0-9a-f]+)?$", re.IGNORECASE)  # vfs_read+0x9b/0x3c0
_NEAR, _ALL = 5, 12  # modules that are named where none is called so: of many, of few
LETTERS = "tTwWdDbBrRaAvViIuUnNgGsSCcpN-?"
_TYPES = {
    "text": "tTwW",
    "function": "tTwW",
    "data": "".join(c for c in dict.fromkeys(LETTERS) if c not in "tTwWiI"),
    "weak": "wWvV",
    "rodata": "rR",
    "bss": "bB",
    "absolute": "aA",
    "indirect": "iI",
}
_PROBE = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Query:
    """``text`` is what to look for, words with a blank between. ``module``: part of a module's name, or several with
    commas, '' for any. ``types``: kallsyms letters, '' for any. ``probe``: only what can be probed (True), only what
    can't (False). ``problem``: a sentence about a word that means nothing; ``missing``: about a module that isn't
    there.
    """

    text: str = ""
    module: str = ""
    types: str = ""
    probe: bool | None = None
    problem: str = ""
    missing: str = ""

    @property
    def narrows(self) -> bool:
        return bool(self.module or self.types or self.probe is not None)

    @property
    def words(self) -> str:
        """The filters as one would type them; types as letters."""
        words = [f"mod:{self.module}"] if self.module else []
        words += [f"type:{name_of(self.types)}"] if self.types else []
        words += [f"probe:{'yes' if self.probe else 'no'}"] if self.probe is not None else []
        return " ".join(words)

    def modules_of(self, known: Sequence[str]) -> frozenset[str | None]:
        """Those of the ``known`` modules that are meant; None in it is the kernel itself. The one that is called so,
        else all that begin so, else all that contain it.
        """
        return frozenset(
            module for part in self.module.split(",") if part for module in _modules_of(part, known)
        )


def _modules_of(wanted: str, known: Sequence[str]) -> list[str | None]:
    wanted = wanted.replace("-", "_")
    everything = [*((name, None) for name in KERNEL), *((name.replace("-", "_"), name) for name in known)]
    found = [
        module for name, module in everything if name == wanted
    ]  # some differ in case only: xt_dscp, xt_DSCP
    wanted = wanted.lower()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = found or [module for name, module in everything if fits(name.lower(), wanted)]
    return found


def name_of(types: str) -> str:
    return next((name for name, letters in _TYPES.items() if letters == types), types)


def parse_query(typed: str, modules: Sequence[str] | None = None) -> Query:
    """A line as typed. ``modules`` are those that have symbols, None if that isn't known: ``ext4:ext4_sync_fs``, as
    the kernel writes it, and ``ext4_sync_fs+0x1b/0x90 [ext4]``, as a stack trace does, are understood, too.
    """
    left: list[str] = []
    module, types, probe, problem, missing = "", "", None, "", ""
    for word in map(_unquoted, typed.split()):
        found = _FILTER.fullmatch(word) if ":" in word else None
        if found is None:
            named, rest, unknown = _place(word, modules)
            module = named or module
            missing = missing or unknown
            left += [rest] if rest else []
            continue
        kind, value = found[1].lower(), found[2].strip(",")
        if not value:
            continue
        if kind == "type":
            letters = _letters(value)
            types += letters
            problem = (
                problem if letters else "type: takes text, data, weak, rodata, bss, or letters of kallsyms"
            )
        elif kind == "probe":
            answers = [answer for name, answer in _PROBE.items() if name.startswith(value.lower())]
            probe = answers[0] if answers else probe
            problem = problem if answers else "probe: takes yes or no"
        else:
            module = value
    asked = Query(" ".join(left), module, "".join(dict.fromkeys(types)), probe, problem, missing)
    if module and not missing and modules is not None and not asked.modules_of(modules):
        return replace(
            asked,
            missing=f"no module with symbols is called {neutralise(module)}; {_others(module, modules)}",
        )
    return asked


def _unquoted(word: str) -> str:
    """Without the quotes that a shell wants around it, and no name has; a ``'`` before mere letters means something."""
    bare = word.replace('"', "").rstrip("'") or word
    quoted = bare != word and _FOR_A_SHELL.search(bare)
    return bare.removeprefix("'") if quoted else bare


def _place(word: str, modules: Sequence[str] | None) -> tuple[str, str, str]:
    """Of a word that is no filter: the module that it names, what it looks for, and what is wrong with it."""
    if not any(sign in word for sign in ":[+"):
        return "", word, ""
    known = {name.lower() for name in (*KERNEL, *(modules or ()))}
    inside = _IN_MODULE.fullmatch(word)
    if inside is not None:
        return inside[1], "", ""
    place = _PLACE.fullmatch(word)
    if place is None or modules is None:
        return "", _OFFSET.sub("", word), ""
    if place[1].replace("-", "_").lower() in known:
        return place[1], _OFFSET.sub("", place[2]), ""
    name = neutralise(place[1])
    return (
        "",
        "",
        f"{name}: is none of mod: type: probe:, and no module with symbols; {_others(name, modules)}",
    )


def _others(name: str, modules: Sequence[str]) -> str:
    """Modules that may be meant instead."""
    if not modules:
        return "no module has any"
    if len(modules) <= _ALL:
        return f"there are {neutralise(', '.join(modules))}"
    from kptui.symbols.match import similar

    near = sorted(
        ((-like, modules[at]) for like, at in similar(name.lower(), [m.lower() for m in modules], 1.0))
    )
    return f"of {len(modules)}, the nearest: {neutralise(', '.join(found for _, found in near[:_NEAR]))}"


def _letters(value: str) -> str:
    """The kallsyms letters that ``data``, ``dat``, ``d`` or ``t,T`` mean; '' for none."""
    found = ""
    for part in value.split(","):
        names = [
            letters for name, letters in _TYPES.items() if len(part) > 1 and name.startswith(part.lower())
        ]
        if names:
            found += names[0]
        elif set(part) <= set(LETTERS):
            found += part
        else:
            return ""
    return found


def only_text(types: str) -> bool:
    return bool(types) and set(types) <= naming.TEXT_TYPES


def only_other(types: str) -> bool:
    return bool(types) and not set(types) & naming.TEXT_TYPES
