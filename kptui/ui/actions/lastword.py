"""What is said, and kept, where the kernel said something else than kptui expected: that is a mistake of kptui's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kptui.host.dirs import shown
from kptui.host.disagreements import keep
from kptui.kernel.lastword import disagreement
from kptui.kernel.refusal import Refused
from kptui.verdict import Problem, Verdict

if TYPE_CHECKING:
    from kptui.ui.app import KptuiApp


async def compare(
    app: KptuiApp,
    file: str,
    text: str,
    expected: Verdict,
    refused: Refused | None,
    *,
    unknown: frozenset[str] = frozenset(),
) -> str:
    """One sentence about a difference, which is kept in a file; '' where there is none. ``refused`` None: the kernel
    accepted ``text``, written to ``file``. ``unknown``: messages that could not be told beforehand.
    """
    session = app.world.session
    logged = session is None or session.files.exists("error_log")
    what = disagreement(expected, refused, unknown=unknown, logged=logged)
    if not what:
        return ""
    entry = {
        "release": app.world.release,
        "demo": app.world.demo,
        "file": file,
        "text": text,
        "kptui": _plain(expected.problems, expected.errno),
        "kernel": _plain(refused.problems, refused.errno_name) if refused is not None else _plain((), None),
    }
    path = await asyncio.to_thread(keep, app.world.state_dir, entry)
    kept = f"logged in {shown(path)}" if path is not None else "it could not be logged"
    return f"kptui expected {what}: a mistake of kptui; {kept}"


def _plain(problems: tuple[Problem, ...], errno: str | None) -> dict[str, object]:
    messages = [{"message": problem.message, "column": problem.column} for problem in problems]
    return {"ok": errno is None, "errno": errno, "messages": messages}
