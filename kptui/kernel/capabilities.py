"""What this machine allows, what is missing, and what would give it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kptui.kernel.files import find_tracefs, mount_points
from kptui.safetext import neutralise

_AUTHORING = "probes can be written and checked, not run"


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok`` is None where it can't be told or doesn't matter; ``remedy`` is '' when there is nothing to
    do.
    """

    key: str
    ok: bool | None
    title: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """``tracefs`` is where it is (None: nowhere); ``items`` in the order in which they matter."""

    tracefs: str | None
    items: tuple[Finding, ...]

    def __getitem__(self, key: str) -> Finding:
        return next(item for item in self.items if item.key == key)

    @property
    def can_trace(self) -> bool:
        """Everything is there that defining and enabling a kprobe needs."""
        return all(self[key].ok is not False for key in ("system", "rights", "tracefs", "kprobes"))

    @property
    def headline(self) -> str:
        """What is missing first of all and what would give it, in one line; '' when nothing is."""
        for item in self.items:
            if item.ok is False:
                return f"{item.detail} – {item.remedy}" if item.remedy else item.detail
        return ""


def examine(
    tracefs: str | None = None,
    *,
    sys: str = "/sys",
    proc: str = "/proc",
    euid: int | None = None,
    uname: os.uname_result | None = None,
) -> Findings:
    """Looks, changes nothing. ``tracefs`` is a place that the user named; ``sys`` and ``proc`` are for
    tests.
    """
    euid = os.geteuid() if euid is None else euid
    uname = os.uname() if uname is None else uname
    place = tracefs or find_tracefs(os.path.join(proc, "mounts"))
    table = mount_points(os.path.join(proc, "mounts"))
    lockdown = _lockdown(sys)
    items = [
        _system(uname),
        _rights(place, euid),
        _tracefs(
            place,
            named=tracefs is not None,
            mounted=("tracefs", place) in table,
            euid=euid,
            lockdown=lockdown,
        ),
        _kprobes(place, euid),
        _armed(sys),
        _addresses(proc, euid),
        Finding(
            "lockdown",
            None if not lockdown else lockdown != "confidentiality",
            "Kernel lockdown",
            f"lockdown is {lockdown}" if lockdown else "not built in, or securityfs is not mounted",
            "boot without lockdown=confidentiality (Secure Boot may turn it on)"
            if lockdown == "confidentiality"
            else "",
        ),
        _btf(sys),
        _uprobes(place),
    ]
    return Findings(place, tuple(items))


def _system(uname: os.uname_result) -> Finding:
    detail = neutralise(f"{uname.sysname} {uname.release} on {uname.machine}")
    if uname.sysname != "Linux":
        return Finding("system", False, "Kernel", f"{detail} has no kprobes: {_AUTHORING}", "run it on Linux")
    if uname.machine != "x86_64":
        return Finding("system", None, "Kernel", f"{detail}: register names are offered for x86_64 only")
    return Finding("system", True, "Kernel", detail)


def _rights(place: str | None, euid: int) -> Finding:
    if euid == 0:
        return Finding("rights", True, "Rights", "root")
    if place is not None and os.access(os.path.join(place, "kprobe_events"), os.R_OK | os.W_OK):
        return Finding("rights", True, "Rights", f"user {euid}, with access to tracefs")
    detail = "no root: kallsyms addresses hidden and tracefs closed"
    return Finding("rights", False, "Rights", detail, "run: sudo kptui")


def _tracefs(place: str | None, *, named: bool, mounted: bool, euid: int, lockdown: str) -> Finding:
    title = "tracefs"
    if place is None:
        remedy = "mount -t tracefs nodev /sys/kernel/tracing"
        return Finding("tracefs", False, title, "tracefs not mounted", remedy)
    shown = neutralise(place)
    try:
        names = os.listdir(place)
    except PermissionError:
        return Finding("tracefs", False, title, f"{shown} is closed to user {euid}", "run: sudo kptui")
    except OSError as error:
        return Finding(
            "tracefs", False, title, f"{shown}: {error.strerror}", "check --tracefs" if named else ""
        )
    # securityfs, which would tell, need not be mounted; a mounted tracefs is empty for no other reason.
    if not names and (lockdown == "confidentiality" or mounted):
        detail = f"{shown} is empty: kernel lockdown (confidentiality) forbids tracing"
        return Finding("tracefs", False, title, detail, "boot without lockdown=confidentiality")
    if "events" not in names or "instances" not in names:
        remedy = "mount -t tracefs nodev /sys/kernel/tracing"
        return Finding("tracefs", False, title, f"{shown} holds no tracefs", remedy)
    return Finding("tracefs", True, title, f"mounted at {shown}")


def _kprobes(place: str | None, euid: int) -> Finding:
    title = "kprobe events"
    if place is None:
        return Finding("kprobes", None, title, "can't be told without tracefs")
    path = os.path.join(place, "kprobe_events")
    if os.path.exists(path):
        return Finding("kprobes", True, title, "this kernel has kprobe events")
    if euid != 0 and not os.access(place, os.X_OK):
        return Finding("kprobes", None, title, "can't be told without rights")
    if not os.path.exists(os.path.join(place, "events")):
        return Finding("kprobes", None, title, "can't be told without tracefs")
    detail = "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)"
    return Finding(
        "kprobes", False, title, detail, f"{_AUTHORING}; boot a distribution kernel, or try --demo"
    )


def _armed(sys: str) -> Finding:
    path = Path(sys, "kernel/debug/kprobes/enabled")
    try:
        armed = path.read_bytes().strip() != b"0"
    except OSError:
        return Finding("armed", None, "kprobes armed", "can't be told without debugfs")
    if armed:
        return Finding("armed", True, "kprobes armed", "yes")
    detail = "all kprobes of this machine are switched off, so no probe will ever hit"
    return Finding("armed", False, "kprobes armed", detail, f"echo 1 > {path}")


def _addresses(proc: str, euid: int) -> Finding:
    title = "Symbol addresses"
    try:
        with open(os.path.join(proc, "kallsyms"), "rb") as file:
            head = file.read(1 << 16)
    except OSError as error:
        detail = f"{proc}/kallsyms can't be read ({error.strerror}): no symbols"
        return Finding("addresses", False, title, detail, "give a copy with --kallsyms FILE")
    # The very first address is 0 on every kernel (per-CPU), so one that isn't has to be found.
    if re.search(rb"^0*[1-9a-f][0-9a-f]* ", head, re.MULTILINE):
        return Finding("addresses", True, title, "visible")
    if not head:
        return Finding(
            "addresses", False, title, f"{proc}/kallsyms is empty: no symbols", "give --kallsyms FILE"
        )
    try:
        restrict = Path(proc, "sys/kernel/kptr_restrict").read_bytes().strip()
    except OSError:
        restrict = b""
    remedy = "run: sudo kptui"
    if euid == 0 or restrict == b"2":
        remedy = "sysctl kernel.kptr_restrict=1"
    return Finding("addresses", None, title, "hidden (all zero); probing by name works all the same", remedy)


def _lockdown(sys: str) -> str:
    """``none``, ``integrity``, ``confidentiality``; '' where the kernel has no lockdown."""
    try:
        text = Path(sys, "kernel/security/lockdown").read_text("ascii", "replace")
    except OSError:
        return ""
    match = re.search(r"\[(\w+)\]", text)
    return match.group(1) if match else ""


def _btf(sys: str) -> Finding:
    path = Path(sys, "kernel/btf/vmlinux")
    try:
        size = path.stat().st_size
    except OSError:
        detail = "no BTF: parameter names and structures are unknown, registers are offered instead"
        return Finding("btf", None, "BTF", detail, "a kernel with CONFIG_DEBUG_INFO_BTF")
    return Finding("btf", True, "BTF", f"{path}, {size / (1 << 20):.1f} MiB")


def _uprobes(place: str | None) -> Finding:
    there = place is not None and os.path.exists(os.path.join(place, "uprobe_events"))
    detail = "this kernel has uprobe events" if there else "no uprobe events seen"
    return Finding("uprobes", True if there else None, "uprobe events", detail)
