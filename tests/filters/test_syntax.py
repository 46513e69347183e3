"""Parse and print: two directions of one language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.filters import (
    And,
    CpuList,
    FilterExpr,
    FilterSyntaxError,
    Function,
    Not,
    Number,
    Or,
    Predicate,
    String,
    from_rows,
    parse_filter,
    predicates,
    row_at,
    to_rows,
)
from kptui.filters.parser import MAX_DEPTH
from kptui.filters.rows import Row
from tests.filters.strategies import expressions, near_filters

A, B, C = (Predicate(name, "==", Number("1")) for name in "abc")


@settings(max_examples=120, deadline=None)
@given(expressions)
def test_what_is_printed_is_read_back(expr: FilterExpr) -> None:
    assert parse_filter(str(expr)) == expr


@settings(max_examples=120, deadline=None)
@given(expressions)
def test_rows_are_the_same_filter(expr: FilterExpr) -> None:
    rows = to_rows(expr)
    assert len(rows) == len(list(predicates(expr)))
    text = from_rows(rows)
    assert parse_filter(text) == expr
    assert to_rows(parse_filter(text)) == rows


@settings(max_examples=300, deadline=None)
@given(near_filters)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        expr = parse_filter(text)
    except FilterSyntaxError as error:
        refused = error
    else:
        assert parse_filter(str(expr)) == expr
        return
    assert 0 <= refused.column <= len(text)
    assert refused.message


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a==1", "a == 1"),
        ("\n a\t==  1 ", "a == 1"),
        ("((((a == 1))))", "a == 1"),
        ("(a == 1 && b == 1) || c == 1", "a == 1 && b == 1 || c == 1"),
        ("a == 1 && (b == 1 || c == 1)", "a == 1 && (b == 1 || c == 1)"),
        ("(a == 1 && b == 1) && c == 1", "a == 1 && b == 1 && c == 1"),
        ("!(a == 1)", "!a == 1"),
        ("! ! a == 1", "!!a == 1"),
        ("!(a == 1 && b == 1)", "!(a == 1 && b == 1)"),
        ("a&0x10&&b~'x'", "a & 0x10 && b ~ 'x'"),
        ("(a.function == vfs_read )", "a.function == vfs_read"),
        ("!(a.function == vfs_read || b == 1) && c == 1", "!(a.function == vfs_read || b == 1) && c == 1"),
        ("!(b == 1 || a.function == vfs_read )", "!(b == 1 || a.function == vfs_read )"),
        ('s.ustring ~ "a\'b*"', 's.ustring ~ "a\'b*"'),
        ("cpu & CPUS{ 0-3, 8 }", "cpu & CPUS{ 0-3, 8 }"),
    ],
)
def test_printing_is_minimal(text: str, printed: str) -> None:
    assert str(parse_filter(text)) == printed


def test_and_binds_tighter_than_or() -> None:
    text = "a == 1 || b == 1 && c == 1"
    assert parse_filter(text) == Or((A, And((B, C))))
    assert parse_filter("!a == 1 && b == 1") == And((Not(A), B))


def test_terms_of_one_kind_are_one() -> None:
    assert And((And((A, B)), C)) == And((A, B, C)) == And((A, And((B, C))))
    assert Or((Or((A, B)), C)) == Or((A, B, C))
    assert And((Or((A, B)), C)) != And((A, B, C))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "Error", 0),
        ("0", "0 clears the filter; it is no condition", 0),
        ("a = 1", "Invalid operator", 2),
        ("é == 1", "Invalid operator", 0),
        ("a == 'é' && (", "Too many '('", 12),
        ("a == 'é' )", "Too few '('", 9),
        ('a == "é', "Missing matching quote", 5),
        ('s == "é" and b == 1', "Too many terms in predicate expression", 9),
        ("a == 1 &&", "Meaningless filter expression", 9),
        ("a == 1 && !", "Meaningless filter expression", 11),
        ("!", "Meaningless filter expression", 1),
        ("a == 08", "Illegal integer value", 5),
        ("a == word", "Invalid value (did you forget quotes)?", 5),
        ("(x.function == vfs_read)", "Function not found", 15),
    ],
)
def test_errors_point_at_the_character_meant(text: str, message: str, column: int) -> None:
    with pytest.raises(FilterSyntaxError) as caught:
        parse_filter(text)
    assert caught.value.message == message
    assert caught.value.column == column


def test_nesting_is_bounded_in_the_tree() -> None:
    fine = "(" * MAX_DEPTH + "a == 1" + ")" * MAX_DEPTH
    assert parse_filter(fine) == A
    for text in (
        "!(" * 1000 + "a == 1" + ")" * 1000,
        "!" * 3000 + "a == 1",
        "(" * 2000 + "a == 1" + ")" * 2000,
    ):
        with pytest.raises(FilterSyntaxError, match="levels"):
            parse_filter(text)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Number("08"),
        lambda: Number("+1"),
        lambda: Number("1_0"),
        lambda: Number(""),
        lambda: Number("0x" + "0" * 30),
        lambda: String('a"b'),
        lambda: String("x" * 256),
        lambda: String.of("a'b\"c"),
        lambda: CpuList("0}"),
        lambda: Function("a b"),
        lambda: Function("12x"),
        lambda: Predicate("a b", "==", Number("1")),
        lambda: Predicate("a", "=", Number("1")),  # type: ignore[arg-type]
        lambda: And((A,)),
    ],
)
def test_values_that_can_t_be_written_can_t_be_made(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValueError):
        build()


def test_rows_keep_groups_and_negations() -> None:
    rows = to_rows(parse_filter("!!a == 1 && !(b == 1 || !c == 1)"))
    assert rows == (
        Row("", "a", "==", "1", opens="!", negated=True),
        Row("&&", "b", "==", "1", opens="!("),
        Row("||", "c", "==", "1", negated=True, closes=1),
    )


def test_a_caret_finds_its_row() -> None:
    rows = to_rows(parse_filter("a == 1 && (b == 2 || c == 3)"))
    text = from_rows(rows)
    assert [row_at(rows, text.index(name)) for name in "abc"] == [0, 1, 2]
    assert row_at(rows, len(text)) == 2
    assert row_at((), 0) is None


@given(st.lists(st.builds(Row, st.sampled_from(["&&", "||"]), st.just("a"), st.just(""), st.just(""))))
def test_half_made_rows_have_text(rows: list[Row]) -> None:
    assert from_rows(rows).count("a") == len(rows)


@pytest.mark.parametrize("number", ["9" * 6000, "0" * 6000 + "9" * 11, str(1 << 32)])
def test_a_cpu_number_beyond_every_machine_is_refused(number: str) -> None:
    with pytest.raises(FilterSyntaxError, match="Invalid cpulist"):
        parse_filter(f"a & CPUS{{{number}}}")
