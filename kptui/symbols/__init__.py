"""The kernel's symbols: a lean table of kallsyms, a search over it as one types, and which of them can be
probed.
"""

from kptui.symbols.hits import Hit, Hits
from kptui.symbols.lists import Blacklist, ProbeLists
from kptui.symbols.names import aliases, base_name, is_noise
from kptui.symbols.probeable import Probeability, Probing, find_probing, other_place
from kptui.symbols.search import SymbolSearch
from kptui.symbols.table import Symbol, SymbolTable

__all__ = [
    "Blacklist",
    "Hit",
    "Hits",
    "ProbeLists",
    "Probeability",
    "Probing",
    "Symbol",
    "SymbolSearch",
    "SymbolTable",
    "aliases",
    "base_name",
    "find_probing",
    "is_noise",
    "other_place",
]
