"""Makes the simulated kernel's symbol table from what ``record_calls.py`` saved: run on the host, after
``pack_calls``.

    python -m tests.kernel.sim.pack_symbols DIR VMLINUX kptui/kernel/sim/data

A line a symbol, in order of address: distance to the one before (hex), type and marks (``e`` begins with
ENDBR64, ``b`` blacklisted, ``n`` not in available_filter_functions), size (hex), name, module.
"""

from __future__ import annotations

import bisect
import lzma
import re
import struct
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.sim.record_calls import FUNCTIONS, STATICS

LIMIT = 25_000
ENDBR64 = b"\xf3\x0f\x1e\xfa"
MODULES = frozenset({"ext4", "overlay", "loop", "tun", "dummy"})
WANTED = re.compile(
    r"(vfs_|do_|sys_|ksys_|tcp_|udp_|ip_|inet_|sock_|ext4_|ovl_|loop_|tun_|br_|dummy_|security_|kernel_|path_|filp_|"
    r"filename_|generic_|blk_|bio_|submit_|nvme|scsi_|md_|mem_cgroup|page_|folio_|filemap_|shmem_|proc_|cgroup_|"
    r"sched_|wake_|schedule|__schedule|try_to|futex_|signal_|send_sig|force_sig|kill_|exit_|fork|copy_|dup_|mm_|mmap_|"
    r"handle_mm|__handle|alloc_|__alloc|kmalloc|__kmalloc|kmem_|kfree|vmalloc|slab_|free_|get_|put_|d_|dentry|inode_|"
    r"iput|dput|fput|fget|file_|bprm|begin_new|load_elf|search_bin|exec|seq_|single_|simple_|netif_|dev_|net_|skb_|"
    r"__netif|napi_|nf_|nft_|icmp_|ping_|raw_|unix_|packet_|bpf_|perf_|trace_|ftrace_|kprobe|module_|load_module|"
    r"audit_|selinux_|apparmor_|cap_|ns_|user_|pid_|task_|__task|posix_|timer_|hrtimer_|clock|ktime|tick_|rcu_|"
    r"workqueue|queue_work|mutex_|down_|up_|rwsem|spin|_raw_spin|wait_|poll_|ep_|eventfd_|pipe_|tty_|n_tty|pty_|"
    r"input_|usb_|pci_|acpi_|drm_|snd_|hid_|i2c_|ata_|device_|driver_|bus_|class_|crypto_|sha|aes|md5|zstd|lz4)"
)
DATA_WANTED = re.compile(
    r"(init_|jiffies|linux_|saved_|boot_|cpu_|nr_|sysctl_|tcp_|net_|super_|file|vfs_|inode_|dentry|proc_|"
    r"total|max_|panic|loops|kallsyms|_[se]|fixed_percpu|current|pcpu|__per_cpu|sys_call|ext4_|fs_)"
)
ALWAYS = frozenset({"_text", "_stext", "_etext", "fixed_percpu_data"})


@dataclass(frozen=True)
class Row:
    address: int
    kind: str
    name: str
    module: str

    @property
    def text(self) -> bool:
        return self.kind in "tTwW"

    @property
    def noise(self) -> bool:
        return self.name.startswith(("__pfx_", "__cfi_"))


class Image:
    """The kernel's code, by address."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        (start,) = struct.unpack_from("<Q", self._data, 32)
        (count,) = struct.unpack_from("<H", self._data, 56)
        self._segments = []
        for i in range(count):
            kind, _, offset, address, _, size, _, _ = struct.unpack_from(
                "<IIQQQQQQ", self._data, start + 56 * i
            )
            if kind == 1:
                self._segments.append((address, offset, size))

    def begins_with_endbr(self, address: int) -> bool:
        for start, offset, size in self._segments:
            if start <= address < start + size:
                at = offset + address - start
                return self._data[at : at + 4] == ENDBR64
        return False


def read_rows(path: Path) -> list[Row]:
    rows = []
    for line in path.read_text().splitlines():
        address, kind, rest = line.split(" ", 2)
        name, _, module = rest.partition("\t")
        rows.append(Row(int(address, 16), kind, name, module.strip("[]")))
    return sorted(rows, key=lambda row: row.address)


def choose(rows: list[Row], needed: set[int], black: set[str]) -> list[Row]:
    """What the recording needs and people look for; what is left of LIMIT is filled evenly from the rest."""
    copies = Counter(row.name for row in rows if row.text)
    fixed = ALWAYS | {re.split(r"[@:)+]", text.lstrip("+0(@"))[0] for text in STATICS.values()} | set(STATICS)

    def first(row: Row) -> bool:
        name = row.name
        return (
            (row.address in needed and row.text and not row.noise)
            or name.removeprefix("__pfx_") in FUNCTIONS
            or (name in black and row.text)
            or name.startswith(("__x64_sys_", "vfs_", "ksys_", "do_sys"))
            or name in fixed
        )

    def second(row: Row) -> bool:
        if not row.text or row.noise:
            return False
        twice = copies[row.name] > 1 and len(row.name) < 14
        return twice or (row.module in MODULES and WANTED.match(row.name) is not None)

    def data(row: Row) -> bool:
        wanted = DATA_WANTED.match(row.name) is not None or row.address % 96 == 0
        return row.kind in "DBRA" and not row.module and wanted

    def noise(row: Row) -> bool:
        return (
            row.noise
            and row.kind == "T"
            and re.match(r"__pfx_(vfs_|tcp_|do_|ksys_|__x64_sys_)", row.name) is not None
        )

    def third(row: Row) -> bool:
        return row.kind == "T" and not row.noise and not row.module and WANTED.match(row.name) is not None

    chosen: dict[Row, None] = {}
    for rule in (first, second, data, noise, third):
        for row in rows:
            if len(chosen) < LIMIT and rule(row):
                chosen[row] = None
    rest = [
        row for row in rows if row not in chosen and row.kind in "tT" and not row.module and not row.noise
    ]
    room = LIMIT - len(chosen)
    for row in rest[:: max(1, len(rest) // max(room, 1))][:room]:
        chosen[row] = None
    return sorted(chosen, key=lambda row: row.address)


def main() -> None:
    directory, image, out = Path(sys.argv[1]), Image(Path(sys.argv[2])), Path(sys.argv[3])
    traced = {line.split()[0] for line in (directory / "available_filter_functions").read_text().splitlines()}
    black = {
        line.split("\t")[1].split()[0]
        for line in (directory / "blacklist").read_text().splitlines()
        if "\t" in line
    }
    rows = read_rows(directory / "kallsyms")
    starts = sorted({row.address for row in rows if row.kind in "tTwWdDbBrR"})
    sizes = {a: min(b - a, 1 << 20) for a, b in zip(starts, [*starts[1:], starts[-1] + 64], strict=True)}
    needed = set()
    for address in (int(line, 16) for line in (directory / "referenced").read_text().splitlines()):
        at = bisect.bisect_right(starts, address) - 1
        if address >> 40 and at >= 0 and address - starts[at] < 1 << 16:
            needed.add(starts[at])
    lines, previous = [], 0
    for row in choose(rows, needed, black):
        marks = row.kind
        if row.text:
            base = re.sub(r"\.(isra|part|constprop|cold)\..*|\.cold$", "", row.name)
            marks += "e" * image.begins_with_endbr(row.address)
            marks += "b" * (row.name in black)
            marks += "n" * (row.name not in traced and base not in traced)
        words = [f"{row.address - previous:x}", marks, f"{sizes.get(row.address, 0):x}", row.name, row.module]
        lines.append(" ".join(words).rstrip())
        previous = row.address
    packed = lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)
    (out / "symbols.txt.xz").write_bytes(packed)
    print(len(lines), "symbols", len(packed), "bytes")


if __name__ == "__main__":
    main()
