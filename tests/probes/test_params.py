"""Parameters and what reads them."""

from __future__ import annotations

import pytest

from kptui.btf import Btf
from kptui.btf.types import CONST, FLOAT, PROTO, PTR, TYPE_TAG, TYPEDEF
from kptui.probes.check import Target, check_definition
from kptui.probes.fetch import parse_fetcharg
from kptui.probes.params import Signature, argument_name, signature
from kptui.probes.reading import reading
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer


def rows(found: Signature | None) -> list[str]:
    assert found is not None
    return [str(p.fetch) if p.fetch else p.reason for p in (*found.parameters, found.returns)]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("vfs_read", ["file=%di:x64", "buf=%si:x64", "count=%dx:u64", "pos=%cx:x64", "ret=$retval:s64"]),
        ("do_sys_openat2", ["dfd=%di:s32", "filename=+0(%si):ustring", "how=%dx:x64", "ret=$retval:s64"]),
        ("filp_open", ["filename=+0(%di):string", "flags=%si:s32", "mode=%dx:x16", "ret=$retval:x64"]),
        ("dput", ["dentry=%di:x64", "it returns nothing (void)"]),
        ("seq_printf", [
            "m=%di:x64", "f=+0(%si):string", "variable arguments: each call has others", "it returns nothing (void)",
        ]),
    ],
)  # fmt: skip
def test_functions_of_a_kernel(function: str, expected: list[str]) -> None:
    assert rows(signature(kernel(), function)) == expected


def test_other_ways_to_read_a_parameter() -> None:
    found = signature(kernel(), "vfs_read")
    assert found is not None
    file, buf, *_ = found.parameters
    assert [str(other) for other in file.others] == ["file=%di:%pD"]
    assert [str(other) for other in buf.others] == ["buf=+0(%si):ustring"]
    assert buf.user
    assert buf.note == "in user memory"
    older = signature(kernel(), "vfs_read", ())
    assert older is not None
    assert older.parameters[0].others == ()
    assert found.parameter("count") is found.parameters[2]
    assert found.parameter("$retval") is found.returns
    assert found.parameter("nosuch") is None
    assert signature(kernel(), "nosuch") is None


def test_every_suggested_argument_of_a_kernel_is_accepted_together() -> None:
    btf = kernel()
    target = Target(btf=btf)
    for name in ("vfs_read", "do_sys_openat2", "tcp_connect", "filp_open", "do_unlinkat", "__blk_add_trace"):
        found = signature(btf, name)
        assert found is not None
        line = " ".join(["p", name, *map(str, found.fetchargs)])
        assert check_definition(line, target).ok, line
        others = [str(other) for p in found.parameters for other in p.others]
        assert all(check_definition(f"p {name} {other}", target).ok for other in others)


def test_types_by_size_and_sign() -> None:
    w = Writer()
    char, schar, byte = (
        w.integer("char", 1),
        w.integer("signed char", 1, signed=True),
        w.integer("unsigned char", 1),
    )
    number = w.integer("int", 4, signed=True)
    word = w.integer("unsigned int", 4)
    boolean = w.integer("_Bool", 1, boolean=True)
    wide = w.integer("__int128", 16, signed=True)
    ulong = w.integer("long unsigned int", 8)
    kuid = w.struct("", 4, ("val", word, 0))
    cases = {
        char: "char", schar: "s8", byte: "u8", number: "s32", word: "u32", boolean: "u8", ulong: "u64",
        w.add(TYPEDEF, "gfp_t", word): "x32",
        w.add(TYPEDEF, "__be16", w.integer("unsigned short", 2)): "x16",
        w.add(TYPEDEF, "u8", byte): "u8",
        w.add(CONST, "", w.add(TYPEDEF, "slab_flags_t", word)): "x32",
        w.add(TYPEDEF, "kuid_t", kuid): "u32",
        w.enum("plain", [("A", 0)]): "u32",
        w.enum("flagged", [("B", 0)], flag=1): "s32",
        w.enum("old", [("C", -1)]): "s32",
        w.enum("small", [("D", 1)], size=1): "u8",
        w.enum("wide", [("E", 1)], size=8): "u64",
        w.enum("deep", [("F", -1)], size=8, flag=1): "s64",
        w.add(PTR, "", 0): "x64",
        w.add(PTR, "", w.add(PROTO, "", 0)): "symbol",
    }  # fmt: skip
    refused = {
        wide: "128 bits: probes read 64 at most",
        w.add(FLOAT, "double", 8): "floating point: probes have no type for it",
        w.struct("two", 8, ("a", word, 0), ("b", word, 32)): "a structure: open one of its members",
        w.struct("padding", 0, ("x", w.array(char, 0), 0)): "a structure: open one of its members",
        w.struct("letters", 8, ("x", w.array(char, 8), 0)): "a structure: open one of its members",
        0: "it has no value",
        9999: "its type is unknown",
    }
    btf = Btf.parse(w.data())
    assert {n: reading(btf, n).base for n in cases} == cases
    assert {n: reading(btf, n).reason for n in refused} == refused
    assert reading(btf, char, chars=False).base == "s8"
    assert reading(btf, ulong, "flags").base == "x64"
    assert reading(btf, number, "flags").base == "s32"
    for name in ("addr", "start_addr", "address", "ip", "parent_ip", "gfp_mask", "prot"):
        assert reading(btf, ulong, name).base == "x64"
    for name in ("ship", "masked", "flagship", "count"):
        assert reading(btf, ulong, name).base == "u64"


def test_text_behind_pointers() -> None:
    w = Writer()
    char, byte = w.integer("char", 1), w.integer("unsigned char", 1)
    const = w.add(CONST, "", char)
    u8 = w.add(TYPEDEF, "u8", byte)
    w.function(
        "f", 0,
        ("text", w.add(PTR, "", const)),
        ("user", w.add(PTR, "", w.add(TYPE_TAG, "user", const))),
        ("buffer", w.add(PTR, "", char)),
        ("ubuf", w.add(PTR, "", char)),
        ("name", w.add(PTR, "", w.add(CONST, "", byte))),
        ("address", w.add(PTR, "", w.add(CONST, "", u8))),
    )  # fmt: skip
    btf = Btf.parse(w.data())
    assert rows(signature(btf, "f"))[:-1] == [
        "text=+0(%di):string", "user=+0(%si):ustring", "buffer=%dx:x64", "ubuf=%cx:x64",
        "name=+0(%r8):string", "address=%r9:x64",
    ]  # fmt: skip


def test_structures_and_wide_numbers_by_value() -> None:
    w = Writer()
    long = w.integer("long", 8, signed=True)
    half = w.integer("int", 4, signed=True)
    wide = w.integer("unsigned __int128", 16)
    pair = w.struct("pair", 12, ("a", long, 0), ("b", half, 64))
    large = w.struct("large", 24, ("p", pair, 0), ("c", long, 128))
    w.function("f", large, ("p", pair), ("w", wide), ("l", large), ("n", long))
    w.function("g", pair)
    btf = Btf.parse(w.data())
    found = signature(btf, "f")
    assert rows(found) == [
        "p=%si:x64",
        "128 bits: probes read 64 at most; its halves are in %cx and %r8",
        "a structure: open one of its members",
        "n=%r9:s64",
        "a structure: open one of its members",
    ]
    assert found is not None
    assert [str(other) for other in found.parameters[0].others] == ["p_hi=%dx:x32"]
    assert [str(other) for other in found.parameters[1].others] == ["w=%cx:x64", "w_hi=%r8:x64"]
    assert found.parameters[2].slot.text == "$stack1"
    assert found.returns.note == "$retval is the address of the result"
    assert rows(signature(btf, "g")) == ["ret=$retval:x64"]


def test_names_are_valid_and_different() -> None:
    w = Writer()
    number = w.integer("int", 4)
    w.function(
        "f",
        number,
        ("", number),
        ("arg1", number),
        ("common_pid", number),
        ("x" * 40, number),
        ("ret", number),
    )
    found = signature(Btf.parse(w.data()), "f")
    assert found is not None
    names = [parse_fetcharg(str(arg)).name for arg in found.fetchargs]
    assert names == ["arg1", "arg1_2", "common_pid_2", "x" * 32, "ret"]
    assert str(found.returns.fetch) == "ret_2=$retval:u32"
    assert argument_name("8bit", ["_8bit"]) == "_8bit_2"
    assert argument_name("a.b-c") == "a_b_c"
    assert argument_name("") == "_"


def test_what_leads_to_the_program_s_memory() -> None:
    """By what a file's operations take, by names, and by what copies."""
    w = Writer()
    char, number = w.integer("char", 1), w.integer("int", 4, signed=True)
    text, const = w.add(PTR, "", char), w.add(PTR, "", w.add(CONST, "", char))
    size = w.add(TYPEDEF, "size_t", w.integer("long unsigned int", 8))
    loff = w.add(PTR, "", w.add(TYPEDEF, "loff_t", w.integer("long", 8, signed=True)))
    file = w.add(PTR, "", w.struct("file", 8, ("x", number, 0)))
    info = w.add(PTR, "", w.struct("ubuf_info", 8, ("x", number, 0)))
    void = w.add(PTR, "", 0)
    w.function("some_write", 0, ("file", file), ("buf", const), ("n", size), ("pos", loff))
    w.function("some_read", 0, ("filp", file), ("where", text), ("n", size), ("pos", loff))
    w.function("some_store", 0, ("file", file), ("buf", const), ("n", size))
    w.function("copy_this_from_user", 0, ("to", void), ("from", void))
    w.function("strncpy_from_user", 0, ("dst", text), ("src", const), ("count", size))
    w.function("cmap_to_user", 0, ("from", void), ("to", void))
    w.function("zerocopy", 0, ("ubuf", info), ("uarg", info))
    w.function("plain", 0, ("ubuf", void), ("ufds", w.add(PTR, "", void)), ("umsg", void))
    btf = Btf.parse(w.data())

    def users(function: str) -> list[str]:
        found = signature(btf, function)
        assert found is not None
        return [p.name for p in found.parameters if p.user]

    assert users("some_write") == ["buf"]
    assert users("some_read") == ["where"]
    assert users("copy_this_from_user") == ["from"]
    assert users("plain") == ["ubuf", "umsg"]  # ufds is where the kernel keeps the program's pointer
    assert users("some_store") == users("cmap_to_user") == users("zerocopy") == []
    written = signature(btf, "some_write")
    assert written is not None
    # 4 KB without a NUL byte, and the event would be lost: not what is offered first
    assert str(written.parameters[1].fetch) == "buf=%si:x64"
    assert [str(other) for other in written.parameters[1].others] == ["buf=+0(%si):ustring"]
    assert written.parameters[1].note == "in user memory"
    copied = signature(btf, "strncpy_from_user")
    assert copied is not None
    assert str(copied.parameters[1].fetch) == "src=+0(%si):ustring"
    stored = signature(btf, "some_store")
    assert stored is not None
    assert stored.parameters[1].note == "up to a NUL byte, which need not be within n"


def test_a_sockets_operations_get_the_kernels_copy_of_an_address() -> None:
    """move_addr_to_kernel (net/socket.c) comes before them; with ``ustring`` their addresses would be faults."""

    def users(function: str) -> list[str]:
        found = signature(kernel(), function)
        assert found is not None
        return [p.name for p in found.parameters if p.user]

    assert users("tcp_v4_connect") == users("inet_bind") == []
    assert users("____sys_recvmsg") == ["uaddr"]
    assert users("do_futex") == ["uaddr", "uaddr2"]
