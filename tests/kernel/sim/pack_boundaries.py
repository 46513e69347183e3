"""Makes the list of instruction boundaries of the recorded functions: run on the host, needs objdump.

    python -m tests.kernel.sim.pack_boundaries VMLINUX kptui/kernel/sim/data

A line a function: its name and the lengths of its instructions, without the last one's.
"""

from __future__ import annotations

import lzma
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.kernel.sim.record_calls import FUNCTIONS


def main() -> None:
    vmlinux, out = sys.argv[1], Path(sys.argv[2])
    address, lines = 0, []
    for line in lzma.decompress((out / "symbols.txt.xz").read_bytes()).decode().splitlines():
        delta, marks, size, name, *module = line.split(" ")
        address += int(delta, 16)
        if name not in FUNCTIONS or module or marks[0] not in "tT":
            continue
        text = subprocess.run(
            ["objdump", "-d", f"--start-address={address}", f"--stop-address={address + int(size, 16)}", vmlinux],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        starts = [
            int(m, 16) - address for m in re.findall(r"^(?:0x)?([0-9a-f]{16}):\t[^\n\t]+\t", text, re.M)
        ]
        assert starts[:1] == [0], (name, text[:300])
        lines.append(" ".join([name, *(str(b - a) for a, b in pairwise(starts))]))
    packed = lzma.compress("\n".join(lines).encode(), preset=9)
    (out / "boundaries.txt.xz").write_bytes(packed)
    print(len(lines), "functions", len(packed))


if __name__ == "__main__":
    main()
