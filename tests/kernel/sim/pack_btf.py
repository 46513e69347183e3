"""Makes the simulated kernel's BTF: prototypes of its functions, and the structures behind the recorded ones.

    python -m tests.kernel.sim.pack_btf vmlinux.btf ext4.btf kptui/kernel/sim/data

A function keeps its prototype; a structure keeps its members if a recorded function reaches it through few
pointers, else it becomes a forward declaration. The format is that of Documentation/bpf/btf.rst.
"""

from __future__ import annotations

import lzma
import struct
import sys
from pathlib import Path

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, FUNC, PROTO, ENUM64 = 1, 2, 3, 4, 5, 6, 7, 12, 13, 19
EXTRA = {
    INT: (4, 0),
    ARRAY: (12, 0),
    STRUCT: (0, 12),
    UNION: (0, 12),
    ENUM: (0, 8),
    PROTO: (0, 8),
    14: (4, 0),
}
EXTRA |= {15: (0, 12), 17: (4, 0), ENUM64: (0, 12)}
WHOLE = ("file", "dentry", "inode", "path", "qstr", "super_block", "filename", "open_how", "linux_binprm", "pt_regs",
         "sock", "sock_common", "sockaddr", "socket", "msghdr", "kiocb", "kernel_clone_args", "kmem_cache", "bio",
         "hrtimer_sleeper", "file_system_type", "mnt_idmap", "vfsmount", "renamedata", "timespec64",
         "open_flags")  # fmt: skip


class Reader:
    """The types of a kernel's BTF, and behind them those of a module (split BTF continues ids and strings)."""

    def __init__(self, data: bytes, module: bytes = b"") -> None:
        self.data = data + module
        self.at = [0]
        self.texts: list[tuple[int, int]] = []  # (first offset, where it lies)
        self._scan(0, 0)
        if module:
            self._scan(len(data), struct.unpack_from("<I", data, 20)[0])

    def _scan(self, start: int, first_text: int) -> None:
        data = self.data
        header, type_at, type_len, text_at, _ = struct.unpack_from("<IIIII", data, start + 4)
        header += start
        self.texts.append((first_text, header + text_at))
        at = header + type_at
        while at < header + type_at + type_len:
            self.at.append(at)
            info = struct.unpack_from("<I", data, at + 4)[0]
            fixed, each = EXTRA.get(info >> 24 & 31, (0, 0))
            at += 12 + fixed + each * (info & 0xFFFF)

    def name(self, offset: int) -> str:
        first, place = next(t for t in reversed(self.texts) if offset >= t[0])
        start = place + offset - first
        return self.data[start : self.data.index(b"\0", start)].decode()

    def head(self, number: int) -> tuple[str, int, int]:
        name, info, ref = struct.unpack_from("<III", self.data, self.at[number])
        return self.name(name), info, ref

    def rows(self, number: int, width: int) -> list[tuple[int, ...]]:
        info = struct.unpack_from("<I", self.data, self.at[number] + 4)[0]
        return [
            struct.unpack_from(f"<{width}I", self.data, self.at[number] + 12 + 4 * width * i)
            for i in range(info & 0xFFFF)
        ]


class Writer:
    def __init__(self, source: Reader) -> None:
        self.source = source
        self.records: list[bytes] = []
        self.names: dict[str, int] = {"": 0}
        self.strings = bytearray(b"\0")
        self.ids: dict[int, int] = {0: 0}
        self.embedded: set[int] = set()

    def string(self, text: str) -> int:
        if text not in self.names:
            self.names[text] = len(self.strings)
            self.strings += text.encode() + b"\0"
        return self.names[text]

    def add(self, number: int) -> int:
        """The new id of a type, its record written if need be."""
        if number in self.ids:
            return self.ids[number]
        self.records.append(b"")
        self.ids[number] = len(self.records)
        return self.fill(number)

    def keep_first(self, count: int) -> None:
        """Give the first types their own numbers: the kernel follows a number's size as if it were a type's
        id (btf_type_is_char_ptr), so what stands at 8 decides whether a long passes for a string.
        """
        for number in range(1, count + 1):
            self.records.append(b"")
            self.ids[number] = number
        for number in range(1, count + 1):
            self.fill(number)

    def fill(self, number: int) -> int:
        """Write the record of a type that has its new id."""
        new = self.ids[number]
        name, info, ref = self.source.head(number)
        kind = info >> 24 & 31
        if kind in {STRUCT, UNION} and name and name not in WHOLE and number not in self.embedded:
            record = struct.pack("<III", self.string(name), FWD << 24 | (kind == UNION) << 31, 0)
        elif kind in {STRUCT, UNION}:
            rows = self.source.rows(number, 3)
            for _, member, _ in rows:
                self.embed(member)
            record = struct.pack("<III", self.string(name), info, ref)
            for text, member, bits in rows:
                record += struct.pack("<III", self.string(self.source.name(text)), self.add(member), bits)
        elif kind == PROTO:
            record = struct.pack("<III", 0, info, self.add(ref))
            for text, member in self.source.rows(number, 2):
                record += struct.pack("<II", self.string(self.source.name(text)), self.add(member))
        elif kind == ARRAY:
            element, index, count = struct.unpack_from("<III", self.source.data, self.source.at[number] + 12)
            record = struct.pack("<III", 0, info, 0) + struct.pack(
                "<III", self.add(element), self.add(index), count
            )
        elif kind == INT:
            encoding = struct.unpack_from("<I", self.source.data, self.source.at[number] + 12)[0]
            record = struct.pack("<IIII", self.string(name), info, ref, encoding)
        elif kind in {ENUM, ENUM64}:
            record = struct.pack("<III", self.string(name), info & ~0xFFFF, ref)
        else:
            record = struct.pack("<III", self.string(name), info, self.add(ref) if kind != FWD else ref)
        self.records[new - 1] = record
        return new

    def embed(self, number: int) -> None:
        """A structure inside a structure keeps its members."""
        while number:
            _, info, ref = self.source.head(number)
            kind = info >> 24 & 31
            if kind in {STRUCT, UNION}:
                self.embedded.add(number)
                return
            if kind == ARRAY:
                number = struct.unpack_from("<I", self.source.data, self.source.at[number] + 12)[0]
            elif kind in {8, 9, 10, 11, 18}:
                number = ref
            else:
                return

    def blob(self) -> bytes:
        types = b"".join(self.records)
        return (
            struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(self.strings))
            + types
            + bytes(self.strings)
        )


def main() -> None:
    source = Reader(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes())
    out = Path(sys.argv[3])
    have = {
        line.split(" ")[3]
        for line in lzma.decompress((out / "symbols.txt.xz").read_bytes()).decode().splitlines()
    }
    writer, count = Writer(source), 0
    writer.keep_first(16)
    for number in range(1, len(source.at)):
        name, info, _ = source.head(number)
        if info >> 24 & 31 == FUNC and name in have:
            writer.add(number)
            count += 1
    packed = lzma.compress(writer.blob(), preset=9 | lzma.PRESET_EXTREME)
    (out / "vmlinux.btf.xz").write_bytes(packed)
    print(count, "functions", len(writer.records), "types", len(packed))


if __name__ == "__main__":
    main()
