"""Defining, replacing and removing probe events: only our own, always by appending."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable
from dataclasses import dataclass

from kptui.kernel.files import KernelFiles
from kptui.kernel.instance import Instance
from kptui.kernel.listing import Listed, read_lists
from kptui.kernel.plan import Plan, Step, Undo
from kptui.kernel.refusal import Refused, explain
from kptui.kernel.writer import Writer

MAX_LINE = 4094  # bytes; a longer one is refused without a word (kernel/trace/trace.c, WRITE_BUFSIZE)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event that this session defined: the line written (can be written again) and the lines as listed."""

    group: str
    event: str
    written: str
    listed: tuple[str, ...]


class Definitions:
    """The events of this session. ``control`` is the file that defines them (``kprobe_events``)."""

    def __init__(self, writer: Writer, instance: Instance, control: str, settle: Callable[[], None]) -> None:
        self.own: dict[Key, OwnEvent] = {}
        self._writer = writer
        self._files: KernelFiles = writer.files
        self._instance = instance
        self._control = control
        self._settle = settle

    def plan(self, group: str, event: str, line: str) -> Plan:
        """The one step that defines ``line`` (which names ``group/event``), with its undo."""
        undo = Undo("write", self._control, f"-:{group}/{event}\n")
        return (Step(self._control, f"{line}\n", undo, f"define {group}/{event}"),)

    def define(self, group: str, event: str, line: str) -> str:
        """Defines and returns the definition as listed. Refused: by the kernel, or because the name is taken.

        The kernel would silently add a second probe to an existing event of that name.
        """
        _check_line(line)
        self._check_free(group, event)
        (step,) = self.plan(group, event, line)
        self._writer.apply(step, error_log="error_log", line=line)
        listed = tuple(item.line for item in self._listed((group, event)))
        self.own[group, event] = OwnEvent(group, event, line, listed)
        if step.undo is not None and listed:
            number = self._writer.journal.record(step.undo)
            undo = Undo("write", step.undo.path, step.undo.data, "\n".join(listed))
            self._writer.journal.update(number, undo)
        return listed[0] if listed else line

    def remove(self, group: str, event: str) -> None:
        """Switches the event off in our instance and removes it. When that fails it is as it was before."""
        self._mine(group, event)
        was_on = self.enabled(group, event)
        if was_on:
            self.enable(group, event, False)
            self._settle()  # removal clears the ring buffer of every instance where it was enabled
        step = Step(self._control, f"-:{group}/{event}\n", note=f"remove {group}/{event}")
        try:
            self._writer.apply(step)
        except Refused as refused:
            if refused.errno_name == "ENOENT" and not self._listed((group, event)):
                self._forget(group, event)  # somebody else removed it before us
                return
            if was_on:
                self.enable(group, event, True)
            if refused.errno_name == "EBUSY":
                raise self._busy(group, event, refused) from refused
            raise
        self._forget(group, event)

    def redefine(self, group: str, event: str, new_group: str, new_event: str, line: str) -> str:
        """Replaces an own event by ``line``; its filter and enabled state are not carried over here.

        Under the same name, the new line is first tried under another name of the same length, so that a
        refusal costs nothing: the old probe stays in place and keeps recording. Should the kernel still
        refuse it afterwards, the old one is written again.
        """
        old = self._mine(group, event)
        _check_line(line)
        if (new_group, new_event) != (group, event):
            listed = self.define(new_group, new_event, line)
            try:
                self.remove(group, event)
            except Refused:
                self.remove(new_group, new_event)
                raise
            return listed
        self._try(group, event, line)
        self.remove(group, event)
        try:
            return self.define(group, event, line)
        except Refused:
            self.define(group, event, old.written)
            raise

    def enabled(self, group: str, event: str) -> bool:
        """Is it on in our instance?"""
        try:
            return self._files.read(self._enable_path(group, event), 8).startswith(b"1")
        except OSError:
            return False

    def enable(self, group: str, event: str, on: bool) -> None:
        """Switches any event on or off, in our instance only."""
        path = self._enable_path(group, event)
        undo = Undo("write", path, "0")
        note = f"switch {group}/{event} {'on' if on else 'off'}"
        self._writer.apply(Step(path, "1" if on else "0", undo if on else None, note))
        if not on:
            self._writer.journal.done_with(path, "0")

    def _enable_path(self, group: str, event: str) -> str:
        return self._instance.path("events", group, event, "enable")

    def _mine(self, group: str, event: str) -> OwnEvent:
        try:
            return self.own[group, event]
        except KeyError:
            raise Refused(f"{group}/{event} is not ours: kptui only changes its own probes") from None

    def _forget(self, group: str, event: str) -> None:
        del self.own[group, event]
        self._writer.journal.done_with(self._control, f"-:{group}/{event}\n")

    def _listed(self, key: Key) -> list[Listed]:
        try:
            return [item for item in read_lists(self._files) if (item.group, item.event) == key]
        except OSError as error:
            raise Refused(f"the probes can't be listed: {explain(error)}") from error

    def _check_free(self, group: str, event: str) -> None:
        if not self._listed((group, event)):
            return
        if (group, event) in self.own:
            raise Refused(f"{group}/{event} is already defined: replace it, or take another name")
        raise Refused(
            f"an event {group}/{event} that is not from this kptui already exists, and the kernel would add "
            "this probe to it: take another name or group ('kptui cleanup' removes what a killed kptui left)"
        )

    def _try(self, group: str, event: str, line: str) -> None:
        """Defines ``line`` under a spare name and removes it again; Refused as if it had been the real
        name.
        """
        spare = self._spare_name(group, event)
        head, blank, rest = line.partition(" ")
        if spare is None or f":{group}/{event}" not in head:
            return
        trial = head.replace(f":{group}/{event}", f":{group}/{spare}") + blank + rest
        (step,) = self.plan(group, spare, trial)
        try:
            self._writer.apply(step, error_log="error_log", line=trial)
        except Refused as refused:
            raise Refused(
                refused.sentence.replace(f"{group}/{spare}", f"{group}/{event}"),
                errno_name=refused.errno_name,
                problems=refused.problems,
                command=line,
                path=refused.path,
            ) from refused
        self._writer.apply(Step(self._control, f"-:{group}/{spare}\n", note=f"remove {group}/{spare}"))
        self._writer.journal.done_with(self._control, f"-:{group}/{spare}\n")

    def _spare_name(self, group: str, event: str) -> str | None:
        """An unused event name as long as ``event``, so that the kernel's carets fit."""
        for ending in itertools.islice(
            itertools.product(string.ascii_lowercase, repeat=min(len(event), 2)), 100
        ):
            name = "t" * (len(event) - len(ending)) + "".join(ending)
            taken = self._files.exists(f"events/{group}/{name}") or self._listed((group, name))
            if name != event and not taken:
                return name
        return None

    def _busy(self, group: str, event: str, refused: Refused) -> Refused:
        places = enabled_places(self._files, group, event, besides=(self._instance.name,))
        where = (
            f"enabled in {', '.join(places)}" if places else "used by another program (a trigger, perf, BPF)"
        )
        return Refused(
            f"remove {group}/{event}: it is {where} (EBUSY)", errno_name="EBUSY", path=self._control
        )


def enabled_places(
    files: KernelFiles, group: str, event: str, besides: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Where an event is switched on: ``top level`` and instance names, without those in ``besides``."""
    places = []
    try:
        names = files.listdir("instances")
    except OSError:
        names = []
    for place, base in [("top level", ""), *((name, f"instances/{name}/") for name in names)]:
        if place in besides:
            continue
        try:
            if files.read(f"{base}events/{group}/{event}/enable", 8).startswith(b"1"):
                places.append(place)
        except (OSError, ValueError):
            continue
    return tuple(places)


def _check_line(line: str) -> None:
    if "\n" in line or "\0" in line:
        raise Refused("a definition is one line: it can't contain a newline", command=line)
    if len(line.encode("utf-8", "surrogateescape")) > MAX_LINE:
        raise Refused(
            f"the definition is longer than {MAX_LINE} bytes, the most the kernel takes", command=line
        )
