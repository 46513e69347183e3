"""What is said of probes is what real kernels say: ``data/probed-*`` has their lists and their answers
(``record_probed.py``).
"""

from __future__ import annotations

import lzma
from functools import cache
from pathlib import Path

import pytest

from kptui.symbols import Blacklist, Probeability, ProbeLists, SymbolTable, find_probing
from kptui.symbols.grounds import Ground
from kptui.symbols.lists import NO_LISTS
from kptui.symbols.probeable import Probing

DATA = Path(__file__).parent / "data"
RELEASES = ("5.10", "6.1", "6.12", "6.18", "7.3")
REFUSES_DOUBLES = RELEASES[1:]


@cache
def recorded(release: str) -> tuple[SymbolTable, ProbeLists, dict[str, int]]:
    """The symbols, the kernel's lists, and the errno for each place (0: accepted)."""
    text = lzma.decompress((DATA / f"probed-{release}.txt.xz").read_bytes()).decode()
    kallsyms, blacklist, traceable, outcomes = text.split("\n\n")
    lists = ProbeLists.parse(blacklist.encode() + b"\n", traceable.encode() + b"\n")
    answers = {line.partition(" ")[2]: int(line.partition(" ")[0]) for line in outcomes.splitlines()}
    return SymbolTable.parse(kallsyms.encode() + b"\n"), lists, answers


def judged(release: str, lists: ProbeLists | None = None) -> tuple[Probing, dict[str, int]]:
    table, known, answers = recorded(release)
    return find_probing(table, known if lists is None else lists), answers


def verdicts(release: str, lists: ProbeLists | None = None) -> list[tuple[str, Probeability, int]]:
    """(place, what is said, the kernel's errno) of each place that was tried."""
    probing, answers = judged(release, lists)
    found = []
    for line, name in enumerate(probing.table.names):
        copies = len(probing.table.indices(name))
        said = probing.symbol(line, copies)
        if name in answers and (copies == 1 or release in REFUSES_DOUBLES):
            found.append((name, said, answers[name]))
        if said.place in answers and probing.grounds[line] == Ground.FINE:
            found.append((said.place, Probeability(True), answers[said.place]))
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_the_kernel_does_as_is_said(release: str) -> None:
    said = verdicts(release)
    assert len(said) > 700
    for place, verdict, errno in said:
        if verdict.probeable is True:
            assert errno == 0, (place, verdict)
        elif verdict.probeable is False:
            assert errno != 0, (place, verdict)
    unsure = [place for place, verdict, _ in said if verdict.probeable is None]
    assert len(unsure) < len(said) / 4
    assert sum(verdict.probeable is True for _, verdict, _ in said) > 130


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("kept", ["blacklist", "traceable", "neither"])
def test_what_cannot_be_read_is_unknown_never_wrong(release: str, kept: str) -> None:
    _, lists, _ = recorded(release)
    some = ProbeLists(
        lists.blacklist if kept == "blacklist" else None, lists.traceable if kept == "traceable" else None
    )
    for place, verdict, errno in verdicts(release, some):
        if verdict.probeable is not None and not (verdict.reason or "").startswith("one of"):
            assert (errno == 0) is verdict.probeable, (place, verdict)
        assert verdict.probeable is not True or kept == "traceable", (place, verdict)


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_not_traceable_is_a_hint(release: str) -> None:
    probing, answers = judged(release)
    hinted = [line for line, ground in enumerate(probing.grounds) if ground == Ground.NOT_TRACED]
    assert len(hinted) > 50
    verdict = probing.symbol(hinted[0])
    assert (verdict.probeable, verdict.against) == (None, True)
    assert "available_filter_functions" in (verdict.reason or "")
    assert all(answers[name] for name in (probing.table.names[line] for line in hinted) if name in answers)


TABLE = b"""\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 T vfs_read
ffffffff81000200 t kprobe_dispatcher
ffffffff81000280 t kprobe_dispatcher.isra.0
ffffffff81000300 t work.constprop.0
ffffffff81000320 t work.part.0
ffffffff81000340 t work.cold
ffffffff81000360 t work
ffffffff81000400 t init_once
ffffffff81000500 t init_once
ffffffff81000600 T __noinstr_text_start
ffffffff81000640 t sched_clock_noinstr
ffffffff81000700 T __noinstr_text_end
ffffffff81000800 T __entry_text_start
ffffffff81000840 T entry_SYSCALL_64
ffffffff81000900 T __entry_text_end
ffffffff81000a00 T __SCT__tp_func_sched_switch
ffffffff81000a20 t __pfx_vfs_read
ffffffff81001000 T _etext
ffffffff82000000 T tasklist_lock
ffffffff82000010 d jiffies
ffffffff82000020 d _kbl_addr_kprobe_dispatcher
ffffffff83000000 D __init_begin
ffffffff83000100 t do_initcalls
ffffffff83001000 R __init_end
ffffffffc0000000 t init_once\t[ext4]
ffffffffc0000100 t twice\t[ext4]
ffffffffc0000200 t twice\t[ext4]
ffffffffc0000300 t bpf_prog_1\t[bpf]
ffffffffc0000400 t ftrace_trampoline\t[__builtin__ftrace]
ffffffffc0000500 i resolver
"""
TRACEABLE = (
    b"vfs_read\nwork\nwork.constprop.0\ninit_once\ninit_once\ninit_once [ext4]\ntwice [ext4]\ntwice [ext4]\n"
)


def said(
    name: str, lists: ProbeLists = NO_LISTS, data: bytes = TABLE, module: str | None = None
) -> Probeability:
    table = SymbolTable.parse(data)
    found = find_probing(table, lists).named(name, module)
    assert found is not None
    return found


def test_reasons_that_the_table_alone_gives() -> None:
    assert said("vfs_read") == Probeability(None)
    reasons = {
        "jiffies": "data",
        "tasklist_lock": "data",
        "resolver": "indirect",
        "__pfx_vfs_read": "padding",
        "__SCT__tp_func_sched_switch": "static call",
        "bpf_prog_1": "BPF",
        "ftrace_trampoline": "trampoline",
        "sched_clock_noinstr": "noinstr",
        "entry_SYSCALL_64": "entry code",
        "do_initcalls": "__init",
        "kprobe_dispatcher": "blacklist",
        "kprobe_dispatcher.isra.0": "clone of kprobe_dispatcher",
    }
    for name, reason in reasons.items():
        assert said(name).probeable is False, name
        assert reason in (said(name).reason or ""), name


def test_clones_are_explained() -> None:
    lists = ProbeLists.parse(b"0x0-0x0\tother\n", TRACEABLE)
    for name, known, words in (
        ("work.cold", None, "cold part of work"),  # it may begin with a BUG(), where no probe may be
        ("work.part.0", None, "inlined"),
        ("work.constprop.0", True, "constant"),
    ):
        assert said(name, lists).probeable is known
        assert words in (said(name, lists).reason or "")
    assert said("work", lists) == Probeability(True)
    assert "cold part of work" in (said("work.cold").reason or "")


def test_each_copy_has_a_place_of_its_own() -> None:
    lists = ProbeLists.parse(b"0x0-0x0\tother\n", TRACEABLE)
    table = SymbolTable.parse(TABLE)
    probing = find_probing(table, lists)
    copies = [probing.symbol(line, 3) for line in table.indices("init_once")]
    assert [copy.place for copy in copies] == ["_text+0x400", "_text+0x500", "ext4:init_once"]
    assert [copy.probeable for copy in copies] == [False] * 3
    assert copies[0].reason == "one of 3 of this name: probe it as _text+0x400"
    doubles = [probing.symbol(line, 2).place for line in table.indices("twice")]
    assert doubles == ["_text+0x3f000100", "_text+0x3f000200"]
    assert said("init_once", lists, module="ext4").probeable is True
    hidden = b"".join(b"0" * 16 + line[16:] + b"\n" for line in TABLE.splitlines())
    assert said("twice", data=hidden).place is None
    assert said("init_once", data=hidden).reason == "one of 3 of this name: its address is hidden"


def test_copies_that_the_list_does_not_tell_apart_are_unknown() -> None:
    lists = ProbeLists.parse(
        b"0x0-0x0\tother\n", TRACEABLE.replace(b"init_once\ninit_once\n", b"init_once\n")
    )
    verdict = said("init_once", lists)
    assert verdict.probeable is None
    assert "some of this name" in (verdict.reason or "")
    probing = find_probing(SymbolTable.parse(TABLE), lists)
    copies = [probing.symbol(line, 3) for line in probing.table.indices("init_once")]
    unsure = [copy for copy in copies if copy.probeable is None]
    assert [copy.place for copy in unsure] == ["_text+0x400", "_text+0x500", "ext4:init_once"][: len(unsure)]
    assert all(f"probe it as {copy.place} (notrace?" in (copy.reason or "") for copy in unsure)
    assert all((copy.doubt or "").startswith("notrace?") for copy in unsure)
    assert unsure


def test_init_is_known_by_its_functions_alone() -> None:
    """As without CONFIG_KALLSYMS_ALL, where no data symbol marks the end of it."""
    text = TABLE.replace(b"D __init_begin", b"T _sinittext").replace(b"R __init_end", b"T _einittext")
    assert b"__init" not in text
    assert "__init: " in (said("do_initcalls", data=text).reason or "")


def test_hidden_addresses_leave_names_to_judge_by() -> None:
    hidden = b"".join(b"0" * 16 + line[16:] + b"\n" for line in TABLE.splitlines())
    lists = ProbeLists.parse(b"0x0000000000000000-0x0000000000000000\tentry_SYSCALL_64\n", TRACEABLE)
    assert said("entry_SYSCALL_64", lists, hidden).probeable is False
    assert said("vfs_read", lists, hidden).probeable is True
    assert said("do_initcalls", lists, hidden).probeable is None


@pytest.mark.parametrize(
    "data", [b"", b"garbage\n", b"0x1-0x2 no tab\n", b"0xzz-0x2\tname\n", b"\t\t\n\xff\xfe\n", b"-\tx"]
)
def test_odd_lists_are_no_error(data: bytes) -> None:
    lists = ProbeLists.parse(data, data)
    assert find_probing(SymbolTable.parse(TABLE), lists).grounds
    assert lists.blacklist is not None
    assert not lists.blacklist.covers(1 << 63)


def test_ranges_end_before_their_end() -> None:
    blacklist = Blacklist.parse(b"0x10-0x20\ta\n0x30-0x40\tb\n")
    assert [blacklist.covers(at) for at in (0xF, 0x10, 0x1F, 0x20, 0x30, 0x3F, 0x40)] == [
        False, True, True, False, True, True, False,
    ]  # fmt: skip
