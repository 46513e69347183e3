"""Plain words for refusals of a filter's structure: quotes, joints, missing terms."""

from __future__ import annotations

import re

from kptui.filters import lexis
from kptui.filters.edits import Edit, Explanation, word_at
from kptui.filters.refusal import Refusal


def missing_quote(refusal: Refusal, raw: str) -> Explanation:
    quote = raw[refusal.at]
    rest = raw[refusal.at + 1 :]
    # The quote that closed a text too early, after a backslash: the other kind of quotes takes it.
    escaped = re.search(r"\"([^'\"]*(?:\\\"[^'\"]*)+)\"$", raw[: refusal.at + 1])
    if quote == '"' and escaped and not rest.strip():
        plain = "'" + escaped[1].replace('\\"', '"') + "'"
        edit = Edit(escaped.start(), refusal.at + 1, plain, "use single quotes")
        return "Text has no escapes: a quote in it needs the other kind around it.", edit
    # Parentheses that would close groups opened before the string belong behind the quote.
    before = raw[: refusal.at]
    owed = max(0, before.count("(") - before.count(")"))
    tail = re.search(r"[\s)]*$", rest)
    stop = len(raw)
    if owed and tail and tail[0].count(")"):
        closers = min(owed, tail[0].count(")"))
        while closers:
            stop = raw.rindex(")", 0, stop)
            closers -= 1
    return "This quote is never closed; text has no escapes.", Edit(stop, stop, quote, f"add {quote}")


def unexpected(refusal: Refusal, raw: str) -> Explanation:
    at = refusal.at
    word = word_at(raw, at)
    joints = {"and": "&&", "or": "||", "AND": "&&", "OR": "||", "And": "&&", "Or": "||", ",": "&&"}
    for typed, joint in joints.items():
        if word == typed or (typed == "," and word.startswith(",")):
            edit = Edit(at, at + len(typed), joint, f"use {joint}")
            return "Terms are joined with && and ||.", edit
    if re.match(r"[&|]\s*-?\d", raw[at:]):
        return "A term is one field, one operator and one value; FIELD & MASK tests bits by itself.", None
    if raw[at] in "&|":
        return "Terms are joined with && and ||.", Edit(at, at + 1, raw[at] * 2, f"use {raw[at] * 2}")
    if raw[at] == "#":
        return "A filter has no comments.", Edit(at, len(raw), "", "remove the comment")
    if raw[at] == ";":
        return "A filter ends without a semicolon.", Edit(at, len(raw), "", "remove ;")
    if raw[at] in "=<>!~+-*/%^":
        return "A term is one field, one operator and one value; & tests bits by itself.", None
    if raw[at] == "(" or raw[at] in lexis.NAME or raw[at] == "!":
        return "Here && or || is missing, or the text before needs quotes.", None
    return "After a value only && || or ) can follow.", None


def incomplete(raw: str) -> Explanation:
    kept = raw
    while True:
        shorter = kept.rstrip(lexis.SPACES)
        if shorter.endswith(("&&", "||")):
            kept = shorter[:-2]
        elif shorter.endswith("!"):
            kept = shorter[:-1]
        else:
            break
    kept = kept.rstrip(lexis.SPACES)
    if not kept:
        return "There is nothing to negate.", None
    return "The filter ends where another term must follow.", Edit(len(kept), len(raw), "", "remove the end")


def no_term(refusal: Refusal, raw: str) -> Explanation:
    at = refusal.at
    if not raw:
        return "The filter is empty; 0 clears a filter.", None
    if at >= len(raw) or raw[at] in ")(":
        return "Here a comparison is missing.", None
    if raw.startswith(("&&", "||"), at):
        end = lexis.skip_spaces(raw, at + 2)
        return "Here a comparison is missing.", Edit(at, end, "", f"remove {raw[at : at + 2]}")
    if raw[at] == "$":
        return "A field is named without a dollar sign.", Edit(at, at + 1, "", "remove $")
    if raw[at] in "'\"-":
        swapped = re.match(r"('[^']*'|\"[^\"]*\"|-\w+)(\s*)(==|!=)(\s*)(\w+)", raw[at:])
        edit = None
        if swapped:
            value, left, op, right, name = swapped.groups()
            edit = Edit(at, at + swapped.end(), f"{name}{left}{op}{right}{value}", "put the field first")
        return "A comparison begins with the field; the value stands on the right.", edit
    return "A comparison begins with the name of a field.", None
