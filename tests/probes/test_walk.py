"""Walks through structures, their plain and their native form."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.btf import Btf
from kptui.btf.types import CONST, FWD, PTR, STRUCT, TYPE_TAG, TYPEDEF, UNION
from kptui.probes.check import Target, check_definition
from kptui.probes.params import signature
from kptui.probes.walk import PathError, Walker
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer


def walker(function: str, btf: Btf | None = None) -> Walker:
    btf = btf or kernel()
    found = signature(btf, function)
    assert found is not None
    return Walker(btf, found)


@pytest.mark.parametrize(
    ("function", "path", "fetch", "native", "offsets"),
    [
        (
            "vfs_read", "file->f_path.dentry->d_name.name",
            "name=+0(+40(+72(%di))):string", "name=file->f_path.dentry->d_name.name:string", (72, 40, 0),
        ),
        ("vfs_read", "file", "file=%di:x64", "file=file:x64", ()),
        ("vfs_read", "count", "count=%dx:u64", "count=count:u64", ()),
        ("vfs_read", "*pos", "pos_0=+0(%cx):s64", None, (0,)),
        ("vfs_read", "pos[2]", "pos_2=+16(%cx):s64", None, (16,)),
        ("vfs_read", "buf[3]", "buf_3=+u3(%si):char", None, (3,)),
        ("vfs_read", " file . f_flags ", "f_flags=+48(%di):x32", "f_flags=file->f_flags:x32", (48,)),
        (
            "tcp_connect", "sk->__sk_common.skc_daddr",
            "skc_daddr=+0(%di):x32", "skc_daddr=sk->__sk_common.skc_daddr:x32", (0,),
        ),
        (
            "tcp_connect", "sk->__sk_common.skc_reuse",
            "skc_reuse=+19(%di):b4@0/8", "skc_reuse=sk->__sk_common.skc_reuse", (19,),
        ),
        ("do_unlinkat", "name->name", "name=+0(+0(%si)):string", "name=name->name:string", (0, 0)),
        ("do_unlinkat", "name->uptr", "uptr=+0(+8(%si)):ustring", "uptr=name->uptr:ustring", (8, 0)),
        (
            "filp_open", "$retval->f_inode->i_ino",
            "i_ino=+64(+40($retval)):u64", "i_ino=$retval->f_inode->i_ino:u64", (40, 64),
        ),
    ],
)  # fmt: skip
def test_paths_of_a_kernel(
    function: str, path: str, fetch: str, native: str | None, offsets: tuple[int, ...]
) -> None:
    walk = walker(function)
    reached = walk.reach(walk.parse(path))
    assert reached.reason == ""
    found = (str(reached.fetch), None if reached.native is None else str(reached.native), reached.offsets)
    assert found == (fetch, native, offsets)


def test_dots_and_arrows_are_taken_for_each_other() -> None:
    walk = walker("vfs_read")
    spots = {walk.parse(f"file{a}f_path{b}dentry{a}d_name{b}name") for a in ("->", ".") for b in ("->", ".")}
    assert [spot.path for spot in spots] == ["file->f_path.dentry->d_name.name"]


@pytest.mark.parametrize(
    ("path", "message", "column", "near"),
    [
        ("", "A path starts with a parameter's name, or $retval", 0, "file"),
        ("fil->f_path", "vfs_read has no parameter fil", 0, "file"),
        ("file->f_pth", "struct file has no member f_pth", 6, "f_path"),
        ("file->f_path.dentri", "struct path has no member dentri", 13, "dentry"),
        ("count->x", "count has no members", 7, None),
        ("count[1]", "count is neither an array nor a pointer", 6, None),
        ("file x", "behind file comes -> or . and a member's name, or [number], not x", 4, None),
        ("file->", "file-> goes on with a member's name", 4, None),
        ("file..f_path", "file. goes on with a member's name", 4, None),
        ("file->f_inode[-1]", "an element's number is 0 to 999999999: file->f_inode[0]", 13, None),
        ("pos[9999999999]", "an element's number is 0 to 999999999: pos[0]", 3, None),
        ("file->private_data->x", "Nothing is known of what file->private_data points to", 20, None),
        ("file->private_data[1]", "Nothing is known of what file->private_data points to", 19, None),
        ("file->f_inode->i_sb->s_id[32]", "file->f_inode->i_sb->s_id has 32 elements, from 0 on", 26, None),
        (
            "file->f_inode->i_sb->s_id.x",
            "file->f_inode->i_sb->s_id is an array: write file->f_inode->i_sb->s_id[0] first", 26, None,
        ),
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere(path: str, message: str, column: int, near: str | None) -> None:
    with pytest.raises(PathError) as caught:
        walker("vfs_read").parse(path)
    assert (caught.value.message, caught.value.column) == (message, column)
    assert next(iter(caught.value.near), None) == near


def test_a_program_s_function_is_no_symbol_of_the_kernel() -> None:
    w = Writer()
    handler = w.add(2, "", w.add(13, "", 0))
    action = w.struct("action", 8, ("handler", handler, 0))
    w.function("f", 0, ("ubuf", w.add(2, "", action)), ("kernel_s", w.add(2, "", action)))
    walk = walker("f", Btf.parse(w.data()))
    assert str(walk.reach(walk.parse("ubuf->handler")).fetch) == "handler=+u0(%di):x64"
    assert str(walk.reach(walk.parse("kernel_s->handler")).fetch) == "handler=+0(%si):symbol"


def test_more_pointers_than_the_kernel_follows_are_refused() -> None:
    walk = walker("dput")
    path = "dentry" + "->d_parent" * 12
    assert walk.reach(walk.parse(path)).note == "longer than the 63 characters that the kernel takes"
    reached = walk.reach(walk.parse("dentry" + "->d_parent" * 9))
    assert reached.note == ""
    assert check_definition(f"p dput {reached.fetch}", Target(btf=walk.btf)).ok
    with pytest.raises(PathError, match="the kernel follows no more"):
        walk.parse(f"{path}->d_parent")
    with pytest.raises(PathError):
        walk.parse("dentry" + "->d_parent" * 2000)


def test_children_open_and_their_arguments_are_accepted() -> None:
    walk = walker("vfs_read")
    target = Target(btf=walk.btf)
    (root, *_) = walk.roots()
    seen = 0
    spots = list(walk.children(root))
    for spot in spots:
        spots += walk.children(spot) if len(spots) < 400 else ()
        assert walk.parse(spot.path) == spot
        reached = walk.reach(spot)
        assert (reached.fetch is None) == bool(reached.reason)
        for arg in (reached.fetch, reached.native, *reached.others):
            if arg is not None:
                seen += 1
                assert check_definition(f"p vfs_read {arg}", target).ok, arg
    assert seen > 400


def sample() -> Btf:
    """``void f(struct top *t, struct pair p, struct large l, struct user __user *u, struct later *d)``."""
    w = Writer()
    number, word, long = (
        w.integer("int", 4, signed=True), w.integer("unsigned int", 4), w.integer("long", 8, signed=True)
    )  # fmt: skip
    char = w.integer("char", 1)
    text = w.add(PTR, "", w.add(CONST, "", char))
    inner = w.struct("", 8, ("low", number, 0), ("high", number, 32))
    either = w.struct("", 8, ("whole", long, 0), ("", inner, 0), kind=UNION)
    point = w.struct("point", 8, ("x", number, 0), ("y", number, 32))
    top = w.struct(
        "top", 64,
        ("a", word, 3 << 24), ("b", word, 7 << 24 | 3), ("c", word, 20 << 24 | 12), ("d", number, 4 << 24 | 32),
        ("", either, 64), ("points", w.array(point, 3), 128), ("grid", w.array(w.array(word, 2), 2), 320),
        ("name", text, 448), flag=1,
    )  # fmt: skip
    packed = w.struct("packed", 9, ("p", long, 60 << 24 | 6), ("q", long, 6 << 24 | 66), flag=1)
    pair = w.struct("pair", 16, ("n", number, 0), ("m", number, 32), ("t", text, 64))
    large = w.struct("large", 32, ("pair", pair, 0), ("s", long, 128), ("z", char, 192))
    user = w.struct("user", 16, ("len", word, 0), ("text", text, 64))
    later = w.add(FWD, "point", 0)
    w.function(
        "f", large,
        ("t", w.add(PTR, "", top)), ("p", pair), ("l", large),
        ("u", w.add(PTR, "", w.add(TYPE_TAG, "user", user))), ("d", w.add(PTR, "", later)),
        ("k", w.add(PTR, "", packed)), ("v", w.add(PTR, "", w.add(PTR, "", text))),
    )  # fmt: skip
    return Btf.parse(w.data())


@pytest.mark.parametrize(
    ("path", "fetch"),
    [
        ("t->a", "a=+0(%si):b3@0/8"),
        ("t->b", "b=+0(%si):b7@3/16"),
        ("t->c", "c=+0(%si):b20@12/32"),
        ("t->d", "d=+4(%si):b4@0/8"),
        ("t->whole", "whole=+8(%si):s64"),
        ("t->high", "high=+12(%si):s32"),
        ("t->points[2].y", "y=+36(%si):s32"),
        ("t->grid", "grid=+40(%si):u32[4]"),
        ("t->grid[1][1]", "grid_1_1=+52(%si):u32"),
        ("t->name", "name=+0(+56(%si)):string"),
        ("t->name[4]", "name_4=+4(+56(%si)):char"),
        ("t[1].d", "d=+68(%si):b4@0/8"),
        ("p.n", "n=%dx:s32"),
        ("p.m", "m=%dx:b32@32/64"),
        ("p.t", "t=+0(%cx):string"),
        ("l.pair.m", "m=+12($stack):s32"),
        ("l.pair.t", "t=+0(+16($stack)):string"),
        ("l.z", "z=+32($stack):char"),
        ("u->len", "len=+u0(%r8):u32"),
        ("u->text", "text=+0(+u8(%r8)):ustring"),
        ("d->y", "y=+4(%r9):s32"),
        ("k->q", "q=+8($stack5):b6@2/8"),
        ("v[1][2]", "v_1_2=+0(+16(+8($stack6))):string"),
        ("$retval.pair.m", "m=+4($retval):s32"),
    ],
)
def test_paths_through_all_that_c_has(path: str, fetch: str) -> None:
    walk = walker("f", sample())
    reached = walk.reach(walk.parse(path))
    assert str(reached.fetch) == fetch


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("t->points", "an array: open one of its elements"),
        ("p", "a structure: open one of its members"),
        ("k->p", "no type of the probe language cuts it out of where it is"),
    ],
)
def test_what_no_argument_reads(path: str, reason: str) -> None:
    walk = walker("f", sample())
    reached = walk.reach(walk.parse(path))
    assert (reached.fetch, reached.reason) == (None, reason)


def test_native_forms_stand_only_for_what_the_kernel_can_spell() -> None:
    walk = walker("f", sample())
    natives = {
        path: walk.reach(walk.parse(path)).native for path in ("t->d", "t->name", "t->grid[0][0]", "u->len")
    }
    assert all(native is None for native in natives.values())  # the large result has shifted all parameters
    plain = walker("vfs_read")
    assert plain.reach(plain.parse("file->f_flags")).native is not None


def test_a_signed_bit_field_says_that_its_sign_is_lost() -> None:
    walk = walker("f", sample())
    assert walk.reach(walk.parse("t->d")).note == "shown without its sign"
    assert walk.reach(walk.parse("t->a")).note == ""
    assert walk.reach(walk.parse("p.m")).note == "shown without its sign"


@settings(deadline=None)
@given(st.text("->.[]0123 $*abcdtpluxyzvk_retvalnms", max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    walk = walker("f", sample())
    column = 0
    try:
        spot = walk.parse(text)
        walk.reach(spot)
        walk.children(spot)
    except PathError as error:
        column = error.column
    assert 0 <= column <= len(text)


def test_structures_that_contain_themselves_end() -> None:
    w = Writer()
    own = w.count + 2
    w.add(TYPEDEF, "loop_t", own)
    w.struct("loop", 8, ("", own, 0), ("next", own, 0))  # damaged: it is its own member
    pointer = w.add(PTR, "", own)
    w.function("f", 0, ("p", pointer))
    walk = walker("f", Btf.parse(w.data()))
    (root,) = walk.roots()
    assert len(walk.children(root)) < 100
    assert walk.btf.find("loop", STRUCT) == (own,)
