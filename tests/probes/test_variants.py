from __future__ import annotations

import pytest
from hypothesis import given, settings

from kptui.probes.exprs import FetchArg
from kptui.probes.fetch import ProbeSyntaxError, parse_fetcharg
from kptui.probes.variants import variants, with_name, with_type, wrap_deref
from tests.probes.strategies import fetch_args


def test_one_register_in_many_readings() -> None:
    readings = [str(arg) for arg in variants(parse_fetcharg("n=%di:x64"))]
    assert readings[:3] == ["n=%di:x64", "n=%di:s32", "n=%di:u32"]
    assert {"n=+0(%di):string", "n=+0(%di):ustring", "n=+0(%di)", "n=%di:symbol"} < set(readings)


@pytest.mark.parametrize(
    "text",
    [
        "n=%di:x64",
        "n=+0(+112(%di)):ustring",
        "ret=$retval:s32",
        "n=+96(%di):string",
        "x=+0(%di)",
        "@jiffies:u64",
    ],
)
def test_readings_form_a_cycle(text: str) -> None:
    readings = variants(parse_fetcharg(text))
    assert readings[0] == parse_fetcharg(text)
    assert len(set(readings)) == len(readings)
    for at, reading in enumerate(readings):
        assert variants(reading) == readings[at:] + readings[:at]


@given(fetch_args())
@settings(max_examples=60, deadline=None)
def test_every_reading_of_anything_parses(arg: FetchArg) -> None:
    readings = variants(arg)
    assert readings[0] == arg
    for reading in readings:
        assert parse_fetcharg(str(reading)) == reading


def test_edits() -> None:
    arg = parse_fetcharg("n=%si:u32")
    assert str(wrap_deref(arg, 8)) == "n=+8(%si):u32"
    assert str(wrap_deref(arg, -8, user=True)) == "n=-u8(%si):u32"
    assert str(with_type(arg, "u8[4]")) == "n=%si:u8[4]"
    assert str(with_type(arg, None)) == "n=%si"
    assert str(with_name(arg, "count")) == "count=%si:u32"
    assert str(with_name(arg, None)) == "%si:u32"
    with pytest.raises(ProbeSyntaxError):
        with_type(arg, "int")
    for text in ("$comm", '\\"x"', "$arg*"):
        assert variants(parse_fetcharg(text)) == (parse_fetcharg(text),)
        with pytest.raises(ValueError, match="can not be dereferenced"):
            wrap_deref(parse_fetcharg(text))
