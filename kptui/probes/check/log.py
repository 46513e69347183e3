"""The kernel's error log while one definition is judged: which message, at which word, how far into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from kptui.probes.check.ktext import split_words
from kptui.probes.check.traits import Traits
from kptui.verdict import Verdict

Probe = Literal["kernel", "user", "function", "tracepoint", "event", "synthetic"]
"""Kinds of dynamic events: kprobe, uprobe, fprobe, tracepoint probe, event probe, synthetic event."""

MESSAGES: Final = MappingProxyType({
    "ARGS_2LONG": "$arg* failed because the argument list is too long",
    "ARG_NAME_TOO_LONG": "Argument name is too long",
    "ARG_TOO_LONG": "Argument expression is too long",
    "ARRAY_NO_CLOSE": "Array is not closed",
    "ARRAY_TOO_BIG": "Array number is too big",
    "BAD_ADDR_SUFFIX": "Invalid probed address suffix",
    "BAD_ARG_NAME": "Argument name must follow the same rules as C identifiers",
    "BAD_ARG_NUM": "Invalid argument number",
    "BAD_ARRAY_NUM": "Invalid array size",
    "BAD_ARRAY_SUFFIX": "Array has wrong suffix",
    "BAD_ATTACH_ARG": "Attached event does not have this field",
    "BAD_ATTACH_EVENT": "Attached event does not exist",
    "BAD_BITFIELD": "Invalid bitfield",
    "BAD_BTF_TID": "Failed to get BTF type info.",
    "BAD_DEREF_OFFS": "Invalid dereference offset",
    "BAD_EVENT_NAME": "Event name must follow the same rules as C identifiers",
    "BAD_FETCH_ARG": "Invalid fetch argument",
    "BAD_FILE_OFFS": "Invalid file offset value",
    "BAD_GROUP_NAME": "Group name must follow the same rules as C identifiers",
    "BAD_HYPHEN": "Failed to parse single hyphen. Forgot '>'?",
    "BAD_IMM": "Invalid immediate value",
    "BAD_INSN_BNDRY": "Probe point is not an instruction boundary",
    "BAD_MAXACT": "Invalid maxactive number",
    "BAD_MAXACT_TYPE": "Maxactive is only for function exit",
    "BAD_MEM_ADDR": "Invalid memory address",
    "BAD_PROBE_ADDR": "Invalid probed address or symbol",
    "BAD_REFCNT": "Invalid reference counter offset",
    "BAD_REFCNT_SUFFIX": "Reference counter has wrong suffix",
    "BAD_REG_NAME": "Invalid register name",
    "BAD_RETPROBE": "Retprobe address must be an function entry",
    "BAD_STACK_NUM": "Invalid stack number",
    "BAD_STRING": "String accepts only memory argument",
    "BAD_SYMSTRING": "Symbol String doesn't accept data/userdata",
    "BAD_TP_NAME": "Invalid character in tracepoint name",
    "BAD_TYPE": "Unknown type is specified",
    "BAD_TYPE4STR": "This type does not fit for string.",
    "BAD_UPROBE_OFFS": "Invalid uprobe offset",
    "BAD_VAR": "Invalid $-variable specified",
    "COMM_CANT_DEREF": "$comm can not be dereferenced",
    "DEREF_NEED_BRACE": "Dereference needs a brace",
    "DEREF_OPEN_BRACE": "Dereference brace is not closed",
    "DIFF_ARG_TYPE": "Argument type or name is different from existing probe",
    "DIFF_PROBE_TYPE": "Probe type is different from existing probe",
    "DOUBLE_ARGS": "$arg* can be used only once in the parameters",
    "EVENT_EXIST": "Given group/event name is already used by another event",
    "EVENT_TOO_BIG": "Event too big (too many fields?)",
    "EVENT_TOO_LONG": "Event name is too long",
    "FAIL_REG_PROBE": "Failed to register probe event",
    "FILE_NOT_FOUND": "Failed to find the given file",
    "FILE_ON_KPROBE": "File offset is not available for kernel probes",
    "GROUP_TOO_LONG": "Group name is too long",
    "IMMSTR_NO_CLOSE": "String is not closed with '\"'",
    "MAXACT_TOO_BIG": "Maxactive is too big",
    "NEED_STRING_TYPE": "$comm and immediate-string only accepts string type",
    "NOFENTRY_ARGS": "$arg* can be used only on function entry or exit",
    "NON_UNIQ_SYMBOL": "The symbol is not unique",
    "NOSUP_BTFARG": "BTF is not available or not supported",
    "NOSUP_DAT_ARG": "Non pointer structure/union argument is not supported.",
    "NOSUP_PERCPU": "Per-cpu variable access is only for kernel probes",
    "NO_ARG_BODY": "No argument expression",
    "NO_ARG_NAME": "Argument name is not specified",
    "NO_BTFARG": "This variable is not found at this probe point",
    "NO_BTF_ENTRY": "No BTF entry for this probe point",
    "NO_BTF_FIELD": "This field is not found.",
    "NO_EP_FILTER": "No filter rule after 'if'",
    "NO_EVENT_FIELD": "This event field is not found.",
    "NO_EVENT_INFO": "This requires both group and event name to attach",
    "NO_EVENT_NAME": "Event name is not specified",
    "NO_MATCH": "No matching dynamic event type",
    "NO_GROUP_NAME": "Group name is not specified",
    "NO_PTR_STRCT": "This is not a pointer to union/structure.",
    "NO_REGULAR_FILE": "Not a regular file",
    "NO_RETVAL": "This function returns 'void' type",
    "NO_TRACEPOINT": "Tracepoint is not found",
    "REFCNT_OPEN_BRACE": "Reference counter brace is not closed",
    "RETVAL_ON_PROBE": "$retval is not available on probe",
    "SAME_PROBE": "There is already the exact same probe event",
    "SYM_ON_UPROBE": "Symbol is not available with uprobe",
    "SYNTH_BAD_NAME": "Illegal name",
    "SYNTH_EVENT_EXISTS": "Event already exists",
    "SYNTH_INCOMPLETE_TYPE": "Incomplete type",
    "SYNTH_INVALID_ARRAY_SPEC": "Invalid array specification",
    "SYNTH_INVALID_CMD": "Command must be of the form: <name> field[;field] ...",
    "SYNTH_INVALID_DYN_CMD": "Command must be of the form: s or -:[synthetic/]<name> field[;field] ...",
    "SYNTH_INVALID_FIELD": "Invalid field",
    "SYNTH_INVALID_TYPE": "Invalid type",
    "SYNTH_TOO_MANY_FIELDS": "Too many fields",
    "TOO_MANY_ARGS": "Too many arguments are specified",
    "TOO_MANY_EARGS": "Too many entry arguments specified",
    "TOO_MANY_NESTED": "Too many nested typecasts/dereferences",
    "TOO_MANY_OPS": "Dereference is too much nested",
    "TYPECAST_BAD_ARROW": "Typecast field option does not support -> operator",
    "TYPECAST_NOT_ALIGNED": "Typecast field option is not byte-aligned",
    "TYPECAST_NOT_EVENT": "Typecasts are only for eprobe fields",
    "TYPECAST_REQ_FIELD": "Typecast requires a field access",
    "TYPECAST_SYM_OFFSET": "@SYM+/-OFFSET with typecast needs parentheses",
    "USED_ARG_NAME": "This argument name is already used",
})  # fmt: skip
"""The kernel's texts by their code (kernel/trace/trace_probe.h; ``SYNTH_``: trace_events_synth.c; ``NO_MATCH``:
trace_dynevent.c); Traits.wording has the exceptions.
"""


class Refused(Exception):
    """The kernel gives the definition up with this errno. ``reason``: for refusals without a log entry."""

    def __init__(self, errno: str, reason: str = "") -> None:
        super().__init__(errno)
        self.errno = errno
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: message code, the word it points to (index in the logged command) and bytes into it.

    ``words``: those of the command at that time, where some were rewritten afterwards.
    """

    code: str
    word: int
    offset: int
    words: tuple[str, ...] | None = None


class Log:
    """Collects entries. ``words`` are those of the command shown; a word may be replaced by its expansion.
    ``probe``: the kind of probe that is being read, once it is one. ``filter``: what was said of the filter of
    an event probe, and the word at which it begins. ``expanded``: the word that was ``$arg*``, and how many words
    the kernel made of it, which it counts from then on.
    """

    def __init__(self, line: str, traits: Traits) -> None:
        self.line = line
        found = split_words(line)
        self._line = line
        self.starts = [start for start, _ in found]
        self.typed = [word for _, word in found]
        self.words = list(self.typed)
        self.entries: list[Entry] = []
        self.index = 0
        self.probe: Probe = "kernel"
        self.filter: tuple[Verdict, int] | None = None
        self.expanded: tuple[int, int] | None = None
        self._shown: tuple[str, int] | None = None
        self._traits = traits

    def show(self, text: str, start: int) -> None:
        """From here on the log shows ``text``, a part of the line that begins at ``start``, and not the words."""
        self._shown = (text, start)

    @property
    def command(self) -> str:
        return " ".join(self.words) if self._shown is None else self._shown[0]

    def between(self, word: int) -> str:
        """What separates a word as typed from the next one."""
        return self._line[self.starts[word] + len(self.typed[word]) : self.starts[word + 1]]

    def err(self, offset: int, code: str) -> None:
        """Append an entry at the current word."""
        self.entries.append(Entry(code, self.index, offset))

    def refuse(self, offset: int, code: str, errno: str = "EINVAL") -> Refused:
        """Append an entry; the exception to raise for it."""
        self.err(offset, code)
        return Refused(errno)

    def rewrite(self, index: int, text: str) -> None:
        """Show another word from here on; what was logged before shows the old one."""
        before = tuple(self.words)
        self.entries = [
            entry if entry.words is not None else replace(entry, words=before) for entry in self.entries
        ]
        self.words[index] = text

    def column(self, entry: Entry) -> int:
        """The caret's byte in the command; one past the end and a blank for a word that isn't there."""
        if self._shown is not None:
            return entry.offset
        words = self.words if entry.words is None else entry.words
        if entry.word >= len(words):
            return sum(len(word) + 1 for word in words)
        return sum(len(word) + 1 for word in words[: entry.word]) + entry.offset

    def typed_word(self, index: int) -> int:
        """The word as typed that the kernel counts as number ``index``."""
        star, words = self.expanded or (index, 1)
        return index if index <= star else max(star, index - words + 1)

    def message(self, entry: Entry) -> str:
        return self._traits.says(entry.code) or MESSAGES[entry.code]

    def typed_at(self, entry: Entry) -> int:
        """The byte in the line as typed that an entry's caret belongs to."""
        column = self.column(entry)
        if self._shown is not None:
            return self._shown[1] + column
        meant = self.typed_word(entry.word)
        if meant != entry.word and meant < len(self.typed):  # the kernel's caret stands too far to the right
            offset = _in_typed(entry.offset, self.words[meant], self.typed[meant])
            return self.starts[meant] + min(offset, len(self.typed[meant]))
        at = 0
        words = self.words if entry.words is None else entry.words
        for start, word, typed in zip(self.starts, words, self.typed, strict=True):
            if column <= at + len(word):
                return start + _in_typed(column - at, word, typed)
            at += len(word) + 1
        return self.starts[-1] + len(self.typed[-1]) + max(0, column - at + 1) if self.starts else 0


def _in_typed(offset: int, word: str, typed: str) -> int:
    """Position in a word as typed for one in what the kernel made of it."""
    if word == typed:
        return max(0, offset)
    same = typed.find("=") + 1
    if offset <= same:
        return max(0, offset)
    inner = typed[same : typed.rfind(":")]
    moved = word.find(inner, same) - same if inner else 0
    return max(same, min(offset - max(0, moved), len(typed)))
