"""Stock Debian kernels to boot: which are cached, and how to fetch more.

The machine that runs the tests seldom has kprobes (containers and sandboxes do not), Debian's kernels have
everything.  They are fetched as packages and unpacked into a cache folder of the user's; nothing is installed
and the machine's own apt configuration is only read: the fetch goes through an apt state of its own, which
also reads suites that the machine does not follow.

A cached kernel is the folder CACHE/SERIES with ``release`` (what ``uname -r`` prints there), ``vmlinuz``,
``config``, ``root/`` (the unpacked packages, modules below ``root/lib/modules/RELEASE``) and ``.complete``.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REQUIRED = ("6.1", "6.12")
EXTRA = ("5.10", "6.18", "7.3")
"""Series that are tested too where the archive has them: older, newer, newest."""

SUITES = ("bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports", "sid")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURE = "amd64"

# What the host needs beside Python; the program, and the Debian package that has it.
FETCH_PROGRAMS = {"apt-get": "apt", "apt-cache": "apt", "dpkg-deb": "dpkg", "depmod": "kmod"}


class KernelError(Exception):
    """A kernel cannot be found or fetched; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A cached kernel: `name` is its series ("6.12"), `folder` where it is unpacked."""

    name: str
    folder: Path

    @property
    def complete(self) -> bool:
        return (self.folder / ".complete").exists()

    @property
    def release(self) -> str:
        """What ``uname -r`` prints in it, for example "6.12.107+deb13-amd64"."""
        return (self.folder / "release").read_text().strip()

    @property
    def root(self) -> Path:
        """The unpacked packages; modules are below lib/modules/RELEASE."""
        return self.folder / "root"


def cache_folder() -> Path:
    """KPTUI_KERNELS, or kptui/kernels in the user's cache folder (XDG base directories)."""
    named = os.environ.get("KPTUI_KERNELS")
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "kptui" / "kernels"


def program_path(name: str) -> str | None:
    """Where a program is, also one of the system's for a user whose PATH lacks those (depmod, modprobe)."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def version_key(name: str) -> list[int]:
    """Sort key of a series or release: "6.9" before "6.12"."""
    return [int(number) for number in re.findall(r"\d+", name)]


def cached() -> list[Kernel]:
    """The kernels that are there, oldest first."""
    found = [Kernel(mark.parent.name, mark.parent) for mark in cache_folder().glob("[0-9]*/.complete")]
    return sorted(found, key=lambda kernel: version_key(kernel.name))


def find(name: str) -> Kernel:
    """The cached kernel of a series, or of a folder when `name` has a slash; KernelError without it."""
    kernel = Kernel(Path(name).name, Path(name)) if "/" in name else Kernel(name, cache_folder() / name)
    if not kernel.complete:
        raise KernelError(f"no kernel {name} in {cache_folder()}: python -m tests.realkernel fetch {name}")
    return kernel


class Apt:
    """apt-get and apt-cache with sources, lists, cache and package status of their own.

    `folder` keeps the state between runs.  The mirror is KERNEL_BASE or the one of the machine's own sources.
    """

    def __init__(self, folder: Path) -> None:
        missing = sorted(
            {package for program, package in FETCH_PROGRAMS.items() if not program_path(program)}
        )
        if missing:
            raise KernelError(f"missing to fetch kernels (Debian packages): {' '.join(missing)}")
        if not KEYRING.exists():
            raise KernelError(f"{KEYRING} is missing (Debian package debian-archive-keyring)")
        self.folder = folder
        for part in ("state/lists/partial", "cache/archives/partial", "etc"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "state/status").touch()
        sources = folder / "etc/sources.list"
        base = os.environ.get("KERNEL_BASE") or machine_mirror()
        sources.write_text("".join(f"deb [signed-by={KEYRING}] {base} {suite} main\n" for suite in SUITES))
        settings = {
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "state/status",
            "Dir::Cache": folder / "cache",
            "Dir::Cache::pkgcache": "pkgcache.bin",
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": ARCHITECTURE,
            "APT::Sandbox::User": "root",  # else apt drops rights that it needs below a private folder
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        self.options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def update(self) -> None:
        """Read the suites' lists.  A suite that the mirror no longer has must not stop the others."""
        done = self._run("apt-get", "-qq", "update")
        for line in done.stderr.splitlines():
            print(f"apt: {line}", file=sys.stderr)

    def images(self) -> list[str]:
        """Names of the kernel packages, oldest first.

        The plain flavour only: the "cloud" one is a third of the size but has no 9p, the guest's root.
        """
        names = self._run("apt-cache", "pkgnames", "linux-image-").stdout.split()
        plain = re.compile(rf"linux-image-[0-9][0-9.]*[0-9](-[0-9]+|\+[a-z0-9.~]+)?-{ARCHITECTURE}")
        return sorted(filter(plain.fullmatch, names), key=version_key)

    def series(self) -> list[str]:
        found = {".".join(re.findall(r"\d+", name)[:2]) for name in self.images()}
        return sorted(found, key=version_key)

    def packages(self, series: str) -> list[str]:
        """The newest kernel of a series whose parts are all in the archive.

        Up to 6.18 one package holds image and modules; from about 7.0 they are packages of their own, and an
        archive may still have the one after it dropped the other.
        """
        wanted = re.compile(rf"linux-image-{re.escape(series)}[.+-]")
        for image in reversed([name for name in self.images() if wanted.match(name)]):
            depends = self._run(
                "apt-cache", "depends", "--no-recommends", "--no-suggests", image
            ).stdout.splitlines()
            parts = re.findall(r"Depends: (<?linux-(?:binary|modules|base)-[0-9]\S*)", "\n".join(depends))
            if not any(part.startswith(("<linux-binary", "<linux-modules")) for part in parts):
                return [image, *(part for part in parts if not part.startswith("<"))]
        raise KernelError(f"{series}: no complete package in {', '.join(SUITES)}")

    def download(self, packages: Sequence[str], into: Path) -> list[Path]:
        done = self._run("apt-get", "-qq", "download", *packages, cwd=into)
        files = sorted(into.glob("*.deb"))
        if done.returncode or len(files) < len(packages):
            raise KernelError(f"cannot fetch {' '.join(packages)}: {done.stderr.strip()}")
        return files

    def _run(self, program: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *self.options, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
        )


def machine_mirror() -> str:
    """The archive that this machine's own apt sources name; KernelError without one."""
    shown = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(SIGNED_BY)", "Created-By: Packages"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    lines = [line for line in shown.splitlines() if line and "security" not in line.split()[0]]
    # The origin is empty until the lists were read once; then the keyring tells Debian from others.
    for mark in (" Debian ", "debian-archive"):
        for line in lines:
            if mark in line:
                return line.split()[0]
    raise KernelError("no Debian mirror in this machine's apt sources: set KERNEL_BASE to one")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def unpack(apt: Apt, series: str, folder: Path) -> Kernel:
    """Fetch the newest kernel of `series` into `folder`, replacing one that is there."""
    packages = apt.packages(series)
    with tempfile.TemporaryDirectory(prefix=f".new-{series}-", dir=folder.parent) as temporary:
        debs = Path(temporary) / "debs"
        new = Path(temporary) / "kernel"
        debs.mkdir()
        (new / "root/usr/lib").mkdir(parents=True)
        (new / "root/lib").symlink_to("usr/lib")  # older packages unpack to /lib, newer ones to /usr/lib
        for deb in apt.download(packages, debs):
            archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
            tar = ["tar", "-x", "--no-same-owner", "--keep-directory-symlink", "-C", str(new / "root")]
            subprocess.run(tar, stdin=archive.stdout, check=True)
            if archive.wait():
                raise KernelError(f"{deb.name} cannot be unpacked")
        shutil.rmtree(new / "root/usr/share", ignore_errors=True)
        (release,) = os.listdir(new / "root/lib/modules")
        (new / "release").write_text(release + "\n")
        (new / "packages").write_text("".join(f"{deb.name}\n" for deb in sorted(debs.iterdir())))
        for part in ("vmlinuz", "config"):
            places = (f"root/boot/{part}-{release}", f"root/lib/modules/{release}/{part}")
            place = next((place for place in places if (new / place).exists()), None)
            if place is None:
                raise KernelError(f"{series}: no {part} in {' '.join(packages)}")
            (new / part).symlink_to(place)
        subprocess.run([program_path("depmod") or "depmod", "-b", str(new / "root"), release], check=True)
        (new / ".complete").touch()
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    return Kernel(series, folder)


def fetch(wanted: Iterable[str], *, refresh: bool = False) -> dict[str, Kernel | KernelError]:
    """Make sure that the kernels of these series are cached.

    One that is there is left alone unless `refresh`; apt is not even asked then.  Returns for each series the
    kernel or why it could not be had.
    """
    folder = cache_folder()
    results: dict[str, Kernel | KernelError] = {}
    todo = []
    for series in dict.fromkeys(wanted):
        kernel = Kernel(series, folder / series)
        if kernel.complete and not refresh:
            results[series] = kernel
        else:
            todo.append(series)
    if not todo:
        return results
    with locked(folder / ".lock"):
        try:
            apt = Apt(folder / ".apt")
            apt.update()
        except KernelError as error:
            return {**results, **dict.fromkeys(todo, error)}
        for series in todo:
            try:
                kernel = Kernel(series, folder / series)
                fetched = kernel.complete and not refresh  # by another run, while this one waited
                results[series] = kernel if fetched else unpack(apt, series, folder / series)
            except KernelError as error:
                results[series] = error
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                results[series] = KernelError(f"{series}: {error}")
    return results


def available() -> list[str]:
    """The series that the archive has, oldest first."""
    with locked(cache_folder() / ".lock"):
        apt = Apt(cache_folder() / ".apt")
        apt.update()
        return apt.series()
