"""What a kallsyms tells about places to probe."""

from __future__ import annotations

import pytest

from kptui.symbols.facts import SymbolFacts
from kptui.symbols.table import SymbolTable

TEXT = """\
ffffffff81000000 T _text
ffffffff81000000 T _stext
ffffffff81000080 T __fentry__
ffffffff81000100 T one
ffffffff81000100 T alias_of_one
ffffffff81000180 t twice
ffffffff81000200 t twice
ffffffff81000280 t __pfx_three
ffffffff81000290 t three
ffffffff81000300 t part
ffffffff81000310 t three.cold
ffffffff81000340 t marked
ffffffff81000400 T __noinstr_text_start
ffffffff81000410 t quiet
ffffffff81000500 T __noinstr_text_end
ffffffff81001000 T _etext
ffffffff82000000 d some_data
ffffffff82000008 t odd_data
ffffffff82000010 d _kbl_addr_marked
ffffffff83000000 t freed_init
ffffffff84000000 B _end
ffffffffc0000000 t one\t[ext4]
ffffffffc0000100 t own\t[ext4]
ffffffffc0000200 d theirs\t[ext4]
ffffffffc1000000 t bpf_prog_1\t[bpf]
ffffffffc1000100 t trampoline\t[__builtin__ftrace]
"""
HIDDEN = "".join(f"{'0' * 16}{line[16:]}\n" for line in TEXT.splitlines())


def facts(text: str = TEXT) -> SymbolFacts:
    return SymbolFacts.parse(text.encode())


def test_copies_are_counted_in_the_kernel_and_its_modules() -> None:
    known = facts()
    assert [known.count(name) for name in ("one", "twice", "own", "nosuch")] == [2, 2, 1, 0]
    assert [known.count(name, "ext4") for name in ("one", "twice", "own")] == [1, 0, 1]
    assert known.count("one", "nomod") == 0
    assert known.modules == {"ext4"}
    assert known.is_loaded("ext4")


def test_bpf_programs_and_trampolines_are_not_looked_for() -> None:
    known = facts()
    assert known.count("bpf_prog_1") == known.count("trampoline") == 0
    assert not known.is_loaded("bpf")


def test_places_lead_to_whatever_is_at_their_address() -> None:
    known = facts()

    def land(place: str | None, offset: int) -> tuple[str, int] | str | None:
        found = known.landing(place, offset)
        return found if found is None or found == "nowhere" else (found[0].name, found[1])

    assert land("three", 0x20) == ("three", 0x20)
    assert land("_text", 0x290) == land(None, 0xFFFFFFFF81000290) == ("three", 0)
    assert land("_stext", 0) == ("_text", 0)
    assert land("part", 0x11) == ("three.cold", 1)
    assert land("twice", 1) == ("twice", 1)  # the first of them
    assert land("ext4:own", 8) == land("own", 8) == ("own", 8)
    assert land(None, 0x10) == land(None, 0xFFFFFFFF84000000) == land("part", 0x10000000) == "nowhere"
    assert land("ext4:theirs", 1 << 20) == "nowhere"
    assert land("ext4:theirs", 1 << 17) is None  # the module's, perhaps
    assert land(None, 0xFFFFFFFFC1000004) is None  # a BPF program
    assert land("nosuch", 0) is None
    assert facts(HIDDEN).landing("three", 0) is None


def test_entries_are_where_symbols_begin() -> None:
    known = facts()
    assert known.is_entry("alias_of_one", 0)
    assert known.is_entry("_text", 0x290)
    assert known.is_entry("part", 0x10)  # three.cold
    assert known.is_entry("ext4:own", 0)
    assert known.is_entry("_text", 0x291) is False
    assert known.is_entry("part", 4) is False
    assert known.is_entry(None, 0x10) is False
    assert known.is_entry("nosuch", 0) is None


def test_behind_the_endbr_is_an_entry_too() -> None:
    with_ibt = facts(TEXT.replace("__fentry__", "ibt_save"))
    assert with_ibt.has_endbr
    assert with_ibt.is_entry("part", 4)
    assert with_ibt.is_entry("three.cold", 4) is False
    assert with_ibt.is_entry("__pfx_three", 4) is False
    assert not facts().has_endbr


def test_what_is_surely_inside_an_instruction() -> None:
    def inside(known: SymbolFacts, place: str) -> list[int]:
        return [offset for offset in range(12) if known.breaks_instruction(place, offset)]

    plain = facts()
    assert inside(plain, "alias_of_one") == inside(plain, "three") == [1, 2, 3, 4]
    assert inside(plain, "ext4:own") == [1, 2, 3, 4]
    assert inside(plain, "three.cold") == inside(plain, "some_data") == inside(plain, "nosuch") == []
    with_ibt = facts("ffffffff80000000 T ibt_save\n" + TEXT)
    assert inside(with_ibt, "alias_of_one") == [1, 2, 3, 5, 6, 7, 8]
    assert inside(with_ibt, "three") == [1, 2, 3]  # static: with an ENDBR64, or without
    assert inside(facts(TEXT.replace("__fentry__", "no_ftrace")), "three") == []


def test_why_a_probe_is_refused() -> None:
    known = facts()
    assert known.not_probeable("alias_of_one") is None
    assert known.not_probeable("one", "ext4") is None
    assert known.not_probeable("some_data") == "data"
    assert known.not_probeable("odd_data") == "data"  # 6.18 calls some data t
    assert known.not_probeable("freed_init") == "data"
    assert known.not_probeable("theirs", "ext4") == "data"
    assert known.not_probeable("marked") == "blacklisted"
    assert known.not_probeable("quiet") == "blacklisted"
    assert known.not_probeable("__pfx_three") == "no function"
    assert known.not_probeable("twice") is None
    assert known.not_probeable("_text") == "no function"
    assert known.not_probeable("nosuch") is None


def test_hidden_addresses_are_no_addresses() -> None:
    known = facts(HIDDEN)
    assert known.is_entry("alias_of_one", 0) is None
    assert known.not_probeable("some_data") == "data"
    assert known.not_probeable("marked") == "blacklisted"
    assert known.not_probeable("quiet") is None  # its section isn't known
    assert known.count("twice") == 2


def test_what_the_kernel_itself_lists_counts() -> None:
    table = SymbolTable.parse(TEXT.encode())
    known = SymbolFacts(
        table, blacklist={"part"}, traceable={"three", "alias_of_one"}, modules=frozenset({"loop"})
    )
    assert known.not_probeable("part") == "blacklisted"
    assert known.not_probeable("alias_of_one") is None
    assert known.not_probeable("three.cold") is None  # counts as three
    assert known.not_probeable("own") == known.not_probeable("twice") == "not traceable"
    assert known.is_loaded("loop")


@pytest.mark.parametrize("data", [b"", b"\n", b"name: open\nID: 1\n"])
def test_no_symbols_at_all(data: bytes) -> None:
    with pytest.raises(ValueError, match="symbol"):
        SymbolFacts.parse(data)
