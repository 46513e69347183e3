from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.probes.exprs import (
    ArgType,
    Bitfield,
    BtfPath,
    Deref,
    Expr,
    FetchArg,
    Immediate,
    ImmString,
    Member,
    MemSym,
    Raw,
    Register,
)
from kptui.probes.fetch import ProbeSyntaxError, parse_expr, parse_fetcharg, parse_type
from tests.probes.strategies import expressions, fetch_args, types


@given(fetch_args())
@settings(max_examples=400, deadline=None)
def test_print_then_parse_gives_the_same_argument(arg: FetchArg) -> None:
    assert parse_fetcharg(str(arg)) == arg


@given(expressions)
@settings(max_examples=200, deadline=None)
def test_print_then_parse_gives_the_same_expression(expr: Expr) -> None:
    assert parse_expr(str(expr)) == expr


@given(types)
@settings(max_examples=100, deadline=None)
def test_print_then_parse_gives_the_same_type(kind: ArgType) -> None:
    assert parse_type(str(kind)) == kind


@given(st.text(st.sampled_from('%$@+-\\"u0x123()=:[]ab*.>/disretval#\t '), max_size=24))
@settings(max_examples=500, deadline=None)
def test_any_text_parses_stably_or_is_refused_inside_it(text: str) -> None:
    refusal: ProbeSyntaxError | None = None
    try:
        arg = parse_fetcharg(text)
    except ProbeSyntaxError as error:
        refusal = error
    if refusal is None:
        assert parse_fetcharg(str(arg)) == arg
    else:
        assert 0 <= refusal.column <= len(text)
        assert refusal.message


@pytest.mark.parametrize(
    "text",
    [
        "%di", "$stack", "$stack12", "$arg1", "$arg*", "$retval", "$comm", "$COMM",
        "@0xffffffff81000000", "@4096", "@jiffies", "@init_task+0x10", "@init_task-8", "@+0x1234",
        "\\42", "\\-1", "\\0x2a", '\\"hello"', 's=\\"a=b"', "+0(%di)", "-8(%bp)", "+u0(%si)",
        "-u16(%si)", "+0x28(+0(%di))", "+0(+u8(+112(%di))):ustring", "x=%di:b4@0/32", "+0(%di):x8[4]",
        "f=file:%pD", "file->f_path.dentry->d_name.name:string", "$retval->f_inode->i_ino",
        "(task_struct)$current->pid", "comm=$comm:string", "+0(%di):b1@2/8[3]",
    ],
)  # fmt: skip
def test_canonical_text_comes_back_unchanged(text: str) -> None:
    assert str(parse_fetcharg(text)) == text


def test_the_tree_of_a_line_from_the_article() -> None:
    assert parse_fetcharg("arg1=+0(+8(%si)):string") == FetchArg(
        Deref(0, Deref(8, Register("si"))), "arg1", ArgType("string")
    )
    assert parse_expr("-u0x10(%sp)") == Deref(-16, Register("sp"), user=True, hex=True)
    assert parse_expr("@sym-4") == MemSym("sym", -4)
    assert parse_expr("file->f_path.mnt") == BtfPath("file", (Member("f_path"), Member("mnt", arrow=False)))
    assert parse_expr("\\+7") == Immediate(7)
    assert parse_expr('\\"a"b"') == ImmString('a"b')
    assert parse_expr("+010(%di)") == Deref(8, Register("di"))
    assert parse_type("b0x4@010/32") == ArgType(Bitfield(4, 8, 32))
    assert parse_expr("this_cpu_read(@x)") == Raw("this_cpu_read(@x)")


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("%rdi", "Invalid register name", 0),
        ("x=%rdi", "Invalid register name", 2),
        ("x=+0(%rdi)", "Invalid register name", 5),
        ("%DI", "Invalid register name", 0),
        ("%di[2]", "Invalid register name", 0),
        ("$foo", "Invalid $-variable specified", 0),
        ("$stackx", "Invalid $-variable specified", 0),
        ("x=$arg*", "Invalid $-variable specified", 2),
        ("$arg0", "Invalid argument number", 0),
        ("@0xzz", "Invalid memory address", 0),
        ("@", "Invalid memory address", 0),
        ("@sym+zz", "Invalid memory address", 4),
        ("@+x", "Invalid file offset value", 0),
        ("\\x", "Invalid immediate value", 1),
        ('\\"abc', "String is not closed with '\"'", 5),
        ("+8", "Dereference needs a brace", 0),
        ("+(%di)", "Invalid dereference offset", 0),
        ("--8(%di)", "Invalid dereference offset", 0),
        ("+08(%di)", "Invalid dereference offset", 0),
        ("+99999999999(%di)", "Invalid dereference offset", 0),
        ("+0(%di", "Dereference brace is not closed", 6),
        ("+0(%di)junk", "Nothing may follow the closing brace", 7),
        ("+0($comm)", "$comm can not be dereferenced", 3),
        ("+0()", "Invalid fetch argument", 3),
        ("123", "Invalid fetch argument", 0),
        ("*", "Invalid fetch argument", 0),
        ("=%di", "Argument name is not specified", 0),
        ("1x=%di", "Argument name must follow the same rules as C identifiers", 0),
        ('\\"a=b"', "Argument name must follow the same rules as C identifiers", 0),
        (f"{'n' * 33}=%di", "Argument name is too long", 0),
        ("x=", "No argument expression", 2),
        ("%di:", "Unknown type is specified", 4),
        ("%di:u7", "Unknown type is specified", 4),
        ("+0(%di:u8)", "Unknown type is specified", 7),
        ("%di:b4@0/31", "Unknown type is specified", 4),
        ("%di:b0@0/32", "Invalid bitfield", 4),
        ("%di:b30@3/32", "Invalid bitfield", 4),
        ("+0(%di):u8[", "Array is not closed", 11),
        ("+0(%di):u8[2]x", "Array has wrong suffix", 13),
        ("+0(%di):u8[0]", "Invalid array size", 11),
        ("+0(%di):u8[65]", "Array number is too big", 11),
        ("file-x", "Failed to parse single hyphen. Forgot '>'?", 4),
        ("a b", "White space and # end an argument", 1),
    ],
)
def test_refusals_use_the_kernels_words_and_point_at_the_place(text: str, message: str, column: int) -> None:
    with pytest.raises(ProbeSyntaxError) as caught:
        parse_fetcharg(text)
    assert (caught.value.message, caught.value.column) == (message, column)


def test_deep_nesting_is_refused_not_a_crash() -> None:
    with pytest.raises(ProbeSyntaxError, match="too much nested"):
        parse_fetcharg("+0(" * 5000 + "%di" + ")" * 5000)
