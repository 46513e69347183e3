"""The instruments measure what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from kptui.kernel.sim.data import unpack
from tests.bench.btf import btf
from tests.bench.measure import Figure, Settings, interleave, percentile, python, ratio, table
from tests.bench.search import symbols
from tests.bench.terminal import Terminal, painted
from tests.bench.verdict import WRITE, longest_definitions, longest_filters


def test_escape_sequences_are_not_painted() -> None:
    data = b"\x1b[?1049h\x1b]0;title\x07\x1b[1;31mvfs\x1b[0m_read\x1b[2;1H\x1bP1$r\x1b\\\x1b(B next\r\n"
    assert painted(data) == "vfs_read next"


def test_rounds_take_turns_and_the_first_is_not_counted() -> None:
    order: list[str] = []

    def program(name: str) -> float:
        order.append(name)
        return float(len(order))

    ours, peers = interleave(2, [lambda: program("a"), lambda: program("b")])
    assert order in (list("abbaab"), list("baabba"))
    assert sorted(ours + peers) == [3.0, 4.0, 5.0, 6.0]


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    assert ratio([10, 20, 900], [10, 10, 10]) == 2
    assert percentile([5, 1, 3, 2, 4], 0.5) == 3
    assert percentile([1, 2], 1.0) == 2


def test_the_table_says_what_is_missed() -> None:
    lines = table([Figure("a", 2, peer=1, peer_name="b", ratio=2, target=1.2), Figure("c", 1)]).splitlines()
    assert lines[1].endswith("MISSED")
    assert lines[2].endswith("1.00 ms")


def test_a_list_is_filled_up_with_lines_of_the_right_form(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b"ffffffff81000000 T vfs_read\nffffffff81000010 t tcp_connect\n")
    data, source = symbols(Settings(1, tmp_path, tmp_path / "k", 500, None))
    assert len(data.splitlines()) == 500
    assert "498 of them invented" in source


def test_the_first_frame_of_an_empty_app_is_seen(tmp_path: Path) -> None:
    settings = Settings(1, tmp_path, None, 0, None)
    with Terminal(python("-m", "tests.bench.emptyapp"), settings.environ()) as terminal:
        moment = terminal.wait(terminal.has_frame)
        assert moment is not None
        assert moment > terminal.started
        assert not painted(terminal.data).strip()


def test_a_program_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    with Terminal(["/bin/true"], Settings(1, tmp_path, None, 0, None).environ()) as terminal:
        assert terminal.wait(terminal.has_frame, 5) is None
    with pytest.raises(IndexError):
        percentile([], 0.5)


def test_type_information_is_measured_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vmlinux.btf"
    path.write_bytes(unpack("vmlinux.btf.xz"))
    monkeypatch.setenv("KPTUI_BENCH_BTF", str(path))
    figures = {figure.name: figure for figure in btf(Settings(1, tmp_path, None, 0, None))}
    assert 0 < figures["btf: open"].ours < figures["btf: first prototype"].ours
    assert "19,153 functions" in figures["btf: open"].note
    assert figures["btf: memory"].met is not None


def test_a_limit_is_one_of_the_figure_itself() -> None:
    slow, quick = Figure("a", 2.5, limit=2), Figure("b", 1.5, peer=1, ratio=1.5, limit=2)
    assert (slow.met, quick.met) == (False, True)
    assert "<= 2 ms" in table([slow])


def test_lines_of_the_verdicts_bench_fit_into_one_write() -> None:
    for text in (*longest_definitions().values(), *longest_filters().values()):
        assert "\n" not in text
        assert len(text.encode()) <= WRITE
