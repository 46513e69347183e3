"""On and off, and away with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kptui.kernel.refusal import Refused
from kptui.kernel.states import EventState
from kptui.ui.dialogs.choice import Choice, choice_dialog

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.ui.app import KptuiApp


def _selected(app: KptuiApp) -> tuple[Session, EventState] | None:
    """The session and the event under the cursor, if it is ours to change; says why not otherwise."""
    session, state = app.world.session, app.workspace.probes.selected
    if session is None:
        app.say("No live kernel here.", "warning")
    elif state is None:
        app.say(f"No probe yet: {app.keymap.key('search')} finds a function.", "warning")
    elif not state.ours:
        app.say(f"{state.group}/{state.event} isn't ours: kptui leaves it alone.", "warning")
    else:
        return session, state
    return None


async def _try(app: KptuiApp, what: str, function, *args: object) -> bool:  # type: ignore[no-untyped-def]
    try:
        await app.gate.call(function, *args)
    except Refused as refused:
        app.say(f"{what}: {refused}", "error")
        return False
    except OSError as error:
        app.say(f"{what}: {error.strerror or error}", "error")
        return False
    finally:
        await app.refresh_states()
    return True


async def toggle(app: KptuiApp) -> None:
    if (found := _selected(app)) is not None:
        session, state = found
        await _try(app, f"{state.event}", session.enable, state.group, state.event, not state.enabled)


async def enable_all(app: KptuiApp) -> None:
    await _switch_all(app, True)


async def disable_all(app: KptuiApp) -> None:
    await _switch_all(app, False)


async def _switch_all(app: KptuiApp, on: bool) -> None:
    session = app.world.session
    if session is None or not any(s.ours for s in app.states):
        app.say("No probes of ours yet.", "warning")
        return
    try:
        refused = await app.gate.call(session.enable_all, on)
    except Refused as error:
        app.say(str(error), "error")
        return
    await app.refresh_states()
    for (group, event), why in refused.items():
        app.say(f"{group}/{event}: {why}", "error")
    ours = sum(s.ours for s in app.states)
    app.say(f"{ours - len(refused)} of {ours} probes {'on' if on else 'off'}.")


async def remove(app: KptuiApp) -> None:
    if (found := _selected(app)) is None:
        return
    session, state = found
    name = f"{state.group}/{state.event}"
    text = f"{state.definition}\nThe kernel also clears its buffer; what is captured here stays."
    choices = [Choice("d", f"remove {name}"), Choice("n", "keep it")]
    if (
        await app.push_screen_wait(choice_dialog("Remove the probe?", choices, text.replace("\n", " · ")))
        != "d"
    ):
        return
    if await _try(app, name, session.remove, state.group, state.event):
        editor = app.workspace.editor
        if editor.draft is not None and editor.draft.replacing == (state.group, state.event):
            from kptui.ui.draft import Draft

            editor.set_draft(Draft(editor.draft.line))
        app.say(f"{name} removed. It was: {state.definition}")


async def remove_all(app: KptuiApp) -> None:
    session = app.world.session
    ours = [s for s in app.states if s.ours]
    if session is None or not ours:
        app.say("No probes of ours to remove.", "warning")
        return
    choices = [Choice("D", f"remove all {len(ours)} of ours"), Choice("n", "keep them")]
    names = ", ".join(f"{s.group}/{s.event}" for s in ours)
    if await app.push_screen_wait(choice_dialog("Remove all our probes?", choices, names)) != "D":
        return
    for state in ours:
        await _try(app, f"{state.group}/{state.event}", session.remove, state.group, state.event)
    app.say("Removed; probes of others are untouched.")


ACTIONS = {
    "probes.toggle": toggle,
    "probes.enable_all": enable_all,
    "probes.disable_all": disable_all,
    "probes.remove": remove,
    "probes.remove_all": remove_all,
}
