"""What the argument helper suggests, defined in a real kernel, and read while a program does what we know.

Run as root in a guest; prints ``ok NAME`` or ``FAIL NAME detail`` for each step and exits 1 when one failed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from kptui.btf import Btf
from kptui.btf.types import FUNC
from kptui.events.model import TraceEvent
from kptui.events.parse import TraceParser, arg_specs
from kptui.kernel.target.machine import Machine
from kptui.probes.check import features_of
from kptui.probes.check.traits import traits_of
from kptui.probes.definition import Kind, Place, Probe, parse_probe
from kptui.probes.suggest import Knowledge, help_at
from kptui.probes.suggest.offers import known_signature
from kptui.probes.syscalls import enter_event
from kptui.symbols.renames import successors
from tests.realkernel.guest import tracefs

FUNCTIONS = 300
SEED = 4
CHUNK = 20
INSTANCE = "instances/argtest"
GROUP = "argtest"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


class Kernel:
    """This machine's types, symbols and events."""

    def __init__(self) -> None:
        self.machine = Machine(str(tracefs.ROOT))
        data = self.machine.btf()
        assert data is not None, "no BTF"
        self.btf = Btf.parse(data)
        self.features = features_of(self.machine.readme or "")

    @cached_property
    def probeable(self) -> list[str]:
        """Functions of the kernel itself that BTF knows, that can be traced, and whose symbol is there once."""
        data = self.machine.kallsyms() or b""
        counts = Counter(re.findall(rb"(?m)^\S+ \S (\S+)", data))
        forbidden = self.machine.blacklist() or frozenset()
        traceable = self.machine.traceable() or frozenset()
        named = {self.btf.name(number) for number in self.btf.numbers(FUNC)}
        return sorted(
            name for name in named & traceable if counts[name.encode()] == 1 and name not in forbidden
        )

    def known(self, symbol: str, module: str | None = None) -> Knowledge:
        """What the helper is told of a function."""
        btf = self.btf
        if module is not None:
            data = self.machine.module_btf(module)
            assert data is not None, f"no BTF of {module}"
            btf = Btf.parse(data, self.btf)
        own = self.machine.event_format("syscalls", f"sys_enter_{symbol.removeprefix('__x64_sys_')}")
        return Knowledge(btf, self.features, None if own is None else enter_event(own))

    def suggested(
        self, symbol: str, kind: Kind, event: str, module: str | None = None, *, but: str = ""
    ) -> Probe:
        """A probe with everything that is suggested at a function, ``but`` for one row."""
        place = Place(symbol, module=module)
        rows = help_at(place, kind, self.known(symbol, module)).rows
        return Probe(kind, place, GROUP, event, None, tuple(row.arg for row in rows if row.name != but))


def define(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Define in few writes; the lines that were refused, each with the kernel's answer."""
    refused = []
    for start in range(0, len(lines), CHUNK):
        chunk = lines[start : start + CHUNK]
        try:
            tracefs.append("kprobe_events", "\n".join(chunk))
            continue
        except OSError:
            pass
        for line in chunk:
            name = line.split()[0].partition(":")[2]
            if any(name == f"{GROUP}/{event}" for event in defined()):
                continue
            try:
                tracefs.append("kprobe_events", line)
            except OSError as error:
                said = tracefs.read("error_log").strip().split("\n")[-3:]
                refused.append((line, f"{os.strerror(error.errno or 0)}: {' / '.join(said)}"))
    return refused


def defined() -> list[str]:
    """Our events that stand."""
    return re.findall(rf"^[pr]\d*:{GROUP}/(\S+)", tracefs.read("kprobe_events"), re.MULTILINE)


def remove_all() -> None:
    names = defined()
    for start in range(0, len(names), CHUNK):
        tracefs.append(
            "kprobe_events", "\n".join(f"-:{GROUP}/{name}" for name in names[start : start + CHUNK])
        )


def step_three_hundred_functions(kernel: Kernel) -> str:
    """Nothing is enabled: the kernel's parser and its registering of the probe are asked."""
    begin = time.monotonic()
    names = random.Random(SEED).sample(kernel.probeable, FUNCTIONS)
    listed = time.monotonic()
    probes = [kernel.suggested(name, "p", f"e{n}") for n, name in enumerate(names)]
    probes += [kernel.suggested(name, "r", f"r{n}") for n, name in enumerate(names[::5])]
    made = time.monotonic()
    refused = define([str(probe) for probe in probes])
    standing = len(defined())
    asked = time.monotonic()
    remove_all()
    assert not refused, f"{len(refused)} refused: {refused[:3]}"
    assert standing == len(probes), (standing, len(probes))
    assert not defined()
    args = sum(len(probe.args) for probe in probes)
    took = f"list {listed - begin:.0f} make {made - listed:.0f} define {asked - made:.0f} s"
    return f"{FUNCTIONS} of {len(kernel.probeable)} functions, {len(probes)} probes, {args} arguments; {took}"


def step_native_forms(kernel: Kernel) -> str:
    """Each native form alone, and what the kernel makes of it: the same as ours where it lists it lowered."""
    rows: list[Probe] = []
    for symbol in ("vfs_read", "tcp_connect", "do_unlinkat", "filp_open"):
        for kind in ("p", "r"):
            chosen: Kind = "p" if kind == "p" else "r"
            for row in help_at(Place(symbol), chosen, kernel.known(symbol)).rows:
                if row.native is not None:
                    rows.append(Probe(chosen, Place(symbol), GROUP, f"n{len(rows)}", None, (row.native,)))
    refused = define([str(probe) for probe in rows])
    remove_all()
    assert not refused, refused[:3]
    assert bool(rows) == ("members" in kernel.features), (len(rows), sorted(kernel.features))
    return f"{len(rows)} native forms"


# -- values


class Tracing:
    """Everything that is suggested at some functions, recorded while a program runs."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = probes
        self.events: list[TraceEvent] = []

    def __enter__(self) -> Tracing:
        os.mkdir(tracefs.ROOT / INSTANCE)
        refused = define([str(probe) for probe in self._probes])
        assert not refused, refused
        (tracefs.ROOT / f"{INSTANCE}/options/event-fork").write_text("1")
        (tracefs.ROOT / f"{INSTANCE}/set_event_pid").write_text(
            str(os.getpid())
        )  # and children, not all the guest
        (tracefs.ROOT / f"{INSTANCE}/events/{GROUP}/enable").write_text("1")
        return self

    def __exit__(self, *error: object) -> None:
        (tracefs.ROOT / f"{INSTANCE}/events/{GROUP}/enable").write_text("0")
        formats = {p.event or "": tracefs.read(f"events/{GROUP}/{p.event}/format") for p in self._probes}
        specs = {name: arg_specs(text.partition("print fmt:")[2]) for name, text in formats.items()}
        parser = TraceParser(specs)
        data = (tracefs.ROOT / INSTANCE / "trace").read_bytes()
        records = [*parser.feed(data), *parser.close()]
        self.events = [record for record in records if isinstance(record, TraceEvent)]
        os.rmdir(tracefs.ROOT / INSTANCE)
        remove_all()

    def of(self, event: str, pid: int) -> list[dict[str, object]]:
        """The arguments of the events of one process, in order."""
        return [
            {arg.name: arg.value for arg in found.args}
            for found in self.events
            if found.event == event and found.pid == pid
        ]

    def one(self, event: str, pid: int, **wanted: str) -> dict[str, object]:
        """The one event with those values."""
        found = [
            e for e in self.of(event, pid) if all(e.get(name) == value for name, value in wanted.items())
        ]
        assert len(found) == 1, (event, wanted, found or self.of(event, pid)[-3:])
        return found[0]


def same(event: dict[str, object], **wanted: object) -> None:
    """The values, compared as text and, where they are numbers, in any base."""
    wrong = {
        name: (event.get(name), value) for name, value in wanted.items() if not _equal(event.get(name), value)
    }
    assert not wrong, f"{wrong} in {event}"


def _equal(seen: object, wanted: object) -> bool:
    if isinstance(wanted, int):
        return isinstance(seen, str) and int(seen, 0) == wanted
    if isinstance(wanted, tuple):
        return isinstance(seen, tuple) and tuple(int(item, 0) for item in seen if item is not None) == wanted
    return seen == wanted


def child(code: str, *words: str) -> tuple[int, str]:
    """Run Python; its process id and what it printed."""
    with subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", code, *words], stdout=subprocess.PIPE, text=True
    ) as process:
        out = process.communicate(timeout=60)[0]
    assert process.returncode == 0, out
    return process.pid, out


FILES = """
import os, sys
path, = sys.argv[1:]
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
os.write(fd, b"x" * 5000)
os.lseek(fd, 1000, 0)
print(len(os.read(fd, 4097)), os.fstat(fd).st_ino)
os.close(fd)
os.unlink(path)
"""


def step_files(kernel: Kernel) -> str:
    """vfs_read, do_sys_openat2 and do_unlinkat, which 7.3 has as filename_unlinkat."""
    unlink = next(name for name in ("do_unlinkat", *successors("do_unlinkat")) if name in kernel.probeable)
    # A buffer that isn't filled yet may hold 4 KB without a NUL byte: then the event is too large and lost.
    probes = [
        kernel.suggested("vfs_read", "p", "read", but="buf_text"),
        kernel.suggested("vfs_read", "r", "read_ret", but="buf_text"),
        kernel.suggested("do_sys_openat2", "p", "open"),
        kernel.suggested("do_sys_openat2", "r", "open_ret"),
        kernel.suggested(unlink, "p", "unlink"),
        kernel.suggested("__x64_sys_openat", "p", "openat"),
    ]
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    path = os.path.join(folder, "known-name.txt")
    with Tracing(probes) as tracing:
        pid, out = child(FILES, path)
    os.rmdir(folder)
    got, inode = map(int, out.split())
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    read = tracing.one("read", pid, name="known-name.txt")
    same(read, count=4097, dir=os.path.basename(folder), ino=inode, pos_value=1000, comm=read["comm"])
    assert int(str(read["flags"]), 0) & os.O_ACCMODE == os.O_RDWR
    if "return_args" in kernel.features:
        same(tracing.one("read_ret", pid, name="known-name.txt"), ret=got, count=4097)
    assert str(got) in [event["ret"] for event in tracing.of("read_ret", pid)]
    opened = tracing.one("open", pid, filename=path)
    same(opened, dfd=-100)
    same(opened, how_flags=flags | 0o100000, how_mode=0o640)
    same(tracing.one("openat", pid, filename=path), dfd=-100, mode=0o640)
    removed = tracing.one("unlink", pid, path=path)
    same(removed, dfd=-100)
    assert removed.get("upath", path) == path, removed  # 7.3 keeps no pointer into the caller's memory
    return f"count {read['count']} pos {read['pos_value']} ret {got} flags {opened['how_flags']}"


CONNECT = """
import socket, sys
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
client = socket.socket()
client.connect(server.getsockname())
print(server.getsockname()[1], client.getsockname()[1], client.fileno())
"""


def step_tcp(kernel: Kernel) -> str:
    """tcp_connect, and the call that leads there."""
    _loopback_up()
    probes = [kernel.suggested("tcp_connect", "p", "tcp"), kernel.suggested("__x64_sys_connect", "p", "call")]
    with Tracing(probes) as tracing:
        pid, out = child(CONNECT)
    server, client, descriptor = map(int, out.split())
    (tcp,) = tracing.of("tcp", pid)
    same(tcp, daddr=(127, 0, 0, 1), saddr=(127, 0, 0, 1), dport_be=socket.htons(server), sport=client)
    same(tcp, family=2, protocol=6)
    (call,) = tracing.of("call", pid)
    same(call, fd=descriptor, addrlen=16, uservaddr_family=2, uservaddr_port_be=socket.htons(server))
    same(call, uservaddr_ipv4_be=int.from_bytes(bytes((127, 0, 0, 1)), "little"))
    return f"port {server} is {tcp['dport_be']}, own {tcp['sport']}"


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(one, SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def step_execve(kernel: Kernel) -> str:
    """__x64_sys_execve: the call's own arguments, through the saved registers."""
    with (
        Tracing([kernel.suggested("__x64_sys_execve", "p", "exec")]) as tracing,
        subprocess.Popen(
            ["/bin/sh", "-c", "exec /bin/true one 'two words'"], env={"FIRST": "1", "SECOND": "2"}
        ) as process,
    ):
        process.wait(timeout=60)
    found = tracing.one("exec", process.pid, filename="/bin/true")
    same(found, argv0="/bin/true", argv1="one", argv2="two words", nr=59)
    assert isinstance(found["argv"], tuple)
    assert found["argv"][:3] == ("/bin/true", "one", "two words"), found["argv"]
    # For an entry without a string 5.10 shows the text of the next one.
    assert found["argv"][3] is None or os.uname().release.startswith("5.10."), found["argv"]
    environment = {found["envp0"], found["envp1"]}
    assert {"FIRST=1", "SECOND=2"} <= environment | {found["envp2"]}, found
    return f"{found['argv']}"


def step_module(kernel: Kernel) -> str:
    """A module's function, by the module's own types: whichever file system of the guest is one."""
    if os.uname().release.startswith("5.10."):  # modules have types since 5.11
        assert os.listdir("/sys/kernel/btf") == ["vmlinux"]
        return "no module has types"
    module, function, folder = _file_system(kernel)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="module-") as file:
        with Tracing([kernel.suggested(function, "p", "open", module)]) as tracing:
            pid, _ = child("import os, sys; os.close(os.open(sys.argv[1], os.O_RDONLY))", file.name)
        inode = os.stat(file.name).st_ino
        found = tracing.one("open", pid, name=os.path.basename(file.name))
        assert int(str(found["flags"]), 0) & os.O_ACCMODE == os.O_RDONLY
    signed = known_signature(function, kernel.known(function, module))
    assert signed is not None
    return f"{signed.prototype} [{module}] name {found['name']} inode {inode}"


def _file_system(kernel: Kernel) -> tuple[str, str, str]:
    kinds = {"overlay": "ovl_open", "9p": "v9fs_file_open", "ext4": "ext4_file_open"}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        writable = "rw" in options.split(",") and os.access(where, os.W_OK)
        if kind in kinds and writable and kernel.machine.module_btf(kind) is not None:
            return kind, kinds[kind], where
    raise AssertionError(f"no file system of a module: {Path('/proc/mounts').read_text()}")


def step_other_text(kernel: Kernel) -> str:
    """A string behind a NULL: whether the kernel shows the next one's text is what the checker says of it."""
    line = f"p:{GROUP}/sleep do_nanosleep text=+0(+8(\\0)):string comm=$comm last=+0(+8(\\0)):string"
    with Tracing([parse_probe(line)]) as tracing:
        pid, _ = child("import time; time.sleep(0.001)")
    found = tracing.of("sleep", pid)[-1]
    traits = traits_of(os.uname().release, kernel.features)
    assert found["comm"], found
    assert (found["text"], found["last"]) == (found["comm"] if traits.other_text else None, None), found
    return f"{found['text']}, last {found['last']}"


STEPS: tuple[Callable[[Kernel], str], ...] = (
    step_three_hundred_functions,
    step_native_forms,
    step_files,
    step_tcp,
    step_execve,
    step_module,
    step_other_text,
)


def main(names: list[str]) -> int:
    failed = 0
    kernel = Kernel()
    before = tracefs.State.now()
    for step in STEPS:
        name = step.__name__.removeprefix("step_")
        if names and name not in names:
            continue
        begin = time.monotonic()
        try:
            detail = step(kernel)
            left = before.differences(tracefs.State.now())
            assert not left, left
            print(f"ok {name} ({time.monotonic() - begin:.1f} s) {detail}".rstrip(), flush=True)
        except Exception as error:  # noqa: BLE001 - a failing step must not hide the others
            failed += 1
            where = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == __file__][-1]
            print(f"FAIL {name} line {where.lineno}: {error!r} [{where.line}]", flush=True)
            with contextlib.suppress(OSError):
                os.rmdir(tracefs.ROOT / INSTANCE)
            with contextlib.suppress(OSError):
                remove_all()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
