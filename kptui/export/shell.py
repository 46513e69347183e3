"""A tracing session as a POSIX shell script: what was built on the screen runs wherever there is a shell.

The script works in dash and busybox sh. It makes an instance of its own, defines by appending, never
truncates a file of tracefs, and on its end, however it ends, takes back exactly what it made. An event that
exists already is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kptui.probes.definition import DEFAULT_GROUP, Probe, parse_probe
from kptui.probes.errors import ProbeSyntaxError
from kptui.probes.names import default_event_name
from kptui.safetext import neutralise

__all__ = ["ScriptError", "define_command", "session_script", "sh_quote"]

_INSTANCE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_HEAD = re.compile(r"\s*(?P<kind>[pr])[0-9]*(?P<spec>:\S+)?\s+(?P<place>\S+)(?P<rest>.*)")
_SPEC = re.compile(r":(?:(?P<group>[A-Za-z0-9_-]+)[/.])?(?P<event>[A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)


class ScriptError(ValueError):
    """A definition, a filter or a name that can't be put into a script; the message says which and why."""


@dataclass(frozen=True, slots=True)
class _Line:
    group: str
    event: str
    text: str
    filter: str | None
    enabled: bool

    @property
    def path(self) -> str:
        return f"{self.group}/{self.event}"


def sh_quote(text: str) -> str:
    """``text`` as one word of a POSIX shell, in single quotes.

    Raises ScriptError for control characters, newlines, bidirectional marks and bytes that are no text: a
    script that contains them is not what it looks like.
    """
    safe = neutralise(text)
    if safe != text:
        raise ScriptError(f"control characters can not stand in a script: {safe}")
    return "'" + text.replace("'", "'\\''") + "'"


def define_command(definition: str, tracefs: str = "/sys/kernel/tracing") -> str:
    """One shell command that defines a probe by appending. Raises ScriptError as sh_quote does."""
    where = tracefs if re.fullmatch(r"[\w./-]+", tracefs, re.ASCII) else sh_quote(tracefs)
    return f"printf '%s\\n' {sh_quote(definition)} >> {where}/kprobe_events"


def session_script(
    probes: Sequence[tuple[Probe | str, str | None, bool]],
    *,
    instance: str = "kptui_script",
    comment: str = "",
) -> str:
    """The whole session: define, filter, enable, read, clean up.

    ``probes`` are (definition, filter or None, enabled); a definition without a group gets the kernel's
    ``kprobes``, one without an event name a readable one. ``instance`` is the trace instance's name, to which
    the script adds its process id. ``comment`` goes to the head, made harmless. Raises ScriptError.
    """
    if not _INSTANCE.fullmatch(instance):
        raise ScriptError(f"not a name for a trace instance: {neutralise(instance)}")
    lines = _lines(probes)
    steps = []
    for line in lines:
        steps.append(f"define {sh_quote(line.path)} {sh_quote(line.text)}")
    for line in lines:
        if line.filter:
            steps.append(f"filter {sh_quote(line.path)} {sh_quote(line.filter)}")
    steps += ["", "read_events"]
    for line in lines:
        steps.append(
            f"enable {sh_quote(line.path)}" if line.enabled else f"# off: enable {sh_quote(line.path)}"
        )
    steps += ["", "follow"]
    notes = [f"# {neutralise(text)}".rstrip() for text in comment.splitlines()]
    if any(parsed.place.symbol is None for line in lines if (parsed := _parsed(line.text)) is not None):
        notes.append("# Note: raw addresses below hold until the next boot only.")
    head = "\n".join([*_HEADER.strip("\n").split("\n"), *(["#", *notes] if notes else [])])
    return f"{head}\n{_PRELUDE.replace('@INSTANCE@', instance)}\n" + "\n".join(steps) + "\n"


def _parsed(text: str) -> Probe | None:
    try:
        return parse_probe(text)
    except ProbeSyntaxError:
        return None


def _lines(probes: Sequence[tuple[Probe | str, str | None, bool]]) -> list[_Line]:
    taken: set[str] = set()
    lines: list[_Line] = []
    for definition, condition, enabled in probes:
        probe = definition if isinstance(definition, Probe) else _parsed(definition)
        if probe is None:
            line = _loose(str(definition), condition, enabled)
        else:
            event = probe.event or default_event_name(probe.place.symbol or "", probe.kind, taken)
            probe = replace(probe, group=probe.group or DEFAULT_GROUP, event=event)
            line = _Line(probe.group or DEFAULT_GROUP, event, str(probe), condition, enabled)
        taken.add(line.event)
        lines.append(line)
    return lines


def _loose(text: str, condition: str | None, enabled: bool) -> _Line:
    """A definition that the kernel takes though its arguments follow no grammar: only its head is read."""
    match = _HEAD.fullmatch(text)
    spec = _SPEC.fullmatch(match["spec"] or ":") if match else None
    if match is None or spec is None or not spec["event"]:
        raise ScriptError(f"not a probe definition with a name: {neutralise(text)}")
    return _Line(spec["group"] or DEFAULT_GROUP, spec["event"], text.strip(), condition, enabled)


_HEADER: Final = """
#!/bin/sh
# Kernel probes, as set up in kptui. Run as root:  sh THIS_FILE
# Events go to standard output until ctrl-C. KPTUI_SECONDS=10 ends by itself after 10 seconds;
# TRACEFS=DIR says where tracefs is mounted, if not in the usual places.
# Whatever ends it, everything that it made is removed; probes of others are not touched.
"""

_PRELUDE: Final = r"""
set -u

made=''
instance=''
reader=''
timer=''

say() { printf '%s\n' "$0: $*" >&2; }
die() { say "$*"; exit 1; }

clean_up() {
    status=$?
    trap '' HUP INT TERM
    trap - EXIT
    for process in $timer $reader; do
        kill "$process" 2>/dev/null
        wait "$process" 2>/dev/null
    done
    if [ -n "$instance" ] && [ -d "$instance" ]; then
        for event in $made; do
            if [ -e "$instance/events/$event/enable" ]; then
                printf '0\n' >> "$instance/events/$event/enable"
            fi
        done
        rmdir "$instance" || { sleep 1; rmdir "$instance"; } || {
            say "could not remove the trace instance: rmdir $instance"
            [ "$status" -ne 0 ] || status=1
        }
    fi
    for event in $made; do
        [ -e "$TRACEFS/events/$event" ] || continue
        printf '%s\n' "-:$event" >> "$TRACEFS/kprobe_events" || {
            say "could not remove $event (does somebody else use it?):" \
                "printf '%s\\n' '-:$event' >> $TRACEFS/kprobe_events"
            [ "$status" -ne 0 ] || status=1
        }
    done
    exit "$status"
}

# The end of an error_log ($1), if the kernel added to what stood there before ($2).
show_error() {
    [ -r "$1" ] || return 0
    now=$(cat "$1")
    [ "$now" != "$2" ] || return 0
    new=${now#"$2"}
    [ "$new" != "$now" ] || new=$(printf '%s\n' "$now" | tail -n 3)
    printf '%s\n' "$new" | harmless | sed '/^$/d' >&2
}

# Kernel text can hold what controls a terminal.
harmless() { LC_ALL=C tr -c '\012\040-\176' '?'; }

# define GROUP/EVENT DEFINITION
define() {
    case " $made " in
    *" $1 "*) ;;
    *)
        [ ! -e "$TRACEFS/events/$1" ] || die "the event $1 exists already; it was left alone"
        made="$made $1"
        ;;
    esac
    before=$(cat "$TRACEFS/error_log" 2>/dev/null)
    if ! printf '%s\n' "$2" >> "$TRACEFS/kprobe_events"; then
        show_error "$TRACEFS/error_log" "$before"
        die "the kernel refused: $2"
    fi
}

# filter GROUP/EVENT FILTER. A refused filter would leave the event unfiltered, so it ends the script.
filter() {
    before=$(cat "$instance/error_log" 2>/dev/null)
    if ! printf '%s' "$2" >> "$instance/events/$1/filter"; then
        show_error "$instance/error_log" "$before"
        die "the kernel refused the filter of $1: $2"
    fi
}

# enable GROUP/EVENT
enable() { printf '1\n' >> "$instance/events/$1/enable" || die "could not enable $1"; }

read_events() {
    if [ -t 1 ] && cat -v < /dev/null > /dev/null 2>&1; then
        cat -v "$instance/trace_pipe" &
    else
        # Not cat: busybox's splices, and while it waits for an event nobody else can use our pipe.
        dd if="$instance/trace_pipe" bs=65536 2>/dev/null &
    fi
    reader=$!
    # The reader's own work is not wanted among the events.
    if [ -e "$instance/set_event_notrace_pid" ]; then
        printf '%s\n' "$reader" >> "$instance/set_event_notrace_pid"
    fi
}

follow() {
    if [ -n "${KPTUI_SECONDS:-}" ]; then
        (
            pause=''
            trap '[ -z "$pause" ] || kill "$pause" 2>/dev/null; exit 0' TERM
            sleep "$KPTUI_SECONDS" > /dev/null &
            pause=$!
            wait "$pause"
            printf '0\n' >> "$instance/tracing_on"
            sleep 1 > /dev/null & # for what is still in the buffer
            pause=$!
            wait "$pause"
            kill "$reader" 2>/dev/null
        ) &
        timer=$!
    fi
    say "tracing; ctrl-C ends"
    wait "$reader" 2>/dev/null
    [ -n "$timer" ] || say "the reader ended"
}

case "${KPTUI_SECONDS:-}" in
*[!0-9]*) die "KPTUI_SECONDS must be a whole number" ;;
esac

if [ -z "${TRACEFS:-}" ]; then
    TRACEFS=''
    while read -r _ place kind _; do
        if [ "$kind" = tracefs ]; then
            TRACEFS=$(printf '%b' "$place")
            [ "$TRACEFS" != /sys/kernel/tracing ] || break
        fi
    done < /proc/mounts
    [ -n "$TRACEFS" ] || die "tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing"
fi
if [ ! -w "$TRACEFS/kprobe_events" ]; then
    [ "$(id -u)" -eq 0 ] || die "this needs root"
    die "no kprobe_events in $TRACEFS: this kernel has no kprobe events, or is locked down"
fi

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

[ ! -e "$TRACEFS/instances/@INSTANCE@-$$" ] || die "the trace instance @INSTANCE@-$$ exists already"
instance="$TRACEFS/instances/@INSTANCE@-$$"
mkdir "$instance" || { instance=''; die "could not make a trace instance in $TRACEFS/instances"; }
"""
