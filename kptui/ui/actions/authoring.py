"""From a symbol to a probe that stands in the kernel."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kptui.kernel.error_log import caret_in
from kptui.kernel.lastword import unknown_to
from kptui.kernel.refusal import Refused
from kptui.probes.check import sentence_for
from kptui.probes.definition import Place, parse_place
from kptui.symbols import Hit, other_place
from kptui.ui.actions.lastword import compare
from kptui.ui.draft import Draft, new_draft
from kptui.verdict import Problem, Verdict

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.ui.app import KptuiApp

CONTROL = "kprobe_events"
_NAMED = re.compile(r"\s*[pr]\d*:(?P<group>[^/\s]+)/(?P<event>\S+)\s")


def draft_for(app: KptuiApp, hit: Hit, kind: str) -> Draft:
    """A draft for a hit of the symbol list. A name that exists more than once is placed by its module, or by its
    distance from ``_text``, which the kernel takes where it refuses the name.
    """
    symbol = hit.symbol
    place = Place(symbol=symbol.name, module=symbol.module)
    if hit.copies > 1 and app.table is not None and (unique := other_place(symbol, app.table)) is not None:
        place, _ = parse_place(unique)
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
        (group, event), line = _as_written(session, draft)
        expected = await asyncio.to_thread(app.lines.verdict, line, draft.replacing)
        if draft.replacing is not None:
            await app.gate.call(session.redefine_line, *draft.replacing, group, event, line)
        else:
            await app.gate.call(session.define_line, group, event, line)
    except Refused as refused:
        await _show_refusal(app, draft, refused)
        return
    except OSError as error:
        app.say(f"The kernel can't be written to: {error.strerror or error}", "error")
        return
    if remark := await compare(app, CONTROL, line, expected, None):
        app.say(f"The kernel took it. {remark[0].upper()}{remark[1:]}", "warning")
    app.live.show_warnings()
    editor.set_draft(Draft(draft.line, (group, event)))
    if start:
        await _enable(app, group, event)
    await app.refresh_states()
    app.workspace.probes.select(group, event)
    app.workspace.go("events" if start else "probes")
    what = "replaced" if draft.replacing else "defined"
    # A replaced probe that was on goes on; one that is to start may have been refused.
    on = any(state.enabled for state in app.states if (state.group, state.event) == (group, event))
    app.say(
        f"{group}/{event} {what}" + (" and on." if on else f"; {app.keymap.key('probes.toggle')} enables it.")
    )


def _as_written(session: Session, draft: Draft) -> tuple[tuple[str, str], str]:
    """The (group, event) that a draft defines, and the line that says so. Refused where it has no name."""
    probe = draft.probe
    if probe is not None:
        named = session.named(probe)
        return (str(named.group), str(named.event)), str(named)
    found = _NAMED.match(draft.line)
    if found is None:
        raise Refused("Give the event a name: p:GROUP/EVENT SYMBOL … (needed to find it again and undo it).")
    return (found["group"], found["event"]), draft.line.strip()


async def _enable(app: KptuiApp, group: str, event: str) -> None:
    session = app.world.session
    assert session is not None
    try:
        await app.gate.call(session.enable, group, event, True)
    except (Refused, OSError) as error:
        app.say(f"{group}/{event} can't be enabled: {error}", "error")


async def _show_refusal(app: KptuiApp, draft: Draft, refused: Refused) -> None:
    """The kernel's own verdict in the place of ours; where ours was another one, that is said beside it."""
    editor = app.workspace.editor
    await app.refresh_states()
    # Judged anew: a name may have been taken while it was typed.
    local = await asyncio.to_thread(app.lines.verdict, draft.line, draft.replacing)
    remark = ""
    if refused.errno_name:
        expected = await asyncio.to_thread(app.lines.verdict, refused.command, draft.replacing)
        unknown = unknown_to(app.learning.knowledge.target)
        remark = await compare(app, CONTROL, refused.command, expected, refused, unknown=unknown)
    if editor.draft == draft:
        editor.show_kernel(
            Verdict(
                ok=False,
                command=refused.command,
                problems=tuple(
                    _explained(problem, draft.line, refused.command, local) for problem in refused.problems
                ),
                errno=refused.errno_name,
                sentence=refused.sentence,
            ),
            remark,
        )
    app.workspace.go("editor")
    app.say(f"Nothing was written. {refused}", "error")


def _explained(problem: Problem, typed: str, written: str, local: Verdict) -> Problem:
    """A message of the kernel with its caret in the line as typed, our sentence, and our fixes where we expected it."""
    known = next((ours for ours in local.problems if ours.message == problem.message), None)
    at = caret_in(typed, " ".join(written.split()), problem.column)
    if known is None:
        return replace(problem, at=at, sentence=problem.sentence or sentence_for(problem.message))
    return replace(known, column=problem.column, at=at)


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
