"""What the commands do: one function a command, found by the command's id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kptui.ui.actions import authoring, control, copying, filtering, moving, viewing

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp

Action = Callable[["KptuiApp"], Awaitable[None] | None]

ACTIONS: dict[str, Action] = {
    **moving.ACTIONS,
    **authoring.ACTIONS,
    **control.ACTIONS,
    **filtering.ACTIONS,
    **copying.ACTIONS,
    **viewing.ACTIONS,
}
