"""What people want of the kernel's common structures, ready made: the name of a file, the address of a peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from kptui.btf import Type
from kptui.btf.types import PTR, STRUCT, UNION
from kptui.probes.exprs import ArgType, Deref, FetchArg
from kptui.probes.fetch import parse_type
from kptui.probes.params import argument_name
from kptui.probes.walk.spot import Reached, Spot, offsets_of
from kptui.probes.walk.walker import PathError, Walker

# Each line: title | argument | paths, the first that the kernel has counts | type ('' by BTF) | note
_TABLE: Final = """
file
  file name | name | f_path.dentry->d_name.name | string
  directory | dir | f_path.dentry->d_parent->d_name.name | string
  file system's device | dev | f_inode->i_sb->s_id | string
  inode number | ino | f_inode->i_ino | u64
  flags of open | flags | f_flags | x32
  position | pos | f_pos | s64
dentry
  name | name | d_name.name | string
  directory | dir | d_parent->d_name.name | string
  file system's device | dev | d_sb->s_id | string
  inode number | ino | d_inode->i_ino | u64
path
  last component | name | dentry->d_name.name | string
  directory | dir | dentry->d_parent->d_name.name | string
  file system's device | dev | dentry->d_sb->s_id | string
qstr
  text | name | name | string
filename
  path | path | name | string
  path as the caller gave it | upath | uptr | ustring
inode
  inode number | ino | i_ino | u64
  file system's device | dev | i_sb->s_id | string
  mode | mode | i_mode | x16
  size | size | i_size | s64
  owner | uid | i_uid.val | u32
super_block
  device | dev | s_id | string
  file system | fstype | s_type->name | string
file_system_type
  file system | fstype | name | string
vfsmount
  device | dev | mnt_sb->s_id | string
vm_area_struct
  file name | name | vm_file->f_path.dentry->d_name.name | string
  start | start | vm_start | x64
  end | end | vm_end | x64
kiocb
  file name | name | ki_filp->f_path.dentry->d_name.name | string
  position | pos | ki_pos | s64
address_space
  inode number | ino | host->i_ino | u64
  file system's device | dev | host->i_sb->s_id | string
linux_binprm
  program | filename | filename | string
  interpreter | interp | interp | string
  arguments | argc | argc | s32
sock
  peer's IPv4 address | daddr | __sk_common.skc_daddr | u8[4] | bytes in the order they are written
  own IPv4 address | saddr | __sk_common.skc_rcv_saddr | u8[4] | bytes in the order they are written
  peer's port | dport_be | __sk_common.skc_dport | x16 | network byte order: 80 is 0x5000
  own port | sport | __sk_common.skc_num | u16 | this machine's byte order
  family | family | __sk_common.skc_family | u16 | 2 is IPv4, 10 is IPv6
  peer's IPv6 address | daddr6 | __sk_common.skc_v6_daddr.in6_u.u6_addr8 | x8[16] | network byte order
  own IPv6 address | saddr6 | __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8 | x8[16] | network byte order
  state | state | __sk_common.skc_state | u8 | TCP: 1 is established, 10 listens
  protocol | protocol | sk_protocol | u16 | 6 is TCP, 17 is UDP
  interface bound to | bound_if | __sk_common.skc_bound_dev_if | s32
socket
  peer's IPv4 address | daddr | sk->__sk_common.skc_daddr | u8[4] | bytes in the order they are written
  peer's port | dport_be | sk->__sk_common.skc_dport | x16 | network byte order: 80 is 0x5000
  own port | sport | sk->__sk_common.skc_num | u16 | this machine's byte order
  family | family | sk->__sk_common.skc_family | u16 | 2 is IPv4, 10 is IPv6
  kind of socket | type | type | s16 | 1 is a stream, 2 are datagrams
sockaddr
  family | family | sa_family | u16 | 2 is IPv4, 10 is IPv6
sockaddr_in
  IPv4 address | addr | sin_addr.s_addr | u8[4] | bytes in the order they are written
  port | port_be | sin_port | x16 | network byte order: 80 is 0x5000
sockaddr_in6
  IPv6 address | addr6 | sin6_addr.in6_u.u6_addr8 | x8[16] | network byte order
  port | port_be | sin6_port | x16 | network byte order: 80 is 0x5000
in_addr
  IPv4 address | addr | s_addr | u8[4] | bytes in the order they are written
in6_addr
  IPv6 address | addr6 | in6_u.u6_addr8 | x8[16] | network byte order
flowi4
  peer's IPv4 address | daddr | daddr | u8[4] | bytes in the order they are written
  own IPv4 address | saddr | saddr | u8[4] | bytes in the order they are written
iphdr
  source address | saddr | saddr | u8[4] | bytes in the order they are written
  destination address | daddr | daddr | u8[4] | bytes in the order they are written
  protocol | protocol | protocol | u8 | 6 is TCP, 17 is UDP
ipv6hdr
  source address | saddr6 | saddr.in6_u.u6_addr8 | x8[16] | network byte order
  destination address | daddr6 | daddr.in6_u.u6_addr8 | x8[16] | network byte order
tcphdr
  source port | sport_be | source | x16 | network byte order: 80 is 0x5000
  destination port | dport_be | dest | x16 | network byte order: 80 is 0x5000
udphdr
  source port | sport_be | source | x16 | network byte order: 80 is 0x5000
  destination port | dport_be | dest | x16 | network byte order: 80 is 0x5000
ethhdr
  source MAC | smac | h_source | x8[6]
  destination MAC | dmac | h_dest | x8[6]
  protocol | protocol_be | h_proto | x16 | network byte order: IPv4 is 0x0008
sk_buff
  device | dev | dev->name | string
  length | len | len | u32
  protocol | protocol_be | protocol | x16 | network byte order: IPv4 is 0x0008
  device's MAC | mac | dev->dev_addr | x8[6]
net_device
  device | dev | name | string
  index | ifindex | ifindex | s32
  MAC | mac | dev_addr | x8[6]
  MTU | mtu | mtu | u32
napi_struct
  device | dev | dev->name | string
task_struct
  command | comm | comm | string
  thread | pid | pid | s32 | what ps calls TID or LWP
  process | tgid | tgid | s32 | what ps calls PID
  parent's command | pcomm | real_parent->comm | string
  parent's process | ppid | real_parent->tgid | s32
  user | uid | cred->uid.val | u32
  priority | prio | prio | s32
cred
  user | uid | uid.val | u32
  effective user | euid | euid.val | u32
pid
  number | pid | numbers[0].nr | s32 | as the first namespace counts
module
  module | module | name | string
kobject
  name | name | name | string
device
  name | name | kobj.name | string
  name of the driver | driver | driver->name | string
device_driver
  driver | driver | name | string
block_device
  disk | disk | bd_disk->disk_name | string
  device number | dev | bd_dev | x32
gendisk
  disk | disk | disk_name | string
bio
  disk | disk | bi_bdev->bd_disk->disk_name, bi_disk->disk_name | string
  sector | sector | bi_iter.bi_sector | u64
  bytes | bytes | bi_iter.bi_size | u32
  operation and flags | opf | bi_opf | x32
request
  disk | disk | q->disk->disk_name, rq_disk->disk_name | string
  sector | sector | __sector | u64
  bytes | bytes | __data_len | u32
  operation and flags | flags | cmd_flags | x32
work_struct
  function | func | func | symbol
timer_list
  function | func | function | symbol
hrtimer
  function | func | function | symbol
irqaction
  device | name | name | string
  handler | handler | handler | symbol
cgroup
  name | name | kn->name | string
kernfs_node
  name | name | name | string
rq
  CPU | cpu | cpu | s32
  running threads | nr_running | nr_running | u32
"""


@dataclass(frozen=True, slots=True)
class End:
    """``title`` in words and what reads it; ``reached.note`` tells the byte order where it isn't this machine's."""

    title: str
    reached: Reached


@dataclass(frozen=True, slots=True)
class _Wanted:
    title: str
    name: str
    paths: tuple[str, ...]
    type: str
    note: str


@cache
def _table() -> MappingProxyType[str, tuple[_Wanted, ...]]:
    found: dict[str, list[_Wanted]] = {}
    for line in filter(None, _TABLE.splitlines()):
        if not line.startswith(" "):
            wanted = found.setdefault(line, [])
            continue
        title, name, paths, kind, *note = (part.strip() for part in line.split("|"))
        wanted.append(_Wanted(title, name, tuple(paths.split(", ")), kind, *note or ("",)))
    return MappingProxyType({tag: tuple(ends) for tag, ends in found.items()})


def known_structures() -> tuple[str, ...]:
    """The tags of the structures that something is ready for."""
    return tuple(_table())


def ends(walker: Walker, spot: Spot, taken: Iterable[str] = ()) -> tuple[End, ...]:
    """What is ready for the structure that is here, or that the pointer here leads to; likeliest first.

    Where nothing is known of that structure: of those that it begins with (a ``tcp_sock`` begins with a
    ``sock``), and the first thing of each structure that it points to. Argument names differ from each other and
    from ``taken``.
    """
    used = set(taken)
    out: list[End] = []
    for title, place, wanted in _wanted(walker, spot):
        reached = _reached(walker, place, wanted)
        if reached is None or reached.fetch is None:
            continue
        name = argument_name(wanted.name, used)
        used.add(name)
        native = None if reached.native is None else replace(reached.native, name=name)
        reached = replace(reached, fetch=replace(reached.fetch, name=name), native=native)
        out.append(End(title, reached))
    return tuple(out)


def _wanted(walker: Walker, spot: Spot) -> Iterator[tuple[str, Spot, _Wanted]]:
    table = _table()
    place: Spot | None = spot
    for _ in range(8):  # from a structure to the one it begins with
        struct = None if place is None else _struct(walker, place)
        if place is None or struct is None:
            break
        if struct.name in table:
            for wanted in table[struct.name]:
                yield wanted.title, place, wanted
            return
        first = next(iter(walker.children(place)), None)
        inside = first is not None and walker.btf.resolved(first.type)
        place = first if inside and inside.kind in {STRUCT, UNION} else None
    if _struct(walker, spot) is None:
        return
    for child in walker.children(spot):
        kind = walker.btf.resolved(child.type)
        struct = _struct(walker, child)
        if kind is not None and struct is not None and kind.kind in {PTR, STRUCT} and struct.name in table:
            wanted = table[struct.name][0]
            yield f"{child.name}: {wanted.title}", child, wanted


def _struct(walker: Walker, spot: Spot) -> Type | None:
    """The structure here, or that the pointer here leads to."""
    kind = walker.btf.resolved(spot.type)
    if kind is not None and kind.kind == PTR:
        kind = walker.btf.resolved(kind.ref)
    return kind if kind is not None and kind.kind in {STRUCT, UNION} and not spot.width else None


def _reached(walker: Walker, place: Spot, wanted: _Wanted) -> Reached | None:
    for path in wanted.paths:
        try:
            spot = walker.follow(place, path)
        except PathError:
            continue
        reached = walker.reach(spot)
        kind = parse_type(wanted.type)
        if reached.fetch is None:
            return None
        if kind.count is not None:
            return _bytes(walker, reached, kind, wanted)
        native = reached.native
        fetch = reached.fetch
        if not kind.is_string:
            fetch = replace(fetch, type=kind)
            native = None if native is None or native.type is None else replace(native, type=kind)
        return replace(reached, fetch=fetch, native=native, note=wanted.note or reached.note)
    return None


def _bytes(walker: Walker, reached: Reached, kind: ArgType, wanted: _Wanted) -> Reached | None:
    """As an array of bytes: of an array or a number in memory, or of what a pointer leads to."""
    spot = reached.spot
    value = spot.value
    found = walker.btf.resolved(spot.type)
    if value is None or found is None:
        return None
    expr = Deref(0, value, spot.leads_to_user) if found.kind == PTR else value
    if not isinstance(expr, Deref) or expr.user:  # arrays of numbers are read from the kernel's memory only
        return None
    fetch = FetchArg(expr, wanted.name, kind)
    return replace(
        reached,
        fetch=fetch,
        native=None,
        offsets=offsets_of(expr),
        others=(),
        note=wanted.note or reached.note,
    )
