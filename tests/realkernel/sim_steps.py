"""The same steps on the simulated kernel and on a real one: what each write gave, what each file then said.

``run(files)`` plays every scenario on any KernelFiles and returns outcomes without times and numbers that
differ from boot to boot, so that two runs can be compared. In a guest: ``python -m
tests.realkernel.sim_steps`` prints them as JSON (as root; it uses group ``simt`` and instance ``simt`` and
leaves nothing behind).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kptui.kernel.error_log import new_entries, parse_error_log
from kptui.kernel.files import KernelFiles, TracefsFiles

Operation = Literal["write", "read", "list", "mkdir", "rmdir", "pipe", "unpipe"]
Outcome = dict[str, object]
GROUP = "simt"
INSTANCE = "instances/simt"
OPEN = f"p:{GROUP}/open do_sys_openat2 dfd=%di:s32 path=+0(%si):ustring"
RET = f"r:{GROUP}/ret do_sys_openat2 ret=$retval:s32"
EV = f"events/{GROUP}"


@dataclass(frozen=True, slots=True)
class Step:
    """One file operation; ``data`` is what a write writes."""

    operation: Operation
    path: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]


def write(path: str, data: str) -> Step:
    return Step("write", path, data)


def read(path: str) -> Step:
    return Step("read", path)


def define(*lines: str) -> Step:
    return Step("write", "kprobe_events", "".join(f"{line}\n" for line in lines))


LISTING = read("kprobe_events")
FILTER = read(f"{EV}/open/filter")

LIFECYCLE = (
    define(OPEN), define(RET), LISTING, Step("list", EV), Step("list", f"{EV}/open"), read(f"{EV}/open/format"),
    read(f"{EV}/ret/format"), read(f"{EV}/open/enable"), write(f"{EV}/open/enable", "1\n"), read(f"{EV}/open/enable"),
    read(f"{EV}/enable"), define(f"-:{GROUP}/open"), define(f"-:{GROUP}/"), LISTING, write(f"{EV}/enable", "1"),
    read(f"{EV}/enable"), write(f"{EV}/enable", "0"), read(f"{EV}/enable"), define(f"-:{GROUP}/open"), LISTING,
    define(f"-:{GROUP}/open"), read(f"{EV}/open/enable"), define("-:ret"), LISTING, read(f"{EV}/enable"),
    Step("list", EV), define("-:nosuch"), define("-:"), define("-"), define("-nosuch"),
)  # fmt: skip
INSTANCES = (
    Step("mkdir", INSTANCE), Step("mkdir", INSTANCE), Step("list", f"{INSTANCE}/{EV}"), define(OPEN),
    Step("list", f"{INSTANCE}/{EV}"), read(f"{INSTANCE}/{EV}/open/enable"),
    write(f"{INSTANCE}/{EV}/open/enable", "1"), read(f"{EV}/open/enable"), read(f"{INSTANCE}/{EV}/open/enable"),
    define(f"-:{GROUP}/open"), write(f"{INSTANCE}/{EV}/open/filter", "dfd == 1"), FILTER,
    read(f"{INSTANCE}/{EV}/open/filter"), write(f"{INSTANCE}/{EV}/open/filter", "nosuch == 1"),
    read(f"{INSTANCE}/{EV}/open/filter"), Step("pipe", f"{INSTANCE}/trace_pipe"),
    Step("pipe", f"{INSTANCE}/trace_pipe"), Step("rmdir", INSTANCE), Step("unpipe", f"{INSTANCE}/trace_pipe"),
    Step("rmdir", INSTANCE), Step("rmdir", INSTANCE), read(f"{INSTANCE}/trace"), define(f"-:{GROUP}/open"), LISTING,
    Step("mkdir", "events/simt_dir"), Step("mkdir", "simt_dir"), Step("rmdir", "events"),
)  # fmt: skip
WRITES = (
    define(f"p:{GROUP}/a vfs_read", f"p:{GROUP}/bad nosuch_function", f"p:{GROUP}/c vfs_write"), LISTING,
    write("kprobe_events", f"p:{GROUP}/c vfs_write"), define("", "   ", "# nothing", f"p:{GROUP}/d vfs_open # why"),
    LISTING, define(f"  p:{GROUP}/e\tvfs_open   a=%di  "), define(f"p:{GROUP}/a vfs_read"),
    define(f"p:{GROUP}/a vfs_write"), define(f"p:{GROUP}/a vfs_write x=%di"), define(f"r:{GROUP}/a vfs_write"),
    define(f"p:{GROUP}/e vfs_read a=%si:s64"), define(f"p:{GROUP}/e vfs_read b=%si"), LISTING,
    define(f"-:{GROUP}/a vfs_write"), LISTING, define(f"p:{GROUP}/ vfs_fsync_range"),
    define(f"p:{GROUP}/ do_sys_openat2+5 a=%di"), define(f"r:{GROUP}/ do_exit"),
    define(f"p:{GROUP}/ vfs_read%return"),
    define(f"r12:{GROUP}/many vfs_read $retval"), define(f"p:{GROUP}.dotted vfs_open"),
    define(f"p:{GROUP}/off vfs_read+0x0"), define(f"p:{GROUP}/late nosuchmod:some_function"),
    define(f"p:{GROUP}/ ext4:nosuch_function"), LISTING, write("kprobe_events", "p:simt/long vfs_read " + " " * 4096),
    write("kprobe_events", ""), define("q:simt/x vfs_read"), define(f"p:{GROUP}/x"), define("p"),
    write("dynamic_events", f"!p:{GROUP}/d vfs_open\n"), write("dynamic_events", f"-:{GROUP}/e\n"), LISTING,
)  # fmt: skip
TYPES = (
    define(
        f"p:{GROUP}/all do_sys_openat2 r=%di u8=%di:u8 s16=%di:s16 x32=%di:x32 b=%di:b4@0/32 sym=$stack0:symbol "
        'st=$stack1 sp=$stack comm=$comm mem=@jiffies_64:u64 imm=\\1234:u32 s=\\"hello" str=+0(%si):string '
        "arr=+0(%dx):x8[4] sa=+0($stack):symbol[2] ss=+0(%si):ustring[1] ch=%di:char chs=+0(%si):char[4] "
        "sy=$stack0:symstr neg=-8($stack):x64 a2=$arg2 un=+u0(%si):string"
    ),
    read(f"{EV}/all/format"),
    define(f"p:{GROUP}/plain do_sys_openat2 %di %si:u8 $comm +0(%si):ustring"), read(f"{EV}/plain/format"),
    define(f"p:{GROUP}/star vfs_read $arg*"), read(f"{EV}/star/format"),
    define(f"p:{GROUP}/args vfs_read $arg1 $arg3:u32 buf"), read(f"{EV}/args/format"),
    define(
        f"p:{GROUP}/ino vfs_read ino=file->f_inode->i_ino name=file->f_path.dentry->d_name.name:string "
        "mode=file->f_mode"
    ),
    read(f"{EV}/ino/format"),
    define(f"p:{GROUP}/unl do_unlinkat dfd name=name->name:string u=name->uptr"), read(f"{EV}/unl/format"),
    define(f"r:{GROUP}/rl vfs_read $retval n=$retval:u8 count"), read(f"{EV}/rl/format"),
    define(f"r:{GROUP}/ri do_unlinkat $retval"), read(f"{EV}/ri/format"),
    define(f"r:{GROUP}/rp do_filp_open $retval m=$retval->f_mode"), read(f"{EV}/rp/format"),
    define(f"r:{GROUP}/rv tcp_close $retval"), define(f"p:{GROUP}/sz vfs_open path->dentry"),
    define(f"p:{GROUP}/pd vfs_open n=+8(%di):%pd"), define(f"p:{GROUP}/pD vfs_read n=%di:%pD m=$arg1:%pD"),
    define(f"p:{GROUP}/sys __x64_sys_execve f=+0(+112(%di)):ustring a0=+0(+0(+104(%di))):ustring"),
    read(f"{EV}/sys/format"), define(f"p:{GROUP}/regs __x64_sys_execve ip=regs->ip"), LISTING,
)  # fmt: skip
FILTERS = (
    define(OPEN, RET), FILTER, read(f"{EV}/filter"), write(f"{EV}/open/filter", "dfd == -100"), FILTER,
    write(f"{EV}/open/filter", "dfd ="), FILTER, write(f"{EV}/open/filter",
    '  path ~ "/etc/*" && common_pid != 3 \n'),
    FILTER, write(f"{EV}/open/filter", "0"), FILTER, write(f"{EV}/open/filter", ""), FILTER,
    write(f"{EV}/open/filter", "  "), FILTER, write(f"{EV}/open/filter", "dfd == 1 && x"), FILTER,
    write(f"{EV}/open/filter", "(dfd == 1"), FILTER, write(f"{EV}/open/filter", "dfd == 1)"), FILTER,
    write(f"{EV}/open/filter", 'path == "x'), FILTER, write(f"{EV}/open/filter", "&& dfd"), FILTER,
    write(f"{EV}/open/filter", "dfd == 1 dfd == 2"), FILTER, write(f"{EV}/open/filter", "path < 3"), FILTER,
    write(f"{EV}/open/filter", 'dfd ~ "x"'), FILTER, write(f"{EV}/open/filter", "dfd == 08"), FILTER,
    write(f"{EV}/open/filter", "common_pid == 1 || common_pid == 2"), FILTER,
    write(f"{EV}/open/filter", "dfd == 1 || " * 400 + "dfd == 2"), FILTER,
    write(f"{EV}/filter", "dfd == 5"), FILTER, read(f"{EV}/ret/filter"), read(f"{EV}/filter"),
    write(f"{EV}/filter", "nonsense ="), FILTER, read(f"{EV}/ret/filter"), write(f"{EV}/filter", "0"), FILTER,
    read(f"{EV}/ret/filter"), write(f"{EV}/ret/filter", "ret < 0 && __probe_ret_ip != 0"), read(f"{EV}/ret/filter"),
    write(f"{EV}/ret/filter", "__probe_func.function == do_sys_openat2"), read(f"{EV}/ret/filter"),
    write(f"{EV}/ret/filter", "cpu & CPUS{0-1}"), write(f"{EV}/ret/filter", "cpu == 0 && comm ~ 'ba*'"),
    define(f"-:{GROUP}/open"), define(OPEN), FILTER,
)  # fmt: skip
SWITCHES = (
    define(OPEN), Step("mkdir", INSTANCE), *(write(f"{EV}/open/enable", text) for text in ("2", "x", "", " 1", "01",
    "0x0")),
    read(f"{EV}/open/enable"), write(f"{EV}/open/enable", "0"),
    write(f"{INSTANCE}/tracing_on", "0"), read(f"{INSTANCE}/tracing_on"), write(f"{INSTANCE}/tracing_on", "5"),
    read(f"{INSTANCE}/tracing_on"), write(f"{INSTANCE}/tracing_on", "x"), read(f"{INSTANCE}/buffer_percent"),
    write(f"{INSTANCE}/buffer_percent", "0\n"), read(f"{INSTANCE}/buffer_percent"),
    write(f"{INSTANCE}/buffer_percent", "101"), write(f"{INSTANCE}/options/irq-info", "0"),
    read(f"{INSTANCE}/options/irq-info"), write(f"{INSTANCE}/options/irq-info", "2"),
    write(f"{INSTANCE}/trace_options", "irq-info"), read(f"{INSTANCE}/options/irq-info"),
    write(f"{INSTANCE}/trace_options", "nosuch"), write(f"{INSTANCE}/trace_options", "nostacktrace"),
    read(f"{INSTANCE}/trace_options"), read(f"{INSTANCE}/trace_clock"), write(f"{INSTANCE}/trace_clock", "nosuch"),
    write(f"{INSTANCE}/trace_clock", "mono"), read(f"{INSTANCE}/trace_clock"),
    write(f"{INSTANCE}/set_event_notrace_pid", "12 7"), read(f"{INSTANCE}/set_event_notrace_pid"),
    write(f"{INSTANCE}/set_event_notrace_pid", "9"), read(f"{INSTANCE}/set_event_notrace_pid"),
    write(f"{INSTANCE}/set_event_pid", "x"), read(f"{INSTANCE}/set_event_pid"),
    write(f"{INSTANCE}/buffer_size_kb", "0"), write(f"{INSTANCE}/buffer_size_kb", "4"),
    read(f"{INSTANCE}/buffer_size_kb"), read(f"{INSTANCE}/trace"), read(f"{INSTANCE}/current_tracer"),
    write(f"{INSTANCE}/current_tracer", "nosuch"), read(f"{INSTANCE}/error_log"), write("error_log", "x"),
    write("README", "x"), read(f"{EV}/open/nosuch"), read("nosuch"), read("events"), write("events/nosuch/enable",
    "1"),
    read(f"{EV}/open/trigger"), write(f"{EV}/open/id", "1"), write(f"{EV}/open/format", "1"),
    read(f"{INSTANCE}/kprobe_events"), write(f"{INSTANCE}/saved_cmdlines_size", "1"), read(f"{INSTANCE}/set_event"),
    write("kprobe_profile", "x"), write("available_filter_functions", "x"), write("uprobe_events",
    "p:simt/u nofile\n"),
)  # fmt: skip
MORE = (
    Step("mkdir", INSTANCE), read(f"{INSTANCE}/buffer_size_kb"), read(f"{INSTANCE}/per_cpu/cpu0/stats"),
    read(f"{INSTANCE}/trace"), read(f"{INSTANCE}/error_log"), read(f"{INSTANCE}/set_event_pid"), define(OPEN, RET),
    read("kprobe_profile"), read("dynamic_events"), read("uprobe_events"), read(f"{EV}/open/hist"),
    read("saved_cmdlines_size"), read("events/header_page"), read("events/header_event"), read("README"),
    write(f"{INSTANCE}/{EV}/enable", "1\n"), read(f"{INSTANCE}/set_event"), read(f"{EV}/enable"),
    read(f"{INSTANCE}/{EV}/enable"), write(f"{INSTANCE}/{EV}/ret/enable", "0\n"), read(f"{INSTANCE}/{EV}/enable"),
    define(f"-:{GROUP}/ret"), define(f"-:{GROUP}/"), Step("list", f"{INSTANCE}/{EV}"), Step("rmdir", INSTANCE),
    define(f"-:{GROUP}/"), LISTING, Step("list", EV), read(f"{EV}/filter"), write(f"{EV}/filter", "0"),
    define(f"p:{GROUP}/cr vfs_read a=%di\r"), write("kprobe_events", f"p:{GROUP}/n1 vfs_read\np:{GROUP}/n2 vfs_open"),
    define(f"p:{GROUP}/enable vfs_write"), LISTING, define(f"-:{GROUP}/enable"), define("-:n1", "-:nosuch", "-:n2"),
    LISTING, define(f"-:{GROUP}/n2 vfs_open"), define(f"-:{GROUP}.cr"), LISTING,
    define(f"p:{GROUP}/up %di"), define(f"r:{GROUP}/ra 0xffffffff81000000 $retval"), define(f"p:{GROUP}/ra 0x10"),
    define(f"p:{GROUP}/u8 vfs_read \u00e9=%di"), define(f"p:{GROUP}/\u00e9 vfs_read"), LISTING,
)  # fmt: skip
DEFINITIONS = (
    "p:{g}/x vfs_read %rdi", "p:{g}/x vfs_read a=%di:u7", "p:{g}/x vfs_read +0(%di", "p:{g}/x vfs_read +0(+u8(%di)",
    "p:{g}/x vfs_read a=+0(%di):string[2]", "p:{g}/x vfs_read $retval", "p:{g}/x vfs_read $stack9999",
    "p:{g}/x vfs_read x=$arg0", "p:{g}/x vfs_read $arg9", "p:{g}/x vfs_read x=$arg9", "p:{g}/x vfs_read+5 $arg1",
    "p:{g}/x vfs_read nosuchname", "p:{g}/x vfs_read file->nosuch", "p:{g}/x vfs_read file.f_mode",
    "p:{g}/x vfs_read count->x", "p:{g}/x vfs_read file-f", "p:{g}/x vfs_read a=+u0(%si):u8[4]",
    "p:{g}/x vfs_read a=%di:string", "p:{g}/x vfs_read a=%di:b0@1/8", "p:{g}/x vfs_read a=%di:x8[2]",
    "p:{g}/x vfs_read a=+0(%di):x8[65]", "p:{g}/x vfs_read a=+0(%di):x8[2", "p:{g}/x vfs_read a=+0(%di):x8[2]z",
    "p:{g}/x vfs_read a=+0(+u8(%di)):u77", "p:{g}/x vfs_read a=+0(+8(%di)):b9@1/8", "p:{g}/x vfs_read a=$comm:u8",
    "p:{g}/x vfs_read a=+0($comm)", "p:{g}/x vfs_read a=@nosuch_symbol", "p:{g}/x vfs_read a=@0xzz",
    "p:{g}/x vfs_read a=\\zz", 'p:{g}/x vfs_read a=\\"open', "p:{g}/x vfs_read a=@+5", "p:{g}/x vfs_read a=%di a=%si",
    "p:{g}/x vfs_read __probe_ip=%di", "p:{g}/x vfs_read 1a=%di", "p:{g}/x vfs_read a=", "p:{g}/x vfs_read =%di",
    "p:{g}/x vfs_read 123", "p:{g}/x vfs_read a=+0(%di)junk", "p:{g}/x vfs_read a=++8(%di)",
    "p:{g}/x vfs_read a=--8(%di)", "p:{g}/x vfs_read+1", "p:{g}/x vfs_read+4", "p:{g}/x vfs_read+9",
    "p:{g}/x vfs_read+0x10000",
    "p:{g}/x vfs_read-4", "p:{g}/x vfs_read%foo", "r:{g}/x vfs_read+20", "r0:{g}/x vfs_read", "r5000:{g}/x vfs_read",
    "p5:{g}/x vfs_read", "p:{g}/1x vfs_read", "p:{g}/a-b vfs_read", "p:/x vfs_read", "p: vfs_read", "p:g*/x vfs_read",
    "p:{g}/x type_show", "p:{g}/x t_next", "p:{g}/x do_int3", "p:{g}/x kprobe_dispatcher", "p:{g}/x jiffies",
    "p:{g}/x rcu_read_lock", "p:sched/sched_switch vfs_read", "p:{g}/x _text+0x10",
    "p:{g}/x do_sys_openat2+5", "p:{g}/x do_sys_openat2+3", "p:{g}/x vfs_read $arg* $arg1",
    "p:{g}/x vfs_read $arg* $arg*",
    "r:{g}/x wake_up_new_task $retval", "r:{g}/x do_sys_openat2 $retval:string", "p:{g}/x vfs_read a=%di:u8:u8",
    "p:{g}/x /bin/true:0x10", "p:{g}/x vfs_read a=$current", "p:{g}/x vfs_read buf:ustring",
    "p:{g}/x vfs_read count:string",
)  # fmt: skip
SCENARIOS = (
    Scenario("lifecycle", LIFECYCLE),
    Scenario("instances", INSTANCES),
    Scenario("writes", WRITES),
    Scenario("types", TYPES),
    Scenario("filters", FILTERS),
    Scenario("switches", SWITCHES),
    Scenario("more", MORE),
    *(Scenario(f"define {line}", (define(line.format(g=GROUP)), LISTING)) for line in DEFINITIONS),
)


def normal(text: str) -> str:
    """Without what differs from boot to boot: event ids, time stamps, hashed addresses."""
    text = re.sub(r"^ID: \d+$", "ID: N", text, flags=re.M)
    text = re.sub(r"^\[ *\d+\.\d{6}\] ", "[T] ", text, flags=re.M)
    text = re.sub(r"^now ts: +\d+\.\d{6}$", "now ts: T", text, flags=re.M)
    return re.sub(r"\b0x0000[0-9a-f]{12}\b", "0xHASHED", text)


def play(files: KernelFiles, step: Step, pipes: dict[str, int]) -> Outcome:
    """Do one step and say what happened."""
    logs = {path: _log(files, path) for path in ("error_log", f"{INSTANCE}/error_log")}
    outcome: Outcome = {"step": f"{step.operation} {step.path} {step.data[:200]}".rstrip(), "errno": 0}
    try:
        if step.operation == "write":
            files.append(step.path, step.data.encode())
        elif step.operation == "read":
            outcome["content"] = normal(files.read(step.path, 1 << 16).decode())
        elif step.operation == "list":
            outcome["content"] = files.listdir(step.path)
        elif step.operation == "mkdir":
            files.mkdir(step.path)
        elif step.operation == "rmdir":
            files.rmdir(step.path)
        elif step.operation == "pipe":
            pipes[step.path] = files.open_pipe(step.path)
        else:
            os.close(pipes.pop(step.path))
    except OSError as error:
        outcome["errno"] = errno.errorcode.get(error.errno or 0, str(error.errno))
    for path, before in logs.items():
        fresh = new_entries(before, _log(files, path))
        if fresh and before is not None:
            outcome[path] = [[e.where, e.message, e.command, e.column] for e in fresh]
    return outcome


def _log(files: KernelFiles, path: str):  # type: ignore[no-untyped-def]
    with contextlib.suppress(OSError):
        return parse_error_log(files.read(path))
    return []


def clean(files: KernelFiles) -> None:
    """Remove what a scenario left."""
    for path, data in ((f"{EV}/enable", b"0"), ("kprobe_events", f"-:{GROUP}/\n".encode())):
        with contextlib.suppress(OSError):
            files.append(path, data)
    with contextlib.suppress(OSError):
        files.rmdir(INSTANCE)
    for line in files.read("kprobe_events").decode().splitlines():
        group, _, event = line.split(":", 1)[1].split(" ")[0].partition("/")
        with contextlib.suppress(OSError):
            files.append("kprobe_events", f"-:{group}/{event}\n".encode())


def run(files: KernelFiles, scenarios: Sequence[Scenario] = SCENARIOS) -> dict[str, list[Outcome]]:
    """Every scenario's outcomes, by its name."""
    results: dict[str, list[Outcome]] = {}
    for scenario in scenarios:
        pipes: dict[str, int] = {}
        results[scenario.name] = [play(files, step, pipes) for step in scenario.steps]
        for fd in pipes.values():
            os.close(fd)
        clean(files)
    return results


def differences(one: dict[str, list[Outcome]], other: dict[str, list[Outcome]]) -> list[str]:
    """What differs, as text; empty when both kernels did the same."""
    found = []
    for name, outcomes in one.items():
        for mine, theirs in zip(outcomes, other.get(name, []), strict=False):
            if mine != theirs:
                found.append(f"{name}: {mine['step']}\n  {mine}\n  {theirs}")
        if len(outcomes) != len(other.get(name, [])):
            found.append(f"{name}: {len(outcomes)} steps against {len(other.get(name, []))}")
    return found


if __name__ == "__main__":
    json.dump(run(TracefsFiles("/sys/kernel/tracing")), sys.stdout, indent=1)
