"""The generator of probe definitions: repeatable, one line each, nothing that harms an unfixed kernel."""

from __future__ import annotations

from tests.realkernel.definitions_gen import STANDING, definitions, is_safe


def test_the_same_seed_gives_the_same_definitions() -> None:
    assert definitions(7, 300) == definitions(7, 300)
    assert definitions(7, 300) != definitions(8, 300)


def test_every_definition_may_be_written() -> None:
    texts = definitions(3, 2000)
    assert all(is_safe(text) and "\n" not in text and "\0" not in text for text in texts)
    assert len(set(texts)) > 1500
    assert not is_safe("p vfs_read $arg4294967295")


def test_standing_events_are_in_the_generated_group() -> None:
    assert all(line.split()[0].endswith(("one", "ret", "arr", "bare")) for line in STANDING)
