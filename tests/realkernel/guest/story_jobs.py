"""What users come for, in few keys: from the main screen until the right events stream, every key and letter counted.

Run in the guest: ``python -m tests.realkernel.guest.story_jobs [part of a job's title]``. One start of the program for
all of them; between two jobs the probes and events of the one before are removed, which isn't counted.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.realkernel.guest import tracefs
from tests.realkernel.guest.steps import Recorder, Story, eventually, expect, main
from tests.realkernel.guest.story_session import Session, run

SIZE = (80, 24)
_TOKEN = re.compile(r"<([A-Z][\w-]*)>|([^<|]+|<)|\|")

_BRINGS = {"w": "▌Probes ─", "F": "Filter of", "C-r": "▌Probe ─", "1r": "▌Probe ─", "s": "▌Events ─"}


@dataclass(frozen=True)
class Task:
    """``keys``: text, and tmux's names of keys in ``<…>``; ``|`` is a look at the screen, until it is at rest.
    ``budget``: as many keys at most. ``but``: series of kernels in which it is another job.

    ``provoke`` makes the events and gives the process that they are of; then ``defined`` stand among the kernel's
    definitions, and the newest event's line has all ``values``.
    """

    title: str
    keys: str
    budget: int
    provoke: Callable[[], int]
    defined: tuple[str, ...]
    event: str
    values: tuple[str, ...]
    but: tuple[str, ...] = ()


def pressed(keys: str) -> list[tuple[str, bool]]:
    """The keys in order: (a tmux name, True), or (text, False); ('', False) is a look."""
    return [(name or text, bool(name)) for name, text in _TOKEN.findall(keys)]


def count(keys: str) -> int:
    """How many keys that are, letters counted."""
    return sum(1 if named else len(text) for text, named in pressed(keys))


# -- what makes the events


def _big_reads() -> int:
    return run("dd", "if=/dev/zero", "of=/dev/null", "bs=2M", "count=3")


def _unlink() -> int:
    for path in ("/run/kptui-other", "/tmp/kptui-gone"):
        Path(path).touch()
    run("rm", "/run/kptui-other")
    return run("rm", "/tmp/kptui-gone")


def _python(*lines: str) -> int:
    return run(sys.executable, "-c", "\n".join(lines))


def _fsync() -> int:
    return _python("import os", "f = os.open('/run/kptui-y', os.O_CREAT | os.O_WRONLY)", "os.fsync(f)")


def _connect() -> int:
    with socket.create_server(("127.0.0.1", 8080)):
        return _python("import socket", "socket.create_connection(('127.0.0.1', 8080)).close()")


def _overlay() -> int:
    place = Path("/run/kptui-overlay")
    if not (place / "merged/readme").exists():
        for name in ("lower", "upper", "work", "merged"):
            (place / name).mkdir(parents=True, exist_ok=True)
        (place / "lower/readme").write_text("x\n")
        options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, f"{place}/merged"], check=True)
    return run("cat", f"{place}/merged/readme")


TASKS = (
    Task(
        "7 failed opens only",
        "/do_sys_op|<Down><C-r>|<Space>|w|F|iret<0<Enter>s|<Space>",
        25,
        lambda: run("cat", "/no/such/file"),
        (r"r\d*:kptui/do_sys_openat2_ret do_sys_openat2 ret=\$retval:s(?:32|64)",),
        "do_sys_openat2_ret",
        ("ret=-2",),
    ),
    Task(
        "11 vfs_read returning more than 1 MB",
        "/vfsr|<C-r>|<Space>|w|F|iret>1048576<Enter>s|<Space>",
        25,
        _big_reads,
        (r"r\d*:kptui/vfs_read_ret vfs_read ret=\$retval:s64",),
        "vfs_read_ret",
        ("ret=2097152",),
    ),
    Task(
        "12 big reads with the file's name",
        "/vfsr|<Enter>|<Space>jj<Space>|w|F|icount>1048576<Enter>s|<Space>",
        30,
        _big_reads,
        (r"p:kptui/vfs_read vfs_read count=%dx:u64 name=\+0\(\+\d+\(\+\d+\(%di\)\)\):string",),
        "vfs_read",
        ("count=2097152", 'name="zero"'),
    ),
    Task(
        "14 which process unlinks /tmp/*",
        '/do_unl|<Enter>|jj<Space>|w|F|ipath~"/tmp/*"<Enter>s|<Space>',
        35,
        _unlink,
        (r"p:kptui/do_unlinkat do_unlinkat path=\+0\(\+0\(%si\)\):string",),
        "do_unlinkat",
        ('path="/tmp/kptui-gone"',),
        but=("7.3",),  # there it is filename_unlinkat
    ),
    Task(
        "20 who calls fsync, from where",
        "/vfs_fsync_r|<Enter>|jj<Space>j<Space>G<Space>|s",
        35,
        _fsync,
        (r"p:kptui/vfs_fsync_range vfs_fsync_range datasync=%cx:s32 name=\S+ caller=\$stack0:symbol",),
        "vfs_fsync_range",
        ("datasync=0", 'name="kptui-y"', "fsync+0x"),  # do_fsync on 6.12, where it isn't inlined
        but=("7.3",),  # there its callers have it inlined
    ),
    Task(
        "32 one copy of a duplicate symbol",
        "/load_elf_b|<Enter>|<Enter>|<Space>|s",
        20,
        lambda: run("/bin/true"),
        (r"p:kptui/load_elf_binary _text\+\d+ filename=\S+:string",),
        "load_elf_binary",
        ("load_elf_binary+0x", 'filename="/bin/true"'),
    ),
    Task(
        "33 a module's symbol, a name found by its letters",
        "/ovl_open|<Enter>|/d_name<Enter>|s",
        30,
        _overlay,
        (r"p:kptui/ovl_open overlay:ovl_open name=\+0\(\+\d+\(\+\d+\(%si\)\)\):string",),
        "ovl_open",
        ("[overlay]", 'name="readme"'),
        but=("5.10",),  # modules have types since 5.11
    ),
    Task(
        "1 execsnoop",
        "/execve|<Enter>|<Space>j<Space>j<Space>|s",
        35,
        lambda: run("/bin/echo", "kptui-a", "b"),
        (r"p:kptui/execve __x64_sys_execve filename=\S+ argv0=\S+ argv1=\S+",),
        "execve",
        ('filename="/bin/echo"', 'argv0="/bin/echo"', 'argv1="kptui-a"'),
    ),
    Task(
        "2 execs that passed permission checks",
        "/security_bprm_ch|<Enter>|<Space>jj<Space>|s",
        35,
        lambda: run("/bin/echo", "kptui-a", "b"),
        (r"p:kptui/security_bprm_check security_bprm_check filename=\S+:string argc=\+\d+\(%di\):s32",),
        "security_bprm_check",
        ('filename="/bin/echo"', "argc=3"),
    ),
    Task(
        "4 opensnoop",
        "/do_sys_op|<Down><Enter>|<Space>j<Space>jj<Space>|s|1r|<Space>|s",
        35,
        lambda: run("cat", "/etc/hostname"),
        (
            r"p:kptui/do_sys_openat2 do_sys_openat2 dfd=%di:s32 filename=\+0\(%si\):ustring how_flags=\S+",
            r"r\d*:kptui/do_sys_openat2_ret do_sys_openat2 ret=\$retval:s(?:32|64)",
        ),
        "do_sys_openat2",
        ("dfd=-100", "how_flags=0x", 'filename="/etc/hostname"'),
    ),
    Task(
        "8 tcp_connect with its destination",
        "/tcp_con|<Enter>|<Space>jj<Space>j<Space>|s",
        35,
        _connect,
        (r"p:kptui/tcp_connect tcp_connect daddr=\+0\(%di\):u8\[4\] dport_be=\S+:x16 sport=\S+:u16",),
        "tcp_connect",
        ("daddr={127,0,0,1}", "dport_be=0x901f"),
    ),
)


def clean(session: Session) -> None:
    """The main screen as after a start: no probe of ours, no event, the focus on the symbols."""
    if [line for line in tracefs.definitions() if ":kptui/" in line]:
        session.go("Probes")
        session.terminal.keys("D")
        session.terminal.wait("Remove all our probes?")
        session.terminal.keys("D")
        eventually(lambda: not [line for line in tracefs.definitions() if ":kptui/" in line], "all removed")
    session.watch()
    session.go("Symbols")


def look(session: Session, key: str) -> None:
    """Wait for what a key brings, then until the screen is at rest, where it comes to rest."""
    if key in _BRINGS:
        session.terminal.wait(_BRINGS[key])
    session.terminal.wait("types are being read", gone=True)
    if key == "Enter":
        session.terminal.wait("take, go on", gone=True)  # what was searched for has been taken
    if key != "s":  # a probe that was started may bring events without end
        session.terminal.wait_still()


def play_task(session: Session, task: Task) -> None:
    expect(count(task.keys) <= task.budget, f"{count(task.keys)} keys, {task.budget} at most")
    clean(session)
    before = ""
    for text, named in pressed(task.keys):
        if named:
            session.terminal.keys(text)
        elif text:
            session.terminal.type(text)
        elif before != "s" or "|F|" not in task.keys:  # a filter that is set brings nothing
            look(session, before)
        else:
            session.terminal.wait("Filter of", gone=True)
        before = text or before
    events = [found[1] for line in task.defined if (found := re.search(r":kptui/(\w+)", line))]
    eventually(lambda: all(session.on(event) for event in events), f"{events} on")
    lines = tracefs.definitions()
    for wanted in task.defined:
        expect(any(re.match(wanted, line) for line in lines), f"no {wanted} among {lines}")
    pid = task.provoke()
    session.go("Events")
    session.see(rf"-{pid} {task.event[:6]}")  # a long name is shown without its middle
    session.find(task.values[-1].partition("=")[2].strip('"') if "=" in task.values[-1] else task.values[-1])
    session.terminal.keys("Enter")
    screen = session.terminal.wait("the line as it came")
    said = "".join(screen.replace("│", "").split())
    for value in (f"thread{pid}", *task.values):
        expect(value in said, f"the event has no {value}", screen)
    session.escape("the line as it came")


def story(release: str) -> Story[Session]:
    """A step for each job of a kernel, in one run of the program."""
    found: Story[Session] = Story(lambda session: session.terminal.screen())

    @found.step("the program starts")
    def _start(session: Session) -> None:
        subprocess.run(["modprobe", "overlay"], check=True)
        session.start()
        session.choose("vfs_read", "vfs_read")  # all that it reads at the start is there then

    for task in TASKS:
        if release.startswith(task.but):
            continue
        found.step(f"{task.title}: {count(task.keys)} keys of {task.budget}")(partial(play_task, task=task))
    return found


def play(recorder: Recorder) -> int:
    session = Session(SIZE)
    try:
        return story(os.uname().release).play(session, recorder, *sys.argv[1:2])
    finally:
        session.close()
        tracefs.reset()
        if os.path.ismount("/run/kptui-overlay/merged"):
            subprocess.run(["umount", "/run/kptui-overlay/merged"], check=False)


if __name__ == "__main__":
    main(play)
