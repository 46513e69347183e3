"""What QEMU starts: the kernel without its compression, and an initramfs that finds the guest's root.

Both are made once for each cached kernel and kept beside it.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

from tests.realkernel.kernels import Kernel, KernelError, program_path

INIT = Path(__file__).resolve().parent / "guest" / "init"

MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""What stands between a stock kernel and a root file system that the host shares."""


def replace(path: Path, data: bytes) -> None:
    """Write a cached file so that two runs at the same time do no harm."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def unzstd(data: bytes) -> bytes:
    # Bytes may follow the frame, so zstd's exit status says nothing.
    return subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=False).stdout


def vmlinux(kernel: Kernel) -> Path:
    """The uncompressed kernel, or vmlinuz where that cannot be had.

    QEMU enters an uncompressed one directly (PVH), which saves about 5 s of firmware and decompression under
    software emulation, and means no KASLR.  Offsets: Linux Documentation/arch/x86/boot.rst, setup_sects at
    0x1f1, payload_offset and payload_length at 0x248.
    """
    path = kernel.folder / "vmlinux"
    if path.exists():
        return path
    compressed = kernel.folder / "vmlinuz"
    image = compressed.read_bytes()
    start = ((image[0x1F1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[start + offset : start + offset + length]
    elf = b""
    if payload.startswith(b"\xfd7zXZ\0"):
        elf = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x1f\x8b"):
        elf = zlib.decompressobj(31).decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd") and shutil.which("zstd"):
        elf = unzstd(payload)
    if not elf.startswith(b"\x7fELF"):
        return compressed
    replace(path, elf)
    return path


def module_files(kernel: Kernel) -> list[Path]:
    """The modules to load, in order, with everything they depend on."""
    files: list[Path] = []
    for name in MODULES:
        words = [
            program_path("modprobe") or "modprobe",
            "-d",
            str(kernel.root),
            "-S",
            kernel.release,
            "-C",
            "/dev/null",
        ]
        shown = subprocess.run([*words, "--show-depends", name], capture_output=True, text=True, check=False)
        if shown.returncode:
            raise KernelError(f"modprobe {name}: {shown.stderr.strip()}")
        # A line is "insmod FILE" or "builtin NAME".
        files += [Path(line.split()[1]) for line in shown.stdout.splitlines() if line.startswith("insmod ")]
    return list(dict.fromkeys(files))


def module_data(file: Path) -> bytes:
    data = file.read_bytes()
    match file.suffix:
        case ".xz":
            return lzma.decompress(data)
        case ".gz":
            return zlib.decompress(data, 31)
        case ".zst":
            return unzstd(data)
    return data


def cpio(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """An archive of (name, mode, data) in the "newc" form that the kernel unpacks.

    Linux Documentation/driver-api/early-userspace/buffer-format.rst: 13 fields of 8 hexadecimal digits, then
    name and data, each padded to 4 bytes.
    """
    out = bytearray()
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        head = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in head) + raw
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def initramfs(kernel: Kernel) -> Path:
    """busybox, the guest's init and the modules; kept under a name that changes with init's text."""
    busybox = shutil.which("busybox")
    if not busybox:
        raise KernelError("busybox is missing (Debian package busybox-static)")
    init = INIT.read_bytes()
    path = kernel.folder / f"initramfs-{hashlib.sha256(init).hexdigest()[:12]}.img"
    if path.exists() and path.stat().st_mtime >= (kernel.folder / ".complete").stat().st_mtime:
        return path
    entries = [(folder, 0o040755, b"") for folder in ("bin", "dev", "proc", "sys", "modules")]
    entries.append(("bin/busybox", 0o100755, Path(busybox).read_bytes()))
    entries.append(("init", 0o100755, init))
    order = []
    for number, file in enumerate(module_files(kernel)):
        name = f"{number:02}-{file.name.split('.ko')[0]}.ko"
        entries.append((f"modules/{name}", 0o100644, module_data(file)))
        order.append(name)
    entries.append(("modules/order", 0o100644, "".join(f"{name}\n" for name in order).encode()))
    for old in kernel.folder.glob("initramfs-*.img"):
        old.unlink(missing_ok=True)
    replace(path, cpio(entries))
    return path
