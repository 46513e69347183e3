"""Carries out steps: undo into the journal, then the write, then what the kernel said about it."""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import dataclass
from typing import Literal

from kptui.kernel.error_log import LogEntry, new_entries, parse_error_log, problems_of
from kptui.kernel.files import KernelFiles, tracefs_there
from kptui.kernel.journal import Journal
from kptui.kernel.plan import Step
from kptui.kernel.refusal import Refused, errno_name, explain, vanished
from kptui.safetext import neutralise
from kptui.verdict import Problem

_LOG_KEPT = 2000


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One executed change: ``path`` relative to tracefs, what was written ('' for mkdir and rmdir), '' or the
    error in plain words.
    """

    path: str
    data: str
    error: str = ""
    kind: Literal["write", "mkdir", "rmdir"] = "write"

    @property
    def ok(self) -> bool:
        return not self.error

    def __str__(self) -> str:
        text = f"{neutralise(self.data.rstrip())} >>" if self.kind == "write" else self.kind
        text = f"{text} {neutralise(self.path)}"
        return f"{text}   # {self.error}" if self.error else text


class Writer:
    """Applies :class:`~kptui.kernel.plan.Step` values and keeps the list of what was written."""

    def __init__(self, files: KernelFiles, journal: Journal) -> None:
        self.files = files
        self.journal = journal
        self._records: deque[WriteRecord] = deque(maxlen=_LOG_KEPT)

    @property
    def records(self) -> tuple[WriteRecord, ...]:
        return tuple(self._records)

    def apply(self, step: Step, *, error_log: str | None = None, line: str | None = None) -> None:
        """Journals the undo, then makes the change; Refused when the kernel says no, and then nothing is
        pending.

        ``error_log`` is the log that the kernel would explain itself in, ``line`` the text that its carets
        are mapped into (default: the data).
        """
        text = step.data.rstrip("\n") if line is None else line
        number = self.journal.record(step.undo) if step.undo is not None else None
        before = self._entries(error_log)
        try:
            if step.kind == "mkdir":
                self.files.mkdir(step.path)
            elif step.kind == "rmdir":
                self.files.rmdir(step.path)
            else:
                self.files.append(step.path, step.data.encode("utf-8", "surrogateescape"))
        except OSError as error:
            if number is not None:
                self.journal.done(number)
            problems = problems_of(new_entries(before, self._entries(error_log)), text) if error_log else ()
            refused = refusal(step, error, problems, text)
            if error.errno in {errno.ENOENT, errno.ENODEV} and not tracefs_there(self.files):
                refused = vanished(self.files, step.path)
            self._note(step, refused.sentence)
            raise refused from error
        if step.undo is not None:
            # Again, for the case that a signal handler closed the session between record and write.
            self.journal.record(step.undo)
        self._note(step, "")

    def _note(self, step: Step, error: str) -> None:
        self._records.append(WriteRecord(step.path, step.data, error, step.kind))

    def _entries(self, error_log: str | None) -> list[LogEntry]:
        if error_log is None:
            return []
        try:
            return parse_error_log(self.files.read(error_log))
        except OSError:  # before 5.2 there is none
            return []


def refusal(step: Step, error: OSError, problems: tuple[Problem, ...], line: str) -> Refused:
    """The error as one sentence: the kernel's own message if it logged one."""
    reason = problems[0].message if problems else explain(error)
    return Refused(
        f"{step.note}: {reason}" if step.note else reason,
        errno_name=errno_name(error),
        problems=problems,
        command=line,
        path=step.path,
    )
