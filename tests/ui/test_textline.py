"""One edited line: keys never lose or invent text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kptui.ui.textline import TextLine

lines = st.builds(
    lambda text, at: TextLine(text, min(at, len(text))),
    st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20),
    st.integers(0, 20),
)
KEYS = (
    "left",
    "right",
    "home",
    "end",
    "ctrl+left",
    "ctrl+right",
    "backspace",
    "delete",
    "ctrl+u",
    "ctrl+k",
    "ctrl+w",
)


@given(lines, st.sampled_from(KEYS))
def test_keys_keep_the_cursor_inside_and_only_remove(line: TextLine, key: str) -> None:
    after = line.key(key, None)
    assert after is not None
    assert 0 <= after.cursor <= len(after.text)
    remaining = iter(line.text)
    assert all(char in remaining for char in after.text)  # a subsequence: nothing new, nothing reordered


@given(lines, st.characters(codec="ascii", exclude_categories=["C"]))
def test_typing_then_backspace_is_nothing(line: TextLine, char: str) -> None:
    typed = line.key("x", char)
    assert typed is not None
    assert typed.text == line.text[: line.cursor] + char + line.text[line.cursor :]
    assert typed.key("backspace", None) == line


def test_words() -> None:
    line = TextLine.of("p:kptui/open do_sys_openat2")
    assert line.key("ctrl+w", None) == TextLine.of("p:kptui/open do_sys_")
    assert line.key("ctrl+left", None) == TextLine(line.text, line.text.index("openat2"))


def test_control_characters_are_not_typed() -> None:
    assert TextLine().insert("a\x1b]52;c;x\x07b\n") == TextLine.of("a]52;c;xb")
    assert TextLine().key("f5", None) is None


def test_a_long_line_scrolls_to_its_cursor() -> None:
    spans = TextLine.of("x" * 200 + "END").spans(20)
    assert "".join(text for text, _ in spans).rstrip().endswith("END")
    assert sum(len(text) for text, _ in spans) <= 21


def test_of_pasted_lines_one_is_made() -> None:
    assert TextLine.of("a").paste("b == 1 &&\r\n\n  c == 2\n") == TextLine.of("ab == 1 && c == 2")
    assert TextLine().paste("\n") == TextLine()
