"""Type information from files: the kernel's, and that of modules, which is written on top of it and lies beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kptui.btf import Btf
from kptui.btf.header import flaw_of, is_split
from kptui.btf.types import FUNC, STRUCT

KERNEL_TYPES: Final = "/sys/kernel/btf/vmlinux"
_KERNEL_NAMES: Final = ("vmlinux", "vmlinux.btf")
_PROVEN: Final = {
    "char": ("print_type_char", FUNC),
    "dentry": ("traceprobe_expand_dentry_args", FUNC),
    "return_args": ("probe_entry_arg", STRUCT),
}
_CODES: Final = {"btf": "TP_ERR_NOSUP_BTFARG", "members": "TP_ERR_NO_PTR_STRCT"}


class TypeFiles:
    """``given``: names and contents of BTF files; of one kernel, of modules, or of both.

    A kernel's that wasn't given is looked for beside the modules' (``vmlinux``, ``vmlinux.btf``), a module's beside
    the kernel's (``ext4``, ``ext4.btf``). ValueError, with a sentence, for what can't be read together.
    """

    def __init__(self, given: Sequence[tuple[str, bytes]]) -> None:
        self.kernel: Btf | None = None
        self._folders: list[Path] = []
        self._files: dict[str, bytes] = {}
        self._modules: dict[str, Btf | None] = {}
        for name, data in given:
            folder = Path(name).parent
            if folder not in self._folders:
                self._folders.append(folder)
            if flaw := flaw_of(data):
                raise ValueError(f"{name} {flaw}")
            if is_split(data):
                self._files[_module_of(name)] = data
            elif self.kernel is not None:
                raise ValueError(f"{name} is a second kernel's BTF; give one kernel's, and modules'")
            else:
                self.kernel = _parsed(name, data, None)
        if self.kernel is None and given:
            self.kernel = self._beside(given[0][0])
        for module, data in self._files.items():
            self._modules[module] = _parsed(module, data, self.kernel)

    def _beside(self, name: str) -> Btf:
        for folder in self._folders:
            for candidate in _KERNEL_NAMES:
                data = _bytes(folder / candidate)
                if data is not None and not is_split(data):
                    return _parsed(str(folder / candidate), data, None)
        raise ValueError(
            f"{name} is a module's BTF: give its kernel's too (--btf vmlinux --btf {Path(name).name})"
        )

    def module(self, name: str) -> Btf | None:
        """The types of a module; None where there are none."""
        if name not in self._modules:
            self._modules[name] = self._read(name) if re.fullmatch(r"\w+", name) else None
        return self._modules[name]

    def _read(self, name: str) -> Btf | None:
        for folder in self._folders:
            for candidate in (name, f"{name}.btf"):
                data = _bytes(folder / candidate)
                if data is not None and self.kernel is not None and is_split(data):
                    try:
                        return Btf.parse(data, self.kernel)
                    except ValueError:
                        return None
        return None

    def with_function(self, function: str) -> Iterator[tuple[str, Btf]]:
        """Modules that have a function of that name, those that were given first."""
        for name in [*self._files, *(name for name in self._nearby(function) if name not in self._files)]:
            found = self.module(name)
            if found is not None and found.find(function, FUNC) and found.prototype(function) is not None:
                yield name, found

    def _nearby(self, function: str) -> Iterator[str]:
        text = function.encode("utf-8", "surrogateescape") + b"\0"
        for folder in self._folders:
            try:
                paths = sorted(folder.iterdir())
            except OSError:
                continue
            for path in paths:
                if path.suffix not in {"", ".btf"} or path.name in _KERNEL_NAMES:
                    continue
                data = _bytes(path)
                if data is not None and is_split(data) and text in data:
                    yield _module_of(path.name)


def features_of_types(btf: Btf) -> frozenset[str]:
    """What this kernel's parser of probes can do, as check.traits.README_FEATURES names it, as far as types tell."""
    found = {"user_memory", "immediate"}
    found |= {name for name, (proof, kind) in _PROVEN.items() if btf.find(proof, kind)}
    codes = btf.enumerators("TP_ERR_NO")
    return frozenset(found | {name for name, code in _CODES.items() if code in codes})


def _module_of(name: str) -> str:
    return Path(name).name.removesuffix(".btf").replace("-", "_")


def _parsed(name: str, data: bytes, base: Btf | None) -> Btf:
    try:
        return Btf.parse(data, base)
    except ValueError as error:
        raise ValueError(f"{name} is damaged: {error}") from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None
