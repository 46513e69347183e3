"""Keys that arrive at once, as over a slow line: each meets what the one before it did."""

from __future__ import annotations

import threading
from pathlib import Path

from textual import events

from kptui.kernel.sim import demo_kallsyms
from tests.ui.support import NARROW, WIDE, Driven, demo


def burst(it: Driven, *keys: str) -> None:
    """Give the app all keys before it has looked at the first; ``=text`` is text."""
    for key in keys:
        for one in key[1:] if key.startswith("=") else [key]:
            it.app.post_message(events.Key(one, one if len(one) == 1 else None))


async def test_from_the_search_to_the_written_probe(tmp_path: Path) -> None:
    for size in (WIDE, NARROW):
        async with demo(tmp_path, size) as it:
            burst(it, "slash", "=do_sys_openat2", "enter", "space", "j", "space", "w")
            await it.until(lambda: "do_sys_openat2" in it.listed(), "written")
            assert "do_sys_openat2 dfd=%di:s32 filename=+0(%si):ustring" in it.listed()
            await it.until(lambda: it.app.workspace.current == "probes", "the list has the focus")


async def test_the_same_letter_twice_copies_and_opens_one_menu(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press("slash", "=vfs_read", "enter")
        burst(it, "y", "y")
        await it.until(lambda: it.app.last_copy.startswith("p:kptui/vfs_read"), "copied")
        await it.settle()
        assert len(it.app.screen_stack) == 1


async def test_a_dialog_gets_the_keys_typed_while_it_opens(tmp_path: Path) -> None:
    async with demo(tmp_path) as it:
        await it.press("slash", "=do_sys_openat2", "enter", "space", "w")
        await it.until(lambda: "do_sys_openat2" in it.listed(), "written")
        burst(it, "1", "3", "F", "i", "=dfd == 3", "enter", "s")
        await it.until(lambda: any(s.filter == "dfd == 3" for s in it.app.states), "set")


async def test_enter_before_the_symbols_are_read_takes_what_was_typed_once_they_are(tmp_path: Path) -> None:
    may_read = threading.Event()

    def slow() -> bytes:
        assert may_read.wait(20)
        return demo_kallsyms()

    async with demo(tmp_path, NARROW, kallsyms=slow, ready=False) as it:
        burst(it, "slash", "=vfs_read", "enter", "space")
        await it.pilot.pause(0.2)
        assert it.app.workspace.editor.draft is None
        may_read.set()
        await it.until(lambda: "=%" in it.app.workspace.editor.line, "an offer taken")
        assert it.app.workspace.editor.line.startswith("p:kptui/vfs_read vfs_read ")
        assert it.app.workspace.symbols.query_line.text == "vfs_read"


async def test_enter_before_the_screen_is_up_is_an_enter(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        it.app._standing = False
        burst(it, "slash", "=vfs_read", "ctrl+j")  # what a terminal makes of it that isn't raw yet
        await it.pilot.pause()
        assert it.app.workspace.editor.draft is None
        it.app._stand()
        await it.until(lambda: "kptui/vfs_read" in it.app.workspace.editor.line, "chosen")
