"""The symbol list: what narrows it, what can be probed and why not, which of several of a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from kptui.symbols import ProbeLists
from tests.ui.support import NARROW, WIDE, Driven, demo

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def found(it: Driven) -> list[str]:
    return [hit.symbol.name for hit in it.app.workspace.symbols.hits.hits]


async def known(it: Driven) -> None:
    """Wait until what can be probed has been looked for."""
    pane = it.app.workspace.symbols
    await it.until(lambda: pane.search is not None and pane.search.probing is not None, "probing")


def about(it: Driven) -> str:
    """The row under the list, of the symbol under the cursor."""
    return next(
        row for row in it.screen().splitlines() if row.startswith((" ✓ ", " ✗ ", " ? ", " · ", " ! "))
    )


@SIZES
async def test_words_narrow_and_combine(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await known(it)
        pane = it.app.workspace.symbols
        assert "mod:ext4 type:data probe:yes" in it.screen()
        await it.press("slash", "=mod:ext4 sync")
        assert {hit.symbol.module for hit in pane.hits.hits} == {"ext4"}
        assert found(it)[0].startswith("ext4_sync")
        await it.press("ctrl+u", "=type:data jiff")
        assert {hit.symbol.is_text for hit in pane.hits.hits} == {False}
        await it.press("ctrl+u", "=entry probe:no type:text")
        assert pane.hits.hits
        assert all(pane.probeability(hit).against for hit in pane.hits.hits)
        await it.press("ctrl+u", "=probe:yes mod:ext4 type:t read")
        assert {(hit.symbol.type, hit.symbol.module) for hit in pane.hits.hits} == {("t", "ext4")}


async def test_a_key_shows_only_what_can_be_probed_and_writes_the_word(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await known(it)
        pane = it.app.workspace.symbols
        await it.press("slash", "=jiffies")
        assert found(it)[0] == "jiffies"
        await it.press("ctrl+o")
        assert pane.query_line.text.split() == ["jiffies", "probe:yes"]
        assert pane.hits.hits
        assert not any(pane.probeability(hit).against for hit in pane.hits.hits)
        await it.press("escape", "o")
        assert pane.query_line.text.split() == ["jiffies"]
        assert found(it)[0] == "jiffies"


@SIZES
async def test_an_empty_list_says_what_to_do(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await it.press("slash", "=mod:ext4 tcp_connect")
        assert "nothing matches" in it.screen()
        assert "without mod:ext4: " in it.screen()
        await it.press("ctrl+u", "=type:foo x")
        assert "type: takes text, data" in it.screen()
        await it.press("ctrl+u", "=mod:nosuch x")
        assert "no module with symbols is called nosuch;" in it.screen()
        assert "ext4" in it.screen()
        await it.press("ctrl+u", "=foo:bar")
        assert "foo: is none of mod: type: probe:" in it.screen()
        await it.press("ctrl+u", "=tcp | udp")
        assert "a | b is two searches" in it.screen()
        await it.press("ctrl+u", "=vfs_?ead !iter")
        assert found(it) == ["vfs_read"]


@SIZES
async def test_a_symbol_says_whether_it_can_be_probed_and_enter_why_not(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, size) as it:
        await known(it)
        await it.press("slash", "=vfs_read")
        assert "✓ can be probed" in about(it)
        await it.press("ctrl+u", "=jiffies")
        assert "✗ data, not a function" in about(it)
        await it.press("enter")
        assert any("jiffies can't be probed: data" in toast for toast in it.toasts())
        assert it.app.workspace.current == "symbols"
        await it.press("enter")
        assert it.app.workspace.current == "editor"


@SIZES
async def test_one_of_several_of_a_name_is_chosen_from_a_list(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await known(it)
        await it.press("slash", "=init_once")
        assert "of this name" in about(it)
        await it.press("enter")
        assert "Which init_once?" in it.screen()
        assert "_text+0x46b110" in it.screen()
        assert "ext4:init_once" in it.screen()
        await it.press("2")
        draft = it.app.workspace.editor.draft
        assert draft is not None
        assert f"_text+{0x4FB640}" in draft.line
        assert "kptui/init_once" in draft.line
        await it.press("w")
        await it.until(lambda: "kptui/init_once" in it.listed(), "defined")


async def test_a_name_of_another_kernel_leads_to_its_successor(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await known(it)
        await it.press("slash", "=_do_fork")
        assert found(it)[0] == "kernel_clone"
        assert "for _do_fork" in about(it)


async def test_hidden_addresses_are_said_and_lists_that_cannot_be_read_are_no_verdict(tmp_path: Path) -> None:
    table = b"0000000000000000 A fixed_percpu_data\n0000000000000000 T vfs_read\n0000000000000000 T _text\n"
    async with demo(tmp_path, NARROW, kallsyms=lambda: table) as it:
        await known(it)
        assert "addresses hidden" in it.screen()
        await it.press("slash", "=vfs_read")
        assert "nothing known against it" in about(it)
    seen = table.replace(b"0000000000000000 T vfs", b"ffffffff81000100 T vfs")
    async with demo(tmp_path, NARROW, kallsyms=lambda: seen) as it:
        assert "addresses hidden" not in it.screen()  # the first is 0 on every kernel


async def test_copies_whose_addresses_are_hidden_are_listed_with_the_reason(tmp_path: Path) -> None:
    table = b"0000000000000000 T vfs_read\n0000000000000000 t init_once\n0000000000000000 t init_once\n"
    async with demo(tmp_path, NARROW, kallsyms=lambda: table) as it:
        await it.press("slash", "=init_once", "enter")
        assert it.screen().count("its address") >= 2
        await it.press("1")
        assert it.app.workspace.editor.draft is None


async def test_copies_are_offered_before_the_table_was_looked_through(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await known(it)
        search = it.app.workspace.symbols.search
        assert search is not None
        search._probing = None  # as if Enter had come before it
        await it.press("slash", "=mmio_read", "enter")
        assert "is hidden" not in it.screen()
        assert it.screen().count("_text+0x") == 2
        await it.press("2")
        assert " _text+" in it.app.workspace.editor.line


async def test_of_pasted_lines_the_first_is_looked_for(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await known(it)
        await it.press("slash")
        it.app.post_message(events.Paste("\n vfs_read+0x9b/0x3c0\n ksys_read+0x6f/0xf0\n"))
        await it.settle()
        assert found(it)[0] == "vfs_read"


async def test_copies_that_may_be_notrace_are_offered_with_the_doubt(tmp_path: Path) -> None:
    table = (
        b"ffffffff81000000 T _text\nffffffff81000100 t one\nffffffff81000200 t twice\n"
        b"ffffffff81000300 t other\nffffffff81000400 t twice\n"
    )
    lists = ProbeLists(traceable={"one": 1, "other": 1})
    async with demo(tmp_path, WIDE, kallsyms=lambda: table) as it:
        await known(it)
        pane = it.app.workspace.symbols
        assert pane.search is not None
        pane.set_probing(pane.search, pane.search.find_probing(lambda: lists))
        await it.press("slash", "=twice", "enter")
        assert it.screen().count("· notrace? not in available_filter_functions") == 2
        await it.press("1")
        assert "twice" in it.app.workspace.editor.line
        assert "_text+512" in it.app.workspace.editor.line or "_text+0x200" in it.app.workspace.editor.line


@SIZES
async def test_hits_beyond_the_first_hundreds_are_reached_by_scrolling(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, size) as it:
        await known(it)
        pane = it.app.workspace.symbols
        await it.press("slash", "=e")
        assert pane.search is not None
        wanted = [hit.symbol.name for hit in pane.search.search("e", limit=1_000_000).hits]
        shown = len(found(it))
        assert f"{pane.hits.total:,}+ of {pane.count:,} " in it.screen()
        for _ in range(shown // (pane.size.height - 3) + 2):
            await it.press("pagedown")
        assert shown < pane.cursor.at < len(found(it)) < len(wanted)
        assert pane.symbol is not None
        assert pane.symbol.name == wanted[pane.cursor.at]
        assert pane.symbol.name[:20] in it.screen()
        await it.press("escape")
        for query, count in (("e", len(wanted)), ("s* !x", 0), ("type:data", 0), ("", 0)):
            await it.press("slash", "ctrl+u", f"={query}", "escape", "G")
            everything = pane.search.search(query, limit=1_000_000)
            assert len(everything.hits) == everything.total > 1000
            assert len(everything.hits) == count or not count
            assert found(it) == [hit.symbol.name for hit in everything.hits]
            assert pane.cursor.at == everything.total - 1
            assert query == "" or f"{everything.total:,} of {pane.count:,} " in it.screen()
            await it.press("g")
            assert pane.cursor.at == 0


async def test_typing_starts_again_at_the_top_after_scrolling(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await known(it)
        pane = it.app.workspace.symbols
        await it.press("slash", "=re")
        for _ in range(40):
            await it.press("pagedown")
        assert pane.cursor.at > 400
        await it.press("=ad")
        assert pane.cursor.at == 0
        assert "read" in found(it)[0]


async def test_copies_are_told_in_the_list_without_a_query_too(tmp_path: Path) -> None:
    line = "ffffffff8100{:04x} T {}\n"
    lines = [
        line.format(0, "_text"),
        line.format(16, "twice"),
        line.format(32, "once"),
        line.format(48, "twice"),
    ]
    table = "".join(lines).encode()
    async with demo(tmp_path, NARROW, kallsyms=lambda: table) as it:
        await known(it)
        assert it.screen().count("×2") == 2


async def test_help_names_the_words(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        await it.press("question_mark", "end")
        assert "mod:ext4" in it.screen()
        assert "probe:yes" in it.screen()
