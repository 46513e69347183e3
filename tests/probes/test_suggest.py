from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.probes.definition import Kind, Place, Probe, parse_probe
from kptui.probes.exprs import ArgN, BtfPath, Register, Retval
from kptui.probes.fetch import MAX_NAME, is_identifier, parse_fetcharg
from kptui.probes.suggest import suggestions
from kptui.probes.syscalls import FUNCTIONS, SYSCALLS
from tests.probes.strategies import places


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
    rows = texts("vfs_read", "r")
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
