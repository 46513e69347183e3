"""The walker on the screen: prototypes, members opened and found, native forms, types that come late or never."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kptui.kernel.sim.known import sim_types
from kptui.kernel.target.known import NO_TYPES, Types
from kptui.probes.check.traits import FEATURES_6_12
from kptui.probes.definition import Place
from kptui.probes.suggest import Knowledge
from kptui.ui.walking import Tree, guide
from tests.btf.test_reader import kernel
from tests.ui.support import NARROW, WIDE, Driven, demo

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE])
PROTOTYPE = "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)"
NAME = "name=+0(+40(+72(%di))):string"
NATIVE = "name=file->f_path.dentry->d_name.name:string"


def line(it: Driven) -> str:
    return it.app.workspace.editor.line


def current(it: Driven) -> str:
    """The name of the row under the cursor."""
    item = it.app.workspace.editor.item
    return "" if item is None else item.name


async def vfs_read(it: Driven) -> None:
    await it.press("slash", "=vfs_read", "enter")


async def to(it: Driven, name: str, key: str = "down") -> None:
    """Move to the row of a name."""
    for _ in range(60):
        if current(it) == name:
            return
        await it.press(key)
    raise AssertionError(f"no row {name}\n{it.screen()}")


@SIZES
async def test_members_open_nested_and_are_taken(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await vfs_read(it)
        assert PROTOTYPE in it.screen()
        assert current(it) == "count"  # the first that is no mere address
        await to(it, "file", "up")
        await it.press("right")
        await to(it, "f_path")
        assert "+64" in it.screen()
        assert "struct path" in it.screen()
        await it.press("l", "l")
        await to(it, "dentry")
        await it.press("right")
        await to(it, "d_name")
        await it.press("right")
        await to(it, "name")
        assert "the kernel will accept this" in it.screen()
        await it.press("space")
        assert line(it) == f"p:kptui/vfs_read vfs_read {NAME}"
        assert current(it) == "name"
        # ← leads out again, level by level
        for outer in ("d_name", "d_name", "dentry", "dentry", "f_path"):
            await it.press("h")
            assert current(it) == outer
        await it.press("h", "h")
        assert current(it) == "file"
        before = len(it.app.workspace.editor.rows)
        await it.press("left")
        assert len(it.app.workspace.editor.rows) < before
        assert line(it).endswith(NAME)


async def test_anonymous_members_arrays_and_bit_fields_are_rows(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        await it.press("slash", "=tcp_connect", "enter")
        await to(it, "sk", "up")
        await it.press("right")
        await to(it, "__sk_common")
        await it.press("right")
        await to(it, "skc_daddr")  # in a structure in a union, neither of which has a name
        await it.press("space")
        assert "skc_daddr=+0(%di)" in line(it)
        await to(it, "skc_reuse")
        item = it.app.workspace.editor.item
        assert item is not None
        assert item.offer is not None
        assert ":b4@" in str(item.offer.arg)


@SIZES
async def test_a_member_is_found_by_its_letters(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size) as it:
        await vfs_read(it)
        await it.press("slash", "=d_name")
        assert "paths under file lead to “d_name”" in it.screen()
        assert "file->f_path.dentry->d_name.name" in it.screen()
        await it.press("enter")
        assert line(it) == f"p:kptui/vfs_read vfs_read {NAME}"
        assert "lead to" not in it.screen()
        assert "the kernel will accept this" in it.screen()
        # space takes and goes on; taking twice gives back; enter on what is taken keeps it
        await it.press("slash", "=i_ino", "space")
        assert "i_ino=" in line(it)
        await it.press("space")
        assert line(it) == f"p:kptui/vfs_read vfs_read {NAME}"
        await it.press("space", "enter")
        assert line(it).count("i_ino=") == 1
        await it.press("slash", "=no_such_member", "enter")
        assert "nothing here leads to" in it.screen()
        await it.press("escape")
        assert not it.app.workspace.editor.typing


async def test_keys_typed_ahead_meet_what_is_found(tmp_path: Path) -> None:
    async with demo(tmp_path, NARROW) as it:
        await vfs_read(it)
        await it.press_unsettled("slash", "=d_name", "enter", "w")
        await it.until(lambda: NAME in it.listed(), "written with what was found")


async def test_the_native_form_is_taken_and_taken_back(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        await vfs_read(it)
        await to(it, "name")
        assert f"or natively: {NATIVE}" in it.screen()
        await it.press("space")
        assert line(it).endswith(NAME)
        await it.press("N")
        assert line(it).endswith(NATIVE)
        assert "the kernel will accept this" in it.screen()
        await it.press("N")
        assert line(it).endswith(NAME)
        await it.press("space", "N", "slash", "=d_name", "enter")
        assert line(it).endswith(NATIVE)


@SIZES
async def test_a_port_tells_its_byte_order_beside_its_native_form(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with demo(tmp_path, size) as it:
        await it.press("slash", "=tcp_connect", "enter")
        await to(it, "dport_be")
        assert "network byte order: 80 is 0x5000" in it.screen()
        assert "or natively: " in it.screen()
        assert "sk->__sk_common.skc_dport:x16" in it.screen()
        await it.press("N")
        assert "network byte order: 80 is 0x5000" in it.screen()


async def test_while_a_member_is_looked_for_the_native_form_has_a_key_that_is_no_letter(
    tmp_path: Path,
) -> None:
    async with demo(tmp_path, NARROW) as it:
        await vfs_read(it)
        await it.press("slash", "=d_name")
        assert " ctrl+n or natively: " in it.screen()
        await it.press("ctrl+n")
        assert "plain, for every kernel: " in it.screen()


async def test_a_kernel_without_members_has_no_native_form(tmp_path: Path) -> None:
    def types() -> Types:
        known = sim_types()
        return Types(known.btf, known.features - {"members", "btf"})

    async with demo(tmp_path, WIDE, types=types) as it:
        await vfs_read(it)
        await to(it, "name")
        assert "natively" not in it.screen()
        await it.press("N", "space")
        assert line(it).endswith(NAME)


@pytest.mark.parametrize(
    ("place", "native"),
    [(Place("vfs_read"), True), (Place("vfs_read", module="fs"), False), (Place("_text", 4096), False)],
)
def test_names_are_for_places_the_kernel_can_look_up(place: Place, native: bool) -> None:
    known = Knowledge(kernel(), FEATURES_6_12)
    tree = Tree(guide(place, "p", known, "vfs_read"))
    index = next(n for n in range(len(tree)) if tree.item(n).name == "file")
    assert tree.open(index)
    offer = next(item.offer for n in range(len(tree)) if (item := tree.item(n)).name == "f_flags")
    assert offer is not None
    assert str(offer.arg) == "f_flags=+48(%di):x32"
    assert (offer.native is not None) is native


async def test_the_result_opens_in_a_return_probe(tmp_path: Path) -> None:
    async with demo(tmp_path, WIDE) as it:
        await it.press("slash", "=dentry_open", "ctrl+r")
        await it.press("slash", "=f_flags", "enter")
        assert "$retval" in line(it)
        assert line(it).startswith("r:kptui/dentry_open_ret dentry_open f_flags=+")


async def test_types_that_come_late_move_nothing(tmp_path: Path) -> None:
    late = threading.Event()

    def types() -> Types:
        late.wait(20)
        return sim_types()

    async with demo(tmp_path, NARROW, types=types, ready=False) as it:
        symbols = it.app.workspace.symbols
        await it.until(lambda: symbols.search is not None and symbols.search.prepared, "symbols")
        await it.press_unsettled("slash", "=vfs_read", "enter")
        await it.until(lambda: "types are being read" in it.screen(), "waiting")
        before = it.screen().splitlines()
        late.set()
        await it.until(lambda: "count=%dx:u64" in it.screen(), "offered")
        await it.settle()
        after = it.screen().splitlines()
        for text in ("kind ", "place ", "p:kptui/vfs_read", "─────────"):
            places = [[i for i, row in enumerate(rows) if text in row] for rows in (before, after)]
            assert places[0] == places[1] != [], text
        assert current(it) == "count"


async def test_keys_wait_for_types_that_come_late(tmp_path: Path) -> None:
    late = threading.Event()

    def types() -> Types:
        late.wait(20)
        return sim_types()

    async with demo(tmp_path, NARROW, types=types, ready=False) as it:
        symbols = it.app.workspace.symbols
        await it.until(lambda: symbols.search is not None and symbols.search.prepared, "symbols")
        await it.press_unsettled("slash", "=vfs_read", "enter", "space")  # for what is not there yet
        late.set()
        await it.until(lambda: "count=%dx:u64" in line(it), "taken when it was there")


@SIZES
async def test_without_types_registers_are_offered(tmp_path: Path, size: tuple[int, int]) -> None:
    async with demo(tmp_path, size, types=lambda: NO_TYPES) as it:
        await it.press("slash", "=dentry_open", "enter")
        assert "arg1=%di:x64" in it.screen()
        await it.press("space")
        assert line(it) == "p:kptui/dentry_open dentry_open arg1=%di:x64"
        await it.press("slash")
        assert not it.app.workspace.editor.typing  # there is nothing to search in
        await it.press("right")
        assert "arg1=" in line(it)


async def test_types_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    def types() -> Types:
        raise OSError("gone")

    async with demo(tmp_path, NARROW, types=types) as it:
        await it.press("slash", "=dentry_open", "enter")
        assert "arg1=%di:x64" in it.screen()
