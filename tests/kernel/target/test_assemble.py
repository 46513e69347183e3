"""The kernel to judge for: what comes from files given, from this machine, and from the newest kernel known."""

from __future__ import annotations

from pathlib import Path

import pytest

from kptui.filters import ALL_FEATURES
from kptui.kernel.target import data
from kptui.kernel.target.assemble import Given, KernelTarget
from kptui.kernel.target.machine import Machine, find_file
from kptui.probes.check import check_definition, features_of
from kptui.probes.check.target import File
from kptui.probes.check.traits import README_FEATURES
from tests.btf.writer import Writer
from tests.headless.kernels import Files, files_of

RELEASE = "6.12.107+deb13-amd64"
NOWHERE = "/nonexistent"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return files_of("6.12", tmp_path)


class World:
    """A machine of plain files."""

    def __init__(self, folder: Path, files: Files) -> None:
        self.tracefs, self.sys, self.proc = folder / "tracefs", folder / "sys", folder / "proc"
        for event in ("sched/sched_switch", "g/e", "g/off"):
            path = self.tracefs / "events" / event
            path.mkdir(parents=True)
            (path / "format").write_text("x")
            (path / "enable").write_text("1\n" if event == "g/e" else "0\n")
        (self.tracefs / "events" / "enable").write_text("X\n")
        (self.tracefs / "README").write_bytes(files.readme.read_bytes())
        (self.tracefs / "dynamic_events").write_text("p:g/e vfs_read a=%di\np:g/off vfs_open\n")
        (self.tracefs / "available_filter_functions").write_text("vfs_read\nvfs_open\ndo_int3\n")
        for path, content in {
            self.sys / "kernel/btf/vmlinux": files.btf.read_bytes(),
            self.sys / "kernel/debug/kprobes/blacklist": b"0x1-0x2\tvfs_open\n",
            self.sys / "devices/system/cpu/possible": b"0-3\n",
            self.proc / "kallsyms": files.kallsyms.read_bytes(),
            self.proc / "modules": b"loop 1 0 - Live 0x0\n",
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def machine(self, release: str | None = RELEASE, tracefs: str | None = None) -> Machine:
        return Machine(tracefs or str(self.tracefs), sys=str(self.sys), proc=str(self.proc), release=release)


@pytest.fixture
def world(tmp_path: Path, files: Files) -> World:
    return World(tmp_path / "machine", files)


def bare(release: str = "6.18.44") -> Machine:
    """A machine that tells nothing but its release."""
    return Machine(NOWHERE, sys=NOWHERE, proc=NOWHERE, release=release)


def errors(kernel: KernelTarget, *lines: str) -> list[str | None]:
    return [check_definition(line, kernel.definitions).errno for line in lines]


def test_this_machine_as_it_is(world: World) -> None:
    kernel = KernelTarget(Given(), world.machine())
    assert errors(
        kernel,
        "p:x vfs_read a=file->f_inode",
        "p:x vfs_open",  # in the machine's blacklist
        "p:x d_path",  # not in its available_filter_functions
        "p:sched/sched_switch vfs_read",  # a static event
        "p:g/e vfs_read a=%di",  # stands
        "-:g/e",  # is enabled
        "-:g/off",
        "p:x loop:nothing_in_kallsyms",  # loaded, without symbols
    ) == [None, "EINVAL", "EINVAL", "EEXIST", "EEXIST", "EBUSY", None, "EINVAL"]
    assert kernel.remarks == []
    assert kernel.is_machine
    assert kernel.cpus == 4
    assert kernel.release == RELEASE
    assert kernel.has_function("vfs_read")
    assert kernel.has_function("nosuch") is False
    assert "cpus" in kernel.filter_features


def test_what_this_machine_forbids_counts_for_its_own_symbols_only(world: World, files: Files) -> None:
    kernel = KernelTarget(Given(kallsyms=files.kallsyms.read_bytes()), world.machine())
    assert errors(kernel, "p:x vfs_open", "p:x d_path", "p:x do_int3", "p:x loop:nothing") == [
        None,
        None,
        "EINVAL",
        None,
    ]
    assert not kernel.is_machine
    assert kernel.cpus is None


def test_given_definitions_take_the_place_of_the_machines(world: World) -> None:
    kernel = KernelTarget(Given(existing=("p:mine vfs_read\n", "# no\n")), world.machine())
    assert errors(kernel, "-:g/e", "-:kprobes/mine", "p:g/off vfs_read") == ["ENOENT", None, None]


def test_a_machine_that_tells_nothing_is_the_newest_kernel(files: Files) -> None:
    kernel = KernelTarget(Given(), bare())
    assert kernel.features == features_of(data.readme()) == frozenset(README_FEATURES)
    assert kernel.codes == data.codes()
    assert errors(kernel, "p:x anything a=(task_struct)$current->pid", "p:sched/sched_switch x", "-:x") == [
        None,
        "EEXIST",
        "ENOENT",
    ]
    told = " | ".join(kernel.remarks)
    assert told.count(data.NEWEST) == 2
    for option in ("--readme", "--kallsyms", "--btf", "--existing"):
        assert f"({option} FILE" in told
    assert KernelTarget(Given(), bare()).filter_features == ALL_FEATURES


def test_the_newest_readme_is_cut_to_what_btf_proves(world: World) -> None:
    (world.tracefs / "README").write_text("tracing mini-HOWTO:\n uprobe_events\n")
    kernel = KernelTarget(Given(), world.machine())
    assert {"typecast", "current", "this_cpu"} & kernel.features == set()
    assert {"btf", "members", "dentry"} <= kernel.features
    assert "knows no kprobe_events" in kernel.remarks[0]
    uprobes = KernelTarget(Given(), world.machine(), "uprobe")
    assert uprobes.features == {"uprobe"}
    assert uprobes.remarks == []


def test_no_btf_is_a_kernel_without_btf_arguments(world: World) -> None:
    kernel = KernelTarget(Given(btf="none"), world.machine())
    assert not {"btf", "members"} & kernel.features
    assert kernel.codes is None
    assert kernel.btf is None


def test_a_release_that_the_readme_denies_is_told(world: World, files: Files) -> None:
    readme = files.readme.read_text()
    for release, told in (("6.1.0-50-amd64", True), ("7.3.4", True), ("6.12.1", False)):
        kernel = KernelTarget(Given(readme=readme, release=release), world.machine())
        assert kernel.features
        assert any("the README is not that of release" in text for text in kernel.remarks) == told, release
    forgotten = KernelTarget(Given(readme=readme), bare("5.10.0"))
    assert forgotten.features
    assert any("this machine's release 5.10.0" in text for text in forgotten.remarks)


def test_the_checks_in_this_machines_btf_are_no_other_releases(world: World, files: Files) -> None:
    other = KernelTarget(Given(release="6.12.1"), world.machine())
    assert other.codes is None
    assert any("BTF is this machine's" in text for text in other.remarks)
    given = KernelTarget(Given(release="6.12.1", btf=files.btf.read_bytes()), world.machine())
    assert given.codes is not None
    assert "TP_ERR_NOSUP_BTFARG" in given.codes


def test_offsets_of_dentries_come_from_btf() -> None:
    from tests.btf.writer import Writer

    w = Writer()
    inner = w.struct("", 16, ("name", 0, 64))
    qstr = w.struct("qstr", 24, ("", inner, 0))
    w.struct("dentry", 64, ("d_flags", 0, 0), ("d_name", qstr, 256))
    path = w.struct("path", 16, ("mnt", 0, 0), ("dentry", 0, 64))
    union = w.struct("", 16, ("f_path", path, 0), ("__f_path", path, 0), kind=5)
    w.struct("file", 64, ("f_mode", 0, 0), ("", union, 128))
    kernel = KernelTarget(Given(btf=w.data(), kallsyms="none", release="6.18.1"), bare())
    assert kernel.definitions.dentry_offsets == (40, 24)


def test_bad_files_are_told(world: World) -> None:
    with pytest.raises(ValueError, match="BTF"):
        _ = KernelTarget(Given(btf=b"\x9f\xeb"), world.machine()).definitions
    with pytest.raises(ValueError, match="symbol"):
        _ = KernelTarget(Given(kallsyms=b"nothing"), world.machine()).definitions


def test_nothing_is_read_before_it_is_needed(world: World) -> None:
    (world.proc / "kallsyms").unlink()
    kernel = KernelTarget(Given(), world.machine())
    assert kernel.filter_features
    assert kernel.remarks == []  # symbols are asked for by .function only
    assert kernel.has_function("x") is None
    assert "symbols can't be read" in kernel.remarks[0]


def test_paths_of_uprobes_are_this_machines(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    link.symlink_to(file)
    found = find_file(str(file))
    assert isinstance(found, File)
    assert found.regular
    assert find_file(str(link)) == found
    assert find_file(str(tmp_path)) == File(False, (tmp_path.stat().st_dev, tmp_path.stat().st_ino))
    assert find_file("/nonexistent") == find_file("a\0b") == "ENOENT"
    assert find_file(f"{file}/x") == "ENOTDIR"


FORMAT = """name: sched_switch
ID: 300
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:pid_t next_pid;\toffset:8;\tsize:4;\tsigned:1;

print fmt: "%d", REC->next_pid
"""


def test_what_dynamic_events_need_is_this_machines(world: World) -> None:
    (world.tracefs / "events/sched/sched_switch/format").write_text(FORMAT)
    kernel = KernelTarget(Given(), world.machine(), "dynamic")
    assert errors(
        kernel,
        "f vfs_read",
        "f d_path",  # not in its available_filter_functions
        "f vfs_o*",
        "f nothing*",
        "f:g/e vfs_read",  # a kprobe of that name stands
        "e sched.sched_switch $next_pid if next_pid == 1",
        "e sched.sched_switch $common_pid",  # not the event's own
        "e sched.sched_switch if nosuch == 1",
        "e sched.sched_switch if 0",  # removes nothing here
        "e sched.nosuch",
        "e g.e",  # a kprobe
    ) == [None, "EINVAL", None, "EINVAL", "EEXIST", None, "EINVAL", "EINVAL", "EINVAL", "ENODEV", "ENODEV"]


def test_fields_of_another_kernels_events_come_from_its_types() -> None:
    w = Writer()
    word = w.integer("int", 4, signed=True)
    members = [
        ("ent", word, 0),
        ("__data_loc_name", word, 64),
        ("__rel_loc_path", word, 96),
        ("ret", word, 128),
    ]
    w.struct("trace_event_raw_my_event", 24, *members, ("__data", word, 160))
    kallsyms = b"".join(
        b"ffffffff8200%04x d %s\n" % (n * 16, name.encode())
        for n, name in enumerate(("event_my_event", "event_other", "str__mine__trace_system_name"))
    )
    given = Given(readme=data.readme(), kallsyms=kallsyms, btf=w.data(), release=data.NEWEST, existing=())
    kernel = KernelTarget(given, bare(), "dynamic")
    assert kernel.dynamic.event_fields("mine", "my_event") == ("name", "path", "ret")
    assert kernel.dynamic.event_fields("mine", "other") is None  # has its record in common with others
    assert kernel.dynamic.event_fields("kptui", "my_event") is None  # a dynamic one of that name
    lines = ("e mine.my_event $ret $name", "e mine.my_event $nosuch", "e mine.other $nosuch")
    assert errors(kernel, *lines) == [None, "EINVAL", None]


def test_event_probes_that_only_the_readme_has_are_none(world: World) -> None:
    kallsyms = b"ffffffff81000000 T _stext\nffffffff81000100 T trace_probe_init\n"
    (world.proc / "kallsyms").write_bytes(kallsyms)
    kernel = KernelTarget(Given(), world.machine(), "dynamic")
    assert errors(kernel, "e sched.sched_switch") == ["EINVAL"]
    (world.proc / "kallsyms").write_bytes(kallsyms + b"ffffffff81000200 t eprobe_register\n")
    kernel = KernelTarget(Given(), world.machine(), "dynamic")
    assert errors(kernel, "e sched.sched_switch") == [None]
