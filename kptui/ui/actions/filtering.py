"""Filters: of one event, of a group, of processes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kptui.events.format import EventFormat
from kptui.events.model import TraceEvent
from kptui.events.values import event_values
from kptui.filters import (
    FilterSyntaxError,
    compile_filter,
    features_from_release,
    field_table,
    parse_filter,
    pid_filter,
)
from kptui.kernel.refusal import Refused
from kptui.kernel.states import EventState
from kptui.safetext import neutralise
from kptui.ui.dialogs.filter import FilterPane, FilterWanted, filter_dialog
from kptui.ui.dialogs.processes import processes_dialog
from kptui.ui.dialogs.text import text_dialog
from kptui.ui.filter_value import FilterValue
from kptui.verdict import Verdict

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.ui.app import KptuiApp

TRIED = 5000  # captured events that a filter is tried on


async def filter_(app: KptuiApp) -> None:
    await _build(app, whole_group=False)


async def group_filter(app: KptuiApp) -> None:
    await _build(app, whole_group=True)


async def processes(app: KptuiApp) -> None:
    """Only the threads of chosen processes, for the selected probe."""
    tids = await _pick(app)
    if tids:
        try:
            await _build(app, whole_group=False, pids=pid_filter(tids))
        except ValueError as error:
            app.say(str(error), "error")


async def _pick(app: KptuiApp) -> list[int] | None:
    found = await asyncio.to_thread(app.world.list_processes)
    return await app.push_screen_wait(processes_dialog(found))


async def _build(app: KptuiApp, *, whole_group: bool, pids: str = "") -> None:
    from kptui.ui.actions.control import _selected

    found = _selected(app)
    if found is None:
        return
    session, state = found
    formats: dict[str, EventFormat] = {}
    try:
        for member in app.states:
            if member.ours and member.group == state.group:
                formats[member.event] = await app.gate.call(session.format, member.group, member.event)
    except (Refused, ValueError) as error:
        app.say(f"the fields of {state.group} can't be read: {error}", "error")
        return
    wanted = state.filter or ""
    refusal: Refused | None = None
    while True:
        features = features_from_release(app.world.release)
        value = FilterValue(state.event, formats, wanted, features, whole_group)
        if pids and refusal is None:
            value.only_processes(pids)
        pane = FilterPane(state.group, value, lambda p: _pick_into(app, p))
        if refusal is not None:
            sentence = refusal.sentence or str(refusal)
            pane.refused = Verdict(False, refusal.command, refusal.problems, refusal.errno_name, sentence)
        answer = await app.push_screen_wait(filter_dialog(pane))
        if answer is None:
            return
        refusal = await _set(app, session, state, answer)
        if refusal is None:
            return
        wanted, whole_group = answer.text, answer.group


async def _set(app: KptuiApp, session: Session, state: EventState, wanted: FilterWanted) -> Refused | None:
    """Set a filter; the kernel's refusal comes back for the builder to show, the old filter still in force."""
    text = wanted.text or None
    try:
        if wanted.group:
            results = await app.gate.call(session.set_group_filter, state.group, text)
            await app.refresh_states()
            _show_group(app, state.group, wanted.text, results)
            return None
        await app.gate.call(session.set_filter, state.group, state.event, text)
    except Refused as refused:
        await app.refresh_states()
        return refused
    except OSError as error:
        app.say(f"the filter was not set: {error.strerror or error}", "error")
        return None
    await app.refresh_states()
    app.say(f"{state.event}: {'filter set' if text else 'no filter any more'}")
    return None


def _show_group(app: KptuiApp, group: str, text: str, results: dict[str, Refused | None]) -> None:
    """A group filter is each event's own: say for each what came of it."""
    rows: list[tuple[str, str]] = [(neutralise(text) or "(filter cleared)", "bold"), ("", "")]
    for event, refused in results.items():
        if refused is None:
            rows.append((f"✓ {group}/{event}: set", "ok"))
        else:
            rows.append((f"✗ {group}/{event}: {neutralise(str(refused))}", "refused"))
            rows.append(("    its filter is as it was before", "dim"))
    app.push_screen(text_dialog(f"Group filter of {group}, event by event", rows))


def _pick_into(app: KptuiApp, pane: FilterPane) -> None:
    async def pick() -> None:
        tids = await _pick(app)
        if not tids:
            return
        try:
            pids = pid_filter(tids)
        except ValueError as error:
            app.say(str(error), "error")
            return
        pane.value.only_processes(pids)
        pane.changed()

    app.run_worker(pick(), group="command")


async def count_matches(app: KptuiApp, pane: FilterPane) -> None:
    """Try a filter on what was captured of this event, in slices; the answer goes under the text."""
    text = pane.value.text
    pane.counted = ""
    if not text.strip() or not len(app.log_of_events):
        return
    try:
        test = compile_filter(parse_filter(text), field_table(pane.value.formats[pane.value.event]))
    except FilterSyntaxError:
        return
    log = app.log_of_events
    passed = tried = 0
    last = log.first + len(log)
    for index in range(max(log.first, last - 4 * TRIED), last):
        if tried >= TRIED or pane.value.text != text or not pane.is_attached:
            break
        if index < log.first:
            continue
        record = log.record(index)
        if isinstance(record, TraceEvent) and record.event == pane.value.event:
            tried += 1
            passed += test(event_values(record))
        if index % 500 == 0:
            await asyncio.sleep(0)
    if pane.value.text == text and tried:
        pane.counted = f"{passed:,} of the last {tried:,} match"
        pane.redraw()


ACTIONS = {
    "probes.filter": filter_,
    "probes.group_filter": group_filter,
    "probes.processes": processes,
}
