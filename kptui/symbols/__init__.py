"""The kernel's symbols: a lean table of kallsyms, a search over it as one types, and which of them can be
probed.
"""

from kptui.symbols.names import aliases, base_name, is_noise
from kptui.symbols.search import Hit, Hits, SymbolSearch
from kptui.symbols.table import Symbol, SymbolTable, not_probeable

__all__ = [
    "Hit",
    "Hits",
    "Symbol",
    "SymbolSearch",
    "SymbolTable",
    "aliases",
    "base_name",
    "is_noise",
    "not_probeable",
]
