"""Removal lines: which of the standing events they mean, and what is in the way (dyn_event_release)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from kptui.probes.check.log import Probe, Refused
from kptui.probes.check.standing import Standing, standing_of
from kptui.probes.check.target import Interface, Target

_REMOVABLE: Final[dict[Interface, Probe | None]] = {"kprobe": "kernel", "uprobe": "user", "dynamic": None}
"""The kind that a file's removals mean; None: every kind."""


def is_removal(line: str, target: Target) -> bool:
    """Whether the line removes; dynamic_events takes ``!`` and a definition as listed, too."""
    return line.startswith(("-", "!") if target.interface == "dynamic" else "-")


def removed(words: list[str], target: Target) -> list[Standing]:
    """What a removal line means, perhaps nothing. Refused where it is none."""
    system, event = _named(words[0], target)
    return [
        old
        for old in standing_of(target, event)
        if _REMOVABLE[target.interface] in {None, old.probe}
        and (event or old.probe != "synthetic")
        and (system is None or old.group == system)
        and _matches(old, words[1:], target)
    ]


def remove(words: list[str], target: Target) -> None:
    """A removal line. Refused as the kernel does; none of these is logged.

    The events are removed one after the other in the order of the list, until one is in use.
    """
    found = removed(words, target)
    if not found:
        raise Refused("ENOENT", "No event of that name (and place) stands.")
    standing = standing_of(target)
    left = Counter(old.name for old in standing)
    watchers = [other for other in standing if other.probe == "event"]
    for old in found:
        left[old.name] -= 1
        if old.probe == "event":
            watchers.remove(old)
        if left[old.name]:
            continue  # another probe keeps the event
        if old.name.encode("latin-1").decode("utf-8", "replace") in target.enabled:
            raise Refused("EBUSY", "The event is enabled: disable it before removing it.")
        for other in watchers:
            if other.place == f"{old.group}.{old.event}":
                raise Refused("EBUSY", f"The event probe {other.name} watches it: remove that one first.")


def _named(word: str, target: Target) -> tuple[str | None, str]:
    """Group (None: any) and event ('': all of the group)."""
    if word.startswith("-"):
        if word[1:2] != ":":
            raise Refused("EINVAL", "A removal is written -:GROUP/EVENT.")
        name = word[2:]
    else:
        _, colon, name = word.partition(":")
        if not colon:
            raise Refused("EINVAL", "After ! the definition is expected as listed, as in !p:GROUP/EVENT.")
    system, slash, event = name.partition("/")
    if not slash:
        system, event = "", system
    if not event and (not slash or not target.traits.optional_event):
        raise Refused("EINVAL", "A removal needs the name of an event: -:GROUP/EVENT.")
    return (system if slash else None), event


def _matches(old: Standing, words: list[str], target: Target) -> bool:
    """Whether the words after the name are those of the event, as far as its kind looks at them."""
    if not words or old.probe == "synthetic":
        return True
    if old.probe == "event":
        if not _is_attached(old, words[0], exact=target.traits.exact_attach):
            return False
    else:
        # Compared with the kernel's own text in a buffer of this size
        place = old.symbol if old.kind in "ft" else old.place
        if words[0] != (place if old.probe == "user" else place[: target.traits.body_limit]):
            return False
    return list(old.args[: len(words) - 1]) == words[1:]


def _is_attached(old: Standing, word: str, *, exact: bool) -> bool:
    cut = word.find("/")
    cut = word.find(".") if cut < 0 else cut
    system, _, event = old.place.partition(".")
    if cut < 0 or word[cut + 1 :] != event:
        return False
    return word[:cut] == system if exact else system.startswith(word[:cut])
