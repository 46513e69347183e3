"""The command table: every key is unambiguous, remappable, and said to the user."""

from __future__ import annotations

import pytest

from kptui.ui.actions import ACTIONS
from kptui.ui.commands import COMMANDS
from kptui.ui.keymap import PARENTS, KeyConflict, Keymap, shown

SWALLOWED = {
    "ctrl+s",
    "ctrl+q",
    "ctrl+b",
    "ctrl+a",
    "ctrl+o",
    "ctrl+j",
    "ctrl+k",
    "ctrl+h",
    "f1",
    "f10",
    "f11",
    "escape",
}


def test_the_table_has_no_conflict() -> None:
    Keymap()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.id)
def test_no_command_hangs_on_a_key_that_a_terminal_may_swallow(command: object) -> None:
    keys = set(getattr(command, "keys", ()))
    closing = {
        "quit.now",
        "symbols.clear",
        "events.reset",
    }  # each has another way: q, backspace or an empty view
    if keys and getattr(command, "id", "") not in closing:
        assert keys - SWALLOWED, f"{command} can't be reached"


def test_every_command_is_implemented() -> None:
    """A command is an action, or a pane takes it in ``run``."""
    import inspect

    from kptui.ui import pane
    from kptui.ui.dialogs import choice, filter, processes, text
    from kptui.ui.panes import editor, events, symbols

    sources = "".join(
        inspect.getsource(m) for m in (choice, filter, processes, text, editor, events, symbols, pane)
    )
    for command in COMMANDS:
        assert command.id in ACTIONS or f'"{command.id}"' in sources, command.id


def test_remapping() -> None:
    keymap = Keymap({"quit": ["Q"], "help": ["F2", "?"]})
    assert keymap.command("symbols", "Q") == "quit"
    assert keymap.command("symbols", "q") is None
    assert keymap.command("events", "f2") == "help"
    assert keymap.command("events", "question_mark") == "help"


def test_remapping_onto_another_key_of_the_same_scope_is_refused() -> None:
    with pytest.raises(KeyConflict, match=r"'y'.*copy"):
        Keymap({"quit": ["y"]})
    with pytest.raises(KeyConflict, match="nothing like this"):
        Keymap({"nothing like this": ["x"]})


def test_the_pane_comes_before_the_list_and_the_workspace() -> None:
    keymap = Keymap()
    assert keymap.command("events", "f") == "events.follow"
    assert keymap.command("probes", "G") == "probes.group_filter"
    assert keymap.command("events", "G") == "list.bottom"
    assert keymap.command("text", "tab") is None  # a dialog is modal


def test_footers_show_only_keys_that_work() -> None:
    keymap = Keymap()
    for scope in PARENTS:
        for command in keymap.footer(scope):
            assert any(keymap.command(scope, key) == command.id for key in command.keys)
    assert shown("question_mark") == "?"
