"""``kptui convert FILE|- [--to jsonl|csv] [-o FILE]``: trace text to JSON lines or CSV, in a shell pipe or a
script.

An output file appears whole or not at all: it is written beside its name and moved there at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from kptui.safetext import neutralise

if TYPE_CHECKING:
    from kptui.export.convert import Counts, Form

_CHUNK = 1 << 16
_FORMS = ("jsonl", "csv")  # those of kptui.export.convert, which takes longer to load than --help may
OK, FAILED, USAGE = 0, 1, 2

# First bytes of files that hold traces in another form, and what to do with them.
_FOREIGN = (
    (b"\x17\x08Dtracing", "a trace.dat of trace-cmd", "trace-cmd report {file} | kptui convert -"),
    (b"PERFILE2", "a perf.data file", "perf script -i {file}"),
    (b"\x1f\x8b", "compressed with gzip", "zcat {file} | kptui convert -"),
    (b"\xfd7zXZ\x00", "compressed with xz", "xzcat {file} | kptui convert -"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "zstdcat {file} | kptui convert -"),
    (b"BZh", "compressed with bzip2", "bzcat {file} | kptui convert -"),
)


def add_parser(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The subcommand and its arguments; ``run`` in its defaults is run_convert."""
    parser = sub.add_parser(
        "convert",
        help="trace text (trace, trace_pipe) to JSON lines or CSV",
        description="Turns text from trace or trace_pipe into one JSON object or CSV line for each record. "
        "Nothing is dropped: lines that are no events come out with their kind and text.",
    )
    parser.add_argument("file", metavar="FILE", help="trace text, or - for standard input")
    parser.add_argument("--to", choices=_FORMS, default="jsonl", help="output format (default: jsonl)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="write here; replaced only when all went well"
    )
    parser.set_defaults(run=run_convert)
    return parser


class _Unreadable(Exception):
    """The input can't be used; ``str()`` is the sentence to show."""


class _ReadFailed(Exception):
    """Reading stopped half-way; ``str()`` is the reason."""


def _say(text: str) -> None:
    if sys.stderr is None:  # closed by the caller (2>&-)
        return
    with contextlib.suppress(OSError):
        sys.stderr.write(f"kptui convert: {neutralise(text)}\n")
        sys.stderr.flush()


def _reason(error: OSError) -> str:
    return error.strerror or os.strerror(error.errno or errno.EIO)


def _open(name: str) -> tuple[int, bool]:
    """A descriptor for ``name`` and whether it is ours to close."""
    if name == "-":
        return 0, False
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _Unreadable(f"can't read {name}: {_reason(error)}") from error
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        os.close(fd)
        raise _Unreadable(f"can't read {name}: it is a directory")
    return fd, True


def _chunks(fd: int, first: bytes) -> Iterator[bytes]:
    chunk = first
    while chunk:
        yield chunk
        try:
            chunk = os.read(fd, _CHUNK)
        except OSError as error:
            raise _ReadFailed(_reason(error)) from error


def _writer(fd: int) -> Callable[[str], None]:
    def write(text: str) -> None:
        data = memoryview(text.encode("utf-8"))
        while data:
            data = data[os.write(fd, data) :]

    return write


@contextlib.contextmanager
def _stopping(*, live: bool) -> Iterator[None]:
    """What SIGINT, SIGTERM and SIGHUP do meanwhile.

    A live stream (``cat trace_pipe | kptui convert -``) ends in no other way, so there they are the end of the input:
    what came is converted and written whole. A file's conversion is given up, without leaving a part behind.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if not live:
            raise KeyboardInterrupt
        # The interrupted read is repeated (PEP 475), and then finds the end.
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)

    before = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_foreign(name: str, first: bytes) -> None:
    for magic, what, instead in _FOREIGN:
        if first.startswith(magic):
            shown = "FILE" if name == "-" else name
            raise _Unreadable(f"{name} is {what}, not trace text; use: {instead.format(file=shown)}")


def run_convert(args: argparse.Namespace) -> int:
    """Do what ``args`` (file, to, output) say; the exit code: 0, 1 when it failed, 2 for a wrong call."""
    name, output = str(args.file), str(args.output)
    if not name:
        _say("FILE is empty; give a file name, or - for standard input")
        return USAGE
    if not output:
        _say("-o is empty; give a file name, or - for standard output")
        return USAGE
    try:
        fd, ours = _open(name)
    except _Unreadable as error:
        _say(str(error))
        return FAILED
    shown = "standard input" if name == "-" else name
    try:
        try:
            first = os.read(fd, _CHUNK)
        except OSError as error:
            raise _Unreadable(f"can't read {shown}: {_reason(error)}") from error
        _refuse_foreign(name, first)
        with _stopping(live=not ours):
            counts = _convert(_chunks(fd, first), args.to, output)
    except _Unreadable as error:
        _say(str(error))
        return FAILED
    except _ReadFailed as error:
        _say(f"reading {shown} stopped: {error}; nothing after that point could be converted")
        return FAILED
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        _say("interrupted")
        return FAILED
    except OSError as error:
        where = "standard output" if output == "-" else output
        _say(f"can't write {where}: {_reason(error)}")
        return FAILED
    finally:
        if ours:
            os.close(fd)
    _remark(shown, counts)
    return OK


def _remark(shown: str, counts: Counts) -> None:
    if counts.bytes == 0:
        _say(f"{shown} is empty: no records")
    elif counts.recognised == 0:
        _say(
            f"{shown} holds no line in the usual trace format; its {counts.records} lines are kept as "
            "kind raw (options context-info off, raw, hex or bin, or no trace text at all?)"
        )


def _reader_left() -> int:
    """The reader of our output closed it (``| head``): it has all it wanted, and that is no failure."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # keeps the interpreter's last flush quiet
    return OK


def _convert(chunks: Iterator[bytes], to: str, output: str) -> Counts:
    from kptui.export.convert import convert_stream

    form: Form = "csv" if to == "csv" else "jsonl"
    if output == "-":
        if sys.stdout is None:  # closed by the caller (>&-): descriptor 1 may by now be a file of ours
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.flush()
        return convert_stream(chunks, form, _writer(1))
    try:
        found: os.stat_result | None = os.stat(output)
    except FileNotFoundError:
        found = None
    if found is not None and not stat.S_ISREG(found.st_mode):
        fd = os.open(output, os.O_WRONLY | os.O_CLOEXEC)  # a device or a pipe; a directory says EISDIR
        try:
            return convert_stream(chunks, form, _writer(fd))
        finally:
            os.close(fd)
    return _replace(os.path.realpath(output), found, lambda write: convert_stream(chunks, form, write))


def _replace(
    target: str, found: os.stat_result | None, produce: Callable[[Callable[[str], None]], Counts]
) -> Counts:
    """Write a file beside ``target`` and move it there; on any failure the old one stays as it was."""
    folder, base = os.path.split(target)
    fd, beside = tempfile.mkstemp(prefix=f".{base[:100]}.", suffix=".part", dir=folder or ".")
    try:
        try:
            counts = produce(_writer(fd))
            if found is not None:
                os.fchmod(fd, stat.S_IMODE(found.st_mode))
            else:
                mask = os.umask(0)
                os.umask(mask)
                os.fchmod(fd, 0o666 & ~mask)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    return counts
