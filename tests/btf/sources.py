"""BTF of real kernels: this machine's, and that inside the kernels that tests/realkernel has fetched."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.realkernel.kernels import cached

RUNNING = Path("/sys/kernel/btf/vmlinux")
_HEADER = struct.pack("<HBBI", 0xEB9F, 1, 0, 24)


def real_btf() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each kernel's, the running one first, then the newest."""
    if RUNNING.exists():
        yield f"this machine's {Path('/proc/sys/kernel/osrelease').read_text().strip()}", RUNNING.read_bytes()
    for kernel in reversed(cached()):
        found = from_image((kernel.folder / "vmlinuz").read_bytes())
        if found is not None:
            yield kernel.release, found


def from_image(image: bytes) -> bytes | None:
    """The BTF inside a compressed kernel image; None if it has none or is compressed in a way unknown here."""
    for magic, unpack in _FORMATS:
        at = image.find(magic)
        while at >= 0:
            kernel = unpack(image[at:])
            if kernel is not None and kernel.startswith(b"\x7fELF"):
                return from_kernel(kernel)
            at = image.find(magic, at + 1)
    return None


def from_kernel(kernel: bytes) -> bytes | None:
    """The largest piece of BTF in an uncompressed kernel: modules that are built in have some, too."""
    found: list[bytes] = []
    at = kernel.find(_HEADER)
    while at >= 0:
        type_at, type_len, text_at, text_len = struct.unpack_from("<IIII", kernel, at + 8)
        end = at + 24 + max(type_at + type_len, text_at + text_len)
        if end <= len(kernel):
            found.append(kernel[at:end])
        at = kernel.find(_HEADER, at + 1)
    return max(found, key=len, default=None)


def _xz(data: bytes) -> bytes | None:
    try:
        return lzma.LZMADecompressor().decompress(data)
    except lzma.LZMAError:
        return None


def _bzip2(data: bytes) -> bytes | None:
    try:
        return bz2.BZ2Decompressor().decompress(data)
    except OSError:
        return None


def _gzip(data: bytes) -> bytes | None:
    try:
        return gzip.zlib.decompressobj(31).decompress(data)  # type: ignore[attr-defined, no-any-return]
    except gzip.zlib.error:  # type: ignore[attr-defined]
        return None


def _zstd(data: bytes) -> bytes | None:
    program = shutil.which("zstd")
    if program is None:
        return None
    done = subprocess.run([program, "-dc"], input=data, capture_output=True, check=False)
    return done.stdout or None  # what follows the kernel is an error only after it was written


_FORMATS: tuple[tuple[bytes, Callable[[bytes], bytes | None]], ...] = (
    (b"\xfd7zXZ\0", _xz),
    (b"\x28\xb5\x2f\xfd", _zstd),
    (b"\x1f\x8b\x08", _gzip),
    (b"BZh", _bzip2),
)
