"""The line and its verdict: what everything on the authoring side exists to change.

The generated definition is always shown whole (wrapped, never cut), with the kernel's messages, their carets and one
plain sentence beneath. The rows for caret and verdict are always there, so that nothing moves while it is typed.
"""

from __future__ import annotations

from collections.abc import Sequence

from kptui.safetext import neutralise
from kptui.ui.paint import Line, clip, wrap
from kptui.ui.textline import TextLine
from kptui.verdict import Fix, Verdict

STEADY = 3  # rows that are kept for message, sentence and fix
MOST = 6  # rows of a verdict, before the rest is left to the list of everything that is said


def hero_lines(
    line: str,
    verdict: Verdict | None,
    width: int,
    *,
    editing: TextLine | None = None,
    fixes: Sequence[Fix] = (),
    fix_key: str = "",
    all_key: str = "",
    source: str = "",
    accepted: str = "the kernel will accept this",
    remark: str = "",
    steady: bool = True,
) -> list[Line]:
    """The hero's rows. ``editing`` shows the cursor; ``source`` says whose verdict it is where it isn't ours;
    ``fixes`` are offered under ``fix_key``; what has no room is under ``all_key``; ``remark`` is a warning about the
    verdict itself. ``steady`` keeps the rows that a verdict mostly needs.
    """
    rows = _text_rows(editing.text if editing else line, verdict, width, editing, steady=steady)
    said = verdict_lines(verdict, width, source=source, accepted=accepted, all_key=all_key)
    if remark:
        said[1:1] = [
            [*_mark("!", "warn"), (piece, "warn")] for _, piece in wrap(neutralise(remark), width - 4)
        ]
    if fixes and fix_key:
        said.append(_fix_row(fixes, fix_key, width))
    if steady:
        said.extend([] for _ in range(STEADY - len(said)))
    return rows + said


def _fix_row(fixes: Sequence[Fix], key: str, width: int) -> Line:
    label = " ".join(neutralise(fixes[0].label).split())
    if len(fixes) > 1:
        label = f"one of {len(fixes)}: {label} …"
    return [("   ", ""), (key, "key"), (clip(f"  {label}", width - 4 - len(key)), "ok")]


def _text_rows(
    text: str, verdict: Verdict | None, width: int, editing: TextLine | None, *, steady: bool
) -> list[Line]:
    """The text, and under the rows that messages point into their carets; at least one row is kept for them."""
    places = [problem.at for problem in verdict.problems] if verdict else []
    # A cell more than the text, so that cursor and caret can stand behind its end.
    shown = "".join(neutralise(c) if len(neutralise(c)) == 1 else "�" for c in text)
    rows: list[Line] = []
    pointed = False
    for start, piece in wrap(shown + " ", width - 2):
        end = start + len(piece)
        if editing and start <= editing.cursor < end:
            at = editing.cursor - start
            rows.append([(" ", ""), (piece[:at], "bold"), (piece[at], "cursor"), (piece[at + 1 :], "bold")])
        else:
            rows.append([(" ", ""), (piece, "bold")])
        last = end > len(shown)
        here = sorted(
            {min(at - start, width - 3) for at in places if start <= at < end or (last and at >= end)}
        )
        if here:
            pointed = True
            rows.append(
                [(" ", ""), ("".join("^" if i in here else " " for i in range(here[-1] + 1)), "refused")]
            )
    if steady and not pointed:
        rows.append([])
    return rows


def verdict_lines(
    verdict: Verdict | None, width: int, *, source: str = "", accepted: str = "", all_key: str = ""
) -> list[Line]:
    """The verdict: each message with its sentence, or each warning, as far as there is room."""
    if verdict is None:
        return [[(" …", "dim")]]
    if verdict.ok and not verdict.notes:
        pieces = wrap(source or accepted, width - 4)
        return [[(" ✓ " if not at else "   ", "ok"), (piece, "dim")] for at, piece in pieces]
    rows = _warned(verdict, width) if verdict.ok else _refused(verdict, width, source)
    if len(rows) > MOST:
        kept = rows[: MOST - 1]
        more = f"and more: {all_key} shows all of it" if all_key else "and more"
        return [*kept, [("   ", ""), (clip(more, width - 4), "dim")]]
    return rows


def _mark(sign: str, style: str) -> Line:
    return [(f" {sign} ", style)]


def _paragraph(sign: str, text: str, width: int, style: str) -> list[Line]:
    """Text behind a sign, wrapped under itself."""
    pieces = [piece for _, piece in wrap(neutralise(text), width - 4)]
    return [([*_mark(sign if i == 0 else " ", style), (piece, style)]) for i, piece in enumerate(pieces)]


def _warned(verdict: Verdict, width: int) -> list[Line]:
    rows: list[Line] = []
    for number, text in enumerate(verdict.warnings):
        rows.extend(_paragraph("!", text if number else f"accepted, but: {text}", width, "warn"))
    return rows


def _refused(verdict: Verdict, width: int, source: str) -> list[Line]:
    said = f"{source}: " if source else ""
    errno = f"  {verdict.errno}" if verdict.errno else ""
    if not verdict.problems:
        text = verdict.sentence or "The kernel refuses this without saying why."
        return _paragraph("✗", f"{said}{text}{errno}", width, "refused")
    rows: list[Line] = []
    for number, problem in enumerate(verdict.problems):
        first = number == 0
        message = (said if first else "then: ") + neutralise(problem.message)
        pieces = [piece for _, piece in wrap(message, width - 4)]
        rows.extend([*_mark("✗" if i == 0 else " ", "refused"), (p, "refused")] for i, p in enumerate(pieces))
        if first and errno:
            rows[-1] = [*rows[-1], (clip(errno, width - 3 - len(pieces[-1])), "dim")]
        if problem.sentence:
            rows.extend(_paragraph(" ", problem.sentence, width, ""))
    return rows


def everything(verdict: Verdict) -> list[tuple[str, str]]:
    """All that is said of a line and offered for it, as rows of (text, style) to be scrolled."""
    rows: list[tuple[str, str]] = [(neutralise(verdict.command), "bold"), ("", "")]
    if verdict.errno:
        rows.append((f"refused with {verdict.errno}", "refused"))
    for problem in verdict.problems:
        rows.append((f"✗ {neutralise(problem.message)}  (at byte {problem.column})", "refused"))
        rows.append((f"  {neutralise(problem.sentence)}", ""))
        rows.extend((f"  → {neutralise(fix.label)}", "ok") for fix in problem.fixes)
    if verdict.sentence:
        rows.append((neutralise(verdict.sentence), ""))
    for note in verdict.notes:
        rows.append((f"! {neutralise(note.sentence)}", "warn"))
        rows.extend((f"  → {neutralise(fix.label)}", "ok") for fix in note.fixes)
    return rows
