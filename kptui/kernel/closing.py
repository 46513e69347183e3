"""Undoing: the same code for quitting and for cleaning up after a kptui that was killed.

The undos are carried out youngest first, which is the order that the kernel wants: events off, then the
probes removed (EBUSY while one is on), then the instances (EBUSY while a file of theirs is open).
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence

from kptui.kernel.definitions import enabled_places
from kptui.kernel.files import KernelFiles, tracefs_there
from kptui.kernel.listing import read_lists
from kptui.kernel.plan import Undo, harmless, removal_target
from kptui.kernel.refusal import explain
from kptui.safetext import neutralise

_RMDIR_SECONDS = 1.0
_GONE = {errno.ENOENT, errno.ENODEV, errno.ENOTDIR}


def undo_all(
    files: KernelFiles,
    pending: Sequence[tuple[int, Undo]],
    done: Callable[[int], None],
    rmdir_seconds: float = _RMDIR_SECONDS,
) -> list[str]:
    """Carries out ``pending`` (number, undo) from the last to the first and reports each to ``done``.

    Every one is tried even when others failed. Returns one sentence for each that could not be undone. Never
    raises for an error of the kernel's.
    """
    if not pending:
        return []
    if not tracefs_there(files):
        return [_vanished(files, pending)]
    left = []
    for number, undo in reversed(pending):
        try:
            sentence = _undo_one(files, undo, rmdir_seconds)
        except (OSError, ValueError) as error:
            why = explain(error) if isinstance(error, OSError) else str(error)
            sentence = neutralise(f"{undo.path} could not be undone: {why}")
        if sentence:
            left.append(sentence)
        else:
            done(number)
    return left


def _undo_one(files: KernelFiles, undo: Undo, rmdir_seconds: float) -> str:
    """'' when it is undone, or never was done, or is no longer ours; else a sentence."""
    if not harmless(undo):
        return ""
    if undo.kind == "rmdir":
        return _remove_instance(files, undo.path, rmdir_seconds)
    target = removal_target(undo)
    if target is None:
        try:
            files.append(undo.path, undo.data.encode("utf-8", "surrogateescape"))
        except OSError as error:
            if error.errno not in _GONE:
                raise
        return ""
    return _remove_event(files, undo, *target)


def _remove_event(files: KernelFiles, undo: Undo, group: str, event: str) -> str:
    name = neutralise(f"{group}/{event}")
    now = [item.line for item in read_lists(files) if (item.group, item.event) == (group, event)]
    if not now or (undo.listed and undo.listed not in {"\n".join(now), now[0]}):
        return ""  # gone, or somebody else's by now
    try:
        files.append(undo.path, undo.data.encode("utf-8", "surrogateescape"))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return ""
        if error.errno == errno.EBUSY:
            places = neutralise(", ".join(enabled_places(files, group, event)))
            where = f"enabled in {places}" if places else "used by another program"
            return f"the probe {name} remains: it is {where}; switch it off there, then run kptui cleanup"
        return f"the probe {name} remains: {explain(error)}"
    return ""


def _remove_instance(files: KernelFiles, path: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while True:
        try:
            files.rmdir(path)
        except OSError as error:
            if error.errno in _GONE:
                return ""
            if error.errno != errno.EBUSY:
                return neutralise(f"the trace instance {path} remains: {explain(error)}")
            if time.monotonic() >= deadline:
                return neutralise(
                    f"the trace instance {path} remains: another program has a file of it open; "
                    "end that, then run kptui cleanup"
                )
            time.sleep(0.02)
        else:
            return ""


def _vanished(files: KernelFiles, pending: Sequence[tuple[int, Undo]]) -> str:
    probes = ["/".join(target) for _, undo in pending if (target := removal_target(undo)) is not None]
    instances = [undo.path for _, undo in pending if undo.kind == "rmdir"]
    what = ", ".join([*probes, *instances]) or "its switches"
    return neutralise(
        f"tracefs is no longer mounted at {files.root}, so nothing could be undone; still there: {what}. "
        f"Mount it again (mount -t tracefs nodev {files.root}), then run kptui cleanup"
    )
