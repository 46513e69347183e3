"""The simulated kernel's words against a real 6.12's: refusals, filters, listings, formats, records."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from kptui.kernel.sim import ManualClock, SimFiles
from tests.kernel.sim.record_calls import definitions
from tests.realkernel.sim_steps import differences, run

DATA = Path(__file__).parent / "data"
FILTERED = (
    b"p:flt do_sys_openat2 dfd=%di:s32 fl=%dx filename=+0(%si):ustring comm=$comm u=%di:u8 arr=+0(%dx):x8[4] "
    b"sym=$stack0:symbol\n"
)


def load(name: str) -> Any:
    return json.loads(lzma.decompress((DATA / name).read_bytes()))


def machine() -> SimFiles:
    return SimFiles(clock=ManualClock(), foreign=())


def write(files: SimFiles, path: str, text: str) -> int:
    """errno of a write, 0 when it is taken."""
    try:
        files.append(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        return error.errno or -1
    return 0


def timeless(log: str) -> str:
    return re.sub(r"^\[ *\d+\.\d+\]", "[T]", log, flags=re.M)


def unhashed(listing: str) -> str:
    return re.sub(r"0x0{8}[0-9a-f]{8}", "0xHASH", listing)


@pytest.mark.parametrize("case", load("errors.json.xz"), ids=lambda case: case["command"][:60])
def test_definitions_are_refused_with_the_real_kernels_words(case: dict[str, Any]) -> None:
    files = machine()
    number = write(files, "kprobe_events", case["command"] + "\n")
    assert number == case["errno"]
    assert timeless(files.read("error_log").decode()) == timeless(case["error_log"])
    assert unhashed(files.read("kprobe_events").decode()) == unhashed(case["listed"])


@pytest.mark.parametrize("case", load("filters.json.xz"), ids=lambda case: case["filter"][:60])
def test_filters_are_refused_with_the_real_kernels_words(case: dict[str, Any]) -> None:
    files = machine()
    files.append("kprobe_events", FILTERED)
    number = write(files, "events/kprobes/flt/filter", case["filter"])
    if case["filter"].rstrip().endswith(("&&", "||")):
        assert number != 0, "incomplete filters are refused, as kernels with the 2026 fix do"
        return
    assert number == case["errno"]
    assert files.read("events/kprobes/flt/filter").decode() == case["file"]
    assert timeless(files.read("error_log").decode()) == timeless(case["error_log"])


def test_definitions_list_as_the_real_kernel_lists_them() -> None:
    files = machine()
    listed = (DATA / "kprobe_events_types.txt").read_text()
    files.append("kprobe_events", listed.encode())
    assert files.read("kprobe_events").decode() == listed


def test_formats_are_the_real_kernels() -> None:
    files = machine()
    files.append("kprobe_events", (DATA / "kprobe_events_types.txt").read_bytes())
    expected = lzma.decompress((DATA / "formats.txt.xz").read_bytes()).decode()
    compared = 0
    for part in re.split(r"^# events/", expected, flags=re.M)[1:]:
        path, _, text = part.partition("\n")
        mine = files.read(f"events/{path}").decode()
        assert re.sub(r"ID: \d+", "ID:", mine) == re.sub(r"ID: \d+", "ID:", text.rstrip("\n") + "\n")
        compared += 1
    assert compared >= 12


def test_both_kernels_take_the_same_steps_alike() -> None:
    mine = json.loads(json.dumps(run(machine())))
    assert "\n".join(differences(load("sim_steps_6.12.json.xz"), mine)) == ""


def test_recorded_calls_print_as_they_did_on_the_real_kernel() -> None:
    """The probes that made the recording, defined again, print what the real kernel printed."""
    files = machine()
    for line in definitions():
        if "STATIC" not in line:
            files.append("kprobe_events", f"{line}\n".encode())
    files.append("buffer_size_kb", b"100000")
    files.append("events/rec/enable", b"1")
    files.advance(47.5)
    printed: dict[tuple[str, int], str] = {}
    text = files.read("trace", 1 << 28).decode("utf-8", "surrogateescape")
    for line in text.split("\n"):
        match = re.match(r".{16}-\d+ +\[\d+\] \S+ +(\d+)\.(\d+): (\w+): \([^)]*\) (.*)", line)
        if match:
            time = (int(match[1]) - 5021) * 1_000_000 + int(match[2])
            printed.setdefault((match[3], time), match[4])

    def known(args: str | None, unknown: str) -> str:
        return re.sub(rf" ({unknown})=\S+", "", args or "")

    compared = 0
    for call in load("recorded_lines.json.xz"):
        # the return probe of the recording stood on the stack in place of the caller
        mine = printed.get((f"E_{call['function']}", call["time"]))
        assert known(mine, "st") == known(call["raw"], "st"), call["function"]
        compared += 1
        if call["raw_return"] is not None:
            mine = printed.get((f"R_{call['function']}", call["time"] + call["duration"]))
            assert known(mine, "dx|sp") == known(call["raw_return"], "dx|sp"), call["function"]
            compared += 1
    assert compared > 250
