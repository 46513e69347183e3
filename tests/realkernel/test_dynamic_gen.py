"""The generator of lines for dynamic_events: repeatable, every kind, nothing that harms an unfixed kernel."""

from __future__ import annotations

from collections import Counter

from tests.realkernel.dynamic_gen import PATTERNS, definitions, is_safe


def test_the_same_seed_gives_the_same_lines() -> None:
    assert definitions(7, 300) == definitions(7, 300)
    assert definitions(7, 300) != definitions(8, 300)


def test_every_kind_is_there() -> None:
    first = Counter(text.strip()[:1] for text in definitions(3, 2000))
    assert all(first[letter] > 25 for letter in "prftes-!")


def test_every_line_may_be_written() -> None:
    texts = definitions(3, 2000)
    assert all(is_safe(text) and "\n" not in text and "\0" not in text for text in texts)
    assert len(set(texts)) > 1500


def test_what_may_not_be_written() -> None:
    assert not is_safe("f vfs_*")
    assert not is_safe("f !vfs_read")
    assert all(is_safe(f"f {pattern}") for pattern in PATTERNS)
    assert not is_safe("e sched.sched_switch if a == 1 &&")
    assert not is_safe("e sched.sched_switch if a == 1 && # x == 1")
    assert not is_safe("e sched.sched_switch if a == 1 &&\udca0")
    assert is_safe("e sched.sched_switch if a == 1 && b == 2")
