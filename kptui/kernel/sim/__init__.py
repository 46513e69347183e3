"""A simulated kernel for the demo and for tests: a tracefs in memory, fed by what a real 6.12 kernel did."""

from kptui.kernel.sim.files import SimFiles
from kptui.kernel.sim.stream import ManualClock
from kptui.kernel.sim.symbols import demo_kallsyms

__all__ = ["ManualClock", "SimFiles", "demo_kallsyms"]
