"""Write a probe: fields, arguments and what can be read here as rows, the line and its verdict always below.

Rows and text are two views of one value, the draft's line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events
from textual.strip import Strip

from kptui.probes.errors import ProbeSyntaxError
from kptui.safetext import neutralise
from kptui.ui.dialogs.fixes import choose_fix
from kptui.ui.dialogs.text import text_dialog
from kptui.ui.editor_rows import OfferColumns, Row, empty_lines, field_line, rows_of, text_of, with_text
from kptui.ui.hero import everything, hero_lines
from kptui.ui.paint import Line, Span, clip, pad, rule
from kptui.ui.pane import Cursor, Pane
from kptui.ui.textline import TextLine
from kptui.verdict import Fix, Verdict

if TYPE_CHECKING:
    from kptui.probes.suggest import Suggestion
    from kptui.ui.draft import Draft


class EditorPane(Pane):
    """The draft as rows; see ``Draft`` for what changes mean."""

    scope = "editor"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.draft: Draft | None = None
        self.verdict: Verdict | None = None
        self.kernel: Verdict | None = None  # the kernel's own refusal of exactly this line
        self.remark = ""  # what is to be said about that
        self.cursor = Cursor()
        self.editing: TextLine | None = None
        self.edited: Row | None = None
        self.error = ""
        self._past: list[Draft] = []
        self._offers: tuple[Suggestion, ...] = ()
        self._rows: list[Row] = []

    # -- what is edited

    def set_draft(self, draft: Draft | None, *, remember: bool = True) -> None:
        """Show another draft, or the next state of this one."""
        if draft == self.draft:
            return
        if remember and self.draft is not None:
            self._past = [*self._past[-200:], self.draft]
        place_changed = self.draft is None or draft is None or self._place(draft) != self._place(self.draft)
        self.draft = draft
        self.kernel = None
        self.error = ""
        self._offers = draft.offers() if draft else ()
        self._rows = rows_of(draft, len(self._offers)) if draft else []
        if place_changed:
            self.cursor.at = next((i for i, row in enumerate(self._rows) if row.what == "offer"), 0)
            self.cursor.top = 0
        self.cursor.move(self.cursor.at, len(self._rows))
        self._changed()

    @staticmethod
    def _place(draft: Draft) -> object:
        probe = draft.probe
        return (probe.place, probe.kind, draft.replacing) if probe else None

    def _changed(self) -> None:
        """The line is another one, or is being typed: no frame may show it with the verdict of the one before."""
        self.redraw()
        self.kptui.judge(self.line)

    @property
    def line(self) -> str:
        """The line as it stands, or as it is being typed."""
        if self.editing and self.edited and self.edited.what == "line":
            return self.editing.text
        return self.draft.line if self.draft else ""

    @property
    def row(self) -> Row | None:
        return self._rows[self.cursor.at] if self.cursor.at < len(self._rows) else None

    @property
    def shown_verdict(self) -> Verdict | None:
        return self.kernel or self.verdict

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What would mend the line: one fix, or several to choose from."""
        verdict = self.shown_verdict
        return verdict.fixes if verdict else ()

    def show_kernel(self, verdict: Verdict, remark: str) -> None:
        """The last word on this line, in the place of ours, until it changes."""
        self.kernel, self.remark = verdict, remark
        self.redraw()

    # -- typing

    @property
    def typing(self) -> bool:
        return self.editing is not None

    def _edit(self, row: Row, text: str) -> None:
        self.edited = row
        self.editing = TextLine.of(text)
        self.error = ""
        self.redraw()

    def _stop_editing(self) -> None:
        self.editing = self.edited = None
        self.redraw()

    def text_key(self, event: events.Key) -> bool:
        if self.editing is None:
            return False
        if event.key in ("enter", "tab"):
            self._commit()
            return True
        if self.kptui.keymap.command(self.scope, event.key) == "editor.fix" and not event.is_printable:
            if self.edited is not None and self.edited.what == "line":
                self._fix()
            return True
        if self.kptui.keymap.command(self.scope, event.key) == "editor.verdict" and not event.is_printable:
            self._show_all()
            return True
        if event.key in ("escape", "ctrl+c"):
            was_line = self.edited is not None and self.edited.what == "line"
            self._stop_editing()
            if was_line:
                self._changed()
            return True
        changed = self.editing.key(event.key, event.character)
        if changed is None:
            return False
        self._typed(changed)
        return True

    def text_paste(self, text: str) -> None:
        if self.editing is not None:
            self._typed(self.editing.insert(text.strip().splitlines()[0] if text.strip() else ""))

    def _typed(self, changed: TextLine) -> None:
        self.editing = changed
        self.error = ""
        if self.edited and self.edited.what == "line":
            self.kernel = None
            self._changed()
        else:
            self.redraw()

    def _commit(self) -> None:
        draft, editing, row = self.draft, self.editing, self.edited
        if draft is None or editing is None or row is None:
            return
        text = editing.text
        try:
            changed = with_text(draft, row, text)
        except ProbeSyntaxError as error:
            self.error = f"{error.message} (at character {error.column + 1})"
            self.editing = TextLine(text, min(error.column, len(text)))
            self.redraw()
            return
        self._stop_editing()
        if changed is not None:
            self.set_draft(changed)

    # -- commands

    def run(self, command: str) -> bool:
        """Run a command of this pane; False if it is none of them."""
        if self.cursor.key(command, len(self._rows), max(self.size.height - 8, 2)):
            self.redraw()
            return True
        draft, row = self.draft, self.row
        if not command.startswith("editor.") or draft is None:
            return False
        match command:
            case "editor.act":
                self._act(draft, row)
            case "editor.line":
                self._edit(Row("line"), draft.line)
            case "editor.kind":
                self.set_draft(draft.toggle_kind(self.kptui.taken_names()) or draft)
            case "editor.add":
                self._add(draft)
            case "editor.type" | "editor.type_back":
                self._cycle(draft, row, 1 if command == "editor.type" else -1)
            case "editor.remove":
                self._remove(draft, row)
            case "editor.deref":
                self._dereference(draft, row)
            case "editor.move_up" | "editor.move_down":
                self._move(draft, row, -1 if command == "editor.move_up" else 1)
            case "editor.undo":
                if self._past:
                    self.set_draft(self._past.pop(), remember=False)
            case "editor.new":
                self.set_draft(replace(draft, replacing=None))
            case "editor.fix":
                self._fix()
            case "editor.verdict":
                self._show_all()
            case _:
                return False
        return True

    def _show_all(self) -> None:
        if self.shown_verdict is not None:
            self.app.push_screen(text_dialog("What is said of the line", everything(self.shown_verdict)))

    def _fix(self) -> None:
        if self.fixes:
            choose_fix(self.kptui, self.fixes, self.apply_fix)

    def apply_fix(self, fix: Fix) -> None:
        """Mend the line, also one that is being typed."""
        if self.editing is not None and self.edited is not None and self.edited.what == "line":
            self._typed(TextLine(fix.apply(self.editing.text), fix.start + len(fix.text)))
        elif self.draft is not None:
            self.set_draft(replace(self.draft, line=fix.apply(self.draft.line)))

    def _act(self, draft: Draft, row: Row | None) -> None:
        if row is None:
            return
        probe = draft.probe
        if row.what == "kind":
            self.set_draft(draft.toggle_kind(self.kptui.taken_names()) or draft)
        elif row.what == "offer":
            self._take(draft, self._offers[row.index])
        elif row.what == "line":
            self._edit(row, draft.line)
        elif probe is not None:
            at = Row("add", len(probe.args)) if row.what == "add" else row
            self._edit(at, text_of(probe, row))

    def _take(self, draft: Draft, offer: Suggestion) -> None:
        """Take or give back an offer; the cursor stays on the offer though the list above it grows."""
        changed = draft.take(offer)
        if changed is None:
            return
        before = len(self._rows)
        self.set_draft(changed)
        self.cursor.move(self.cursor.at + len(self._rows) - before, len(self._rows))
        self.cursor.top = max(0, self.cursor.top + len(self._rows) - before)
        self.redraw()

    def _add(self, draft: Draft) -> None:
        if draft.probe is None:
            self._edit(Row("line"), draft.line)
            return
        at = next(i for i, row in enumerate(self._rows) if row.what == "add")
        self.cursor.move(at, len(self._rows))
        self._edit(Row("add", len(draft.probe.args)), "")

    def _argument(self, draft: Draft, row: Row | None) -> int | None:
        """The argument that a row stands for: itself, or the one taken from an offer."""
        if row is None:
            return None
        if row.what == "arg":
            return row.index
        return draft.taken(self._offers[row.index]) if row.what == "offer" else None

    def _cycle(self, draft: Draft, row: Row | None, step: int) -> None:
        if row is not None and row.what == "kind":
            self.set_draft(draft.toggle_kind(self.kptui.taken_names()) or draft)
            return
        index = self._argument(draft, row)
        if index is None and row is not None and row.what == "offer":
            self._take(draft, self._offers[row.index])
        elif index is not None:
            self.set_draft(draft.cycle_arg(index, step) or draft)

    def _remove(self, draft: Draft, row: Row | None) -> None:
        index = self._argument(draft, row)
        if index is not None:
            self.set_draft(draft.with_arg(index, "") or draft)

    def _dereference(self, draft: Draft, row: Row | None) -> None:
        index = self._argument(draft, row)
        if index is not None and draft.probe is not None:
            from kptui.probes.suggest import wrap_deref

            self.set_draft(draft.set_arg(index, wrap_deref(draft.probe.args[index])) or draft)

    def _move(self, draft: Draft, row: Row | None, step: int) -> None:
        index = self._argument(draft, row)
        moved = draft.move_arg(index, step) if index is not None else None
        if moved is not None:
            self.set_draft(moved)
            if row is not None and row.what == "arg":
                self.cursor.move(self.cursor.at + step, len(self._rows))

    # -- drawing

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        draft = self.draft
        if draft is None:
            empty: Line = []
            return [
                rule([("Probe", "title")], [], width, self.has_focus),
                empty,
                *empty_lines(self.kptui.keymap.key, width),
            ]
        note: Line = []
        if draft.replacing:
            note = [(f"replaces {'/'.join(draft.replacing)}", "")]
        lines: list[Line | Strip] = [rule([("Probe", "title")], note, width, self.has_focus)]
        line_edit = self.editing if self.edited and self.edited.what == "line" else None
        hero = self._hero(draft, width, line_edit)
        room = max(height - 2 - len(hero), 1)
        rows = self._draw_rows(draft, width, room)
        lines.extend(rows)
        lines.extend([] for _ in range(room - len(rows)))
        lines.append([("─" * width, "rule")])
        lines.extend(hero)
        return lines

    def _hero(self, draft: Draft, width: int, line_edit: TextLine | None) -> list[Line]:
        source = ""
        if self.kernel is not None:
            source = "the kernel refused this" if self.kernel.errno else "not written"
        hero = hero_lines(
            draft.line,
            self.shown_verdict,
            width,
            editing=line_edit,
            fixes=self.fixes,
            fix_key=self.kptui.keymap.key("editor.fix"),
            all_key=self.kptui.keymap.key("editor.verdict"),
            source=source,
            remark=self.remark if self.kernel else "",
        )
        if self.error:
            hero.append([(" ✗ ", "refused"), (clip(neutralise(self.error), width - 4), "refused")])
        return hero

    def _draw_rows(self, draft: Draft, width: int, room: int) -> list[Line | Strip]:
        if draft.probe is None:
            text = "This line can't be shown as rows; edit it as text."
            return [[(" " + clip(text, width - 2), "dim")]]
        offers = OfferColumns(draft, self._offers, width)
        drawn: list[Line | Strip] = []
        for index in self.cursor.window(len(self._rows), room):
            row, current = self._rows[index], index == self.cursor.at
            mark: Span = ("▌", "focus") if current and self.has_focus else (" ", "")
            if (
                current
                and self.editing is not None
                and self.edited is not None
                and self.edited.what != "line"
            ):
                label = {"arg": f"{row.index + 1}", "add": "+"}.get(row.what, row.what)
                drawn.append([mark, (pad(f" {label}", 11), "focus"), *self.editing.spans(width - 13, "bold")])
            elif row.what == "offer":
                drawn.append([mark, *offers.line(row.index, current)])
            else:
                drawn.append([mark, *field_line(draft.probe, row, width, current)])
        return drawn
