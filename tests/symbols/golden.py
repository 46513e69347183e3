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

# Over the demo's 25,000 symbols of a 6.12 kernel, where fzf's order of the same names is known (rank_fzf.py).
MORE = """
vfsrd vfs_read|vfswr vfs_write|vfsfst vfs_fstat|vfsfallo vfs_fallocate|vfssymlink vfs_symlink
vfsgetxattr vfs_getxattr|vfs_iter vfs_iter_read|ksysmmap ksys_mmap_pgoff|dofilp do_filp_open
dosysop do_sys_openat2|pathlookup path_lookupat|walkcomp walk_component|inodeperm inode_permission
genperm generic_permission|dput dput|dentryopen dentry_open|dodentryopen do_dentry_open
filpclose filp_close|getunusedfd get_unused_fd_flags|closefd close_fd|dosel do_select
epctl do_epoll_ctl|genericfilewrite generic_file_write_iter|genperformwrite generic_perform_write
filemapread filemap_read|filemapgetpages filemap_get_pages|fmapfault filemap_fault
wbworkfn wb_workfn|submitbionoacct submit_bio_noacct|blkmqsubmit blk_mq_submit_bio
blkmqrun blk_mq_run_hw_queue|blkmqend blk_mq_end_request|blkupdreq blk_update_request
bioendio bio_endio|bioalloc bio_alloc_bioset|ext4writepages ext4_writepages|ext4getblk ext4_getblk
ext4mballoc ext4_mb_new_blocks|ext4mkdir ext4_mkdir|ext4rename ext4_rename2|ovlopen ovl_open
handlemm handle_mm_fault|douseraddr do_user_addr_fault|excpagefault exc_page_fault
doswappage do_swap_page|dowppage do_wp_page|allocpages alloc_pages_noprof
getpagefromfreelist get_page_from_freelist|freeunref free_unref_page|balancepgdat balance_pgdat
mmapregion mmap_region|domunmap do_munmap|unmapregion unmap_region|copypagerange copy_page_range
exitmmap exit_mmap|kmcalloc kmem_cache_alloc_noprof|slaballoc ___slab_alloc
vmallocnode __vmalloc_node_noprof|trywake try_to_wake_up|wakeupnew wake_up_new_task
deqfair dequeue_task_fair|updatecurr update_curr|schedtick sched_tick|contextsw __schedule
doexitgroup do_group_exit|dogroupexit do_group_exit|copyproc copy_process|kclone kernel_clone
dowait do_wait|dosigaction do_sigaction|sendsig send_signal_locked|getsignal get_signal
forcesig force_sig_info|grpsendsig group_send_sig_info|dosendsig do_send_sig_info
hrtimerstartrange hrtimer_start_range_ns|hrtimerint hrtimer_interrupt|runtimers run_timer_softirq
modtimer mod_timer|schedtimeout schedule_timeout|donanosleep do_nanosleep
hrtimernanosleep hrtimer_nanosleep|queuedelayed queue_delayed_work_on|flushwq __flush_workqueue
cancelwork cancel_work_sync|downwrite down_write|futexwaitq futex_wait_queue|dofutex do_futex
waitforcompl wait_for_completion|completeall complete_all|rcubarrier rcu_barrier
handleirq handle_irq_event|genhandleirq generic_handle_irq|freeirq free_irq|tcpv4dorcv tcp_v4_do_rcv
tcpv4snd tcp_v4_send_check|tcpsendskb __tcp_push_pending_frames|tcpretrans tcp_retransmit_skb
tcprcvstate tcp_rcv_state_process|tcpestab tcp_rcv_established|tcpsetstate tcp_set_state
tcpv4conn tcp_v4_connect|tcpackreset tcp_send_active_reset|tcpfin tcp_fin|udprcv udp_rcv
iprcvfin ip_rcv_finish|iplocalout ip_local_out|ipforward ip_forward|iproutein ip_route_input_noref
arprcv arp_rcv|icmprcv icmp_rcv|netifrx netif_rx|netifreceive netif_receive_skb
napigro napi_gro_receive|schdirectxmit sch_direct_xmit|skbclone skb_clone|skbcopy skb_copy
skbputdata skb_put|kfreeskbreason sk_skb_reason_drop|allocskb __alloc_skb|sockcreate sock_create
socksend sock_sendmsg|sockrecv sock_recvmsg|inetaccept inet_accept|inetstream inet_stream_connect
unixstreamsend unix_stream_sendmsg|unixstreamread unix_stream_read_generic|nfhookslow nf_hook_slow
bprmexec bprm_execve|dexecveat do_execveat_common.isra.0|beginexec begin_new_exec
loadelfb load_elf_binary|capcapable cap_capable|securityfileopen security_file_open
secbprm security_bprm_check|preparecreds prepare_creds|reqmod __request_module|bpfcheck bpf_check
ftraceops ftrace_ops_list_func|cgroupattach cgroup_attach_task|cgmkdir cgroup_mkdir
sysfskfwrite sysfs_kf_write|seqreaditer seq_read_iter|reallyprobe really_probe
pcidevprobe pci_device_probe|deviceadd device_add|acpievaluate acpi_evaluate_object
cpuidleenter cpuidle_enter_state|doidle do_idle|x64sysclone __x64_sys_clone
x64sysmount __x64_sys_mount|x64sysbpf __x64_sys_bpf|x64sysfutex __x64_sys_futex
allocfile alloc_empty_file|wakekswapd wakeup_kswapd|filemapadd filemap_add_folio
pcacheraunb page_cache_ra_unbounded|sockset sock_setsockopt|tcptimew tcp_time_wait
inetcsklisten inet_csk_listen_start|skbsegment skb_segment|ipdofrag ip_do_fragment|schedfork sched_fork
setcpusallow set_cpus_allowed_ptr|rcucore rcu_core|rcugpk rcu_gp_kthread|hugefault hugetlb_fault
ext4dawr ext4_da_write_begin|ext4mapb ext4_map_blocks|ext4extmap ext4_ext_map_blocks|elvmerge elv_merge
blkfinplug blk_finish_plug|freemod free_module|devreg device_register|pcienab pci_enable_device
copyns copy_namespaces|oombad oom_badness|dosyslog do_syslog|acpitabparse acpi_table_parse
schedhrtimeout schedule_hrtimeout|checkirqres check_irq_resend|pcireadword pci_read_config_word
copynet copy_net_ns|i2cmatch i2c_match_id|ftracenop ftrace_make_nop|mlockfolio mlock_folio
iouringcancel io_uring_cancel_generic|ext4rmdir ext4_rmdir|touchatime touch_atime|wakeupbit wake_up_bit
biobackmerge bio_attempt_back_merge|x64accept4 __x64_sys_accept4|swapwritepage __swap_writepage
smpbootthread smpboot_thread_fn|biocopy bio_copy_data|dmakeroot d_make_root|wakeqadd wake_q_add
vfsparsefs vfs_parse_fs_param|tcpentercwr tcp_enter_cwr|tcpreadskb tcp_read_skb|doonecall do_one_initcall
bpfmemfree bpf_mem_free|inputevent input_handle_event|pcachera page_cache_ra_order
unixcreate unix_create1|migratepages do_migrate_pages|inetbindsk inet_bind_sk
movefree move_freepages_block|ext4quotaon ext4_quota_on|procpidreadl proc_pid_readlink
setloadw set_load_weight|schedcancelfork sched_cancel_fork|blktracerem blk_trace_remove
regcachedirty regcache_mark_dirty|serialsusp serial8250_suspend|x64getdents __x64_sys_getdents64
tcpclamp tcp_set_window_clamp|folioanonvma folio_get_anon_vma
"""
TYPOS = """
shcedule schedule|vfs_raed vfs_read|vfs_wirte vfs_write|tcp_conect tcp_connect|tcp_connetc tcp_connect
tcp_conncet tcp_connect|do_sys_openta2 do_sys_openat2|netif_recieve_skb netif_receive_skb|do_exti do_exit
vfs_unlnik vfs_unlink|load_elf_binray load_elf_binary|kernel_cloen kernel_clone|vfs_opne vfs_open
tcp_sendmgs tcp_sendmsg|udp_recvmgs udp_recvmsg|handel_mm_fault handle_mm_fault|do_unlinkta do_unlinkat
security_file_opne security_file_open|mutex_lcok mutex_lock|kmem_cache_fre kmem_cache_free
ext4_file_wirte_iter ext4_file_write_iter|inet_csk_acept inet_csk_accept|try_to_wake_pu try_to_wake_up
vfs_wriet vfs_write|scheduel schedule|kernel_colne kernel_clone|tcp_recvmgs tcp_recvmsg
tcp_sednmsg tcp_sendmsg|sock_recevmsg sock_recvmsg|copy_proccess copy_process
wake_up_porcess wake_up_process|inode_permisssion inode_permission|generic_premission generic_permission
handle_mm_fualt handle_mm_fault|out_of_memmory out_of_memory|do_exitt do_exit
dev_queue_xmti __dev_queue_xmit|ext4_sync_flie ext4_sync_file|submit_boi_noacct submit_bio_noacct
hrtimer_intterupt hrtimer_interrupt|blk_mq_submti_bio blk_mq_submit_bio|filemap_raed filemap_read
do_unlnikat do_unlinkat|load_efl_binary load_elf_binary
"""

# Several words, in any order; fzf takes them so, too.
WORDS = """
merge back bio bio_attempt_back_merge|page copy range copy_page_range|signal get get_signal
wake new task wake_up_new_task|openat2 sys do_sys_openat2|ext4 write file ext4_file_write_iter
unlink vfs vfs_unlink|anonymous page do_anonymous_page|tcp connect v4 tcp_v4_connect
exec bprm bprm_execve|bio submit submit_bio|irq handle generic generic_handle_irq
"""


def abbreviations() -> list[tuple[str, str]]:
    """Every pair whose query is the symbol's letters in order, but not all of them."""
    found = []
    for query, symbol in dict.fromkeys(pairs(FIRST) + pairs(TOP) + pairs(MORE)):
        rest = iter(symbol.lower())
        if query != symbol and all(letter in rest for letter in query.lower()):
            found.append((query, symbol))
    return found


def pairs(text: str) -> list[tuple[str, str]]:
    """``query symbol`` of every entry; the query may contain blanks."""
    entries = [entry for line in text.splitlines() for entry in line.split("|") if entry]
    return [(query, symbol) for query, _, symbol in (entry.rpartition(" ") for entry in entries)]
