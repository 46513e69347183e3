"""Build a filter: rows of field, operator and value, or the text; two views of one value.

The verdict stands under the text while it grows, and what is already captured says how many events would pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from textual import events
from textual.message import Message
from textual.strip import Strip

from kptui.events.format import EventFormat
from kptui.filters import (
    FilterField,
    FilterSyntaxError,
    Row,
    check_filter,
    fields_of,
    from_rows,
    parse_filter,
    to_rows,
    typed_value,
)
from kptui.filters.rows import Join
from kptui.safetext import neutralise
from kptui.ui.dialogs.base import Dialog
from kptui.ui.hero import hero_lines
from kptui.ui.paint import Line, clip, length, pad, rule
from kptui.ui.pane import Cursor, Pane
from kptui.ui.textline import TextLine
from kptui.verdict import Problem, Verdict

CELLS = ("join", "field", "op", "value")
_FALLBACK = FilterField("common_pid", "number", True, 32, ("==", "!=", "<", "<=", ">", ">=", "&"))


@dataclass(frozen=True, slots=True)
class FilterWanted:
    """What the builder was closed with: ``text`` '' clears the filter; ``group`` sets it for the whole group."""

    text: str
    group: bool


class FilterPane(Pane):
    """One filter, as rows and as text."""

    scope = "filter"

    class Changed(Message):
        """The text changed: count what it would let through."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        group: str,
        event: str,
        formats: Mapping[str, EventFormat],
        text: str,
        *,
        features: frozenset[str],
        whole_group: bool = False,
    ) -> None:
        super().__init__()
        self.group = group
        self.event = event
        self.formats = formats  # of every event of ours in the group, this one among them
        self.features = features
        self.whole_group = whole_group
        self.fields: dict[str, FilterField] = {}
        self._find_fields()
        self.rows: tuple[Row, ...] = ()
        self.text = text
        self.cell = 1
        self.cursor = Cursor()
        self.editing: TextLine | None = None
        self.editing_text = False
        self.refused: Verdict | None = None
        self.counted = ""
        self.on_processes: Callable[[FilterPane], None] | None = None
        self._take_text(text)

    # -- the value

    def _take_text(self, text: str) -> None:
        self.text = text
        try:
            self.rows = to_rows(parse_filter(text)) if text.strip() else ()
        except FilterSyntaxError:
            self.rows = ()
        self.cursor.move(self.cursor.at, len(self.rows))
        self._changed()

    def _take_rows(self, rows: Sequence[Row]) -> None:
        if rows and rows[0].join:
            rows = (replace(rows[0], join=""), *rows[1:])
        self.rows = tuple(rows)
        self.text = from_rows(self.rows)
        self.cursor.move(self.cursor.at, len(self.rows))
        self._changed()

    def take(self, text: str) -> None:
        """Take a whole filter, e.g. with the processes picked."""
        self._take_text(text)

    def _changed(self) -> None:
        self.refused = None
        if self.is_mounted:
            self.redraw()
            self.post_message(self.Changed(self.text))

    def on_mount(self) -> None:
        self.post_message(self.Changed(self.text))

    @property
    def verdict(self) -> Verdict | None:
        if self.refused is not None:
            return self.refused
        text = self.editing.text if self.editing is not None and self.editing_text else self.text
        if not text.strip():
            return None
        verdict = check_filter(text, self.formats[self.event], self.features)
        if self.whole_group and not verdict.ok:
            # What one event lacks another may have: the filter is worth setting where any of the group takes it.
            verdicts = self._verdicts(text).values()
            return next((v for v in verdicts if v.ok), verdict)
        return verdict

    def _verdicts(self, text: str) -> dict[str, Verdict]:
        return {event: check_filter(text, fmt, self.features) for event, fmt in self.formats.items()}

    def _find_fields(self) -> None:
        """The fields of this event, or of all the group's."""
        formats = self.formats.values() if self.whole_group else [self.formats[self.event]]
        self.fields = {}
        for format_ in formats:
            for field in fields_of(format_, self.features):
                self.fields.setdefault(field.name, field)

    def as_rows(self) -> bool:
        """Whether the text can be shown as rows."""
        return bool(self.rows) or not self.text.strip()

    def refuse(self, verdict: Verdict) -> None:
        """Show the kernel's own refusal in the place of ours."""
        self.refused = verdict
        self.redraw()

    # -- typing

    @property
    def typing(self) -> bool:
        return self.editing is not None

    def text_key(self, event: events.Key) -> bool:
        if self.editing is None:
            return False
        if event.key in ("enter", "tab"):
            self._commit(self.editing.text)
            if event.key == "tab" and not self.editing_text:
                self.cell = min(self.cell + 1, 3)
            self.redraw()
            return True
        if self.kptui.keymap.command(self.scope, event.key) == "filter.fix" and not event.is_printable:
            self._fix_typed(self.editing)
            return True
        if event.key in ("escape", "ctrl+c"):
            self.editing = None
            self.redraw()
            return True
        changed = self.editing.key(event.key, event.character)
        if changed is None:
            return False
        self.editing = changed
        self.refused = None
        self.redraw()
        return True

    def text_paste(self, text: str) -> None:
        if self.editing is not None:
            self.editing = self.editing.insert(text)
            self.redraw()

    def _commit(self, text: str) -> None:
        self.editing = None
        if self.editing_text:
            self._take_text(text.strip())
            return
        row = self.rows[self.cursor.at]
        name = CELLS[self.cell]
        if name == "field":
            row = self._with_field(row, text.strip())
        elif name == "value":
            row = replace(row, value=self._quoted(row, text.strip()))
        self._replace(row)

    def _with_field(self, row: Row, name: str) -> Row:
        field = self.fields.get(name)
        if field is None and name:
            field = next(iter(self._matching(name)), None)
        if field is None:
            return replace(row, field=name)
        op = row.op if row.op in field.operators else field.operators[0] if field.operators else row.op
        value = row.value
        quoted = value[:1] in ('"', "'")
        if field.kind in ("string", "pointer") and not quoted:
            value = '""'
        elif field.kind not in ("string", "pointer") and quoted:
            value = "0"
        return replace(row, field=field.name, op=op, value=value)

    def _matching(self, text: str) -> list[FilterField]:
        """The fields that typed letters can mean: those that begin so, then those that hold them."""
        text = text.casefold()
        starts = [f for f in self.fields.values() if f.operators and f.name.casefold().startswith(text)]
        holds = [
            f for f in self.fields.values() if f.operators and text in f.name.casefold() and f not in starts
        ]
        return starts + holds

    def _quoted(self, row: Row, value: str) -> str:
        """A value as the kernel wants it: text in quotes, a number bare."""
        field = self.fields.get(row.field.split(".")[0])
        return (
            typed_value(field, value) if field is not None and not row.field.endswith(".function") else value
        )

    def _replace(self, row: Row) -> None:
        at = self.cursor.at
        self._take_rows((*self.rows[:at], row, *self.rows[at + 1 :]))

    # -- commands

    def run(self, command: str) -> bool:
        if self.cursor.key(command, len(self.rows), self.size.height - 6):
            self.redraw()
            return True
        match command:
            case "filter.left" | "filter.right":
                self.cell = min(max(self.cell + (1 if command.endswith("right") else -1), 0), 3)
            case "filter.edit":
                self._edit()
            case "filter.cycle":
                self._cycle()
            case "filter.add_and" | "filter.add_or":
                self._add("&&" if command == "filter.add_and" else "||")
            case "filter.remove":
                self._take_rows((*self.rows[: self.cursor.at], *self.rows[self.cursor.at + 1 :]))
            case "filter.open" | "filter.close" | "filter.negate":
                self._bracket(command)
            case "filter.text":
                self.editing_text = True
                self.editing = TextLine.of(self.text)
            case "filter.processes":
                if self.on_processes is not None:
                    self.on_processes(self)
            case "filter.group":
                self.whole_group = not self.whole_group
                self._find_fields()
            case "filter.fix":
                self._fix()
            case "filter.none":
                self.screen.dismiss(FilterWanted("", self.whole_group))
            case "filter.apply":
                self._apply()
            case "filter.close_dialog":
                self.screen.dismiss(None)
            case _:
                return False
        self.redraw()
        return True

    def _apply(self) -> None:
        verdict = self.verdict
        if verdict is not None and not verdict.ok:
            return  # the refusal is on the screen; the old filter stays in force
        self.screen.dismiss(FilterWanted(self.text.strip(), self.whole_group))

    def _fix(self) -> None:
        verdict = self.verdict
        fix = next((p.fix for p in verdict.problems if p.fix), None) if verdict else None
        if fix is not None:
            self._take_text(fix.apply(self.text))

    def _fix_typed(self, editing: TextLine) -> None:
        verdict = self.verdict
        fix = next((p.fix for p in verdict.problems if p.fix), None) if verdict else None
        if fix is not None and self.editing_text:
            self.editing = TextLine(fix.apply(editing.text), fix.start + len(fix.text))
            self.redraw()

    def _add(self, join: Join) -> None:
        if not self.as_rows():
            return
        field = self.fields[self.rows[-1].field] if self.rows and self.rows[-1].field in self.fields else None
        field = field or next((f for f in self.fields.values() if f.operators), _FALLBACK)
        value = '""' if field.kind in ("string", "pointer") else "0"
        row = Row(join="" if not self.rows else join, field=field.name, op=field.operators[0], value=value)
        self._take_rows((*self.rows, row))
        self.cursor.move(len(self.rows) - 1, len(self.rows))
        self.cell = 1

    def _bracket(self, command: str) -> None:
        if not self.rows:
            return
        row = self.rows[self.cursor.at]
        if command == "filter.negate":
            row = replace(row, negated=not row.negated)
        elif command == "filter.open":
            row = replace(row, opens=row.opens + "(" if row.opens.count("(") < 3 else "")
        else:
            row = replace(row, closes=(row.closes + 1) % 4)
        self._replace(row)

    def _edit(self) -> None:
        if not self.rows:
            if not self.as_rows():
                self.run("filter.text")
            else:
                self._add("")
            return
        row = self.rows[self.cursor.at]
        name = CELLS[self.cell]
        if name not in ("field", "value"):
            self._cycle()
            return
        self.editing_text = False
        if name == "field":
            self.editing = TextLine.of("")
            return
        value = row.value
        bare = value[1:-1] if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else value
        self.editing = TextLine.of("" if bare == "0" else bare)

    def _cycle(self) -> None:
        """The next operator, field or join of this row; on a value, type it."""
        if not self.rows:
            self._edit()
            return
        row = self.rows[self.cursor.at]
        name = CELLS[self.cell]
        field = self.fields.get(row.field.split(".")[0])
        if name == "join":
            if row.join:
                self._replace(replace(row, join="||" if row.join == "&&" else "&&"))
        elif name == "op":
            operators = (
                field.operators if field and field.operators else ("==", "!=", "~", "<", "<=", ">", ">=", "&")
            )
            at = operators.index(row.op) if row.op in operators else -1
            self._replace(replace(row, op=operators[(at + 1) % len(operators)]))
        elif name == "field":
            names = [f.name for f in self.fields.values() if f.operators]
            at = names.index(row.field) if row.field in names else -1
            self._replace(self._with_field(row, names[(at + 1) % len(names)]))
        else:
            self._edit()

    def on_key(self, event: events.Key) -> None:
        # On a field or a value, a letter or digit that is no command starts typing it.
        if not self.typing and self.rows and CELLS[self.cell] in ("value", "field") and event.character:
            known = self.kptui.keymap.command(self.scope, event.key)
            digit = event.character.isdigit() or event.character in "-\"'/*"
            if (known is None and event.is_printable) or (CELLS[self.cell] == "value" and digit):
                self.editing_text = False
                self.editing = TextLine.of(event.character)
                event.stop()
                event.prevent_default()
                self.redraw()

    # -- drawing

    def draw(self, width: int, height: int) -> list[Line | Strip]:
        target = (
            f"{self.group}: {', '.join(self.formats)}" if self.whole_group else f"{self.group}/{self.event}"
        )
        title = "Group filter" if self.whole_group else "Filter"
        lines: list[Line | Strip] = [
            rule([(f"{title} of {clip(target, width - 30)}", "title")], [], width, True)
        ]
        bottom = self._bottom(width)
        room = height - len(bottom) - 2
        lines.extend(self._body(width, room))
        lines.extend([] for _ in range(room + 1 - len(lines)))
        lines.append([("─" * width, "rule")])
        lines.extend(bottom)
        return lines

    def _bottom(self, width: int) -> list[Line]:
        editing = self.editing if self.editing is not None and self.editing_text else None
        text = editing.text if editing else self.text
        verdict = self.verdict
        if not text.strip() and editing is None:
            key = self.kptui.keymap.key
            return [
                [(" no filter: every event passes", "dim")],
                [
                    (f" {key('filter.add_and')}", "key"),
                    (" adds a row   ", "dim"),
                    (key("filter.text"), "key"),
                    (" types it as text", "dim"),
                ],
            ]
        rows = hero_lines(
            text,
            verdict,
            width,
            editing=editing,
            fix_key=self.kptui.keymap.key("filter.fix"),
            source="the kernel refused this" if self.refused else "",
            accepted=f"the kernel will accept this        {self.counted}".rstrip(),
        )
        if self.whole_group and verdict is not None and self.refused is None:
            rows.extend(self._group_lines(text, width))
        field = self._current_field()
        if self.editing is not None and not self.editing_text and CELLS[self.cell] == "field":
            matching = "  ".join(f.name for f in self._matching(self.editing.text))
            rows.append([(clip(f" {matching or 'no such field'}", width), "ok" if matching else "refused")])
        elif field is not None:
            kind = (
                "text"
                if field.is_text
                else f"{'s' if field.signed else 'u'}{field.bits}"
                if field.bits
                else field.kind
            )
            rows.append([(f" {field.name}: {kind}   {' '.join(field.operators)}", "dim")])
        return rows

    def _group_lines(self, text: str, width: int) -> list[Line]:
        """What each event of the group makes of the filter; one that refuses keeps the filter it has."""
        lines: list[Line] = []
        for event, verdict in self._verdicts(text).items():
            if verdict.ok:
                lines.append([("   ✓ ", "ok"), (clip(neutralise(event), width - 6), "")])
            else:
                why = verdict.problems[0].message if verdict.problems else verdict.sentence
                said = f"{neutralise(event)}: {neutralise(why)}; it keeps the filter it has"
                lines.append([("   ✗ ", "refused"), (clip(said, width - 6), "warn")])
        return lines[:6]

    def _current_field(self) -> FilterField | None:
        if self.cursor.at < len(self.rows):
            return self.fields.get(self.rows[self.cursor.at].field.split(".")[0])
        return None

    def _body(self, width: int, room: int) -> list[Line]:
        if not self.as_rows():
            return [[(clip(" This text can't be shown as rows; edit it as text.", width), "dim")]]
        if not self.rows:
            names = "  ".join(f.name for f in self.fields.values())
            return [[(clip(f" fields: {names}", width), "dim")]]
        cells = min(max(len(row.field) for row in self.rows) + 1, 30)
        drawn = []
        for index in self.cursor.window(len(self.rows), room):
            drawn.append(self._row(self.rows[index], index == self.cursor.at, cells, width))
        return drawn

    def _row(self, row: Row, current: bool, names: int, width: int) -> Line:
        line: Line = [("▌" if current else " ", "focus")]

        def cell(name: str, text: str, size: int) -> None:
            chosen = current and CELLS[self.cell] == name
            if chosen and self.editing is not None and not self.editing_text:
                line.extend(self.editing.spans(max(size, 20), "bold"))
            else:
                line.append((pad(neutralise(text), size), "cursor" if chosen else "bold" if current else ""))
            line.append((" ", ""))

        cell("join", row.join, 2)
        before = row.opens + ("!" if row.negated else "")
        line.append((pad(before, 4), "warn"))
        cell("field", row.field, names)
        cell("op", row.op, 2)
        cell("value", row.value, min(max(len(row.value) + 1, 8), max(width - length(line) - 6, 8)))
        line.append((")" * row.closes, "warn"))
        return line


def kernel_verdict(command: str, problems: Sequence[Problem], errno: str, sentence: str) -> Verdict:
    """The kernel's refusal as a verdict for the builder."""
    return Verdict(ok=False, command=command, problems=tuple(problems), errno=errno, sentence=sentence)


def filter_dialog(pane: FilterPane) -> Dialog[FilterWanted | None]:
    return Dialog(pane, width="90%", height="70%")
