"""Events of the simulated kernel: who sees them, when, and what happens to those that nobody reads."""

from __future__ import annotations

import errno
import gc
import os
import re
import select
import threading
import time

import pytest

from kptui.events.format import parse_format
from kptui.kernel.sim import ManualClock, SimFiles, demo_kallsyms

OPEN = b"p:kptui/open do_sys_openat2 dfd=%di:s32 path=+0(%si):ustring\n"
RET = b"r:kptui/ret do_sys_openat2 ret=$retval:s32\n"
EXEC = b"p:kptui/exec __x64_sys_execve file=+0(+112(%di)):ustring arg1=+0(+8(+104(%di))):ustring\n"
LINE = re.compile(
    rb"(?P<comm>.{16})-(?P<pid>\d+) {0,6} \[(?P<cpu>00[01])\] (?P<flags>\S{5})  +(?P<time>\d+\.\d{6}): (?P<event>\w+): "
    rb"\((?P<place>[^)]*)\)(?P<args>.*)"
)


def machine(*definitions: bytes, seed: int = 0) -> SimFiles:
    files = SimFiles(clock=ManualClock(), seed=seed)
    for definition in definitions:
        files.append("kprobe_events", definition)
    return files


def lines(files: SimFiles, array: str = "") -> list[re.Match[bytes]]:
    """The records in ``trace``, each of which must have the kernel's form."""
    found = []
    for line in files.read(f"{array}trace", 1 << 28).split(b"\n"):
        if line and not line.startswith(b"#"):
            match = LINE.fullmatch(line)
            assert match, line
            found.append(match)
    return found


def test_events_come_with_readable_arguments() -> None:
    files = machine(OPEN, RET, EXEC)
    files.append("events/kptui/enable", b"1")
    files.advance(10)
    seen = lines(files)
    assert {m["event"] for m in seen} == {b"open", b"ret", b"exec"}
    assert any(b'path="/etc/ld.so.cache"' in m["args"] for m in seen)
    assert any(b'file="/usr/bin/cat" arg1="/etc/passwd"' in m["args"] for m in seen)
    assert {m["place"] for m in seen if m["event"] == b"open"} == {b"do_sys_openat2+0x0/0xe0"}
    assert {m["place"] for m in seen if m["event"] == b"exec"} == {b"__x64_sys_execve+0x4/0x40"}
    assert b"__x64_sys_openat+0x55/0xa0 <- do_sys_openat2" in {
        m["place"] for m in seen if m["event"] == b"ret"
    }
    times = [float(m["time"]) for m in seen]
    assert times == sorted(times)
    assert 5021 <= times[0] <= times[-1] <= 5031
    per_second = sum(m["event"] == b"open" for m in seen) / 10
    assert 5 <= per_second <= 40


def test_hits_are_counted_also_for_filtered_events() -> None:
    files = machine(OPEN)
    files.append("events/kptui/open/filter", b'path ~ "/etc/*" && common_pid != 0')
    files.append("events/kptui/open/enable", b"1")
    files.advance(10)
    shown = lines(files)
    assert shown
    assert all(b'path="/etc/' in m["args"] for m in shown)
    profile = {line.split()[0]: line.split()[1:] for line in files.read("kprobe_profile").splitlines()}
    assert int(profile[b"open"][0]) > len(shown)
    assert profile[b"old_probe"] == [b"0", b"0"]


def test_each_array_has_its_own_switch_filter_and_buffer() -> None:
    files = machine(OPEN)
    files.mkdir("instances/a")
    files.mkdir("instances/b")
    files.append("instances/a/events/kptui/open/enable", b"1")
    files.append("instances/b/events/kptui/open/enable", b"1")
    files.append("instances/b/events/kptui/open/filter", b"comm == 'ls'")
    files.advance(8)
    assert not lines(files)
    assert len(lines(files, "instances/a/")) > len(lines(files, "instances/b/")) > 0
    assert {m["comm"].strip() for m in lines(files, "instances/b/")} == {b"ls"}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("__probe_ret_ip.function == __x64_sys_openat", True),
        ("__probe_ret_ip.function == vfs_read", False),
        ("__probe_func.function == do_sys_openat2", True),
        ("__probe_ret_ip > 0xffffffff80000000 && ret >= -2", True),
        ("from.function == __x64_sys_openat", True),
        ("ret < -2", False),
        ("cpu & CPUS{0-1}", True),
        ("cpu == 5", False),
        ('name == "/etc/passwd"', True),
        ('name ~ "/etc/pass*" && !(comm == "x")', True),
        ("name == \"/ETC/passwd\" || comm ~ 'no*such'", False),
        ("pair == 0xff", False),
        ("pair != 0xff", True),
    ],
)
def test_filters_see_places_strings_and_numbers(text: str, passes: bool) -> None:
    files = machine(
        b"r:kptui/ret do_sys_openat2 ret=$retval:s32 from=$arg3:x64 name=+0($arg2):ustring pair=+0($arg3):x8[4]\n"
        b"p:kptui/from do_sys_openat2 from=$stack0:symbol name=+0(%si):ustring\n"
    )
    which = "from" if text.startswith("from") else "ret"
    files.append(f"events/kptui/{which}/filter", text.encode())
    files.append(f"events/kptui/{which}/enable", b"1")
    files.advance(5)
    assert bool(lines(files)) is passes


def test_pids_can_be_left_out_or_chosen() -> None:
    files = machine(OPEN)
    files.append("events/kptui/enable", b"1")
    files.append("set_event_notrace_pid", b"1533")
    files.advance(6)
    assert b"1533" not in {m["pid"] for m in lines(files)}
    files.append("set_event_pid", b"1042 1533")
    files.append("set_event_notrace_pid", b"1")
    files.append("buffer_size_kb", b"1000")  # clears
    files.advance(6)
    assert {m["pid"] for m in lines(files)} == {b"1042"}


def test_what_happened_before_enabling_or_while_tracing_was_off_is_not_seen() -> None:
    files = machine(OPEN)
    files.advance(5)
    files.append("events/kptui/open/enable", b"1")
    assert not lines(files)
    files.advance(1.5)
    first = len(lines(files))
    assert first
    assert all(float(m["time"]) >= 5026 for m in lines(files))
    files.append("tracing_on", b"0")
    files.advance(5)
    assert len(lines(files)) == first


def test_the_recording_goes_round_with_time_growing_and_new_processes() -> None:
    files = machine(EXEC)
    files.append("events/kptui/exec/enable", b"1")
    files.advance(100)
    seen = lines(files)
    times = [float(m["time"]) for m in seen]
    assert times == sorted(times)
    assert times[-1] > 5021 + 90
    pids = [m["pid"] for m in seen]
    assert len(set(pids)) > 0.9 * len(pids)


def test_same_seed_same_events() -> None:
    texts = []
    for seed in (7, 7, 8):
        files = machine(OPEN, RET, seed=seed)
        files.append("events/kptui/enable", b"1")
        files.advance(3)
        texts.append(files.read("trace"))
    assert texts[0] == texts[1] != texts[2]


def test_functions_without_a_recording_are_silent() -> None:
    files = machine(b"p:kptui/quiet vfs_fallocate\n", b"p:kptui/inside do_sys_openat2+5\n")
    files.append("events/kptui/enable", b"1")
    files.advance(20)
    assert not lines(files)
    assert {"vfs_read", "__x64_sys_execve"} <= files.recorded_functions()
    assert "vfs_fallocate" not in files.recorded_functions()


def test_unreadable_memory_prints_as_the_kernel_prints_it() -> None:
    files = machine(b"p:kptui/bad do_sys_openat2 s=+0(+8(%cx)):string n=+0(%cx):u32 x=+0(%cx):x8[2]\n")
    files.append("events/kptui/bad/enable", b"1")
    files.advance(3)
    assert {m["args"] for m in lines(files)} == {b" s=(fault) n=0 x={0x0,0x0}"}


def test_members_by_name_are_read() -> None:
    files = machine(
        b"p:kptui/rd vfs_read name=file->f_path.dentry->d_name.name:string count buf ino=file->f_inode\n",
        b"r:kptui/rd_ret vfs_read $retval $arg3\n",
    )
    files.append("events/kptui/enable", b"1")
    files.advance(5)
    seen = [m["args"] for m in lines(files) if m["event"] == b"rd"]
    assert any(
        re.fullmatch(rb' name="libc.so.6" count=832 buf=0x7ff\w+ ino=0xffff\w+', args) for args in seen
    )
    returned = [m["args"] for m in lines(files) if m["event"] == b"rd_ret"]
    assert b" arg1=832 count=832" in returned


def test_options_change_the_prefix() -> None:
    files = machine(OPEN)
    files.append("options/record-tgid", b"1")
    files.append("options/sym-addr", b"1")
    files.append("events/kptui/enable", b"1")
    files.advance(1)
    line = files.read("trace").splitlines()[-1]
    assert re.search(
        rb"-\d+ +\( *\d+\) \[00\d\] \S+ .*\(do_sys_openat2\+0x0/0xe0 <ffffffff[0-9a-f]{8}>\)", line
    )
    files.append("trace_options", b"nocontext-info")
    files.advance(2)
    assert files.read("trace").splitlines()[-1].startswith(b"open: (do_sys_openat2")


# --------------------------------------------------------------------- trace_pipe


def test_the_pipe_has_one_reader_and_consumes() -> None:
    files = machine(OPEN)
    files.mkdir("instances/k")
    files.append("instances/k/events/kptui/enable", b"1")
    fd = files.open_pipe("instances/k/trace_pipe")
    with pytest.raises(BlockingIOError):
        os.read(fd, 100)
    files.advance(3)
    assert select.select([fd], [], [], 0)[0]
    data = os.read(fd, 1 << 20)
    assert data.count(b"\n") > 10
    assert not data.startswith(b"#")
    assert files.read("instances/k/trace").count(b"open: (") == 0
    for action in (lambda: files.open_pipe("instances/k/trace_pipe"), lambda: files.rmdir("instances/k")):
        with pytest.raises(OSError, match="busy") as caught:
            action()
        assert caught.value.errno == errno.EBUSY
    os.close(fd)
    again = files.open_pipe("instances/k/trace_pipe")
    os.close(again)
    files.rmdir("instances/k")
    assert not files.exists("instances/k")


def test_a_reader_that_comes_late_gets_what_the_buffer_held() -> None:
    files = machine(OPEN)
    files.append("events/kptui/enable", b"1")
    files.advance(3)
    held = files.read("trace").count(b"open: (")
    fd = files.open_pipe("trace_pipe")
    assert os.read(fd, 1 << 20).count(b"open: (") == held > 0
    os.close(fd)


def test_what_does_not_fit_is_lost_and_told() -> None:
    files = machine(b"p:kptui/rd vfs_read a=+0(%di):x64[24] b=+0(+0x48(%di)):x64[16]\n", OPEN)
    files.append("buffer_size_kb", b"7")
    files.append("events/kptui/enable", b"1")
    files.advance(30)
    stats = files.read("per_cpu/cpu0/stats").decode()
    overrun = int(re.search(r"overrun: (\d+)", stats)[1])  # type: ignore[index]
    assert overrun > 100
    fd = files.open_pipe("trace_pipe")
    data = os.read(fd, 1 << 20)
    assert f"CPU:0 [LOST {overrun} EVENTS]\n".encode() in data
    assert data.startswith(b"CPU:")
    os.close(fd)


def test_a_pipe_that_nobody_empties_delivers_everything_later() -> None:
    files = machine(b"p:kptui/rd vfs_read a=+0(%di):x64[24] b=+0(+0x48(%di)):x64[16] c=+0(%di):x64[24]\n")
    files.append("buffer_size_kb", b"60000")
    files.append("events/kptui/enable", b"1")
    fd = files.open_pipe("trace_pipe")
    files.advance(200)
    hits = int(files.read("kprobe_profile").splitlines()[-1].split()[1])
    data = b""
    while True:
        try:
            data += os.read(fd, 1 << 16)
        except BlockingIOError:
            break
        files.advance(0)
    assert len(data) > 1 << 20
    assert data.count(b" rd: (vfs_read+0x4/0x370) ") == hits
    os.close(fd)


def test_removing_an_event_clears_what_it_wrote() -> None:
    files = machine(OPEN, EXEC)
    files.append("events/kptui/enable", b"1")
    files.advance(3)
    files.append("events/kptui/enable", b"0")
    files.append("kprobe_events", b"-:kptui/open\n")
    assert not lines(files)
    assert files.read("events/kptui/exec/enable") == b"0\n"


# ----------------------------------------------------------------------- the clock


def test_the_wall_clock_streams_on_its_own_thread() -> None:
    files = SimFiles(speed=20)
    files.append("kprobe_events", OPEN)
    assert "simulated-kernel" not in {t.name for t in threading.enumerate()}
    fd = files.open_pipe("trace_pipe")
    files.append("events/kptui/open/enable", b"1")
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(5000)
    assert b"open: (do_sys_openat2" in os.read(fd, 1 << 16)
    files.close()
    os.close(fd)


def test_the_thread_ends_with_its_machine() -> None:
    files = SimFiles(speed=5)
    files.append("kprobe_events", OPEN)
    files.append("events/kptui/open/enable", b"1")
    mine = [t for t in threading.enumerate() if t.name == "simulated-kernel"]
    assert mine
    del files
    gc.collect()
    deadline = time.monotonic() + 5
    while any(t.is_alive() for t in mine) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(t.is_alive() for t in mine)


def test_only_a_manual_clock_is_advanced() -> None:
    with pytest.raises(TypeError, match="manual clock"):
        SimFiles().advance(1)


# ------------------------------------------------------------------------ the rest


def test_a_foreign_probe_stands_from_the_start() -> None:
    files = SimFiles(clock=ManualClock())
    assert files.read("kprobe_events") == b"p:kprobes/old_probe do_exit\n"
    assert files.listdir("events") == ["enable", "header_event", "header_page", "kprobes"]
    assert parse_format(files.read("events/kprobes/old_probe/format").decode()).name == "old_probe"


def test_kallsyms_has_text_data_modules_duplicates_and_noise() -> None:
    listed = demo_kallsyms().decode().splitlines()
    rows = [line.split(" ", 2) for line in listed]
    names = [row[2] for row in rows]
    assert len(rows) > 20_000
    assert all(re.fullmatch(r"[0-9a-f]{16} [A-Za-z] \S+(\t\[\w+\])?", line) for line in listed)
    for name in ("vfs_read", "do_sys_openat2", "__x64_sys_execve", "jiffies_64", "ext4_file_open\t[ext4]"):
        assert names.count(name) == 1, name
    assert names.count("type_show") > 1
    assert any(name.startswith("__pfx_") for name in names)
    assert any(row[1] in "dDbB" for row in rows)
    assert sum(name.startswith("__x64_sys_") for name in names) > 300


def test_processes_are_named() -> None:
    processes = SimFiles(clock=ManualClock()).processes()
    assert {"nginx", "postgres", "sshd", "cron", "bash", "python3", "systemd"} <= {p.comm for p in processes}
    assert all(p.cmdline and p.tids == (p.pid,) for p in processes)


def test_paths_that_leave_the_tree_are_refused() -> None:
    files = SimFiles(clock=ManualClock())
    for path in ("/etc/passwd", "../x", "instances/../../x"):
        with pytest.raises(ValueError, match="not a path"):
            files.read(path)
