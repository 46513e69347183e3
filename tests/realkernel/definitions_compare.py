"""Judges definitions that a kernel answered, and counts where the two agree."""

from __future__ import annotations

import errno
import json
import re
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

from kptui.btf import Btf
from kptui.probes.check import Target, check_definition
from kptui.probes.check.traits import release_numbers
from tests.realkernel.definitions_gen import STANDING

_FAR = re.compile(r"\S+\s+(?:_s?text\+\S+|[^\s+]+\+(?:[0-9]{7,}|0x[0-9a-f]{6,}))")


def only_the_kernel_knows(text: str, ok: bool, theirs: str | None) -> bool:
    """Whether the difference is about the code at the place: no instruction boundary there, or an offset that
    leads to another function, of which we can't know whether that is its entry.
    """
    return (ok and theirs == "EILSEQ") or _FAR.match(text.lstrip()) is not None


def is_cut(release: str, command: str) -> bool:
    """Whether error_log shows neither the whole command nor a caret line of its own: before 5.18 it kept 256
    bytes of both the heading and the command.
    """
    return release_numbers(release) < (5, 18, 0) and len(command.encode("utf-8", "surrogateescape")) > 242


def target_from(data: dict[str, Any], btf: bytes | None) -> Target:
    """The kernel that gave the answers."""
    symbols: dict[str, list[str]] = data["symbols"]
    modules = set(data["modules"])
    events = {name.replace(":", "/") for name in data["events"]}
    traceable, blacklist = set(data["traceable"]), set(data["blacklist"])

    def count(name: str, module: str | None) -> int:
        kinds = symbols.get(name, [])
        if module is None:
            return len(kinds)
        return sum(kind[1:] == f"[{module}]" for kind in kinds)

    def refused(name: str, module: str | None) -> str | None:
        kinds = symbols.get(name, [])
        if module is not None or not kinds:
            return None
        if name in blacklist:
            return "blacklisted"
        if kinds[0][0] not in "tTwW":
            return "data"
        return None if name in traceable else "not traceable"

    standing = tuple(line.replace("r:", "r10:") for line in STANDING)
    types = None if btf is None else Btf.parse(btf)
    codes = None
    if types is not None:
        codes = frozenset(name.removeprefix("TP_ERR_") for name in types.enumerators("TP_ERR_"))
    return Target.from_readme(
        data["readme"],
        data["release"],
        symbol_count=count,
        is_loaded_module=lambda name: name in modules,
        not_probeable=refused,
        event_exists=lambda group, event: f"{group}/{event}" in events,
        existing=standing,
        error_codes=codes,
        btf=types,
    )


def _name(number: int) -> str | None:
    return None if not number else {errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(number, errno.errorcode[number])


def report(path: Path, *, show: int = 5) -> int:
    """Print how far one file of answers agrees with the checker; 1 if there are unexplained differences."""
    data = json.loads(path.read_text())
    saved = path.with_suffix(".btf")
    target = target_from(data, zlib.decompress(saved.read_bytes()) if saved.exists() else None)
    classes: dict[str, list[str]] = defaultdict(list)
    agreed = explained = refused = 0
    slowest = spent = 0.0
    for answer in data["answers"]:
        start = time.perf_counter()
        verdict = check_definition(answer["text"], target)
        took = time.perf_counter() - start
        spent, slowest = spent + took, max(slowest, took)
        theirs = (_name(answer["errno"]), [tuple(entry) for entry in answer["entries"]])
        ours = (verdict.errno, [(p.message, p.column, verdict.command) for p in verdict.problems])
        refused += theirs[0] is not None
        if ours == theirs:
            agreed += 1
        elif only_the_kernel_knows(answer["text"], verdict.ok, theirs[0]) or (
            is_cut(data["release"], verdict.command) and ours[0] == theirs[0]
        ):
            explained += 1
        else:
            mine = "; ".join(m for m, *_ in ours[1]) or "no entry"
            other = "; ".join(m for m, *_ in theirs[1]) or "no entry"
            key = f"{ours[0]} {mine}  <>  {theirs[0]} {other}"
            classes[key].append(f"{answer['text']!r}\n      ours {ours}\n      real {theirs}")
    total = len(data["answers"])
    print(
        f"{data['release']} seed {data['seed']}: {agreed} of {total} agree ({agreed / total:.2%}), "
        f"{explained} only the kernel can know or show; {refused} were refused; "
        f"{spent / total * 1e3:.3f} ms each, {slowest * 1e3:.2f} ms at most"
    )
    for key, examples in sorted(classes.items(), key=lambda item: -len(item[1])):
        print(f"  {len(examples)} x {key}")
        for example in examples[:show]:
            print(f"    {example}")
    return 1 if classes else 0
