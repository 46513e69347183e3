"""The calls behind most questions about files, processes and the network.

Source: include/linux/syscalls.h and the SYSCALL_DEFINE lines.
"""

FILES = """
open(const char __user *filename, int flags:x32, umode_t mode)
openat(int dfd, const char __user *filename, int flags:x32, umode_t mode)
openat2(int dfd, const char __user *filename, struct open_how __user *how, size_t usize)
creat(const char __user *pathname, umode_t mode)
close(unsigned int fd)
close_range(unsigned int fd, unsigned int max_fd, unsigned int flags:x32)
read(unsigned int fd, char __user *buf:x64, size_t count)
write(unsigned int fd, const char __user *buf:x64, size_t count)
readv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
writev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
pread64(unsigned int fd, char __user *buf:x64, size_t count, loff_t pos)
pwrite64(unsigned int fd, const char __user *buf:x64, size_t count, loff_t pos)
lseek(unsigned int fd, off_t offset, unsigned int whence)
sendfile64(int out_fd, int in_fd, loff_t __user *offset, size_t count)
splice(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, size_t len,
    unsigned int flags:x32)
copy_file_range(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out, size_t len,
    unsigned int flags:x32)
newstat(const char __user *filename, struct stat __user *statbuf)
newlstat(const char __user *filename, struct stat __user *statbuf)
newfstat(unsigned int fd, struct stat __user *statbuf)
newfstatat(int dfd, const char __user *filename, struct stat __user *statbuf, int flag:x32)
statx(int dfd, const char __user *filename, unsigned flags:x32, unsigned int mask:x32,
    struct statx __user *buffer)
statfs(const char __user *pathname, struct statfs __user *buf)
access(const char __user *filename, int mode:x32)
faccessat(int dfd, const char __user *filename, int mode:x32)
faccessat2(int dfd, const char __user *filename, int mode:x32, int flags:x32)
unlink(const char __user *pathname)
unlinkat(int dfd, const char __user *pathname, int flag:x32)
rename(const char __user *oldname, const char __user *newname)
renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname)
renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
    unsigned int flags:x32)
mkdir(const char __user *pathname, umode_t mode)
mkdirat(int dfd, const char __user *pathname, umode_t mode)
mknodat(int dfd, const char __user *filename, umode_t mode, unsigned int dev:x32)
rmdir(const char __user *pathname)
link(const char __user *oldname, const char __user *newname)
linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname, int flags:x32)
symlink(const char __user *oldname, const char __user *newname)
symlinkat(const char __user *oldname, int newdfd, const char __user *newname)
readlink(const char __user *path, char __user *buf:x64, int bufsiz)
readlinkat(int dfd, const char __user *pathname, char __user *buf:x64, int bufsiz)
chmod(const char __user *filename, umode_t mode)
fchmod(unsigned int fd, umode_t mode)
fchmodat(int dfd, const char __user *filename, umode_t mode)
chown(const char __user *filename, uid_t user, gid_t group)
fchown(unsigned int fd, uid_t user, gid_t group)
fchownat(int dfd, const char __user *filename, uid_t user, gid_t group, int flag:x32)
utimensat(int dfd, const char __user *filename, struct __kernel_timespec __user *utimes, int flags:x32)
truncate(const char __user *path, long length)
ftruncate(unsigned int fd, off_t length)
fallocate(int fd, int mode:x32, loff_t offset, loff_t len)
sync()
syncfs(int fd)
fsync(unsigned int fd)
fdatasync(unsigned int fd)
sync_file_range(int fd, loff_t offset, loff_t nbytes, unsigned int flags:x32)
getdents64(unsigned int fd, struct linux_dirent64 __user *dirent, unsigned int count)
getcwd(char __user *buf:x64, unsigned long size)
chdir(const char __user *filename)
fchdir(unsigned int fd)
chroot(const char __user *filename)
pivot_root(const char __user *new_root, const char __user *put_old)
mount(char __user *dev_name, char __user *dir_name, char __user *type, unsigned long flags:x64,
    void __user *data)
umount(char __user *name, int flags:x32)
ioctl(unsigned int fd, unsigned int cmd:x32, unsigned long arg:x64)
fcntl(unsigned int fd, unsigned int cmd, unsigned long arg:x64)
flock(unsigned int fd, unsigned int cmd:x32)
dup(unsigned int fildes)
dup2(unsigned int oldfd, unsigned int newfd)
dup3(unsigned int oldfd, unsigned int newfd, int flags:x32)
pipe(int __user *fildes)
pipe2(int __user *fildes, int flags:x32)
inotify_add_watch(int fd, const char __user *pathname, u32 mask:x32)
setxattr(const char __user *pathname, const char __user *name, const void __user *value, size_t size,
    int flags:x32)
getxattr(const char __user *pathname, const char __user *name, void __user *value, size_t size)
"""

PROCESSES = """
execve(const char __user *filename, const char __user *const __user *argv,
    const char __user *const __user *envp)
execveat(int fd, const char __user *filename, const char __user *const __user *argv,
    const char __user *const __user *envp, int flags:x32)
clone(unsigned long clone_flags:x64, unsigned long newsp:x64, int __user *parent_tidptr,
    int __user *child_tidptr, unsigned long tls:x64)
clone3(struct clone_args __user *uargs, size_t size)
fork()
vfork()
exit(int error_code)
exit_group(int error_code)
kill(pid_t pid, int sig)
tkill(pid_t pid, int sig)
tgkill(pid_t tgid, pid_t pid, int sig)
rt_sigaction(int sig, const struct sigaction __user *act, struct sigaction __user *oact, size_t sigsetsize)
wait4(pid_t upid, int __user *stat_addr, int options:x32, struct rusage __user *ru)
waitid(int which, pid_t upid, struct siginfo __user *infop, int options:x32, struct rusage __user *ru)
prctl(int option, unsigned long arg2:x64, unsigned long arg3:x64, unsigned long arg4:x64,
    unsigned long arg5:x64)
ptrace(long request, long pid, unsigned long addr:x64, unsigned long data:x64)
setuid(uid_t uid)
setgid(gid_t gid)
setreuid(uid_t ruid, uid_t euid)
setresuid(uid_t ruid, uid_t euid, uid_t suid)
setsid()
setns(int fd, int flags:x32)
unshare(unsigned long unshare_flags:x64)
setpriority(int which, int who, int niceval)
sched_setaffinity(pid_t pid, unsigned int len, unsigned long __user *user_mask_ptr)
prlimit64(pid_t pid, unsigned int resource, const struct rlimit64 __user *new_rlim,
    struct rlimit64 __user *old_rlim)
mmap(unsigned long addr:x64, unsigned long len, unsigned long prot:x64, unsigned long flags:x64,
    unsigned long fd:s32, unsigned long off:x64)
munmap(unsigned long addr:x64, size_t len)
mprotect(unsigned long start:x64, size_t len, unsigned long prot:x64)
madvise(unsigned long start:x64, size_t len_in, int behavior)
brk(unsigned long brk:x64)
memfd_create(const char __user *uname, unsigned int flags:x32)
nanosleep(struct __kernel_timespec __user *rqtp, struct __kernel_timespec __user *rmtp)
clock_nanosleep(const clockid_t which_clock, int flags:x32, const struct __kernel_timespec __user *rqtp,
    struct __kernel_timespec __user *rmtp)
clock_settime(const clockid_t which_clock, const struct __kernel_timespec __user *tp)
futex(u32 __user *uaddr, int op, u32 val, const struct __kernel_timespec __user *utime, u32 __user *uaddr2,
    u32 val3)
bpf(int cmd, union bpf_attr __user *uattr, unsigned int size)
perf_event_open(struct perf_event_attr __user *attr_uptr, pid_t pid, int cpu, int group_fd,
    unsigned long flags:x64)
init_module(void __user *umod, unsigned long len, const char __user *uargs)
finit_module(int fd, const char __user *uargs, int flags:x32)
delete_module(const char __user *name_user, unsigned int flags:x32)
reboot(int magic1:x32, int magic2:x32, unsigned int cmd:x32, void __user *arg)
sethostname(char __user *name, int len)
getrandom(char __user *ubuf:x64, size_t len, unsigned int flags:x32)
process_vm_readv(pid_t pid, const struct iovec __user *lvec, unsigned long liovcnt,
    const struct iovec __user *rvec, unsigned long riovcnt, unsigned long flags:x64)
"""

NETWORK = """
socket(int family, int type:x32, int protocol)
socketpair(int family, int type:x32, int protocol, int __user *usockvec)
connect(int fd, struct sockaddr __user *uservaddr, int addrlen)
accept(int fd, struct sockaddr __user *upeer_sockaddr:x64, int __user *upeer_addrlen)
accept4(int fd, struct sockaddr __user *upeer_sockaddr:x64, int __user *upeer_addrlen, int flags:x32)
bind(int fd, struct sockaddr __user *umyaddr, int addrlen)
listen(int fd, int backlog)
shutdown(int fd, int how)
getsockname(int fd, struct sockaddr __user *usockaddr:x64, int __user *usockaddr_len)
getpeername(int fd, struct sockaddr __user *usockaddr:x64, int __user *usockaddr_len)
sendto(int fd, void __user *buff, size_t len, unsigned int flags:x32, struct sockaddr __user *addr,
    int addr_len)
recvfrom(int fd, void __user *ubuf, size_t size, unsigned int flags:x32, struct sockaddr __user *addr:x64,
    int __user *addr_len)
sendmsg(int fd, struct user_msghdr __user *msg, unsigned int flags:x32)
recvmsg(int fd, struct user_msghdr __user *msg, unsigned int flags:x32)
sendmmsg(int fd, struct mmsghdr __user *mmsg, unsigned int vlen, unsigned int flags:x32)
setsockopt(int fd, int level, int optname, char __user *optval:x64, int optlen)
getsockopt(int fd, int level, int optname, char __user *optval:x64, int __user *optlen)
poll(struct pollfd __user *ufds, unsigned int nfds, int timeout_msecs)
ppoll(struct pollfd __user *ufds, unsigned int nfds, struct __kernel_timespec __user *tsp,
    const sigset_t __user *sigmask, size_t sigsetsize)
select(int n, fd_set __user *inp, fd_set __user *outp, fd_set __user *exp,
    struct __kernel_old_timeval __user *tvp)
epoll_create1(int flags:x32)
epoll_ctl(int epfd, int op, int fd, struct epoll_event __user *event)
epoll_wait(int epfd, struct epoll_event __user *events, int maxevents, int timeout)
epoll_pwait(int epfd, struct epoll_event __user *events, int maxevents, int timeout,
    const sigset_t __user *sigmask, size_t sigsetsize)
eventfd2(unsigned int count, int flags:x32)
"""

# Ordinary functions that people start with; these prototypes are the same from 5.10 to 7.x.
PLAIN = """
do_sys_openat2(int dfd, const char __user *filename, struct open_how *how)
vfs_read(struct file *file, char __user *buf:x64, size_t count, loff_t *pos)
vfs_write(struct file *file, const char __user *buf:x64, size_t count, loff_t *pos)
ksys_read(unsigned int fd, char __user *buf:x64, size_t count)
ksys_write(unsigned int fd, const char __user *buf:x64, size_t count)
"""
