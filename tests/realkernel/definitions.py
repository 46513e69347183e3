"""Probe definitions written to a running kernel, and the kernel's answers compared with ours.

    python3 -m tests.realkernel.definitions ask --seed 1 --count 1500 --out answers.json
    python3 -m tests.realkernel.definitions ask --interface uprobe --out answers.json
    python3 -m tests.realkernel.definitions compare answers.json ...

``ask`` defines a few events of its own, writes one definition after the other (one write(2) each, appended),
reads the new entries of error_log, takes away what was defined, and in the end everything. No event is ever
enabled. Beside the answers it saves what a judge needs to know of the kernel: README, symbols, places, modules,
BTF. ``tests.realkernel.agreement`` does both for all kernels.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from tests.realkernel.facts import kernel_facts
from tests.realkernel.interfaces import INTERFACES
from tests.realkernel.words import BTF_FILE, read_words

TRACEFS = Path("/sys/kernel/tracing")
# -- in the guest


def _write(path: Path, text: str) -> int:
    """One write(2), appended; the errno or 0."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        return error.errno or -1
    finally:
        os.close(fd)
    return 0


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


_HEADER = re.compile(r"\[ *(\d+\.\d+)\] ([^:]+): error: (.*)")


def _entries(text: str) -> list[tuple[str, str, int, str]]:
    """Time, message, caret and command of each error_log entry."""
    lines = text.split("\n")
    out = []
    for i, line in enumerate(lines[:-2]):
        match = _HEADER.fullmatch(line)
        if match and lines[i + 1].startswith("  Command: ") and lines[i + 2].strip() == "^":
            caret = len(lines[i + 2].encode("utf-8", "surrogateescape")) - 1 - 11
            out.append((match[1], match[3], caret, lines[i + 1][11:]))
    return out


class Asker:
    """Writes definitions and takes them away again."""

    def __init__(self, file: str) -> None:
        self.events = TRACEFS / file
        self.log = TRACEFS / "error_log"

    def restore(self, before: list[str]) -> None:
        """Make the list what it was: remove what came, put back what went."""
        for _ in range(3):
            now = _read(self.events).splitlines()
            if now == before:
                return
            mine = [line for line in now if line not in before]
            for line in mine or now:
                word, place, *args = line.split(" ")
                name = word.partition(":")[2]
                if _write(self.events, " ".join([f"-:{name}", place, *args])):
                    _write(self.events, f"-:{name}")
            now = _read(self.events).splitlines()
            for line in before:
                if line not in now:
                    _write(self.events, line)

    def ask(self, texts: Sequence[str], standing: Sequence[str]) -> list[dict[str, object]]:
        """The answers; ``before`` is then what stood while they were given."""
        others = _read(self.events).splitlines()
        for line in standing:
            if _write(self.events, line):
                raise SystemExit(f"cannot define {line}")
        before = self.before = _read(self.events).splitlines()
        out = []
        try:
            for text in texts:
                last = max((entry[0] for entry in _entries(_read(self.log))), key=float, default="0")
                code = _write(self.events, text)
                entries = [e for e in _entries(_read(self.log)) if float(e[0]) > float(last)]
                out.append({"text": text, "errno": code, "entries": [entry[1:] for entry in entries]})
                if not code:
                    self.restore(before)
        finally:
            for line in _read(self.events).splitlines():
                if line not in others:
                    _write(self.events, "-:" + line.split(" ")[0].partition(":")[2])
        return out


def ask(options: argparse.Namespace) -> int:
    interface = INTERFACES[options.interface]
    if not (TRACEFS / interface.file).exists() or interface.feature not in _read(TRACEFS / "README"):
        print(f"this kernel has no {options.interface} interface")
        return 3
    words = read_words()
    texts = interface.texts(options.seed, options.count, words)
    facts = kernel_facts(texts)
    asker = Asker(interface.file)
    answers = asker.ask(texts, interface.standing(words))
    out = Path(options.out)
    if BTF_FILE.exists():
        out.with_suffix(".btf").write_bytes(zlib.compress(BTF_FILE.read_bytes(), 1))
    about = {"interface": options.interface, "seed": options.seed, "existing": asker.before}
    out.write_text(json.dumps({**facts, **about, "answers": answers}))
    return 0


# -- outside


def compare(options: argparse.Namespace) -> int:
    """Print the agreement and each class of difference; 1 if there is an unexplained one."""
    from tests.realkernel.definitions_compare import compared

    found = [compared(Path(path)) for path in options.answers]
    for agreement in found:
        print(agreement.text(options.show))
    return 1 if any(agreement.classes for agreement in found) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    asking = commands.add_parser("ask", help="in the guest: write definitions, save the answers")
    asking.add_argument("--seed", type=int, default=1)
    asking.add_argument("--count", type=int, default=1500)
    asking.add_argument("--interface", choices=tuple(INTERFACES), default="kprobe")
    asking.add_argument("--out", required=True)
    asking.set_defaults(run=ask)
    comparing = commands.add_parser("compare", help="outside: judge the same definitions and compare")
    comparing.add_argument("answers", nargs="+")
    comparing.add_argument("--show", type=int, default=5, help="examples of each class of difference")
    comparing.set_defaults(run=compare)
    options = parser.parse_args()
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
