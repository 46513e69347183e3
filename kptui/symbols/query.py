"""What is typed into the search line: letters to look for, and words that narrow where.

``mod:ext4``, ``type:data`` and ``probe:yes`` stand anywhere in the line, in any order; a word that is half typed
narrows to all that it may become.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kptui.symbols import names as naming

KERNEL = ("kernel", "vmlinux")  # what mod: calls the part that is no module
_FILTER = re.compile(r"(mod|module|type|probe):(\S*)")
_PLACE = re.compile(r"([A-Za-z0-9_-]+):([A-Za-z_.][\w.$]*)")
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
    """``text`` is what to look for. ``module``: part of a module's name, '' for any. ``types``: kallsyms letters, ''
    for any. ``probe``: only what can be probed (True), only what can't (False). ``problem``: a sentence about a word
    that means nothing.
    """

    text: str = ""
    module: str = ""
    types: str = ""
    probe: bool | None = None
    problem: str = ""

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
        wanted = self.module.replace("-", "_")
        everything = [*((name, None) for name in KERNEL), *((name, name) for name in known)]
        for fits in (str.__eq__, str.startswith, str.__contains__):
            found = [module for name, module in everything if fits(name.replace("-", "_"), wanted)]
            if found:
                return frozenset(found)
        return frozenset()


def name_of(types: str) -> str:
    return next((name for name, letters in _TYPES.items() if letters == types), types)


def parse_query(typed: str, modules: Sequence[str] = ()) -> Query:
    """A line as typed. ``modules`` are those that have symbols: ``ext4:ext4_sync_fs``, as the kernel writes it, is
    understood, too. White space in what remains means nothing.
    """
    left: list[str] = []
    module, types, probe, problem = "", "", None, ""
    for word in typed.split():
        found = _FILTER.fullmatch(word)
        if found is None:
            place = _PLACE.fullmatch(word)
            if place is not None and place[1].replace("-", "_") in modules:
                module = place[1]
                left.append(place[2])
            else:
                left.append(word)
            continue
        kind, value = found.groups()
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
    return Query("".join(left), module, "".join(dict.fromkeys(types)), probe, problem)


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
