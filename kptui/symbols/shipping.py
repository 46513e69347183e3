"""A search made in one process for another: table, index, sieves and what can be probed, as bytes, each as soon as it
is there.

Parsing and indexing 250,000 symbols is half a second of Python; beside a program that is loading its screen it
belongs on another processor, which only another process has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kptui.symbols.lists import NO_LISTS, ProbeLists
from kptui.symbols.probeable import Probing, find_probing
from kptui.symbols.search import SymbolSearch
from kptui.symbols.table import SymbolTable


def pack_search(data: bytes, lists: Callable[[], ProbeLists] = lambda: NO_LISTS) -> Iterator[bytes]:
    """The four pieces of a search over ``data``, the bytes of ``/proc/kallsyms``; ``lists`` is called for the last."""
    table = SymbolTable.parse(data)
    yield table.pack()
    search = SymbolSearch(table)
    yield search.index.pack(table)
    search.warm()
    yield search.index.pack_sieves()
    yield find_probing(table, lists()).grounds


class ShippedSearch(SymbolSearch):
    """A search whose pieces come from ``piece``, in order: it blocks until the next is there; b'' if none will be.

    Made from the first; :meth:`prepare`, :meth:`warm` and :meth:`find_probing`, in this order, on any thread, wait for
    the others, and do the work themselves where they don't come. ValueError when the first doesn't come.
    """

    def __init__(self, piece: Callable[[], bytes]) -> None:
        table = piece()
        if not table:
            raise ValueError("no table came")
        super().__init__(SymbolTable.unpack(table))
        self._piece = piece
        self._indexless = True  # the piece that is the index has yet to be taken

    def prepare(self) -> None:
        if self._indexless:
            self._indexless = False
            index = self._piece()
            if index:
                self.adopt(index)
        super().prepare()

    def warm(self) -> None:
        self.prepare()
        sieves = self._piece()
        if sieves:
            self.index.take_sieves(sieves)
        super().warm()

    def _judge(self, lists: Callable[[], ProbeLists]) -> Probing:
        grounds = self._piece()
        return Probing(self.table, grounds) if len(grounds) == len(self.table) else super()._judge(lists)
