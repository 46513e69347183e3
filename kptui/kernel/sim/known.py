"""What is known beforehand of the simulated kernel: what of a real one would be."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from kptui.btf import Btf
from kptui.kernel.sim.data import unpack
from kptui.kernel.sim.judge import OTHER_EVENTS, RELEASE
from kptui.kernel.target.assemble import Given, KernelTarget
from kptui.kernel.target.known import Known, Types, know
from kptui.kernel.target.machine import Machine
from kptui.probes.check import features_of
from kptui.symbols.table import SymbolTable

NOWHERE = "/nowhere"


@cache
def sim_types() -> Types:
    """Blocks: it unpacks the types of what was recorded."""
    return Types(Btf.parse(unpack("vmlinux.btf.xz")), features_of(unpack("README.xz").decode()))


def know_sim(table: SymbolTable) -> Known:
    """Blocks: it unpacks what was recorded. ``table``: its symbols, as far as the simulation has them."""
    given = Given(
        readme=unpack("README.xz").decode(),
        btf=unpack("vmlinux.btf.xz"),
        types=sim_types().btf,
        existing=(),
        release=RELEASE,
        table=table,
        kallsyms=b"",
    )
    found = know(KernelTarget(given, Machine(NOWHERE, sys=NOWHERE, proc=NOWHERE, release=RELEASE)))
    exists = OTHER_EVENTS.__contains__
    target = replace(found.target, event_exists=lambda group, event: exists((group, event)))
    return replace(found, target=target)
