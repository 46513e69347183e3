"""The kernel's verdict before and after the kernel: fixes by key, warnings, what is waited for, and the last word."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kptui.kernel.session import Session
from kptui.kernel.sim.known import know_sim
from kptui.kernel.target.known import Known
from kptui.symbols import SymbolSearch, SymbolTable, near
from kptui.ui.dialogs.base import Dialog
from kptui.ui.dialogs.filter import FilterPane
from kptui.verdict import Verdict
from tests.ui.support import NARROW, WIDE, Driven, demo

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE])
OPEN = ("slash", "=do_sys_openat2", "enter", "enter")


async def typed(it: Driven, line: str) -> None:
    """Type a whole line in the editor."""
    await it.press("2", "i", "ctrl+u", f"={line}")


def under(it: Driven, line: str) -> list[str]:
    """The rows of the screen under the line, from its column on."""
    rows = it.screen().splitlines()
    at = max(i for i, row in enumerate(rows) if line in row)
    column = rows[at].index(line)
    return [row[column:].rstrip() for row in rows[at + 1 :]]


@SIZES
async def test_a_fix_is_applied_while_the_line_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await typed(it, "p:kptui/x vfs_read n=%rdi")
        caret, message, sentence, fix = under(it, "p:kptui/x vfs_read n=%rdi")[:4]
        assert caret == " " * len("p:kptui/x vfs_read n=") + "^"
        assert message == "✗ Invalid register name  EINVAL"
        assert sentence.strip() == "The kernel calls it %di."
        assert fix.strip() == "ctrl+e  use %di"
        await it.press("ctrl+e")
        assert it.app.workspace.editor.line == "p:kptui/x vfs_read n=%di"
        assert "✓ the kernel will accept this" in it.screen()
        await it.press("enter", "w")
        assert "p:kptui/x vfs_read n=%di" in it.listed()


@SIZES
async def test_the_line_stays_where_it_is_whatever_the_verdict(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await typed(it, "p:kptui/x vfs_read n=")
        places = set()
        for letter in "%di":
            await it.press(f"={letter}")
            rows = it.screen().splitlines()
            places.add(next(i for i, row in enumerate(rows) if "p:kptui/x vfs_read n=" in row))
        assert len(places) == 1


@SIZES
async def test_one_of_several_copies_is_chosen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        table = it.app.table
        assert table is not None
        name = "mmio_read"
        copies = table.lookup(name)
        (start,) = table.lookup("_text")
        assert len(copies) == 2
        await typed(it, f"p:kptui/x {name} f=%di")
        assert "The symbol is not unique" in it.screen()
        assert "ctrl+e  one of 2: use _text+" in it.screen()
        await it.press("ctrl+e")
        await it.until(lambda: "Which one?" in it.screen(), "the choice")
        for copy in copies:
            assert copy.address is not None
            assert start.address is not None
            assert f"use _text+{copy.address - start.address}" in it.screen()
            assert f"0x{copy.address:x} in the kernel" in it.screen()
        await it.press("2")
        await it.until(lambda: "Which one?" not in it.screen(), "closed")
        assert copies[1].address is not None
        assert start.address is not None
        assert it.app.workspace.editor.line == f"p:kptui/x _text+{copies[1].address - start.address} f=%di"
        await it.press("enter", "w")
        assert "kptui/x" in it.listed()


async def test_a_choice_that_is_closed_changes_nothing(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await typed(it, "p:kptui/x mmio_read")
        await it.press("ctrl+e", "escape")
        assert it.app.workspace.editor.line == "p:kptui/x mmio_read"
        assert it.app.workspace.editor.typing


async def test_an_old_line_is_rewritten_by_one_key(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await typed(it, "p:kptui/x sys_execve name=+0(%di):string")
        await it.press("ctrl+e")
        assert it.app.workspace.editor.line == "p:kptui/x __x64_sys_execve name=+0(+112(%di)):ustring"


@SIZES
async def test_every_warning_is_on_the_screen_or_a_key_away(tmp_path: Path, size: tuple[int, int]) -> None:
    line = (
        "p:kptui/x __x64_sys_openat a=+0(%si):string b=+0(%dx)junk c=+0(+104(%di)):string comm=%ax d=+0(%di)e"
    )
    async with demo(tmp_path, size) as it:
        await typed(it, line)
        verdict = it.app.workspace.editor.verdict
        assert verdict is not None
        assert verdict.ok
        assert len(verdict.warnings) >= 5
        assert "! accepted, but:" in it.screen()
        assert "ctrl+e  " in it.screen()
        await it.press("ctrl+y")
        await it.until(lambda: "What is said of the line" in it.screen(), "all of it")
        shown = " ".join(it.screen().split())
        for warning in verdict.warnings:
            assert " ".join(warning.split())[:60] in shown
        await it.press("escape")
        assert it.app.workspace.editor.typing


async def test_what_is_known_of_the_kernel_comes_later_and_counts(tmp_path: Path) -> None:
    ready = False

    def know(table: SymbolTable | None) -> Known | None:
        while not ready:
            time.sleep(0.01)
        return know_sim(table) if table is not None else None

    async with demo(tmp_path, NARROW, know=know, ready=False) as it:
        await it.until(lambda: it.app.table is not None, "symbols")
        await it.pilot.pause(0.2)
        await it.press_unsettled("2", "i", "ctrl+u", "=p:sched/sched_switch vfs_read a=nosuch")
        await it.until(lambda: it.app.workspace.editor.verdict is not None, "a verdict")
        verdict = it.app.workspace.editor.verdict
        assert verdict is not None
        assert verdict.ok
        ready = True
        await it.until(lambda: "no parameter of that name" in it.screen(), "BTF's word")
        await it.press("ctrl+u", "=p:sched/sched_switch vfs_read")
        assert "already used by another event" in it.screen()
        await it.press("ctrl+e")
        assert it.app.workspace.editor.line == "p:sched/sched_switch2 vfs_read"


async def test_keys_do_not_wait_for_a_slow_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo(tmp_path, NARROW) as it:
        lines = it.app.lines
        asked: list[str] = []
        real = lines.verdict

        def slow(line: str, replacing: tuple[str, str] | None) -> object:
            asked.append(line)
            time.sleep(0.3)
            return real(line, replacing)

        await typed(it, "p:kptui/x ")
        monkeypatch.setattr(lines, "verdict", slow)
        start = time.perf_counter()
        await it.press_unsettled("=vfs_rea")
        elapsed = time.perf_counter() - start
        assert it.app.workspace.editor.line == "p:kptui/x vfs_rea"
        assert elapsed < 7 * 0.3
        await it.pilot.pause()
        assert under(it, "p:kptui/x vfs_rea")[1] == "…"
        await it.until(lambda: it.app.workspace.editor.verdict is not None, "the verdict")
        assert len(asked) < 7  # what was typed over isn't judged
        assert asked[-1] == "p:kptui/x vfs_rea"


async def test_no_frame_shows_a_line_with_the_verdict_of_another(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await typed(it, "p:kptui/x vfs_read n=%di")
        editor = it.app.workspace.editor
        editor.text_paste("r")
        verdict = editor.verdict
        assert verdict is None or verdict.command == editor.line


async def test_the_nearest_symbol_of_a_line_before_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with demo(tmp_path, NARROW) as it:
        real = near.offer_near
        asked: list[str] = []

        def slow(verdict: Verdict, line: str, search: SymbolSearch | None) -> Verdict:
            asked.append(line)
            time.sleep(0.3)
            return real(verdict, line, search)

        monkeypatch.setattr(near, "offer_near", slow)
        await typed(it, "p:kptui/x vfs_raed")
        await it.until(lambda: "use vfs_read" in it.screen(), "the nearest")
        await it.press_unsettled("ctrl+u", "=p:kptui/x vfs_rea")
        await it.until(lambda: asked[-1].endswith("vfs_rea"), "asked")
        await it.press("=d n=%rdi")
        await it.pilot.pause(0.5)
        assert "Invalid register name" in it.screen()
        assert "ctrl+e  use %di" in it.screen()


# -- the last word


def entries(tmp_path: Path) -> list[dict[str, object]]:
    path = tmp_path / "disagreements.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@SIZES
async def test_the_kernels_refusal_has_the_place_of_ours(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await typed(it, "p:kptui/x  vfs_read   n=%rdi")
        await it.press("enter", "w")
        await it.until(lambda: "the kernel refused this: Invalid register name" in it.screen(), "refusal")
        assert under(it, "p:kptui/x  vfs_read   n=%rdi")[0] == " " * len("p:kptui/x  vfs_read   n=") + "^"
        assert "The kernel calls it %di." in it.screen()
        assert entries(tmp_path) == []
        await it.press("f")
        assert it.app.workspace.editor.line == "p:kptui/x  vfs_read   n=%di"


async def test_what_only_the_kernel_can_know_is_no_mistake(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await typed(it, "p:kptui/x vfs_read+12")
        assert "✓ the kernel will accept this" in it.screen()
        await it.press("enter", "w")
        await it.until(lambda: "Probe point is not an instruction boundary" in it.screen(), "refusal")
        assert "The offset lies inside an instruction" in it.screen()
        assert "a mistake of kptui" not in it.screen()
        assert entries(tmp_path) == []


def without_symbols(table: SymbolTable | None) -> Known | None:
    """A kernel that is wrongly believed to have every symbol once."""
    known = know_sim(table) if table is not None else None
    return (
        replace(known, target=replace(known.target, symbol_count=lambda name, module: 1)) if known else None
    )


@SIZES
async def test_a_refusal_that_was_not_expected_is_told_and_kept(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, size, know=without_symbols) as it:
        await typed(it, "p:kptui/x nosuch_function")
        assert "✓ the kernel will accept this" in it.screen()
        await it.press("enter", "w")
        await it.until(lambda: "a mistake of kptui" in it.screen(), "told")
        said = " ".join(it.screen().split())
        assert "! kptui expected it to be accepted: a mistake of kptui; logged in" in said
        assert "the kernel refused this: Invalid probed address or symbol" in said
        (entry,) = entries(tmp_path)
        assert entry["text"] == "p:kptui/x nosuch_function"
        assert entry["kptui"] == {"ok": True, "errno": None, "messages": []}
        assert entry["kernel"] == {
            "ok": False,
            "errno": "EINVAL",
            "messages": [{"message": "Invalid probed address or symbol", "column": 10}],
        }
        await it.press("i", "=2")
        assert "a mistake of kptui" not in it.screen()


async def test_a_line_that_the_kernel_takes_against_our_word(tmp_path: Path) -> None:
    def nothing_exists(table: SymbolTable | None) -> Known | None:
        known = know_sim(table) if table is not None else None
        return replace(known, target=replace(known.target, symbol_count=lambda n, m: 0)) if known else None

    async with demo(tmp_path, NARROW, know=nothing_exists) as it:
        await typed(it, "p:kptui/x vfs_read")
        assert "Invalid probed address or symbol" in it.screen()
        await it.press("enter", "w")
        assert "kptui/x vfs_read" in it.listed()
        assert any("The kernel took it. Kptui expected “Invalid probed" in toast for toast in it.toasts())
        assert len(entries(tmp_path)) == 1


async def test_our_own_refusal_is_not_called_the_kernels(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        it.files.append("kprobe_events", b"p:kptui/foreign vfs_read\n")
        await it.app.refresh_states()
        await typed(it, "p:kptui/foreign vfs_write")
        await it.press("enter", "w")
        await it.until(
            lambda: "not written: an event kptui/foreign" in " ".join(it.screen().split()), "refusal"
        )
        assert "the kernel refused" not in it.screen()


# -- filters


def builder(it: Driven) -> FilterPane:
    screen = it.app.screen
    assert isinstance(screen, Dialog)
    assert isinstance(screen.pane, FilterPane)
    return screen.pane


async def open_builder(it: Driven) -> Session:
    await it.press(*OPEN, "w", "F")
    await it.until(lambda: "Filter of" in it.screen(), "builder")
    session = it.app.world.session
    assert session is not None
    return session


@SIZES
async def test_a_filter_is_mended_by_key(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        session = await open_builder(it)
        await it.press("i", "ctrl+u", "=dfd = 4")
        assert "Invalid operator" in it.screen()
        assert "ctrl+e  use ==" in it.screen()
        await it.press("ctrl+e", "enter", "s")
        await it.until(lambda: "Filter of" not in it.screen(), "closed")
        assert session.states()[-1].filter == "dfd == 4"


@SIZES
async def test_a_filter_that_the_kernel_refuses_leaves_the_old_one(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, size) as it:
        session = await open_builder(it)
        await it.press("i", "ctrl+u", "=dfd == 4", "enter", "s")
        await it.until(lambda: "Filter of" not in it.screen(), "set")
        await it.press("F")
        await it.until(lambda: "Filter of" in it.screen(), "builder")
        await it.press("i", "ctrl+u", "=dfd = 5", "enter", "s")
        await it.until(lambda: "the kernel refused this: Invalid operator" in it.screen(), "refused")
        rows = it.screen().splitlines()
        at = next(i for i, row in enumerate(rows) if "dfd = 5" in row)
        assert rows[at + 1].index("^") == rows[at].index("= 5")
        assert "= is no operator of a filter." in it.screen()
        assert session.states()[-1].filter == "dfd == 4"
        assert entries(tmp_path) == []
        await it.press("f", "s")
        await it.until(lambda: "Filter of" not in it.screen(), "mended and set")
        assert session.states()[-1].filter == "dfd == 5"


async def test_an_unfinished_filter_never_reaches_the_kernel(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        session = await open_builder(it)
        written = len(session.log)
        await it.press("i", "ctrl+u", "=dfd == 4 &&", "enter", "s")
        await it.until(lambda: "Meaningless filter expression" in it.screen(), "refused")
        assert not any("&&" in record.data for record in session.log[written:])


async def test_a_filter_judged_wrongly_is_told_and_kept(tmp_path: Path) -> None:
    def old(table: SymbolTable | None) -> Known | None:
        known = know_sim(table) if table is not None else None
        return replace(known, filter_features=frozenset()) if known else None

    async with demo(tmp_path, NARROW, know=old) as it:
        session = await open_builder(it)
        await it.press("i", "ctrl+u", "=__probe_ip.function == do_sys_openat2")
        assert "This kernel has no .function in filters." in it.screen()
        await it.press("enter", "s")
        await it.until(lambda: "Filter of" not in it.screen(), "set all the same")
        assert session.states()[-1].filter == "__probe_ip.function == do_sys_openat2"
        (entry,) = entries(tmp_path)
        assert entry["file"] == "events/kptui/do_sys_openat2/filter"
