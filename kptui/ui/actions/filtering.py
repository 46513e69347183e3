"""Filters: of one event, of a group, of processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from kptui.events.format import EventFormat
from kptui.events.model import TraceEvent
from kptui.events.values import event_values
from kptui.filters import (
    FilterSyntaxError,
    check_filter,
    compile_filter,
    field_table,
    parse_filter,
    pid_filter,
)
from kptui.filters.refusal import MESSAGES
from kptui.kernel.refusal import Refused
from kptui.kernel.states import EventState
from kptui.safetext import neutralise
from kptui.ui.actions.lastword import compare
from kptui.ui.dialogs.filter import FilterPane, FilterWanted, filter_dialog
from kptui.ui.dialogs.processes import processes_dialog
from kptui.ui.dialogs.text import text_dialog
from kptui.ui.filter_value import FilterValue
from kptui.verdict import Verdict

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.ui.app import KptuiApp

_FUNCTION, _CPUS = MESSAGES["NO_FUNCTION"], MESSAGES["INVALID_CPULIST"]
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
    value = FilterValue(state.event, formats, state.filter or "", app.learning.knowledge.filters, whole_group)
    if pids:
        value.only_processes(pids)

    def set_(pane: FilterPane, wanted: FilterWanted) -> None:
        app.run_worker(_set(app, session, state, pane, wanted), group="apply")

    pane = FilterPane(state.group, value, lambda p: _pick_into(app, p), set_)
    await app.push_screen_wait(filter_dialog(pane))


async def _set(
    app: KptuiApp, session: Session, state: EventState, pane: FilterPane, wanted: FilterWanted
) -> None:
    """Set a filter and close the builder; a refusal is shown in it, the old filter still in force."""
    text = wanted.text or None
    results: dict[str, Refused | None] = {}
    try:
        if wanted.group:
            results = await app.gate.call(session.set_group_filter, state.group, text)
        else:
            await app.gate.call(session.set_filter, state.group, state.event, text)
    except Refused as refused:
        await app.refresh_states()
        await _show_refusal(app, pane, state, wanted, refused)
        return
    except OSError as error:
        app.say(f"the filter was not set: {error.strerror or error}", "error")
        return
    await app.refresh_states()
    remarks = [await _differs(app, pane, event, wanted.text, refused) for event, refused in results.items()]
    if not wanted.group:
        remarks = [await _differs(app, pane, state.event, wanted.text, None)]
    if pane.is_attached:
        pane.screen.dismiss(None)
    if wanted.group:
        _show_group(app, state.group, wanted.text, results, [remark for remark in remarks if remark])
    elif remarks[0]:
        app.say(f"The kernel took it. {remarks[0][0].upper()}{remarks[0][1:]}", "warning")
    else:
        app.say(f"{state.event}: {'filter set' if text else 'no filter any more'}")


async def _show_refusal(
    app: KptuiApp, pane: FilterPane, state: EventState, wanted: FilterWanted, refused: Refused
) -> None:
    """The kernel's word in the builder, with our sentence and fixes where we expected the same."""
    remark = await _differs(app, pane, state.event, wanted.text, refused)
    local = _expected(pane, state.event, wanted.text)
    problems = tuple(
        next(
            (
                replace(ours, column=problem.column)
                for ours in local.problems
                if ours.message == problem.message
            ),
            problem,
        )
        for problem in refused.problems
    )
    if pane.is_attached:
        verdict = Verdict(False, refused.command, problems, refused.errno_name or None, refused.sentence)
        pane.show_kernel(verdict, remark)


def _expected(pane: FilterPane, event: str, text: str) -> Verdict:
    kernel = pane.value.kernel
    format_ = pane.value.formats[event]
    return check_filter(text, format_, kernel.features, has_function=kernel.has_function, cpus=kernel.cpus)


async def _differs(app: KptuiApp, pane: FilterPane, event: str, text: str, refused: Refused | None) -> str:
    """What is to be said where the kernel judged a filter differently; '' where it did not."""
    if not text:
        return ""
    expected = await asyncio.to_thread(_expected, pane, event, text)
    kernel = pane.value.kernel
    unknown = {
        message
        for message, known in ((_FUNCTION, kernel.has_function), (_CPUS, kernel.cpus))
        if known is None
    }
    file = f"events/{pane.group}/{event}/filter"
    return await compare(app, file, text, expected, refused, unknown=frozenset(unknown))


def _show_group(
    app: KptuiApp, group: str, text: str, results: dict[str, Refused | None], remarks: list[str]
) -> None:
    """A group filter is each event's own: say for each what came of it."""
    rows: list[tuple[str, str]] = [(neutralise(text) or "(filter cleared)", "bold"), ("", "")]
    for event, refused in results.items():
        if refused is None:
            rows.append((f"✓ {group}/{event}: set", "ok"))
        else:
            rows.append((f"✗ {group}/{event}: {neutralise(str(refused))}", "refused"))
            rows.append(("    its filter is as it was before", "dim"))
    rows.extend((neutralise(remark), "warn") for remark in remarks)
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
