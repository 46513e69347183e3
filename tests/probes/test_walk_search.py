"""Members found by name, and what is offered ready."""

from __future__ import annotations

import time

import pytest

from kptui.btf import Btf
from kptui.btf.types import FUNC, PTR, STRUCT
from kptui.probes.check import Target, check_definition
from kptui.probes.params import signature
from kptui.probes.walk.ends import MOST_AROUND, ends, known_structures
from kptui.probes.walk.search import ROUTES, Hit, search
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer
from tests.probes.test_walk import walker


def hits(function: str, root: str, query: str) -> list[str]:
    walk = walker(function)
    start = walk.root(root)
    assert start is not None
    found = [hit for hit in search(walk, start, query) if isinstance(hit, Hit)]
    return [hit.spot.path for hit in sorted(found, key=lambda hit: hit.key)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("d_name", "file->f_path.dentry->d_name"),
        ("D_NAM", "file->f_path.dentry->d_name"),
        ("dentry name", "file->f_path.dentry->d_name.name"),
        ("dentry->d_name.name", "file->f_path.dentry->d_name.name"),
        ("i_ino", "file->f_inode->i_ino"),
        ("s_id", "file->f_inode->i_sb->s_id"),
        ("i_size", "file->f_inode->i_size"),
        ("ino", "file->f_inode->i_ino"),
        ("dname", "file->f_path.dentry->d_name"),
    ],
)
def test_members_are_found_several_levels_down(query: str, first: str) -> None:
    assert hits("vfs_read", "file", query)[0] == first


def test_all_but_a_prefix_comes_before_a_beginning_and_a_word_before_a_part_of_one() -> None:
    assert hits("tcp_connect", "sk", "dport")[0].endswith(".skc_dport")
    found = [path.rpartition(".")[2].rpartition(">")[2] for path in hits("tcp_connect", "sk", "port")]
    words = [name for name in found if "_port" in name]
    assert words
    assert found[: len(words)] == words
    assert found.index("skc_dport") < found.index("sk_reuseport_cb")


def test_nothing_is_found_of_nothing() -> None:
    assert hits("vfs_read", "file", "nosuchmember") == []
    assert hits("vfs_read", "file", " . ") == []
    assert hits("vfs_read", "count", "x") == []


def test_other_ways_to_the_same_structure_are_few() -> None:
    found = hits("vfs_read", "file", "i_ino")
    assert 1 < sum(path.endswith("->i_ino") for path in found) <= ROUTES


def test_the_ways_to_a_structure_that_many_lead_to() -> None:
    w = Writer()
    inner = w.add(PTR, "", w.struct("inner", 8, ("wanted", w.integer("long", 8), 0)))
    outer = w.struct("outer", 8 * 8, *((f"m{n}", inner, 64 * n) for n in range(8)))
    w.function("f", 0, ("o", w.add(PTR, "", outer)))
    walk = walker("f", Btf.parse(w.data()))
    found = sorted(hit.spot.path for hit in search(walk, walk.roots()[0], "wanted") if hit is not None)
    assert found == [f"o->m{n}->wanted" for n in range(8)]


def test_a_search_gives_way_often_and_ends() -> None:
    walk = walker("tcp_connect")
    start = walk.root("sk")
    assert start is not None
    slices: list[float] = []
    begin = time.process_time()
    for hit in search(walk, start, "zzzz"):
        assert hit is None
        now = time.process_time()
        slices.append(now - begin)
        begin = now
    assert len(slices) > 2
    assert sorted(slices)[len(slices) // 2] < 0.004
    assert sum(slices) < 2


def test_structures_that_lead_to_themselves_are_entered_once() -> None:
    w = Writer()
    own = w.count + 2
    pointer = w.add(PTR, "", own)
    node = w.struct("node", 24, ("next", pointer, 0), ("prev", pointer, 64), ("key", pointer, 128))
    assert node == own
    w.function("f", 0, ("n", pointer))
    btf = Btf.parse(w.data())
    walk = walker("f", btf)
    (root,) = walk.roots()
    assert [hit.spot.path for hit in search(walk, root, "key") if hit] == ["n->key"]


@pytest.mark.parametrize(
    ("function", "root", "title", "fetch"),
    [
        ("vfs_read", "file", "file name", "name=+0(+40(+72(%di))):string"),
        ("vfs_read", "file", "directory", "dir=+0(+40(+24(+72(%di)))):string"),
        ("dput", "dentry", "name", "name=+0(+40(%di)):string"),
        ("tcp_connect", "sk", "peer's IPv4 address", "daddr=+0(%di):u8[4]"),
        ("tcp_connect", "sk", "peer's port", "dport_be=+12(%di):x16"),
        ("tcp_connect", "sk", "own port", "sport=+14(%di):u16"),
        ("do_unlinkat", "name", "path", "path=+0(+0(%si)):string"),
        ("filp_open", "$retval", "file name", "name=+0(+40(+72($retval))):string"),
    ],
)
def test_common_ends(function: str, root: str, title: str, fetch: str) -> None:
    walk = walker(function)
    start = walk.root(root)
    assert start is not None
    found = {end.title: end.reached for end in ends(walk, start)}
    assert str(found[title].fetch) == fetch
    assert all(reached.offsets for reached in found.values())


def test_ports_tell_their_byte_order() -> None:
    walk = walker("tcp_connect")
    start = walk.root("sk")
    assert start is not None
    notes = {end.title: end.reached.note for end in ends(walk, start)}
    assert notes["peer's port"] == "network byte order: 80 is 0x5000"
    assert notes["own port"] == "this machine's byte order"


def test_argument_names_of_ends_are_free() -> None:
    walk = walker("vfs_read")
    start = walk.root("file")
    assert start is not None
    names = [end.reached.fetch.name for end in ends(walk, start, ["name", "pos"]) if end.reached.fetch]
    assert names[0] == "name_2"
    assert "pos_2" in names
    assert len(set(names)) == len(names)


def test_all_ends_of_a_kernel_are_accepted() -> None:
    btf = kernel()
    target = Target(btf=btf)
    wanted = set(known_structures())
    seen: set[str] = set()
    for number in btf.numbers(FUNC):
        func = btf.type(number)
        proto = btf.type(func.ref) if func is not None else None
        assert proto is not None
        for member in proto.members:
            pointer = btf.resolved(member.type)
            struct = btf.resolved(pointer.ref) if pointer is not None and pointer.kind == PTR else None
            if struct is None or struct.kind != STRUCT or struct.name not in wanted - seen:
                continue
            walk = walker(btf.name(number), btf)
            root = walk.root(member.name)
            if root is None:
                continue
            seen.add(struct.name)
            found = ends(walk, root)
            for end in found:
                for arg in (end.reached.fetch, end.reached.native):
                    if arg is not None:
                        verdict = check_definition(f"p {btf.name(number)} {arg}", target)
                        assert verdict.ok, (struct.name, end.title, str(arg))
    assert {"file", "dentry", "path", "sock", "inode", "filename"} <= seen


def test_a_known_structure_without_what_is_known_of_it_gives_what_is_around() -> None:
    w = Writer()
    name = w.array(w.integer("char", 1), 32)
    sb = w.add(PTR, "", w.struct("super_block", 32, ("s_id", name, 0)))
    context = w.struct("fs_context", 8, ("sb", sb, 0))  # neither source nor fs_type
    w.function("f", 0, ("fc", w.add(PTR, "", context)))
    walk = walker("f", Btf.parse(w.data()))
    assert [(e.title, str(e.reached.fetch)) for e in ends(walk, walk.roots()[0])] == [
        ("sb: device", "dev=+0(+0(%di)):string")
    ]


def test_only_so_much_is_offered_of_what_is_around() -> None:
    w = Writer()
    name = w.array(w.integer("char", 1), 32)
    sb = w.add(PTR, "", w.struct("super_block", 32, ("s_id", name, 0)))
    many = w.struct("many", 8 * 40, *((f"sb{n}", sb, 64 * n) for n in range(40)))
    w.function("f", 0, ("m", w.add(PTR, "", many)))
    walk = walker("f", Btf.parse(w.data()))
    found = ends(walk, walk.roots()[0])
    assert len(found) == MOST_AROUND
    assert found[0].title == "sb0: device"


def test_structures_around_and_behind_known_ones() -> None:
    w = Writer()
    char = w.integer("char", 1)
    module = w.struct("module", 64, ("name", w.array(char, 56), 64))
    around = w.struct("around", 72, ("mod", module, 0), ("x", char, 512))
    holder = w.struct("holder", 16, ("x", char, 0), ("owner", w.add(PTR, "", module), 64))
    w.function("f", 0, ("a", w.add(PTR, "", around)), ("h", w.add(PTR, "", holder)), ("c", char))
    btf = Btf.parse(w.data())
    assert signature(btf, "f") is not None
    walk = walker("f", btf)
    first, second, third = walk.roots()
    assert [(e.title, str(e.reached.fetch)) for e in ends(walk, first)] == [
        ("module", "module=+8(%di):string")
    ]
    assert [(e.title, str(e.reached.fetch)) for e in ends(walk, second)] == [
        ("owner: module", "module=+8(+8(%si)):string")
    ]
    assert ends(walk, third) == ()
