"""Where a place leads by its address decides: expectations as 5.10, 6.12 and 7.3 answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kptui.probes.check import Target, check_definition
from kptui.probes.check.target import NOWHERE, Landing
from tests.probes.kernels import target_of

START = 0xFFFFFFFF81000000
PLACES = {
    0x0: Landing("_text", 0),
    0x100: Landing("vfs_read", 0),
    0x101: Landing("vfs_read", 1, inside=True),
    0x120: Landing("vfs_read", 0x20),
    0x200: Landing("do_int3", 0),
    0x300: Landing("jiffies", 0),
}
SYMBOLS = {"_text": 0, "vfs_read": 0x100, "do_int3": 0x200, "jiffies": 0x300}


def landing(symbol: str | None, offset: int) -> Landing | None:
    if symbol not in {None, *SYMBOLS}:
        return None
    return PLACES.get(offset - START if symbol is None else SYMBOLS[symbol] + offset, NOWHERE)


def target(version: str) -> Target:
    refused = {"_text", "do_int3", "jiffies"}
    return target_of(
        version,
        landing=landing,
        symbol_count=lambda name, module: int(name in SYMBOLS),
        not_probeable=lambda name, module: "no" if name in refused else None,
    )


REGISTER = ("EINVAL", "Failed to register probe event")
BOUNDARY = ("EILSEQ", "Probe point is not an instruction boundary")
ADDRESS = ("ENOENT", "Invalid probed address or symbol")
RETURN = ("EINVAL", "Retprobe address must be an function entry")


@pytest.mark.parametrize(
    ("line", "new", "old"),
    [
        ("p:e vfs_read", None, None),
        ("p:e vfs_read+1", BOUNDARY, BOUNDARY),
        ("p:e vfs_read+0x20", None, None),
        ("p:e _text+256", None, None),
        ("r:e _text+256", None, None),
        ("p:e _text+257", BOUNDARY, BOUNDARY),
        ("r:e _text+257", RETURN, RETURN),
        ("p:e _text+512", REGISTER, REGISTER),
        ("p:e _text+768", REGISTER, REGISTER),
        ("p:e _text", REGISTER, REGISTER),
        ("p:e _text+0x10000", ADDRESS, REGISTER),
        ("r:e _text+0x10000", ADDRESS, ADDRESS),
        ("p:e 0xffffffff81000100", None, None),
        ("r:e 0xffffffff81000100", None, None),
        ("p:e 0xffffffff81000101", BOUNDARY, BOUNDARY),
        ("r:e 0xffffffff81000101", REGISTER, REGISTER),
        ("p:e 0xffffffff81000300", REGISTER, REGISTER),
        ("p:e 0xffffffff89000000", None, REGISTER),
        ("r:e 0xffffffff89000000", None, None),
        ("p:e 0x10", None, REGISTER),
        ("r:e 0x10", None, None),
        ("p:e 0", REGISTER, REGISTER),
        ("p:e 0xffffffffffffffff", None, ("EPERM", "Failed to register probe event")),
        ("p:e 0xfffffffffffffffe", None, None),
        ("p:e 0xfffffffffffffffc", None, ("EINTR", "Failed to register probe event")),
        ("r:e 0xffffffffffffffac", None, BOUNDARY),
        ("p:e 0xffffffffffffffef", None, ("EEXIST", "")),
        ("p:e 0xfffffffffffff000", None, REGISTER),
    ],
)
def test_by_address(line: str, new: tuple[str, str] | None, old: tuple[str, str] | None) -> None:
    for version, expected in (("6.12", new), ("7.3", new), ("5.10", old)):
        verdict = check_definition(line, target(version))
        said = (verdict.errno, "".join(problem.message for problem in verdict.problems))
        assert said == (expected or (None, "")), version
        assert [problem.column for problem in verdict.problems] in ([], [4])


def test_parameters_are_at_hand_where_it_is_an_entry() -> None:
    known = replace(target("6.12"), btf=None)
    assert check_definition("p:e _text+256 $arg1", known).ok
    for line in ("p:e _text+288 $arg1", "p:e _text+0x10000 $arg1"):
        (problem,) = check_definition(line, known).problems
        assert problem.message == "$arg* can be used only on function entry or exit"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("p nosuch", "The kernel has no symbol nosuch."),
        (
            "p vfs_read-4",
            "-4 is no offset: after the symbol a plus and a number of 0 to 4294967295 may follow.",
        ),
        ("p vfs_read a=@nosuch", "The kernel has no symbol nosuch, which stands after @."),
        ("p jiffies", "jiffies is data, not code."),
        ("p vfs_read+0x200", "This leads elsewhere: jiffies is data, not code."),
        ("p _text+0x10000", "This leads outside the code of the kernel and its modules."),
        ("p 0xffffffff81000200", "do_int3 is on the kernel’s blacklist of kprobes: code that handling"),
    ],
)
def test_why_no_probe_can_be_there(line: str, hint: str) -> None:
    (problem,) = check_definition("p 0xfffffffffffffffc", target("5.10")).problems
    assert problem.sentence.startswith(
        "This kernel takes an address in the last 4,095 bytes for an error number"
    )
    reasons = {"jiffies": "data", "do_int3": "blacklisted", "_text": "no function"}
    kernel = replace(target("6.12"), not_probeable=lambda name, module: reasons.get(name))
    (problem,) = check_definition(line, kernel).problems
    assert problem.sentence.startswith(hint)
