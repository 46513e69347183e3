"""Run by the bench in a process of its own: opens BTF and looks up prototypes; times in ms, memory in MB, as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from kptui.btf import Btf


def main(path: str, names: list[str]) -> None:
    before = _resident()
    start = time.perf_counter()
    btf = Btf.parse(Path(path).read_bytes())
    opened = time.perf_counter()
    found = btf.prototype(names[0])
    first = time.perf_counter()
    nexts = []
    for name in names[1:]:
        begin = time.process_time()  # of a few ms each, others' turns on the processor would be the most
        btf.prototype(name)
        nexts.append((time.process_time() - begin) * 1000)
    result = {
        "opened": (opened - start) * 1000,
        "first": (first - start) * 1000,
        "nexts": nexts,
        "memory": (_resident() - before) / 1e6,
        "types": len(btf),
        "found": found is not None,
    }
    print(json.dumps(result))


def _resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
