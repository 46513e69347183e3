"""Renamed functions: what five kernels have of either name (``data/renamed.txt``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kptui.symbols import SymbolSearch, SymbolTable
from kptui.symbols.names import aliases
from kptui.symbols.renames import RENAMED, predecessors, successors

DATA = Path(__file__).parent / "data" / "renamed.txt"
# Still there, as a layer over the function that does the work since.
LAYERS = {
    "__alloc_pages_noprof", "__do_softirq", "do_munmap", "do_sys_open", "end_page_writeback", "mark_page_accessed",
    "pagecache_get_page", "set_page_dirty", "unlock_page", "wait_on_page_writeback",
}  # fmt: skip


@cache
def kernels() -> dict[str, str]:
    """For each name, an ``x`` for each of the five kernels that has it, else a dot."""
    lines = DATA.read_text().splitlines()[1:]
    return {name: has for has, name in (line.split(" ") for line in lines)}


@pytest.mark.parametrize("old", RENAMED)
def test_the_successor_is_there_where_the_old_name_is_not(old: str) -> None:
    before = kernels().get(old, ".....")
    after = [kernels().get(name, ".....") for name in successors(old)]
    heirs = [any(has[kernel] == "x" for has in after) for kernel in range(5)]
    if old in LAYERS:
        assert any(has == "x" and heir for has, heir in zip(before, heirs, strict=True))
    else:
        assert any(has == "." and heir for has, heir in zip(before, heirs, strict=True))
    assert heirs[-1] or heirs[-2] or heirs[1] or heirs[0]


def test_there_are_many_and_no_circles() -> None:
    assert len(RENAMED) > 200
    for old in RENAMED:
        assert old not in successors(old)
        assert len(successors(old)) < 20


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("do_fork", ["_do_fork", "kernel_clone"]),
        ("do_sys_open", ["do_sys_openat2"]),
        ("__kmalloc", ["__kmalloc_noprof"]),
        ("kmem_cache_alloc_trace", ["kmalloc_trace", "__kmalloc_cache_noprof"]),
        ("load_balance", ["sched_balance_rq"]),
    ],
)
def test_the_next_name_comes_first(name: str, wanted: list[str]) -> None:
    found = [other for other in successors(name) if not other.endswith("_noprof") or other in wanted]
    assert found == wanted


def test_an_old_kernel_has_the_new_name_s_function() -> None:
    assert predecessors("kernel_clone") == ("_do_fork", "do_fork")
    assert "kmem_cache_alloc" in predecessors("kmem_cache_alloc_noprof")
    assert predecessors("vfs_read") == ("__vfs_read",)


def search(*names: str) -> SymbolSearch:
    lines = [f"{i + 1:016x} T {name}\n" for i, name in enumerate(names)]
    return SymbolSearch(SymbolTable.parse("".join(lines).encode()))


@pytest.mark.parametrize(
    ("query", "there", "first"),
    [
        ("do_sys_open", ["do_sys_openat2", "do_sys_open_by_handle"], "do_sys_openat2"),
        ("__kmalloc", ["__kmalloc_noprof", "__kmalloc_node"], "__kmalloc_noprof"),
        ("do_fork", ["kernel_clone", "do_forkq"], "kernel_clone"),
        ("kernel_clone", ["_do_fork"], "_do_fork"),
        ("sys_stat", ["__x64_sys_stat", "__x64_sys_newstat"], "__x64_sys_newstat"),
        ("stat(2)", ["__x64_sys_stat", "__x64_sys_newstat"], "__x64_sys_newstat"),
        ("waitpid(2)", ["__x64_sys_wait4"], "__x64_sys_wait4"),
        ("SyS_execve()", ["__x64_sys_execve"], "__x64_sys_execve"),
    ],
)
def test_the_search_leads_there(query: str, there: list[str], first: str) -> None:
    hit = search(*there).search(query).hits[0]
    assert (hit.symbol.name, hit.alias) == (first, query)


def test_the_name_itself_goes_before_its_successor() -> None:
    hits = search("do_sys_openat2", "do_sys_open").search("do_sys_open").hits
    assert [(hit.symbol.name, hit.alias) for hit in hits] == [
        ("do_sys_open", None), ("do_sys_openat2", "do_sys_open"),
    ]  # fmt: skip
    assert "__x64_sys_newfstatat" in aliases("fstatat(2)")
