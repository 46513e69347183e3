"""The private trace instance: its own buffer, its own switches, nothing that another tool could notice."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from kptui.kernel.files import KernelFiles
from kptui.kernel.plan import Step, Undo
from kptui.kernel.processes import in_initial_pid_namespace, threads_of
from kptui.kernel.refusal import Refused, explain
from kptui.kernel.writer import Writer

# What the parser of trace text needs; a new instance starts with the top level's defaults, which may differ.
_OPTIONS = {
    "context-info": True,
    "irq-info": True,
    "print-parent": True,
    "annotate": True,
    "overwrite": True,
    "verbose": False,
    "raw": False,
    "hex": False,
    "bin": False,
    "block": False,
    "fields": False,
    "latency-format": False,
    "printk-msg-only": False,
    "record-tgid": False,
    "sym-addr": False,
    "stacktrace": False,
    "userstacktrace": False,
    "pause-on-trace": False,
}
_TIDS_PER_WRITE = 64


@dataclass(frozen=True, slots=True)
class BufferStats:
    """Sums over the CPUs (``per_cpu/cpuN/stats``), in events. ``overrun`` were overwritten, ``dropped``
    not kept.
    """

    entries: int = 0
    overrun: int = 0
    commit_overrun: int = 0
    dropped: int = 0
    read: int = 0

    @property
    def lost(self) -> int:
        return self.overrun + self.commit_overrun + self.dropped


class Instance:
    """``instances/NAME`` of this session, and ``NAME-try`` where filters are tried before they go live."""

    def __init__(self, writer: Writer, name: str) -> None:
        self.writer = writer
        self.files: KernelFiles = writer.files
        self.name = name
        self.try_name = f"{name}-try"
        self.tracing = False
        self.warnings: list[str] = []

    def path(self, *parts: str, trial: bool = False) -> str:
        return "/".join(("instances", self.try_name if trial else self.name, *parts))

    def create(self) -> None:
        """Makes the instance, switched off, and sets what reading its text needs. Refused when it can't be
        made.
        """
        self._make(trial=False)
        self._set("tracing_on", "0")
        self._set("buffer_percent", "0")
        for option, on in _OPTIONS.items():
            path = self.path("options", option)
            with contextlib.suppress(OSError):
                if self.files.read(path, 8).strip() != (b"1" if on else b"0"):
                    self._set(f"options/{option}", "1" if on else "0")

    def trial(self) -> None:
        """Makes ``NAME-try``, once."""
        if not self.files.exists(self.path(trial=True)):
            self._make(trial=True)
            with contextlib.suppress(Refused):
                self.writer.apply(Step(self.path("tracing_on", trial=True), "0"))

    def _make(self, *, trial: bool) -> None:
        path = self.path(trial=trial)
        self.writer.apply(Step(path, "", Undo("rmdir", path), f"make the private instance {path}", "mkdir"))

    def _set(self, file: str, value: str) -> bool:
        """Writes a switch of the instance; one that this kernel lacks or refuses is no reason to stop."""
        if not self.files.exists(self.path(file)):
            return False
        try:
            self.writer.apply(Step(self.path(file), value, note=f"set {file} of the instance"))
        except Refused:
            return False
        return True

    def set_tracing(self, on: bool) -> None:
        """Recording on or off; probes stay in place either way."""
        self.writer.apply(
            Step(self.path("tracing_on"), "1" if on else "0", note="switch recording on" if on else "pause")
        )
        self.tracing = on

    def exclude_threads(self, pid: int, proc: str = "/proc") -> None:
        """Hides every thread of ``pid``, and with ``event-fork`` all that they start from now on, from the
        events.

        The kernel's list is per thread. What is missing ends up in ``warnings``.
        """
        file = self.path("set_event_notrace_pid")
        if not self.files.exists(file):
            self._warn("this kernel can't hide kptui's own threads: its own reads will show among the events")
            return
        if not self.files.simulated and not in_initial_pid_namespace(proc):
            self._warn("in a container with its own process ids kptui can't hide its own threads")
            return
        if not self._set("options/event-fork", "1"):
            self._warn("this kernel can't hide programs started from kptui")
        tids = threads_of(pid, proc)
        for start in range(0, len(tids), _TIDS_PER_WRITE):
            part = " ".join(map(str, tids[start : start + _TIDS_PER_WRITE]))
            try:
                self.writer.apply(Step(file, part + "\n", note="hide kptui's own threads"))
            except Refused as refused:
                self._warn(f"kptui's own threads can't be hidden: {refused.sentence}")
                return

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def snapshot(self, limit: int) -> bytes:
        """``trace`` as it is now, at most ``limit`` bytes, whole lines; doesn't consume. Refused when
        unreadable.
        """
        try:
            data = self.files.read(self.path("trace"), limit)
        except OSError as error:
            raise Refused(f"the trace can't be read: {explain(error)}", path=self.path("trace")) from error
        return data if len(data) < limit else data[: data.rfind(b"\n") + 1]

    def stats(self) -> BufferStats:
        """Counts of the ring buffer; zeros where they can't be read."""
        sums: dict[str, int] = {}
        with contextlib.suppress(OSError):
            for cpu in self.files.listdir(self.path("per_cpu")):
                text = self.files.read(self.path("per_cpu", cpu, "stats"))
                for name, number in re.findall(rb"^([a-z ]+): (\d+)$", text, re.MULTILINE):
                    key = name.decode("ascii")
                    sums[key] = sums.get(key, 0) + int(number)
        return BufferStats(
            sums.get("entries", 0),
            sums.get("overrun", 0),
            sums.get("commit overrun", 0),
            sums.get("dropped events", 0),
            sums.get("read events", 0),
        )
