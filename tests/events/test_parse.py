"""One record to a value: prefixes, places, arguments with and without their list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.events import (
    Annotate,
    Arg,
    ArgSpec,
    EventLog,
    Header,
    LineAssembler,
    Lost,
    Raw,
    Ref,
    StackFrame,
    TraceEvent,
    TraceParser,
    arg_specs,
    arguments_text,
    event_values,
)

PREFIX = "            bash-1234    [001] d.h2.  5021.123456: "


def event(text: str, parser: TraceParser | None = None) -> TraceEvent:
    record = (parser or TraceParser()).parse(text.encode("utf-8", "surrogateescape"))
    assert isinstance(record, TraceEvent), record
    assert record.text == text
    return record


def body(text: str, parser: TraceParser | None = None) -> TraceEvent:
    return event(PREFIX + text, parser)


def values(text: str, parser: TraceParser | None = None) -> list[tuple[str, object]]:
    return [(arg.name, arg.value) for arg in body(text, parser).args]


def test_the_parts_of_the_prefix() -> None:
    got = event(PREFIX + 'open: (do_sys_openat2+0x0/0x90) dfd=-100 path="/etc/passwd"')
    assert (got.comm, got.pid, got.tgid, got.cpu, got.flags, got.ts) == (
        "bash",
        1234,
        None,
        1,
        "d.h2.",
        "5021.123456",
    )
    assert (got.event, got.ip, got.body) == ("open", Ref("do_sys_openat2", 0, 0x90), None)
    assert got.args == (Arg("dfd", "-100", "num"), Arg("path", "/etc/passwd", "str"))


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("          <idle>-0       [000] d.h2.     0.000001: ", "<idle> 0 None 0 d.h2. 0.000001"),
        ("           <...>-4194304 [012] DBZff 99999.999999: ", "<...> 4194304 None 12 DBZff 99999.999999"),
        ("             cat-138   [000] ....    14.171940: ", "cat 138 None 0 .... 14.171940"),
        ("            bash-1234    [1023] .....     1.000000: ", "bash 1234 None 1023 ..... 1.000000"),
        ("            bash-1234    [001] dNLh213     1.000000: ", "bash 1234 None 1 dNLh213 1.000000"),
        ("            bash-1234    (   1200) [001] .....     1.000000: ", "bash 1234 1200 1 ..... 1.000000"),
        ("            bash-1234    (-------) [001] .....     1.000000: ", "bash 1234 None 1 ..... 1.000000"),
        ("            bash-1234    [001]     29.354665: ", "bash 1234 None 1 None 29.354665"),
        ("            bash-1234    [001]  12345.678901: ", "bash 1234 None 1 None 12345.678901"),
        ("            bash-1234    [001] .....            5: ", "bash 1234 None 1 ..... 5"),
        ("            bash-1234    [001] .....  99542095224: ", "bash 1234 None 1 ..... 99542095224"),
        ("            bash-1234    [001]             5: ", "bash 1234 None 1 None 5"),
        ("           <XXX>--5      [001] .....     1.000000: ", "<XXX> -5 None 1 ..... 1.000000"),
        (" python3-181       1..... 16497us : ", "python3 181 None 1 ..... 16497us"),
        (" python3-127       0.... 12513us#: ", "python3 127 None 0 .... 12513us"),
        ("      a\n-181      12d..2.     5us*: ", "a\n 181 None 12 d..2. 5us"),
        ("-1 [000] 1: x: y-5       [000] .....     1.000000: ", "-1 [000] 1: x: y 5 None 0 ..... 1.000000"),
    ],
)
def test_every_layout_of_the_prefix(prefix: str, expected: str) -> None:
    got = event(prefix + "open: (a+0x1/0x2) n=1")
    assert f"{got.comm} {got.pid} {got.tgid} {got.cpu} {got.flags} {got.ts}" == expected
    assert (got.event, got.args) == ("open", (Arg("n", "1", "num"),))
    assert arguments_text(got) == "n=1"


def test_the_mark_of_latency_format() -> None:
    assert event(" python3-127       0.... 12513us#: open: (a+0x1/0x2)").mark == "#"
    assert event(" python3-127       0.... 12513us : open: (a+0x1/0x2)").mark is None


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("vfs_read+0x4/0x370", Ref("vfs_read", 4, 0x370)),
        ("ext4_file_open+0x0/0x340 [ext4]", Ref("ext4_file_open", 0, 0x340, "ext4")),
        ("vfs_read+0x4/0x370 <ffffffff8143e6d4>", Ref("vfs_read", 4, 0x370, None, "ffffffff8143e6d4")),
        ("x.isra.0+0x4/0x370 [m] <ffff>", Ref("x.isra.0", 4, 0x370, "m", "ffff")),
        ("0x401136", Ref(None, addr="0x401136")),
        ("0", Ref(None, addr="0")),
        ("[unknown/kretprobe'd]", Ref("[unknown/kretprobe'd]")),
        ("syscalls.sys_enter_openat", Ref("syscalls.sys_enter_openat")),
    ],
)
def test_places(text: str, ref: Ref) -> None:
    assert body(f"ev: ({text}) a=1").ip == ref
    assert body(f"ev: ({text})").ip == ref
    back = body(f"ev: ({text} <- do_sys_openat2) ret=0x3")
    assert (back.ip, back.ret_ip, back.func) == (None, ref, "do_sys_openat2")
    assert str(ref) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1 b=-5 c=0x1f", [("a", "1"), ("b", "-5"), ("c", "0x1f")]),
        ('s="" t="x"', [("s", ""), ("t", "x")]),
        ("s=(fault) t=1", [("s", None), ("t", "1")]),
        ('s="(fault)"', [("s", "(fault)")]),
        ("c='x' d='\n' e=''' f='\udcff'", [("c", "x"), ("d", "\n"), ("e", "'"), ("f", "\udcff")]),
        ("a={0x1,0x2} b={-1}", [("a", ("0x1", "0x2")), ("b", ("-1",))]),
        ('a={"x","y z",(fault)} b=1', [("a", ("x", "y z", None)), ("b", "1")]),
        ("a={'/',',','}'}", [("a", ("/", ",", "}"))]),
        ("a=vfs_read+0x4/0x370 [ext4] b=2", [("a", "vfs_read+0x4/0x370 [ext4]"), ("b", "2")]),
        ("a={x+0x1/0x2 [m],0x5} b=2", [("a", ("x+0x1/0x2 [m]", "0x5")), ("b", "2")]),
        ('s="a b=1 c" d=2', [("s", "a b=1 c"), ("d", "2")]),
        ('s="a" b=1 c" d=2', [("s", 'a" b=1 c'), ("d", "2")]),
        ('s="a" d=1" d=2', [("s", 'a" d=1'), ("d", "2")]),
        ('s="a" d="1" d="2"', [("s", 'a" d="1'), ("d", "2")]),
        ('s=""" d=2', [("s", '"'), ("d", "2")]),
        ('comm="python3" comm2="py" m=4', [("comm", "python3"), ("comm2", "py"), ("m", "4")]),
    ],
)
def test_arguments_without_a_list(text: str, expected: list[tuple[str, object]]) -> None:
    assert values("ev: (a+0x0/0x1) " + text) == expected
    assert arguments_text(body("ev: (a+0x0/0x1) " + text)) == text


def test_types() -> None:
    args = body("ev: (a+0x0/0x1) n=1 s=\"x\" f=(fault) a={1} y=a+0x1/0x2 c='x'").args
    assert [arg.type for arg in args] == ["num", "str", "fault", "array", "sym", "str"]


def test_the_list_decides_where_shape_cannot() -> None:
    specs = (ArgSpec("path", "str"), ArgSpec("flags", "num"))
    text = 'ev: (a+0x0/0x1) path="x" flags=0x1 mode="7" flags=0x2'
    parser = TraceParser({"ev": specs})
    assert values(text, parser) == [("path", 'x" flags=0x1 mode="7'), ("flags", "0x2")]
    text = 'ev: (a+0x0/0x1) path="x" mode="7" flags=0x2'
    assert values(text) == [("path", "x"), ("mode", "7"), ("flags", "0x2")]
    assert values(text, parser) == [("path", 'x" mode="7'), ("flags", "0x2")]


def test_other_records_of_an_event_teach_its_list() -> None:
    parser = TraceParser()
    assert len(values('ev: (a+0x0/0x1) path="x" flags=0x2', parser)) == 2
    hostile = 'ev: (a+0x0/0x1) path="x"y" mode="7" flags=0x2'
    assert values(hostile, parser) == [("path", 'x"y" mode="7'), ("flags", "0x2")]


def test_several_readings_are_marked() -> None:
    specs = (ArgSpec("a", "str"), ArgSpec("b", "str"))
    got = body('ev: (a+0x0/0x1) a="1" b="2" b="3"', TraceParser({"ev": specs}))
    assert got.ambiguous
    assert [arg.value for arg in got.args] == ['1" b="2', "3"]
    assert not body('ev: (a+0x0/0x1) a="1" b="2"', TraceParser({"ev": specs})).ambiguous


def test_a_list_that_is_out_of_date_is_not_forced_on_a_record() -> None:
    parser = TraceParser({"ev": (ArgSpec("old", "num"),)})
    assert values('ev: (a+0x0/0x1) path="x" n=1', parser) == [("path", "x"), ("n", "1")]


def test_symbols_are_known_by_the_list() -> None:
    specs = arg_specs('"(%lx) at=%pS n=%d", REC->__probe_ip, REC->at, REC->n')
    got = body("ev: (a+0x0/0x1) at=0x88201 n=1", TraceParser({"ev": specs}))
    assert got.args == (Arg("at", "0x88201", "sym"), Arg("n", "1", "num"))


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        (
            "sched_switch: prev_comm=a prev_pid=1 ==> next_comm=b",
            "sched_switch",
            "prev_comm=a prev_pid=1 ==> next_comm=b",
        ),
        ("tracing_mark_write: (a+0x0/0x1) a=1", "tracing_mark_write", "(a+0x0/0x1) a=1"),
        ("my_func+0x1/0x20 [mod]: hello: you", "my_func+0x1/0x20 [mod]", "hello: you"),
        ("sys_openat(dfd: ffffff9c, filename: 7f)", "", "sys_openat(dfd: ffffff9c, filename: 7f)"),
        ("Unknown type 2326", "", "Unknown type 2326"),
        ("vfs_read <-ksys_read", "", "vfs_read <-ksys_read"),
        ("<stack trace>", "<stack trace>", ""),
        ("<user stack trace>", "<user stack trace>", ""),
        ("open: (do_sys_openat2+0x0/0xe0) dfd=-1", "open", None),
        ('open: (do_sys_openat2+0x0/0xe0) dfd=-1 f="x', "open", '(do_sys_openat2+0x0/0xe0) dfd=-1 f="x'),
        ("open: (do_sys_op", "open", "(do_sys_op"),
        ("open: __probe_ip=0xf (-2) filename=/x", "open", "__probe_ip=0xf (-2) filename=/x"),
        ("open: (not a probe) at all", "open", "(not a probe) at all"),
    ],
)
def test_bodies_that_are_no_probes(text: str, name: str, rest: str | None) -> None:
    got = body(text)
    assert (got.event, got.body) == (name, rest)
    if rest is not None:
        assert (got.ip, got.ret_ip, got.func, got.args) == (None, None, None, ())


def test_lines_that_are_no_events() -> None:
    parse = TraceParser().parse
    assert parse(b"CPU:2 [LOST 4876 EVENTS]") == Lost(2, 4876, "CPU:2 [LOST 4876 EVENTS]")
    assert parse(b"CPU:12 [LOST EVENTS]") == Lost(12, None, "CPU:12 [LOST EVENTS]")
    assert parse(b"##### CPU 3 buffer started ####") == Annotate("##### CPU 3 buffer started ####")
    assert parse(b"# tracer: nop") == Header("# tracer: nop")
    assert parse(b" => vfs_read") == StackFrame(" => vfs_read")
    for raw in ("[LINE TOO BIG]", "", "opt: (a+0x0/0x1) a=1", "181 0 31834726524 type: 1662", "\x00\udcff"):
        assert parse(raw.encode("utf-8", "surrogateescape")) == Raw(raw)


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_it_raise_or_lose_text(data: bytes) -> None:
    for line in (data, (PREFIX + "ev: (a+0x0/0x1)").encode() + data):
        assert TraceParser().parse(line).text.encode("utf-8", "surrogateescape") == line


COMM = st.binary(max_size=15).filter(lambda b: b"\0" not in b and not b.startswith(b" "))
TEXT = st.text(st.sampled_from(list("ab\" =1\n,{}'(\x1b")), max_size=12) | st.binary(max_size=8).map(
    lambda b: b.decode("utf-8", "surrogateescape")
)
NUMBER = st.integers(-(2**63), 2**64).map(str) | st.integers(0, 2**64).map(hex)


@st.composite
def printed(draw: st.DrawFn) -> tuple[bytes, bytes, tuple[ArgSpec, ...], list[tuple[str, object]]]:
    """A record as the kernel would print it: its bytes, the comm, the argument list and the values."""
    specs: list[ArgSpec] = []
    expected: list[tuple[str, object]] = []
    text = ""
    for name in draw(st.lists(st.sampled_from(["a", "b", "path", "n1"]), unique=True, max_size=4)):
        kind = draw(st.sampled_from(["num", "str", "char", "fault", "array"]))
        if kind == "num":
            value: object = draw(NUMBER)
            text += f" {name}={value}"
            specs.append(ArgSpec(name, "num"))
        elif kind == "array":
            items = draw(st.lists(NUMBER, min_size=1, max_size=4))
            value = tuple(items)
            text += f" {name}={{{','.join(items)}}}"
            specs.append(ArgSpec(name, "num", len(items)))
        elif kind == "char":
            value = draw(st.integers(0, 255).map(lambda c: bytes([c]).decode("utf-8", "surrogateescape")))
            text += f" {name}='{value}'"
            specs.append(ArgSpec(name, "char"))
        else:
            value = None if kind == "fault" else draw(TEXT)
            text += f" {name}=(fault)" if value is None else f' {name}="{value}"'
            specs.append(ArgSpec(name, "str"))
        expected.append((name, value))
    comm = draw(COMM)
    head = comm.rjust(16) + b"-1234    [001] .....  5021.123456: ev: (vfs_read+0x4/0x370 [m])"
    return head + text.encode("utf-8", "surrogateescape"), comm, tuple(specs), expected


@given(printed(), printed())
@settings(max_examples=150, deadline=None)
def test_what_the_kernel_prints_is_read_back(
    one: tuple[bytes, bytes, tuple[ArgSpec, ...], list[tuple[str, object]]],
    two: tuple[bytes, bytes, tuple[ArgSpec, ...], list[tuple[str, object]]],
) -> None:
    for line, comm, specs, expected in (one, two):
        got = TraceParser({"ev": specs}).parse(line)
        assert isinstance(got, TraceEvent)
        assert got.comm.encode("utf-8", "surrogateescape") == comm
        assert (got.pid, got.cpu, got.ts, got.ip) == (1234, 1, "5021.123456", Ref("vfs_read", 4, 0x370, "m"))
        if not got.ambiguous:
            assert [(arg.name, arg.value) for arg in got.args] == expected
    # Both in one stream, unless the text of one imitates the start of the other.
    assembler = LineAssembler()
    stream = assembler.feed(one[0] + b"\n" + two[0] + b"\n") + assembler.close()
    assert stream == [one[0], two[0]]


def test_a_hostile_string_costs_no_more_than_a_moment() -> None:
    text = '" a="' * 700 + " b={" * 200
    parser = TraceParser({"ev": (ArgSpec("a", "str"), ArgSpec("b", "str"), ArgSpec("c", "num"))})
    for _ in range(5):
        assert body(f'ev: (a+0x0/0x1) a="{text}" b="{text}" c=1', parser).args[-1].value == "1"
        assert len(body(f'other: (a+0x0/0x1) a="{text}" b="{text}" c=1').args) == 2


@pytest.mark.parametrize(
    "text",
    [
        f"CPU:{'9' * 6000} [LOST 1 EVENTS]",
        f"CPU:1 [LOST {'9' * 6000} EVENTS]",
        f"            bash-{'9' * 6000} [001] .....  5021.123456: open: (f+0x0/0x9)",
        f"            bash-1234    [{'9' * 6000}] .....  5021.123456: open: (f+0x0/0x9)",
        f"            bash-1234    ({'9' * 6000}) [001] .....  5021.123456: open: (f+0x0/0x9)",
        f"    bash-1234    {'9' * 6000}.....  5021us : open: (f+0x0/0x9)",
    ],
)
def test_numbers_that_no_kernel_prints_are_text(text: str) -> None:
    log = EventLog()
    log.feed(text.encode() + b"\n")
    assert TraceParser().parse(text.encode()) == log.record(0) == Raw(text)
    assert log.lost == 0


def test_an_offset_that_no_kernel_prints_is_text() -> None:
    place = f"f+0x{'f' * 6000}/0x9"
    assert body(f"open: ({place}) a=1").ip == Ref(place)


def test_values_for_filters_and_columns() -> None:
    got = event_values(body('open: (vfs_open+0x4/0xf0) pid=7 path="/x" s=(fault) a={1,2}'))
    assert (got["comm"], got["common_pid"], got["cpu"], got["event"]) == ("bash", 1234, 1, "open")
    assert (got["path"], got["s"], got["a"]) == ("/x", None, "{1,2}")
    assert (got["pid"], got["args.pid"]) == ("7", "7")
    assert got["ip"] == "vfs_open+0x4/0xf0"
    got = event_values(body("open: (a+0x0/0x1) comm=1 cpu=2 event=3"))
    assert (got["comm"], got["cpu"], got["event"]) == ("1", "2", "open")
    assert (got["COMM"], got["CPU"], got["args.event"]) == ("bash", 1, "3")
    assert event_values(Lost(1, 2, "x")) == {"kind": "lost", "text": "x"}


def test_a_name_cannot_imitate_the_arguments() -> None:
    got = event("  open: (b) dfd=-5       [000] .....     1.000000: open: (c+0x0/0x1) dfd=3")
    assert (got.comm, got.pid, arguments_text(got)) == ("open: (b) dfd=", 5, "dfd=3")
