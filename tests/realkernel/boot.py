"""Boot a real kernel in QEMU on top of this machine's files and run a command in it.

The guest's root file system is this machine's own, seen through a throw-away overlay: the command finds every
program and file under the path it has here, and whatever it writes is gone at power-off, except below the
shared folders.  It runs as root, with tracefs (/sys/kernel/tracing), debugfs, cgroup2, /dev/pts and /dev/shm
mounted, the kernel's modules, a loopback and no other network.

Under software emulation the guest is up after 3 to 5 s and is 4 to 10 times slower than the host.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shlex
import shutil
import socket
import subprocess
import tempfile
import termios
import time
import tty
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.realkernel.image import initramfs, replace, vmlinux
from tests.realkernel.kernels import Kernel, KernelError, cache_folder, program_path

KEPT_ENVIRONMENT = re.compile(r"(PATH|HOME|TERM|COLORTERM|LANG|LANGUAGE|LC_\w+|TZ|PYTHON\w+)$")

# One thread for all CPUs.  With a thread each, QEMU 7.2 lets a CPU run stale code after another has patched
# it ("Oops: int3", or a hang in text_poke), and patching code is all that kprobes do.
TCG = "tcg,thread=single"
TCG_CPU = "Haswell-noTSX,-pcid,-invpcid,-x2apic,-tsc-deadline"  # less what TCG cannot do of it
BOOT_ARGUMENTS = (
    "console=ttyS0 panic=-1 oops=panic quiet loglevel=4 mitigations=off random.trust_cpu=on "
    "audit=0 apparmor=0 selinux=0 no_timer_check tsc=reliable"
)

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "modprobe": "kmod",
    "zstd": "zstd",
    "tmux": "tmux",
}
"""What a boot and the tests in it need on the host (the guest sees it there), and the Debian packages."""


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot: what to run in which kernel, and how.

    `command` of one word is a shell command line, of more a program and its arguments.  `shared` folders keep
    what the guest writes there.  `arguments` are more kernel arguments ("lockdown=confidentiality").
    `seconds` bounds the whole.  With `terminal` the command's terminal is ours.
    """

    kernel: Kernel
    command: tuple[str, ...]
    shared: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: str = ""
    seconds: float = 300
    cpus: int = 2
    memory: str = "2G"
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a boot ended.

    `status` is the command's exit status where there is one; `end` is "ended", "timeout" or "died" (the guest
    did not come up, or crashed).  `console` is the kernel's console, `boot_seconds` until the command began.
    """

    end: Literal["ended", "timeout", "died"]
    status: int | None
    console: str
    boot_seconds: float | None
    seconds: float

    @property
    def sentence(self) -> str:
        if self.end == "ended":
            return f"exit status {self.status} after {self.seconds:.0f} s"
        last = "\n".join(self.console.splitlines()[-30:])
        what = "no end" if self.end == "timeout" else "the guest ended without an exit status"
        return f"{what} after {self.seconds:.0f} s; its console ends:\n{last}"


def missing_packages() -> list[str]:
    """The Debian packages without which nothing can be booted here."""
    return [package for program, package in PROGRAMS.items() if not program_path(program)]


def run(boot: Boot, *, out: int = 1, err: int = 2) -> Outcome:
    """Boot, run the command, power off.  What it prints goes to the file descriptors `out` and `err`.

    Raises KernelError when the host lacks something.  QEMU ends with this process, whatever ends it.
    """
    missing = missing_packages()
    if missing:
        raise KernelError(f"missing to boot kernels (Debian packages): {' '.join(missing)}")
    started = time.monotonic()
    kvm = kvm_works(boot.kernel)
    with tempfile.TemporaryDirectory(prefix="realkernel-") as folder:
        control = Path(folder)
        write_control(boot, control)
        channel = Channel(boot.terminal, out, err)
        clock = time.time()
        # --pdeathsig: the guest must not outlive a killed test run.
        words = ["setpriv", "--pdeathsig", "KILL", *qemu_words(boot, control, kvm=kvm), *channel.words]
        machine = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=channel.given,
        )
        try:
            in_time = channel.copy_until_end(machine, started + boot.seconds)
        finally:
            if machine.poll() is None:
                machine.kill()
            machine.wait()
            assert machine.stderr is not None
            machine.stderr.close()
            channel.close()
        console = control / "console"
        uptime = control / "uptime"
        try:
            status = int((control / "status").read_text())
        except (OSError, ValueError):
            status = None
        return Outcome(
            end="timeout" if not in_time else "died" if status is None else "ended",
            status=status if in_time else None,
            console=console.read_text(errors="replace") if console.exists() else "",
            boot_seconds=uptime.stat().st_mtime - clock if uptime.exists() else None,
            seconds=time.monotonic() - started,
        )


def kvm_works(kernel: Kernel) -> bool:
    """Whether KVM can run a stock kernel; ``/dev/kvm`` alone says little.

    Some nested hosts offer a KVM that only runs kernels built for it, and a stock one hangs there.  So one is
    really booted, and the answer kept until the host boots again.  KPTUI_ACCEL=tcg or kvm decides without.
    """
    chosen = os.environ.get("KPTUI_ACCEL")
    if chosen in {"tcg", "kvm"}:
        return chosen == "kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    if not re.search(r"^flags.*\b(vmx|svm)\b", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
        return False
    host_boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    verdict = cache_folder() / ".kvm"
    if verdict.exists() and verdict.read_text().split() in ([host_boot, "yes"], [host_boot, "no"]):
        return verdict.read_text().split()[1] == "yes"
    # Without an initramfs it panics for want of a root, reboots, and QEMU exits.
    words = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "512", "-nodefaults"]
    words += ["-display", "none", "-no-reboot", "-kernel", str(vmlinux(kernel)), "-append", "panic=-1 quiet"]
    try:
        quiet = subprocess.DEVNULL
        tried = subprocess.run(words, stdin=quiet, stdout=quiet, stderr=quiet, timeout=20, check=False)
        works = tried.returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    replace(verdict, f"{host_boot} {'yes' if works else 'no'}\n".encode())
    return works


def write_control(boot: Boot, control: Path) -> None:
    """What the guest's init reads: the command with its environment, and settings."""
    environment = {key: value for key, value in os.environ.items() if KEPT_ENVIRONMENT.match(key)}
    environment |= boot.environment
    environment.setdefault("TERM", "xterm-256color")
    script = [f"export {key}={shlex.quote(value)}" for key, value in sorted(environment.items())]
    if len(boot.command) == 1:
        script.append(f"exec /bin/sh -c {shlex.quote(boot.command[0])}")
    else:
        script.append(f"exec {shlex.join(boot.command)}")
    (control / "command").write_text("\n".join(script) + "\n")
    for number, folder in enumerate(boot.shared):
        (control / f"share{number}").write_text(os.path.realpath(folder))
    size = shutil.get_terminal_size((80, 24))
    settings = {
        "KERNEL_ROOT": str(boot.kernel.root.resolve()),
        "TERMINAL": str(int(boot.terminal)),
        "ROWS": str(size.lines),
        "COLS": str(size.columns),
        "FOLDER": os.getcwd(),
        "SHARES": " ".join(f"share{number}" for number in range(len(boot.shared))),
    }
    text = "".join(f"{key}={shlex.quote(value)}\n" for key, value in settings.items())
    (control / "settings").write_text(text)


def qemu_words(boot: Boot, control: Path, *, kvm: bool) -> list[str]:
    words = ["qemu-system-x86_64", "-machine", "pc", "-accel", "kvm" if kvm else TCG]
    words += ["-cpu", "host" if kvm else TCG_CPU, "-smp", str(boot.cpus), "-m", boot.memory]
    words += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    words += ["-kernel", str(vmlinux(boot.kernel)), "-initrd", str(initramfs(boot.kernel))]
    words += ["-append", f"{BOOT_ARGUMENTS} {boot.arguments}".rstrip()]
    words += ["-chardev", f"file,id=log,path={control / 'console'}", "-serial", "chardev:log"]
    words += ["-device", "virtio-serial-pci"]
    words += share("hostroot", "/", ",readonly=on") + share("control", str(control))
    for number, folder in enumerate(boot.shared):
        if not folder.is_dir():
            raise KernelError(f"no folder {folder} to share")
        words += share(f"share{number}", os.path.realpath(folder))
    return words


def share(tag: str, path: str, more: str = "") -> list[str]:
    escaped = path.replace(",", ",,")
    options = f"local,id={tag},path={escaped},security_model=none,multidevs=remap{more}"
    return ["-fsdev", options, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


class Channel:
    """What the command prints on its way from QEMU to us; with a terminal, our keys the other way too."""

    def __init__(self, terminal: bool, out: int, err: int) -> None:
        self.copies: dict[int, int] = {}  # from a file descriptor to another
        self.words: list[str] = []
        given = []
        self._own: list[int] = []
        self._terminal = None
        self._err = err
        if terminal:
            ours, theirs = socket.socketpair()
            self._own = [ours.detach()]
            self.copies = {self._own[0]: out, 0: self._own[0]}
            given.append(theirs.detach())
            self.words = ["-chardev", f"socket,id=tty,fd={given[0]}", "-device", "virtconsole,chardev=tty"]
            self._terminal = termios.tcgetattr(0) if os.isatty(0) else None
        else:
            for number, (name, target) in enumerate((("out", out), ("err", err)), 1):
                reader, writer = os.pipe()
                self._own.append(reader)
                self.copies[reader] = target
                given.append(writer)
                self.words += ["-add-fd", f"fd={writer},set={number}"]
                self.words += ["-chardev", f"file,id={name},path=/dev/fdset/{number},append=on"]
                self.words += ["-device", f"virtserialport,chardev={name},name={name}"]
        self.given = tuple(given)

    def copy_until_end(self, machine: subprocess.Popen[bytes], deadline: float) -> bool:
        """Copy until QEMU ends; False when `deadline` (monotonic seconds) came first."""
        for descriptor in self.given:  # QEMU has them now
            os.close(descriptor)
        self.given = ()
        assert machine.stderr is not None
        self.copies[machine.stderr.fileno()] = self._err
        if self._terminal:
            tty.setraw(0)
        with selectors.DefaultSelector() as selector:
            for descriptor in self.copies:
                with contextlib.suppress(PermissionError):  # a plain file or /dev/null as input
                    selector.register(descriptor, selectors.EVENT_READ)
            while set(selector.get_map()) - {0}:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                for key, _ in selector.select(min(left, 1)):
                    self._copy(key.fd, selector)
        try:
            machine.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _copy(self, descriptor: int, selector: selectors.BaseSelector) -> None:
        try:
            data = os.read(descriptor, 65536)
        except ConnectionResetError:
            data = b""
        if not data:
            selector.unregister(descriptor)
        while data:
            data = data[os.write(self.copies[descriptor], data) :]

    def close(self) -> None:
        if self._terminal:
            termios.tcsetattr(0, termios.TCSADRAIN, self._terminal)
        for descriptor in (*self._own, *self.given):
            os.close(descriptor)
        self._own, self.given = [], ()
