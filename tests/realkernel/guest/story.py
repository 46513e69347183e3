"""The introductory article's session, played by keystrokes in a real kernel, at one terminal size.

Run in the guest: ``python -m tests.realkernel.guest.story 80x24 [part of a step's title]``.
"""

from __future__ import annotations

import sys

from tests.realkernel.guest import story_ends, story_filters, story_probes, story_refusals, tracefs
from tests.realkernel.guest.steps import Recorder, Story, main
from tests.realkernel.guest.story_session import Session

WHOLE_AT = "80x24"
"""The size at which the steps are played that don't depend on it: each costs a start, 10 s in a slow guest."""


def story(size: str) -> Story[Session]:
    """The steps for a terminal size as ``80x24``, in order."""
    parts = [story_probes.STORY, story_filters.STORY, story_refusals.STORY, story_ends.STORY]
    if size == WHOLE_AT:
        parts.append(story_ends.ONCE)
    return Story(lambda session: session.terminal.screen(), [step for part in parts for step in part.steps])


def play(recorder: Recorder) -> int:
    size = sys.argv[1]
    columns, _, rows = size.partition("x")
    session = Session((int(columns), int(rows)))
    try:
        return story(size).play(session, recorder, *sys.argv[2:3])
    finally:
        session.close()
        tracefs.reset()


if __name__ == "__main__":
    main(play)
