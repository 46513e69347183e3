"""A modal screen that holds one pane."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from kptui.ui.pane import Pane
from kptui.ui.panes.chrome import FooterLine

Result = TypeVar("Result")


class Dialog(ModalScreen[Result], Generic[Result]):
    """One pane on top of the workspace, with its own footer. Keys outside the pane's scope do nothing."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, pane: Pane, *, width: int | str = "100%", height: int | str = "100%") -> None:
        super().__init__()
        self.pane = pane
        self._wanted = (width, height)

    def compose(self) -> ComposeResult:
        self.pane.styles.width, self.pane.styles.height = self._wanted
        self.pane.styles.max_width = "100%"
        self.pane.styles.max_height = "100%"
        self.pane.add_class("dialog-pane")
        self.pane.set_class(self._wanted[0] == "100%", "whole")
        yield self.pane
        yield FooterLine(id="dialog-footer")

    def on_mount(self) -> None:
        self.pane.kptui.workspace.add_class("covered")  # a dialog shows the toasts itself
        self.pane.focus()
        self.show_footer()

    def on_unmount(self) -> None:
        stack = self.app.screen_stack
        if stack:
            stack[0].set_class(any(isinstance(screen, Dialog) for screen in stack), "covered")

    def show_footer(self) -> None:
        typing = list(self.pane.typing_hints) if self.pane.typing else []
        for footer in self.query(FooterLine):  # none yet between its push and its first frame
            pane = self.pane
            footer.show(pane.kptui.keymap.footer(pane.scope, pane.foremost, pane.without), typing)
