"""A simulated kernel for the demo and for tests: a tracefs in memory, fed by what a real 6.12 kernel did.

Its list of symbols is wanted before anything else of it, so the machine itself is only loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kptui.kernel.sim.symbols import demo_kallsyms

if TYPE_CHECKING:
    from kptui.kernel.sim.files import SimFiles as SimFiles
    from kptui.kernel.sim.stream import ManualClock as ManualClock

__all__ = ["ManualClock", "SimFiles", "demo_kallsyms"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from kptui.kernel.sim import files

        return getattr(files, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
