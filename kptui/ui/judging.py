"""Verdicts while somebody types: at once where that is quick, beside the event loop where it isn't.

Nothing that is typed waits for a verdict. How long one takes depends on the line (four thousand bytes of parentheses,
a function whose parameters BTF is first asked for), so that it is made on a thread and waited for only a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

from textual.app import App

from kptui.verdict import Verdict

if TYPE_CHECKING:
    from kptui.symbols import SymbolSearch
    from kptui.ui.app import KptuiApp
    from kptui.ui.filter_value import FilterValue

AT_ONCE = 0.003  # s that the event loop waits for a verdict, which mostly takes a tenth of that

Result = TypeVar("Result")


class Judge(Generic[Result]):
    """Asks ``work`` about texts, and tells ``show`` what came of the newest: a result, or None while it is waited for.

    ``work`` runs on a thread of its own, ``show`` on the event loop.
    """

    def __init__(
        self, app: App[None], work: Callable[[str], Result], show: Callable[[Result | None], None]
    ) -> None:
        self._app = app
        self._work = work
        self._show = show
        self._text: str | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kptui-judge")

    def ask(self, text: str, *, wait: bool = True) -> None:
        """Judge ``text``, and don't care for what was asked before; ``wait``: for a moment, it may be quick."""
        self._text = text
        asked = self._thread.submit(self._answer, text)
        if wait:
            try:
                self._give(text, asked.result(AT_ONCE))
            except TimeoutError:
                self._show(None)
            else:
                return
        self._app.run_worker(self._later(text, asked), group="judge")

    def forget(self) -> None:
        """What was asked isn't wanted any more."""
        self._text = None

    def _answer(self, text: str) -> Result | None:
        return self._work(text) if text == self._text else None

    def _give(self, text: str, result: Result | None) -> None:
        if result is not None and text == self._text and self._app.screen_stack:
            self._show(result)

    async def _later(self, text: str, asked: Future[Result | None]) -> None:
        self._give(text, await asyncio.wrap_future(asked))


class LineJudge:
    """The verdict on the line in the editor."""

    def __init__(self, app: KptuiApp) -> None:
        self._app = app
        self._judge = Judge[Verdict](app, self._verdict, self._take)
        self._nearest = Judge[Verdict](app, self._with_nearest, self._show)
        self._near: SymbolSearch | None = None
        self._line = ""
        self._replacing: tuple[str, str] | None = None

    def judge(self, line: str) -> None:
        """Say of a line what the kernel would say."""
        draft = self._app.workspace.editor.draft
        self._line, self._replacing = line, draft.replacing if draft is not None else None
        self._nearest.forget()
        if line:
            self._judge.ask(line)
        else:
            self._judge.forget()
            self._show(None)

    def verdict(self, line: str, replacing: tuple[str, str] | None) -> Verdict:
        """What the kernel would say of a line, as far as is known now. On any thread."""
        from kptui.probes.check import check_definition

        app = self._app
        return check_definition(line, app.learning.knowledge.standing(app.states, replacing))

    def _verdict(self, line: str) -> Verdict:
        return self.verdict(line, self._replacing)

    def _take(self, verdict: Verdict | None) -> None:
        self._show(verdict)
        search = self._app.workspace.symbols.search
        if verdict is None or search is None or not search.prepared:
            return
        from kptui.symbols.near import may_be_unknown

        if may_be_unknown(verdict):
            if self._near is None or self._near.table is not search.table:
                self._near = search.beside()
            self._nearest.ask(self._line, wait=False)

    def _with_nearest(self, line: str) -> Verdict:
        """With the nearest symbol as a fix: a look through all of them, never on the event loop."""
        from kptui.symbols.near import offer_near

        return offer_near(self._verdict(line), line, self._near)

    def _show(self, verdict: Verdict | None) -> None:
        workspace = self._app.workspace
        if verdict is not None and workspace.editor.line != self._line:
            return  # the next line is on its way here
        workspace.editor.verdict = verdict
        workspace.editor.redraw()
        if workspace.narrow:  # elsewhere it isn't shown
            workspace.hero.refresh(layout=True)


class FilterJudge:
    """The verdicts on the filter in the builder, by event; each text is judged once."""

    def __init__(self, app: App[None], value: FilterValue, come: Callable[[], None]) -> None:
        """``come`` is called when there are other verdicts than before."""
        self._value = value
        self._come = come
        self._judge = Judge[dict[str, Verdict]](app, value.verdicts, self._take)
        self._asked: tuple[str, bool] | None = None
        self._verdicts: dict[str, Verdict] | None = None

    def verdicts(self, text: str) -> dict[str, Verdict] | None:
        """What the kernel would say of a text for the event, or for each of the group; None while it is waited for."""
        asked = text, self._value.whole_group
        if asked != self._asked:
            self._asked, self._verdicts = asked, None
            self._judge.ask(text)
        return self._verdicts

    def _take(self, verdicts: dict[str, Verdict] | None) -> None:
        if verdicts is not None and verdicts != self._verdicts:
            self._verdicts = verdicts
            self._come()
