"""What a refusal means in plain words, and the edit that mends it.

The kernel's messages were written for the one who wrote the parser; each of them has a few usual causes,
told apart here by what stands at the place. Positions are bytes of the raw text; the caller turns them into
characters.
"""

from __future__ import annotations

import difflib
import re

from kptui.filters import lexis
from kptui.filters.edits import Edit, Explanation, word_at
from kptui.filters.explain_structure import incomplete, missing_quote, no_term, unexpected
from kptui.filters.refusal import Refusal
from kptui.filters.scan import Rules
from kptui.safetext import neutralise

_WRONG_OPERATORS = {
    "===": "==",
    "!==": "!=",
    "=~": "~",
    "=>": ">=",
    "=<": "<=",
    "=": "==",
    "eq": "==",
    "is": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "like": "~",
    "matches": "~",
}
_TYPED_NAMES = {
    "pid": "common_pid",
    "tid": "common_pid",
    "PID": "common_pid",
    "TID": "common_pid",
    "common_tid": "common_pid",
    "name": "comm",
    "common_comm": "comm",
    "task": "comm",
}


def explain(refusal: Refusal, raw: str, rules: Rules) -> Explanation:
    """One sentence, fit to be shown, and, where there is one, the edit."""
    sentence, edit = _explain(refusal, raw, rules)
    return neutralise(lexis.from_raw(sentence)), edit


def _explain(refusal: Refusal, raw: str, rules: Rules) -> Explanation:
    match refusal.code:
        case "FIELD_NOT_FOUND":
            return _field_not_found(refusal, raw, rules)
        case "INVALID_OP":
            return _invalid_operator(refusal, raw)
        case "INVALID_VALUE":
            return _invalid_value(refusal, raw)
        case "EXPECT_DIGIT":
            return _expects_number(refusal, raw)
        case "EXPECT_STRING":
            return _expects_string(refusal, raw)
        case "ILLEGAL_FIELD_OP":
            return _illegal_operation(refusal, raw)
        case "ILLEGAL_INTVAL":
            return _illegal_number(refusal, raw)
        case "OPERAND_TOO_LONG":
            if raw[refusal.at : refusal.at + 1] in ("'", '"'):
                return "A string in a filter has at most 255 bytes.", None
            return "A number in a filter has at most 23 characters.", None
        case "MISSING_BRACE_OPEN":
            edit = Edit(refusal.at, refusal.at, "{", "add {")
            return "CPUS is followed by a list of CPUs in braces, as in CPUS{0-3}.", edit
        case "MISSING_BRACE_CLOSE":
            return "The list of CPUs has no closing brace.", Edit(len(raw), len(raw), "}", "add }")
        case "INVALID_CPULIST":
            return "The list of CPUs takes numbers and ranges of CPUs that exist, as in CPUS{0-3,8}.", None
        case "NO_FUNCTION":
            return _no_function(refusal, raw)
        case "MISSING_QUOTE":
            return missing_quote(refusal, raw)
        case "TOO_MANY_OPEN":
            edit = Edit(len(raw), len(raw), ")", "add ) at the end")
            return "This parenthesis is never closed.", edit
        case "TOO_MANY_CLOSE":
            edit = Edit(refusal.at, refusal.at + 1, "", "remove )")
            return "This closing parenthesis has no opening one.", edit
        case "TOO_MANY_PREDS":
            return unexpected(refusal, raw)
        case "INVALID_FILTER":
            return incomplete(raw)
        case "ERRNO":
            return no_term(refusal, raw)


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


def _field_not_found(refusal: Refusal, raw: str, rules: Rules) -> Explanation:
    name = raw[refusal.start : lexis.skip_name(raw, refusal.start)]
    end = refusal.start + len(name)
    fields = rules.fields or {}
    if name.lower() == "not":
        after = lexis.skip_spaces(raw, end)
        return "A filter is negated with !, not with the word.", Edit(refusal.start, after, "!", "use !")
    if name[:1] in lexis.DIGITS:
        return "A comparison begins with the field; the value stands on the right.", None
    if name in ("common_tgid", "tgid", "TGID"):
        return "The process id is no field of a filter; common_pid is the id of the thread.", None
    if name.upper() == "CPUS":
        return "A list of CPUs stands on the right, as in cpu & CPUS{0-1}.", None
    near = _TYPED_NAMES.get(name)
    if near is None or near not in fields:
        close = difflib.get_close_matches(name, fields, n=1, cutoff=0.6)
        folded = next((field for field in fields if field.lower() == name.lower()), None)
        near = folded or (close[0] if close else None)
    sentence = f"This event has no field {name}."
    if near is None or not name.isascii():
        return sentence, None
    return sentence, Edit(refusal.start, end, near, f"use {near}")


def _invalid_operator(refusal: Refusal, raw: str) -> Explanation:
    at, field = refusal.at, refusal.field
    if refusal.op is not None:  # .function with another operator than == and !=
        edit = Edit(at, at + len(refusal.op), "==", "use ==")
        return "A function is compared with == or != only.", edit
    if raw.startswith((".function", ".ustring"), at):
        word = word_at(raw, at).lstrip(".")
        return f"This kernel has no .{word} in filters.", None
    if raw.startswith("[", at):
        return "A filter can't look into an array; fetch the element as an argument of its own.", None
    if raw.startswith((".", "-", "+", "*", "/", "%", "^"), at):
        return "A filter compares a field with a value; there is no arithmetic and no member access.", None
    if raw.startswith("!~", at):
        name = raw[refusal.start : at]
        return "There is no !~; put ! before the comparison.", Edit(
            refusal.start, at + 2, f"!{name}~", "put ! before it"
        )
    symbols = re.match(r"[=!<>~]+", raw[at:])
    typed = symbols[0] if symbols else word_at(raw, at)
    right = _WRONG_OPERATORS.get(typed) or _WRONG_OPERATORS.get(typed.lower())
    if right not in (None, "==", "!=") and raw[refusal.start : at].rstrip(lexis.SPACES).endswith(".function"):
        right = "=="
    if right is not None:
        return f"{typed} is no operator of a filter.", Edit(at, at + len(typed), right, f"use {right}")
    if at >= len(raw) or raw[at] in ")&|":
        nonzero = field is not None and field.kind == "number"
        name_end = lexis.skip_name(raw, refusal.start)
        insert = Edit(name_end, name_end, " != 0", "compare with 0")
        return "The field needs an operator and a value.", insert if nonzero else None
    return "The operators are == != < <= > >= & for numbers, and == != ~ for strings.", None


def _invalid_value(refusal: Refusal, raw: str) -> Explanation:
    at, field = refusal.at, refusal.field
    if at >= len(raw) or raw[at] in ")|&":
        return "The value is missing.", None
    if raw[at] == "=" and refusal.op_at is not None and refusal.op is not None:
        end = at
        while end < len(raw) and raw[end] in "=~<>":
            end += 1
        right = "==" if refusal.op == "==" else refusal.op
        if raw[end:].lstrip(lexis.SPACES)[:1] in ("", ")", "|", "&"):
            return "The operator goes on after its end, and the value is missing.", None
        return "The operator goes on after its end.", Edit(refusal.op_at, end, right, f"use {right}")
    if raw[at] == "+":
        return "A number has no plus sign.", Edit(at, at + 1, "", "remove +")
    if raw[at] == "(":
        return "A value stands without parentheses.", None
    if raw.startswith("CPUS", at):
        return "This kernel has no CPUS{} in filters.", None
    word = word_at(raw, at)
    if field is not None and field.is_text and word:
        return "Text is written in quotes.", Edit(at, at + len(word), _quoted(word), "add quotes")
    if field is not None and not field.is_text:
        if word.lower() in ("true", "false"):
            number = "1" if word.lower() == "true" else "0"
            return f"{field.name} is a number.", Edit(at, at + len(word), number, f"use {number}")
        return f"{field.name} is a number, and a filter compares it with a number only.", None
    return "The value is a number or text in quotes.", None


def _closing(raw: str, at: int) -> int:
    end = raw.find(raw[at], at + 1)
    return len(raw) if end < 0 else end


def _expects_number(refusal: Refusal, raw: str) -> Explanation:
    at, field = refusal.at, refusal.field
    end = _closing(raw, at)
    text = raw[at + 1 : end]
    assert field is not None
    sentence = f"{field.name} is a number, so its value stands without quotes."
    if field.hides and field.name in ("comm", "COMM"):
        other = "COMM" if field.name == "comm" else "comm"
        sentence = f"{field.name} is an argument of this event, a number; {other} is the task's name."
        return sentence, Edit(refusal.start, refusal.start + len(field.name), other, f"use {other}")
    if field.kind == "array":
        return f"{field.name} is an array of numbers, which a filter can't compare with text.", None
    value = lexis.signed_value(text) if field.signed else lexis.unsigned_value(text)
    if value is not None and refusal.op != "~" and (text[:1] in lexis.DIGITS or text[:1] == "-"):
        return sentence, Edit(at, end + 1, text, "remove the quotes")
    if len(text) == 1 and field.bits == 8 and refusal.op != "~":
        code = str(ord(text))
        return f"{field.name} is a number; a character is written as its code.", Edit(
            at, end + 1, code, f"use {code}"
        )
    return sentence, None


def _expects_string(refusal: Refusal, raw: str) -> Explanation:
    at = refusal.at
    field = refusal.field
    assert field is not None
    end = max(lexis.skip_alnum(raw, at + 1), at + len(word_at(raw, at)))
    sentence = f"{field.name} is text; its value stands in quotes."
    if refusal.op not in ("==", "!=", "~"):
        return f"{field.name} is text, which is compared with == != and ~ only.", None
    return sentence, Edit(at, end, _quoted(raw[at:end]), "add quotes")


def _illegal_operation(refusal: Refusal, raw: str) -> Explanation:
    field = refusal.field
    op = refusal.op
    assert field is not None
    assert op is not None
    assert refusal.op_at is not None
    value = raw[lexis.skip_spaces(raw, refusal.op_at + len(op)) :]
    if value.startswith("CPUS"):
        if refusal.at == refusal.op_at:
            edit = Edit(refusal.op_at, refusal.op_at + len(op), "&", "use &")
            return "A list of CPUs is tested with & == or !=.", edit
        return f"{field.name} can't be compared with a list of CPUs.", None
    if refusal.at == refusal.start and value[:1] not in ("'", '"'):
        return f"{field.name} is no address: .function needs a field of 8 bytes.", None
    if op == "~":
        edit = Edit(refusal.op_at, refusal.op_at + 1, "==", "use ==")
        return "A pattern is for text; numbers are compared with == != < <= > >= &.", edit
    return f"{op} is for numbers; text is compared with == != and ~.", None


def _illegal_number(refusal: Refusal, raw: str) -> Explanation:
    at, field = refusal.at, refusal.field
    end = lexis.skip_alnum(raw, at + (raw[at] == "-"))
    text = raw[at:end]
    if field is not None and not field.signed and text.startswith("-"):
        value = lexis.signed_value(text)
        if value == 0:
            return f"{field.name} is unsigned.", Edit(at, end, "0", "use 0")
        sentence = (
            f"{field.name} is unsigned and never below 0; keep it as a signed type (s32, s64) to compare so."
        )
        if value is not None and field.bits and refusal.op in ("==", "!="):
            wrapped = hex(value & ((1 << field.bits) - 1))
            return sentence, Edit(at, end, wrapped, f"use {wrapped}")
        return sentence, None
    if re.fullmatch(r"-?0[0-9]+", text):
        decimal = re.sub(r"^(-?)0+(?=.)", r"\1", text)
        return "A number that begins with 0 is octal.", Edit(at, end, decimal, f"use {decimal}")
    if match := re.fullmatch(r"0[bB]([01]{1,64})", text):
        number = hex(int(match[1], 2))
        return "There are no binary numbers in a filter.", Edit(at, end, number, f"use {number}")
    if re.fullmatch(r"[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*", text):
        return "A hexadecimal number begins with 0x.", Edit(at, end, "0x" + text, f"use 0x{text}")
    if re.fullmatch(r"-?(0[xX])?[0-9a-fA-F]+", text):
        return "The number doesn't fit in 64 bits.", None
    return "A number is decimal, 0x and hexadecimal digits, or 0 and octal digits.", None


def _no_function(refusal: Refusal, raw: str) -> Explanation:
    at = refusal.at
    end = at
    while end < len(raw) and raw[end] not in lexis.SPACES:
        end += 1
    name = raw[at:end]
    clean = re.match(r"[A-Za-z_.][\w.]*", name)
    if clean and clean.end() < len(name):
        cut = at + clean.end()
        if raw[cut] in ")&|":
            return "A function's name goes on to the next blank.", Edit(cut, cut, " ", "add a blank")
        return "A function is a plain name, without offset and quotes.", None
    if name[:1] in ("'", '"') and len(name) > 2 and name.endswith(name[0]):
        return "A function's name stands without quotes.", Edit(at, end, name[1:-1], "remove the quotes")
    if not name:
        return "The name of the function is missing.", None
    return "The kernel knows no function of this name or at this address.", None
