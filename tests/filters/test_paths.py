"""Relative names don't match a filter that begins at the root, which is said where a program's own words are kept."""

from __future__ import annotations

import pytest

from kptui.events.format import parse_format
from kptui.filters import check_filter

_COMMON = "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"


def warnings(event: str, fields: str, text: str) -> tuple[str, ...]:
    """``fields``: names of texts, or of a place (``__probe_ip``)."""
    rows = [
        f"\tfield:unsigned long {name};\toffset:8;\tsize:8;\tsigned:0;\n"
        if name.startswith("__")
        else f"\tfield:__data_loc char[] {name};\toffset:16;\tsize:4;\tsigned:1;\n"
        for name in fields.split()
    ]
    fmt = parse_format(f'name: {event}\nID: 7\nformat:\n{_COMMON}{"".join(rows)}\nprint fmt: ""\n')
    verdict = check_filter(text, fmt)
    assert verdict.ok
    return verdict.warnings


@pytest.mark.parametrize(
    ("event", "text", "warning"),
    [
        (
            "do_unlinkat",
            'path ~ "/tmp/*"',
            'path: relative names ("c" after cd /tmp) don\'t match; vfs_unlink sees those too.',
        ),
        ("mine", 'filename ~ "/tmp/*"', 'filename: relative names ("c" after cd /tmp) don\'t match.'),
        ("mine", "name == '/etc/passwd'", 'name: relative names ("passwd" after cd /etc) don\'t match.'),
        ("mine", 'name == "/vmlinuz"', 'name: relative names ("vmlinuz" after cd /) don\'t match.'),
        ("mine", 'old_path ~ "/home/*/x"', "old_path: relative names don't match."),
        ("vfs_open", 'path ~ "/é/*"', 'path: relative names ("c" after cd /é) don\'t match.'),
    ],
)
def test_what_begins_at_the_root(event: str, text: str, warning: str) -> None:
    assert warnings(event, "__probe_ip path filename name old_path", text) == (warning,)


def test_each_field_once() -> None:
    text = 'path ~ "/tmp/*" || path ~ "/tmp/*" || name ~ "/tmp/*"'
    assert len(warnings("mine", "__probe_ip path name", text)) == 2


@pytest.mark.parametrize(
    "text",
    [
        'path ~ "*/tmp/*"',
        'path ~ "*.conf"',
        'path != "/etc/passwd"',
        'ret ~ "/tmp/*"',
        'comm == "/x"',
        'path == ""',
    ],
)
def test_what_matches_as_well_as_it_can(text: str) -> None:
    assert warnings("mine", "__probe_func __probe_ret_ip path ret", text) == ()


def test_events_that_have_paths_of_their_own_making() -> None:
    assert warnings("cgroup_mkdir", "path", 'path ~ "/user*"') == ()
    assert warnings("sched_process_exec", "filename", 'filename ~ "/usr/*"') == (
        'filename: relative names ("c" after cd /usr) don\'t match.',
    )
    assert warnings("sys_enter_unlinkat", "__syscall_nr pathname", 'pathname ~ "/tmp/*"') == (
        'pathname: relative names ("c" after cd /tmp) don\'t match; vfs_unlink sees those too.',
    )
