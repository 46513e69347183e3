"""Which key runs which command in which pane or dialog, and how keys are written.

Made from the table of commands and the configuration; the footer and the help ask here what works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from kptui.ui.commands import BY_ID, Command

_SHOWN = {
    "space": "space",
    "enter": "enter",
    "escape": "esc",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "plus": "+",
    "at": "@",
    "ampersand": "&",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "asterisk": "*",
    "minus": "-",
    "exclamation_mark": "!",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "shift+tab": "shift+tab",
}


def shown(key: str) -> str:
    """A key as the footer and the help write it."""
    return _SHOWN.get(key, key)


# Where the commands of a scope look next. A dialog is modal: nothing of the workspace applies in it.
PARENTS: Mapping[str, tuple[str, ...]] = {
    "symbols": ("symbols", "list", "everywhere"),
    "editor": ("editor", "list", "everywhere"),
    "probes": ("probes", "list", "everywhere"),
    "events": ("events", "list", "everywhere"),
    "dialog": ("dialog", "list"),
    "filter": ("filter", "list"),
    "picker": ("picker", "list"),
    "text": ("text", "list"),
}
# Keys that work in every dialog.
_IN_DIALOGS = ("redraw", "quit.now", "help", "suspend")


_NO_TEXT = frozenset(f"f{number}" for number in range(1, 25))


class KeyConflict(ValueError):
    """Two commands of one scope want the same key, or an id is unknown; the text says which."""


class Keymap:
    """Which key runs which command in which scope.

    ``overrides`` (command id to keys) come from the configuration file. Raises KeyConflict for an unknown id, and
    where an override takes a key that another command of the same scope holds.
    """

    def __init__(self, overrides: Mapping[str, Iterable[str]] | None = None) -> None:
        table = dict(BY_ID)
        for id_, keys in (overrides or {}).items():
            if id_ not in table:
                raise KeyConflict(f"no command is called {id_!r}; `kptui --keys` lists them")
            table[id_] = replace(table[id_], keys=tuple(_named(key) for key in keys))
        self.commands = table
        self._keys: dict[str, dict[str, str]] = {}
        for scope, chain in PARENTS.items():
            taken: dict[str, str] = {}
            for part in chain:
                own: dict[str, str] = {}
                for command in table.values():
                    if command.scope != part and not (
                        part == chain[-1] == "list" and command.id in _IN_DIALOGS
                    ):
                        continue
                    for key in command.keys:
                        other = own.get(key)
                        if other is not None and other != command.id:
                            raise KeyConflict(
                                f"key {shown(key)!r} is wanted by both {other} and {command.id}"
                            )
                        own[key] = command.id
                for key, id_ in own.items():
                    taken.setdefault(key, id_)  # the nearer scope wins
            self._keys[scope] = taken
            self._refuse_taking(chain, overrides or {})

    def _refuse_taking(self, chain: tuple[str, ...], overrides: Mapping[str, Iterable[str]]) -> None:
        """No override may take the key of a command that works everywhere: nobody would find that one again."""
        if "everywhere" not in chain:
            return
        everywhere = {key: c.id for c in self.commands.values() if c.scope == "everywhere" for key in c.keys}
        for id_ in overrides:
            command = self.commands[id_]
            for key in command.keys:
                other = everywhere.get(key, id_)
                if command.scope in chain and other != id_:
                    raise KeyConflict(f"key {shown(key)!r} is wanted by both {other} and {id_}")

    def command(self, scope: str, key: str) -> str | None:
        """The id of the command that ``key`` runs in ``scope``."""
        return self._keys.get(scope, {}).get(key)

    def key(self, id_: str) -> str:
        """The first key of a command as shown, or '' if it has none."""
        keys = self.commands[id_].keys
        return shown(keys[0]) if keys else ""

    def typing_key(self, id_: str) -> str:
        """The first key of a command that is no text, as shown: it works while a line is being typed; '' for none."""
        keys = self.commands[id_].keys
        return next((shown(key) for key in keys if key.startswith(("ctrl+", "alt+")) or key in _NO_TEXT), "")

    def footer(self, scope: str, first: Sequence[str] = (), without: Collection[str] = ()) -> list[Command]:
        """The commands for the footer of a scope, those of ``first`` and then the most useful first, but for
        ``without``; only those whose key really works here.
        """
        found = [
            command
            for command in self.commands.values()
            if (command.footer or command.id in first)
            and command.id not in without
            and any(self._keys[scope].get(key) == command.id for key in command.keys)
        ]
        return sorted(found, key=lambda c: (c.id not in first, c.scope != scope, -c.footer))

    def help(self, scope: str) -> list[tuple[str, list[Command]]]:
        """The commands that work in a scope, in sections: the pane's own, lists, everywhere."""
        sections = []
        for part in PARENTS[scope]:
            rows = [
                c
                for c in self.commands.values()
                if c.scope == part and c.keys and any(self._keys[scope].get(k) == c.id for k in c.keys)
            ]
            if rows:
                sections.append((part, rows))
        return sections


_PUNCTUATION = {sign: name for name, sign in _SHOWN.items() if len(sign) == 1 and not sign.isalnum()}


def _named(key: str) -> str:
    """A key as people write it in a file (``/``, ``esc``, ``F5``) in textual's spelling."""
    key = key.strip()
    if key in _PUNCTUATION:
        return _PUNCTUATION[key]
    lowered = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "return": "enter", "del": "delete"}
    return lowered.get(key.lower(), key if len(key) == 1 else key.lower())
