"""What the kernel says, or would say, of a text: shared by the probe and the filter languages.

A verdict carries the kernel's own message with its caret, so that the screen, the headless commands and the
simulated kernel all speak with one voice, and beside it one sentence in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that mends a problem: replace ``text[start:end]`` of the line as typed (str indices) by ``text``.

    ``label`` says what it does, e.g. ``use %di``.
    """

    start: int
    end: int
    text: str
    label: str

    def apply(self, line: str) -> str:
        return line[: self.start] + self.text + line[self.end :]


@dataclass(frozen=True, slots=True)
class Problem:
    """One message of the kernel.

    ``message`` is the kernel's text (``Invalid register name``), ``column`` the 0-based byte of the caret in
    ``Verdict.command``, ``at`` the 0-based character in the line as typed where the screen draws the caret;
    ``sentence`` says the same in plain words ('' if the message says it all). Any one of ``fixes`` mends it, the
    likeliest first. ``command`` is the text as this entry shows it where that isn't Verdict.command: kernels
    rewrite ``%pd`` only after the first messages.
    """

    message: str
    column: int
    at: int
    sentence: str = ""
    fixes: tuple[Fix, ...] = ()
    command: str | None = None

    @property
    def fix(self) -> Fix | None:
        """The likeliest fix."""
        return self.fixes[0] if self.fixes else None


@dataclass(frozen=True, slots=True)
class Note:
    """A warning: the kernel accepts the text, and it isn't what can be meant, or not the best way to say it.

    ``fixes`` as in :class:`Problem`.
    """

    sentence: str
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted (``ok``) or refused (``errno`` is a name such as ``EINVAL``).

    ``problems`` are in the order in which the kernel logs them, and may be empty for a refusal that the kernel
    doesn't log; then ``sentence`` explains it. ``notes`` are for texts that the kernel accepts without doing
    what was meant. ``command`` is the text as the kernel's error_log shows it.
    """

    ok: bool
    command: str
    problems: tuple[Problem, ...] = ()
    errno: str | None = None
    sentence: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes' sentences."""
        return tuple(note.sentence for note in self.notes)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What mends the first thing that can be mended: one fix, or several to choose from."""
        offered = [*(problem.fixes for problem in self.problems), *(note.fixes for note in self.notes)]
        return next(filter(None, offered), ())
