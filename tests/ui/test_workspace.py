"""The workspace by keystrokes, on the simulated kernel: state first, then the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.events import DescendantFocus, Hide, Mount

from kptui.ui.workspace import Workspace
from tests.ui.support import NARROW, WIDE, demo

EXECVE = ("slash", "=__x64_sys_execve", "enter")
OPEN = ("slash", "=do_sys_openat2", "enter")
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@SIZES
async def test_search_probe_enable_watch(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await it.press(*EXECVE)
        assert it.app.workspace.current == "editor"
        assert "p:kptui/execve __x64_sys_execve" in it.screen()
        assert "the kernel will accept this" in it.screen()
        await it.press("w")
        await it.until(lambda: "kptui/execve" in it.listed(), "defined")
        await it.until(lambda: it.app.workspace.current == "probes")
        assert it.files.read("instances/" + _instance(it) + "/events/kptui/execve/enable") == b"0\n"
        await it.press("space")
        await it.until(lambda: any(s.enabled for s in it.app.states), "enabled")
        await it.happen()
        await it.press("4")
        assert "execve" in it.screen()
        assert it.app.log_of_events.received > 0


@SIZES
async def test_replace_with_arguments_from_the_offers(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await it.press(*EXECVE, "w")
        await it.until(lambda: "kptui/execve" in it.listed(), "defined")
        await it.press("enter", "space", "j", "space", "j", "space")
        assert it.app.workspace.editor.draft is not None
        assert it.app.workspace.editor.draft.replacing == ("kptui", "execve")
        await it.press("s")
        await it.until(lambda: "filename=" in it.listed(), "replaced")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(10)
        assert it.app.workspace.current == "events"
        assert 'filename="/usr/bin/' in it.screen()
        assert "argv0=" in it.listed()
        assert it.listed().count("kptui/execve") == 1


async def test_refusal_shows_the_kernels_words_and_a_caret_and_writes_nothing(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*OPEN, "i", "= x=%rdi")
        lines = it.screen().splitlines()
        shown = next(i for i, line in enumerate(lines) if "x=%rdi" in line)
        caret = next(i for i, line in enumerate(lines) if line.strip() == "^")
        assert caret == shown + 1
        assert lines[caret].index("^") == lines[shown].index("%rdi")
        assert "Invalid register name" in it.screen()
        await it.press("enter", "w")
        await it.until(lambda: any("Nothing was written" in t for t in it.toasts()), "refused")
        assert "do_sys_openat2" not in it.listed()
        await it.press("ctrl+e", "w")
        await it.until(lambda: "x=%di" in it.listed(), "mended and written")


async def test_unknown_symbol_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press("2", "i", "ctrl+u", "=p:kptui/x no_such_function", "enter")
        assert "Invalid probed address or symbol" in it.screen()
        await it.press("w")
        await it.until(lambda: any("Nothing was written" in t for t in it.toasts()), "refused")
        assert "kptui/x" not in it.listed()
        assert "no_such_function" in it.app.workspace.editor.line


async def test_filter_by_two_pids_through_the_builder(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "j", "space", "s")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(6)
        pids = sorted(
            {
                r.pid
                for i in range(len(it.app.log_of_events))
                if (r := it.app.log_of_events.record(i)).kind == "event"
            }
        )
        a, b = pids[0], pids[-1]
        await it.press("3", "F", "a", "enter", "=common_p", "enter", "right", "right", f"={a}", "enter")
        await it.press("o", "right", "right", f"={b}", "enter")
        assert f"common_pid == {a} || common_pid == {b}" in it.screen()
        assert "of the last" in it.screen()
        await it.press("s")
        wanted = f"common_pid == {a} || common_pid == {b}"
        await it.until(lambda: any(s.filter == wanted for s in it.app.states), "filter set")
        path = f"instances/{_instance(it)}/events/kptui/do_sys_openat2/filter"
        assert it.files.read(path).decode().strip() == wanted
        await it.press("4", "C")
        await it.happen(12)
        log = it.app.log_of_events
        seen = {r.pid for i in range(log.first, log.end) if (r := log.record(i)).kind == "event"}
        assert seen <= {a, b}


async def test_bad_filter_is_refused_in_the_builder_and_the_old_one_stays(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press(*OPEN, "space", "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "defined")
        await it.press("F", "i", "=dfd == 3", "enter", "s")
        await it.until(lambda: any(s.filter == "dfd == 3" for s in it.app.states), "set")
        await it.press("F", "i", "ctrl+u", "=dfd = 4", "enter")
        assert "Invalid operator" in it.screen()
        assert "^" in it.screen()
        await it.press("s")  # refused: the builder stays
        assert "Invalid operator" in it.screen()
        await it.press("escape")
        assert any(s.filter == "dfd == 3" for s in it.app.states)


async def test_group_filter_shows_the_result_for_each_event(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "first")
        await it.press("slash", "ctrl+u", "=__x64_sys_execve", "enter", "space", "w")
        await it.until(lambda: "kptui/execve" in it.listed(), "second")
        await it.press("3", "ctrl+g", "i", "ctrl+u", "=dfd == -100", "enter", "s")
        await it.until(lambda: "event by event" in it.screen(), "result")
        assert "✓ kptui/do_sys_openat2: set" in it.screen()
        assert "✗ kptui/execve" in it.screen()
        assert {s.event: s.filter for s in it.app.states if s.ours} == {
            "do_sys_openat2": "dfd == -100",
            "execve": None,
        }


async def test_enable_all_disable_all_and_ctrl_c(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "first")
        await it.press("slash", "ctrl+u", "=vfs_read", "ctrl+r", "space", "w")
        await it.until(lambda: "vfs_read_ret" in it.listed(), "second")
        await it.press("3", "E")
        await it.until(lambda: sum(s.enabled for s in it.app.states if s.ours) == 2, "all on")
        await it.press("X")
        await it.until(lambda: not any(s.enabled for s in it.app.states if s.ours), "all off")
        await it.press("E")
        await it.until(lambda: sum(s.enabled for s in it.app.states if s.ours) == 2, "all on")
        await it.press("ctrl+c")
        await it.until(lambda: not any(s.enabled for s in it.app.states if s.ours), "stopped")
        assert it.app.is_running


async def test_others_probes_are_left_alone(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press("3", "space")
        assert any("isn't ours" in t for t in it.toasts())
        await it.press("d")
        assert "old_probe" in it.listed()
        await it.press("enter")
        draft = it.app.workspace.editor.draft
        assert draft is not None
        assert draft.line == "p:kptui/old_probe do_exit"
        assert draft.replacing is None


async def test_view_filter_search_hold_and_detail(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "j", "space", "s")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(10)
        pane = it.app.workspace.events
        whole = len(pane.view)
        await it.press("ampersand", '=filename ~ "/etc/*"', "enter")
        await it.until(lambda: pane.view.behind == 0, "view caught up")
        assert 0 < len(pane.view) < whole
        await it.press("escape")
        await it.press("slash", "=ld.so", "enter")
        assert not pane.follow
        record = pane.record
        assert record is not None
        assert "ld.so" in record.text if record.kind != "event" else True
        position = pane.at
        await it.press("N")
        assert pane.at < position or pane.error
        await it.press("n")
        assert pane.at == position or pane.error
        await it.press("enter")
        await it.until(lambda: "the line as it came" in it.screen(), "detail")
        await it.press("escape")
        assert not pane.follow
        await it.press("f")
        assert pane.follow


async def test_copy_menu_copies_line_and_script(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*EXECVE, "space", "y")
        assert "the whole session as a shell script" in it.screen()
        await it.press("y")
        await it.until(lambda: bool(it.toasts()), "toast")
        assert it.app.last_copy == "p:kptui/execve __x64_sys_execve filename=+0(+112(%di)):ustring"
        assert (tmp_path / "clipboard").read_text() == it.app.last_copy
        assert "clipboard" in it.toasts()[-1]
        await it.press("y", "s")
        await it.until(lambda: it.app.last_copy.startswith("#!"), "script")
        assert "__x64_sys_execve" in it.app.last_copy
        assert "-:" in it.app.last_copy


async def test_help_palette_writes_snapshot(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await it.press("question_mark")
        assert "Help: symbols" in it.screen()
        await it.press("escape", *EXECVE, "w")
        await it.until(lambda: "kptui/execve" in it.listed(), "defined")
        await it.press("at")
        assert "p:kptui/execve __x64_sys_execve" in it.screen()
        await it.press("escape", "3", "space")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.press("T")
        await it.until(lambda: "trace: snapshot" in it.screen(), "snapshot")
        it.files.advance(10)
        await it.press("R")
        await it.until(lambda: ": execve:" in it.screen(), "an event in the snapshot")
        assert it.app.log_of_events.received == 0
        await it.press("escape")
        await it.until(lambda: it.app.log_of_events.received > 0, "the events that waited")
        await it.press("escape", "colon")
        await it.until(
            lambda: (
                it.app.screen.id == "--command-palette" or "CommandPalette" in type(it.app.screen).__name__
            ),
            "palette",
        )


async def test_hostile_names_reach_no_cell(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        prefix = b"            bash-77    [000] .....     9.183072: open: (do_sys_openat2+0x0/0xe0)"
        line = prefix + b' f="/tmp/a\x1b]52;c;SEk=\x07\xc2\x9b[31m\xe2\x80\xae"\n'
        it.app.log_of_events.feed(line * 3)
        await it.press("4")
        await it.until(lambda: "\\x1b]52" in it.screen(), "shown escaped")
        for bad in "\x1b\x07\x9b\u202e":
            assert bad not in it.screen()
        await it.press("k", "y", "e")
        await it.until(lambda: bool(it.app.last_copy), "copied")
        assert "\x1b" not in it.app.last_copy


async def test_authoring_without_a_kernel(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW, live=False) as it:
        assert "sudo kptui" in it.screen()
        await it.press(*EXECVE, "space", "w")
        assert any("No live kernel" in t for t in it.toasts())
        await it.press("y", "y")
        await it.until(lambda: bool(it.app.last_copy), "copied")
        assert it.app.last_copy.startswith("p:kptui/execve")


async def test_quit_asks_only_when_something_stands(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press("q")
        await it.until(lambda: not it.app.is_running or it.app._exit, "gone")


@pytest.mark.parametrize(
    "size", [(20, 5), (10, 3), (1, 1), (40, 10), (80, 24), (119, 29), (120, 30), (240, 60), (300, 100)]
)
async def test_every_size_draws_every_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await it.press(*OPEN, "space", "s")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(3)
        for key in ("1", "2", "3", "4", "plus", "1", "2", "3", "4"):
            await it.press(key)
        await it.press("3", "F", "a", "escape", "y", "escape", "question_mark", "escape", "at", "escape")
        await it.pilot.resize_terminal(80, 24)
        await it.press("1")
        assert "do_sys_openat2" in it.screen()


def _instance(it: object) -> str:
    session = it.app.world.session  # type: ignore[attr-defined]
    assert session is not None
    return str(session.instance)


async def test_the_articles_line_is_offered_rewritten(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        line = "p:test_probe sys_execve filename=+0(%di):string arg1=+0(+0(%si)):string"
        await it.press("2", "i", "ctrl+u", f"={line}")
        assert "Invalid probed address or symbol" in it.screen()
        await it.press("ctrl+e", "enter")
        assert it.app.workspace.editor.line == (
            "p:test_probe __x64_sys_execve filename=+0(+112(%di)):ustring arg1=+0(+0(+104(%di))):ustring"
        )
        assert "the kernel will accept this" in it.screen()
        await it.press("s")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        assert "kprobes/test_probe" in it.listed() or "kptui/test_probe" in it.listed()


async def test_processes_are_picked_by_name(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "defined")
        await it.press("P", "=systemd", "enter")
        await it.until(lambda: "common_pid == " in it.screen(), "builder")
        await it.press("s")
        await it.until(lambda: any(s.filter and "common_pid ==" in s.filter for s in it.app.states), "set")


async def test_the_search_of_processes_takes_a_slash_a_paste_and_no_enter_on_nothing(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "defined")
        await it.press("P", "=/nosuch", "enter")
        assert "no process matches" in it.screen()
        assert "/ nosuch" in it.screen()
        await it.press("ctrl+u")
        it.app.post_message(events.Paste("\nnginx\n"))
        await it.settle()
        await it.press("space", "down", "space", "enter")
        await it.until(lambda: "common_pid == 913 || common_pid == 914" in it.screen(), "both")


async def test_what_is_replaced_says_whether_it_is_on(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "w")
        await it.until(lambda: it.toasts()[-1:] == ["kptui/do_sys_openat2 defined; space enables it."])
        await it.press("space")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.press("enter", "j", "space", "w")
        await it.until(lambda: it.toasts()[-1:] == ["kptui/do_sys_openat2 replaced and on."])
        assert any(s.enabled for s in it.app.states)


async def test_events_are_saved_in_three_formats(tmp_path: Path) -> None:
    import csv
    import json

    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "j", "space", "s")
        await it.until(lambda: any(s.enabled for s in it.app.states), "on")
        await it.happen(6)
        kept = len(it.app.workspace.events.view)
        for name in ("e.jsonl", "e.csv", "e.txt"):
            await it.press("w", "ctrl+u", f"={tmp_path / name}", "enter")
            await it.until((tmp_path / name).exists, name)
        rows = [json.loads(row) for row in (tmp_path / "e.jsonl").read_text().splitlines()]
        assert len(rows) == kept
        assert rows[0]["args"][0]["name"] == "dfd"
        table = list(csv.reader((tmp_path / "e.csv").read_text().splitlines()))
        assert len(table) == kept + 1
        assert len((tmp_path / "e.txt").read_text().splitlines()) == kept


async def test_an_and_row_holds_for_all_that_was_joined_with_or(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press(*OPEN, "space", "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "defined")
        await it.press("F", "a", "right", "right", "=1", "enter", "o", "right", "right", "=2", "enter")
        await it.press("a", "right", "right", "=3", "enter")
        assert "(dfd == 1 || dfd == 2) && dfd == 3" in it.screen()
        await it.press("s")
        await it.until(lambda: any(s.filter for s in it.app.states), "set")
        await it.press("P", "=systemd", "enter")
        await it.until(lambda: "&& dfd == 3) && (common_pid == " in it.screen().replace("\n ", ""), "joined")


async def test_a_late_word_of_an_earlier_focus_moves_nothing(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        workspace = it.app.workspace
        await it.press(*OPEN)
        workspace.symbols.post_message(DescendantFocus(workspace.symbols))
        await it.settle()
        assert workspace.current == "editor"
        assert workspace.focused is workspace.editor


async def test_the_pane_that_is_shown_never_loses_the_focus(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        workspace = it.app.workspace
        await it.press(*OPEN)
        workspace.editor.post_message(Hide())  # what textual sends a widget whose hiding was overtaken
        await it.settle()
        await it.until(lambda: workspace.focused is workspace.editor, "the focus is back")
        assert "▌Probe" in it.screen()


async def test_a_small_terminal_has_one_pane_from_the_first_layout_on(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Watched(Workspace):
        def _on_mount(self, event: Mount) -> None:
            super()._on_mount(event)
            seen.append(self.has_class("narrow") and self.has_class("show-symbols"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kptui.ui.app.Workspace", Watched)
        async with demo(tmp_path, NARROW):
            pass
        async with demo(tmp_path, WIDE):
            pass
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("hits", "said"), [(0, "is this function called at all"), (7, "kptui's own calls count")]
)
async def test_why_no_event_comes_is_told_by_the_hits(
    tmp_path: Path, hits: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kptui.ui.live.SILENCE", -1.0)
    async with demo(tmp_path, NARROW) as it:
        await it.press(*OPEN, "s")
        await it.until(lambda: any(state.enabled for state in it.app.states), "on")
        it.app.live.states = tuple(replace(state, hits=hits) for state in it.app.states)
        it.app.live._show_hint()
        assert said in " ".join(it.app.workspace.events.hint)
