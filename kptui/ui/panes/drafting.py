"""What the probe editor works on: the draft with its history and verdict, and the text that is being typed into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events

from kptui.probes.errors import ProbeSyntaxError
from kptui.ui.dialogs.fixes import choose_fix
from kptui.ui.dialogs.text import text_dialog
from kptui.ui.editor_rows import Row, with_text
from kptui.ui.hero import everything
from kptui.ui.pane import Pane
from kptui.ui.textline import TextLine
from kptui.verdict import Fix, Verdict

if TYPE_CHECKING:
    from kptui.ui.draft import Draft


class DraftPane(Pane):
    """The draft as one value; see ``Draft`` for what changes mean."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.draft: Draft | None = None
        self.verdict: Verdict | None = None
        self.kernel: Verdict | None = None  # the kernel's own refusal of exactly this line
        self.remark = ""  # what is to be said about that
        self.editing: TextLine | None = None
        self.edited: Row | None = None
        self.error = ""
        self._past: list[Draft] = []

    # -- what is edited

    def set_draft(self, draft: Draft | None, *, remember: bool = True) -> None:
        """Show another draft, or the next state of this one."""
        if draft == self.draft:
            return
        if remember and self.draft is not None:
            self._past = [*self._past[-200:], self.draft]
        elsewhere = self.draft is None or draft is None or self._place(draft) != self._place(self.draft)
        self.draft = draft
        self.kernel = None
        self.error = ""
        self.lay_out(elsewhere)
        self._changed()

    def lay_out(self, elsewhere: bool) -> None:
        """Make the rows anew; ``elsewhere``: for another place, or another kind of probe."""

    @staticmethod
    def _place(draft: Draft) -> object:
        probe = draft.probe
        return (probe.place, probe.kind, draft.replacing) if probe else None

    def _changed(self) -> None:
        """The line is another one, or is being typed: no frame may show it with the verdict of the one before."""
        self.redraw()
        self.kptui.judge(self.line)

    def undo(self) -> None:
        """Take back the last change."""
        if self._past:
            self.set_draft(self._past.pop(), remember=False)

    @property
    def line(self) -> str:
        """The line as it stands, or as it is being typed."""
        if self.editing and self.edited and self.edited.what == "line":
            return self.editing.text
        return self.draft.line if self.draft else ""

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

    def edit(self, row: Row, text: str) -> None:
        self.edited = row
        self.editing = TextLine.of(text)
        self.error = ""
        self.redraw()

    def stop_editing(self) -> None:
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
                self.fix()
            return True
        if self.kptui.keymap.command(self.scope, event.key) == "editor.verdict" and not event.is_printable:
            self.show_all()
            return True
        if event.key in ("escape", "ctrl+c"):
            was_line = self.edited is not None and self.edited.what == "line"
            self.stop_editing()
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
        self.stop_editing()
        if changed is not None:
            self.set_draft(changed)

    # -- mending

    def show_all(self) -> None:
        """All messages, warnings and fixes of the line."""
        if self.shown_verdict is not None:
            self.app.push_screen(text_dialog("What is said of the line", everything(self.shown_verdict)))

    def fix(self) -> None:
        """Apply the fix that is offered, or choose one of several."""
        if self.fixes:
            choose_fix(self.kptui, self.fixes, self.apply_fix)

    def apply_fix(self, fix: Fix) -> None:
        """Mend the line, also one that is being typed."""
        if self.editing is not None and self.edited is not None and self.edited.what == "line":
            self._typed(TextLine(fix.apply(self.editing.text), fix.start + len(fix.text)))
        elif self.draft is not None:
            self.set_draft(replace(self.draft, line=fix.apply(self.draft.line)))
