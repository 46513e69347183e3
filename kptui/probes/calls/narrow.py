"""Calls that only 32-bit programs make, and those that x86-64 has as a name alone, for other architectures.

Source: include/linux/syscalls.h of 6.12 and BTF of __do_sys_* of 5.10 to 7.3; arch/x86/kernel/sys_ia32.c.
"""

NARROW = """
adjtimex_time32(struct old_timex32 __user *utp)
bdflush(int func, long data)
chown16(const char __user *filename, old_uid_t user, old_gid_t group)
clock_adjtime32(clockid_t which_clock, struct old_timex32 __user *utp)
clock_getres_time32(clockid_t which_clock, struct old_timespec32 __user *tp)
clock_gettime32(clockid_t which_clock, struct old_timespec32 __user *tp)
clock_nanosleep_time32(clockid_t which_clock, int flags:x32, struct old_timespec32 __user *rqtp,
    struct old_timespec32 __user *rmtp)
clock_settime32(clockid_t which_clock, struct old_timespec32 __user *tp)
fadvise64_64(int fd, loff_t offset, loff_t len, int advice)
fchown16(unsigned int fd, old_uid_t user, old_gid_t group)
fstatfs64(unsigned int fd, size_t sz, struct statfs64 __user *buf)
futex_time32(u32 __user *uaddr, int op, u32 val, const struct old_timespec32 __user *utime,
    u32 __user *uaddr2, u32 val3)
futimesat_time32(unsigned int dfd, const char __user *filename, struct old_timeval32 __user *t)
getegid16()
geteuid16()
getgid16()
getgroups16(int gidsetsize, old_gid_t __user *grouplist)
gethostname(char __user *name, int len)
getresgid16(old_gid_t __user *rgidp, old_gid_t __user *egidp, old_gid_t __user *sgidp)
getresuid16(old_uid_t __user *ruidp, old_uid_t __user *euidp, old_uid_t __user *suidp)
getuid16()
ia32_fadvise64(int fd, unsigned int offset_lo, unsigned int offset_hi, size_t len, int advice)
ia32_fadvise64_64(int fd, __u32 offset_low, __u32 offset_high, __u32 len_low, __u32 len_high, int advice)
ia32_fallocate(int fd, int mode:x32, unsigned int offset_lo, unsigned int offset_hi, unsigned int len_lo,
    unsigned int len_hi)
ia32_ftruncate64(unsigned int fd, unsigned long offset_low, unsigned long offset_high)
ia32_pread64(unsigned int fd, char __user *ubuf:x64, u32 count, u32 poslo, u32 poshi)
ia32_pwrite64(unsigned int fd, const char __user *ubuf:x64, u32 count, u32 poslo, u32 poshi)
ia32_readahead(int fd, unsigned int off_lo, unsigned int off_hi, size_t count)
ia32_sync_file_range(int fd, unsigned int off_low, unsigned int off_hi, unsigned int n_low,
    unsigned int n_hi, int flags:x32)
ia32_truncate64(const char __user *filename, unsigned long offset_low, unsigned long offset_high)
io_getevents_time32(__u32 ctx_id, __s32 min_nr, __s32 nr, struct io_event __user *events,
    struct old_timespec32 __user *timeout)
io_pgetevents_time32(aio_context_t ctx_id, long min_nr, long nr, struct io_event __user *events,
    struct old_timespec32 __user *timeout, const struct __aio_sigset __user *sig)
ipc(unsigned int call, int first, unsigned long second:x64, unsigned long third:x64, void __user *ptr,
    long fifth)
lchown16(const char __user *filename, old_uid_t user, old_gid_t group)
llseek(unsigned int fd, unsigned long offset_high, unsigned long offset_low, loff_t __user *result,
    unsigned int whence)
mmap_pgoff(unsigned long addr:x64, unsigned long len, unsigned long prot:x64, unsigned long flags:x64,
    unsigned long fd, unsigned long pgoff)
mq_timedreceive_time32(mqd_t mqdes, char __user *u_msg_ptr:x64, unsigned int msg_len,
    unsigned int __user *u_msg_prio, const struct old_timespec32 __user *u_abs_timeout)
mq_timedsend_time32(mqd_t mqdes, const char __user *u_msg_ptr:x64, unsigned int msg_len,
    unsigned int msg_prio, const struct old_timespec32 __user *u_abs_timeout)
nanosleep_time32(struct old_timespec32 __user *rqtp, struct old_timespec32 __user *rmtp)
nice(int increment)
old_getrlimit(unsigned int resource, struct rlimit __user *rlim)
old_msgctl(int msqid, int cmd, struct msqid_ds __user *buf)
old_readdir(unsigned int fd, struct old_linux_dirent __user *dirent, unsigned int count)
old_semctl(int semid, int semnum, int cmd, unsigned long arg:x64)
old_shmctl(int shmid, int cmd, struct shmid_ds __user *buf)
oldumount(char __user *name)
olduname(struct oldold_utsname __user *name)
pciconfig_iobase(long which, unsigned long bus, unsigned long devfn)
pciconfig_read(unsigned long bus, unsigned long dfn, unsigned long off, unsigned long len, void __user *buf)
pciconfig_write(unsigned long bus, unsigned long dfn, unsigned long off, unsigned long len,
    void __user *buf)
ppoll_time32(struct pollfd __user *ufds, unsigned int nfds, struct old_timespec32 __user *tsp,
    const sigset_t __user *sigmask, size_t sigsetsize)
pselect6_time32(int n, fd_set __user *inp, fd_set __user *outp, fd_set __user *exp,
    struct old_timespec32 __user *tsp, void __user *sig)
recv(int fd, void __user *ubuf, size_t size, unsigned int flags:x32)
recvmmsg_time32(int fd, struct mmsghdr __user *msg, unsigned int vlen, unsigned flags:x32,
    struct old_timespec32 __user *timeout)
rt_sigtimedwait_time32(const sigset_t __user *uthese, siginfo_t __user *uinfo,
    const struct old_timespec32 __user *uts, size_t sigsetsize)
rtas(struct rtas_args __user *uargs)
s390_ipc(unsigned int call, int first, unsigned long second:x64, unsigned long third:x64, void __user *ptr)
s390_pci_mmio_read(unsigned long mmio_addr, void __user *user_buffer, size_t length)
s390_pci_mmio_write(unsigned long mmio_addr, const void __user *user_buffer, size_t length)
sched_rr_get_interval_time32(pid_t pid, struct old_timespec32 __user *interval)
semtimedop_time32(int semid, struct sembuf __user *sops, unsigned nsops,
    const struct old_timespec32 __user *timeout)
send(int fd, void __user *buff, size_t len, unsigned int flags:x32)
setfsgid16(old_gid_t gid)
setfsuid16(old_uid_t uid)
setgid16(old_gid_t gid)
setgroups16(int gidsetsize, old_gid_t __user *grouplist)
setregid16(old_gid_t rgid, old_gid_t egid)
setresgid16(old_gid_t rgid, old_gid_t egid, old_gid_t sgid)
setresuid16(old_uid_t ruid, old_uid_t euid, old_uid_t suid)
setreuid16(old_uid_t ruid, old_uid_t euid)
setuid16(old_uid_t uid)
sgetmask()
signal(int sig, __sighandler_t handler)
sigpending(old_sigset_t __user *uset)
sigprocmask(int how, old_sigset_t __user *set, old_sigset_t __user *oset)
sigsuspend(int unused1, int unused2, old_sigset_t mask)
socketcall(int call, unsigned long __user *args)
spu_create(const char __user *name, unsigned int flags:x32, umode_t mode, int fd)
spu_run(int fd, __u32 __user *unpc, __u32 __user *ustatus)
ssetmask(int newmask)
statfs64(const char __user *pathname, size_t sz, struct statfs64 __user *buf)
stime(__kernel_old_time_t __user *tptr)
stime32(old_time32_t __user *tptr)
subpage_prot(unsigned long addr:x64, unsigned long len, u32 __user *map)
sync_file_range2(int fd, unsigned int flags:x32, loff_t offset, loff_t nbytes)
time32(old_time32_t __user *tloc)
timer_gettime32(timer_t timer_id, struct old_itimerspec32 __user *setting)
timer_settime32(timer_t timer_id, int flags:x32, struct old_itimerspec32 __user *new,
    struct old_itimerspec32 __user *old)
timerfd_gettime32(int ufd, struct old_itimerspec32 __user *otmr)
timerfd_settime32(int ufd, int flags:x32, const struct old_itimerspec32 __user *utmr,
    struct old_itimerspec32 __user *otmr)
uname(struct old_utsname __user *name)
utime32(const char __user *filename, struct old_utimbuf32 __user *t)
utimensat_time32(unsigned int dfd, const char __user *filename, struct old_timespec32 __user *t,
    int flags:x32)
utimes_time32(const char __user *filename, struct old_timeval32 __user *t)
vm86(unsigned long cmd, unsigned long arg:x64)
vm86old(struct vm86_struct __user *user_vm86)
waitpid(pid_t pid, int __user *stat_addr, int options:x32)
"""

OLD = """
fstat(unsigned int fd, struct __old_kernel_stat __user *statbuf)
lstat(const char __user *filename, struct __old_kernel_stat __user *statbuf)
sendfile(int out_fd, int in_fd, off_t __user *offset, size_t count)
stat(const char __user *filename, struct __old_kernel_stat __user *statbuf)
"""
"""Functions whose name is now that of another function's call: programs reach newstat and sendfile64 by it."""
