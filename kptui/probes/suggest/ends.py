"""The ends that questions mostly lead to behind a pointer to a structure: names, numbers, addresses, ports.

A path is tried in the target's own types, so that one that its kernel doesn't have is passed over; of several with one
label the first that is there counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from kptui.btf.types import PTR, STRUCT, UNION
from kptui.probes.exprs import Deref, FetchArg
from kptui.probes.fetch import parse_type
from kptui.probes.suggest.rows import Suggestion
from kptui.probes.walk import Spot, Walker

SWAPPED: Final = "network byte order: 443 shows as 0xbb01"
_NOTES: Final = {"be16": SWAPPED, "host": "host byte order", "ip": "bytes in the order of the address",
                 "mac": "hardware address"}  # fmt: skip
_TYPES: Final = {"be16": "x16", "ip": "u8[4]", "ip6": "x8[16]", "mac": "x8[6]"}

# Structure: label path [as]; "as" is a probe type, or a word of _TYPES and _NOTES. @N is a byte offset.
_TABLE: Final = """
file: name f_path.dentry.d_name.name, dir f_path.dentry.d_parent.d_name.name, ino f_inode.i_ino,
 dev f_inode.i_sb.s_id, fs f_inode.i_sb.s_type.name, pos f_pos, flags f_flags
dentry: name d_name.name, dir d_parent.d_name.name, ino d_inode.i_ino, dev d_sb.s_id
path: name dentry.d_name.name, dir dentry.d_parent.d_name.name, dev mnt.mnt_sb.s_id
inode: ino i_ino, dev i_sb.s_id, fs i_sb.s_type.name, mode i_mode, size i_size, uid i_uid.val
super_block: dev s_id, fs s_type.name
vfsmount: dev mnt_sb.s_id, fs mnt_sb.s_type.name
qstr: name name, len len
filename: name name
nameidata: name name.name
open_flags: flags open_flag x32, mode mode
open_how: flags flags, mode mode x64, resolve resolve x64
linux_binprm: filename filename, interp interp, argc argc
kiocb: file ki_filp.f_path.dentry.d_name.name, pos ki_pos, flags ki_flags x32
iov_iter: count count
file_system_type: name name
task_struct: comm comm, pid pid, tgid tgid, parent real_parent.tgid, uid cred.uid.val
cred: uid uid.val, euid euid.val, gid gid.val
pid: nr numbers[0].nr
mm_struct: exe exe_file.f_path.dentry.d_name.name, owner owner.tgid
vm_area_struct: start vm_start x64, end vm_end x64, flags vm_flags x64, file vm_file.f_path.dentry.d_name.name
vm_fault: address address x64, flags flags x32
kernel_clone_args: flags flags x64, exit_signal exit_signal
kernel_siginfo: signo si_signo, code si_code
ksignal: signo sig
sock: family __sk_common.skc_family, protocol sk_protocol, state __sk_common.skc_state,
 daddr __sk_common.skc_daddr ip, dport __sk_common.skc_dport be16, saddr __sk_common.skc_rcv_saddr ip,
 sport __sk_common.skc_num host, daddr6 __sk_common.skc_v6_daddr.in6_u.u6_addr8 ip6,
 saddr6 __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8 ip6
sock_common: family skc_family, daddr skc_daddr ip, dport skc_dport be16, saddr skc_rcv_saddr ip, sport skc_num host
inet_sock: daddr sk.__sk_common.skc_daddr ip, dport sk.__sk_common.skc_dport be16,
 saddr sk.__sk_common.skc_rcv_saddr ip, sport sk.__sk_common.skc_num host
request_sock: daddr __req_common.skc_daddr ip, dport __req_common.skc_dport be16, sport __req_common.skc_num host
socket: type type, state state, family sk.__sk_common.skc_family, daddr sk.__sk_common.skc_daddr ip,
 dport sk.__sk_common.skc_dport be16, saddr sk.__sk_common.skc_rcv_saddr ip, sport sk.__sk_common.skc_num host
sockaddr: family sa_family, port @2 be16, ipv4 @4 ip, ipv6 @8 ip6, path @2 string
__kernel_sockaddr_storage: family ss_family, port @2 be16, ipv4 @4 ip, ipv6 @8 ip6, path @2 string
sockaddr_unsized: family sa_family, port @2 be16, ipv4 @4 ip, ipv6 @8 ip6, path @2 string
sockaddr_in: family sin_family, port sin_port be16, ipv4 sin_addr.s_addr ip
sockaddr_in6: family sin6_family, port sin6_port be16, ipv6 sin6_addr.in6_u.u6_addr8 ip6
sockaddr_un: path sun_path
in6_addr: ipv6 in6_u.u6_addr8 ip6
in_addr: ipv4 s_addr ip
flowi4: daddr daddr ip, saddr saddr ip
msghdr: namelen msg_namelen, bytes msg_iter.count
sk_buff: len len, data_len data_len, protocol protocol be16, dev dev.name, ifindex dev.ifindex
net_device: name name, ifindex ifindex, mtu mtu, mac dev_addr[0] mac
ethhdr: dst h_dest mac, src h_source mac, proto h_proto be16
iphdr: saddr saddr ip, daddr daddr ip, protocol protocol, ttl ttl
ipv6hdr: saddr saddr.in6_u.u6_addr8 ip6, daddr daddr.in6_u.u6_addr8 ip6
tcphdr: source source be16, dest dest be16
udphdr: source source be16, dest dest be16
neighbour: dev dev.name, mac ha mac
net: inum ns.inum
bio: disk bi_bdev.bd_disk.disk_name, disk bi_disk.disk_name, sector bi_iter.bi_sector, bytes bi_iter.bi_size, op bi_opf
request: disk q.disk.disk_name, disk rq_disk.disk_name, sector __sector, bytes __data_len, op cmd_flags x32
request_queue: disk disk.disk_name
gendisk: disk disk_name
block_device: disk bd_disk.disk_name
buffer_head: block b_blocknr, size b_size, disk b_bdev.bd_disk.disk_name
device: name kobj.name, driver driver.name
device_driver: name name
bus_type: name name
class: name name
kobject: name name
pci_dev: name dev.kobj.name, vendor vendor x16, device device x16
usb_device: name dev.kobj.name, product product, vendor descriptor.idVendor x16
platform_device: name name
input_dev: name name
tty_struct: name name
module: name name
kernfs_node: name name
cgroup: name kn.name
work_struct: func func
delayed_work: func work.func
timer_list: func function
hrtimer: func function
callback_head: func func
irqaction: irq irq, name name, handler handler
irq_desc: irq irq_data.irq, name action.name
kmem_cache: name name, size object_size
page: flags flags x64
dma_buf: size size, name name
bpf_prog: name aux.name, type type
bpf_map: name name
timespec64: sec tv_sec, nsec tv_nsec
p9_fid: fid fid, uid uid.val
"""


@dataclass(frozen=True, slots=True)
class End:
    label: str
    path: tuple[str, ...]
    way: str = ""


@cache
def _table() -> dict[str, tuple[End, ...]]:
    found = {}
    for line in _TABLE.replace(",\n ", ", ").strip().split("\n"):
        tag, _, rest = line.partition(": ")
        ends = []
        for item in rest.split(", "):
            label, path, *way = item.split()
            ends.append(End(label, tuple(re.findall(r"@\d+|\w+|\[\d+\]", path)), way[0] if way else ""))
        found[tag] = tuple(ends)
    return found


def tag_behind(walker: Walker, spot: Spot) -> str:
    """The name of the structure that a pointer leads to, or that is there itself; '' for other things."""
    kind = walker.btf.resolved(spot.type)
    if kind is not None and kind.kind == PTR:
        kind = walker.btf.resolved(kind.ref)
    return (
        kind.name
        if (kind is not None and kind.kind in {STRUCT, UNION}) or (kind is not None and kind.kind == 7)
        else ""
    )


def ends(walker: Walker, spot: Spot, name: str) -> Iterator[Suggestion]:
    """The ready ends behind ``spot``, whose names begin with ``name``."""
    seen: set[str] = set()
    for end in _table().get(tag_behind(walker, spot), ()):
        if (
            end.label not in seen
            and (found := _suggestion(walker, spot, end, f"{name}_{end.label}")) is not None
        ):
            seen.add(end.label)
            yield found


def _suggestion(walker: Walker, start: Spot, end: End, name: str) -> Suggestion | None:
    if end.path[0].startswith("@"):
        return _at_offset(start, end, name)
    spot: Spot | None = start
    for part in end.path:
        if spot is None:
            return None
        spot = walker.element(spot, int(part[1:-1])) if part.startswith("[") else walker.member(spot, part)
    if spot is None:
        return None
    reached = walker.reach(spot, name)
    arg, native = reached.fetch, reached.native
    kind = _TYPES.get(end.way, end.way)
    if kind and kind != "host" and spot.value is not None:
        type_ = parse_type(kind)
        arg = FetchArg(spot.value, name, type_)
        native = None if native is None or type_.count is not None else replace(native, type=type_)
    if arg is None:
        return None
    note = _NOTES.get(end.way, "") or reached.note
    return Suggestion(
        str(arg.expr), name, reached.ctype, arg, f"{spot.path}{f'; {note}' if note else ''}", native
    )


def _at_offset(start: Spot, end: End, name: str) -> Suggestion | None:
    """What an address holds besides its family, which its C type doesn't tell."""
    value = start.value
    if value is None:
        return None
    user = start.user or start.leads_to_user
    kind = parse_type(_TYPES.get(end.way, end.way))
    if kind.base == "string" and user:
        kind = replace(kind, base="ustring")
    expr = Deref(int(end.path[0][1:]), value, user and not kind.is_string)
    arg = FetchArg(expr, name, kind)
    return Suggestion(str(expr), name, "", arg, _NOTES.get(end.way, "") or f"{end.label} of such an address")
