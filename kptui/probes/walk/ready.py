"""What is ready of the kernel's common structures: where the things lie that people ask for."""

from __future__ import annotations

from typing import Final

# Each line: title | argument | paths, the first that the kernel has counts | type ('' by BTF) | note
READY: Final = """
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
ctl_table
  entry | name | procname | string
attribute
  attribute | attr | name | string
kernel_siginfo
  signal | signo | si_signo | s32 | (fault) where the kernel sends it without one
  code | code | si_code | s32 | above 0: from the kernel
  sender's process | sender | _sifields._kill._pid | s32 | of kill and tgkill
kernel_clone_args
  flags | flags | flags | x64
  signal at the exit | exit_signal | exit_signal | s32
user_arg_ptr
  first string | arg0 | ptr.native[0] | string
fs_context
  source | source | source | string
  file system | fstype | fs_type->name | string
mount
  device | dev | mnt_devname | string
  mount point | on | mnt_mountpoint->d_name.name | string
nameidata
  path | path | name->name | string
  flags | flags | flags | x32
open_flags
  flags of open | flags | open_flag | x32
  mode | mode | mode | x16
iattr
  what changes | valid | ia_valid | x32
  mode | mode | ia_mode | x16
  size | size | ia_size | s64
seq_file
  file name | name | file->f_path.dentry->d_name.name | string
msghdr
  bytes | count | msg_iter.count | u64
  flags | flags | msg_flags | x32
iov_iter
  bytes | count | count | u64
pt_regs
  instruction | ip | ip | x64
  stack | sp | sp | x64
  number of the call | orig_ax | orig_ax | s64
  result | ax | ax | s64
vm_fault
  address | address | address | x64
  flags | flags | flags | x32
  file name | name | vma->vm_file->f_path.dentry->d_name.name | string
mm_struct
  program | exe | exe_file->f_path.dentry->d_name.name | string
  owner's command | owner | owner->comm | string
page
  inode number | ino | mapping->host->i_ino | u64 | of a file's page
  index | index | index, __folio_index | u64
folio
  inode number | ino | mapping->host->i_ino | u64 | of a file's pages
  index | index | index | u64
kmem_cache
  cache | cache | name | string
  size of an object | size | object_size | u32
workqueue_struct
  workqueue | wq | name | string
tty_struct
  terminal | tty | name | string
sock_common
  peer's IPv4 address | daddr | skc_daddr | u8[4] | bytes in the order they are written
  own IPv4 address | saddr | skc_rcv_saddr | u8[4] | bytes in the order they are written
  peer's port | dport_be | skc_dport | x16 | network byte order: 80 is 0x5000
  own port | sport | skc_num | u16 | this machine's byte order
  family | family | skc_family | u16 | 2 is IPv4, 10 is IPv6
  peer's IPv6 address | daddr6 | skc_v6_daddr.in6_u.u6_addr8 | x8[16] | network byte order
  own IPv6 address | saddr6 | skc_v6_rcv_saddr.in6_u.u6_addr8 | x8[16] | network byte order
sockaddr_un
  path | path | sun_path | string
flowi6
  peer's IPv6 address | daddr6 | daddr.in6_u.u6_addr8 | x8[16] | network byte order
  own IPv6 address | saddr6 | saddr.in6_u.u6_addr8 | x8[16] | network byte order
dst_entry
  device | dev | dev->name | string
net
  network namespace | netns | ns.inum | u32 | as in /proc/PID/ns/net
nf_hook_state
  device in | in | in->name | string
  device out | out | out->name | string
  hook | hook | hook | u8
nlmsghdr
  type | type | nlmsg_type | u16
  flags | flags | nlmsg_flags | x16
  length | len | nlmsg_len | u32
sk_buff_head
  packets | qlen | qlen | u32
cgroup_subsys_state
  cgroup | cgroup | cgroup->kn->name | string
bpf_prog
  program | prog | aux->name | string
  type | type | type | u32
perf_event
  type | type | attr.type | u32
  config | config | attr.config | x64
timespec64
  seconds | sec | tv_sec | s64
  nanoseconds | nsec | tv_nsec | s64
itimerspec64
  seconds | sec | it_value.tv_sec | s64
  nanoseconds | nsec | it_value.tv_nsec | s64
user_namespace
  owner | owner | owner.val | u32
  level | level | level | s32
key
  description | description | description | string
  type | type | type->name | string
irq_desc
  number | irq | irq_data.irq | u32
  device | name | action->name | string
platform_device
  name | name | name | string
pci_dev
  address | name | dev.kobj.name | string
  driver | driver | driver->name | string
  vendor | vendor | vendor | x16
  device | device | device | x16
notifier_block
  function | call | notifier_call | symbol
backing_dev_info
  device | dev | dev_name | string
request_queue
  disk | disk | disk->disk_name | string
"""
