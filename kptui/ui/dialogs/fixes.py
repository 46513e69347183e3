"""Apply what mends a line: at once where there is one way, by choice where there are several."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kptui.safetext import neutralise
from kptui.ui.dialogs.choice import Choice, choice_dialog
from kptui.verdict import Fix

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp

KEYS = string.digits[1:] + "".join(
    c for c in string.ascii_lowercase if c not in "jkgq"
)  # those move, or close


def choose_fix(app: KptuiApp, fixes: Sequence[Fix], apply: Callable[[Fix], None]) -> None:
    """Give ``apply`` the only fix, or the one that is chosen from the list; nothing when it is closed."""
    if len(fixes) == 1:
        apply(fixes[0])
        return
    offered = dict(zip(KEYS, fixes, strict=False))
    parts = {key: neutralise(fix.label).partition("  ") for key, fix in offered.items()}
    choices = [Choice(key, label, note) for key, (label, _, note) in parts.items()]

    def chosen(key: str | None) -> None:
        if key is not None:
            apply(offered[key])

    app.push_screen(choice_dialog("Which one?", choices, width=40), chosen)
