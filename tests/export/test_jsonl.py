"""JSON lines: the exact form, ASCII whatever the bytes, nothing lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.events import TraceParser
from kptui.export.jsonl import record_to_json

PREFIX = b"            bash-1234    [001] .....  5021.123456: "


def converted(line: bytes) -> str:
    return record_to_json(TraceParser().parse(line))


def test_an_entry_probe() -> None:
    assert converted(PREFIX + b'open: (do_sys_openat2+0x0/0x90) path="/etc/passwd"') == (
        '{"kind":"event","comm":"bash","pid":1234,"tgid":null,"cpu":1,"flags":".....","ts":"5021.123456",'
        '"event":"open","ip":{"sym":"do_sys_openat2","off":0,"size":144,"mod":null,"addr":null},'
        '"args":[{"name":"path","value":"/etc/passwd","type":"str"}]}'
    )


def test_a_return_probe() -> None:
    assert converted(PREFIX + b"back: (ext4_x+0x1f/0x20 [ext4] <- vfs_read) ret=-2 v=(fault) a={0x1,2}") == (
        '{"kind":"event","comm":"bash","pid":1234,"tgid":null,"cpu":1,"flags":".....","ts":"5021.123456",'
        '"event":"back","ret_ip":{"sym":"ext4_x","off":31,"size":32,"mod":"ext4","addr":null},"func":"vfs_read",'
        '"args":[{"name":"ret","value":"-2","type":"num"},{"name":"v","value":null,"type":"fault"},'
        '{"name":"a","value":["0x1","2"],"type":"array"}]}'
    )


def test_a_bare_address_and_a_symbol_as_argument() -> None:
    record = json.loads(converted(PREFIX + b"up: (0x401136) s=vfs_read+0x4/0x370 [m]"))
    assert record["ip"] == {"sym": None, "off": None, "size": None, "mod": None, "addr": "0x401136"}
    assert record["args"] == [{"name": "s", "value": "vfs_read+0x4/0x370 [m]", "type": "sym"}]


def test_an_unknown_caller_keeps_its_text() -> None:
    record = json.loads(converted(PREFIX + b"back: ([unknown/kretprobe'd] <- vfs_read) ret=1"))
    assert record["ret_ip"] == {
        "sym": "[unknown/kretprobe'd]",
        "off": None,
        "size": None,
        "mod": None,
        "addr": None,
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b"CPU:2 [LOST 4876 EVENTS]",
            '{"kind":"lost","cpu":2,"count":4876,"text":"CPU:2 [LOST 4876 EVENTS]"}',
        ),
        (b"CPU:2 [LOST EVENTS]", '{"kind":"lost","cpu":2,"count":null,"text":"CPU:2 [LOST EVENTS]"}'),
        (b" => vfs_read", '{"kind":"stack_frame","text":" => vfs_read"}'),
        (b"# tracer: nop", '{"kind":"header","text":"# tracer: nop"}'),
        (
            b"##### CPU 3 buffer started ####",
            '{"kind":"annotate","text":"##### CPU 3 buffer started ####"}',
        ),
        (b"", '{"kind":"raw","text":""}'),
        (b"\x1b\x7f\x00\xff\xc3\xa9", '{"kind":"raw","text":"\\u001b\\u007f\\u0000\\udcff\\u00e9"}'),
    ],
)
def test_the_other_kinds(line: bytes, expected: str) -> None:
    assert converted(line) == expected


def test_an_event_that_is_no_probe() -> None:
    record = json.loads(converted(PREFIX + b"tracing_mark_write: two\nlines"))
    assert list(record) == [
        "kind",
        "comm",
        "pid",
        "tgid",
        "cpu",
        "flags",
        "ts",
        "event",
        "ip",
        "args",
        "body",
    ]
    assert (record["ip"], record["args"], record["body"]) == (None, [], "two\nlines")
    assert json.loads(converted(PREFIX + b"Unknown type 7"))["event"] is None
    assert json.loads(converted(PREFIX + b"<stack trace>"))["event"] == "<stack trace>"


def test_the_mark_of_latency_format_is_kept() -> None:
    record = json.loads(converted(b" python3-127       0.... 12513us#: opt: (a+0x0/0x1)"))
    assert (record["ts"], record["mark"], "body" in record) == ("12513us", "#", False)


@given(st.binary(max_size=60), st.booleans())
@settings(max_examples=200, deadline=None)
def test_ascii_on_one_line_and_every_byte_back(data: bytes, prefixed: bool) -> None:
    line = PREFIX + b'ev: (a+0x0/0x1) s="' + data + b'"' if prefixed else data
    text = converted(line)
    assert text.isascii()
    assert text.isprintable()
    record = json.loads(text)
    if prefixed:
        assert record["kind"] == "event"
        if len(record["args"]) == 1:
            assert record["args"][0]["value"].encode("utf-8", "surrogateescape") == data
    elif record["kind"] != "event":
        assert record["text"].encode("utf-8", "surrogateescape") == line
