"""Every thing a user can do, once: keys, title, help, where it applies and how much the footer wants it.

Bindings, footer, help screen, command palette and the README's key table are made from this one table, and the
configuration file remaps keys by these ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """``id`` is stable (configuration files name it); ``keys`` are textual key names, the first is shown;
    ``scope`` is a pane's scope, ``list`` for all lists, or ``everywhere``; ``footer`` > 0 puts it on the footer,
    most useful (highest) first.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    scope: str
    footer: int = 0
    help: str = ""


COMMANDS: tuple[Command, ...] = (
    # everywhere
    Command("help", ("question_mark", "f1"), "Help", "everywhere", 3, "What every key does in this pane"),
    Command("palette", ("colon", "ctrl+p"), "Commands", "everywhere", 2, "Every command by name"),
    Command("pane.next", ("tab",), "Next pane", "everywhere", 4),
    Command("pane.previous", ("shift+tab",), "Previous pane", "everywhere"),
    Command("pane.symbols", ("1",), "Symbols", "everywhere", help="Find a kernel function"),
    Command("pane.editor", ("2",), "Probe", "everywhere", help="Write a probe"),
    Command(
        "pane.probes", ("3",), "Probes", "everywhere", help="Probes of this machine: on, off, filter, remove"
    ),
    Command("pane.events", ("4",), "Events", "everywhere", help="Watch the events"),
    Command("zoom", ("plus",), "Zoom pane", "everywhere", help="This pane on the whole screen, and back"),
    Command(
        "search", ("slash",), "Search", "everywhere", 6, "Find a function; in the events pane: find text"
    ),
    Command(
        "copy", ("y",), "Copy", "everywhere", 5, "Copy the probe line, the whole script, the filter, rows"
    ),
    Command(
        "copy.show",
        ("Y",),
        "Plain view",
        "everywhere",
        help="Leave the screen; print what was copied, to select",
    ),
    Command("writes", ("at",), "Writes", "everywhere", help="Every write that was made to the kernel"),
    Command(
        "snapshot", ("T",), "Trace snapshot", "everywhere", help="The instance's trace file as it is now"
    ),
    Command(
        "doctor", (), "Doctor", "everywhere", help="What is missing on this machine and what would give it"
    ),
    Command("leftovers", (), "Remove leftovers", "everywhere", help="Undo what a killed kptui left behind"),
    Command("stop", ("ctrl+c",), "Stop", "everywhere", help="Disable all our probes; a second time: quit"),
    Command(
        "suspend", ("ctrl+z",), "Suspend", "everywhere", help="Back to the shell; probes go on; fg returns"
    ),
    Command("redraw", ("ctrl+l",), "Redraw", "everywhere"),
    Command("quit", ("q",), "Quit", "everywhere", 1, "Undo everything of ours and leave"),
    Command("quit.now", ("ctrl+q",), "Quit without asking", "everywhere"),
    # every list
    Command("list.up", ("up", "k"), "Up", "list"),
    Command("list.down", ("down", "j"), "Down", "list"),
    Command("list.page_up", ("pageup", "ctrl+b"), "Page up", "list"),
    Command("list.page_down", ("pagedown",), "Page down", "list"),
    Command("list.top", ("home", "g"), "First", "list"),
    Command("list.bottom", ("end", "G"), "Last", "list"),
    # symbols
    Command("symbols.entry", ("enter", "p"), "Probe it", "symbols", 9, "An entry probe on this function"),
    Command("symbols.return", ("r",), "Return probe", "symbols", 8, "A return probe on this function"),
    Command(
        "symbols.probeable",
        ("o",),
        "Only probeable",
        "symbols",
        7,
        "Only what can be probed: probe:yes in the search line, and out of it",
    ),
    Command("symbols.data", ("d",), "Data too", "symbols", help="Show or hide data symbols"),
    Command("symbols.noise", ("n",), "Noise too", "symbols", help="Show or hide __pfx_ and __cfi_ symbols"),
    Command(
        "symbols.reload", ("R",), "Read again", "symbols", help="Read the symbols again (modules come and go)"
    ),
    Command("symbols.clear", ("escape",), "Clear search", "symbols"),
    # the probe editor
    Command("editor.act", ("enter", "space"), "Take or edit", "editor", 9, "Take an offer; edit a field"),
    Command(
        "editor.write",
        ("w",),
        "Write",
        "editor",
        6,
        "Define the probe, or replace it; it stays off if it was",
    ),
    Command("editor.start", ("s",), "Start", "editor", 8, "Define the probe and enable it"),
    Command("editor.line", ("i",), "Edit line", "editor", 5, "Edit the whole line as text"),
    Command("editor.kind", ("r",), "Entry/return", "editor", help="Switch between entry and return probe"),
    Command(
        "editor.open",
        ("right", "l"),
        "Open",
        "editor",
        8,
        "Open a structure or pointer into its members; of other rows: the next form",
    ),
    Command(
        "editor.close",
        ("left", "h"),
        "Close",
        "editor",
        help="Close it, or go back to what it is in; of other rows: the previous form",
    ),
    Command(
        "editor.find",
        ("slash",),
        "Find",
        "editor",
        8,
        "Find a member by its name, anywhere behind the parameter here",
    ),
    Command(
        "editor.native",
        ("N", "ctrl+n"),
        "Native form",
        "editor",
        help="Take file->f_path… instead of +0(+72(%di)), where this kernel knows it; and back",
    ),
    Command("editor.type", ("t",), "Next form", "editor", 3, "Read the same source as another type"),
    Command("editor.type_back", ("b",), "Previous form", "editor"),
    Command("editor.add", ("a",), "Add argument", "editor", help="Type a fetch argument of your own"),
    Command(
        "editor.deref", ("asterisk",), "Dereference", "editor", help="Read the memory this argument points to"
    ),
    Command("editor.remove", ("d", "delete"), "Remove argument", "editor"),
    Command("editor.move_up", ("K", "shift+up"), "Argument up", "editor"),
    Command("editor.move_down", ("J", "shift+down"), "Argument down", "editor"),
    Command("editor.fix", ("ctrl+e", "f"), "Mend", "editor", help="Apply the fix offered under the line"),
    Command(
        "editor.verdict",
        ("ctrl+y", "v"),
        "Verdict",
        "editor",
        help="All messages, warnings and fixes of the line",
    ),
    Command("editor.undo", ("u",), "Undo", "editor", help="Take back the last change of the line"),
    Command(
        "editor.new",
        ("n",),
        "New probe",
        "editor",
        help="Leave the probe being replaced alone; start another",
    ),
    # the probes list
    Command("probes.toggle", ("space",), "On/off", "probes", 9, "Enable or disable this probe"),
    Command("probes.edit", ("enter", "e"), "Edit", "probes", 8, "Edit this probe and replace it"),
    Command("probes.filter", ("F",), "Filter", "probes", 7, "Filter of this event"),
    Command(
        "probes.group_filter",
        ("ctrl+g", "G"),
        "Group filter",
        "probes",
        help="One filter for every event of the group",
    ),
    Command("probes.processes", ("P",), "Processes", "probes", 4, "Only the threads of chosen processes"),
    Command("probes.enable_all", ("E",), "All on", "probes", 3, "Enable all our probes"),
    Command("probes.disable_all", ("X",), "All off", "probes", 2, "Disable all our probes"),
    Command("probes.add", ("a",), "Add", "probes", help="Find a function for another probe"),
    Command("probes.remove", ("d", "delete"), "Remove", "probes", help="Remove this probe"),
    Command("probes.remove_all", ("D",), "Remove all ours", "probes"),
    # the events pane
    Command("events.follow", ("f", "F"), "Follow/hold", "events", 9, "Follow the newest event, or hold"),
    Command(
        "events.hold", ("p", "space"), "Hold", "events", help="Hold the view still; events are still kept"
    ),
    Command("events.detail", ("enter",), "Detail", "events", 8, "All fields of this event, and the raw line"),
    Command("events.next", ("n",), "Next match", "events"),
    Command("events.previous", ("N",), "Previous match", "events"),
    Command("events.view", ("ampersand",), "View filter", "events", 7, "Show only some of what was captured"),
    Command(
        "events.exclude", ("x",), "Hide such", "events", help="Hide events of this process and event name"
    ),
    Command("events.columns", ("c",), "Columns", "events", help="Choose the columns"),
    Command(
        "events.write",
        ("w",),
        "Save",
        "events",
        help="Write the captured rows to a file (text, JSONL or CSV)",
    ),
    Command("events.clear", ("C",), "Clear", "events", help="Forget the captured events"),
    Command("events.reset", ("escape",), "Show all", "events", help="Clear search and view filter"),
    # dialogs
    Command("dialog.close", ("escape", "q"), "Close", "dialog", 1),
    Command("dialog.accept", ("enter",), "Choose", "dialog", 9),
    # the filter builder
    Command(
        "filter.edit",
        ("enter",),
        "Edit",
        "filter",
        9,
        "Type the field or the value; step the operator, or type it",
    ),
    Command("filter.cycle", ("space",), "Next", "filter", 3, "The next field, operator or join"),
    Command("filter.add_and", ("a",), "&& row", "filter", 8, "Add a row joined with &&"),
    Command("filter.add_or", ("o",), "|| row", "filter", 7, "Add a row joined with ||"),
    Command("filter.remove", ("d", "delete"), "Remove row", "filter", 4),
    Command(
        "filter.open",
        ("left_parenthesis",),
        "(",
        "filter",
        help="Open a parenthesis before this row; again at four: none",
    ),
    Command("filter.close", ("right_parenthesis",), ")", "filter", help="Close a parenthesis after this row"),
    Command("filter.negate", ("exclamation_mark",), "!", "filter", help="Negate this row"),
    Command("filter.left", ("left", "shift+tab", "h"), "Cell back", "filter"),
    Command("filter.right", ("right", "tab", "l"), "Cell", "filter", 9),
    Command("filter.text", ("i",), "As text", "filter", 5, "Edit the whole filter as text"),
    Command("filter.processes", ("p", "P"), "Processes", "filter", 3, "Pick processes: common_pid == A || …"),
    Command(
        "filter.group",
        ("g",),
        "Whole group",
        "filter",
        2,
        "Set it for every event of the group, or this one only",
    ),
    Command("filter.fix", ("ctrl+e", "f"), "Mend", "filter", help="Apply the fix offered under the text"),
    Command(
        "filter.verdict",
        ("ctrl+y", "v"),
        "Verdict",
        "filter",
        help="All messages, warnings and fixes of the text",
    ),
    Command("filter.none", ("0",), "No filter", "filter", help="Clear the filter in the kernel"),
    Command("filter.apply", ("s", "ctrl+s"), "Set", "filter", 9, "Set the filter in the kernel"),
    Command("filter.close_dialog", ("escape", "q"), "Close", "filter", 1),
    # the process picker
    Command("picker.toggle", ("space",), "Choose", "picker", 9),
    Command("picker.search", ("slash",), "Search", "picker", 7),
    Command("picker.accept", ("enter",), "Take", "picker", 8),
    Command("picker.close", ("escape", "q"), "Close", "picker", 1),
    # text shown on the whole screen
    Command("text.search", ("slash",), "Search", "text", 5),
    Command("text.next", ("n",), "Next match", "text"),
    Command("text.previous", ("N",), "Previous match", "text"),
    Command("text.reload", ("R",), "Read again", "text"),
    Command("text.copy", ("y",), "Copy", "text", 4),
    Command("text.close", ("escape", "q"), "Close", "text", 9),
)
BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}
