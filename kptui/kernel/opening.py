"""The start of a session: names that nobody else holds, a journal, and the private instance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kptui.kernel.claim import choose_group, choose_instance, device_of, find_others, starting_lock
from kptui.kernel.files import KernelFiles
from kptui.kernel.instance import Instance
from kptui.kernel.journal import Journal, Owner
from kptui.kernel.processes import boot_id, start_time
from kptui.kernel.refusal import Refused
from kptui.kernel.writer import Writer


def prepare(
    files: KernelFiles, directories: Sequence[Path], *, pid: int, group: str | None, proc: str
) -> tuple[Writer, Instance, str]:
    """The writer with its journal, the instance (made, switched off) and the group.

    ``directories`` are where journals may be, the own state directory first; ``group`` is one that the user
    typed, or None. The simulated kernel has no journal on disk and no other kptuis. Refused when the instance
    can't be made; nothing is left then.
    """
    places = [] if files.simulated else list(directories)
    with starting_lock(places[0] if places else None):
        others = find_others(files, places, proc) if places else []
        name = choose_instance(files, pid)
        chosen = group or choose_group(others, pid)
        started = start_time(pid, proc)
        owner = Owner(pid, started, boot_id(proc), files.root, device_of(files.root), name, chosen)
        writer = Writer(files, Journal(owner, places))
        instance = Instance(writer, name)
        try:
            instance.create()
        except Refused:
            writer.journal.close()
            raise
    return writer, instance, chosen
