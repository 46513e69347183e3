"""What the screen is given by whoever starts it: the kernel (real, simulated or none), and where our files are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from kptui.host.config import Config
from kptui.kernel.capabilities import Findings
from kptui.kernel.processes import Process, list_processes
from kptui.symbols import ProbeLists, SymbolSearch, SymbolTable
from kptui.symbols.lists import NO_LISTS

if TYPE_CHECKING:
    from kptui.kernel.session import Session
    from kptui.kernel.target.known import Known, Types

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class World:
    """``read_symbols`` and ``open_session`` block and are run on a thread; ``open_session`` gives None where there
    is no kernel to trace; so do ``read_types``, for the helper of arguments, and ``know``, which gathers what verdicts
    need beside the symbols and gives None where that can't be done. Symbols are the bytes of a kallsyms, or a search
    that was made of them. ``findings`` say what this machine lacks. ``read_lists``, on a thread too, says what can be
    probed. ``readme`` is tracefs's; the opening of the session may give it.
    """

    read_symbols: Callable[[], bytes | SymbolSearch]
    open_session: Callable[[], Session | None]
    read_types: Callable[[], Types]
    know: Callable[[SymbolTable | None], Known | None]
    findings: Findings
    config: Config
    state_dir: Path
    environ: Mapping[str, str]
    release: str = ""
    readme: str = ""
    read_lists: Callable[[], ProbeLists] = lambda: NO_LISTS
    demo: bool = False
    group: str | None = None
    list_processes: Callable[[], Sequence[Process]] = list_processes
    session: Session | None = None
    notes: list[str] = field(default_factory=list)


class Gate:
    """The way from the event loop to the kernel: one blocking call at a time, on a thread.

    A write to tracefs can take tens of milliseconds (the kernel waits for all CPUs), and the order of writes is
    what keeps the undo right.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @property
    def busy(self) -> bool:
        return self._lock.locked()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._lock:
            return await asyncio.to_thread(function, *args, **kwargs)
