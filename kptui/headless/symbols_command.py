"""``kptui symbols QUERY``: the kernel's symbols that fit a few letters, the likeliest first, and which can be probed.

Exit status: 0 something fits, 1 nothing does (the nearest names are on standard error), 2 wrong usage, or no symbols.
"""

from __future__ import annotations

import argparse
import json
import os
from itertools import islice
from typing import TYPE_CHECKING

from kptui.headless.manners import Output, Speaker, Unusable, forget_output, read_option, reason
from kptui.safetext import neutralise

if TYPE_CHECKING:
    from kptui.symbols import Hits, SymbolSearch
    from kptui.symbols.search import Row

FOUND, NOTHING, UNUSABLE = 0, 1, 2
OWN = "/proc/kallsyms"
LIMIT, MOST = 20, 1_000_000
_SHOWN = 60  # letters of a query that fits nothing
_MARKS = {True: "✓", False: "✗", None: "?"}
_speaker = Speaker("symbols")

_DESCRIPTION = """\
Finds kernel symbols by some of their letters, in order or misspelt (vfsread, shcedule), by the
name of a system call (sys_execve, 'execve(2)'), or by the name that another kernel has for a
function (do_sys_open). One line a symbol, the likeliest first: name, type, module, whether a
probe can be put there (✓ yes, ✗ no, ? not known) and why not.

Of several words, each has to fit. As in fzf, ^vfs begins the name, read$ ends it, 'read stands in
it in one piece, !cold doesn't; a word with * or ? is a glob for the whole name ('vfs_*').

Words in QUERY narrow it: mod:ext4 (mod:kernel: no module), type:text, type:data or letters of
kallsyms (type:T), probe:yes or probe:no."""

_EPILOG = """\
Of a file given with --kallsyms, only what it says itself counts, nothing that this machine's
kernel says of probes.

Exit status: 0 something fits, 1 nothing does, 2 wrong usage or no symbols."""


def add_parser(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The subcommand and its arguments."""
    parser = sub.add_parser(
        "symbols",
        help="find kernel symbols by some letters, and which can be probed",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "query", metavar="QUERY", nargs="+", help="letters of the name, and words that narrow"
    )
    parser.add_argument(
        "--kallsyms",
        metavar="FILE",
        dest="kallsyms_file",
        help=f"a copy of {OWN} (default: this machine's own)",
    )
    parser.add_argument(
        "--limit", metavar="N", type=_limit, default=LIMIT, help=f"symbols at most (default: {LIMIT})"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a symbol")
    return parser


def _limit(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"{neutralise(text)!r} is no number from 1 to {MOST:,}")
    return number


def run_symbols(args: argparse.Namespace) -> int:
    """Do what ``args`` say; the exit status."""
    query = " ".join(args.query)
    try:
        if not query.strip():
            raise Unusable("QUERY is empty; give some letters of a symbol's name")
        return _search(query, args)
    except Unusable as error:
        _speaker.say(str(error))
        return UNUSABLE
    except BrokenPipeError:  # the reader of our output has all it wanted (| head)
        forget_output()
        return FOUND
    except OSError as error:
        forget_output()
        _speaker.say(f"can't write standard output: {reason(error)}")
        return UNUSABLE


def _search(query: str, args: argparse.Namespace) -> int:
    from kptui.symbols.names import NOISE_PREFIXES

    search = _symbols(args.kallsyms_file)
    noise = any(word.lstrip("^'").startswith(NOISE_PREFIXES) for word in query.split())
    found = search.search(query, limit=args.limit, noise=noise)
    if found.asked.problem:
        raise Unusable(found.asked.problem)
    if not found.hits:
        _tell_nearest(search, found)
        return NOTHING
    symbols = list(islice(search.rows(found), args.limit))
    if args.json:
        text = "".join(json.dumps(_as_json(search, hit)) + "\n" for hit in symbols)
    else:
        if search.table.addresses_hidden:
            _speaker.say(
                "addresses are hidden (kptr_restrict, or no root): probing by name works all the same"
            )
        text = _as_text(search, symbols)
    Output().write(text)
    return FOUND


def _symbols(path: str | None) -> SymbolSearch:
    """The symbols of a file, or of this machine with what its kernel says of probes."""
    from kptui.kernel.kallsyms import KallsymsError, read_plain
    from kptui.kernel.probelists import read_probe_lists
    from kptui.symbols import ProbeLists, SymbolSearch, SymbolTable

    if path is not None:
        data = read_option("--kallsyms", path)
    else:
        try:
            data = read_plain(OWN)
        except KallsymsError as error:
            raise Unusable(f"{error}; give a copy with --kallsyms FILE") from error
    table = SymbolTable.parse(data)
    if not len(table):
        raise Unusable(f"{path or OWN}: no line of it is a symbol as {OWN} shows them")
    if table.bad_lines:
        what = "line is no symbol" if table.bad_lines == 1 else "lines are no symbols"
        _speaker.say(f"{path or OWN}: {table.bad_lines:,} {what} and passed over")
    search = SymbolSearch(table)
    search.probing = search.find_probing(read_probe_lists if _is_own(path) else ProbeLists)
    return search


def _is_own(path: str | None) -> bool:
    try:
        return path is None or os.path.samefile(path, OWN)
    except OSError:
        return False


def _as_json(search: SymbolSearch, row: Row) -> dict[str, object]:
    symbol = search.table.symbol(row.line)
    probeable, reason = _said(search, row, symbol.name)
    return {
        "name": symbol.name,
        "type": symbol.type,
        "module": symbol.module,
        "address": None if symbol.address is None else f"{symbol.address:016x}",
        "probeable": probeable,
        "reason": reason,
    }


def _as_text(search: SymbolSearch, symbols: list[Row]) -> str:
    rows = [_columns(search, row) for row in symbols]
    names = max(len(row[0]) for row in rows)
    modules = max(len(row[2]) for row in rows)
    return "".join(
        f"{name:<{names}}  {type_}  {module:<{modules}}  {mark}  {why}".rstrip() + "\n"
        for name, type_, module, mark, why in rows
    )


def _columns(search: SymbolSearch, row: Row) -> tuple[str, str, str, str, str]:
    symbol = search.table.symbol(row.line)
    probeable, reason = _said(search, row, symbol.name)
    why = reason or ""
    if row.alias:
        why = f"{why}; for {neutralise(row.alias)}" if why else f"for {neutralise(row.alias)}"
    return (
        neutralise(symbol.name),
        symbol.type,
        neutralise(symbol.module or "-"),
        _MARKS[probeable],
        why,
    )


def _said(search: SymbolSearch, row: Row, name: str) -> tuple[bool | None, str | None]:
    """Whether a symbol can be probed, and what there is to say."""
    from kptui.symbols.probeable import clone_note

    assert search.probing is not None
    said = search.probing.symbol(row.line, row.copies)
    return said.probeable, said.reason or (clone_note(name) if "." in name else None)


def _tell_nearest(search: SymbolSearch, found: Hits) -> None:
    asked = found.asked
    where = f" with {asked.words}" if asked.narrows else ""
    if asked.missing:
        _speaker.say(asked.missing)
        return
    names = search.nearest(asked.text) if asked.text else []
    nearest = f"; the nearest names: {', '.join(names)}" if names else ""
    text = asked.text if len(asked.text) <= _SHOWN else f"{asked.text[:_SHOWN]}…"
    _speaker.say(f"nothing fits {text or 'this'}{where}{nearest}")
