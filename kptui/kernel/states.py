"""Every dynamic event of the machine as one row: whose it is, where it is on, its filter, its hits."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from kptui.kernel.definitions import Key, enabled_places
from kptui.kernel.error_log import filter_file
from kptui.kernel.files import KernelFiles
from kptui.kernel.listing import Count, Listed, match_profile, parse_profile, read_lists


@dataclass(frozen=True, slots=True)
class EventState:
    """``kind`` is p, r, f, t, e, s or ``?``; ``definition`` as the kernel lists it (several probes on one
    event: one line each). ``enabled`` and ``filter`` are those of our instance; ``enabled_elsewhere``
    names other instances, and ``top level``. ``hits`` and ``misses`` are None where the kernel doesn't
    count them or where they can't be told apart. Texts are the kernel's, not neutralised.
    """

    group: str
    event: str
    kind: str
    definition: str
    ours: bool
    enabled: bool
    enabled_elsewhere: tuple[str, ...] = ()
    filter: str | None = None
    filter_error: str | None = None
    hits: int | None = None
    misses: int | None = None


def read_states(files: KernelFiles, instance: str, own: Container[Key]) -> tuple[EventState, ...]:
    """All dynamic events, in the kernel's order. Raises OSError when the lists can't be read."""
    probes = read_lists(files)
    counts = {
        **_counts(files, probes, "kprobe_events", "kprobe_profile"),
        **_counts(files, probes, "uprobe_events", "uprobe_profile"),
    }
    lines: dict[Key, list[Listed]] = {}
    for probe in probes:
        lines.setdefault((probe.group, probe.event), []).append(probe)
    return tuple(
        _state(files, instance, key, items, ours=key in own, count=counts.get(key))
        for key, items in lines.items()
    )


def _counts(files: KernelFiles, probes: list[Listed], source: str, profile: str) -> dict[Key, Count]:
    try:
        rows = parse_profile(files.read(profile))
    except OSError:
        return {}
    return match_profile([probe for probe in probes if probe.source == source], rows)


def _state(
    files: KernelFiles, instance: str, key: Key, items: list[Listed], *, ours: bool, count: Count | None
) -> EventState:
    group, event = key
    base = f"instances/{instance}/events/{group}/{event}"
    try:
        enabled = files.read(f"{base}/enable", 8).startswith(b"1")
        text, error, _ = filter_file(files.read(f"{base}/filter"))
    except (OSError, ValueError):
        enabled, text, error = False, None, None
    kinds = {item.kind for item in items}
    return EventState(
        group,
        event,
        kinds.pop() if len(kinds) == 1 else "?",
        "\n".join(item.line for item in items),
        ours,
        enabled,
        enabled_places(files, group, event, besides=(instance, f"{instance}-try")),
        text,
        error,
        count.hits if count else None,
        count.misses if count else None,
    )
