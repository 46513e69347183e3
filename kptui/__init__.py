"""kptui: a full-screen terminal UI for Linux kprobe tracing.

The rooms, from the top: ``cli`` wires everything; ``ui`` is the screen; ``kernel`` touches tracefs and
``/proc``, ``host`` the clipboard and our own files; ``export``, ``filters``, ``symbols``, ``probes`` and
``events`` are pure and know neither.
"""

__version__ = "0.1.0"
