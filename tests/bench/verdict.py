"""What a verdict costs, since it is given on every keystroke: typical lines, and the worst that one write holds.

The kernel is this machine's as far as it can be read (symbols, BTF), so that names are looked up in tables of real
size. The peer is a pass of the standard library's lexer over the same bytes, which tells how fast the machine is.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from kptui.events.format import EventFormat, parse_format
from kptui.filters.check import check_filter
from kptui.kernel.target.assemble import Given, KernelTarget
from kptui.kernel.target.machine import Machine
from kptui.probes.check import Target, check_definition
from tests.bench.measure import Figure, Settings, percentile, ratio

LIMIT = 2.0  # ms that a verdict may take
WRITE = 4095
TYPICAL = (
    "p vfs_read",
    "p:mine/read vfs_read file count=%dx:u64 buf=+u0(%si):string",
    "r:mine/read vfs_read ret=$retval:s64",
    "p do_sys_openat2 dfd filename:ustring how->flags",
    "p:open do_sys_openat2 name=+0(%si):ustring flags=+0(%dx):x32 mode=+8(%dx):x16",
    "p vfs_open path->dentry->d_name.name:string file->f_inode->i_ino",
    "r tcp_connect%return $retval sk=$arg1",
    "p:net/send tcp_sendmsg sk=%di size=%dx:u32 port=+12(%di):b16@0/16",
    "p kernel_clone $arg*",
    "p vfs_write a=+0(+8(+16(%di))):x8[16] s=$stack0 c=$comm g=@jiffies:u64 i=\\5",
    "p __x64_sys_openat +0(%di):string",
    "p vfs_raed %rdi",
    "-:mine/read",
)
TYPICAL_FILTERS = (
    "count > 4096",
    'comm == "bash" && count >= 100',
    "(common_pid == 1 || common_pid == 2) && !(count & 0xff)",
    'name ~ "*.conf" || name == "/etc/passwd"',
    "cpu == 0 && ret < 0 && common_pid != 1234",
    "cpu & CPUS{0-3,8}",
    "count == 'x' && nosuch == 1",
)
FORMAT = """name: read
ID: 2000
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;
\tfield:u64 count;\toffset:16;\tsize:8;\tsigned:0;
\tfield:s64 ret;\toffset:24;\tsize:8;\tsigned:1;
\tfield:__data_loc char[] name;\toffset:32;\tsize:4;\tsigned:1;

print fmt: "(%lx)", REC->__probe_ip
"""


def filled(begin: str, piece: str, end: str = "", middle: str = "") -> str:
    """As many pieces as one write holds."""
    room = (WRITE - len(begin) - len(end) - len(middle)) // len(piece)
    return f"{begin}{piece * room}{middle}{end}"


def nested(opening: str, inner: str, closing: str) -> str:
    """Brackets around something, as deep as one write holds."""
    depth = (WRITE - len(inner) - 20) // (len(opening) + len(closing))
    return f"{opening * depth}{inner}{closing * depth}"


def longest_definitions() -> dict[str, str]:
    """The slowest definitions known, each with what makes it long."""
    return {
        "128 arguments": "p vfs_read " + " ".join(f"a{i}=+0(%di):u8[2]" for i in range(128)),
        "128 parameters": "p vfs_read " + " ".join(f"a{i}=file->f_flags" for i in range(128)),
        "128 nested arguments": "p vfs_read " + " ".join(f"a{i}=+0(+0(+0(+0(%di))))" for i in range(128)),
        "2,000 words": filled("p vfs_read", " x"),
        "2,000 $arg*": filled("p vfs_read", " $arg*"),
        "800 $arg1": filled("p vfs_read", " $arg1"),
        "brackets": f"p vfs_read a={nested('+0(', '%di', ')')}",
        "brackets in a type": f"p vfs_read a=%di:{'[' * 4000}",
        "arrows": filled("p vfs_read a=file", "->f_inode"),
        "dots": filled("p vfs_read a=file->f_path", ".x"),
        "casts": f"p vfs_read a={nested('(file)', 'file', '->f_inode')}",
        "names": filled("p vfs_read ", " a=%di"),
        "a long name": filled("p:g/", "e", " vfs_read"),
        "a long symbol": filled("p ", "s"),
        "digits": filled("p vfs_read+", "9"),
        "a huge number": filled("p vfs_read a=\\", "9"),
        "letters of other alphabets": filled("p vfs_read ", "\u00e9"[:1])[: WRITE // 2],
        "a comment": filled("p vfs_read #", "#"),
        "blanks": filled("p", " ", "vfs_read"),
        "dentries": filled("p vfs_read", " %di:%pd"),
        "a removal": filled("-:mine/read vfs_read", " a=%di"),
    }


def longest_filters() -> dict[str, str]:
    """The slowest filters known."""
    return {
        "585 terms": filled("", "ret<0||", "ret<0"),
        "510 terms with a remark": filled("", "count<0||", "ret<0"),
        "250 texts": filled("", 'name=="abc"||', 'name=="a"'),
        "250 globs that begin with a digit": filled("", 'name~"9*"||', "ret<0"),
        "450 groups": filled("", "(cpu==1)||", "ret<0"),
        "300 terms": " || ".join(f"cpu=={i}" for i in range(300)),
        "250 comparisons": " && ".join(f"count != {i}" for i in range(250)),
        "parentheses": nested("(", "cpu == 1", ")"),
        "open parentheses": filled("", "(", "cpu == 1"),
        "negations": filled("", "!", "cpu == 1"),
        "a long text": filled('name == "', "x", '"'),
        "quotes": filled("", '""'),
        "patterns": " || ".join(f'name ~ "*{i}*"' for i in range(220)),
        "CPU lists": " || ".join("cpu & CPUS{0-3:1/2}" for _ in range(170)),
        "a long CPU list": filled("cpu & CPUS{", "0-1,", "}"),
        "digits": filled("count == ", "9"),
        "letters of other alphabets": filled("count == ", "\u00e9")[: WRITE // 2],
        "a nest of ors": nested("(cpu==1||", "cpu==1", ")"),
        "wrong at the end": " || ".join(f"cpu=={i}" for i in range(300)) + " || nosuch == 1",
    }


def standing(count: int) -> tuple[str, ...]:
    """Definitions that stand already, half of them of one event."""
    several = [f"p:mine/read vfs_read+{i} a0=%di a1=%si" for i in range(count // 2)]
    return (*several, *(f"p:mine/e{i} vfs_write+{i} a0=%di" for i in range(count - len(several))))


def typed(lines: Iterable[str]) -> list[str]:
    """Every beginning of each line, as they come while somebody types."""
    return [line[:end] for line in lines for end in range(1, len(line) + 1)]


def lexed(text: str) -> float:
    """The peer: milliseconds of the standard library's lexer for the text."""
    lexer = shlex.shlex(text.replace('"', "").replace("'", ""), punctuation_chars=True)
    start = time.perf_counter()
    for _ in iter(lexer.get_token, lexer.eof):
        pass
    return (time.perf_counter() - start) * 1000


def timed(judge: Callable[[str], object], text: str) -> float:
    start = time.perf_counter()
    judge(text)
    return (time.perf_counter() - start) * 1000


def best(rounds: int, work: Callable[[str], float], text: str) -> float:
    """The quickest of some rounds: what the work itself takes where other programs want the processor too."""
    return min(work(text) for _ in range(rounds))


def verdict(settings: Settings) -> list[Figure]:
    """Definitions and filters: typed letter by letter, the slowest whole lines, many standing definitions."""
    target = KernelTarget(Given(), Machine()).definitions
    fmt = parse_format(FORMAT)
    figures = _definitions(settings, target)
    return [*figures, *_filters(settings, fmt)]


def _definitions(settings: Settings, target: Target) -> list[Figure]:
    def judge(text: str) -> object:
        return check_definition(text, target)

    crowded = replace(target, existing=standing(1000))

    def among(text: str) -> object:
        return check_definition(text, crowded)

    texts = longest_definitions()
    return [
        *_typing("definition", judge, typed(TYPICAL), settings),
        *_slowest("definition", judge, texts, settings),
        *_typing("definition, 1,000 standing", among, typed(TYPICAL), settings),
        *_slowest("definition, 1,000 standing", among, {
            "one event's name": "p:mine/read vfs_read+7 a0=%di a1=%si",
            "another argument": "p:mine/read vfs_read+7 a0=%di a1=%si:u8",
            "a free name": "p:mine/free vfs_read",
            "a removal": "-:mine/read vfs_read+499 a0=%di a1=%si",
            "all of a group": "-:mine/",
        }, settings),
    ]  # fmt: skip


def _filters(settings: Settings, fmt: EventFormat) -> list[Figure]:
    def judge(text: str) -> object:
        return check_filter(text, fmt)

    texts = longest_filters()
    return [
        *_typing("filter", judge, typed(TYPICAL_FILTERS), settings),
        *_slowest("filter", judge, texts, settings),
    ]


def _typing(what: str, judge: Callable[[str], object], texts: list[str], settings: Settings) -> list[Figure]:
    """The median, the 95th percentile and the slowest of all keystrokes, each typed for the first time once."""
    first = [timed(judge, text) for text in texts]
    times = [
        min(one, best(settings.rounds, lambda t: timed(judge, t), text))
        for one, text in zip(first, texts, strict=True)
    ]
    peers = [best(settings.rounds, lexed, text) for text in texts]
    slowest = max(range(len(texts)), key=times.__getitem__)
    relative = ratio(times, [max(peer, 1e-4) for peer in peers])
    return [
        Figure(
            f"{what}, a key: median", percentile(times, 0.5), peer=percentile(peers, 0.5), peer_name="shlex",
            ratio=relative,
        ),
        Figure(f"{what}, a key: p95", percentile(times, 0.95), limit=LIMIT),
        Figure(f"{what}, a key: slowest", times[slowest], limit=LIMIT, note=repr(texts[slowest])[:40]),
        Figure(f"{what}, a key: slowest the first time", max(first), note="names are looked up"),
    ]  # fmt: skip


def _slowest(
    what: str, judge: Callable[[str], object], texts: dict[str, str], settings: Settings
) -> list[Figure]:
    """The slowest five of these lines."""
    found = []
    for name, text in texts.items():
        ours = best(settings.rounds, lambda t: timed(judge, t), text)
        peer = best(settings.rounds, lexed, text)
        note = f"{len(text.encode()):,} bytes"
        relative = ours / max(peer, 1e-4)
        found.append(
            Figure(
                f"{what}: {name}", ours, peer=peer, peer_name="shlex", ratio=relative, limit=LIMIT, note=note
            )
        )
    return sorted(found, key=lambda figure: -figure.ours)[:5]
