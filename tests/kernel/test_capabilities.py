"""What is missing is said in one line, with what would give it; kallsyms and processes as they are."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from kptui.kernel.capabilities import Findings, examine
from kptui.kernel.kallsyms import KallsymsError, start_reading
from kptui.kernel.processes import alive, list_processes, start_time, threads_of

SHOWN = b"0000000000000000 A fixed_percpu_data\nffffffff81000000 T _text\n"
HIDDEN = b"0000000000000000 A fixed_percpu_data\n0000000000000000 T _text\n"
LINUX = os.uname_result(("Linux", "host", "6.12.95", "#1", "x86_64"))


class Machine:
    """A /sys and a /proc of plain files, complete; tests take away."""

    def __init__(self, base: Path) -> None:
        self.sys, self.proc = base / "sys", base / "proc"
        self.tracefs = self.sys / "kernel/tracing"
        for path in ("events", "instances"):
            (self.tracefs / path).mkdir(parents=True)
        for path in ("kprobe_events", "uprobe_events"):
            (self.tracefs / path).write_bytes(b"")
        self.write(self.sys / "kernel/debug/kprobes/enabled", b"1\n")
        self.write(self.sys / "kernel/security/lockdown", b"[none] integrity confidentiality\n")
        self.write(self.sys / "kernel/btf/vmlinux", b"x" * 2_000_000)
        self.write(self.proc / "kallsyms", SHOWN)
        self.write(self.proc / "mounts", b"nodev " + bytes(self.tracefs) + b" tracefs rw 0 0\n")

    @staticmethod
    def write(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def examine(self, tracefs: str | None = None, euid: int = 0, uname: os.uname_result = LINUX) -> Findings:
        return examine(tracefs, sys=str(self.sys), proc=str(self.proc), euid=euid, uname=uname)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_complete_machine_has_nothing_to_say(machine: Machine) -> None:
    found = machine.examine()
    assert found.headline == ""
    assert found.can_trace
    assert found.tracefs == str(machine.tracefs)
    assert all(item.ok for item in found.items), found
    assert found["btf"].detail.endswith("1.9 MiB")


def test_no_root(machine: Machine) -> None:
    machine.write(machine.proc / "mounts", b"")
    machine.write(machine.proc / "kallsyms", HIDDEN)
    found = machine.examine(euid=1000)
    assert found.headline == "no root: kallsyms addresses hidden and tracefs closed – run: sudo kptui"
    assert not found.can_trace
    assert found["addresses"].ok is None


def test_no_tracefs(machine: Machine) -> None:
    machine.write(machine.proc / "mounts", b"proc /proc proc rw 0 0\n")
    found = machine.examine()
    assert found.headline == "tracefs not mounted – mount -t tracefs nodev /sys/kernel/tracing"
    assert found.tracefs is None


def test_a_named_place_that_is_none(machine: Machine, tmp_path: Path) -> None:
    assert "holds no tracefs" in machine.examine(str(machine.proc)).headline
    assert "--tracefs" in machine.examine(str(tmp_path / "absent\x1b")).headline
    assert "\x1b" not in machine.examine(str(tmp_path / "absent\x1b")).headline


def test_no_kprobes(machine: Machine) -> None:
    (machine.tracefs / "kprobe_events").unlink()
    found = machine.examine()
    assert found.headline.startswith("this kernel has no kprobes (CONFIG_KPROBE_EVENTS)")
    assert not found.can_trace


def test_disarmed_kprobes_are_said_but_do_not_prevent_tracing(machine: Machine) -> None:
    machine.write(machine.sys / "kernel/debug/kprobes/enabled", b"0\n")
    found = machine.examine()
    assert "switched off" in found.headline
    assert "echo 1 >" in found.headline
    assert found.can_trace


def test_lockdown_leaves_tracefs_empty(machine: Machine) -> None:
    for name in ("kprobe_events", "uprobe_events"):
        (machine.tracefs / name).unlink()
    for name in ("events", "instances"):
        (machine.tracefs / name).rmdir()
    machine.write(machine.sys / "kernel/security/lockdown", b"none integrity [confidentiality]\n")
    found = machine.examine()
    assert "lockdown (confidentiality)" in found.headline
    assert found["lockdown"].ok is False
    (machine.sys / "kernel/security/lockdown").unlink()
    found = machine.examine()
    assert "lockdown (confidentiality)" in found.headline
    assert found["lockdown"].ok is None


def test_hidden_addresses_and_another_system(machine: Machine) -> None:
    machine.write(machine.proc / "kallsyms", HIDDEN)
    machine.write(machine.proc / "sys/kernel/kptr_restrict", b"2\n")
    assert machine.examine()["addresses"].remedy == "sysctl kernel.kptr_restrict=1"
    assert machine.examine().headline == ""
    machine.write(machine.proc / "kallsyms", b"")
    assert "empty" in machine.examine().headline
    found = machine.examine(uname=os.uname_result(("Darwin", "mac", "23", "", "arm64")))
    assert "no kprobes" in found.headline
    assert found["system"].ok is False


def test_kallsyms_is_read_whole_and_from_any_thread(tmp_path: Path) -> None:
    path = tmp_path / "kallsyms"
    path.write_bytes(SHOWN * 20_000)
    reading = start_reading(str(path))
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(reading.result())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [SHOWN * 20_000] * 3
    assert b" T " in start_reading().result()


@pytest.mark.parametrize("name", ["absent", "empty", ".", "-n", "nul\0"])
def test_kallsyms_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(KallsymsError) as caught:
        start_reading(f"{tmp_path}/{name}").result()
    assert "\n" not in str(caught.value)
    with pytest.raises(KallsymsError):
        start_reading("/dev/zero").result()


def test_processes_with_their_threads() -> None:
    with subprocess.Popen(["/bin/sleep", "30"]) as child:
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait)
        thread.start()
        try:
            by_pid = {process.pid: process for process in list_processes()}
            assert by_pid[child.pid].cmdline == "/bin/sleep 30"
            assert len(by_pid[os.getpid()].tids) >= 2
            assert os.getpid() in threads_of(os.getpid())
            started = start_time(child.pid)
            assert alive(child.pid, started)
            assert alive(child.pid, None)
            assert not alive(child.pid, (started or 0) + 1)
        finally:
            stop.set()
            thread.join()
            child.kill()
        while start_time(child.pid) is not None:
            pass
        assert not alive(child.pid, started)


def test_a_process_name_with_blanks_and_parentheses(tmp_path: Path) -> None:
    stat = b"7 (a) b\n(c) S 1 " + b" ".join(b"%d" % number for number in range(5, 53))
    Machine.write(tmp_path / "7/stat", stat)
    Machine.write(tmp_path / "8/stat", b"8 (x) Z 1 " + b"0 " * 50)
    Machine.write(tmp_path / "9/stat", b"\xff")
    assert start_time(7, tmp_path) == 22
    assert start_time(8, tmp_path) is None
    assert start_time(9, tmp_path) is None
