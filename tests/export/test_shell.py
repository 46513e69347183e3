"""The generated scripts, run for real by every shell at hand against a directory that plays tracefs.

A prelude of shell functions stands in for the kernel: a definition makes the event's folders, a removal takes
them away, a new instance gets its files, and what the instance held is kept aside when it is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kptui.export.shell import ScriptError, define_command, session_script, sh_quote
from kptui.probes.definition import Place, Probe, parse_probe

OPEN = 'p:kptui/open do_sys_openat2 file=+0(%si):ustring s=\\"it\'s"'
RET = "r:kptui/open_ret do_sys_openat2 ret=$retval:s32"
SESSION: list[tuple[Probe | str, str | None, bool]] = [
    (OPEN, 'file ~ "/tmp/*"', True),
    (parse_probe(RET), None, False),
]

SHELLS = [[name] for name in ("dash", "bash", "sh") if shutil.which(name)]
if shutil.which("busybox"):
    SHELLS.append(["busybox", "sh"])
every_shell = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)

KERNEL = r"""
printf() {
    case "${2:-}" in
    p:*nope*)
        command printf '[    1.0] trace_kprobe: error: Invalid probed address\n  Command: x\n  ^\n' \
            >> "$TRACEFS/error_log"
        return 1
        ;;
    p:*|r:*)
        fake_event=${2#?:}
        fake_event=${fake_event%% *}
        command mkdir -p "$TRACEFS/events/$fake_event" "$instance/events/$fake_event"
        : >> "$instance/events/$fake_event/enable"
        : >> "$instance/events/$fake_event/filter"
        ;;
    -:*) rm -r "$TRACEFS/events/${2#-:}" ;;
    bad_field*) return 1 ;;
    esac
    command printf "$@"
}
mkdir() {
    command mkdir "$1" && cp "$TRACEFS/text" "$1/trace_pipe" && : >> "$1/set_event_notrace_pid" || return 1
    [ ! -e "$TRACEFS/endless" ] || { rm "$1/trace_pipe" && mkfifo "$1/trace_pipe"; }
    command printf 1 > "$1/tracing_on"
}
rmdir() {
    [ ! -p "$1/trace_pipe" ] || rm "$1/trace_pipe"
    mv "$1" "$TRACEFS/removed-${1##*/}"
}
"""


@pytest.fixture
def tracefs(tmp_path: Path) -> Path:
    root = tmp_path / "trace fs"
    (root / "instances").mkdir(parents=True)
    (root / "events" / "other" / "theirs").mkdir(parents=True)
    (root / "kprobe_events").write_text("p:other/theirs do_exit\n")
    (root / "error_log").write_text("[    0.1] trace_kprobe: error: an old one\n")
    (root / "text").write_text("  cat-1 [000] ..... 1.0: open: (do_sys_openat2+0x0/0xe0)\n")
    return root


def environment(tracefs: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TRACEFS": str(tracefs), **more}


def write(tracefs: Path, script: str) -> Path:
    path = tracefs.parent / "session.sh"
    path.write_text(KERNEL + script)
    return path


def run(shell: list[str], tracefs: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*shell, str(write(tracefs, script))],
        env=environment(tracefs, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def as_before(tracefs: Path) -> bool:
    events = sorted(path.relative_to(tracefs).as_posix() for path in tracefs.glob("events/*/*"))
    return events == ["events/other/theirs"] and not list((tracefs / "instances").iterdir())


@every_shell
def test_a_session_defines_filters_enables_reads_and_cleans_up(shell: list[str], tracefs: Path) -> None:
    script = session_script(SESSION)
    for _ in range(2):  # a second run works
        done = run(shell, tracefs, script)
        assert (done.returncode, done.stdout) == (0, (tracefs / "text").read_text())
        assert as_before(tracefs)
    written = (tracefs / "kprobe_events").read_text().splitlines()
    once = [OPEN, RET, "-:kptui/open", "-:kptui/open_ret"]
    assert written == ["p:other/theirs do_exit", *once, *once]  # appended, in this order, nothing truncated
    kept = next(iter(tracefs.glob("removed-kptui_script-*")))
    assert (kept / "events/kptui/open/filter").read_text() == 'file ~ "/tmp/*"'
    assert (kept / "events/kptui/open/enable").read_text() == "1\n0\n"
    assert (kept / "events/kptui/open_ret/enable").read_text() == "0\n"  # left off
    assert (kept / "events/kptui/open_ret/filter").read_text() == ""
    assert (kept / "set_event_notrace_pid").read_text().strip().isdigit()


@every_shell
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_end_it_cleanly(shell: list[str], name: str, tracefs: Path) -> None:
    (tracefs / "endless").touch()
    process = subprocess.Popen(
        [*shell, str(write(tracefs, session_script(SESSION)))],
        env=environment(tracefs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "tracing" in process.stderr.readline()
    time.sleep(0.05)  # into the wait
    number = getattr(signal, name)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert as_before(tracefs)


@every_shell
def test_it_ends_by_itself_after_the_seconds_asked_for(shell: list[str], tracefs: Path) -> None:
    (tracefs / "endless").touch()
    started = time.monotonic()
    done = run(shell, tracefs, session_script(SESSION), KPTUI_SECONDS="1")
    assert done.returncode == 0, done.stderr
    assert 1 <= time.monotonic() - started < 120
    assert as_before(tracefs)
    kept = next(iter(tracefs.glob("removed-*")))
    assert (kept / "tracing_on").read_text() == "10\n"


@every_shell
def test_a_refused_definition_shows_the_new_error_and_undoes_the_rest(
    shell: list[str], tracefs: Path
) -> None:
    done = run(shell, tracefs, session_script([*SESSION, ("p:kptui/x nope", None, True)]))
    assert done.returncode == 1
    assert "Invalid probed address" in done.stderr
    assert "an old one" not in done.stderr
    assert "the kernel refused: p:kptui/x nope" in done.stderr
    assert as_before(tracefs)


@every_shell
def test_a_refused_filter_ends_it(shell: list[str], tracefs: Path) -> None:
    done = run(shell, tracefs, session_script([(OPEN, "bad_field == 1", True)]))
    assert done.returncode == 1
    assert "refused the filter of kptui/open: bad_field == 1" in done.stderr
    assert as_before(tracefs)


@every_shell
def test_an_event_that_exists_is_left_alone(shell: list[str], tracefs: Path) -> None:
    done = run(shell, tracefs, session_script([(OPEN, None, True), ("p:other/theirs do_exit", None, True)]))
    assert done.returncode == 1
    assert "other/theirs exists already" in done.stderr
    assert as_before(tracefs)
    assert "-:other/theirs" not in (tracefs / "kprobe_events").read_text()


TRACEFS = Path("/sys/kernel/tracing")


@pytest.mark.tracefs
@pytest.mark.skipif(
    os.geteuid() != 0 or not os.access(TRACEFS / "instances", os.W_OK), reason="needs root and a tracefs"
)
@every_shell
def test_a_pipe_stays_usable_while_no_event_comes(shell: list[str]) -> None:
    """A reader that splices (busybox's cat) would hold the pipe: its writers and readers sleep, unkillable."""
    script = session_script(SESSION)
    reading = script[
        script.index("read_events() {") : script.index("\n}\n", script.index("read_events() {")) + 3
    ]
    instance = TRACEFS / "instances" / f"kptui_test-{os.getpid()}"
    instance.mkdir()
    try:
        command = f'instance=$1\n{reading}\nread_events; sleep 0.5; echo here; kill "$reader"; wait'
        process = subprocess.Popen(
            [*shell, "-c", command, "sh", str(instance)], stdout=subprocess.PIPE, start_new_session=True
        )
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("the shell is stuck in its own pipe")
        finally:
            out, _ = process.communicate(timeout=120)
        assert out == b"here\n"
    finally:
        instance.rmdir()


def test_two_probes_of_one_event_are_one_event(tracefs: Path) -> None:
    done = run(
        ["sh"], tracefs, session_script([("p:g/e vfs_read", None, True), ("p:g/e vfs_write", None, True)])
    )
    assert done.returncode == 0, done.stderr
    assert (tracefs / "kprobe_events").read_text().count("-:g/e") == 1
    assert as_before(tracefs)


def test_clear_words_where_it_can_not_run(tracefs: Path) -> None:
    assert "whole number" in run(["sh"], tracefs, session_script(SESSION), KPTUI_SECONDS="1m").stderr
    (tracefs / "kprobe_events").unlink()
    done = run(["sh"], tracefs, session_script(SESSION))
    assert done.returncode == 1
    assert "no kprobe_events" in done.stderr or "needs root" in done.stderr
    assert not list((tracefs / "instances").iterdir())


@every_shell
def test_the_syntax_is_the_shells(shell: list[str], tracefs: Path) -> None:
    subprocess.run([*shell, "-n", str(write(tracefs, session_script(SESSION)))], check=True)


def test_nothing_of_tracefs_is_truncated() -> None:
    script = session_script(SESSION)
    for line in script.splitlines():
        if "TRACEFS/" in line or "instance/" in line:
            assert "> " not in line.replace(">> ", "").replace("> /dev/null", ""), line


def test_names_that_were_not_given_are_made_up() -> None:
    script = session_script(
        [("p vfs_read", None, True), ("p vfs_read %di", None, True), (Probe("r", Place("x")), None, True)]
    )
    assert "define 'kprobes/vfs_read' 'p:kprobes/vfs_read vfs_read'" in script
    assert "define 'kprobes/vfs_read_2' 'p:kprobes/vfs_read_2 vfs_read %di'" in script
    assert "define 'kprobes/x_ret' 'r:kprobes/x_ret x'" in script


def test_what_only_the_kernel_understands_is_passed_on() -> None:
    script = session_script([("p:g/e vfs_read a=+0(%di)junk", None, True)])
    assert "define 'g/e' 'p:g/e vfs_read a=+0(%di)junk'" in script
    for text in ("p vfs_read a=+0(%di)junk", "garbage", "-:g/e"):
        with pytest.raises(ScriptError, match="not a probe definition"):
            session_script([(text, None, True)])


def test_raw_addresses_come_with_a_note() -> None:
    assert "until the next boot" in session_script([("p:g/e 0xffffffff81000000", None, True)])
    assert "until the next boot" not in session_script(SESSION)


@pytest.mark.parametrize("text", ["a\x1b[31m", "a\nrm -rf x", "a\x00", "a\u202eb", "\udcff", "a\tb\x9b"])
def test_hostile_bytes_are_refused(text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        sh_quote(text)
    assert text not in str(caught.value)
    with pytest.raises(ScriptError):
        session_script([(OPEN, f'file == "{text}"', True)])
    with pytest.raises(ScriptError):
        define_command(f"p:x vfs_read {text}")


def test_comments_and_instances_are_made_harmless() -> None:
    script = session_script(SESSION, comment="kernel 6.12\nevil\x1b]52;c;x\x07\rrm -rf /\u2028x")
    assert all(line.startswith("#") for line in script.splitlines() if "evil" in line or "rm -rf" in line)
    assert "\x1b" not in script
    for name in ("", "a b", "../x", "$(id)", "x" * 80):
        with pytest.raises(ScriptError, match="instance"):
            session_script(SESSION, instance=name)


def test_one_command() -> None:
    assert define_command("p:x vfs_read c=\\42") == (
        "printf '%s\\n' 'p:x vfs_read c=\\42' >> /sys/kernel/tracing/kprobe_events"
    )
    assert define_command("p:x f", "/mnt/a b").endswith(">> '/mnt/a b'/kprobe_events")


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_quoted_text_is_one_word_with_the_same_bytes(words: list[str]) -> None:
    command = "printf '%s\\n' " + " ".join(map(sh_quote, words))
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == words


if sys.platform != "linux":  # the scripts are for Linux; elsewhere /proc/mounts and mkfifo differ
    pytestmark = pytest.mark.skip(reason="the scripts are for Linux")
