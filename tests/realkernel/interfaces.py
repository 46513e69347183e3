"""The files that take definitions: what is asked there, and what stands there while it is asked.

One more interface is one more entry in INTERFACES; asking, comparing and the command that does both
(tests.realkernel.agreement) know them by that table only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kptui.probes.check.target import Interface as Judged
from tests.realkernel import definitions_gen, dynamic_gen, kernel_gen, uprobes_gen
from tests.realkernel.kernel_gen import KernelGenerator
from tests.realkernel.words import TRACEFS, Words


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Interface:
    """``file`` in tracefs; ``standing(words)`` are defined before the others are asked, as far as the kernel
    takes them.

    ``texts(seed, count, words)`` are the definitions to ask, safe for an unfixed kernel. ``needs`` is a file
    below tracefs without which the interface isn't asked ("" for ``file`` itself), ``feature`` a text that
    README must have. ``judged`` is the interface for the judge. ``prepare`` makes what the definitions mean, files
    for one, and ``clean`` takes it away.
    """

    file: str
    standing: Callable[[Words], tuple[str, ...]]
    texts: Callable[[int, int, Words], list[str]]
    feature: str = ""
    judged: Judged = "kprobe"
    prepare: Callable[[], None] = _nothing
    clean: Callable[[], None] = _nothing


def _uprobes(file: str, judged: Judged) -> Interface:
    return Interface(
        file,
        lambda _: uprobes_gen.STANDING,
        uprobes_gen.uprobes,
        judged=judged,
        prepare=uprobes_gen.prepare,
        clean=uprobes_gen.clean,
    )


def _kprobes(seed: int, count: int, words: Words) -> list[str]:
    return definitions_gen.definitions(seed, count, KernelGenerator(f"definitions {seed}", words))


INTERFACES: Mapping[str, Interface] = {
    "kprobe": Interface("kprobe_events", kernel_gen.standing, _kprobes),
    "uprobe": _uprobes("uprobe_events", "uprobe"),
    "uprobe-dynamic": _uprobes("dynamic_events", "dynamic"),
    "dynamic": Interface(
        "dynamic_events",
        lambda _: dynamic_gen.standing((TRACEFS / "README").read_text()),
        dynamic_gen.definitions,
        feature="kprobe_events",
        judged="dynamic",
    ),
}
