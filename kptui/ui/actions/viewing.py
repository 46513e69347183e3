"""Looking at things: help, the snapshot, the writes, one event, the doctor, files."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kptui.events.assemble import LineAssembler
from kptui.events.model import TraceEvent
from kptui.events.parse import TraceParser
from kptui.export.csv import HEADER as CSV_HEADER
from kptui.export.csv import record_to_csv
from kptui.export.jsonl import record_to_json
from kptui.kernel.leftovers import cleanup, leftovers
from kptui.kernel.refusal import Refused
from kptui.safetext import neutralise
from kptui.ui.dialogs.base import Dialog
from kptui.ui.dialogs.choice import Choice, SwitchPane, choice_dialog, prompt_dialog
from kptui.ui.dialogs.text import TextPane, text_dialog
from kptui.ui.event_rows import COLUMNS, error_name, row_text
from kptui.ui.keymap import PARENTS, shown

if TYPE_CHECKING:
    from kptui.events.model import Record
    from kptui.ui.app import KptuiApp

_HELP_COLUMN = 40  # where the help says more of a key
_TAKEN = 5_000  # captured lines between two turns of the event loop
SNAPSHOT_LOOKS = 10  # of a tenth of a second, for a first event
SNAPSHOT = 4 << 20  # bytes of `trace` at most: reading it while tracing may never end

_ABOUT = {
    "symbols": "Every function and datum of the kernel. Type some of a name's letters: vfsread finds vfs_read, "
    "sys_execve finds __x64_sys_execve. Of several words each has to fit, in any order. A ! marks what can't be "
    "probed, a ? what may not be; why stands below the list.",
    "editor": "The line at the bottom is what will be written to kprobe_events. The rows above change it: take what "
    "is offered with enter or space, step through other types with ← and →, or edit the line as text.",
    "probes": "All dynamic events of this machine. Ours can be switched, filtered, edited and removed; others' are "
    "shown and left alone. hits and missed are the kernel's own counters.",
    "events": "Events of our instance, read from its trace_pipe. Following shows the newest; any movement holds the "
    "view. & shows only what has a word, or passes a filter; the kernel's own filter is set in the probes pane with F.",
    "filter": "Rows of field, operator and value, joined with && and ||; or the same as text. The kernel tests it "
    "after the arguments were read, before the event enters the buffer.",
    "dialog": "Press the letter of an entry, or move and press enter.",
    "picker": "Type to search; space chooses, enter takes what is chosen.",
    "text": "Scroll with the arrows; / searches.",
}


_SIGNS = (
    ("vfs_*  *_r?ad", "Globs for the whole name"),
    ("^vfs  read$", "Begins so, ends so"),
    ("'read  !cold", "Has it in one piece, doesn't have it"),
)
_NARROWING = (
    ("mod:ext4", "In this module; mod:kernel is the kernel itself"),
    ("ext4:sync", "The same, as the kernel writes it"),
    ("type:text", "Functions; type:data, type:weak, or letters of kallsyms: type:T"),
    ("probe:yes", "Only what can be probed; probe:no what can't"),
)


def help_(app: KptuiApp) -> None:
    """Every key of the pane in focus."""
    screen = app.screen
    pane = screen.pane if isinstance(screen, Dialog) else app.workspace.current_pane
    scope = pane.scope
    rows: list[tuple[str, str]] = [(_ABOUT.get(scope, ""), ""), ("", "")]
    titles = {"list": "In every list", "everywhere": "Everywhere", scope: "Here"}
    for part, commands in app.keymap.help(scope):
        rows.append((titles.get(part, part), "bold"))
        for command in commands:
            if command.id in pane.without:
                continue
            keys = " ".join(shown(k) for k in command.keys)
            rows.append(
                (f"  {f'{keys:<16} {command.title}':<{_HELP_COLUMN - 3}} {command.help}".rstrip(), "")
            )
        rows.append(("", ""))
    if scope == "symbols":
        rows += [("While typing", "bold"), ("  enter            Entry probe on the hit under the cursor", "")]
        rows += [("  ctrl+r           Return probe", ""), ("  ↑ ↓              Choose another hit", "")]
        rows += [("  ctrl+o           Only what can be probed, and back", "")]
        rows += [("  esc or tab       Done typing: the keys above work on the list", ""), ("", "")]
        rows += [("Words with signs", "bold")]
        rows += [(f"  {word:<16} {what}", "") for word, what in _SIGNS]
        rows += [("", ""), ("Words that narrow, anywhere in the line", "bold")]
        rows += [(f"  {word:<16} {meaning}", "") for word, meaning in _NARROWING]
        rows += [("", ""), ("Other names lead there, too", "bold")]
        rows += [("  sys_execve, SyS_execve, execve(2), and names of other kernels: do_fork", "")]
    app.push_screen(text_dialog(f"Help: {scope}", rows, hang=_HELP_COLUMN))


async def snapshot(app: KptuiApp) -> None:
    """The instance's ``trace``. The reader of ``trace_pipe`` takes events out of it at once, so it pauses while the
    snapshot is open; what happens meanwhile comes into the events pane afterwards.
    """
    session = app.world.session
    if session is None:
        app.say("No live kernel here, so no trace to read.", "warning")
        return

    async def read() -> list[tuple[str, str]]:
        data = b""
        try:
            for _ in range(SNAPSHOT_LOOKS):
                data = await app.gate.call(session.snapshot, SNAPSHOT)
                if any(not line.startswith(b"#") for line in data.splitlines()):
                    break
                await asyncio.sleep(0.1)
        except OSError as error:
            return [(f"trace can't be read: {error.strerror or error}", "refused")]
        return await asyncio.to_thread(_snapshot_rows, data)

    try:
        await app.gate.call(session.pause_reader)
        rows = await read()
        title = (
            f"trace: snapshot · events wait while it is open · {app.keymap.key('text.reload')} reads again"
        )
        await app.push_screen_wait(text_dialog(title, rows, reload=read, copy=_copier(app), bottom=True))
    except Refused as refused:
        app.say(str(refused), "error")
    finally:
        app.live.collect()
        with contextlib.suppress(Refused):  # the session is closed: the program ends
            await app.gate.call(session.start_reader)


def _snapshot_rows(data: bytes) -> list[tuple[str, str]]:
    assembler, parser = LineAssembler(), TraceParser()
    rows: list[tuple[str, str]] = []
    for line in [*assembler.feed(data), *assembler.close()]:
        record = parser.parse(line)
        text = neutralise(line.decode("utf-8", "surrogateescape"))
        rows.append((text, "" if isinstance(record, TraceEvent) else "dim"))
    if all(style == "dim" and text.startswith("#") for text, style in rows):
        rows.append(("", ""))
        rows.append(
            ("No events since this was opened; what came before was taken out, into the events pane.", "")
        )
    return rows


def _copier(app: KptuiApp) -> Callable[[str], None]:
    def copy(text: str) -> None:
        from kptui.ui.actions.copying import put

        put(app, text, "The text")

    return copy


def writes(app: KptuiApp) -> None:
    """Every write made to the kernel, as shell lines: what kptui does is no secret."""
    session = app.world.session
    if session is None:
        app.say("Nothing was written: there is no live kernel here.", "warning")
        return
    rows = []
    for write in session.log:
        rows.append((str(write), "" if write.ok else "refused"))
    rows = rows or [("Nothing has been written yet.", "dim")]
    app.push_screen(text_dialog(f"Writes below {session.files.root}", rows, copy=_copier(app), bottom=True))


def detail(app: KptuiApp) -> None:
    """One event: every field, and the raw line."""
    record = app.workspace.events.record
    if record is None:
        app.say("No event under the cursor.", "warning")
        return
    app.push_screen(text_dialog("Event", detail_rows(record), copy=_copier(app)))


def detail_rows(record: Record) -> list[tuple[str, str]]:
    """What is known of one record, a row each."""
    if not isinstance(record, TraceEvent):
        return [(record.kind, "bold"), (neutralise(record.text), "")]
    rows = [(neutralise(record.event), "bold")]
    place = record.ip or record.ret_ip
    known = [
        ("time", record.ts),
        ("task", f"{record.comm}  thread {record.pid}" + (f"  process {record.tgid}" if record.tgid else "")),
        ("cpu", str(record.cpu)),
        ("flags", record.flags or "–"),
        ("function", record.func or ""),
        ("at" if record.ip else "returns to", place_text(place) if place else ""),
    ]
    rows += [(f"  {name:<12} {neutralise(value)}", "") for name, value in known if value]
    rows += [("", ""), ("arguments", "bold")]
    for arg in record.args:
        value = "(fault): the memory could not be read" if arg.value is None else arg.value
        text = "{" + ", ".join(str(v) for v in value) + "}" if isinstance(value, tuple) else value
        more = ""
        if arg.type == "num" and isinstance(value, str) and value.startswith("0x"):
            more = f"   = {int(value, 16):,}"
        elif name := error_name(record, arg):
            more = f"   {name}: {os.strerror(-int(str(value)))}" if int(str(value)) > -512 else f"   {name}"
        rows.append((f"  {neutralise(arg.name):<12} {neutralise(text)}{more}", ""))
    if record.body is not None:
        rows.append((f"  {neutralise(record.body)}", ""))
    rows += [("", ""), ("the line as it came", "bold"), (f"  {neutralise(record.raw)}", "dim")]
    return rows


def place_text(place: object) -> str:
    sym, off = getattr(place, "sym", None), getattr(place, "off", None)
    size, mod = getattr(place, "size", None), getattr(place, "mod", None)
    text = sym or getattr(place, "addr", None) or "?"
    if off is not None:
        text += f"+0x{off:x}" + (f"/0x{size:x}" if size is not None else "")
    return f"{text} [{mod}]" if mod else text


async def columns(app: KptuiApp) -> None:
    pane = app.workspace.events
    dialog: Dialog[frozenset[str] | None] = Dialog(
        SwitchPane("Columns", COLUMNS, pane.columns), width=40, height=12
    )
    chosen = await app.push_screen_wait(dialog)
    if chosen:
        pane.columns = set(chosen)
        pane.redraw()


def clear(app: KptuiApp) -> None:
    app.log_of_events.clear()
    app.workspace.events.set_view(app.workspace.events.view_text)


async def save(app: KptuiApp) -> None:
    """Write the rows in view to a file; its ending chooses the format."""
    pane = app.workspace.events
    if not len(pane.view):
        app.say("No events to write.", "warning")
        return
    text = ".jsonl for a JSON object a line, .csv for a table, anything else for the lines as they came"
    name = await app.push_screen_wait(prompt_dialog("Write events to a file", text, "kptui-events.jsonl"))
    if not name or not name.strip():
        return
    path = Path(name.strip()).expanduser()
    if path.exists():
        choices = [Choice("o", "overwrite it"), Choice("n", "don't")]
        if await app.push_screen_wait(choice_dialog(f"{path} exists", choices)) != "o":
            return
    log = app.log_of_events
    rows: list[bytes] = []
    for count, index in enumerate(pane.view.indices()):
        if index >= log.first:
            rows.append(log.line(index))
        if count % _TAKEN == 0:
            await asyncio.sleep(0)
    try:
        await asyncio.to_thread(_write_records, path, map(log.decode, rows))
    except OSError as error:
        app.say(f"{path} was not written: {error.strerror or error}", "error")
        return
    app.say(f"{len(rows):,} events in {path}")


def _write_records(path: Path, records: Iterable[Record]) -> None:
    """Write beside the target and rename, so that a full disk leaves an older file whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            if path.suffix == ".csv":
                file.write(CSV_HEADER + "\n")
            for record in records:
                if path.suffix in (".jsonl", ".json"):
                    file.write(record_to_json(record) + "\n")
                elif path.suffix == ".csv":
                    file.write(record_to_csv(record) + "\n")
                else:
                    file.write(row_text(record) + "\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def doctor(app: KptuiApp) -> None:
    rows = []
    for finding in app.world.findings.items:
        sign = {True: "✓", False: "✗", None: "–"}[finding.ok]
        style = {True: "", False: "refused", None: "dim"}[finding.ok]
        rows.append((f"{sign} {finding.title}: {neutralise(finding.detail)}", style))
        if finding.remedy and finding.ok is not True:
            rows.append((f"    {finding.remedy}", "ok"))
    app.push_screen(text_dialog("What this machine has, and what would give the rest", rows))


async def remove_leftovers(app: KptuiApp) -> None:
    """Undo what a killed kptui left behind."""
    session = app.world.session
    if session is None:
        app.say("No live kernel here.", "warning")
        return
    found = await app.gate.call(leftovers, session.files, app.world.state_dir)
    if not found:
        app.say("No leftovers of a killed kptui.")
        return
    text = "; ".join(item.sentence for item in found)
    choices = [Choice("r", "remove them"), Choice("n", "leave them")]
    if await app.push_screen_wait(choice_dialog("Left behind by a killed kptui", choices, text)) == "r":
        result = await app.gate.call(cleanup, session.files, app.world.state_dir)
        app.say("; ".join(result.left or result.done), "error" if result.left else "information")
        await app.refresh_states()


assert set(_ABOUT) == set(PARENTS)

ACTIONS = {
    "help": help_,
    "snapshot": snapshot,
    "writes": writes,
    "doctor": doctor,
    "leftovers": remove_leftovers,
    "events.detail": detail,
    "events.columns": columns,
    "events.clear": clear,
    "events.write": save,
}
__all__ = ["ACTIONS", "TextPane", "detail_rows"]
