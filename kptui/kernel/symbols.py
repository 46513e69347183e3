"""The symbols of a kernel as the screen wants them: soon the first time, anew whenever it asks again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kptui.kernel.aside import Aside, begin

if TYPE_CHECKING:
    from kptui.symbols import ProbeLists, SymbolSearch


class SymbolSource:
    """``read`` gives the bytes of a kallsyms; it raises OSError with a sentence where there are none. ``lists`` reads
    what that kernel says of probes.

    To be made before anything that takes time, and before there are threads: a child process reads, parses and
    indexes meanwhile.
    """

    def __init__(self, read: Callable[[], bytes], lists: Callable[[], ProbeLists]) -> None:
        self._read = read
        self._ahead = begin(lambda: _pieces(read, lists))
        self._first: SymbolSearch | None = None
        self._taking: threading.Thread | None = None

    def take(self) -> None:
        """Have what the child made taken over as soon as it is there, on a thread."""
        if self._ahead is not None and self._taking is None:
            self._taking = threading.Thread(
                target=self._take, args=(self._ahead,), daemon=True, name="kptui-symbols"
            )
            self._taking.start()

    def __call__(self) -> bytes | SymbolSearch:
        """The search that the child made, the first time; later, and where it failed, what ``read`` gives now."""
        self.take()
        taking, self._ahead = self._taking, None
        if taking is not None:
            taking.join()
        first, self._first = self._first, None
        return first if first is not None else self._read()

    def _take(self, ahead: Aside) -> None:
        from kptui.symbols.shipping import ShippedSearch

        try:
            self._first = ShippedSearch(ahead.piece)
        except ValueError:
            ahead.close()

    def close(self) -> None:
        """End the child if nobody came for what it made."""
        if self._ahead is not None and self._taking is None:
            self._ahead.close()


def _pieces(read: Callable[[], bytes], lists: Callable[[], ProbeLists]) -> Iterator[bytes]:
    from kptui.symbols.shipping import pack_search

    yield from pack_search(read(), lists)
