"""What a person would want to see at a place, as ready fetch arguments: the argument helper's rows.

System call entries get the call's own arguments through pt_regs; functions that BTF knows their parameters and what
lies behind them; other functions the registers and stack words that hold arguments at their first instruction; return
probes the returned value.
"""

from kptui.probes.suggest.offers import help_at, suggestions
from kptui.probes.suggest.rows import NOTHING, Help, Knowledge, Suggestion
from kptui.probes.variants import variants, with_name, with_type, wrap_deref

__all__ = [
    "NOTHING", "Help", "Knowledge", "Suggestion", "help_at", "suggestions", "variants",
    "with_name", "with_type", "wrap_deref",
]  # fmt: skip
