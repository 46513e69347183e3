"""The files that take definitions: what is asked there, and what stands there while it is asked.

One more interface is one more entry in INTERFACES; asking, comparing and the command that does both
(tests.realkernel.agreement) know them by that table only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.realkernel import definitions_gen
from tests.realkernel.words import Words


@dataclass(frozen=True, slots=True)
class Interface:
    """``file`` in tracefs; ``standing(words)`` are defined before the others are asked, each by itself.

    ``texts(seed, count, words)`` are the definitions to ask, safe for an unfixed kernel. ``needs`` is a file
    below tracefs without which the interface isn't asked ("" for ``file`` itself), ``feature`` a text that
    README must have.
    """

    file: str
    standing: Callable[[Words], tuple[str, ...]]
    texts: Callable[[int, int, Words], list[str]]
    feature: str = ""


INTERFACES: Mapping[str, Interface] = {
    "kprobe": Interface("kprobe_events", lambda _: definitions_gen.STANDING, definitions_gen.definitions),
}
