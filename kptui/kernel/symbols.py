"""The symbols of a kernel as the screen wants them: soon the first time, anew whenever it asks again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kptui.kernel.aside import begin

if TYPE_CHECKING:
    from kptui.symbols import SymbolSearch


class SymbolSource:
    """``read`` gives the bytes of a kallsyms; it raises OSError with a sentence where there are none.

    To be made before anything that takes time, and before there are threads: a child process reads, parses and
    indexes meanwhile.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._ahead = begin(lambda: _pieces(read))

    def __call__(self) -> bytes | SymbolSearch:
        """The search that the child made, the first time; later, and where it failed, what ``read`` gives now."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            from kptui.symbols.shipping import ShippedSearch

            try:
                return ShippedSearch(ahead.piece)
            except ValueError:
                ahead.close()
        return self._read()

    def close(self) -> None:
        """End the child if nobody came for what it made."""
        if self._ahead is not None:
            self._ahead.close()


def _pieces(read: Callable[[], bytes]) -> Iterator[bytes]:
    from kptui.symbols.shipping import pack_search

    yield from pack_search(read())
