"""Filters made for the user: by thread ids, and one text for every event of a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kptui.events.format import EventFormat
from kptui.filters import lexis
from kptui.filters.check import check_filter
from kptui.filters.features import ALL_FEATURES
from kptui.verdict import Verdict


class TooManyPids(ValueError):
    """More ids than fit in one filter: ``fits`` of ``given`` (in the order given) do."""

    def __init__(self, given: int, fits: int) -> None:
        super().__init__(
            f"A filter has at most {lexis.MAX_TEXT_BYTES} bytes: {fits} of these {given} process ids fit."
        )
        self.given = given
        self.fits = fits


def pid_filter(pids: Iterable[int], field: str = "common_pid") -> str:
    """``common_pid == 1 || common_pid == 2``: one of these threads (the kernel's ``common_pid`` is a
    thread's id).

    Doubles are dropped, the order is kept. Raises :exc:`TooManyPids` when the text would be longer than the
    kernel takes, ValueError when there is no id or a negative one.
    """
    unique = list(dict.fromkeys(pids))
    if not unique:
        raise ValueError("There is no process id to filter by.")
    if min(unique) < 0:
        raise ValueError(f"{min(unique)} is no process id.")
    terms = [f"{field} == {pid}" for pid in unique]
    length = -4
    for count, term in enumerate(terms):
        length += len(lexis.to_raw(term)) + 4
        if length > lexis.MAX_TEXT_BYTES:
            raise TooManyPids(len(terms), count)
    return " || ".join(terms)


def expand_group(
    text: str,
    formats: Mapping[str, EventFormat],
    features: frozenset[str] = ALL_FEATURES,
    *,
    has_function: Callable[[str], bool | None] | None = None,
    cpus: int | None = None,
) -> dict[str, Verdict]:
    """The verdict of each event of a group on the same text, in the order of ``formats``.

    The kernel's own ``events/GROUP/filter`` reports nothing and strips every event that can't take the text
    of its filter; so a group's filter is written event by event, to those that accept it.
    """
    return {
        name: check_filter(text, fmt, features, has_function=has_function, cpus=cpus)
        for name, fmt in formats.items()
    }


def group_summary(verdicts: Mapping[str, Verdict]) -> str:
    """One sentence on an expanded group filter: who takes it and who keeps what it has."""
    refused = [name for name, verdict in verdicts.items() if not verdict.ok]
    if not verdicts:
        return "The group has no events."
    if not refused:
        count = len(verdicts)
        return "The one event takes it." if count == 1 else f"All {count} events take it."
    if len(refused) == len(verdicts):
        return "No event of the group takes it."
    return f"{len(verdicts) - len(refused)} of {len(verdicts)} events take it; not {', '.join(refused)}."
