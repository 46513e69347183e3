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
import sys
import zlib
from pathlib import Path

from tests.realkernel.asker import TRACEFS, Asker, read
from tests.realkernel.facts import event_formats, kernel_facts
from tests.realkernel.interfaces import INTERFACES
from tests.realkernel.words import BTF_FILE, read_words

# -- in the guest, or on this machine, which has uprobes


def ask(options: argparse.Namespace) -> int:
    interface = INTERFACES[options.interface]
    if not (TRACEFS / interface.file).exists() or interface.feature not in read(TRACEFS / "README"):
        print(f"this kernel has no {options.interface} interface")
        return 3
    words = read_words()
    texts = interface.texts(options.seed, options.count, words)
    standing = interface.standing(words)
    asker = Asker(interface.file)
    interface.prepare()
    try:
        facts = kernel_facts([*texts, *standing])
        formats: dict[str, str] = {}
        answers = asker.ask(texts, standing, lambda: formats.update(event_formats([*texts, *standing])))
    finally:
        interface.clean()
    out = Path(options.out)
    if BTF_FILE.exists():
        out.with_suffix(".btf").write_bytes(zlib.compress(BTF_FILE.read_bytes(), 1))
    about = {
        "interface": options.interface,
        "seed": options.seed,
        "existing": asker.before,
        "formats": formats,
    }
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
