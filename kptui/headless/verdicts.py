"""A verdict on one line as text: a JSON object, or what a compiler would print."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence

from kptui.safetext import neutralise
from kptui.verdict import Fix, Verdict

_FIXES = 4
_SHOWN = 160  # characters of a line that are shown around a caret


def hint_of(verdict: Verdict, text: str) -> str | None:
    """The sentence in plain words, and behind it the likeliest fix of that line; None if there is none."""
    if verdict.ok:
        return None
    sentences = (*(problem.sentence for problem in verdict.problems), verdict.sentence)
    sentence = next((sentence for sentence in sentences if sentence), None)
    fix = next((problem.fix for problem in verdict.problems if problem.fix is not None), None)
    if fix is None:
        return sentence
    line = fix.apply(text)
    mended = f"Fix: {fix.label}: {line}" if len(line) <= _SHOWN else f"Fix: {fix.label}."
    return f"{sentence} {mended}" if sentence else mended


def as_json(number: int, text: str, verdict: Verdict) -> str:
    """One line: all keys, always, in ASCII; bytes that were no UTF-8 as ``\\udcXX``."""
    found = {
        "line": number,
        "text": text,
        "command": verdict.command,
        "ok": verdict.ok,
        "messages": [{"message": p.message, "column": p.column} for p in verdict.problems],
        "errno": verdict.errno,
        "hint": hint_of(verdict, text),
        "warnings": list(verdict.warnings),
    }
    return json.dumps(found) + "\n"


def as_text(name: str, number: int, text: str, verdict: Verdict) -> str:
    """Nothing for a line that is fine; else, for each message or warning, a line to grep for, and the place."""
    out: list[str] = []
    where = f"{name}:{number}"
    for problem in verdict.problems:
        out.append(f"{where}:{problem.at + 1}: error: {problem.message} [{verdict.errno}]")
        out.extend(_caret(text, problem.at))
        if problem.sentence:
            out.append(f"    hint: {neutralise(problem.sentence)}")
        out.extend(_fixes(text, problem.fixes))
    if not verdict.ok and not verdict.problems:
        out.append(f"{where}: error: refused without a message [{verdict.errno}]")
        out.append(f"    {_cut(text, 0)[0]}")
        if verdict.sentence:
            out.append(f"    hint: {neutralise(verdict.sentence)}")
    for note in verdict.notes:
        out.append(f"{where}: warning: {neutralise(note.sentence)}")
        out.append(f"    {_cut(text, 0)[0]}")
        out.extend(_fixes(text, note.fixes))
    return "".join(f"{line}\n" for line in out)


def _fixes(text: str, fixes: Sequence[Fix]) -> Iterator[str]:
    """What the line would be with each of the likeliest."""
    for fix in fixes[:_FIXES]:
        yield f"    fix: {neutralise(fix.label)}: {neutralise(fix.apply(text))}"
    if len(fixes) > _FIXES:
        yield f"    fix: {len(fixes) - _FIXES} more"


def _caret(text: str, at: int) -> tuple[str, str]:
    shown, before = _cut(text, at)
    return f"    {shown}", f"    {' ' * before}^"


def _cut(text: str, at: int) -> tuple[str, int]:
    """The part of a line around character ``at``, safe to show, and the cells before that character."""
    start = 0 if at < _SHOWN * 3 // 4 else at - _SHOWN // 2
    end = start + _SHOWN
    head, tail = ("…" if start else ""), ("…" if end < len(text) else "")
    before = head + neutralise(text[start:at])
    return before + neutralise(text[at:end]) + tail, sum(map(_cells, before)) + max(0, at - len(text))


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
