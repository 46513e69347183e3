"""Setting filters without ever leaving an event unfiltered by accident.

A refused filter does not keep the old one: the kernel removes it and everything passes. So a text is tried
first where it can do no harm, in a second private instance where the event is off.
"""

from __future__ import annotations

import contextlib
import re

from kptui.kernel.error_log import LogEntry, filter_file, new_entries, parse_error_log, problems_of
from kptui.kernel.instance import Instance
from kptui.kernel.plan import Step
from kptui.kernel.refusal import Refused, explain
from kptui.kernel.writer import Writer
from kptui.safetext import neutralise
from kptui.verdict import Problem

MAX_FILTER = 4095  # bytes: the text and its NUL have to fit one page
# Kernels without the fix of 2026 take "a == 1 &&" for "a == 1", and answer "a == 1 || b == 2 &&" with a stack
# trace in their log (a panic with panic_on_warn): never sent, answered with the fixed kernels' message.
_DANGLING = re.compile(r"(?:&&|\|\||!)\s*\Z")


class Filtering:
    """The filters of one session's instance."""

    def __init__(self, writer: Writer, instance: Instance) -> None:
        self._writer = writer
        self._files = writer.files
        self._instance = instance

    def read(self, group: str, event: str) -> tuple[str | None, str | None]:
        """(active filter or None, the kernel's error that stands in the file or None)."""
        try:
            text, error, _ = filter_file(self._files.read(self._path(group, event)))
        except OSError:
            return None, None
        return text, error

    def set(self, group: str, event: str, text: str | None) -> None:
        """Sets the filter, or clears it (None or blank). Refused leaves the old one active.

        Where there is no second instance to try it in, an event that is on keeps the filter that it has.
        """
        text = (text or "").strip()
        if not text:
            self._put(group, event, "0", trial=False)
            return
        check_text(text)
        untried = ""
        try:
            self._instance.trial()
        except Refused as refused:
            untried = refused.sentence
        if not self._files.exists(self._path(group, event, trial=True)):
            if self._is_on(group, event):
                raise Refused(
                    f"the filter is not set: {group}/{event} is on, and there is nowhere to try it "
                    f"({untried or 'no such event there'}): switch it off first",
                    command=text,
                )
        else:
            try:
                self._put(group, event, text, trial=True)
            finally:
                with contextlib.suppress(Refused):
                    self._put(group, event, "0", trial=True)
        old, _ = self.read(group, event)
        try:
            self._put(group, event, text, trial=False)
        except Refused:
            with contextlib.suppress(Refused):
                self._put(group, event, old or "0", trial=False)
            raise

    def carry_over(self, group: str, event: str, text: str | None) -> str:
        """Gives a replaced event the filter of the old one; '' or why it was lost, in one sentence."""
        if text is None or self.read(group, event)[0] == text:
            return ""
        try:
            self.set(group, event, text)
        except Refused as refused:
            return neutralise(f"{group}/{event} lost its filter '{text}': {refused.sentence}")
        return ""

    def _is_on(self, group: str, event: str) -> bool:
        try:
            return self._files.read(self._instance.path("events", group, event, "enable"), 8).startswith(b"1")
        except OSError:
            return False

    def _path(self, group: str, event: str, *, trial: bool = False) -> str:
        return self._instance.path("events", group, event, "filter", trial=trial)

    def _put(self, group: str, event: str, text: str, *, trial: bool) -> None:
        path = self._path(group, event, trial=trial)
        note = f"{'try' if trial else 'set'} the filter of {group}/{event}"
        if text == "0":
            note = f"clear the filter of {group}/{event}"
        log = self._instance.path("error_log", trial=trial)
        before = self._log(log)
        self._writer.apply(Step(path, text, note=note), error_log=log)
        if text == "0":
            return
        try:
            _, error, column = filter_file(self._files.read(path))
        except OSError as failure:
            raise Refused(f"{note}: it can't be read back: {explain(failure)}", path=path) from failure
        if error is not None:
            entries = new_entries(before, self._log(log))
            problems = problems_of(entries, text) or (Problem(error, column, min(column, len(text))),)
            raise Refused(f"{note}: {error}", errno_name="EINVAL", problems=problems, command=text, path=path)

    def _log(self, path: str) -> list[LogEntry]:
        try:
            return parse_error_log(self._files.read(path))
        except OSError:
            return []


def check_text(text: str) -> None:
    """Refuses what must not, or can't, be sent to the kernel at all."""
    size = len(text.encode("utf-8", "surrogateescape"))
    if size > MAX_FILTER:
        raise Refused(f"the filter has {size} bytes; the kernel takes at most {MAX_FILTER}", command=text)
    if "\0" in text:
        raise Refused("a filter can't contain a NUL byte", command=text)
    if _DANGLING.search(text):
        problem = Problem(
            "Meaningless filter expression", len(text.encode()), len(text), "a term is missing at the end"
        )
        raise Refused(
            f"set the filter: {problem.message}: {problem.sentence}",
            errno_name="EINVAL",
            problems=(problem,),
            command=text,
        )
