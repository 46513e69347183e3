"""The draft: rows and text are two views of one line."""

from __future__ import annotations

import pytest

from kptui.probes.definition import Place
from kptui.probes.errors import ProbeSyntaxError
from kptui.ui.draft import Draft, new_draft


def execve(kind: str = "p") -> Draft:
    return new_draft(Place("__x64_sys_execve"), kind, "kptui", ())


def take(draft: Draft, *names: str) -> Draft:
    for name in names:
        offer = next(o for o in draft.offers() if o.name == name)
        taken = draft.take(offer)
        assert taken is not None
        draft = taken
    return draft


def test_the_article_is_picked_not_remembered() -> None:
    draft = take(execve(), "filename", "argv0", "argv1")
    assert draft.line == (
        "p:kptui/execve __x64_sys_execve filename=+0(+112(%di)):ustring "
        "argv0=+0(+0(+104(%di))):ustring argv1=+0(+8(+104(%di))):ustring"
    )


def test_taking_twice_gives_back() -> None:
    draft = take(execve(), "filename", "argv0", "filename")
    assert draft.line == "p:kptui/execve __x64_sys_execve argv0=+0(+0(+104(%di))):ustring"


def test_return_drops_what_is_gone_at_return_and_renames() -> None:
    draft = take(execve(), "filename")
    flipped = draft.toggle_kind(())
    assert flipped is not None
    assert flipped.line == "r:kptui/execve_ret __x64_sys_execve"
    back = flipped.toggle_kind(())
    assert back is not None
    assert back.line == "p:kptui/execve __x64_sys_execve"


def test_fields() -> None:
    draft = execve()
    named = draft.with_name("mine/first")
    assert named is not None
    assert named.line == "p:mine/first __x64_sys_execve"
    placed = named.with_place("ext4:ext4_file_open+4")
    assert placed is not None
    assert placed.line == "p:mine/first ext4:ext4_file_open+4"
    returned = execve("r").with_maxactive("100")
    assert returned is not None
    assert returned.line == "r100:kptui/execve_ret __x64_sys_execve"
    with pytest.raises(ProbeSyntaxError):
        execve("r").with_maxactive("many")


def test_arguments_move_and_cycle() -> None:
    draft = take(new_draft(Place("vfs_read"), "p", "kptui", ()), _first(Place("vfs_read")))
    forms = set()
    for _ in range(12):
        cycled = draft.cycle_arg(0, 1)
        assert cycled is not None
        draft = cycled
        forms.add(draft.line)
    assert len(forms) > 2
    two = take(execve(), "filename", "argv0")
    moved = two.move_arg(0, 1)
    assert moved is not None
    assert moved.line.index("argv0=") < moved.line.index("filename=")
    assert two.move_arg(1, 1) is None


def _first(place: Place) -> str:
    return new_draft(place, "p", "kptui", ()).offers()[0].name


def test_a_line_that_does_not_parse_is_kept_as_text() -> None:
    draft = Draft("p:kptui/x vfs_read )(")
    assert draft.probe is None
    assert draft.offers() == ()
    assert draft.with_arg(0, "%di") is None


def test_names_stay_unique() -> None:
    draft = new_draft(Place("vfs_read"), "p", "kptui", {"vfs_read", "vfs_read_2"})
    assert draft.line == "p:kptui/vfs_read_3 vfs_read"
