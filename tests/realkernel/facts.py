"""What a judge needs to know of the kernel that answered: README, release, symbols, places, modules, events.

Read in the guest, for the names that the definitions could mean. Addresses stay there: what is kept of a place
is the function at that address and how far into it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import struct
import zlib
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from tests.realkernel.asker import kernel_words
from tests.realkernel.words import TRACEFS, kallsyms

KERNEL_HALF = 0xFFFF_8000_0000_0000
ENDBR = {bytes.fromhex(code) for code in ("f30f1efa", "0f1f40d6", "660f1f00")}
"""ENDBR64, and what 6.18 and 6.12 put in its place where nothing calls through a pointer (is_endbr)."""
_PLACE = re.compile(r"\s*[pr]\S*\s+([^\s+%-]+)([+-][0-9a-zA-Z+-]+)?")
_PT_LOAD = 1
_HEADER, _SEGMENT = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")


class Memory:
    """The kernel's memory, through /proc/kcore; every read fails where there is none."""

    def __init__(self) -> None:
        self._segments: list[tuple[int, int, int]] = []
        self._fd = -1
        with contextlib.suppress(OSError):
            self._fd = os.open("/proc/kcore", os.O_RDONLY)
            header = _HEADER.unpack(os.pread(self._fd, _HEADER.size, 0))
            for number in range(header[10]):
                raw = os.pread(self._fd, _SEGMENT.size, header[5] + number * header[9])
                kind, _, offset, address, _, size, *_ = _SEGMENT.unpack(raw)
                if kind == _PT_LOAD:
                    self._segments.append((address, size, offset))

    def read(self, address: int, size: int) -> bytes:
        """So many bytes; b"" where that isn't possible."""
        for start, length, offset in self._segments:
            if start <= address < start + length:
                with contextlib.suppress(OSError):
                    return os.pread(self._fd, size, offset + address - start)
        return b""


class Kallsyms:
    """Symbols by name and functions by address, as the kernel looks them up."""

    def __init__(self) -> None:
        self.named: dict[str, list[tuple[int, str]]] = {}
        around: dict[int, list[str]] = {}
        for address, kind, name, *module in kallsyms():
            self.named.setdefault(name, []).append((int(address, 16), kind + (module[0] if module else "")))
            if int(address, 16) >= KERNEL_HALF:  # below are offsets in the per-CPU area
                around.setdefault(int(address, 16), []).append(name)
        self._starts = sorted(around)
        self._around = around
        edges = {name: self.named.get(name, [(0, "")])[0][0] for name in ("_stext", "_etext", "_end")}
        self._text = range(edges["_stext"], edges["_etext"])
        self._image = range(edges["_stext"], edges["_end"])
        self._modules = []
        with contextlib.suppress(OSError):  # a kernel without modules
            for line in Path("/proc/modules").read_text().splitlines():
                _, size, *_, start = (word for word in line.split() if not word.startswith("("))
                self._modules.append(range(int(start, 16), int(start, 16) + int(size)))

    def function(self, address: int) -> tuple[list[str], int, int] | None:
        """The names that what is at an address goes by (data too), its start, and where the next begins."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or at + 1 >= len(self._starts) or not (self.in_kernel(address) or self.in_module(address)):
            return None
        start = self._starts[at]
        return self._around[start], start, self._starts[at + 1]

    def in_kernel(self, address: int) -> bool:
        """Whether the kernel looks its own symbols up for it (is_ksym_addr)."""
        return address in self._image

    def in_module(self, address: int) -> bool:
        """Whether a loaded module is there."""
        return any(address in module for module in self._modules)

    def in_text(self, address: int) -> bool:
        """Whether the kernel's own code, less what was freed after the boot, holds the address."""
        return address in self._text


def _offset(text: str | None) -> int | None:
    """kstrtol of ``+0x10``; None for what is no number."""
    if not text:
        return 0
    digits = text[1:].removeprefix("+") if text[0] == "+" else text
    with contextlib.suppress(ValueError):
        if re.fullmatch(r"0[0-7]+", digits):
            return int(digits, 8)
        return int(digits, 0)
    return None


class Traced:
    """What ftrace knows: by address since 6.5, before by name, which may be that of several functions."""

    def __init__(self, symbols: Kallsyms) -> None:
        self._named = symbols.named
        self.names: Counter[str] = Counter()
        self._addresses: list[int] = []
        with contextlib.suppress(OSError):
            for line in (TRACEFS / "available_filter_functions").read_text().splitlines():
                self.names[line.split()[0]] += 1
        with contextlib.suppress(OSError):
            lines = (TRACEFS / "available_filter_functions_addrs").read_text().splitlines()
            self._addresses = sorted(int(line.split()[0], 16) for line in lines)

    def has(self, names: list[str], start: int, end: int) -> bool | None:
        """Whether a function can be traced; None where some of its name can and others can't."""
        if self._addresses:
            at = bisect_left(self._addresses, start)
            return at < len(self._addresses) and self._addresses[at] < end
        known = [name for name in names if name in self.names]
        if not known:
            return False
        return True if all(self.names[name] >= len(self._named[name]) for name in known) else None


def places(texts: Iterable[str], symbols: Kallsyms, traced: Traced, banned: set[str]) -> dict[str, object]:
    """For each ``SYM+OFFSET`` and raw address in the texts: where it leads, as ``place_of`` wants it."""
    memory = Memory()
    out: dict[str, object] = {}
    for text in texts:
        match = _PLACE.match(text)
        if match is None:
            continue
        symbol, offset = match[1], _offset(match[2])
        module, colon, name = symbol.rpartition(":")
        known = symbols.named.get(name, [])
        if colon:
            known = [copy for copy in known if copy[1][1:] == f"[{module}]"]
        raw = _offset("+" + symbol) if symbol[:1].isdigit() and not match[2] else None
        if raw is not None:
            address = raw
        elif known and offset is not None and 0 <= offset < 1 << 32:
            address = known[0][0] + offset
        else:
            continue
        key = f"{symbol}+{offset}" if raw is None else str(raw)
        found = symbols.function(address)
        if found is None:
            if address >= KERNEL_HALF:
                out[key] = {"function": "", "offset": 0, "entry": False}
            continue
        names, start, end = found
        inside = address - start
        out[key] = {
            "function": names[0],
            "offset": inside,
            "entry": inside == 0 or (inside == 4 and memory.read(start, 4) in ENDBR),
            "traced": traced.has(names, start, end),
            "blacklisted": any(other in banned for other in names),
            "text": symbols.in_text(address) or bool(known and known[0][1][1:]),
            "size": end - start,
        }
    return out


def files(texts: Iterable[str]) -> dict[str, object]:
    """What each path before an offset leads to: [regular?, [device, inode]], or the errno's name."""
    out: dict[str, object] = {}
    for text in texts:
        words = kernel_words(text)
        path, colon, _ = (words[1] if len(words) > 1 else "").rpartition(":")
        if not colon or "/" not in words[1] or "\0" in path:
            continue
        try:
            found = os.stat(path or ".")  # the kernel takes the empty path for the folder it is in
        except OSError as error:
            out[path] = errno.errorcode[error.errno or errno.EIO]
        else:
            out[path] = [stat.S_ISREG(found.st_mode), [found.st_dev, found.st_ino]]
    return out


def event_formats(texts: Iterable[str]) -> dict[str, str]:
    """The format of each event that an event probe in the texts may watch, as ``group/event``."""
    out: dict[str, str] = {}
    for text in texts:
        words = kernel_words(text)
        if len(words) < 2 or not words[0].startswith("e"):
            continue
        name = words[1] if "/" in words[1] else words[1].replace(".", "/", 1)
        if name.count("/") == 1 and ".." not in name:
            with contextlib.suppress(OSError, ValueError):
                out[name] = (TRACEFS / "events" / name / "format").read_text()
    return out


def patterns(texts: Iterable[str], traceable: set[str]) -> dict[str, bool]:
    """The patterns that fprobes in the texts are put on, and whether a function fits."""
    out: dict[str, bool] = {}
    for text in texts:
        words = kernel_words(text)
        place = words[1].partition("%")[0] if len(words) > 1 and words[0].startswith("f") else ""
        if any(char in place for char in "*?["):
            out[place] = any(fnmatchcase(name, place) for name in traceable)
    return out


def module_types(names: Iterable[str], symbols: Kallsyms) -> dict[str, str]:
    """BTF of the modules that have functions of these names, compressed, as base64."""
    modules = {kind[2:-1] for name in names for _, kind in symbols.named.get(name, []) if kind[1:]}
    out: dict[str, str] = {}
    for module in sorted(modules):
        with contextlib.suppress(OSError):
            out[module] = b64encode(zlib.compress(Path(f"/sys/kernel/btf/{module}").read_bytes())).decode()
    return out


def possible_cpus() -> int:
    text = Path("/sys/devices/system/cpu/possible").read_text().strip()
    return int(re.split(r"[-,]", text)[-1]) + 1


def kernel_facts(texts: list[str]) -> dict[str, object]:
    """README, release, and what the kernel has of every name that the definitions could mean."""
    names = set(re.findall(r"[A-Za-z_][A-Za-z0-9_.]*", " ".join(texts)))
    names |= {f"{before}{name}" for before in ("__tracepoint_", "__probestub_") for name in names}
    symbols = Kallsyms()
    blacklist = set()
    with contextlib.suppress(OSError):
        for line in Path("/sys/kernel/debug/kprobes/blacklist").read_text().splitlines():
            blacklist.add(line.split()[-1])
    traced = Traced(symbols)
    traceable = set(traced.names)
    modules = ""
    with contextlib.suppress(OSError):  # a kernel without modules
        modules = Path("/proc/modules").read_text()
    return {
        "release": os.uname().release,
        "readme": (TRACEFS / "README").read_text(),
        "symbols": {name: [kind for _, kind in symbols.named[name]] for name in names & set(symbols.named)},
        "modules": [line.split()[0] for line in modules.splitlines()],
        "events": [
            f"{group.name}:{event.name}"
            for group in os.scandir(TRACEFS / "events")
            if group.is_dir()
            for event in os.scandir(group.path)
            if event.is_dir()
        ],
        "blacklist": sorted(blacklist & names),
        "traceable": sorted(traceable & names),
        "places": places(texts, symbols, traced, blacklist),
        "files": files(texts),
        "event_probes": "eprobe_register" in symbols.named,  # README names them in any case
        "patterns": patterns(texts, traceable),
        "cpus": possible_cpus(),
        "module_types": module_types(names, symbols),
    }
