"""What verdicts know of the kernel in front of the user: little at once, the rest when it has been read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kptui.kernel.states import EventState
    from kptui.kernel.target.known import Known
    from kptui.probes.check import Target
    from kptui.symbols import SymbolTable
    from kptui.ui.filter_value import FilterKernel
    from kptui.ui.world import World


class Knowledge:
    """The target of definitions and of filters; to be asked on any thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: Known | None = None
        self._table: SymbolTable | None = None
        self._first: Target | None = None
        self._standing: tuple[tuple[object, ...], Target] | None = None

    def begin(self, table: SymbolTable | None) -> None:
        """There are symbols now, or another README, and the rest isn't known yet."""
        self._table = table
        self._first = None

    def learn(self, table: SymbolTable | None) -> None:
        """Gather the rest. Blocks; the last thing that it does is to make it count."""
        self._known = self._world.know(table)

    @property
    def target(self) -> Target:
        """What the checker of definitions knows of the kernel, but for what stands in it."""
        if self._known is not None:
            return self._known.target
        if self._first is None:
            from kptui.probes.check import Target

            table, modules = self._table, frozenset(self._table.modules if self._table is not None else ())
            self._first = Target.from_readme(
                self._world.readme,
                self._world.release,
                symbol_count=None if table is None else lambda name, module: len(table.lookup(name, module)),
                is_loaded_module=None if table is None else modules.__contains__,
            )
        return self._first

    def standing(self, states: Sequence[EventState], replacing: tuple[str, str] | None) -> Target:
        """The target with what stands in the kernel, but for the event that is to be replaced."""
        target = self.target
        key = target, states, replacing
        if self._standing is None or any(a is not b for a, b in zip(self._standing[0], key, strict=True)):
            others = [s for s in states if (s.group, s.event) != replacing]
            dynamic = {(s.group, s.event) for s in states}
            exists = target.event_exists

            def is_static(group: str, event: str) -> bool | None:
                return False if (group, event) in dynamic or exists is None else exists(group, event)

            found = replace(
                target,
                existing=tuple(line for s in others for line in s.definition.split("\n")),
                enabled=frozenset(f"{s.group}/{s.event}" for s in others if s.enabled or s.enabled_elsewhere),
                event_exists=None if exists is None else is_static,
            )
            self._standing = key, found
            return found
        return self._standing[1]

    @property
    def filters(self) -> FilterKernel:
        """What the checker of filters knows of the kernel."""
        from kptui.filters import features_from_release
        from kptui.ui.filter_value import FilterKernel

        known = self._known
        if known is None:
            return FilterKernel(features_from_release(self._world.release))
        return FilterKernel(known.filter_features, known.has_function, known.cpus)
