"""Random filters: trees of values, and text that looks like a filter."""

from __future__ import annotations

from hypothesis import strategies as st

from kptui.filters import And, CpuList, FilterExpr, Function, Not, Number, Or, Predicate, String
from kptui.filters.syntax import OPERATORS

names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)
numbers = st.one_of(
    st.integers(-(1 << 63), (1 << 64) - 1).map(str),
    st.integers(0, (1 << 64) - 1).map(hex),
    st.integers(0, 511).map(lambda n: f"0{n:o}"),
).map(Number)
plain = st.text(st.characters(codec="utf-8", exclude_characters="\0\"'"), max_size=12)
strings = st.one_of(
    plain.map(String),
    plain.map(lambda text: String(text, "'")),
    st.builds(lambda a, b: String.of(f"{a}'{b}"), plain, plain),
)
cpu_lists = st.sampled_from(["0", "0-3", "1,3", "all", "N", "0-7:1/2"]).map(CpuList)
functions = st.sampled_from(["vfs_read", "__x64_sys_openat", "foo.isra.0", "0xffffffff81000000"]).map(
    Function
)


def predicate(field: str, value: object, op: str, ustring: bool) -> Predicate:
    return Predicate(field, op, value, ustring)  # type: ignore[arg-type]


predicates = st.one_of(
    st.builds(
        predicate, names, numbers, st.sampled_from([op for op in OPERATORS if op != "~"]), st.booleans()
    ),
    st.builds(predicate, names, strings, st.sampled_from(["==", "!=", "~"]), st.booleans()),
    st.builds(predicate, names, cpu_lists, st.sampled_from(["==", "!=", "&"]), st.just(False)),
    st.builds(predicate, names, functions, st.sampled_from(["==", "!="]), st.booleans()),
)


def _wider(inner: st.SearchStrategy[FilterExpr]) -> st.SearchStrategy[FilterExpr]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(several.map(And), several.map(Or), inner.map(Not))


expressions: st.SearchStrategy[FilterExpr] = st.recursive(predicates, _wider, max_leaves=8)

pieces = st.sampled_from(
    [
        *[
            "dfd",
            "fl",
            "filename",
            "u",
            "arr",
            "sym",
            "comm",
            "cpu",
            "common_pid",
            "nosuch",
            "x",
            "stacktrace",
        ],
        *["==", "!=", "=", "<", ">=", "&", "~", "!", "!~", "&&", "||", "|", "(", ")", " ", "  ", "\t", "\n"],
        *["1", "-1", "0x10", "08", "1x", "0", "-", "99999999999999999999", '"a*"', "'b'", '"', "'", "9p"],
        *[
            "CPUS",
            "{",
            "}",
            "0-3",
            ".function",
            ".ustring",
            ".",
            ",",
            ";",
            "#",
            "$",
            "[0]",
            "é",
            "à",
            "\udcff",
            "\0",
        ],
    ]
)
near_filters = st.lists(pieces, max_size=14).map("".join)
