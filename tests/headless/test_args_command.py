"""``kptui args`` as a shell sees it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kptui.btf.types import PTR
from kptui.cli import main
from kptui.kernel.sim.data import unpack
from kptui.kernel.target.types import TypeFiles, features_of_types
from tests.btf.test_reader import kernel
from tests.btf.writer import Writer, sample, sample_writer

KALLSYMS = """\
ffffffff81000000 T _text
ffffffff81100000 T vfs_read
ffffffff81100040 T vfs_write
ffffffff81100080 T asm_only
ffffffff811000c0 T __x64_sys_openat
ffffffff82000000 D jiffies
ffffffffc0000000 t box_open\t[boxes]
ffffffffc0001000 t box_open\t[crates]
"""


class Run:
    """Runs the command in this process, by default on the simulated kernel's types."""

    def __init__(self, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capfd, self.folder = capfd, folder
        self.status = -1
        self.err = ""
        self.btf = self.file("vmlinux.btf", unpack("vmlinux.btf.xz"))

    def file(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def text(self, *words: str, btf: str | None = None) -> str:
        self.status = main(["args", *words, "--btf", self.btf if btf is None else btf])
        out, self.err = self.capfd.readouterr()
        return out

    def json(self, *words: str, btf: str | None = None) -> Any:
        out = self.text(*words, "--json", btf=btf)
        assert out.count("\n") == 1, self.err
        return json.loads(out)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return Run(capfd, tmp_path)


def test_a_function(run: Run) -> None:
    found = run.json("vfs_read")
    assert found == {
        "prototype": "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)",
        "parameters": [
            {"name": "file", "type": "struct file *", "register": "di", "fetcharg": "file=%di:x64"},
            {"name": "buf", "type": "char *", "register": "si", "fetcharg": "buf=%si:x64"},
            {"name": "count", "type": "size_t", "register": "dx", "fetcharg": "count=%dx:u64"},
            {"name": "pos", "type": "loff_t *", "register": "cx", "fetcharg": "pos=%cx:x64"},
        ],
        "returns": {"name": "$retval", "type": "ssize_t", "register": "ax", "fetcharg": "ret=$retval:s64"},
    }
    assert (run.status, run.err) == (0, "")


@pytest.mark.parametrize(
    ("symbol", "path", "expected"),
    [
        (
            "vfs_read",
            "file->f_path.dentry->d_name.name",
            ("name=+0(+40(+72(%di))):string", "const unsigned char *", [72, 40, 0]),
        ),
        ("vfs_read", "count", ("count=%dx:u64", "size_t", [])),
        ("vfs_read", "*pos", ("pos_0=+0(%cx):s64", "loff_t", [0])),
        ("__x64_sys_openat", "filename", ("filename=+0(+104(%di)):ustring", "const char __user *", [104, 0])),
        (
            "__x64_sys_connect",
            "uservaddr->sa_family",
            ("sa_family=+u0(+104(%di)):u16", "sa_family_t", [104, 0]),
        ),
    ],
)
def test_a_path(run: Run, symbol: str, path: str, expected: tuple[str, str, list[int]]) -> None:
    found = run.json(symbol, "--path", path)
    assert found == dict(zip(("fetcharg", "type", "offsets"), expected, strict=True))


def test_a_path_from_the_result(run: Run) -> None:
    found = run.json("filp_open", "--return", "--path", "$retval->f_inode->i_ino")
    assert found == {"fetcharg": "i_ino=+64(+40($retval)):u64", "type": "unsigned long", "offsets": [40, 64]}
    assert run.text("filp_open", "--path", "$retval->f_inode") == ""
    assert run.status == 2
    assert "--return" in run.err


def test_what_nothing_reads_says_why(run: Run) -> None:
    found = run.json("vfs_read", "--path", "file->f_path")
    assert found == {
        "fetcharg": None,
        "type": "struct path",
        "offsets": [64],
        "reason": "a structure: open one of its members",
    }
    variadic = run.json("seq_printf")
    assert variadic["parameters"][2]["reason"] == "variable arguments: each call has others"
    assert variadic["returns"]["fetcharg"] is None
    assert variadic["returns"]["register"] is None


def test_a_system_call_has_its_own_arguments(run: Run) -> None:
    found = run.json("__x64_sys_openat")
    assert found["prototype"] == (
        "long sys_openat(int dfd, const char __user *filename, int flags, umode_t mode)"
    )
    assert [(p["register"], p["fetcharg"]) for p in found["parameters"]] == [
        ("di", "dfd=+112(%di):s32"),
        ("si", "filename=+0(+104(%di)):ustring"),
        ("dx", "flags=+96(%di):x32"),
        ("r10", "mode=+56(%di):x16"),
    ]
    old = run.json("__ia32_sys_openat", "--kallsyms", "none", btf="none")
    assert [p["register"] for p in old["parameters"]] == ["bx", "cx", "dx", "si"]


def test_a_return_probe_has_the_arguments_only_where_the_kernel_keeps_them(run: Run) -> None:
    found = run.json("vfs_read", "--return")  # the simulated kernel's types are a cut: they prove nothing
    assert [p["fetcharg"] for p in found["parameters"]] == [None] * 4
    assert all("keeps no arguments" in p["reason"] for p in found["parameters"])
    assert found["returns"]["fetcharg"] == "ret=$retval:s64"
    assert run.text("vfs_read", "--return", "--path", "file->f_flags") == ""
    assert run.status == 1
    w = sample_writer()
    w.struct("probe_entry_arg", 16)
    btf = run.file("newer.btf", w.data())
    kept = run.json("demo", "--return", btf=btf)
    assert [p["fetcharg"] for p in kept["parameters"]] == ["box=$arg1:x64", "text=$arg2:x64", "n=$arg3:s32"]
    path = run.json("demo", "--return", "--path", "box->name", btf=btf)
    assert path == {"fetcharg": "name=+0(+16($arg1)):string", "type": "char *", "offsets": [16, 0]}


def test_for_people(run: Run) -> None:
    out = run.text("vfs_read")
    assert out.splitlines()[:9] == [
        "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)",
        "",
        "  %di  file     struct file *  file=%di:x64",
        "  %si  buf      char *         buf=%si:x64      in user memory",
        "  %dx  count    size_t         count=%dx:u64",
        "  %cx  pos      loff_t *       pos=%cx:x64",
        "  %ax  returns  ssize_t        ret=$retval:s64  in a return probe",
        "",
        "  name=+0(+40(+72(%di))):string      file->f_path.dentry->d_name.name",
    ]
    path = run.text("vfs_read", "--path", "file->f_path.dentry->d_name.name")
    assert path.splitlines()[2] == "  name=+0(+40(+72(%di))):string"
    call = run.text("__x64_sys_getpid")
    assert "! getpid takes no arguments" in call.splitlines()
    assert "ret=$retval:s64" in run.text("vfs_read", "--return")


@pytest.mark.parametrize(
    ("words", "said", "near"),
    [
        (("vfs_raed",), "no function vfs_raed is known", "vfs_read"),
        (("execve",), "no function execve is known", "__x64_sys_execve"),
        (("filename_unlinkat",), "no function filename_unlinkat is known", "do_unlinkat"),
        (("vfs_read", "--path", "fil->f_path"), "vfs_read has no parameter fil", "file"),
        (("vfs_read", "--path", "file->f_pth"), "struct file has no member f_pth", "f_path"),
        (("vfs_read", "--path", "d_name"), "vfs_read has no parameter d_name", "file->f_path.dentry->d_name"),
        (("tcp_connect", "--path", "sk->sk_dport"), "no member sk_dport", "sk->__sk_common.skc_dport"),
        (("zzzz_qqqq",), "no function zzzz_qqqq is known", "ANY"),
        (("vfs_read", "--path", "file->zzzz"), "struct file has no member zzzz", "ANY"),
        (("vfs_read", "--path", "zzzz->x"), "vfs_read has no parameter zzzz", "ANY"),
        (("vfs_read", "--path", "file->"), "file-> goes on with a member's name", ""),
        (("vfs_read+4",), "known at a function's beginning only; ask for vfs_read", ""),
        (("_text+4096",), "ask for the function there", ""),
        (
            ("0xffffffff81000000",),
            "is an address: ask for the function's name (kptui symbols 0xffffffff81000000)",
            "",
        ),
        (("vfs_read", "--path", "count->x"), "count has no members", ""),
        (("nosuch:vfs_read",), "no type information of the module nosuch", ""),
        (("__x64_sys_nosuch",), "no function __x64_sys_nosuch is known", ""),
    ],
)
def test_what_is_unknown(run: Run, words: tuple[str, ...], said: str, near: str) -> None:
    assert run.text(*words, "--json") == ""
    assert run.status == 1
    lines = run.err.splitlines()
    assert lines[0].startswith("kptui args: ")
    assert said in lines[0]
    if near == "ANY":
        assert lines[1].startswith("kptui args: nearest: ")
        assert lines[1].removeprefix("kptui args: nearest: ").strip()
    elif near:
        assert lines[1].split(": ")[2].split(", ")[0] == near


def test_symbols_tell_what_types_do_not(run: Run) -> None:
    kallsyms = run.file("kallsyms", KALLSYMS.encode())
    found = run.json("asm_only", "--kallsyms", kallsyms)
    assert found["prototype"] is None
    assert found["parameters"][5] == {
        "name": "arg6",
        "type": None,
        "register": "r9",
        "fetcharg": "arg6=%r9:x64",
    }
    assert "type information has no asm_only" in run.err
    assert run.text("jiffies", "--kallsyms", kallsyms) == ""
    assert (run.status, run.err) == (1, "kptui args: jiffies is data, not a function\n")
    assert run.json("tcp_connect", "--kallsyms", kallsyms)["parameters"]
    assert "no probe can be put there" in run.err
    run.text("vfs_raed", "--kallsyms", kallsyms)
    assert "nearest: vfs_read" in run.err
    run.text("zzzz_qqqq", "--kallsyms", kallsyms)
    assert "nearest: " in run.err


def test_without_any_type_information(run: Run) -> None:
    found = run.json("anything", btf="none")
    assert [p["register"] for p in found["parameters"]] == ["di", "si", "dx", "cx", "r8", "r9"]
    known = run.json("do_sys_openat2", btf="none")["parameters"]
    assert [(p["name"], p["register"], p["fetcharg"]) for p in known] == [
        ("dfd", "di", "dfd=%di:s32"),
        ("filename", "si", "filename=+0(%si):ustring"),
        ("how", "dx", "how=%dx:x64"),
    ]
    assert run.text("anything", "--path", "arg1->x", btf="none") == ""
    assert run.status == 1


# -- modules


def module(folder: str, run: Run, name: str = "boxes") -> tuple[str, str]:
    """Files of a kernel and of a module on top of it."""
    base = sample_writer()
    w = Writer(base)
    crate = w.struct("crate", 16, ("weight", 2, 64))  # 2 is the kernel's int
    w.function("box_open", 0, ("crate", w.add(PTR, "", crate)))
    return run.file(f"{folder}/vmlinux.btf", base.data()), run.file(f"{folder}/{name}.btf", w.data())


def test_a_module_s_types_are_found_beside_the_kernel_s(run: Run) -> None:
    vmlinux, boxes = module("both", run)
    for btf in (vmlinux, boxes):
        for symbol in ("box_open", "boxes:box_open"):
            found = run.json(symbol, "--path", "crate->weight", btf=btf)
            assert found == {"fetcharg": "weight=+8(%di):s32", "type": "int", "offsets": [8]}
    assert run.json("demo", btf=boxes)["parameters"][0]["name"] == "box"


def test_a_module_s_types_alone_are_not_enough(run: Run) -> None:
    _, boxes = module("both", run)
    alone = run.file("alone/boxes.btf", Path(boxes).read_bytes())
    assert run.text("box_open", btf=alone) == ""
    assert run.status == 2
    assert "give its kernel's too" in run.err
    assert main(["args", "box_open", "--btf", alone, "--btf", str(Path(boxes).with_name("vmlinux.btf"))]) == 0


def test_a_function_of_several_modules(run: Run) -> None:
    vmlinux, boxes = module("both", run)
    run.file("both/crates.btf", Path(boxes).read_bytes())
    assert run.json("box_open", btf=vmlinux)["parameters"][0]["name"] == "crate"
    assert run.err == (
        "kptui args: several modules have box_open: boxes:box_open, crates:box_open; this is that of boxes\n"
    )
    kallsyms = run.file("kallsyms", KALLSYMS.replace("crates", "nosuch").encode())
    run.json("box_open", "--kallsyms", kallsyms, btf=vmlinux)
    assert run.err == ""


# -- mistakes


@pytest.mark.parametrize(
    "words",
    [
        ("",),
        ("vfs_read", "--path", " "),
        ("vfs_read", "--path", "$retval"),
        ("vfs_read", "--btf", "none"),
        ("nosuch_either", "--kallsyms", "/nonexistent/kallsyms"),
        ("nosuch_either", "--kallsyms", "/dev/null"),
        ("--nosuch",),
    ],
)
def test_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    assert run.text(*words) == ""
    assert run.status == 2
    assert run.err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty; give a copy of /sys/kernel/btf/vmlinux, or none"),
        (b"\x9f\xeb", "was cut short: 2 bytes are no whole header; copy it again"),
        (b"no btf at all", "is no BTF; give a copy of /sys/kernel/btf/vmlinux, or none"),
        (b"\x1f\x8bxx", "is compressed with gzip"),
        (sample()[:60], f"was cut short: it has 60 of {len(sample())} bytes; copy it again"),
        (
            b"\x9f\xeb\x01\x00" + b"\xff" * 90,
            "is damaged: behind the first two bytes comes no header of BTF;",
        ),
        (sample()[:24] + b"\xff" * (len(sample()) - 25) + b"\0", "odd is damaged: BTF has a record of an"),
        (sample()[:24] + b"\xff" * 40 + sample()[64:], "is damaged: "),
    ],
)
def test_files_that_are_no_types(run: Run, data: bytes, said: str) -> None:
    assert run.text("demo", btf=run.file("odd.btf", data)) == ""
    assert run.status == 2
    assert run.err.startswith("kptui args: --btf")
    assert said in run.err


def test_several_functions_of_a_name(run: Run) -> None:
    lines = (f"ffffffff812{n:03x}00 t name_show\n" for n in range(11))
    more = "ffffffff81300000 t vfs_read\nffffffffc0000100 t box_open\t[crates]\n"
    kallsyms = run.file("kallsyms", (KALLSYMS + "".join(lines) + more).encode())
    assert "(its parameters are unknown)" in run.text("name_show", "--kallsyms", kallsyms)
    *_, told = run.err.splitlines()
    assert told == (
        "kptui args: 11 functions are called name_show: a probe names one as _text+0x200000, _text+0x200100, "
        "_text+0x200200 … (kptui symbols name_show)"
    )
    found = run.json("vfs_read", "--kallsyms", kallsyms)
    assert found["parameters"][0]["name"] == "file"
    assert run.err == (
        "kptui args: 2 functions are called vfs_read: a probe names one as _text+0x100000, _text+0x300000 (kptui "
        "symbols vfs_read); the types have one prototype of that name, which is shown\n"
    )
    run.text("box_open", "--kallsyms", kallsyms)
    assert "3 functions are called box_open: a probe names one as boxes:box_open, _text+0x3f001000" in run.err
    run.text("boxes:box_open", "--kallsyms", kallsyms)
    assert "functions are called" not in run.err
    run.text("vfs_write", "--kallsyms", kallsyms)
    assert run.err == ""
    hidden = re.sub(r"^\w{16}", "0" * 16, (KALLSYMS + more), flags=re.MULTILINE)
    run.text("vfs_read", "--kallsyms", run.file("hidden", hidden.encode()))
    assert "2 functions are called vfs_read: which is where is hidden (kptr_restrict, or no root);" in run.err


def test_hostile_names_are_not_sent_to_the_terminal(run: Run) -> None:
    w = Writer()
    number = w.integer("int", 4, signed=True)
    w.function(
        "f", number, ("a\x1b]52;c;aGk=\x07", w.add(PTR, "", w.struct("s\x1b[2J", 4, ("m\x9b", number, 0))))
    )
    btf = run.file("hostile.btf", w.data())
    for words in (("f",), ("f", "--json"), ("f", "--return"), ("f", "--path", "nosuch")):
        out = run.text(*words, btf=btf)
        assert "\x1b" not in out + run.err
        assert "\x9b" not in out + run.err


def test_closed_output() -> None:
    done = subprocess.run(
        f"{sys.executable} -m kptui args anything --btf none >&-",
        shell=True,
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 2
    assert b"can't write standard output" in done.stderr


def test_what_types_prove() -> None:
    assert "return_args" not in features_of_types(kernel())
    w = sample_writer()
    w.struct("probe_entry_arg", 16)
    w.function("print_type_char", 0)
    w.enum("", [("TP_ERR_NOSUP_BTFARG", 1), ("TP_ERR_NO_PTR_STRCT", 2)])
    types = TypeFiles([("vmlinux", w.data())])
    assert types.kernel is not None
    assert features_of_types(types.kernel) >= {"return_args", "char", "btf", "members"}
    assert "dentry" not in features_of_types(types.kernel)
