"""Moving about, and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kptui.ui.dialogs.base import Dialog
from kptui.ui.dialogs.choice import Choice, choice_dialog

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp


def search(app: KptuiApp) -> None:
    """Search in the events where the focus is there; anywhere else, find a function."""
    workspace = app.workspace
    if workspace.current == "events":
        workspace.events.start_input("search", workspace.events.needle)
    else:
        workspace.go("symbols")
        workspace.symbols.start_search()


def add(app: KptuiApp) -> None:
    app.workspace.go("symbols")
    app.workspace.symbols.start_search("")


async def quit_(app: KptuiApp) -> None:
    """Leave; with probes of ours standing, ask first, since they and the captured events go."""
    ours = [state for state in app.states if state.ours]
    if ours and not app.world.demo:
        text = f"{len(ours)} of our probes will be removed and the captured events forgotten."
        choices = [
            Choice("q", "quit"),
            Choice("s", "copy the script first, then quit"),
            Choice("n", "stay"),
        ]
        answer = await app.push_screen_wait(choice_dialog("Quit?", choices, text, width=70))
        if answer == "s":
            from kptui.ui.actions.copying import copy_script

            copy_script(app)
        elif answer != "q":
            return
    app.exit()


def quit_now(app: KptuiApp) -> None:
    app.exit()


async def stop(app: KptuiApp) -> None:
    """ctrl+c: first it stops the tracing, as in every tool of the trade; with nothing on, it quits."""
    if isinstance(app.screen, Dialog):
        app.screen.dismiss(None)
        return
    session = app.world.session
    if session is not None and any(s.ours and s.enabled for s in app.states):
        await app.gate.call(session.enable_all, False)
        await app.refresh_states()
        app.say(f"All our probes are off. {app.keymap.key('stop')} again quits.")
        return
    await quit_(app)


def redraw(app: KptuiApp) -> None:
    app.refresh(repaint=True, layout=True)


def suspend(app: KptuiApp) -> None:
    app.action_suspend_process()


ACTIONS = {
    "search": search,
    "editor.find": search,  # where there is no draft yet
    "probes.add": add,
    "quit": quit_,
    "quit.now": quit_now,
    "stop": stop,
    "redraw": redraw,
    "suspend": suspend,
    "palette": lambda app: app.action_command_palette(),
    "zoom": lambda app: app.workspace.zoom(),
    "pane.next": lambda app: app.workspace.step(1),
    "pane.previous": lambda app: app.workspace.step(-1),
    "pane.symbols": lambda app: app.workspace.go("symbols"),
    "pane.editor": lambda app: app.workspace.go("editor"),
    "pane.probes": lambda app: app.workspace.go("probes"),
    "pane.events": lambda app: app.workspace.go("events"),
    "symbols.reload": lambda app: app.learning.load(),
}
