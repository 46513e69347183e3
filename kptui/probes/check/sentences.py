"""The kernel's messages in plain words, one sentence each."""

from __future__ import annotations

from typing import Final

from kptui.probes.check.log import MESSAGES

SENTENCES: Final = {
    "BAD_PROBE_ADDR": "The kernel has no symbol of that name, or the offset is no number from 0 up.",
    "NON_UNIQ_SYMBOL": "Several symbols have this name: use _text+OFFSET of the one you mean.",
    "BAD_RETPROBE": "A return probe can only be put at the start of a function, without an offset.",
    "BAD_ADDR_SUFFIX": "After the symbol only %return may follow.",
    "BAD_MAXACT_TYPE": "A number after p has no meaning: it belongs to return probes (r).",
    "BAD_MAXACT": "The number after r must be from 1 to 4096.",
    "MAXACT_TOO_BIG": "The number after r is at most 4096.",
    "NO_GROUP_NAME": "There is nothing before the slash: write GROUP/EVENT.",
    "GROUP_TOO_LONG": "A group name has at most 63 bytes.",
    "BAD_GROUP_NAME": "A group name consists of letters, digits and _, and doesn’t start with a digit.",
    "NO_EVENT_NAME": "After the colon an event name is expected.",
    "EVENT_TOO_LONG": "An event name has at most 63 bytes.",
    "BAD_EVENT_NAME": "An event name consists of letters, digits and _, and doesn’t start with a digit.",
    "EVENT_EXIST": "Another event has this name already.",
    "DIFF_PROBE_TYPE": "An event of this name stands as the other kind (entry or return).",
    "DIFF_ARG_TYPE": "An event of this name stands with other arguments; a second probe needs the same ones.",
    "SAME_PROBE": "Exactly this probe stands already.",
    "BAD_INSN_BNDRY": "The offset lies inside an instruction, or in the few bytes that ftrace patches at the start.",
    "FAIL_REG_PROBE": "The kernel refuses to put a probe there.",
    "TOO_MANY_ARGS": "A probe has at most 128 arguments.",
    "ARG_NAME_TOO_LONG": "An argument name has at most 32 bytes.",
    "NO_ARG_NAME": "There is no name before the equals sign.",
    "BAD_ARG_NAME": "An argument name consists of letters, digits and _, and doesn’t start with a digit.",
    "USED_ARG_NAME": "This argument name is taken, by another argument or by the kernel.",
    "ARG_TOO_LONG": "The expression of one argument is too long for this kernel.",
    "FILE_NOT_FOUND": "The path leads to no file. A relative one starts at the folder of the program that writes it.",
    "NO_REGULAR_FILE": "A uprobe is put into a regular file; this is a folder, a device or the like.",
    "BAD_UPROBE_OFFS": "After the last colon the offset in the file is expected, a number from 0 up.",
    "BAD_REFCNT": "In the parentheses the file offset of a reference counter is expected, a number.",
    "REFCNT_OPEN_BRACE": "The parenthesis around the reference counter isn’t closed.",
    "BAD_REFCNT_SUFFIX": "Nothing may follow the reference counter.",
    "BAD_FILE_OFFS": "After @+ an offset in the file is expected, a number.",
    "SYM_ON_UPROBE": "A uprobe knows no symbols: memory is read at a number (@0x…) or at an offset in the file (@+…).",
    "NOSUP_PERCPU": "The variables of a CPU can only be read by kernel probes.",
    "TYPECAST_NOT_EVENT": "This kernel knows typecasts in event probes only.",
    "NO_ARG_BODY": "After the equals sign something to read is expected, e.g. %di.",
    "EVENT_TOO_BIG": "All arguments together take more than 3072 bytes.",
    "RETVAL_ON_PROBE": "Only a return probe can read $retval.",
    "NO_RETVAL": "This function returns nothing.",
    "BAD_STACK_NUM": "The stack has no word of that number.",
    "BAD_ARG_NUM": "Arguments are counted from $arg1.",
    "BAD_VAR": "Known are $stack, $stackN, $argN, $comm and, in return probes, $retval.",
    "BAD_REG_NAME": "The kernel knows no register of that name.",
    "BAD_MEM_ADDR": "After @ stands a number (0x… for hexadecimal) or a symbol.",
    "BAD_IMM": "After the backslash stands a number, or a text in quotes.",
    "IMMSTR_NO_CLOSE": "The text has no closing quote; it can’t contain blanks, colons or #.",
    "FILE_ON_KPROBE": "@+OFFSET is for uprobes only.",
    "TOO_MANY_OPS": "This expression needs more steps than the kernel has room for.",
    "TOO_MANY_NESTED": "At most 8 levels of dereference are possible.",
    "DEREF_NEED_BRACE": "After the offset a parenthesis is expected: +OFFSET(…).",
    "BAD_DEREF_OFFS": "Between the sign and the parenthesis a number is expected: +0(…).",
    "DEREF_OPEN_BRACE": "A closing parenthesis is missing.",
    "COMM_CANT_DEREF": "$comm and constant texts can’t be dereferenced.",
    "BAD_FETCH_ARG": "This begins like nothing the kernel can read: %REG, $VAR, @ADDR, +OFFSET(…), \\NUMBER.",
    "NOSUP_BTFARG": "Parameter names work only at a function’s start or return, on kernels with BTF.",
    "NO_BTFARG": "The function has no parameter of that name or number.",
    "NO_BTF_ENTRY": "The kernel’s type information doesn’t know this function’s parameters.",
    "NOFENTRY_ARGS": "$arg works only at the start or the return of a function given by its name.",
    "DOUBLE_ARGS": "$arg* can stand only once.",
    "ARGS_2LONG": "The names of all parameters together are too long.",
    "NO_PTR_STRCT": "What stands before the arrow is no pointer to a structure.",
    "NOSUP_DAT_ARG": "Members of a parameter are reached with ->, not with a dot.",
    "BAD_HYPHEN": "A member is reached with ->.",
    "NO_BTF_FIELD": "The structure has no member of that name.",
    "BAD_TYPE": "Unknown type; known are u8 … u64, s8 … s64, x8 … x64, string, ustring, symbol, bW@O/SIZE.",
    "BAD_STRING": "A string or an array must be read from memory: +0(…).",
    "BAD_SYMSTRING": "symstr needs an address from a register, the stack or kernel memory.",
    "BAD_TYPE4STR": "This value is no char * or char[]: it can’t be read as a string.",
    "NEED_STRING_TYPE": "$comm and constant texts can only have the type string.",
    "BAD_BITFIELD": "A bit field is written bWIDTH@OFFSET/SIZE and must fit into SIZE bits.",
    "ARRAY_NO_CLOSE": "The array has no closing bracket.",
    "BAD_ARRAY_SUFFIX": "Nothing may follow the bracket.",
    "BAD_ARRAY_NUM": "An array has 1 to 64 elements.",
    "ARRAY_TOO_BIG": "An array has at most 64 elements.",
}
"""One sentence for each message code."""

_CODES: Final = {message: code for code, message in MESSAGES.items()}


def sentence_for(message: str) -> str:
    """What a message of the kernel means; '' for one that isn't known."""
    return SENTENCES.get(_CODES.get(message, ""), "")
