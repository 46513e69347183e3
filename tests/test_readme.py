"""The README tells the truth: keys, options, examples, pictures.

``python -m tests.test_readme --write`` puts the key table in.
"""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kptui.cli import main
from kptui.host.config import parse_config
from kptui.kernel.sim.data import unpack
from kptui.ui.commands import COMMANDS
from kptui.ui.keymap import Keymap, shown
from tests.headless.kernels import files_of

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- keys: made by python -m tests.test_readme --write -->\n", "<!-- end of keys -->\n"
SCOPES = {
    "everywhere": "Everywhere",
    "list": "In every list",
    "symbols": "Symbols",
    "editor": "Probe editor",
    "probes": "Probes",
    "events": "Events",
    "filter": "Filter builder",
    "picker": "Choosing processes and columns",
    "text": "Text on the whole screen",
    "dialog": "Other dialogs",
}


_MARKS, _ESCAPED = re.compile(r"([|_*])"), r"\\\1"


def key_table() -> str:
    """The keys of all commands as Markdown."""
    lines = ["| Key | Does |", "| --- | --- |"]
    for scope, title in SCOPES.items():
        lines.append(f"| **{title}** | |")
        for command in COMMANDS:
            if command.scope == scope and command.keys:
                keys = " ".join(f"`{shown(key)}`" for key in command.keys)
                text = f"{command.title}: {command.help}" if command.help else command.title
                lines.append(f"| {keys} | {_MARKS.sub(_ESCAPED, text)} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """The README's text with the table put in."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + key_table() + END + rest.split(END)[1]


def readme() -> str:
    return README.read_text(encoding="utf-8")


PICTURES = re.findall(r"!\[[^\]]+\]\(screenshots/([^)]+)\.svg\)", readme())


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", readme(), re.MULTILINE | re.DOTALL)
    return [text for named, text in found if named == language]


def help_text(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kptui", *command, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshots_make", ROOT / "screenshots" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_key_table_is_current() -> None:
    assert {command.scope for command in COMMANDS} == set(SCOPES)
    assert readme() == with_table(readme()), "run: python -m tests.test_readme --write"


def test_every_row_of_the_key_table_has_two_cells() -> None:
    for row in key_table().splitlines():
        assert len(re.findall(r"(?<!\\)\|", row)) == 3, row


def test_options_and_commands_exist() -> None:
    mentioned = re.findall(
        r"kptui((?: (?:args|check|symbols|convert|doctor|cleanup))?(?: --?[a-z]+\b)*)", readme()
    )
    mentioned = [words.split() for words in mentioned if words.strip()]
    assert len(mentioned) > 5
    for words in mentioned:
        command = [word for word in words if not word.startswith("-")]
        known = help_text(*command)
        for option in set(words) - set(command):
            assert re.search(rf"(^|[\s\[]){option}\b", known), f"kptui {' '.join(words)}"
    for option in set(re.findall(r"`(--[a-z]+)", readme())) | {"--to", "-o"}:
        every = [help_text(*command) for command in ([], ["convert"], ["check"], ["args"], ["symbols"])]
        assert option in "".join(every), option
    for name in re.findall(r"\bKPTUI_[A-Z_]+", readme()):
        assert name in (ROOT / "kptui/host/clipboard.py").read_text(encoding="utf-8")


def test_check_example(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, lines = next((n, block) for n, block in enumerate(blocks("")) if block.startswith("# opens.probes"))
    options = files_of("6.12", tmp_path).options
    monkeypatch.chdir(tmp_path)
    Path("opens.probes").write_text(lines, encoding="utf-8")
    assert main(["check", "opens.probes", *options]) == 1
    assert capfd.readouterr().out == blocks("")[at + 1]


def test_args_examples(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    btf = tmp_path / "vmlinux"
    btf.write_bytes(unpack("vmlinux.btf.xz"))
    for words, example in (
        (["args", "__x64_sys_openat"], next(b for b in blocks("") if b.startswith("long sys_openat("))),
        (
            ["args", "vfs_read", "--json", "--path", "file->f_path.dentry->d_name.name"],
            next(b for b in blocks("json") if "fetcharg" in b),
        ),
    ):
        assert " ".join(words[:2]) in readme()
        assert main([*words, "--btf", str(btf)]) == 0
        assert capfd.readouterr().out == example


def test_convert_example(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = next(block for block in blocks("") if "5021.123456" in block)
    (tmp_path / "trace.txt").write_text(line, encoding="utf-8")
    assert main(["convert", str(tmp_path / "trace.txt")]) == 0
    assert capfd.readouterr().out == next(block for block in blocks("json") if '"kind"' in block)


def test_configuration_example() -> None:
    (example,) = blocks("toml")
    config = parse_config(example.encode())
    keys = Keymap(config.keys)
    assert keys.command("events", "f5") == "events.follow"
    assert keys.command("probes", "D") is None
    assert config.mouse is False
    assert (config.max_events, config.max_bytes) == (500_000, 64 << 20)


def test_files_exist_and_nothing_is_fetched() -> None:
    for name in [f"screenshots/{name}.svg" for name in PICTURES] + re.findall(
        r"^(\w+(?:/\w*)*/)  ", readme(), re.MULTILINE
    ):
        assert (ROOT / name).exists(), name
    assert {f"{name}.svg" for name in PICTURES} == {p.name for p in ROOT.glob("screenshots/*.svg")}
    for picture in ROOT.glob("screenshots/*.svg"):
        text = picture.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "://" not in text
    assert "://" not in readme()


def test_all_pictures_are_shown(pictures: ModuleType) -> None:
    assert sorted(pictures.PICTURES) == sorted(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_the_program(name: str, pictures: ModuleType) -> None:
    found = pictures.differences(name, pictures.make(name))
    assert not found, "run: python screenshots/make.py\n" + "\n".join(found[:40])


def test_a_changed_picture_is_noticed(
    pictures: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    svg = (ROOT / "screenshots" / "editor-error.svg").read_text(encoding="utf-8")
    monkeypatch.setattr(pictures, "HERE", tmp_path)
    assert pictures.differences("editor-error", svg) == ["editor-error.svg is missing"]
    for old, new in (("Invalid", "Unvalid"), (r"bold", "normal")):
        (tmp_path / "editor-error.svg").write_text(svg.replace(old, new), encoding="utf-8")
        assert pictures.differences("editor-error", svg)
    renamed = re.sub(r"\bt-r(\d)", r"t-r9\1", svg)
    (tmp_path / "editor-error.svg").write_text(renamed, encoding="utf-8")
    assert not pictures.differences("editor-error", svg)


if __name__ == "__main__":
    written = with_table(readme())
    if sys.argv[1:] == ["--write"]:
        README.write_text(written, encoding="utf-8")
    else:
        io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8").write(key_table())
