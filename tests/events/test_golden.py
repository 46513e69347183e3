"""Captures of five real kernels against expectations that were read line by line."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from kptui.events import LineAssembler, TraceParser, arg_specs, parse_format
from tests.events.golden import DATA, KERNELS, converted, load

ARCHIVES = {kernel: load(kernel) for kernel in KERNELS}
CAPTURES = [(kernel, name) for kernel in KERNELS for name in ARCHIVES[kernel] if name.endswith(".txt")]


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_capture_becomes_the_expected_json(kernel: str) -> None:
    files = ARCHIVES[kernel]
    names = [name for name in files if name.endswith(".txt")]
    assert len(names) > 40
    for name in names:
        expected = files[name.replace(".txt", ".jsonl")].decode("ascii")
        assert converted(files[name]).splitlines() == expected.splitlines(), name


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_byte_is_dropped(kernel: str) -> None:
    for name, data in ARCHIVES[kernel].items():
        if name.endswith(".txt"):
            assembler = LineAssembler()
            records = assembler.feed(data) + assembler.close()
            assert b"\n".join(records) == data.removesuffix(b"\n"), name


@pytest.mark.parametrize("kernel", KERNELS)
def test_hostile_names_and_paths(kernel: str) -> None:
    events = [json.loads(line) for line in converted(ARCHIVES[kernel]["trace_pipe_awkward.txt"]).splitlines()]
    assert [event["comm"] for event in events if event["comm"] != "python3"] == [
        "my proc",
        "a-1 [000]",
        "x-12 [001] d..",
        "weird:(x)",
        "-5",
        "<...>",
        "a]b[c",
        "\udcff\udcfe\udc80",
        "café ✓",
        "tab\there",
        "new\nline",
        "",
        "fifteen-chars-x",
        "=1 b=2",
        '"quoted"',
    ]
    paths = [event["args"][1]["value"] for event in events if event["comm"] == "python3"]
    assert paths[:9] == [
        "/tmp/plain",
        "/tmp/with space",
        '/tmp/with "quotes"',
        "/tmp/back\\slash",
        "/tmp/tab\tx",
        "/tmp/new\nline",
        '/tmp/ a=1 b="2"',
        "/tmp/café",
        "/tmp/\udcff\udcfe",
    ]
    fault = "" if kernel in ("6.18", "7.3") else None  # what these print for a NULL path
    assert paths[10:16] == [
        fault,
        "/tmp/(fault)",
        "/tmp/esc\x1b[31m",
        "/tmp/(x+0x1/0x2) y=1",
        None,
        None,
    ]
    types = [event["args"][1]["type"] for event in events if event["comm"] == "python3"]
    assert types[10:12] == ["fault" if fault is None else "str", "str"]
    assert all([arg["name"] for arg in event["args"]] == ["dfd", "filename", "flags"] for event in events)


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_type_of_argument(kernel: str) -> None:
    events = [json.loads(line) for line in converted(ARCHIVES[kernel]["trace_pipe_types.txt"]).splitlines()]
    first = next(event for event in events if event["event"] == "all_types")
    args = {arg["name"]: (arg["type"], arg["value"]) for arg in first["args"]}
    trampoline = "kretprobe_trampoline+0x0/0x50" if kernel == "5.10" else "arch_rethook_trampoline+0x0/0x60"
    assert args["s8"] == ("num", "-100")
    assert args["x16"] == ("num", "0xff9c")
    assert args["u64"] == ("num", "4294967196")
    assert args["sym"][0] == "sym"
    assert args["comm"] == args["comm2"] == ("str", "python3")
    assert args["imms"] == ("str", "hello")
    assert args["arr"] == ("array", ["0x1", "0x82", "0x8", "0x0"])
    assert args["arr16"] == ("array", ["33281", "8", "0"])
    assert args["strarr"] == ("array", [None])
    if kernel in ("5.10", "6.12", "6.18", "7.3"):
        assert args["sym"] == ("sym", trampoline)
        assert args["symarr"] == ("array", [trampoline, "0x88201"])
    if kernel in ("6.12", "6.18", "7.3"):
        assert args["ch"] == ("str", "\udc9c")
        assert args["charr"] == ("array", ["/", "s", "y", "s"])
    assert not any("body" in event for event in events)


def test_a_format_file_tells_symbols_from_numbers() -> None:
    fmt = parse_format((DATA / "format_all_types-6.12.txt").read_text())
    specs = arg_specs(fmt.print_fmt)
    assert [spec.name for spec in specs] == [field.name for field in fmt.args]
    kinds = {spec.name: (spec.kind, spec.count) for spec in specs}
    assert kinds["sym"] == ("sym", None)
    assert kinds["symarr"] == ("sym", 2)
    assert kinds["ch"] == ("char", None)
    assert kinds["charr"] == ("char", 4)
    assert kinds["strarr"] == ("str", 1)
    assert kinds["arr64"] == ("num", 2)
    data = ARCHIVES["6.12"]["trace_pipe_types.txt"]
    parser = TraceParser({"all_types": specs})
    plain = TraceParser()
    for with_specs, without in zip(parser.feed(data), plain.feed(data), strict=True):
        assert with_specs == without


@pytest.mark.parametrize("kernel", KERNELS)
def test_stacks_markers_and_losses(kernel: str) -> None:
    files = ARCHIVES[kernel]
    stacks = [json.loads(line) for line in converted(files["trace_pipe_stacktrace.txt"]).splitlines()]
    heads = [i for i, record in enumerate(stacks) if record.get("event") == "<stack trace>"]
    assert len(heads) == 8
    assert all(stacks[i + 1]["kind"] == "stack_frame" for i in heads)
    frames = files["trace_pipe_stacktrace.txt"].count(b"\n => ")
    assert Counter(record["kind"] for record in stacks)["stack_frame"] == frames
    marks = [json.loads(line) for line in converted(files["trace_pipe_marker.txt"]).splitlines()]
    assert [m["body"] for m in marks if m["event"] == "tracing_mark_write"] == [
        'hello from a marker, with a=1 "quoted"',
        "two\nlines",
    ]
    lost = [json.loads(line) for line in converted(files["lost_events.txt"]).splitlines()]
    assert [record["text"] for record in lost if record["kind"] == "lost"] == [
        f"CPU:{r['cpu']} [LOST {r['count']} EVENTS]" for r in lost if r["kind"] == "lost"
    ]
    started = [line for line in converted(files["lost_trace.txt"]).splitlines() if "annotate" in line]
    assert len(started) == files["lost_trace.txt"].count(b" buffer started ")


@pytest.mark.parametrize("kernel", KERNELS)
def test_options_that_move_the_columns(kernel: str) -> None:
    files = ARCHIVES[kernel]

    def first(option: str) -> dict[str, object]:
        record = json.loads(converted(files[f"trace_pipe_opt_{option}.txt"]).splitlines()[0])
        assert isinstance(record, dict)
        return record

    assert first("irq-info_0")["flags"] is None
    assert isinstance(first("record-tgid_1")["tgid"], int)
    assert str(first("latency-format_1")["ts"]).endswith("us")
    assert str(first("clock_counter")["ts"]).isdigit()
    assert str(first("clock_x86-tsc")["ts"]).isdigit()
    assert first("context-info_0")["kind"] == "raw"
    assert first("hex_1")["kind"] == first("raw_1")["kind"] == "raw"
    for option in ("irq-info_0", "record-tgid_1", "latency-format_1", "clock_counter", "clock_uptime"):
        record = first(option)
        assert (record["comm"], record["event"], "body" in record) == ("python3", "opt", False)
