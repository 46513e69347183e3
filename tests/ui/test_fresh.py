"""What somebody meets who sits down to it for the first time."""

from __future__ import annotations

from pathlib import Path

import pytest

from kptui.symbols.near import offer_near
from kptui.ui.filter_value import FilterValue
from kptui.ui.paint import length
from kptui.ui.textline import TextLine
from tests.ui.support import NARROW, WIDE, Driven, demo

OPEN = ("slash", "=do_sys_openat2", "enter")


async def opens(it: Driven) -> None:
    """An open probe with its file name, on, and events of it on the screen."""
    await it.press(*OPEN, "down", "enter", "s")
    await it.happen(5)


def rows(it: Driven) -> list[str]:
    return it.screen().splitlines()


def test_typing_takes_the_place_of_a_text_that_is_offered() -> None:
    offered = TextLine.offer("openat2")
    assert offered.key("x", "x") == TextLine.of("x")
    assert offered.insert("execve\n") == TextLine.of("execve")
    assert offered.key("backspace", None) == TextLine()
    assert offered.key("left", None) == TextLine("openat2", 6)
    assert offered.key("f5", None) is None
    assert offered.spans(20) == [("openat2", "cursor"), (" ", "")]
    assert length(offered.spans(4)) <= 4
    assert not TextLine.offer("").offered


async def test_a_second_search_begins_anew(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press("slash", "=openat2", "escape", "slash", "=execve")
        assert it.app.workspace.symbols.query_line.text == "execve"
        await it.press("escape", "slash", "end", "=at")
        assert it.app.workspace.symbols.query_line.text == "execveat"


async def test_a_second_search_of_the_events_begins_anew(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await opens(it)
        await it.press("4", "slash", "=zzz", "enter", "slash", "=ld.so", "enter")
        assert it.app.workspace.events.needle == "ld.so"
        assert "ld.so" in next(row for row in rows(it)[3:] if row.startswith("▌"))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 24)])
async def test_where_one_pane_has_the_screen_the_others_are_named(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, size) as it:
        await it.press("3")
        await it.happen(1)
        status = rows(it)[0]
        assert "3 Probes" in status
        assert " 4" in status
        assert ("4 Events" in status) == (size[0] >= 100)


async def test_wide_terminals_need_no_names_of_panes(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        assert "4 Events" not in rows(it)[0]


async def test_the_list_of_probes_shows_the_whole_line_where_rows_are_short(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press("slash", "=__x64_sys_execve", "enter", "space", "down", "space", "down", "space", "w")
        await it.until(lambda: "sys_execve" in it.listed(), "the probe")
        line = it.listed().splitlines()[-1]
        await it.until(lambda: line in " ".join(row.strip() for row in rows(it)), line)


async def test_toasts_leave_the_line_and_its_verdict_free(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW, notifications=True) as it:
        await it.press("2", "i", "ctrl+u", "=p:kptui/x vfs_read n=%foo", "enter", "w")
        await it.until(lambda: "Nothing was written" in it.screen(), "toast")
        assert "the kernel refused this: Invalid register name" in it.screen()
        assert "The kernel knows no register %foo." in it.screen()


async def test_toasts_leave_the_newest_event_free(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW, notifications=True) as it:
        await opens(it)
        it.app.say("something to say")
        await it.until(lambda: "something to say" in it.screen(), "toast")
        screen = rows(it)
        assert "ARGS" in screen[2]
        assert "something to say" in "\n".join(screen[3:8])
        assert "▌" not in "".join(screen[-8:])


async def test_a_toast_shows_once_where_a_dialog_stands(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW, notifications=True) as it:
        await it.press("4")
        it.app.say("something to say")
        await it.until(lambda: "something to say" in it.screen(), "toast")
        await it.press("y")
        await it.until(lambda: "the probe line" in it.screen(), "menu")
        workspace = it.app.workspace
        assert it.screen().count("something to say") <= 1
        assert workspace.has_class("covered")
        await it.press("escape")
        await it.until(lambda: not workspace.has_class("covered"), "closed")


async def test_while_tracefs_opens_nothing_is_said_to_be_missing(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW, live=False, ready=False) as it:
        assert ("authoring only" in rows(it)[0]) == (not it.app.workspace.status.status.busy)
        if it.app.workspace.status.status.busy:
            assert "opening tracefs …" in rows(it)[0]
        await it.until(lambda: "authoring only" in rows(it)[0], "found out")


async def test_a_misspelt_symbol_is_mended_with_one_key(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.until(
            lambda: bool(it.app.workspace.symbols.search and it.app.workspace.symbols.search.prepared)
        )
        await it.press("2", "i", "ctrl+u", "=p:kptui/x vfs_raed n=%di")
        assert "use vfs_read" in it.screen()
        await it.press("ctrl+e")
        assert it.app.workspace.editor.line == "p:kptui/x vfs_read n=%di"
        await it.press("ctrl+u", "=p:kptui/x qqqqzzzzjjjj n=%di")
        assert it.app.workspace.editor.fixes == ()


async def test_nothing_is_offered_for_a_symbol_that_exists(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.until(
            lambda: bool(it.app.workspace.symbols.search and it.app.workspace.symbols.search.prepared)
        )
        await it.press("2", "i", "ctrl+u", "=p:kptui/x vfs_read+zz")
        verdict = it.app.workspace.editor.verdict
        assert verdict is not None
        assert not verdict.ok
        assert offer_near(verdict, "p:kptui/x vfs_read+zz", it.app.workspace.symbols.search) is verdict


async def test_another_probe_typed_as_a_line_leaves_the_first_alone(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*OPEN, "w", "2")
        assert "replaces kptui/do_sys_openat2" in it.screen()
        await it.press("i", "ctrl+u", "=p:kptui/x vfs_read n=%dx", "enter")
        assert "replaces" not in it.screen()
        await it.press("w")
        assert "kptui/do_sys_openat2 " in it.listed()
        assert "kptui/x " in it.listed()
        await it.press("2", "i", "end", "=:u64", "enter")
        assert "replaces kptui/x" in it.screen()


async def test_an_entry_that_cannot_be_chosen_says_why(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*OPEN, "w", "y")
        assert "1 probe " in it.screen() + " "
        assert "1 probes" not in it.screen()
        await it.press("f")
        assert any("no filter on the selected probe" in toast for toast in it.toasts())


async def test_the_snapshot_says_why_it_is_empty(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press("T")
        await it.until(lambda: "No events since this was opened" in it.screen(), "snapshot")


@pytest.mark.parametrize("pane", ["1", "2", "3", "4"])
async def test_help_is_continued_under_its_column(tmp_path: Path, pane: str) -> None:
    async with demo(tmp_path, (72, 40)) as it:
        await it.press(pane, "question_mark")
        start = next(i for i, row in enumerate(rows(it)) if row.strip() == "Here")
        listed = [row for row in rows(it)[start + 1 : -1] if row.strip()]
        headings = {"In every list", "Everywhere", "While typing"}
        assert all(row.startswith("   ") or row.strip() in headings for row in listed)


async def test_bare_words_are_a_view(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await opens(it)
        pane = it.app.workspace.events
        await it.press("4", "ampersand")
        assert "a word, or" in it.screen()
        await it.press("=ld.so", "enter")
        shown = [it.app.log_of_events.line(pane.view.index(i)) for i in range(len(pane.view))]
        assert shown
        assert all(b"ld.so" in line for line in shown)
        assert len(shown) < len(it.app.log_of_events)
        await it.press("x")  # the text that the words became can be built on
        assert not pane.error
        assert pane.view_text.startswith("line ~ ")


async def test_names_that_differ_at_their_ends_are_told_apart(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await opens(it)
        await it.press("slash", "ctrl+u")
        await it.press("escape", "1", "slash", "=do_sys_openat2", "ctrl+r", "enter", "s")
        await it.happen(10)
        await it.press("ampersand", "=ret == -2", "enter")
        text = "\n".join(rows(it)[3:-1])
        assert "2_ret" in text
        assert "ret=-2 ENOENT" in text


async def test_detail_names_the_error(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press("slash", "=do_sys_openat2", "ctrl+r", "enter", "s")
        await it.happen(10)
        await it.press("4", "ampersand", "=ret < 0", "enter", "up", "enter")
        await it.until(lambda: "arguments" in it.screen(), "detail")
        assert "ENOENT: No such file or directory" in it.screen() or "ENOTDIR: Not a directory" in it.screen()


async def test_the_filter_builder_tells_how_to_get_to_the_next_cell(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*OPEN, "down", "enter", "w", "F")
        await it.until(lambda: "no filter: every event passes" in it.screen(), "builder")
        await it.press("a")
        assert "→ Cell" in rows(it)[-1]
        pane = it.app.screen.pane  # type: ignore[attr-defined]
        value: FilterValue = pane.value
        await it.press("enter")
        assert value.rows[0].field in it.screen()  # what is there stays to be seen until a letter is typed
        await it.press("=common_pid", "enter", "right", "less_than_sign")
        assert value.rows[0].op == "<"
        await it.press("less_than_sign")
        assert value.rows[0].op == "<="
        await it.press("i", "ctrl+u", '=cpu == 1 || cpu == 2 && filename ~ "/tmp/*"', "enter")
        assert value.mixed
        assert "&& goes before ||" in it.screen()
        await it.press("i", "ctrl+u", '=(cpu == 1 || cpu == 2) && filename ~ "/tmp/*"', "enter")
        assert "&& goes before ||" not in it.screen()
        await it.press("i", "ctrl+u", '=filename ~ "/tmp"', "enter")
        assert '~ "/tmp" has no *: only exactly this passes' in it.screen()
        await it.press("i", "ctrl+u", '=filename ~ "/tmp/*" && comm ~ ""', "enter")
        assert "has no *" not in it.screen()
        await it.press("left", "left", "left", "left", "left")
        assert pane.cell == (1 if pane.cursor.at == 0 else 0)
