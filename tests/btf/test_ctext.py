"""C text of types."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.btf import Btf, ctext
from kptui.btf.types import (
    CONST,
    ENUM,
    FLOAT,
    FUNC,
    FWD,
    PROTO,
    PTR,
    RESTRICT,
    STRUCT,
    TYPE_TAG,
    TYPEDEF,
    UNION,
    VOLATILE,
)
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer


@pytest.mark.parametrize(
    "text",
    [
        "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)",
        "long do_sys_openat2(int dfd, const char *filename, struct open_how *how)",
        "void seq_printf(struct seq_file *m, const char *f, ...)",
        "void schedule(void)",
        "int do_unlinkat(int dfd, struct filename *name)",
        "bool is_bad_inode(struct inode *inode)",
    ],
)
def test_prototypes_of_a_kernel(text: str) -> None:
    name = text.partition("(")[0].split()[-1].lstrip("*")
    assert ctext.prototype(kernel(), name) == text


def test_there_is_no_prototype_of_what_is_unknown() -> None:
    assert ctext.prototype(kernel(), "nosuch") is None


def test_every_prototype_of_a_kernel_is_text() -> None:
    btf = kernel()
    for number in list(btf.numbers(FUNC))[::7]:
        text = ctext.prototype(btf, btf.name(number))
        assert text is not None
        assert "?" not in text
        assert f"{btf.name(number)}(" in text


def test_pointers_to_user_memory_are_marked() -> None:
    w = Writer()
    char = w.integer("char", 1)
    const = w.add(CONST, "", char)
    user = w.add(TYPE_TAG, "user", const)
    text = w.add(PTR, "", user)
    texts = w.add(PTR, "", w.add(TYPE_TAG, "user", w.add(CONST, "", text)))
    odd = w.add(PTR, "", w.add(TYPE_TAG, "odd", char))
    attribute = w.add(PTR, "", w.add(TYPE_TAG, "address_space(1)", char, flag=1))
    btf = Btf.parse(w.data())
    assert ctext.declaration(btf, text, "buf") == "const char __user *buf"
    assert ctext.declaration(btf, text) == "const char __user *"
    assert ctext.declaration(btf, texts, "argv") == "const char __user *const __user *argv"
    assert ctext.declaration(btf, odd, "p") == 'char __attribute__((btf_type_tag("odd"))) *p'
    assert ctext.declaration(btf, attribute, "p") == "char __attribute__((address_space(1))) *p"


def test_declarators_nest_as_in_c() -> None:
    w = Writer()
    number = w.integer("long unsigned int", 8)
    pointer = w.add(PTR, "", number)
    row = w.array(number, 4)
    function = w.add(PROTO, "", pointer, w.params(("", row), ("n", number)), 2)
    handler = w.add(PTR, "", function)
    cases = {
        w.add(PTR, "", pointer): "unsigned long **x",
        w.array(row, 3): "unsigned long x[3][4]",
        w.array(number, 0): "unsigned long x[]",
        w.add(PTR, "", row): "unsigned long (*x)[4]",
        w.array(pointer, 2): "unsigned long *x[2]",
        w.array(handler, 2): "unsigned long *(*x[2])(unsigned long [4], unsigned long n)",
        w.add(CONST, "", row): "const unsigned long x[4]",
        w.add(RESTRICT, "", pointer): "unsigned long *restrict x",
        w.add(VOLATILE, "", w.add(CONST, "", number)): "volatile const unsigned long x",
        w.add(CONST, "", w.add(PTR, "", w.add(CONST, "", number))): "const unsigned long *const x",
        w.add(PTR, "", 0): "void *x",
        w.add(PTR, "", w.add(CONST, "", 0)): "const void *x",
        w.add(PTR, "", w.add(PROTO, "", handler)): "unsigned long *(*(*x)(void))(unsigned long [4], unsigned long n)",
        w.add(TYPEDEF, "pgd_t", number): "pgd_t x",
        w.add(STRUCT, "s", 0): "struct s x",
        w.add(UNION, "", 0): "union {…} x",
        w.add(FWD, "u", 0, flag=1): "union u x",
        w.add(FWD, "s", 0): "struct s x",
        w.add(ENUM, "e", 4): "enum e x",
        w.add(FLOAT, "double", 8): "double x",
        w.integer("_Bool", 1, boolean=True): "bool x",
        999: "? x",
    }  # fmt: skip
    btf = Btf.parse(w.data())
    assert {n: ctext.declaration(btf, n, "x") for n in cases} == cases


def test_members() -> None:
    btf = kernel()
    inode = btf.struct("inode")
    assert inode is not None
    texts = [ctext.member(btf, member) for member in inode.members]
    assert "umode_t i_mode" in texts
    assert "union {…}" in texts
    w = Writer()
    w.struct("s", 4, ("flags", w.integer("unsigned int", 4), 3 << 24), flag=1)
    bits = Btf.parse(w.data())
    found = bits.struct("s")
    assert found is not None
    assert ctext.member(bits, found.members[0]) == "unsigned int flags:3"


@settings(deadline=None)  # a hang is what the time-out of the tests is for
@given(
    st.lists(
        st.tuples(st.sampled_from((PTR, CONST, PROTO, TYPEDEF, TYPE_TAG)), st.integers(0, 9)), max_size=9
    )
)
def test_cycles_end(records: list[tuple[int, int]]) -> None:
    w = Writer()
    for kind, ref in records:
        if kind == PROTO:
            w.add(kind, "", ref, w.params(("a", ref), ("b", ref)), 2)
        else:
            w.add(kind, "n" if kind == TYPEDEF else "", ref)
    btf = Btf.parse(w.data())
    for number in range(len(btf) + 1):
        assert len(ctext.declaration(btf, number, "x")) < 20_000
