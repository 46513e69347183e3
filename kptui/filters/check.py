"""What the kernel would say of a filter, before anything is written.

Source: kernel/trace/trace_events_filter.c, compared with what kernels from 5.10 to 7.x answered. A failed
write to a filter file doesn't keep the old filter but leaves the event unfiltered, so a wrong text must
never get there.
"""

from __future__ import annotations

from collections.abc import Callable

from kptui.events.format import EventFormat
from kptui.filters import lexis
from kptui.filters.edits import Explanation
from kptui.filters.explain import explain
from kptui.filters.features import ALL_FEATURES
from kptui.filters.fields import field_table
from kptui.filters.refusal import MESSAGES, Refusal
from kptui.filters.scan import Rules, scan
from kptui.filters.warn import remarks_on
from kptui.verdict import Note, Problem, Verdict


def is_clear(text: str) -> bool:
    """True when writing ``text`` removes the filter: ``0``, with or without white space around it."""
    return _written(text).strip(lexis.SPACES) == "0"


def _written(text: str) -> str:
    """What the kernel keeps of a write: up to a NUL, without white space at the end."""
    return lexis.to_raw(text).split("\0", 1)[0].rstrip(lexis.SPACES)


def check_filter(
    text: str,
    fmt: EventFormat,
    features: frozenset[str] = ALL_FEATURES,
    *,
    has_function: Callable[[str], bool | None] | None = None,
    cpus: int | None = None,
    in_file: bool = True,
) -> Verdict:
    """The verdict on writing ``text`` to the ``filter`` file of the event ``fmt``.

    ``features`` are the target's (see :mod:`kptui.filters.features`). ``has_function`` answers whether the
    kernel knows a symbol for ``.function`` (None, or no callable: taken for known). ``cpus`` is the number
    of possible CPUs; unknown, every number below 8,192 passes in ``CPUS{}``. ``in_file`` False: the filter of an
    event probe or a trigger, where ``0`` removes nothing.

    ``Problem.column`` is the byte under the caret in ``error_log`` (not clipped to the text, as the
    ``filter`` file has it), mostly one or more to the right of what is meant; ``Problem.at`` is the
    character that is meant. ``errno`` is EPERM, ENOENT, ESRCH or EINVAL as the kernel returns it. Refusals
    without a code are logged as ``Error`` at column 0; a text of a page or more is refused without a log
    entry. A filter that ends in ``&&``, ``||`` or ``!`` is refused for every target, since kernels without
    the 2026 fix take or mistake it.
    """
    whole = lexis.to_raw(text)
    raw = _written(text)
    command = lexis.from_raw(raw)
    if len(whole) > lexis.MAX_TEXT_BYTES:
        sentence = f"A filter has at most {lexis.MAX_TEXT_BYTES} bytes; this one has {len(whole)}."
        return Verdict(ok=False, command=command, errno="EINVAL", sentence=sentence)
    if in_file and raw.strip(lexis.SPACES) == "0":
        return Verdict(ok=True, command=command)
    rules = Rules(
        fields=field_table(fmt, features), features=features, has_function=has_function, cpus=cpus or 1 << 13
    )
    try:
        tokens = scan(raw, rules)
    except Refusal as refusal:
        problem = _problem(refusal, raw, rules)
        return Verdict(ok=False, command=command, problems=(problem,), errno=refusal.errno)
    return Verdict(
        ok=True, command=command, notes=tuple(_note(found, raw) for found in remarks_on(tokens, fmt))
    )


def _note(found: Explanation, raw: str) -> Note:
    sentence, edit = found
    return Note(sentence, (edit.as_fix(raw),) if edit else ())


def _problem(refusal: Refusal, raw: str, rules: Rules) -> Problem:
    sentence, edit = explain(refusal, raw, rules)
    return Problem(
        message=str(refusal),
        column=refusal.column,
        at=lexis.char_index(raw, refusal.at),
        sentence=sentence,
        fixes=(edit.as_fix(raw),) if edit else (),
    )


def filter_file(verdict: Verdict) -> str:
    """What the event's ``filter`` file reads after this write (``append_filter_err()``).

    The accepted text, ``none`` after ``0``, or the refused text with caret and message: no filter is active
    then. The caret is clipped to the end of the text here, unlike in ``error_log``. '' for a write that is
    refused without a trace (a page or more), which leaves the file as it was.
    """
    if verdict.ok:
        return "none\n" if is_clear(verdict.command) else f"{verdict.command}\n"
    if not verdict.problems:
        return ""
    problem = verdict.problems[0]
    if problem.message == MESSAGES["ERRNO"]:
        return f"{verdict.command}\nError: (0)\n\n"
    caret = " " * min(problem.column, len(lexis.to_raw(verdict.command)))
    return f"{verdict.command}\n{caret}^\nparse_error: {problem.message}\n\n"
