"""Captures of real kernels with the JSON lines they must become, in ``data/KERNEL.tar.xz``.

``python -m tests.events.golden`` shows how the present code differs, ``--write`` makes that the new
expectation: read the difference first. ``--add KERNEL FILE…`` puts in captures (``NAME=PATH`` renames one).
"""

from __future__ import annotations

import difflib
import io
import lzma
import sys
import tarfile
from pathlib import Path

from kptui.export.convert import convert_stream

DATA = Path(__file__).parent / "data"
KERNELS = ("5.10", "6.1", "6.12", "6.18", "7.3")


def load(kernel: str) -> dict[str, bytes]:
    """Every file of a kernel's archive: ``NAME.txt`` captures and ``NAME.jsonl`` expectations."""
    files: dict[str, bytes] = {}
    with tarfile.open(DATA / f"{kernel}.tar.xz") as archive:
        for member in archive:
            handle = archive.extractfile(member)
            if handle is not None:
                files[member.name] = handle.read()
    return files


def store(kernel: str, files: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    DATA.mkdir(exist_ok=True)
    (DATA / f"{kernel}.tar.xz").write_bytes(lzma.compress(buffer.getvalue(), preset=9))


def converted(data: bytes, to: str = "jsonl") -> str:
    out: list[str] = []
    convert_stream([data], "csv" if to == "csv" else "jsonl", out.append)
    return "".join(out)


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--add"]:
        kernel, *paths = arguments[1:]
        files = load(kernel) if (DATA / f"{kernel}.tar.xz").exists() else {}
        for path in paths:
            name, _, where = path.rpartition("=")
            data = Path(where).read_bytes()
            data = lzma.decompress(data) if where.endswith(".xz") else data
            files[name or Path(where).name.removesuffix(".xz")] = data
        store(kernel, files)
        return
    for kernel in KERNELS:
        files = load(kernel)
        for name in [n for n in files if n.endswith(".txt")]:
            new = converted(files[name])
            old = files.get(name.replace(".txt", ".jsonl"), b"").decode("ascii")
            for line in difflib.unified_diff(
                old.splitlines(), new.splitlines(), f"{kernel}/{name}", "now", n=0
            ):
                print(line)
            files[name.replace(".txt", ".jsonl")] = new.encode("ascii")
        if arguments[:1] == ["--write"]:
            store(kernel, files)


if __name__ == "__main__":
    main(sys.argv[1:])
