"""The line and its verdict: what everything on the authoring side exists to change.

The generated definition is always shown whole (wrapped, never cut), with the kernel's message, its caret and one
plain sentence beneath.
"""

from __future__ import annotations

from kptui.safetext import neutralise
from kptui.ui.paint import Line, clip, wrap
from kptui.ui.textline import TextLine
from kptui.verdict import Fix, Verdict


def hero_lines(
    line: str,
    verdict: Verdict | None,
    width: int,
    *,
    editing: TextLine | None = None,
    fix: Fix | None = None,
    fix_key: str = "",
    source: str = "",
    accepted: str = "the kernel will accept this",
) -> list[Line]:
    """The hero's rows. ``editing`` shows the cursor; ``source`` says whose verdict it is where it isn't ours."""
    rows: list[Line] = []
    problem = verdict.problems[0] if verdict and verdict.problems else None
    text = editing.text if editing else line
    # A cell more than the text, so that cursor and caret can stand behind its end.
    shown = "".join(neutralise(c) if len(neutralise(c)) == 1 else "�" for c in text)
    for start, piece in wrap(shown + " ", width - 2):
        end = start + len(piece)
        if editing and start <= editing.cursor < end:
            at = editing.cursor - start
            rows.append([(" ", ""), (piece[:at], "bold"), (piece[at], "cursor"), (piece[at + 1 :], "bold")])
        else:
            rows.append([(" ", ""), (piece, "bold")])
        if problem and (start <= problem.at < end or (end > len(shown) and problem.at >= end)):
            rows.append([(" " * (min(problem.at - start, width - 3) + 1), ""), ("^", "refused")])
    rows.extend(verdict_lines(verdict, width, source=source, accepted=accepted))
    if fix is not None and fix_key:
        rows.append(
            [
                ("   ", ""),
                (fix_key, "key"),
                (clip(f"  {neutralise(fix.label)}", width - 6 - len(fix_key)), "ok"),
            ]
        )
    return rows


def verdict_lines(verdict: Verdict | None, width: int, *, source: str = "", accepted: str = "") -> list[Line]:
    """The verdict in at most three rows: message and sentence, or the first warning."""
    if verdict is None:
        return [[(" …", "dim")]]
    if verdict.ok:
        if verdict.warnings:
            more = f" (+{len(verdict.warnings) - 1} more)" if len(verdict.warnings) > 1 else ""
            pieces = wrap(f"accepted, but: {neutralise(verdict.warnings[0])}{more}", width - 4)
            first: Line = [(" ! ", "warn"), (pieces[0][1], "warn")]
            return [first, *([("   ", ""), (piece, "warn")] for _, piece in pieces[1:3])]
        return [[(" ✓ ", "ok"), (clip(source or accepted, width - 3), "dim")]]
    rows: list[Line] = []
    if verdict.problems:
        problem = verdict.problems[0]
        errno = f"  {verdict.errno}" if verdict.errno else ""
        said = f"{source}: " if source else ""
        rows.append(
            [
                (" ✗ ", "refused"),
                (clip(said + neutralise(problem.message), width - 12), "refused"),
                (errno, "dim"),
            ]
        )
        if problem.sentence:
            pieces = wrap(neutralise(problem.sentence), width - 4)
            rows.extend([("   ", ""), (piece, "")] for _, piece in pieces[:2])
    else:
        text = verdict.sentence or "The kernel refuses this without saying why."
        pieces = wrap(f"{neutralise(text)}  {verdict.errno or ''}".rstrip(), width - 4)
        rows.append([(" ✗ ", "refused"), (pieces[0][1], "refused")])
        rows.extend([("   ", ""), (piece, "refused")] for _, piece in pieces[1:3])
    return rows
