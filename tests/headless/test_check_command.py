"""``kptui check`` as a shell sees it: what it reads, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kptui.cli import main
from tests.btf.writer import Writer
from tests.headless.kernels import Files, files_of

FORMAT = Path(__file__).parent.parent / "filters" / "data" / "format_flt.txt"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_of("6.12", tmp_path_factory.mktemp("kernel"))


def shell(
    *words: str, stdin: bytes | None = b"", stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kptui", "check", *words],
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=240,
        check=False,
    )


class Run:
    """Runs the command on bytes in this process."""

    def __init__(self, kernel: Files, capfd: pytest.CaptureFixture[str], path: Path) -> None:
        self.kernel, self.capfd, self.path = kernel, capfd, path
        self.status = -1
        self.err = ""

    def text(self, data: bytes, *options: str) -> str:
        self.path.write_bytes(data)
        kernel = self.kernel.for_filters if "--filter" in options else self.kernel.options
        self.status = main(["check", str(self.path), *kernel, *options])
        out, self.err = self.capfd.readouterr()
        return out

    def json(self, data: bytes, *options: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text(data, "--json", *options).splitlines()]


@pytest.fixture
def run(kernel: Files, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return Run(kernel, capfd, tmp_path / "lines.txt")


# -- lines


def test_physical_lines_are_bytes_up_to_a_newline(run: Run) -> None:
    data = b"p:ev vfs_read\r\n\n   \n# comment\np:\xc3\xa9 vfs_read \xff\x80=%di\np:ev vfs_read"
    found = run.json(data)
    assert [item["line"] for item in found] == [1, 2, 3, 4, 5, 6]
    assert [item["text"] for item in found] == [
        "p:ev vfs_read\r",
        "",
        "   ",
        "# comment",
        "p:é vfs_read \udcff\udc80=%di",
        "p:ev vfs_read",
    ]
    assert [item["ok"] for item in found] == [True, True, True, True, False, True]
    assert [item["command"] for item in found[:4]] == ["p:ev vfs_read", "", "", ""]
    assert run.status == 1


def test_what_has_no_lines_is_not_read_for_ever(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/dev/zero"]) == 2
    said = "kptui check: reading /dev/zero stopped: a line of it is longer than 16 MiB\n"
    assert capfd.readouterr() == ("", said)


def test_a_terminal_is_told_that_lines_are_waited_for(capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = os.openpty()
    try:
        os.write(ours, b"p vfs_read\n\x04")
        assert main(["check", os.ttyname(theirs), "--kallsyms", "none", "--btf", "none"]) == 0
    finally:
        os.close(ours)
        os.close(theirs)
    assert "ctrl+d ends them" in capfd.readouterr().err


def test_columns_count_bytes_of_the_command(run: Run) -> None:
    (item,) = run.json(b'  p:ev   vfs_read\ts=\\"\xc3\xa9"  b=%rdi # why\n')
    assert item["command"] == 'p:ev vfs_read s=\\"é" b=%rdi'
    (message,) = item["messages"]
    assert item["command"].encode()[message["column"] :].startswith(b"%rdi")


def test_json_is_ascii_whatever_the_line(run: Run) -> None:
    out = run.text(b"p:\xc3\xa9 vfs_read \xff=%di\n", "--json")
    assert out.isascii()
    assert "\\u00e9" in out
    assert "\\udcff" in out


@pytest.mark.parametrize(
    ("data", "errno"),
    [
        (b"# " + b"x" * 4092 + b"\n", None),  # 4095 bytes with the newline
        (b"# " + b"x" * 4093 + b"\n", "EINVAL"),
        (b"# " + b"x" * 4093, None),  # 4095 without one
        (b"# " + b"x" * 4094, "EINVAL"),
        (b"# " + b"x" * 200_000 + b"\n", "EINVAL"),
        (b"# c\0x\n", "EINVAL"),  # as uprobe_events of 6.18 has it
        (b"\0\n", "EINVAL"),
        (b"# c\0", "EINVAL"),
    ],
)
def test_long_lines_and_nul(run: Run, data: bytes, errno: str | None) -> None:
    (item,) = run.json(data)
    assert (item["ok"], item["errno"], item["messages"]) == (errno is None, errno, [])
    assert item["text"].encode() + b"\n" * data.endswith(b"\n") == data
    assert (item["hint"] is None) == (errno is None)


def test_nothing_to_check(run: Run) -> None:
    assert run.json(b"") == []
    assert run.status == 0
    assert run.text(b"") == "0 of 0 accepted, 0 refused\n"


def test_refused_without_a_message(run: Run) -> None:
    found = run.json(b"-:nosuch\nq:ev vfs_read\np\n")
    assert [(item["ok"], item["errno"], item["messages"]) for item in found] == [
        (False, "ENOENT", []),
        (False, "EINVAL", []),
        (False, "EINVAL", []),
    ]
    assert all(item["hint"] for item in found)


def test_a_hint_has_the_line_as_it_would_be_right(run: Run) -> None:
    found = run.json(
        b"p:ev vfs_read a=%rdi\np:ev vfs_read a=+0(%di\n\xef\xbb\xbfp:ev vfs_read\np:ev vfs_read a=+\n"
    )
    assert [item["hint"] for item in found[:2]] == [
        "The kernel calls it %di. Fix: use %di: p:ev vfs_read a=%di",
        "A closing parenthesis is missing. Fix: close the parenthesis: p:ev vfs_read a=+0(%di)",
    ]
    assert "byte-order mark" in found[2]["hint"]
    assert "Fix" not in found[3]["hint"]


def test_the_nearest_names_of_an_unknown_symbol(run: Run) -> None:
    (item,) = run.json(b"p:ev vfs_raed n=%di\n")
    assert item["hint"] == (
        "The kernel has no symbol vfs_raed; the nearest: vfs_read. Fix: use vfs_read: p:ev vfs_read n=%di"
    )
    text = run.text(b"p:ev vfs_raed n=%di\n", "--sequence")
    assert "    fix: use vfs_read: p:ev vfs_read n=%di\n" in text
    many = run.json(b"p:ev vfs_raed n=%di\n" * 102)
    assert ["nearest" in item["hint"] for item in many] == [True] * 100 + [False] * 2


def test_warnings(run: Run) -> None:
    (item,) = run.json(b"p:ev vfs_read a=+0(%di)junk\n")
    assert item["ok"]
    assert run.status == 0
    assert len(item["warnings"]) == 1
    assert "junk" in item["warnings"][0]
    assert item["hint"] is None


def test_twenty_thousand_lines_take_a_few_seconds(run: Run) -> None:
    data = b"".join(b"p:ev%d vfs_read a=%%di b=+0(%%si):string c=$arg1\n" % n for n in range(20_000))
    start = time.process_time()
    assert all(item["ok"] for item in run.json(data))
    alone = time.process_time()
    assert len(run.json(data, "--sequence")) == 20_000
    assert alone - start < 20  # 4 s, all of it the processor's
    assert time.process_time() - alone < 40


# -- what stands


def test_existing_definitions(run: Run, tmp_path: Path) -> None:
    standing = tmp_path / "standing"
    standing.write_text("p:kprobes/one vfs_read a=%di\nr10:kprobes/two vfs_read arg1=$retval\n")
    data = (
        b"p:one vfs_read a=%di\np:one vfs_open a=%di\np:one vfs_read a=%di:u8\np:two vfs_read\n-:one\n-:one\n"
    )
    found = run.json(data, "--existing", str(standing))
    assert [item["messages"][0]["message"] if item["messages"] else item["errno"] for item in found] == [
        "There is already the exact same probe event",
        None,
        "Argument type or name is different from existing probe",
        "Probe type is different from existing probe",
        None,
        None,  # each line alone
    ]


def test_existing_definitions_as_they_were_written(run: Run, tmp_path: Path) -> None:
    standing = tmp_path / "standing"
    standing.write_text("# mine\n\np vfs_read+0x10 %di\nwhat is this\n")
    found = run.json(b"p:p_vfs_read_16 vfs_read+16 arg1=%di\n-:p_vfs_read_16\n", "--existing", str(standing))
    assert [item["errno"] for item in found] == ["EEXIST", None]
    assert run.err == "kptui check: --existing, line 4 defines nothing and is passed over\n"


def test_a_sequence(run: Run) -> None:
    data = b"p:a vfs_read %di\np:a vfs_read arg1=%di\np:a vfs_open %di\n-:a vfs_read\np:a vfs_read %di\n-:a\n-:a\n"
    alone = run.json(data)
    assert [item["errno"] for item in alone] == [None, None, None, "ENOENT", None, "ENOENT", "ENOENT"]
    session = run.json(data, "--sequence")
    assert [item["errno"] for item in session] == [None, "EEXIST", None, None, None, None, "ENOENT"]
    assert session[1]["messages"] == [{"message": "There is already the exact same probe event", "column": 0}]


# -- filters


def test_filters_know_no_comments_and_no_blank_lines(run: Run) -> None:
    data = b"dfd == 1\n\n# dfd == 1\ndfd == 1 # x\n0\ndfd = 1\n"
    found = run.json(data, "--filter", "--format", str(FORMAT))
    assert [item["ok"] for item in found] == [True, False, False, False, True, False]
    assert (found[1]["errno"], found[1]["messages"]) == ("EINVAL", [{"message": "Error", "column": 0}])
    assert found[5]["messages"] == [{"message": "Invalid operator", "column": 5}]


def test_filters_that_end_in_an_operator_are_refused_for_every_kernel(run: Run) -> None:
    found = run.json(b"dfd == 1 &&\ndfd == 1 ||\n!\n", "--filter", "--format", str(FORMAT))
    assert [(item["errno"], item["messages"][0]["message"]) for item in found] == [
        ("EINVAL", "Meaningless filter expression")
    ] * 3


def test_functions_of_filters_come_from_kallsyms(run: Run) -> None:
    data = b"sym.function == vfs_read\nsym.function == nosuch\n"
    options = ("--filter", "--format", str(FORMAT))
    assert [item["ok"] for item in run.json(data, *options)] == [True, False]
    assert [item["ok"] for item in run.json(data, *options, "--kallsyms", "none")] == [True, True]
    assert [
        item["ok"] for item in run.json(data, *options, "--btf", "none", "--release", "6.1.0-50-amd64")
    ] == [
        False,
        False,
    ]


def test_a_filter_of_a_page_is_refused_with_its_newline(run: Run) -> None:
    tail = b"dfd == 1"
    options = ("--filter", "--format", str(FORMAT))
    for data, ok in (
        (b" " * (4095 - len(tail)) + tail, True),
        (b" " * (4095 - len(tail)) + tail + b"\n", False),
        (b" " * (4094 - len(tail)) + tail + b"\n", True),
    ):
        (item,) = run.json(data, *options)
        assert (item["ok"], item["messages"]) == (ok, [])


# -- for people


def test_text_is_as_a_compiler_has_it(run: Run) -> None:
    out = run.text(b"p:ev vfs_read\np:ev vfs_read  a=%rdi\n-:nosuch\np:ev vfs_read a=+0(%di)junk\n")
    name = run.path
    assert out.splitlines()[:5] == [
        f"{name}:2:18: error: Invalid register name [EINVAL]",
        "    p:ev vfs_read  a=%rdi",
        "                     ^",
        "    hint: The kernel calls it %di.",
        "    fix: use %di: p:ev vfs_read  a=%di",
    ]
    assert f"{name}:3: error: refused without a message [ENOENT]" in out
    assert f"{name}:4: warning: a: the kernel ignores “junk” after the last parenthesis." in out
    assert out.splitlines()[-1] == "2 of 4 accepted, 2 refused"


def test_text_is_safe_on_a_terminal_and_its_caret_right(run: Run) -> None:
    out = run.text("p:ev vfs_read \x1b[2J\u202e日本=%di\tx=%rdi\n".encode())
    assert not set(out) & {"\x1b", "\u202e", "\t"}
    run.text(b"p:ev vfs_read " + "日本".encode() + b"x\n")
    shown, caret = run.text(b"p:ev vfs_read\t%rdi\n").splitlines()[1:3]
    assert shown.index("%rdi") == caret.index("^")


def test_a_long_line_is_shown_around_its_caret(run: Run) -> None:
    data = b"p:ev vfs_read " + b" ".join(b"a%d=%%di" % n for n in range(100)) + b" b=%rdi c=%si\n"
    lines = run.text(data).splitlines()
    assert len(lines[1]) < 200
    assert lines[1].index("%rdi") == lines[2].index("^")


# -- manners


def test_standard_input_is_the_default(kernel: Files) -> None:
    for words in ((), ("-",)):
        done = shell(*words, *kernel.options, "--json", stdin=b"p:ev vfs_read\nq\n")
        assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (1, b"", 2)


def test_answers_come_while_the_input_is_open(kernel: Files) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kptui", "check", "--json", *kernel.options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in (b"p:ev vfs_read", b"p:ev vfs_read %rdi"):
            process.stdin.write(text + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"].encode() == text
        process.stdin.close()
        assert process.wait(30) == 1


def test_textual_is_not_imported(kernel: Files) -> None:
    code = (
        f"import sys, kptui.cli; kptui.cli.main(['check', '/dev/null', *{kernel.options!r}]); "
        f"kptui.cli.main(['check', {str(FORMAT)!r}, '--json', *{kernel.options!r}]); "
        "sys.exit(any(name.split('.')[0] in ('textual', 'rich', 'rapidfuzz') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("/nonexistent",), "can't read /nonexistent: No such file or directory"),
        (("/",), "can't read /: it is a directory"),
        (("",), "FILE is empty; give a file name, or - for standard input"),
        (("-", "--filter"), "--filter needs --format FILE"),
        (
            ("--filter", "--format", "x", "--kind", "kprobe"),
            "--kind is about definitions and doesn't go with",
        ),
        (("--filter", "--format", "x", "--sequence"), "--sequence is about definitions and doesn't go with"),
        (
            ("p vfs_read $retval", "--json"),
            "directory; a line is quoted and given so: printf '%s\\n' 'p vfs_read $retval' | kptui check",
        ),
        (
            ("p /bin/true:0x10 x=%di", "--kind", "uprobe"),
            "printf '%s\\n' 'p /bin/true:0x10 x=%di' | kptui check --kind uprobe\n",
        ),
        (("probes final.txt",), "can't read probes final.txt: No such file or directory\n"),
        (("-", "--format", str(FORMAT)), "--format goes with --filter"),
        (("-", "--format", "/nonexistent", "--filter"), "--format /nonexistent: No such file or directory"),
        (("-", "--readme", "/nonexistent"), "--readme /nonexistent: No such file or directory"),
        (("-", "--readme", str(FORMAT)), "is no README of tracefs"),
        (("-", "--btf", str(FORMAT)), "is no BTF; give a copy of /sys/kernel/btf/vmlinux, or none"),
        (("-", "--kallsyms", "/dev/null"), "--kallsyms /dev/null is empty"),
        (("-", "--existing", "/"), "--existing /: Is a directory"),
        (("-", "--release", "mine"), "--release needs a kernel release"),
    ],
)
def test_wrong_calls(words: tuple[str, ...], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *words]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("kptui check: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_line_that_the_shell_took_apart(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "p:ev", "vfs_read", "b=it's", "--release", "6.1"]) == 2
    line = "printf '%s\\n' 'p:ev vfs_read b=it'\"'\"'s' | kptui check --json --release 6.1\n"
    assert capfd.readouterr().err.endswith(f"vfs_read b=it's; a line is quoted and given so: {line}")
    assert main(["check", "lines.txt", "--color", "--json"]) == 2
    assert "quoted" not in capfd.readouterr().err
    done = subprocess.run(
        ["/bin/sh", "-c", line.replace("kptui", f"{sys.executable} -m kptui")],
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stdout)["text"] == "p:ev vfs_read b=it's"


def test_existing_definitions_and_filters(run: Run) -> None:
    options = ("--filter", "--format", str(FORMAT), "--existing", "/dev/null")
    assert run.text(b"dfd == 1\n", *options) == "1 of 1 accepted, 0 refused\n"
    assert "--existing is about definitions" in run.err
    assert run.status == 0


def test_files_that_are_not_what_they_should_be(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    types = run.kernel.btf.read_bytes()
    module = Writer(Writer())
    module.integer("int", 4)
    for data, option, said in (
        (
            b"\x9f\xeb\x01\x00" + b"\xff" * 40,
            "--btf",
            "is damaged: behind the first two bytes comes no header",
        ),
        (b"\x9f\xeb", "--btf", "was cut short: 2 bytes are no whole header; copy it again"),
        (types[:1000], "--btf", f"was cut short: it has 1,000 of {len(types):,} bytes; copy it again"),
        (
            types[:100] + b"\xff" * 100 + types[200:],
            "--btf",
            "the BTF is damaged: BTF has a record of an unknown kind",
        ),
        (module.data(), "--btf", "is a module's BTF; give a copy of /sys/kernel/btf/vmlinux, or none"),
        (b"no symbols here\n", "--kallsyms", "no line of it is a symbol"),
        (b"\xfd7zXZ\x00rest", "--kallsyms", "is compressed with xz"),
        (b"\x1f\x8brest", "--readme", "is compressed with gzip"),
    ):
        bad.write_bytes(data)
        assert run.text(b"p:ev vfs_read\n", option, str(bad)) == ""
        assert run.status == 2, data
        assert run.err.count("\n") == 1
        assert said in run.err
    bad.write_bytes(b"name: x\nID: 1\n")
    assert run.text(b"a == 1\n", "--filter", "--format", str(bad)) == ""
    assert (run.status, run.err.startswith("kptui check: --format ")) == (2, True)


@pytest.mark.parametrize(
    ("closed", "status", "said"),
    [
        (">&-", 2, b"kptui check: can't write standard output: Bad file descriptor\n"),
        (">/dev/full", 2, b"kptui check: can't write standard output: No space left on device\n"),
        ("2>&-", 1, b""),
    ],
)
def test_a_caller_that_closed_our_output(kernel: Files, closed: str, status: int, said: bytes) -> None:
    command = f'exec "$0" -m kptui check "$@" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, *kernel.options, "--json"],
        input=b"q\n",
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, said)


def test_a_reader_that_has_seen_enough(kernel: Files) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = shell("--json", *kernel.options, stdin=b"q\n" * 10, stdout=write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_options_of_the_screen_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--kallsyms", "/dev/null", "check"]) == 2
    assert "--kallsyms doesn't go with check" in capfd.readouterr().err
    assert main(["check", "--seq"]) == 2  # no abbreviations


def test_help_lists_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "check" in capfd.readouterr().out
    assert main(["check", "--help"]) == 0
    out = capfd.readouterr().out
    for option in (
        "--json",
        "--filter",
        "--format",
        "--readme",
        "--kallsyms",
        "--btf",
        "--existing",
        "--sequence",
    ):
        assert option in out


def test_several_fixes_are_offered_up_to_four(run: Run) -> None:
    lines = run.text(b"p:ev type_show\n").splitlines()
    fixes = [line for line in lines if line.startswith("    fix: ")]
    assert len(fixes) == 5
    assert fixes[0].endswith(": p:ev _text+" + fixes[0].partition("_text+")[2].split()[0])
    assert fixes[4] == "    fix: 14 more"


def test_a_removal_that_looks_like_an_option(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-:kptui/open", "--json"]) == 2
    line = "printf '%s\\n' -:kptui/open | kptui check --json\n"
    assert capfd.readouterr().err.endswith(f"-:kptui/open; a line is quoted and given so: {line}")
