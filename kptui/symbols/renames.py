"""Functions that kernels since 4.x have under another name: what an article, or a finger, still calls them.

Each pair was looked up in the symbol lists of Debian's 5.10, 6.1, 6.12, 6.18 and 7.3 (tests/symbols/data/renamed.txt):
one of them has the new name and not the old, or has both, the old one as a thin layer over the new.
"""

from __future__ import annotations

# Old name, and the one after it; functions that were merged into another, or made inline or a macro over it, go there.
_PAIRS = """
activate_page folio_activate, add_to_swap folio_alloc_swap, __alloc_fd alloc_fd,
alloc_pages_current alloc_pages, __alloc_pages_nodemask __alloc_pages,
__alloc_pages_noprof __alloc_frozen_pages_noprof, alloc_pages_vma vma_alloc_folio,
alloc_set_pte set_pte_range, bdev_open_by_dev bdev_file_open_by_dev,
bdev_open_by_path bdev_file_open_by_path, blk_cleanup_queue blk_mq_destroy_queue,
blk_mq_make_request blk_mq_submit_bio, __blk_mq_try_issue_directly blk_mq_try_issue_directly,
blkdev_get_by_dev bdev_open_by_dev, blkdev_get_by_path bdev_open_by_path, blkdev_put bdev_release,
block_invalidatepage block_invalidate_folio, block_read_full_page block_read_full_folio,
block_write_full_page block_write_full_folio, call_rcu_sched call_rcu,
check_preempt_curr wakeup_preempt, check_preempt_wakeup check_preempt_wakeup_fair,
__close_fd close_fd, complete_and_exit kthread_complete_and_exit,
copy_user_enhanced_fast_string rep_movs_alternative, copy_user_generic_unrolled rep_movs_alternative,
del_timer timer_delete, del_timer_sync timer_delete_sync,
delete_from_page_cache filemap_remove_folio, dev_queue_xmit __dev_queue_xmit,
do_IRQ common_interrupt, do_debug exc_debug, do_execve do_execveat_common,
__do_execve_file do_execveat_common, _do_fork kernel_clone, do_fork _do_fork,
do_general_protection exc_general_protection, do_generic_file_read generic_file_buffered_read,
do_linkat filename_linkat, do_mkdirat filename_mkdirat, do_mknodat filename_mknodat,
do_mmap_pgoff do_mmap, __do_munmap do_vmi_munmap, do_munmap do_vmi_munmap, do_nmi exc_nmi,
__do_page_cache_readahead page_cache_ra_unbounded, __do_page_fault do_user_addr_fault,
do_page_fault exc_page_fault, do_readv_writev vfs_readv, do_renameat2 filename_renameat2,
do_rmdir filename_rmdir, do_set_pte set_pte_range, do_signal arch_do_signal_or_restart,
__do_softirq handle_softirqs, do_symlinkat filename_symlinkat, do_sys_open do_sys_openat2,
do_umount path_umount, do_unlinkat filename_unlinkat, end_page_writeback folio_end_writeback,
exit_to_usermode_loop exit_to_user_mode_loop, ext4_da_writepages ext4_writepages,
ext4_invalidatepage ext4_invalidate_folio, ext4_journalled_writepage ext4_do_writepages,
ext4_ordered_write_end ext4_write_end, ext4_readpage ext4_read_folio, ext4_readpages ext4_readahead,
ext4_releasepage ext4_release_folio, ext4_writepage ext4_do_writepages, __fd_install fd_install,
__fget __fget_files, __fget_files fget, find_busiest_group sched_balance_find_src_group,
find_get_entry filemap_get_entry, find_lock_entry __filemap_get_folio, flush_old_exec begin_new_exec,
fput_many fput, free_unref_page free_frozen_pages, free_unref_page_list free_unref_folios,
freeze_bdev bdev_freeze, generic_file_buffered_read filemap_read,
generic_file_splice_read filemap_splice_read, generic_make_request submit_bio_noacct,
get_swap_page folio_alloc_swap, grab_cache_page_write_begin __filemap_get_folio,
hrtimer_init hrtimer_setup, hrtimer_init_sleeper hrtimer_setup_sleeper_on_stack,
hugepage_add_anon_rmap hugetlb_add_anon_rmap, import_single_range import_ubuf,
inet_csk_reqsk_queue_prune reqsk_timer_handler, inet_sendpage inet_sendmsg,
init_timer_key timer_init_key, install_exec_creds begin_new_exec,
invalidate_inode_page mapping_evict_folio, iomap_readpage iomap_read_folio,
iov_iter_copy_from_user_atomic copy_page_from_iter_atomic, iov_iter_get_pages iov_iter_get_pages2,
isolate_lru_page folio_isolate_lru, isolate_lru_pages isolate_lru_folios,
jbd2_journal_invalidatepage jbd2_journal_invalidate_folio, kernel_setsockopt sock_setsockopt,
kfree_call_rcu kvfree_call_rcu, kfree_skb kfree_skb_reason, kfree_skb_reason sk_skb_reason_drop,
kmalloc_node_trace __kmalloc_cache_node_noprof, kmalloc_trace __kmalloc_cache_noprof,
__kmalloc_track_caller __kmalloc_node_track_caller, kmem_cache_alloc_node_trace kmalloc_node_trace,
kmem_cache_alloc_trace kmalloc_trace, kmem_cache_create __kmem_cache_create_args,
kmem_cache_create_usercopy __kmem_cache_create_args, krealloc krealloc_node_align,
ksys_ioctl __x64_sys_ioctl, ksys_mount path_mount, ksys_open do_sys_open, ksys_umount path_umount,
ksys_unlink do_unlinkat, kvmalloc_node __kvmalloc_node, kzfree kfree_sensitive,
load_balance sched_balance_rq, __lock_page __folio_lock, __lock_page_killable __folio_lock_killable,
__lock_page_or_retry __folio_lock_or_retry, lookup_one_len lookup_noperm,
lookup_one_len_unlocked lookup_noperm_unlocked, lru_cache_add folio_add_lru,
mark_page_accessed folio_mark_accessed, mem_cgroup_charge __mem_cgroup_charge,
migrate_page migrate_folio, __mod_lruvec_page_state lruvec_stat_mod_folio,
move_pages_to_lru move_folios_to_lru, mpage_readpage mpage_read_folio,
napi_complete napi_complete_done, napi_schedule __napi_schedule, netif_rx_ni netif_rx,
newidle_balance sched_balance_newidle, ondemand_readahead page_cache_ra_order,
page_add_anon_rmap folio_add_anon_rmap_ptes, page_add_file_rmap folio_add_file_rmap_ptes,
page_add_new_anon_rmap folio_add_new_anon_rmap, page_cache_async_readahead page_cache_async_ra,
page_mkclean folio_mkclean, page_move_anon_rmap folio_move_anon_rmap,
page_referenced folio_referenced, page_remove_rmap folio_remove_rmap_ptes,
pagecache_get_page __filemap_get_folio, pagevec_lru_move_fn folio_batch_move_lru,
__pagevec_release __folio_batch_release, prandom_u32 get_random_u32,
prepare_exit_to_usermode exit_to_user_mode_prepare, probe_kernel_read copy_from_kernel_nofault,
probe_kernel_write copy_to_kernel_nofault, probe_user_read copy_from_user_nofault,
__put_page __folio_put, putback_lru_page folio_putback_lru, queue_delayed_work queue_delayed_work_on,
queue_work queue_work_on, random_read random_read_iter, rcu_check_callbacks rcu_sched_clock_irq,
rebalance_domains sched_balance_domains, resched_task resched_curr,
rotate_reclaimable_page folio_rotate_reclaimable, run_rebalance_domains sched_balance_softirq,
schedule_delayed_work queue_delayed_work_on, schedule_work queue_work_on, scheduler_tick sched_tick,
search_binary_handler bprm_execve, __send_signal __send_signal_locked,
send_signal send_signal_locked, set_page_dirty folio_mark_dirty,
__set_page_dirty_buffers block_dirty_folio, __set_page_dirty_nobuffers filemap_dirty_folio,
shrink_page_list shrink_folio_list, smp_apic_timer_interrupt sysvec_apic_timer_interrupt,
smp_call_function_interrupt sysvec_call_function, smp_reschedule_interrupt sysvec_reschedule_ipi,
sock_sendpage sock_sendmsg, spin_lock _raw_spin_lock, spin_lock_bh _raw_spin_lock_bh,
spin_lock_irq _raw_spin_lock_irq, spin_lock_irqsave _raw_spin_lock_irqsave,
spin_unlock _raw_spin_unlock, spin_unlock_irqrestore _raw_spin_unlock_irqrestore,
split_huge_page_to_list split_huge_page_to_list_to_order, submit_bio_checks submit_bio_noacct,
__submit_bio_noacct submit_bio_noacct_nocheck, swap_readpage swap_read_folio,
swap_writepage swap_writeout, synchronize_sched synchronize_rcu, tcp_sendpage tcp_sendmsg,
tcp_sendpage_locked tcp_sendmsg_locked, test_clear_page_writeback __folio_end_writeback,
__test_set_page_writeback __folio_start_writeback, thaw_bdev bdev_thaw,
trigger_load_balance sched_balance_trigger, try_charge try_charge_memcg,
try_to_del_timer_sync timer_delete_sync_try, try_to_release_page filemap_release_folio,
ttwu_do_wakeup ttwu_do_activate, udp_sendpage udp_sendmsg, unlock_page folio_unlock,
update_blocked_averages sched_balance_update_blocked_averages, urandom_read urandom_read_iter,
user_path_at_empty user_path_at, usleep_range usleep_range_state, vfs_ioctl __x64_sys_ioctl,
__vfs_read vfs_read, vfs_statx_fd vfs_fstat, __vfs_write vfs_write, __vma_adjust vma_expand,
vma_merge vma_merge_new_range, wait_on_page_bit folio_wait_bit,
wait_on_page_writeback folio_wait_writeback, wake_up __wake_up, wake_up_page_bit folio_wake_bit
"""

_ROWS = [pair.split() for pair in _PAIRS.replace("\n", " ").split(",")]
RENAMED: dict[str, str] = {row[0]: row[1] for row in _ROWS}
FORMER: dict[str, tuple[str, ...]] = {}
for _old, _new in RENAMED.items():
    FORMER[_new] = (*FORMER.get(_new, ()), _old)
KNOWN = frozenset([*RENAMED, *FORMER])
PROFILED = (
    "_noprof"  # since 6.10 allocators are macros over functions of this suffix (include/linux/alloc_tag.h)
)


def successors(name: str) -> tuple[str, ...]:
    """Names under which newer kernels have the function ``name``, the nearest first; renamed ones' successors, too."""
    found: list[str] = []
    at: str | None = name
    while at is not None and at not in found:
        found += [] if at == name else [at]
        found += [f"{at}{PROFILED}", f"__{at}{PROFILED}"]
        at = RENAMED.get(at)
    return tuple(found)


def predecessors(name: str) -> tuple[str, ...]:
    """Names under which older kernels have the function ``name``, the nearest first."""
    plain = name.removesuffix(PROFILED)
    found = [plain, plain.removeprefix("__")] if plain != name else []
    for at in (name, *found):
        for old in FORMER.get(at, ()):
            found += [old, *FORMER.get(old, ())]
    return tuple(dict.fromkeys(found))
