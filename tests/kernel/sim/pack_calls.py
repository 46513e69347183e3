"""Makes the simulated kernel's recording from the trace that ``record_calls.py`` saved: run on the host.

    python -m tests.kernel.sim.pack_calls DIR kptui/kernel/sim/data

Writes ``calls.json.xz`` (columns of calls, the functions with the expressions that were read, a pool of
values), ``README.xz`` (tracefs' own), DIR/referenced (addresses whose symbols the table must have), and for
the tests ``recorded_lines.json.xz``: some records as the real kernel printed them.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.kernel.sim.record_calls import FUNCTIONS, REGISTERS, STATICS

Value = int | str | list[int] | None
SKIPPED = re.compile(r"kworker|jbd2|kthreadd|ksoftirqd|rcu|record|migration")
RECORD = re.compile(
    r"(?P<comm>.{16})-(?P<pid>\d+) +\[(?P<cpu>\d+)\] (?P<flags>\S+) +(?P<ts>\d+\.\d+): (?P<event>[ER]_\w+|STATIC): "
    r"\((?P<place>[^)]*)\) ?(?P<args>.*)",
    re.DOTALL,
)
WARM_UP = 6_000_000  # microseconds at the start that are left out
WINDOW = 47.0  # seconds
RELEASE = "6.12.107+deb13-amd64"
EVERY = {  # every n-th call of functions that are called all the time
    "kmem_cache_alloc_noprof": 90,
    "__kmalloc_noprof": 60,
    "filename_lookup": 12,
    "security_file_open": 6,
    "vfs_open": 5,
    "do_filp_open": 3,
    "vfs_statx": 4,
    "__x64_sys_newfstatat": 4,
    "__x64_sys_close": 4,
    "__x64_sys_pread64": 4,
    "exit_mmap": 2,
    "do_wait": 2,
}


@dataclass
class Call:
    """An entry probe's record, joined with that of the return."""

    function: str
    time: int
    comm: str
    pid: int
    cpu: int
    flags: str
    values: dict[str, Value]
    raw: str
    raw_return: str | None = None
    duration: int | None = None
    result: int | None = None
    caller: int | None = None
    stack: list[int] = field(default_factory=list)


def number(text: str) -> int:
    return int(text, 16) if text.startswith("0x") else int(text)


def scan(text: str, names: list[str]) -> dict[str, Value]:
    """``name=value`` pairs in a known order."""
    found: dict[str, Value] = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        assert text.startswith(f"{name}="), (text[:60], name)
        end = len(text) if following is None else text.index(f" {following}=")
        value, text = text[len(name) + 1 : end], text[end + 1 :]
        if value == "(fault)":
            found[name] = None
        elif value.startswith('"'):
            found[name] = value[1:-1]
        elif value.startswith("{"):
            found[name] = [number(word) for word in value[1:-1].split(",")]
        else:
            found[name] = number(value)
    return found


def records(path: Path) -> Iterator[str]:
    """The trace's records; a string in them may hold newlines."""
    held = ""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            if held and re.match(r".{16}-\d+ +\[", line):
                yield held
                held = ""
            held = (f"{held}\n{line}" if held else line).rstrip("\n")
    yield held


def read_calls(directory: Path) -> tuple[list[Call], dict[str, Value]]:
    """The calls in order, and what stood at some symbols."""
    calls: list[Call] = []
    running: dict[tuple[int, str], list[Call]] = defaultdict(list)
    statics: dict[str, Value] = {}
    for text in records(directory / "trace"):
        match = RECORD.fullmatch(text)
        if match is None:
            continue
        pid, event, micros = int(match["pid"]), match["event"], round(float(match["ts"]) * 1e6)
        if event == "STATIC":
            statics = statics or scan(match["args"], list(STATICS))
            continue
        function = event[2:]
        if event.startswith("R_"):
            if running[pid, function]:
                call = running[pid, function].pop()
                call.duration = micros - call.time
                call.raw_return = match["args"]
                result = re.match(r"ret=(\S+)", match["args"])
                call.result = number(result[1]) if result else None
                caller = re.search(r"<([0-9a-f]+)> <-", match["place"])
                call.caller = int(caller[1], 16) if caller else None
            continue
        names = [*REGISTERS, "st", "sp", *(f"m{i}" for i in range(len(FUNCTIONS[function])))]
        values = scan(match["args"], names)
        stack = values["st"]
        if not isinstance(stack, list):
            continue
        comm = match["comm"].strip()
        call = Call(
            function, micros, comm, pid, int(match["cpu"]), match["flags"], values, match["args"], stack=stack
        )
        running[pid, function].append(call)
        calls.append(call)
    return calls, statics


def choose(calls: list[Call]) -> list[Call]:
    """Those in the window, thinned where a function is called all the time; times from its start."""
    start = calls[0].time + WARM_UP
    seen: dict[str, int] = defaultdict(int)
    chosen = []
    for call in calls:
        if not start <= call.time < start + WINDOW * 1e6 or SKIPPED.match(call.comm):
            continue
        seen[call.function] += 1
        if seen[call.function] % EVERY.get(call.function, 1) == 0:
            call.time -= start
            chosen.append(call)
    return chosen


def restore_callers(calls: list[Call], chosen: list[Call], trampoline: int) -> None:
    """The return probe stood on the stack in place of the caller."""
    usual: dict[str, int] = {}
    for call in calls:
        if call.caller:
            usual.setdefault(call.function, call.caller)
    for call in chosen:
        if call.stack[0] == trampoline:
            call.stack[0] = call.caller or usual.get(call.function, 0)
        call.caller = call.caller or call.stack[0]


class Pool:
    """Values that occur more than once, by number."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._numbers: dict[str, int] = {}

    def add(self, value: object) -> int:
        key = json.dumps(value)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def hexes(value: Value) -> object:
    return [f"{word:x}" for word in value] if isinstance(value, list) else value


def document(chosen: list[Call], statics: dict[str, Value]) -> dict[str, object]:
    functions = list(FUNCTIONS)
    comms, flags = sorted({call.comm for call in chosen}), sorted({call.flags for call in chosen})
    pool, previous = Pool(), 0
    columns: dict[str, list[object]] = defaultdict(list)
    for call in chosen:
        columns["time"].append(call.time - previous)
        previous = call.time
        columns["duration"].append(-1 if call.duration is None else call.duration)
        columns["function"].append(functions.index(call.function))
        columns["comm"].append(comms.index(call.comm))
        columns["pid"].append(call.pid)
        columns["cpu"].append(call.cpu)
        columns["lat"].append(flags.index(call.flags))
        columns["result"].append(call.result)
        columns["caller"].append(pool.add(call.caller))
        for name in (*REGISTERS, "sp"):
            columns[name].append(f"{call.values[name]:x}")
        columns["stack"].append(pool.add(hexes(list(call.stack))))
        reads = range(len(FUNCTIONS[call.function]))
        columns["memory"].append([pool.add(hexes(call.values[f"m{i}"])) for i in reads])
    return {
        "release": RELEASE,
        "length": WINDOW,
        "functions": [[name, list(FUNCTIONS[name])] for name in functions],
        "statics": {STATICS[name]: hexes(value) for name, value in statics.items()},
        "comms": comms,
        "lats": flags,
        "registers": [*REGISTERS, "sp"],
        "values": pool.values,
        **columns,
    }


def store(path: Path, value: object) -> None:
    data = json.dumps(value, separators=(",", ":")).encode()
    path.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    print(path.name, path.stat().st_size, "bytes")


def main() -> None:
    directory, out = Path(sys.argv[1]), Path(sys.argv[2])
    calls, statics = read_calls(directory)
    chosen = choose(calls)
    golden = [
        {
            "function": c.function,
            "time": c.time,
            "duration": c.duration,
            "raw": c.raw,
            "raw_return": c.raw_return,
        }
        for name in FUNCTIONS
        for c in [call for call in chosen if call.function == name][3:6]
    ]
    store(Path(__file__).parent / "data" / "recorded_lines.json.xz", golden)
    lines = (directory / "kallsyms").read_text().splitlines()
    trampoline = next(int(line.split()[0], 16) for line in lines if line.endswith(" arch_rethook_trampoline"))
    restore_callers(calls, chosen, trampoline)
    store(out / "calls.json.xz", document(chosen, statics))
    (out / "README.xz").write_bytes(lzma.compress((directory / "README").read_bytes(), preset=9))
    referenced = {call.caller or 0 for call in chosen} | {word for call in chosen for word in call.stack}
    (directory / "referenced").write_text("".join(f"{address:x}\n" for address in sorted(referenced)))
    print(len(chosen), "calls")


if __name__ == "__main__":
    main()
