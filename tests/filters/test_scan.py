"""Most terms are read at one go: the same comes of it as of reading them step by step."""

from __future__ import annotations

import re

import pytest

from kptui.events.format import EventFormat
from kptui.filters import ALL_FEATURES, check_filter, field_table
from kptui.filters import scan as scanning
from kptui.filters.lexis import to_raw
from kptui.filters.refusal import Refusal
from kptui.filters.scan import Rules, Token, scan
from tests.filters.support import ALL, FLT
from tests.realkernel.filters_gen import Generator

Outcome = tuple[list[Token], tuple[object, ...]]


def outcome(text: str, rules: Rules) -> Outcome:
    raw = to_raw(text).split("\0", 1)[0].rstrip()
    try:
        return scan(raw, rules), ()
    except Refusal as r:
        return [], (r.code, r.column, r.at, r.errno, r.start, r.field, r.op, r.op_at)


@pytest.mark.parametrize("fmt", [FLT, ALL], ids=["flt", "all"])
def test_short_cuts_lead_to_the_same_place(fmt: EventFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = field_table(fmt)
    generator = Generator("short cuts", fields, ALL_FEATURES)
    texts = [generator.one() for _ in range(4000)]
    texts += [
        "cpu==1",
        "cpu == 1 && ( cpu<2)",
        "cpu==-0",
        "cpu == 1\n",
        "comm=='a'||cpu==1",
        "!cpu==1",
        "cpu!=1",
    ]
    for rules in (Rules(fields, ALL_FEATURES), Rules(None, ALL_FEATURES)):
        quick = [outcome(text, rules) for text in texts]
        with monkeypatch.context() as patched:
            patched.setattr(scanning, "_COMPARISON", re.compile("(?!)"))
            slow = [outcome(text, rules) for text in texts]
        assert quick == slow
        assert sum(bool(tokens) for tokens, _ in quick) > 1000


def test_a_warning_comes_once_for_all_terms_alike() -> None:
    text = "||".join(["fl < 0"] * 20 + ["fl >= 0", "fl > 0"])
    first, second = check_filter(text, FLT).warnings
    assert first.startswith("fl is unsigned and never below 0")
    assert second.startswith("fl is unsigned, so >= 0 is always true")
