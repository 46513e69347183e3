"""The only room that touches tracefs, /proc, descriptors and threads.

A :class:`~kptui.kernel.session.Session` owns a private trace instance, its probes, and the journal by which
all of it is undone.
"""
