"""Take something away: the line, the script, the filter, rows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kptui.export.shell import ScriptError, session_script
from kptui.host import clipboard
from kptui.ui.dialogs.choice import Choice, choice_dialog
from kptui.ui.event_rows import row_text

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp

MAX_ROWS = 10_000


def probe_line(app: KptuiApp) -> str:
    """The definition that a copy means: what is being written, or the probe under the cursor of the list."""
    workspace = app.workspace
    selected = workspace.probes.selected
    draft = workspace.editor.draft
    if workspace.current in ("probes", "events") and selected is not None:
        return selected.definition
    if draft is not None:
        return draft.line
    return selected.definition if selected is not None else ""


def script(app: KptuiApp) -> str:
    """The session as a shell script: our probes with filters and state; with none, the line being written."""
    ours = [(s.definition, s.filter, s.enabled) for s in app.states if s.ours]
    draft = app.workspace.editor.draft
    if not ours and draft is not None:
        ours = [(draft.line, None, True)]
    if ours and not any(enabled for _, _, enabled in ours):
        ours = [(line, filter_, True) for line, filter_, _ in ours]
    return session_script(ours) if ours else ""


async def copy(app: KptuiApp) -> None:
    """The copy menu."""
    line = probe_line(app)
    ours = [s for s in app.states if s.ours]
    selected = app.workspace.probes.selected
    events = app.workspace.events
    record = events.record
    filter_ = selected.filter if selected is not None and selected.filter else ""
    count = len(events.view)
    scripted = len(ours) or bool(line)
    choices = [
        Choice("y", "the probe line", line or "no probe yet", bool(line)),
        Choice(
            "s",
            "the whole session as a shell script",
            "1 probe" if scripted == 1 else f"{scripted} probes",
            bool(ours or line),
        ),
        Choice("f", "the filter", filter_ or "no filter on the selected probe", bool(filter_)),
        Choice("e", "this event's row", "" if record else "no event", record is not None),
        Choice(
            "a",
            "all rows in view",
            f"{count:,} rows" if count <= MAX_ROWS else f"the last {MAX_ROWS:,} of {count:,} rows",
            count > 0,
        ),
        Choice("v", "plain view", "prints it, to select by mouse", bool(line)),
    ]
    answer = await app.push_screen_wait(choice_dialog("Copy", choices, width=78))
    if answer == "y":
        put(app, line, "The probe line")
    elif answer == "s":
        copy_script(app)
    elif answer == "f":
        put(app, filter_, "The filter")
    elif answer == "e" and record is not None:
        put(app, row_text(record), "The event")
    elif answer == "a":
        first = max(count - MAX_ROWS, 0)
        rows = [r for i in range(first, count) if (r := events.record_at(i)) is not None]
        put(app, "\n".join(row_text(r) for r in rows) + "\n", f"{len(rows):,} rows")
    elif answer == "v":
        app.last_copy = line
        plain(app)


def copy_script(app: KptuiApp) -> None:
    try:
        text = script(app)
    except ScriptError as error:
        app.say(f"No script: {error}", "error")
        return
    if text:
        put(app, text, "The script")


def put(app: KptuiApp, text: str, what: str) -> None:
    """Send text to wherever the clipboard is, and say what it is and which way it went."""
    app.last_copy = text

    async def send() -> None:
        import asyncio

        pieces: list[str] = []
        result = await asyncio.to_thread(
            clipboard.copy,
            text,
            write=pieces.append,
            environ=app.world.environ,
            state_dir=app.world.state_dir,
        )
        driver = app._driver
        if driver is not None and pieces:
            driver.write("".join(pieces))
        app.say(f"{what}: {result.sentence}", "information" if result.ok else "error")

    app.run_worker(send(), group="copy")


def plain(app: KptuiApp) -> None:
    """Leave the screen and print the last copy, unwrapped, to be selected with the mouse."""
    text = app.last_copy or probe_line(app)
    if not text:
        app.say("Nothing to show yet: y copies something first.", "warning")
        return
    if app.is_headless:
        app.say(text)
        return
    with app.suspend():
        print(text)
        print("\n-- press Enter to return to kptui --")
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            input()
    app.refresh(repaint=True, layout=True)


ACTIONS = {"copy": copy, "copy.show": plain}
