"""Lines of cells: nothing dropped by wrapping, nothing wider than the pane, the caret under its character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kptui.safetext import neutralise
from kptui.ui.hero import hero_lines
from kptui.ui.paint import clip, highlight, length, pad, rule, to_strip, wrap
from kptui.ui.textline import TextLine
from kptui.verdict import Fix, Note, Problem, Verdict

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=120).map(neutralise)
widths = st.integers(1, 90)


@given(texts, widths)
def test_wrap_drops_nothing(text: str, width: int) -> None:
    rows = wrap(text, width)
    assert "".join(row for _, row in rows) == text
    assert all(text[start : start + len(row)] == row for start, row in rows)
    assert all(cell_len(row) <= max(width, 4) for _, row in rows)


@given(texts, widths)
def test_pad_and_clip_keep_the_width(text: str, width: int) -> None:
    assert cell_len(clip(text, width)) <= width
    assert cell_len(pad(text, width)) == width


@given(texts, widths)
def test_strips_are_exactly_as_wide_as_the_pane(text: str, width: int) -> None:
    assert to_strip([(text, "bold")], width).cell_length == width
    assert to_strip(rule([("Symbols", "title")], [(text, "dim")], width, True), width).cell_length == width


@given(texts, st.sets(st.integers(0, 130), max_size=10))
def test_highlighting_keeps_the_text(text: str, positions: set[int]) -> None:
    line = highlight(text, positions)
    assert "".join(piece for piece, _ in line) == text
    marked = {i for i in positions if i < len(text)}
    at = 0
    for piece, style in line:
        assert all((at + i in marked) == (style == "match") for i in range(len(piece)))
        at += len(piece)


@given(st.integers(0, 60), st.integers(20, 80))
def test_the_caret_stands_under_its_character(at: int, width: int) -> None:
    line = "p:kptui/open do_sys_openat2 dfd=%rdi:s32 name=+0(%rsi):ustring"
    verdict = Verdict(False, line, (Problem("Invalid register name", at, at),), "EINVAL")
    rows = ["".join(text for text, _ in row) for row in hero_lines(line, verdict, width)]
    caret = next(i for i, row in enumerate(rows) if row.strip() == "^")
    before = "".join(row[1:] for row in rows[: caret - 1])
    assert rows[caret - 1][rows[caret].index("^")] == line[at]
    assert len(before) + rows[caret].index("^") - 1 == at


def test_verdicts_read_well() -> None:
    line = "p:x vfs_read %rdi"
    fix = Fix(13, 17, "%di", "use %di")
    problem = Problem("Invalid register name", 13, 13, "The kernel calls it %di.", (fix,))
    rows = hero_lines(line, Verdict(False, line, (problem,), "EINVAL"), 60, fixes=(fix,), fix_key="ctrl+e")
    text = ["".join(piece for piece, _ in row).rstrip() for row in rows]
    assert text == [
        " p:x vfs_read %rdi",
        "              ^",
        " ✗ Invalid register name  EINVAL",
        "   The kernel calls it %di.",
        "   ctrl+e  use %di",
    ]
    ok = hero_lines(line, Verdict(True, line, notes=(Note("one"), Note("two"))), 60)
    assert ["".join(piece for piece, _ in row).strip() for row in ok[2:]] == [
        "! accepted, but: one",
        "! two",
        "",
    ]
    silent = hero_lines(line, Verdict(False, line, (), "EINVAL", "Two words are needed."), 60)
    assert "Two words are needed.  EINVAL" in "".join(piece for row in silent for piece, _ in row)


def test_the_cursor_is_visible_behind_the_end() -> None:
    rows = hero_lines("", None, 40, editing=TextLine.of("p:x vfs_read"))
    assert any(style == "cursor" for _, style in rows[0])
    assert all(length(row) <= 40 for row in rows)
