"""The parameters of every system call, as text that kptui.probes.syscalls reads."""
