"""Calls whose 32-bit form is a function of its own (``__ia32_compat_sys_*``, ``__x64_compat_sys_*``).

Source: include/linux/compat.h of 6.12 and BTF of __do_compat_sys_* of 5.10 to 7.3.
"""

COMPAT = """
arch_prctl(int option, unsigned long arg2:x64)
epoll_pwait(int epfd, struct epoll_event __user *events, int maxevents, int timeout,
    const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
epoll_pwait2(int epfd, struct epoll_event __user *events, int maxevents,
    const struct __kernel_timespec __user *timeout, const compat_sigset_t __user *sigmask,
    compat_size_t sigsetsize)
execve(const char __user *filename, const compat_uptr_t __user *argv, const compat_uptr_t __user *envp)
execveat(int fd, const char __user *filename, const compat_uptr_t __user *argv,
    const compat_uptr_t __user *envp, int flags:x32)
fadvise64_64(int fd, u32 pos_lo, u32 pos_hi, u32 len_lo, u32 len_hi, int advice)
fanotify_mark(int fanotify_fd, unsigned int flags:x32, u32 mask_lo, u32 mask_hi, int dfd,
    const char __user *pathname)
fcntl(unsigned int fd, unsigned int cmd, compat_ulong_t arg)
fcntl64(unsigned int fd, unsigned int cmd, compat_ulong_t arg)
fstatfs(unsigned int fd, struct compat_statfs __user *buf)
fstatfs64(unsigned int fd, compat_size_t sz, struct compat_statfs64 __user *buf)
ftruncate(unsigned int fd, compat_off_t length)
get_mempolicy(int __user *policy, compat_ulong_t __user *nmask, compat_ulong_t maxnode,
    compat_ulong_t addr, compat_ulong_t flags:x32)
get_robust_list(int pid, compat_uptr_t __user *head_ptr, compat_size_t __user *len_ptr)
getdents(unsigned int fd, struct compat_linux_dirent __user *dirent, unsigned int count)
getitimer(int which, struct old_itimerval32 __user *it)
getrlimit(unsigned int resource, struct compat_rlimit __user *rlim)
getrusage(int who, struct compat_rusage __user *ru)
getsockopt(int fd, int level, int optname, char __user *optval:x64, int __user *optlen)
gettimeofday(struct old_timeval32 __user *tv, struct timezone __user *tz)
ia32_clone(unsigned long clone_flags:x64, unsigned long newsp, int __user *parent_tidptr,
    unsigned long tls_val, int __user *child_tidptr)
ia32_fstat64(unsigned int fd, struct stat64 __user *statbuf)
ia32_fstatat64(unsigned int dfd, const char __user *filename, struct stat64 __user *statbuf, int flag:x32)
ia32_lstat64(const char __user *filename, struct stat64 __user *statbuf)
ia32_mmap(struct mmap_arg_struct32 __user *arg)
ia32_stat64(const char __user *filename, struct stat64 __user *statbuf)
io_pgetevents(compat_aio_context_t ctx_id, compat_long_t min_nr, compat_long_t nr,
    struct io_event __user *events, struct old_timespec32 __user *timeout,
    const struct __compat_aio_sigset __user *usig)
io_pgetevents_time64(compat_aio_context_t ctx_id, compat_long_t min_nr, compat_long_t nr,
    struct io_event __user *events, struct __kernel_timespec __user *timeout,
    const struct __compat_aio_sigset __user *usig)
io_setup(unsigned nr_reqs, u32 __user *ctx32p)
io_submit(compat_aio_context_t ctx_id, int nr, u32 __user *iocb)
ioctl(unsigned int fd, unsigned int cmd, compat_ulong_t arg)
ipc(u32 call, int first, int second, u32 third, compat_uptr_t ptr, u32 fifth)
kexec_load(compat_ulong_t entry, compat_ulong_t nr_segments,
    struct compat_kexec_segment __user *segments, compat_ulong_t flags:x32)
keyctl(u32 option, u32 arg2, u32 arg3, u32 arg4, u32 arg5)
lookup_dcookie(u32 w0, u32 w1, char __user *buf:x64, compat_size_t len)
lseek(unsigned int fd, compat_off_t offset, unsigned int whence)
mbind(compat_ulong_t start, compat_ulong_t len, compat_ulong_t mode, compat_ulong_t __user *nmask,
    compat_ulong_t maxnode, compat_ulong_t flags:x32)
migrate_pages(compat_pid_t pid, compat_ulong_t maxnode, const compat_ulong_t __user *old_nodes,
    const compat_ulong_t __user *new_nodes)
move_pages(pid_t pid, compat_ulong_t nr_pages, compat_uptr_t __user *pages32, const int __user *nodes,
    int __user *status, int flags:x32)
mq_getsetattr(mqd_t mqdes, const struct compat_mq_attr __user *u_mqstat,
    struct compat_mq_attr __user *u_omqstat)
mq_notify(mqd_t mqdes, const struct compat_sigevent __user *u_notification)
mq_open(const char __user *u_name, int oflag:x32, compat_mode_t mode, struct compat_mq_attr __user *u_attr)
msgctl(int msqid, int cmd, void __user *uptr)
msgrcv(int msqid, compat_uptr_t msgp, compat_ssize_t msgsz, compat_long_t msgtyp, int msgflg:x32)
msgsnd(int msqid, compat_uptr_t msgp, compat_ssize_t msgsz, int msgflg:x32)
newfstat(unsigned int fd, struct compat_stat __user *statbuf)
newfstatat(unsigned int dfd, const char __user *filename, struct compat_stat __user *statbuf, int flag:x32)
newlstat(const char __user *filename, struct compat_stat __user *statbuf)
newstat(const char __user *filename, struct compat_stat __user *statbuf)
old_getrlimit(unsigned int resource, struct compat_rlimit __user *rlim)
old_msgctl(int msqid, int cmd, void __user *uptr)
old_readdir(unsigned int fd, struct compat_old_linux_dirent __user *dirent, unsigned int count)
old_select(struct compat_sel_arg_struct __user *arg)
old_semctl(int semid, int semnum, int cmd, int arg)
old_shmctl(int shmid, int cmd, void __user *uptr)
open(const char __user *filename, int flags:x32, umode_t mode)
open_by_handle_at(int mountdirfd, struct file_handle __user *handle, int flags:x32)
openat(int dfd, const char __user *filename, int flags:x32, umode_t mode)
ppoll_time32(struct pollfd __user *ufds, unsigned int nfds, struct old_timespec32 __user *tsp,
    const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
ppoll_time64(struct pollfd __user *ufds, unsigned int nfds, struct __kernel_timespec __user *tsp,
    const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
preadv(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_low, u32 pos_high)
preadv2(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_low,
    u32 pos_high, rwf_t flags)
preadv64(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos)
preadv64v2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos, rwf_t flags)
process_vm_readv(compat_pid_t pid, const struct iovec __user *lvec, compat_ulong_t liovcnt,
    const struct iovec __user *rvec, compat_ulong_t riovcnt, compat_ulong_t flags:x32)
process_vm_writev(compat_pid_t pid, const struct iovec __user *lvec, compat_ulong_t liovcnt,
    const struct iovec __user *rvec, compat_ulong_t riovcnt, compat_ulong_t flags:x32)
pselect6_time32(int n, compat_ulong_t __user *inp, compat_ulong_t __user *outp,
    compat_ulong_t __user *exp, struct old_timespec32 __user *tsp, void __user *sig)
pselect6_time64(int n, compat_ulong_t __user *inp, compat_ulong_t __user *outp,
    compat_ulong_t __user *exp, struct __kernel_timespec __user *tsp, void __user *sig)
ptrace(compat_long_t request, compat_long_t pid, compat_long_t addr, compat_long_t data)
pwritev(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_low, u32 pos_high)
pwritev2(compat_ulong_t fd, const struct iovec __user *vec, compat_ulong_t vlen, u32 pos_low,
    u32 pos_high, rwf_t flags)
pwritev64(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos)
pwritev64v2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos, rwf_t flags)
recv(int fd, void __user *buf, compat_size_t len, unsigned flags:x32)
recvfrom(int fd, void __user *buf, compat_size_t len, unsigned flags:x32, struct sockaddr __user *addr,
    int __user *addrlen)
recvmmsg_time32(int fd, struct compat_mmsghdr __user *mmsg, unsigned vlen, unsigned int flags:x32,
    struct old_timespec32 __user *timeout)
recvmmsg_time64(int fd, struct compat_mmsghdr __user *mmsg, unsigned vlen, unsigned int flags:x32,
    struct __kernel_timespec __user *timeout)
recvmsg(int fd, struct compat_msghdr __user *msg, unsigned int flags:x32)
rt_sigaction(int sig, const struct compat_sigaction __user *act, struct compat_sigaction __user *oact,
    compat_size_t sigsetsize)
rt_sigpending(compat_sigset_t __user *uset, compat_size_t sigsetsize)
rt_sigprocmask(int how, compat_sigset_t __user *set, compat_sigset_t __user *oset, compat_size_t sigsetsize)
rt_sigqueueinfo(compat_pid_t pid, int sig, struct compat_siginfo __user *uinfo)
rt_sigreturn()
rt_sigsuspend(compat_sigset_t __user *unewset, compat_size_t sigsetsize)
rt_sigtimedwait_time32(compat_sigset_t __user *uthese, struct compat_siginfo __user *uinfo,
    struct old_timespec32 __user *uts, compat_size_t sigsetsize)
rt_sigtimedwait_time64(compat_sigset_t __user *uthese, struct compat_siginfo __user *uinfo,
    struct __kernel_timespec __user *uts, compat_size_t sigsetsize)
rt_tgsigqueueinfo(compat_pid_t tgid, compat_pid_t pid, int sig, struct compat_siginfo __user *uinfo)
s390_ipc(u32 call, int first, int second, u32 third, compat_uptr_t ptr)
sched_getaffinity(compat_pid_t pid, unsigned int len, compat_ulong_t __user *user_mask_ptr)
sched_setaffinity(compat_pid_t pid, unsigned int len, compat_ulong_t __user *user_mask_ptr)
select(int n, compat_ulong_t __user *inp, compat_ulong_t __user *outp, compat_ulong_t __user *exp,
    struct old_timeval32 __user *tvp)
semctl(int semid, int semnum, int cmd, int arg)
sendfile(int out_fd, int in_fd, compat_off_t __user *offset, compat_size_t count)
sendfile64(int out_fd, int in_fd, compat_loff_t __user *offset, compat_size_t count)
sendmmsg(int fd, struct compat_mmsghdr __user *mmsg, unsigned vlen, unsigned int flags:x32)
sendmsg(int fd, struct compat_msghdr __user *msg, unsigned flags:x32)
set_mempolicy(int mode, compat_ulong_t __user *nmask, compat_ulong_t maxnode)
set_robust_list(struct compat_robust_list_head __user *head, compat_size_t len)
setitimer(int which, struct old_itimerval32 __user *in, struct old_itimerval32 __user *out)
setrlimit(unsigned int resource, struct compat_rlimit __user *rlim)
setsockopt(int fd, int level, int optname, char __user *optval:x64, unsigned int optlen)
settimeofday(struct old_timeval32 __user *tv, struct timezone __user *tz)
shmat(int shmid, compat_uptr_t shmaddr, int shmflg:x32)
shmctl(int shmid, int cmd, void __user *uptr)
sigaction(int sig, const struct compat_old_sigaction __user *act, struct compat_old_sigaction __user *oact)
sigaltstack(const compat_stack_t __user *uss_ptr, compat_stack_t __user *uoss_ptr)
signalfd(int ufd, const compat_sigset_t __user *sigmask, compat_size_t sigsetsize)
signalfd4(int ufd, const compat_sigset_t __user *sigmask, compat_size_t sigsetsize, int flags:x32)
sigpending(compat_old_sigset_t __user *set)
sigprocmask(int how, compat_old_sigset_t __user *nset, compat_old_sigset_t __user *oset)
sigreturn()
socketcall(int call, u32 __user *args)
statfs(const char __user *pathname, struct compat_statfs __user *buf)
statfs64(const char __user *pathname, compat_size_t sz, struct compat_statfs64 __user *buf)
sysinfo(struct compat_sysinfo __user *info)
timer_create(clockid_t which_clock, struct compat_sigevent __user *timer_event_spec,
    timer_t __user *created_timer_id)
times(struct compat_tms __user *tbuf)
truncate(const char __user *path, compat_off_t length)
ustat(unsigned int dev, struct compat_ustat __user *u)
wait4(compat_pid_t pid, compat_uint_t __user *stat_addr, int options:x32, struct compat_rusage __user *ru)
waitid(int which, compat_pid_t pid, struct compat_siginfo __user *infop, int options:x32,
    struct compat_rusage __user *uru)
x32_rt_sigreturn()
"""
