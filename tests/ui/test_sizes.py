"""What must be seen is seen, however small the terminal is, and no key is told of that means nothing there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kptui.host.config import Config
from kptui.ui.commands import COMMANDS
from kptui.ui.dialogs.text import text_dialog
from kptui.ui.keymap import Keymap
from kptui.ui.panes.chrome import Status, status_line
from tests.ui.support import NARROW, WIDE, Driven, demo

SMALL = (60, 20)
OPEN = ("slash", "=do_sys_openat2", "enter", "space", "s")
WALK = ("slash", "=vfs_read", "enter", "space", "up", "up", "right")


def rows(it: Driven) -> list[str]:
    return it.screen().splitlines()


def footer(it: Driven) -> str:
    return rows(it)[-1]


PANE_NAMES = ("Symbols", "Probe", "Probes", "Events")
statuses = st.builds(
    Status,
    kernel=st.just("6.12.107+deb13-amd64"),
    demo=st.booleans(),
    live=st.just(True),
    instance=st.just("instance kptui-4121"),
    on=st.integers(0, 20),
    defined=st.integers(20, 30),
    rate=st.floats(0, 9_999),
    lost=st.sampled_from([0, 0, 7, 31_000]),
    hidden=st.just(True),
    pane=st.integers(1, 4),
    alone=st.just(True),
)


def status_text(status: Status, width: int) -> str:
    return "".join(text for text, _ in status_line(status, width))


@given(statuses, st.integers(60, 119))
def test_the_status_line_never_loses_the_other_panes_or_what_is_lost(status: Status, width: int) -> None:
    text = status_text(status, width)
    assert len(text.rstrip()) <= width
    for number, name in enumerate(PANE_NAMES, start=1):
        assert (f" {number} {name}" if number == status.pane else f" {number}") in text
    assert f"{status.rate:,.0f} ev/s" in text
    assert not status.lost or f"lost {status.lost:,}" in text
    assert not status.demo or "DEMO" in text
    assert ("●" if status.on else "○") in text


@given(statuses, st.floats(0, 9_999), st.integers(60, 119))
def test_the_status_line_keeps_its_shape_while_the_rate_changes(
    status: Status, rate: float, width: int
) -> None:
    def shape(rate: float) -> list[str]:
        return status_text(replace(status, rate=rate), width).replace(f"{rate:,.0f} ev/s", "N").split()

    assert shape(status.rate) == shape(rate)


@pytest.mark.parametrize("size", [SMALL, (40, 12), NARROW])
async def test_a_long_list_of_copies_is_scrolled(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await it.press("slash", "=type_show", "enter")
        copies = it.app.workspace.symbols.search.copies(it.app.workspace.symbols.hit)  # type: ignore
        assert len(copies) > 15
        assert "that is not" in it.screen() or "is not unique" in it.screen()
        await it.press("end")
        current = next(row for row in rows(it) if "▌" in row.lstrip("▌") and "_text+" in row)
        offset = copies[-1].symbol.address - it.app.table.lookup("_text")[0].address  # type: ignore
        assert f"_text+{offset:#x}" in current
        assert size == NARROW or f"of {len(copies)}" in it.screen()
        await it.pilot.resize_terminal(36, 10)
        await it.settle()
        assert any("▌" in row and f"_text+{offset:#x}"[:10] in row for row in rows(it)), it.screen()
        await it.press("enter")
        assert (
            f"_text+{offset}" in it.app.workspace.editor.line or hex(offset) in it.app.workspace.editor.line
        )


async def test_the_line_to_type_is_seen_in_a_small_prompt(tmp_path: Path) -> None:
    async with demo(tmp_path, (40, 12)) as it:
        await it.press(*OPEN)
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(3)
        await it.press("4", "w")
        assert "kptui-events.jsonl" in it.screen()
        await it.pilot.resize_terminal(28, 12)
        await it.settle()
        assert "> kptui-events.jsonl" in it.screen()


async def test_only_keys_that_do_something_are_told_of(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        await it.press("4", "c")
        assert "Choose" in footer(it)
        assert "Search" not in footer(it)
        await it.press("question_mark")
        assert "Search" not in "".join(row for row in rows(it) if row.startswith("   /"))
        assert "Close" in footer(it)
        assert "Copy" not in footer(it)
        await it.press("escape", "escape", "at")
        assert "Copy" in footer(it) or "Nothing was written" in "".join(it.toasts())
        await it.press("escape", "colon")
        await it.until(lambda: "run it" in footer(it), "the palette's own keys")
        assert "Probe it" not in footer(it)
        await it.press("escape")
        await it.until(lambda: "Quit" in footer(it), "the pane's keys again")


async def test_the_search_for_members_tells_the_key_that_is_no_letter(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*WALK, "slash")
        assert "ctrl+n native form" in footer(it)
        assert "esc back" in footer(it)
        assert it.app.workspace.editor.finder is not None
    config = Config(keys={"editor.native": ("N",)})
    async with demo(tmp_path, NARROW, config=config) as it:
        await it.press(*WALK, "slash")
        assert "native" not in footer(it)


def test_a_key_for_typing_is_no_letter() -> None:
    keymap = Keymap({"editor.fix": ["m", "F5"], "editor.verdict": ["V"]})
    assert keymap.typing_key("editor.fix") == "f5"
    assert keymap.typing_key("editor.verdict") == ""
    assert keymap.typing_key("editor.native") == "ctrl+n"
    assert all(len(Keymap().typing_key(command.id)) != 1 for command in COMMANDS)


async def test_the_editor_tells_where_in_its_list_one_is(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*WALK)
        count = len(it.app.workspace.editor.rows)
        top = it.app.workspace.editor.cursor.top
        assert f" {top + 1}–" in it.screen()
        assert f" of {count} ─" in it.screen()
        await it.press("end")
        assert f"–{count} of {count} ─" in it.screen()
        await it.press("i", "ctrl+u", "=p:x", "enter")
        assert " of " not in it.screen().rpartition("\n p:x")[0].rpartition("\n")[2]
        assert "i edits it as text" in it.screen()


async def test_the_rooms_of_a_wide_terminal_favour_what_is_written(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        workspace = it.app.workspace
        assert workspace.editor.size.height > workspace.events.size.height > 10


async def test_help_goes_on_under_its_columns(tmp_path: Path) -> None:
    async with demo(tmp_path, SMALL) as it:
        await it.press("question_mark")
        shown = rows(it)
        at = next(number for number, row in enumerate(shown) if "Probe it" in row)
        assert shown[at + 1].startswith(" " * 18)
        assert shown[at + 1].strip() == "this function"


async def test_a_group_says_how_many_of_its_events_take_a_filter(tmp_path: Path) -> None:
    async with demo(tmp_path, SMALL) as it:
        await it.press("slash", "=do_sys_openat2", "enter", "down", "space", "s")
        await it.until(lambda: len([s for s in it.app.states if s.enabled]) == 1, "on")
        await it.press("1", "slash", "ctrl+u", "=vfs_read", "enter", "space", "s")
        await it.until(lambda: len([s for s in it.app.states if s.enabled]) == 2, "both on")
        await it.press("3", "home", "ctrl+g")
        assert "common_preempt_count" in it.screen()  # all of the fields, on more rows than one
        await it.press("i", '=filename ~ "/etc/*"', "enter")
        await it.until(lambda: "for 1 of 2 events" in it.screen(), "the group's verdict")
        await it.press("i", "ctrl+u", "=common_pid > 1", "enter")
        await it.until(lambda: "✓ the kernel will accept this" in it.screen(), "the verdict")
        assert "of 2 events" not in it.screen()


async def test_after_a_search_the_footer_tells_how_it_goes_on(tmp_path: Path) -> None:
    async with demo(tmp_path, SMALL) as it:
        await it.press(*OPEN)
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(3)
        await it.press("4")
        assert "Next match" not in footer(it)
        await it.press("slash", "=open", "enter")
        assert "n Next match  N Previous match" in footer(it)
        await it.press("escape")
        assert "match" not in footer(it)
        await it.press("ampersand", "=cat", "enter")
        assert "esc Show all" in footer(it)
        await it.press("question_mark", "slash", "=key", "enter")
        assert "n Next match" in footer(it)


async def test_without_a_kernel_nothing_is_told_of_that_needs_one(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW, live=False) as it:
        await it.press("slash", "=vfs_read", "enter")
        assert "Start" not in footer(it)
        assert "Write" not in footer(it)
        assert "y Copy" in footer(it)
        await it.press("3")
        assert "On/off" not in footer(it)
        await it.press("question_mark")
        assert "Enable or disable" not in it.screen()
        assert "Add" in it.screen()


async def test_the_rest_of_an_indented_row_is_indented(tmp_path: Path) -> None:
    async with demo(tmp_path, (40, 12), live=False) as it:
        it.app.push_screen(text_dialog("Text", [("    " + "word " * 20, ""), ("plain " * 20, "")]))
        await it.settle()
        shown = rows(it)[1:-1]
        assert all(row.startswith("     word") for row in shown[:3]), it.screen()
        assert any(row.startswith(" plain") for row in shown)
