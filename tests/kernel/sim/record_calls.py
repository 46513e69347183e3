"""Runs in a guest with a real kernel: records the calls that the simulated kernel replays.

Defines an entry and a return probe on each function of FUNCTIONS, which fetch the registers, the top of the
stack and the memory behind the arguments, plays a small server's daily work and saves the trace as text,
together with /proc/kallsyms, available_filter_functions and the blacklist. ``pack_calls`` and
``pack_symbols`` make the package's data from it.

    vmrun --kernel 6.12 --timeout 600 --share DIR -- python3 record_calls.py DIR
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

T = Path("/sys/kernel/tracing")
LIBC = ctypes.CDLL(None, use_errno=True)
REGISTERS = ("di", "si", "dx", "cx", "r8", "r9", "ax", "bx", "bp", "flags")
PT_REGS = "+0(%di):x64[21]"
FILE = ("+0(%di):x64[24]", "+0(+0x48(%di)):x64[16]", "+0(+0x28(+0x48(%di))):string")
DENTRY_SI = ("+0(%si):x64[16]", "+0(+0x28(%si)):string")
SOCKET_DI = ("+0(%di):x64[8]",)


def user_string(register: str) -> str:
    return f"+0(%{register}):ustring"


# Memory that each function's probe reads: expression:type, as written after the argument's name.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "do_sys_openat2": (user_string("si"), "+0(%dx):x64[3]"),
    "do_filp_open": ("+0(+0(%si)):string", "+0(%si):x64[4]", "+0(%dx):x64[4]"),
    "vfs_open": ("+0(%di):x64[2]", "+0(+8(%di)):x64[16]", "+0(+0x28(+8(%di))):string"),
    "vfs_read": (*FILE, "+0(%cx):s64"),
    "vfs_write": (*FILE, "+0(%si):x64[4]", "+0(%cx):s64"),
    "vfs_fsync_range": FILE,
    "vfs_unlink": ("+0(%dx):x64[16]", "+0(+0x28(%dx)):string"),
    "do_unlinkat": ("+0(+0(%si)):string", "+0(%si):x64[4]"),
    "do_mkdirat": ("+0(+0(%si)):string", "+0(%si):x64[4]"),
    "do_renameat2": ("+0(+0(%si)):string", "+0(%si):x64[4]", "+0(+0(%cx)):string", "+0(%cx):x64[4]"),
    "filename_lookup": ("+0(+0(%si)):string", "+0(%si):x64[4]"),
    "vfs_statx": ("+0(+0(%si)):string", "+0(%si):x64[4]"),
    "__x64_sys_execve": (
        PT_REGS,
        "+0(+112(%di)):ustring",
        "+0(+104(%di)):x64[4]",
        "+0(+0(+104(%di))):ustring",
        "+0(+8(+104(%di))):ustring",
        "+0(+16(+104(%di))):ustring",
        "+0(+24(+104(%di))):ustring",
    ),
    "bprm_execve": ("+0(%di):x64[24]", "+0(+0x60(%di)):string"),
    "security_bprm_check": ("+0(%di):x64[24]", "+0(+0x60(%di)):string"),
    "begin_new_exec": ("+0(%di):x64[24]", "+0(+0x60(%di)):string"),
    "__x64_sys_openat": (PT_REGS, "+0(+104(%di)):ustring"),
    "__x64_sys_read": (PT_REGS,),
    "__x64_sys_write": (PT_REGS, "+0(+104(%di)):x64[4]"),
    "__x64_sys_pread64": (PT_REGS,),
    "__x64_sys_pwrite64": (PT_REGS, "+0(+104(%di)):x64[4]"),
    "__x64_sys_close": (PT_REGS,),
    "__x64_sys_unlink": (PT_REGS, "+0(+112(%di)):ustring"),
    "__x64_sys_unlinkat": (PT_REGS, "+0(+104(%di)):ustring"),
    "__x64_sys_rename": (PT_REGS, "+0(+112(%di)):ustring", "+0(+104(%di)):ustring"),
    "__x64_sys_mkdir": (PT_REGS, "+0(+112(%di)):ustring"),
    "__x64_sys_newfstatat": (PT_REGS, "+0(+104(%di)):ustring"),
    "__x64_sys_fsync": (PT_REGS,),
    "__x64_sys_socket": (PT_REGS,),
    "__x64_sys_connect": (PT_REGS, "+0(+104(%di)):x64[2]"),
    "__x64_sys_accept4": (PT_REGS,),
    "__x64_sys_sendto": (PT_REGS, "+0(+104(%di)):x64[4]"),
    "__x64_sys_recvfrom": (PT_REGS,),
    "__x64_sys_clone": (PT_REGS,),
    "__x64_sys_kill": (PT_REGS,),
    "__x64_sys_exit_group": (PT_REGS,),
    "__x64_sys_clock_nanosleep": (PT_REGS, "+0(+96(%di)):x64[2]"),
    "tcp_v4_connect": ("+0(%di):x64[8]", "+0(%si):x64[2]"),
    "tcp_connect": ("+0(%di):x64[8]",),
    "tcp_sendmsg": ("+0(%di):x64[8]",),
    "tcp_recvmsg": ("+0(%di):x64[8]",),
    "tcp_close": ("+0(%di):x64[8]",),
    "inet_csk_accept": ("+0(%di):x64[8]",),
    "do_nanosleep": ("+0(%di):x64[6]",),
    "kernel_clone": ("+0(%di):x64[11]",),
    "wake_up_new_task": (),
    "do_exit": (),
    "do_wait": (),
    "exit_mmap": (),
    "send_signal_locked": (),
    "security_file_open": FILE,
    "ext4_file_open": ("+0(%si):x64[24]", "+0(+0x48(%si)):x64[16]", "+0(+0x28(+0x48(%si))):string"),
    "ext4_file_write_iter": (
        "+0(%di):x64[6]",
        "+0(+0(%di)):x64[24]",
        "+0(+0x48(+0(%di))):x64[16]",
        "+0(+0x28(+0x48(+0(%di)))):string",
    ),
    "ext4_sync_file": FILE,
    "submit_bio": ("+0(%di):x64[8]",),
    "__kmalloc_noprof": (),
    "kmem_cache_alloc_noprof": ("+0(%di):x64[13]", "+0(+0x60(%di)):string"),
}
NO_RETURN = {"do_exit", "__x64_sys_exit_group"}
VOID = {"wake_up_new_task", "exit_mmap", "submit_bio", "tcp_close"}
STATICS = {
    "linux_banner": "@linux_banner:string",
    "jiffies_64": "@jiffies_64:x64",
    "init_task": "@init_task:x64[16]",
    "init_uts_ns": "@init_uts_ns:x64[16]",
}


def put(path: str, text: str) -> None:
    fd = os.open(T / path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def definitions() -> list[str]:
    lines = []
    for function, memory in FUNCTIONS.items():
        words = [f"{r}=%{r}" for r in REGISTERS] + ["st=+0($stack):x64[4]", "sp=$stack"]
        words += [f"m{i}={m}" for i, m in enumerate(memory)]
        lines.append(f"p:rec/E_{function} {function} {' '.join(words)}")
        if function not in NO_RETURN:
            result = "ret=%ax:s64" if function in VOID else "ret=$retval"
            lines.append(f"r200:rec/R_{function} {function} {result} dx=%dx")
    lines.append("p:rec/STATIC do_unlinkat " + " ".join(f"{k}={v}" for k, v in STATICS.items()))
    return lines


def play(name: str, pid: int, work) -> int:  # type: ignore[no-untyped-def]
    """Start ``work`` in a process of that name and that number."""
    Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
    child = os.fork()
    if child:
        return child
    LIBC.prctl(15, name.encode(), 0, 0, 0)
    try:
        work()
    except Exception as error:  # noqa: BLE001
        print(name, repr(error), file=sys.stderr)
    finally:
        os._exit(0)


def quiet(*command: str) -> None:
    subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )


END = 0.0


def until(pause: float):  # type: ignore[no-untyped-def]
    turn = 0
    while time.monotonic() < END:
        yield turn
        turn += 1
        time.sleep(pause)


def nginx() -> None:
    server = LISTENER
    log = os.open("/var/log/nginx/access.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    server.settimeout(1.0)
    while time.monotonic() < END:
        try:
            peer, address = server.accept()
        except TimeoutError:
            continue
        request = peer.recv(1024).split(b" ")[1].decode()
        path = "/var/www/html" + (request if request != "/" else "/index.html")
        try:
            with open(path, "rb", buffering=0) as page:
                body, status = page.read(65536), 200
        except OSError:
            body, status = b"not found\n", 404
        peer.send(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        peer.close()
        os.write(log, b'%s - "GET %s" %d %d\n' % (address[0].encode(), request.encode(), status, len(body)))


def client() -> None:
    for turn in until(1.9):
        page = ("/", "/style.css", "/missing.html", "/logo.svg")[turn % 4]
        with socket.create_connection(("127.0.0.1", 8080)) as link:
            link.send(f"GET {page} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            while link.recv(4096):
                pass


def refused() -> None:
    for _ in until(6.3):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 6379), timeout=1).close()


def postgres() -> None:
    table = os.open("/var/lib/postgresql/base/16384/2619", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(table, b"\0" * 65536)
    for turn in until(1.3):
        os.pread(table, 8192, 8192 * (turn % 8))
        if turn % 3 == 0:
            wal = os.open(
                "/var/lib/postgresql/pg_wal/000000010000000000000001", os.O_RDWR | os.O_CREAT, 0o600
            )
            os.pwrite(wal, b"INSERT %06d" % turn * 40, turn * 512)
            os.fsync(wal)
            os.close(wal)
        if turn % 7 == 6:
            os.pwrite(table, b"x" * 8192, 8192)
            os.fsync(table)


def autovacuum() -> None:
    for turn in until(5.1):
        name = f"/var/lib/postgresql/pgsql_tmp{turn}"
        fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.write(fd, b"sorted run" * 100)
        os.close(fd)
        os.unlink(name)


def sshd() -> None:
    a, b = socket.socketpair()
    for turn in until(2.7):
        a.send(b"\x00\x00\x00\x20" + b"k" * 28)
        b.recv(64)
        if turn % 5 == 4:
            with open("/etc/passwd", "rb") as f:
                f.read()


def systemd() -> None:
    for turn in until(4.1):
        for path in ("/proc/1/cgroup", "/sys/fs/cgroup/cgroup.procs", "/proc/self/mountinfo"):
            with contextlib.suppress(OSError), open(path, "rb", buffering=0) as f:
                f.read(4096)
        if turn % 3 == 1:
            os.kill(os.getpid(), 0)


def journald() -> None:
    fd = os.open("/var/log/journal.log", os.O_RDWR | os.O_CREAT, 0o640)
    for turn in until(3.3):
        os.write(fd, b"MESSAGE=session %d opened for user root\n" % turn)
        if turn % 4 == 3:
            os.fsync(fd)


def cron() -> None:
    for turn in until(4.7):
        for path in ("/etc/crontab", "/etc/cron.d", "/var/spool/cron/crontabs"):
            with contextlib.suppress(OSError):
                os.stat(path)
        if turn % 3 == 2:
            quiet("/bin/sh", "-c", "cd / && test -x /usr/sbin/anacron")


def script() -> None:
    for turn in until(2.2):
        name = f"/tmp/report-{turn}.tmp"
        with open(name, "w") as f:
            f.write("total 42\n" * 10)
        os.stat(name)
        if turn % 2:
            os.rename(name, "/tmp/report.txt")
        else:
            os.unlink(name)
        with contextlib.suppress(OSError):
            open(f"/etc/app/{('config.toml', 'secrets.env')[turn % 2]}").close()


SHELL = """
while :; do
  ls -l /etc >/dev/null; sleep 1.1
  cat /etc/passwd /etc/hostname >/dev/null; sleep 0.9
  grep -q root /etc/group; sleep 0.7
  dd if=/dev/zero of=/tmp/image bs=4096 count=3 conv=fsync 2>/dev/null; sleep 1.2
  mkdir /tmp/build; touch /tmp/build/a.o /tmp/build/b.o; sleep 0.6; rm -r /tmp/build; sleep 0.8
  id >/dev/null; date +%s >/dev/null; sleep 1.3
  cat /nonexistent 2>/dev/null; rm -f /tmp/image; sleep 0.9
  mv /tmp/report.txt /tmp/report-old.txt 2>/dev/null; sleep 0.5
done
"""


def shell() -> None:
    os.execve(
        "/bin/bash",
        ["bash", "-c", SHELL],
        {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "HOME": "/root"},
    )


def prepare() -> None:
    for module in ("ext4", "loop", "dummy", "tun", "bridge"):
        quiet("modprobe", module)
    quiet("dd", "if=/dev/zero", "of=/dev/shm/disk", "bs=1M", "count=24")
    quiet("mkfs.ext4", "-q", "-F", "/dev/shm/disk")
    for directory in ("/var/lib/postgresql", "/var/log/nginx", "/var/www/html", "/etc/app"):
        Path(directory).mkdir(parents=True, exist_ok=True)
    quiet("mount", "-o", "loop", "/dev/shm/disk", "/var/lib/postgresql")
    for directory in ("base/16384", "pg_wal"):
        Path("/var/lib/postgresql", directory).mkdir(parents=True, exist_ok=True)
    Path("/var/www/html/index.html").write_text("<h1>It works</h1>\n" * 40)
    Path("/var/www/html/style.css").write_text("body { margin: 0 }\n" * 20)
    Path("/var/www/html/logo.svg").write_text("<svg/>\n" * 90)
    Path("/etc/app/config.toml").write_text("debug = false\n")


def main() -> None:
    global LISTENER, END
    out = Path(sys.argv[1])
    END = time.monotonic() + float(sys.argv[2])
    os.environ.update(LC_ALL="C")
    prepare()
    LISTENER = socket.create_server(("127.0.0.1", 8080))
    for line in definitions():
        try:
            put("kprobe_events", line + "\n")
        except OSError as error:
            print("refused:", error, line)
            print((T / "error_log").read_text()[-400:])
    for name in ("kallsyms",):
        (out / name).write_bytes(Path("/proc/kallsyms").read_bytes())
    for name in ("available_filter_functions", "README", "kprobe_events"):
        (out / name).write_bytes((T / name).read_bytes())
    (out / "blacklist").write_bytes(Path("/sys/kernel/debug/kprobes/blacklist").read_bytes())
    put("buffer_size_kb", "60000")
    put("options/sym-addr", "1")
    put("set_event_notrace_pid", str(os.getpid()))
    people = [
        play("systemd", 201, systemd),
        play("systemd-journal", 312, journald),
        play("cron", 688, cron),
        play("sshd", 742, sshd),
        play("nginx", 913, nginx),
        play("nginx", 914, nginx),
        play("postgres", 1042, postgres),
        play("postgres", 1047, autovacuum),
        play("python3", 1533, script),
        play("curl", 1892, client),
        play("node_exporter", 1210, refused),
        play("bash", 2417, shell),
    ]
    time.sleep(1.5)
    put("events/rec/enable", "1")
    time.sleep(max(0.0, END - time.monotonic()))
    put("events/rec/enable", "0")
    os.kill(people[-1], 9)
    for name in ("kprobe_profile", "trace"):
        with open(T / name, "rb") as source, open(out / name, "wb") as target:
            while data := source.read(1 << 20):
                target.write(data)
    print((T / "per_cpu/cpu0/stats").read_text(), (T / "per_cpu/cpu1/stats").read_text())


LISTENER = socket.socket()

if __name__ == "__main__":
    main()
