"""A search made in one process for another: table, index and sieves as bytes, each as soon as it is there.

Parsing and indexing 250,000 symbols is half a second of Python; beside a program that is loading its screen it
belongs on another processor, which only another process has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kptui.symbols.search import SymbolSearch
from kptui.symbols.table import SymbolTable


def pack_search(data: bytes) -> Iterator[bytes]:
    """The three pieces of a search over ``data``, the bytes of ``/proc/kallsyms``."""
    table = SymbolTable.parse(data)
    yield table.pack()
    search = SymbolSearch(table)
    yield search.index.pack(table)
    search.warm()
    yield search.index.pack_sieves()


class ShippedSearch(SymbolSearch):
    """A search whose pieces come from ``piece``, in order: it blocks until the next is there; b'' if none will be.

    Made from the first; :meth:`prepare` and :meth:`warm`, on any thread, wait for the others, and do the work
    themselves where they don't come. ValueError when the first doesn't come.
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
