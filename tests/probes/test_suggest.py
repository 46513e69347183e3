from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.btf import Btf
from kptui.probes.check import Target, check_definition
from kptui.probes.check.traits import FEATURES_6_12
from kptui.probes.definition import Kind, Place, Probe, parse_probe
from kptui.probes.exprs import ArgN, BtfPath, Register, Retval
from kptui.probes.fetch import MAX_NAME, is_identifier, parse_fetcharg
from kptui.probes.suggest import Knowledge, help_at, suggestions
from kptui.probes.syscalls import FUNCTIONS, SYSCALLS
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer
from tests.probes.strategies import places

KNOWN = Knowledge(kernel(), FEATURES_6_12)
OLD = Knowledge(kernel(), frozenset({"user_memory", "immediate"}))


def texts(symbol: str, kind: Kind = "p", offset: int = 0) -> list[str]:
    return [str(row.arg) for row in suggestions(Place(symbol, offset), kind)]


def test_execve_offers_file_name_and_argument_strings_first() -> None:
    rows = texts("__x64_sys_execve")
    assert rows[:5] == [
        "filename=+0(+112(%di)):ustring",
        "argv0=+0(+0(+104(%di))):ustring",
        "argv1=+0(+8(+104(%di))):ustring",
        "argv2=+0(+16(+104(%di))):ustring",
        "argv=+0(+104(%di)):ustring[6]",
    ]
    assert "comm=$comm" in rows
    assert "caller=$stack0:symbol" in rows


def test_openat_is_the_example_of_the_abi() -> None:
    assert texts("__x64_sys_openat")[:4] == [
        "dfd=+112(%di):s32",
        "filename=+0(+104(%di)):ustring",
        "flags=+96(%di):x32",
        "mode=+56(%di):x16",
    ]


def test_the_fourth_argument_of_a_system_call_is_in_r10() -> None:
    assert "off=+64(%di):x64" in texts("__x64_sys_mmap")
    assert "flags=+56(%di):x64" in texts("__x64_sys_mmap")


def test_a_call_that_is_not_in_the_table_gets_its_six_places() -> None:
    assert texts("__x64_sys_nosuchcall")[:6] == [
        f"arg{n}=+{offset}(%di):x64" for n, offset in enumerate((112, 104, 96, 56, 72, 64), 1)
    ]


def test_32_bit_callers_pass_arguments_in_other_registers() -> None:
    rows = texts("__ia32_sys_openat")
    assert rows[:3] == ["dfd=+40(%di):s32", "filename=+0(+88(%di)):ustring", "flags=+96(%di):x32"]
    assert "argv=+88(%di):x32" in texts("__ia32_compat_sys_execve")


def test_the_body_of_a_call_has_its_arguments_in_registers() -> None:
    assert texts("__do_sys_openat")[:2] == ["dfd=%di:s32", "filename=+0(%si):ustring"]
    assert texts("do_sys_openat2")[:2] == ["dfd=%di:s32", "filename=+0(%si):ustring"]
    assert "how_flags=+0(%dx):x64" in texts("do_sys_openat2")


def test_an_unknown_function_has_registers_then_stack_then_text() -> None:
    rows = texts("kfree")
    assert rows[:8] == [
        "arg1=%di:x64", "arg2=%si:x64", "arg3=%dx:x64", "arg4=%cx:x64", "arg5=%r8:x64", "arg6=%r9:x64",
        "arg7=$stack1:x64", "arg8=$stack2:x64",
    ]  # fmt: skip
    assert {"str1=+0(%di):string", "ustr6=+0(%r9):ustring"} < set(rows)


def test_away_from_the_entry_registers_are_no_arguments() -> None:
    rows = suggestions(Place("vfs_read", 8), "p")
    assert {row.where for row in rows} >= {"%di", "%ax", "%r15"}
    assert all("no longer an argument" in row.note for row in rows if row.where != "$comm")
    assert not any("$stack" in str(row.arg) for row in rows)
    assert not any("no longer" in row.note for row in suggestions(Place("_text", 4096), "p"))


def test_return_probes_offer_the_returned_value() -> None:
    rows = texts("some_function", "r")
    assert rows[:2] == ["ret=$retval:s32", "ret64=$retval:s64"]
    assert "comm=$comm" in rows
    assert not any("%" in row for row in rows)


@pytest.mark.parametrize("symbol", ["foo.isra.0", "foo.constprop.3", "foo.part.0", "foo.cold"])
def test_compiler_made_clones_come_with_a_warning(symbol: str) -> None:
    notes = {row.note for row in suggestions(Place(symbol), "p") if row.where.startswith("%")}
    assert len(notes) == 1
    assert notes.isdisjoint(row.note for row in suggestions(Place("foo"), "p"))


known = st.sampled_from(
    [f"__x64_sys_{name}" for name in SYSCALLS]
    + [f"__ia32_sys_{name}" for name in SYSCALLS]
    + [f"__do_sys_{name}" for name in SYSCALLS]
    + list(FUNCTIONS)
).map(Place)


@given(known | places, st.sampled_from(["p", "r"]))
@settings(max_examples=200, deadline=None)
def test_every_row_is_valid_and_has_a_name_of_its_own(place: Place, letter: str) -> None:
    kind: Kind = "r" if letter == "r" else "p"
    rows = suggestions(place, kind)
    names = [row.arg.name or "" for row in rows]
    assert len(set(names)) == len(names)
    for row in rows:
        assert row.name == row.arg.name
        assert is_identifier(row.name)
        assert len(row.name) <= MAX_NAME
        assert not row.name.startswith(("common_", "__probe"))
        assert parse_fetcharg(str(row.arg)) == row.arg
        assert len(str(row.arg).partition("=")[2]) <= 62  # what every kernel takes
        assert not isinstance(row.arg.expr, (ArgN, BtfPath))  # 6.1 has no BTF names
    probe = Probe(kind, place, "kptui", "x", None, tuple(row.arg for row in rows))
    assert parse_probe(str(probe)) == probe
    sources = {type(row.arg.expr) for row in rows}
    assert Register not in sources if kind == "r" else Retval not in sources


# -- what BTF knows


def rows(symbol: str, kind: Kind = "p", known: Knowledge = KNOWN) -> list[str]:
    return [str(row.arg) for row in help_at(Place(symbol), kind, known).rows]


def test_parameters_then_what_is_behind_them() -> None:
    found = help_at(Place("vfs_read"), "p", KNOWN)
    assert found.prototype == "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)"
    assert found.remark == ""
    assert [str(row.arg) for row in found.rows] == [
        "file=%di:x64",
        "buf=%si:x64",
        "count=%dx:u64",
        "pos=%cx:x64",
        "name=+0(+40(+72(%di))):string",
        "dir=+0(+40(+24(+72(%di)))):string",
        "dev=+960(+40(+40(%di))):string",
        "ino=+64(+40(%di)):u64",
        "flags=+48(%di):x32",
        "file_pos=+112(%di):s64",
        "pos_value=+0(%cx):s64",
        "file_name=%di:%pD",
        "buf_text=+0(%si):ustring",
        "comm=$comm",
        "caller=$stack0:symbol",
    ]
    by_name = {row.name: row for row in found.rows}
    assert str(by_name["name"].native) == "name=file->f_path.dentry->d_name.name:string"
    assert by_name["name"].note == "file->f_path.dentry->d_name.name"
    assert by_name["count"].where == "%dx"


def test_addresses_and_ports_tell_their_byte_order() -> None:
    notes = {str(row.arg): row.note for row in help_at(Place("tcp_connect"), "p", KNOWN).rows}
    assert "network byte order" in notes["dport_be=+12(%di):x16"]
    assert "this machine's byte order" in notes["sport=+14(%di):u16"]
    assert "daddr=+0(%di):u8[4]" in notes
    assert "how_flags=+0(%dx):x64" in rows("do_sys_openat2")


def test_the_result_in_its_own_type() -> None:
    assert rows("vfs_read", "r")[0] == "ret=$retval:s64"
    assert rows("filp_open", "r")[:2] == ["ret=$retval:x64", "name=+0(+40(+72($retval))):string"]
    nothing = help_at(Place("dput"), "r", KNOWN)
    assert nothing.remark == "dput returns nothing (void)"
    assert not any("$retval" in str(row.arg) for row in nothing.rows)
    assert rows("__x64_sys_openat", "r")[0] == "ret=$retval:s64"


def test_arguments_at_return_only_where_the_kernel_keeps_them() -> None:
    assert "count=$arg3:u64" in rows("vfs_read", "r")
    assert "name=+0(+40(+72($arg1))):string" in rows("vfs_read", "r")
    assert "filename=+0(+104($arg1)):ustring" in rows("__x64_sys_openat", "r")
    assert "arg1=$arg1:x64" in rows("nosuch", "r")
    for symbol in ("vfs_read", "__x64_sys_openat", "nosuch"):
        assert not any("$arg" in row for row in rows(symbol, "r", OLD))


def test_calls_follow_the_pointers_of_the_program() -> None:
    connect = rows("__x64_sys_connect")
    assert connect[:3] == ["fd=+112(%di):s32", "uservaddr=+104(%di):x64", "addrlen=+96(%di):s32"]
    assert "uservaddr_port_be=+u2(+104(%di)):x16" in connect
    assert "uservaddr_path=+2(+104(%di)):ustring" in connect
    assert "rqtp_sec=+u0(+112(%di)):s64" in rows("__x64_sys_nanosleep")
    message = rows("__x64_sys_sendmsg")
    assert "msg_iov_len=+u8(+u16(+104(%di))):u64" in message
    assert "msg_iov_text=+0(+u0(+u16(+104(%di)))):ustring" in message
    assert "msg_name_port_be=+u2(+u0(+104(%di))):x16" in message
    assert "vec_text=+0(+u0(+104(%di))):ustring" in rows("__x64_sys_writev")
    assert "vec_len=+u4(+88(%di)):u32" in rows("__ia32_sys_writev")
    assert "buff_text=+0(+104(%di)):ustring" in rows("__x64_sys_sendto")


def test_members_of_a_program_s_structure_by_the_kernel_s_types() -> None:
    w = Writer()
    word, long = w.integer("unsigned int", 4), w.integer("long", 8, signed=True)
    name = w.add(2, "", w.add(10, "", w.integer("char", 1)))
    members = ("signo", word, 0), ("__pad0", word, 32), ("value", long, 64), ("name", name, 128)
    w.add(2, "", w.struct("sigevent", 24, *members))
    w.add(2, "", w.add(8, "timer_t", w.integer("int", 4, signed=True)))
    found = rows("__x64_sys_timer_create", "p", Knowledge(Btf.parse(w.data()), FEATURES_6_12))
    assert found[3:7] == [
        "timer_event_spec_signo=+u0(+104(%di)):u32",
        "timer_event_spec_value=+u8(+104(%di)):s64",
        "timer_event_spec_name=+0(+u16(+104(%di))):ustring",
        "created_timer_id_value=+u0(+96(%di)):s32",
    ]


@pytest.mark.parametrize("symbol", ["__x64_sys_getpid", "__ia32_sys_sync", "__x64_sys_fork"])
def test_calls_without_arguments_say_so(symbol: str) -> None:
    found = help_at(Place(symbol), "p")
    assert found.remark.endswith("takes no arguments")
    assert found.prototype.endswith("(void)")
    assert [row.name for row in found.rows] == ["nr", "comm", "caller"]


def test_a_call_that_only_tracefs_knows_has_no_arguments_where_it_says_so() -> None:
    """One that is newer than the table."""
    found = help_at(Place("__x64_sys_newest"), "p", Knowledge(call=()))
    assert found.remark == "newest takes no arguments"
    assert [row.name for row in found.rows] == ["nr", "comm", "caller"]
    assert "arg1" in [row.name for row in help_at(Place("__x64_sys_newest"), "p").rows]


def test_the_body_of_a_call_without_arguments() -> None:
    w = Writer()
    regs = w.add(2, "", w.add(10, "", w.struct("pt_regs", 168)))
    w.function("__do_sys_getpid", w.integer("long", 8, signed=True), ("__unused", regs))
    for known in (Knowledge(Btf.parse(w.data()), FEATURES_6_12), Knowledge()):
        assert rows("__do_sys_getpid", "p", known) == ["comm=$comm", "caller=$stack0:symbol"]
        assert rows("__do_sys_getpid", "r", known)[0] == "ret=$retval:s64"
    known = Knowledge(Btf.parse(w.data()), FEATURES_6_12)
    assert rows("__do_sys_getpid", "r", known) == ["ret=$retval:s64", "comm=$comm"]


def test_results_that_are_known_without_types() -> None:
    for symbol in ("vfs_read", "vfs_write", "ksys_read", "__se_sys_openat", "__do_sys_fork"):
        assert rows(symbol, "r", Knowledge())[:2] == ["ret=$retval:s64", "retptr=$retval:x64"]
    for symbol in ("do_sys_openat2", "anything", "__do_sys_nosuch"):
        assert rows(symbol, "r", Knowledge())[:2] == ["ret=$retval:s32", "ret64=$retval:s64"]


def test_clones_have_their_origin_s_parameters_with_a_warning() -> None:
    found = help_at(Place("vfs_read.constprop.0"), "p", KNOWN)
    assert found.remark == "clone (.constprop): the compiler dropped parameters"
    assert str(found.rows[0].arg) == "file=%di:x64"
    assert {row.note for row in found.rows if "%" in row.where} == {found.remark}
    # a part begins anywhere: nothing of its origin holds
    assert rows("vfs_read.part.0")[0] == "arg1=%di:x64"
    assert rows("vfs_read.cold")[0] == "arg1=%di:x64"


def test_names_are_offered_only_where_the_kernel_can_look_the_function_up() -> None:
    def native(place: Place) -> bool:
        return any(row.native is not None for row in help_at(place, "p", KNOWN).rows)

    assert native(Place("vfs_read"))
    # the kernel looks for "fs:vfs_read" and "vfs_read.constprop.0" among its types, and finds neither
    assert not native(Place("vfs_read", module="fs"))
    assert not native(Place("vfs_read.constprop.0"))
    line = "p:kptui/x fs:vfs_read n=file->f_path.dentry->d_name.name:string"
    target = Target(btf=kernel(), symbol_count=lambda name, module: 1, is_loaded_module=lambda name: True)
    assert not check_definition(line, target).ok


def test_two_parameters_with_the_same_ends_are_told_apart() -> None:
    w = Writer()
    text = w.add(2, "", w.add(10, "", w.integer("char", 1)))
    qstr = w.add(2, "", w.struct("qstr", 8, ("name", text, 0)))
    w.function("f", 0, ("old", qstr), ("new", qstr), ("name", qstr))
    found = rows("f", "p", Knowledge(Btf.parse(w.data()), FEATURES_6_12))
    assert found[3:6] == [
        "old_name=+0(+0(%di)):string",
        "new_name=+0(+0(%si)):string",
        "name_name=+0(+0(%dx)):string",
    ]


def test_what_has_its_owner_s_name_is_called_after_its_own_part() -> None:
    w = Writer()
    word = w.integer("unsigned int", 4)
    name = w.array(w.integer("char", 1), 16)
    device = w.add(2, "", w.struct("net_device", 16, ("name", name, 0)))
    w.function("f", 0, ("dev", device))
    w.function("g", 0, ("d", device), ("dev", device))
    known = Knowledge(Btf.parse(w.data()), FEATURES_6_12)
    assert rows("f", "p", known)[1] == "dev_name=+0(%di):string"
    queue = w.add(
        2, "", w.struct("queue", 16, ("count", word, 0), ("dev", device, 64), ("sb_dev", device, 128))
    )
    w.function("h", device, ("sb_dev", device), ("txq", queue))
    known = Knowledge(Btf.parse(w.data()), FEATURES_6_12)
    assert rows("h", "p", known)[2:5] == [
        "dev=+0(%di):string",
        "dev_name=+0(+8(%si)):string",
        "txq_sb_dev_name=+0(+16(%si)):string",
    ]
    # what the result has in common with a parameter is told apart
    assert [row for row in rows("h", "r", known) if "dev" in row] == [
        "ret_dev=+0($retval):string",
        "sb_dev=$arg1:x64",
        "dev=+0($arg1):string",
        "dev_name=+0(+8($arg2)):string",
        "txq_sb_dev_name=+0(+16($arg2)):string",
    ]
    # "d" isn't the beginning of "dev"
    assert rows("g", "p", known)[2:4] == ["d_dev=+0(%di):string", "dev_name=+0(%si):string"]


def test_structures_by_value_are_offered_by_members() -> None:
    w = Writer()
    long = w.integer("long", 8, signed=True)
    three = w.struct("three", 24, ("a", long, 0), ("b", long, 64), ("c", long, 128))
    w.function("f", three, ("v", three))
    known = Knowledge(Btf.parse(w.data()), FEATURES_6_12)
    assert rows("f", "p", known)[:3] == ["v_a=+8($stack):s64", "v_b=+16($stack):s64", "v_c=+24($stack):s64"]
    assert rows("f", "r", known)[:2] == ["ret_a=+0($retval):s64", "ret_b=+8($retval):s64"]


def test_structures_in_registers_are_offered_by_members_too() -> None:
    w = Writer()
    long, word = w.integer("long", 8, signed=True), w.integer("unsigned int", 4)
    mixed = w.struct("", 16, ("a", word, 0), ("b", word, 32), ("c", long, 64))
    w.function("f", mixed, ("n", word), ("v", mixed))
    known = Knowledge(Btf.parse(w.data()), FEATURES_6_12)
    assert rows("f", "p", known)[:6] == [
        "n=%di:u32",
        "v=%si:x64",
        "v_a=%si:u32",
        "v_b=%si:b32@32/64",
        "v_c=%dx:s64",
        "v_hi=%dx:x64",
    ]
    assert rows("f", "r", known)[:4] == [
        "ret=$retval:x64",
        "ret_a=$retval:u32",
        "ret_b=$retval:b32@32/64",
        "ret_c=%dx:s64",
    ]
    number = w.integer("int", 4, signed=True)
    signed = w.struct("", 8, ("a", word, 0), ("b", number, 32))
    w.function("g", 0, ("v", signed))
    found = help_at(Place("g"), "p", Knowledge(Btf.parse(w.data()), FEATURES_6_12)).rows
    assert [(str(row.arg), row.note) for row in found[1:3]] == [
        ("v_a=%di:u32", "v.a"),
        ("v_b=%di:b32@32/64", "v.b; shown without its sign"),
    ]
    moment = w.struct("timespec64", 16, ("tv_sec", long, 0), ("tv_nsec", long, 64))
    w.function("h", moment, ("t", moment))
    returned = rows("h", "r", Knowledge(Btf.parse(w.data()), FEATURES_6_12))
    assert returned[1:3] == ["ret_sec=$retval:s64", "ret_nsec=%dx:s64"]
    assert {"sec=$arg1:s64", "nsec=$arg2:s64"} < set(returned)


FUNCTIONS_OF_BTF = sorted({kernel().name(number) for number in kernel().numbers(12)})


@pytest.mark.parametrize("kind", ["p", "r"])
def test_every_row_stands_alone_in_the_kernel(kind: Kind) -> None:
    targets = [
        (KNOWN, Target(btf=kernel())),
        (OLD, Target(release="6.1.0-50-amd64", features=OLD.features)),
    ]
    names = [*FUNCTIONS_OF_BTF[::4], *(f"__x64_sys_{name}" for name in list(SYSCALLS)[::5])]
    for known, target in targets:
        for symbol in names:
            for row in help_at(Place(symbol), kind, known).rows:
                for arg in filter(None, (row.arg, row.native)):
                    line = f"{kind}:kptui/x {symbol} {arg}"
                    verdict = check_definition(line, target)
                    assert verdict.ok, (line, verdict.problems)
