"""Event formats as real kernels print them, and texts that are none."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.events.format import EventFormat, Field, FormatError, parse_format

DATA = Path(__file__).parent / "data"


def read(name: str) -> str:
    return (DATA / name).read_text()


@pytest.fixture(scope="module")
def all_types() -> EventFormat:
    return parse_format(read("format_all_types-6.12.txt"))


def test_an_entry_probe_with_every_argument_type(all_types: EventFormat) -> None:
    assert (all_types.name, all_types.id) == ("all_types", 1662)
    assert all_types.is_probe
    assert not all_types.is_return
    assert [f.name for f in all_types.fields[:5]] == [
        "common_type",
        "common_flags",
        "common_preempt_count",
        "common_pid",
        "__probe_ip",
    ]
    assert [f.name for f in all_types.fields if f.common] == [f.name for f in all_types.fields[:4]]
    assert all_types.args[0] == Field("r_di", "u64", 16, 8, False, "number")
    assert len(all_types.args) == len(all_types.fields) - 5
    assert all_types.print_fmt.startswith('"(%lx) r_di=0x%Lx u8=%u')
    assert all_types.print_fmt.endswith("__get_str(ss)")


@pytest.mark.parametrize(
    ("name", "kind", "ctype", "bits", "signed", "count"),
    [
        ("u8", "number", "u8", 8, False, 1),
        ("s16", "number", "s16", 16, True, 1),
        ("x64", "number", "u64", 64, False, 1),
        ("b2", "number", "u8", 8, False, 1),
        ("ch", "number", "u8", 8, False, 1),
        ("comm", "string", "__data_loc char[]", 0, True, 1),
        ("ss", "string", "__data_loc char[]", 0, True, 1),
        ("arr", "array", "u8[]", 8, False, 4),
        ("arr16", "array", "u16[]", 16, False, 3),
        ("arr64", "array", "s64[]", 64, True, 2),
        ("charr", "array", "u8[]", 8, False, 4),
        ("strarr", "strings", "__data_loc char[][1]", 0, True, 1),
        ("__probe_ip", "number", "unsigned long", 64, False, 1),
        ("common_pid", "number", "int", 32, True, 1),
    ],
)
def test_field_types(
    all_types: EventFormat, name: str, kind: str, ctype: str, bits: int, signed: bool, count: int
) -> None:
    field = all_types.field(name)
    assert field is not None
    assert (field.kind, field.ctype, field.bits, field.signed, field.count) == (
        kind,
        ctype,
        bits,
        signed,
        count,
    )


@pytest.mark.parametrize("release", ["5.10", "6.1", "6.12"])
def test_every_kernel_s_offsets_are_within_the_record(release: str) -> None:
    fmt = parse_format(read(f"format_all_types-{release}.txt"))
    ends = [f.offset + f.size for f in fmt.fields]
    starts = [f.offset for f in fmt.fields]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert {f.kind for f in fmt.args} == {"number", "string", "array", "strings"}


def test_a_return_probe() -> None:
    fmt = parse_format(read("format_all_ret.txt"))
    assert fmt.is_return
    assert fmt.is_probe
    assert [f.name for f in fmt.args] == ["arg1", "ret", "retx"]


def test_a_static_event() -> None:
    fmt = parse_format(read("format_sched_switch.txt"))
    assert not fmt.is_probe
    assert fmt.args[0] == Field("prev_comm", "char[16]", 8, 16, False, "string")
    assert fmt.args[1].name == "prev_pid"
    assert "\n" not in fmt.print_fmt


@pytest.mark.parametrize(
    ("declaration", "name", "ctype", "kind"),
    [
        ("const char * filename", "filename", "const char *", "pointer"),
        ("char *name", "name", "char *", "pointer"),
        ("void * p", "p", "void *", "number"),
        ("unsigned long args[6]", "args", "unsigned long[6]", "array"),
        ("__data_loc cpumask_t cpumask", "cpumask", "__data_loc cpumask_t", "cpumask"),
        ("__rel_loc char[] s", "s", "__rel_loc char[]", "string"),
        ("__data_loc u64[] phys", "phys", "__data_loc u64[]", "array"),
        ("unsigned char addr[16]", "addr", "unsigned char[16]", "string"),
        ("struct timespec64 t", "t", "struct timespec64", "number"),
    ],
)
def test_declarations(declaration: str, name: str, ctype: str, kind: str) -> None:
    fmt = parse_format(f"name: x\nID: 7\nformat:\n\tfield:{declaration};\toffset:8;\tsize:8;\tsigned:1;\n")
    (field,) = fmt.fields
    assert (field.name, field.ctype, field.kind) == (name, ctype, kind)


def test_old_and_odd_lines_are_read() -> None:
    fmt = parse_format("name: x\nID: 7\nformat:\n\tfield:int a;\toffset:8;\tsize:4;\n\tnew thing: 5\n")
    assert fmt.fields == (Field("a", "int", 8, 4, False, "number"),)
    assert fmt.print_fmt == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("\x7fELF\x02\x01\0\0\0", "binary"),
        ("hello\nworld\n", "neither"),
        ("name: x\nID: 7\nformat:\n", "cut short"),
        ("ID: 7\nformat:\n\tfield:int a;\toffset:8;\tsize:4;\tsigned:1;\n", "no name"),
        ("name: x\nformat:\n\tfield:int a;\toffset:8;\tsize:4;\tsigned:1;\n", "no ID"),
        ("name: x\nID: seven\n", "Line 2"),
        ("name: x\nID: 7\nformat:\n\tfield:int a;\toffs", "Line 4"),
        ("name: x\nID: 7\nformat:\n\tfield:\x1b]0;a;\toffs", "Line 4"),
    ],
)
def test_what_is_no_format_says_so_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FormatError, match=sentence) as caught:
        parse_format(text)
    message = str(caught.value)
    assert "\n" not in message
    assert "\x1b" not in message


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=3200), st.binary(max_size=8))
def test_damaged_files_never_break_it(cut: int, junk: bytes) -> None:
    whole = read("format_all_types-6.12.txt")
    for text in (whole[:cut], whole[:cut] + junk.decode("latin-1") + whole[cut:]):
        with contextlib.suppress(FormatError):
            assert parse_format(text).fields
