"""What an engineer types and the symbol that is meant, over the part of a 6.12 kallsyms in ``data/``."""

from __future__ import annotations

import lzma
from functools import cache
from pathlib import Path

from kptui.symbols import SymbolTable

DATA = Path(__file__).parent / "data" / "kallsyms-6.12.txt.xz"


@cache
def kallsyms() -> bytes:
    return lzma.decompress(DATA.read_bytes())


@cache
def table() -> SymbolTable:
    return SymbolTable.parse(kallsyms())


# query: wanted symbol. FIRST: must be the first hit; TOP: among the first five (a shorter name fits as well).
FIRST = """
vfs_read vfs_read|vfsread vfs_read|vfsrea vfs_read|vfswrite vfs_write|vfsopen vfs_open|vfs_wri vfs_write
vfsfsync vfs_fsync|vfsunlink vfs_unlink|vfsrename vfs_rename|vfsmkdir vfs_mkdir|vfsstatfs vfs_statfs
vfsgetattr vfs_getattr|vfscreate vfs_create|vfslink vfs_link|vfsrmdir vfs_rmdir|vfsreadv vfs_readv
dosysopenat2 do_sys_openat2|do_sys_open do_sys_open|dosysopenat do_sys_openat2|filpopen do_filp_open
dofilpopen do_filp_open|dofilopen do_filp_open|dounlinkat do_unlinkat|do_unlink do_unlinkat|doexit do_exit
tcpcon tcp_connect|tcpconn tcp_connect|tcp_connect tcp_connect|tcpv4connect tcp_v4_connect
tcpv6con tcp_v6_connect|tcpv4rcv tcp_v4_rcv|tcpsendmsg tcp_sendmsg|tcprecvmsg tcp_recvmsg
tcpretransmit tcp_retransmit_skb|tcpclose tcp_close|tcpack tcp_ack|tcp_rcv_est tcp_rcv_established
tcprcvestablished tcp_rcv_established|udpsendmsg udp_sendmsg|udprecvmsg udp_recvmsg|iprcv ip_rcv
ipoutput ip_output|ipqueuexmit ip_queue_xmit|iplocaldeliver ip_local_deliver
inetcskaccept inet_csk_accept|inetlisten inet_listen|inetbind inet_bind|devqueuexmit __dev_queue_xmit
devhardstart dev_hard_start_xmit|netifreceiveskb netif_receive_skb|netif_rx netif_rx
napischedule __napi_schedule|kfree kfree|kfreeskbmem kfree_skbmem|vmalloc vmalloc_noprof
kmemcachefree kmem_cache_free|kmemcachealloc kmem_cache_alloc_noprof|handlemmfault handle_mm_fault
doanonpage do_anonymous_page|trytofree try_to_free_pages|trytowake try_to_wake_up|schedule schedule
scheduletimeout schedule_timeout|wakeupprocess wake_up_process|finishtaskswitch finish_task_switch.isra.0
mutexlock mutex_lock|mutexunlock mutex_unlock|mutextrylock mutex_trylock|downread down_read
upwrite up_write|callrcu call_rcu|submitbio submit_bio|blkmqstart blk_mq_start_request
blkmqcomplete blk_mq_complete_request|genericfileread generic_file_read_iter|filemapfault filemap_fault
ext4fileread ext4_file_read_iter|ext4filewrite ext4_file_write_iter|ext4syncfile ext4_sync_file
ext4lookup ext4_lookup|ext4create ext4_create|ext4unlink ext4_unlink
jbd2journalcommittr jbd2_journal_commit_transaction|ksoftirqdshould ksoftirqd_should_run
piperead pipe_read|pipewrite pipe_write|sockrecvmsg sock_recvmsg|sockalloc sock_alloc
oomkill oom_kill_process|outofmemory out_of_memory|shrinknode shrink_node|kswapd kswapd
hrtimerstart hrtimer_start_range_ns|dosoftirq __do_softirq|loadelfbinary load_elf_binary
loadelfbin load_elf_binary|beginnewexec begin_new_exec|bprmexecve bprm_execve
kernelclone kernel_clone|kernelexecve kernel_execve|ksysread ksys_read|ksyswrite ksys_write
workerthread worker_thread|processonework process_one_work|queueworkon queue_work_on
seqread seq_read|dlookup d_lookup|pathopenat path_openat|linkpathwalk link_path_walk.part.0.constprop.0
getname getname|evict evict|panic panic|msleep msleep|usleeprange usleep_range_state
futexwait futex_wait|futexwake futex_wake|x64sysopenat __x64_sys_openat
sysexecve __x64_sys_execve|x64sysexec __x64_sys_execve
sys_openat __x64_sys_openat|sys_execve __x64_sys_execve|SyS_execve __x64_sys_execve
execve(2) __x64_sys_execve|execve() __x64_sys_execve|__se_sys_execve __x64_sys_execve
__do_sys_execve __x64_sys_execve|open(2) __x64_sys_open|sys_read __x64_sys_read|SyS_write __x64_sys_write
connect(2) __x64_sys_connect|sys_kill __x64_sys_kill|unlinkat(2) __x64_sys_unlinkat
sys_clone3 __x64_sys_clone3|SYSC_connect __x64_sys_connect|fsync(2) __x64_sys_fsync
sys_ptrace __x64_sys_ptrace|mmap(2) __x64_sys_mmap|kmalloc __kmalloc_noprof|do_fork kernel_clone
generic_make_request submit_bio_noacct|jiffies jiffies|init_task init_task|loops_per_jiffy loops_per_jiffy
shcedule schedule|vfs_raed vfs_read|vfs_wirte vfs_write|tcp_conect tcp_connect|tcp_connetc tcp_connect
tcp_conncet tcp_connect|do_sys_opne do_sys_open|do_sys_openta2 do_sys_openat2|submit_boi submit_bio
mutex_lokc mutex_lock|netif_recieve_skb netif_receive_skb|kmem_cache_fre kmem_cache_free
handle_mm_falut handle_mm_fault|vfs_unlnik vfs_unlink|try_to_wakeup try_to_wake_up|do_exti do_exit
oom_kil_process oom_kill_process|load_elf_binray load_elf_binary|wake_up_proces wake_up_process
VFS_READ vfs_read|vfs read vfs_read
"""
TOP = """
kfreeskb kfree_skbmem|loadelf load_elf_binary|queuework queue_work_on|ksoftirqd ksoftirqd_should_run
schd schedule|vfr vfs_read|tvc tcp_v4_connect|excve __x64_sys_execve
ttwu try_to_wake_up|vfread vfs_read|dofault do_fault
"""


def pairs(text: str) -> list[tuple[str, str]]:
    """``query symbol`` of every entry; the query may contain blanks."""
    entries = [entry for line in text.splitlines() for entry in line.split("|") if entry]
    return [(query, symbol) for query, _, symbol in (entry.rpartition(" ") for entry in entries)]
