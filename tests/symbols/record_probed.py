"""What a real kernel says of probes on hundreds of its symbols, with what it lists of them: for ``data/probed-*``.

``python -m tests.realkernel --kernel 6.12 --share OUT -- python -m tests.symbols.record_probed OUT``. Defines each
probe and removes it at once; nothing is enabled.
"""

from __future__ import annotations

import contextlib
import lzma
import os
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

from kptui.kernel.probelists import read_probe_lists
from kptui.symbols import SymbolTable, find_probing, other_place
from kptui.symbols.grounds import before_dot

TRACING = Path("/sys/kernel/tracing")
BLACKLIST = Path("/sys/kernel/debug/kprobes/blacklist")
EACH, CLONES = 60, 100  # symbols of each ground; and so many clones that should be accepted


def outcome(place: str) -> int:
    """0 accepted, else the errno of the refusal."""
    fd = os.open(TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, f"p:kptuiprobed/x {place}\n".encode())
        os.write(fd, b"-:kptuiprobed/x\n")
    except OSError as error:
        return error.errno or -1
    finally:
        os.close(fd)
    return 0


def main(directory: Path) -> None:
    lines = Path("/proc/kallsyms").read_bytes().splitlines()
    table = SymbolTable.parse(b"\n".join(lines) + b"\n")
    assert not table.bad_lines
    probing = find_probing(table, read_probe_lists())
    grounds: dict[int, list[int]] = defaultdict(list)
    for line, ground in enumerate(probing.grounds):
        grounds[ground].append(line)
    dice = random.Random(1)
    picked = {line for found in grounds.values() for line in dice.sample(found, min(EACH, len(found)))}
    clones = [line for line in grounds[1] if "." in table.names[line]]
    picked |= set(dice.sample(clones, min(CLONES, len(clones))))
    copies = Counter(table.names)
    doubles = [line for line in grounds[1] if copies[table.names[line]] > 1]
    picked |= set(dice.sample(doubles, min(EACH, len(doubles))))
    tried: dict[str, int] = {}
    for line in sorted(picked):
        tried[table.names[line]] = outcome(table.names[line])
        place = other_place(table.symbol(line), table) if copies[table.names[line]] > 1 else None
        if place is not None:
            tried[place] = outcome(place)
    names = {table.names[line] for line in picked}
    names |= {before_dot(name) for name in names}
    names |= {f"_kbl_addr_{name}" for name in names}
    addresses = {table.address(line) for line in picked}
    kept = [
        line.decode()
        for number, line in enumerate(lines)
        if table.names[number] in names
        or (table.types[number] in "tTwW" and table.address(number) in addresses)
        or table.names[number] in ("_text", "_stext", "_etext", "__init_begin", "__init_end")
        or (
            table.names[number].startswith("__")
            and table.names[number].endswith(("_text_start", "_text_end"))
        )
    ]
    known = {line.split()[2] for line in kept}
    blacklist = [line for line in BLACKLIST.read_text().splitlines() if line.split("\t")[1] in known]
    traceable = [
        line
        for line in (TRACING / "available_filter_functions").read_text().splitlines()
        if line.split(" ")[0] in known
    ]
    parts = [kept, blacklist, traceable, [f"{number} {place}" for place, number in tried.items()]]
    release = ".".join(os.uname().release.split(".")[:2])
    text = "\n\n".join("\n".join(part) for part in parts) + "\n"
    (directory / f"probed-{release}.txt.xz").write_bytes(lzma.compress(text.encode(), preset=9))
    print(len(kept), len(tried), Counter(tried.values()))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(Path(sys.argv[1]))
