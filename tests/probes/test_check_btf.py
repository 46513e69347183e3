"""What the checker makes of parameters and members that BTF describes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kptui.btf import Btf
from kptui.probes.check import Target, check_definition
from tests.btf.writer import sample

TARGET = Target(btf=Btf.parse(sample()))


@pytest.mark.parametrize(
    "line",
    [
        "p demo box text n",
        "p demo text:string",
        "p demo box->name:string",
        "p demo box->label:string",
        "p demo box->high box->low",
        "p demo b=box->bits",
        "p demo $arg*",
        "p demo $arg3:s32",
        "r demo $retval n",
        "p demo text:ustring",
    ],
)
def test_accepted(line: str) -> None:
    assert check_definition(line, TARGET).ok


@pytest.mark.parametrize(
    ("line", "message", "column", "errno"),
    [
        ("p demo nosuch", "This variable is not found at this probe point", 7, "ENOENT"),
        ("p demo box->nosuch", "This field is not found.", 12, "ENOENT"),
        ("p demo n->x", "This is not a pointer to union/structure.", 10, "EINVAL"),
        ("p demo text->x", "Failed to get BTF type info.", 13, "EINVAL"),
        ("p demo box.name", "Non pointer structure/union argument is not supported.", 11, "EOPNOTSUPP"),
        ("p demo box-name", "Failed to parse single hyphen. Forgot '>'?", 10, "EINVAL"),
        ("p demo $arg4", "This variable is not found at this probe point", 7, "ENOENT"),
        ("p demo $arg1->x", "Invalid $-variable specified", 7, "ENOENT"),
        ("p demo $arg* $arg*", "$arg* can be used only once in the parameters", 13, "EINVAL"),
        ("p demo+8 n", "BTF is not available or not supported", 9, "EINVAL"),
        ("p demo box:string", "This type does not fit for string.", 7, "EINVAL"),
        ("r nothing $retval", "This function returns 'void' type", 10, "ENOENT"),
        ("p nothing n", "No BTF entry for this probe point", 10, "ENOENT"),
    ],
)
def test_refused(line: str, message: str, column: int, errno: str) -> None:
    verdict = check_definition(line, TARGET)
    (problem,) = verdict.problems
    assert (problem.message, problem.column, verdict.errno) == (message, column, errno)


def test_carets_after_arg_star_count_the_expanded_words() -> None:
    line = "p demo $arg* %rdi"
    (problem,) = check_definition(line, TARGET).problems
    assert problem.column == len(line) + 1
    assert line[problem.at :] == "%rdi"  # where it is meant


def test_arg_star_without_btf_for_the_function_is_two_entries() -> None:
    verdict = check_definition("p unknown $arg*", replace(TARGET, release="6.18.15"))
    assert [p.message for p in verdict.problems] == [
        "BTF is not available or not supported",
        "Invalid $-valiable specified",
    ]
    assert verdict.errno == "EINVAL"


def test_arg_star_without_btf_for_the_function_is_refused_at_once_by_mended_kernels() -> None:
    verdict = check_definition("p unknown $arg*", replace(TARGET, release="6.12.117"))
    assert [p.message for p in verdict.problems] == ["BTF is not available or not supported"]
    assert verdict.errno == "EOPNOTSUPP"


class _Nothing(Btf):
    """The kernel's own type information, without the function."""

    def find(self, name: str, *kinds: int) -> tuple[int, ...]:
        return ()


def test_a_modules_function_is_looked_for_in_the_modules_btf() -> None:
    target = Target(btf=_Nothing(sample()))
    (problem,) = check_definition("p demo box", target).problems
    assert problem.message == "No BTF entry for this probe point"
    asked: list[str] = []

    def module(function: str) -> Btf:
        asked.append(function)
        return Btf.parse(sample())

    assert check_definition("p demo box->high", replace(target, module_btf=module)).ok
    assert asked == ["demo"]
    assert not check_definition("p demo nosuch", replace(target, module_btf=module)).ok
