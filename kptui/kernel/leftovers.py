"""What killed kptuis left behind, and its removal: exactly what their journals list, nothing of anybody
else's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kptui.kernel.claim import Other, find_others
from kptui.kernel.closing import undo_all
from kptui.kernel.files import KernelFiles
from kptui.kernel.journal import FALLBACKS
from kptui.kernel.listing import read_lists
from kptui.kernel.plan import Undo, removal_target
from kptui.safetext import neutralise


@dataclass(frozen=True, slots=True)
class Leftover:
    """Of one dead kptui: its ``instances`` and ``probes`` (``group/event``) that still stand, one
    ``sentence``.

    ``journal`` is its file, None when only an instance is left: then its probes are not known to be its own.
    """

    pid: int
    instances: tuple[str, ...]
    probes: tuple[str, ...]
    journal: Path | None
    sentence: str


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """``done`` and ``left`` are sentences: what was removed, what could not be."""

    done: tuple[str, ...]
    left: tuple[str, ...]


def leftovers(
    files: KernelFiles, state_dir: Path, *, proc: str = "/proc", fallbacks: Sequence[Path] = FALLBACKS
) -> tuple[Leftover, ...]:
    """What dead kptuis left on this tracefs and is still there. Reads only; damaged journals don't matter."""
    found = []
    for other in find_others(files, (state_dir, *fallbacks), proc):
        if not other.live:
            item = _leftover(files, other)
            if item.instances or item.probes:
                found.append(item)
    return tuple(found)


def cleanup(
    files: KernelFiles, state_dir: Path, *, proc: str = "/proc", fallbacks: Sequence[Path] = FALLBACKS
) -> CleanupResult:
    """Removes what :func:`leftovers` finds, and dead journals that have nothing left to say."""
    done: list[str] = []
    left: list[str] = []
    for other in find_others(files, (state_dir, *fallbacks), proc):
        if other.live:
            continue
        item = _leftover(files, other)
        pending = _pending(other)
        failed = undo_all(files, pending, lambda _: None)
        left.extend(failed)
        if (item.instances or item.probes) and not failed:
            done.append(item.sentence.replace(" left ", " had left ") + ": removed")
        if not failed and other.journal is not None:
            with contextlib.suppress(OSError):
                other.journal.path.unlink()
    left.extend(_unclaimed(files, state_dir, proc, fallbacks))
    return CleanupResult(tuple(done), tuple(left))


def _pending(other: Other) -> list[tuple[int, Undo]]:
    """Instances first, so that they are undone last."""
    journaled = list(other.journal.pending) if other.journal else []
    known = {undo.path for _, undo in journaled}
    paths = [f"instances/{name}" for name in other.instances]
    return [*((-1, Undo("rmdir", path)) for path in paths if path not in known), *journaled]


def _leftover(files: KernelFiles, other: Other) -> Leftover:
    probes: list[str] = []
    with contextlib.suppress(OSError):
        listed = {(item.group, item.event): item.line for item in read_lists(files)}
        for _, undo in _pending(other):
            target = removal_target(undo)
            if target in listed and (not undo.listed or undo.listed.split("\n")[0] == listed[target]):
                probes.append("/".join(target))
    what = []
    if probes:
        what.append(f"{len(probes)} probe{'s' * (len(probes) > 1)} ({', '.join(probes)})")
    if other.instances:
        plural = "s" * (len(other.instances) > 1)
        what.append(f"the trace instance{plural} {', '.join(other.instances)}")
    sentence = neutralise(f"a kptui that ended abruptly (pid {other.pid}) left {' and '.join(what)}")
    path = other.journal.path if other.journal else None
    return Leftover(other.pid, other.instances, tuple(probes), path, sentence)


def _unclaimed(files: KernelFiles, state_dir: Path, proc: str, fallbacks: Sequence[Path]) -> list[str]:
    """Probes in a group of kptui's naming that no journal claims: named, never touched."""
    others = find_others(files, (state_dir, *fallbacks), proc)
    live = {other.group for other in others if other.live}
    claimed = {removal_target(undo) for other in others if other.journal for _, undo in other.journal.pending}
    sentences = []
    with contextlib.suppress(OSError):
        for item in read_lists(files):
            named = item.group == "kptui" or item.group.removeprefix("kptui_").isdecimal()
            if named and item.group not in live and (item.group, item.event) not in claimed:
                sentences.append(
                    neutralise(
                        f"{item.group}/{item.event} may be an old kptui's, but no journal says so; "
                        f"by hand: echo '-:{item.group}/{item.event}' >> {files.root}/{item.source}"
                    )
                )
    return sentences
