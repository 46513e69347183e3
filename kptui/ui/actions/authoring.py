"""From a symbol to a probe that stands in the kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kptui.kernel.refusal import Refused
from kptui.probes.definition import Place
from kptui.symbols import Hit
from kptui.ui.draft import Draft, new_draft
from kptui.verdict import Verdict

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.ui.app import KptuiApp

_NAMED = re.compile(r"\s*[pr]\d*:(?P<group>[^/\s]+)/(?P<event>\S+)\s")


def draft_for(app: KptuiApp, hit: Hit, kind: str) -> Draft:
    """A draft for a hit of the symbol list. A name that exists more than once is placed by its distance from
    ``_text``, which the kernel takes where it refuses the name.
    """
    symbol = hit.symbol
    place = Place(symbol=symbol.name, module=symbol.module)
    if hit.copies > 1 and not symbol.module and symbol.address and app.table is not None:
        text = app.table.lookup("_text")
        if text and text[0].address:
            place = Place(symbol="_text", offset=symbol.address - text[0].address)
            app.say(f"{symbol.name} exists {hit.copies} times: this copy is placed as {place}.", "warning")
    draft = new_draft(place, kind, app.group, app.taken_names())
    if place.symbol == "_text":
        draft = draft.with_name(f"{app.group}/{symbol.name.replace('.', '_')[:60]}") or draft
    return draft


async def write(app: KptuiApp) -> None:
    await _define(app, start=False)


async def start(app: KptuiApp) -> None:
    await _define(app, start=True)


async def _define(app: KptuiApp, *, start: bool) -> None:
    editor = app.workspace.editor
    draft = editor.draft
    if draft is None:
        app.say(f"Nothing to write yet: {app.keymap.key('search')} finds a function.", "warning")
        return
    session = app.world.session
    if session is None:
        app.say("No live kernel here: y copies the line for one that is.", "warning")
        return
    verdict = editor.verdict
    if verdict is not None and not verdict.ok and draft.probe is None and not verdict.problems:
        app.say(verdict.sentence or "The kernel would refuse this line.", "error")
        return
    try:
        group, event = await _define_in_kernel(app, session, draft)
    except Refused as refused:
        _show_refusal(app, draft, refused)
        return
    except OSError as error:
        app.say(f"The kernel can't be written to: {error.strerror or error}", "error")
        return
    app.live.show_warnings()
    editor.set_draft(Draft(draft.line, (group, event)))
    if start:
        await _enable(app, group, event)
    await app.refresh_states()
    app.workspace.probes.select(group, event)
    app.workspace.go("events" if start else "probes")
    what = "replaced" if draft.replacing else "defined"
    app.say(
        f"{group}/{event} {what}"
        + (" and on." if start else f"; {app.keymap.key('probes.toggle')} enables it.")
    )


async def _define_in_kernel(app: KptuiApp, session: Session, draft: Draft) -> tuple[str, str]:
    """Define or replace; gives the (group, event) that stands then."""
    probe = draft.probe
    if probe is not None:
        named = session.named(probe)
        name = str(named.group), str(named.event)
        line = str(named)
    else:
        found = _NAMED.match(draft.line)
        if found is None:
            raise Refused(
                "Give the event a name: p:GROUP/EVENT SYMBOL … (needed to find it again and undo it)."
            )
        name, line = (found["group"], found["event"]), draft.line.strip()
    if draft.replacing is not None:
        await app.gate.call(session.redefine_line, *draft.replacing, *name, line)
    else:
        await app.gate.call(session.define_line, *name, line)
    return name


async def _enable(app: KptuiApp, group: str, event: str) -> None:
    session = app.world.session
    assert session is not None
    try:
        await app.gate.call(session.enable, group, event, True)
    except (Refused, OSError) as error:
        app.say(f"{group}/{event} can't be enabled: {error}", "error")


def _show_refusal(app: KptuiApp, draft: Draft, refused: Refused) -> None:
    """The kernel's own verdict in the place of ours; where ours said otherwise, both are on the screen."""
    editor = app.workspace.editor
    local = editor.verdict
    # Our sentence and fix explain the kernel's message where both say the same.
    problems = refused.problems
    if local is not None and local.problems and problems and local.problems[0].message == problems[0].message:
        problems = (local.problems[0], *problems[1:])
    editor.kernel = Verdict(
        ok=False,
        command=refused.command,
        problems=problems,
        errno=refused.errno_name,
        sentence=refused.sentence,
    )
    app.workspace.go("editor")
    editor.redraw()
    app.say(f"Nothing was written. {refused}", "error")


def edit_selected(app: KptuiApp) -> None:
    """Take the probe under the cursor into the editor, to be replaced."""
    state = app.workspace.probes.selected
    if state is None:
        app.say(f"No probe here: {app.keymap.key('search')} finds a function.", "warning")
        return
    if not state.ours:
        app.workspace.editor.set_draft(Draft(state.definition))
        app.say(
            "Not ours: it is left alone; this is a copy to change and write under a name of ours.", "warning"
        )
        moved = app.workspace.editor.draft
        if moved is not None and (renamed := moved.with_name(f"{app.group}/{state.event}")) is not None:
            app.workspace.editor.set_draft(renamed)
    else:
        app.workspace.editor.set_draft(Draft(state.definition, (state.group, state.event)))
    app.workspace.go("editor")


def edit_line(app: KptuiApp) -> None:
    """Type a whole line, where there is no draft yet."""
    if app.workspace.editor.draft is None:
        app.workspace.editor.set_draft(Draft(f"p:{app.group}/probe "))
    app.workspace.go("editor")
    app.workspace.editor.run("editor.line")


ACTIONS = {
    "editor.write": write,
    "editor.start": start,
    "editor.line": edit_line,
    "probes.edit": edit_selected,
}
