"""What a kernel's filter parser can do beyond the language that every kernel since 4.17 has.

``function``     ``FIELD.function == NAME`` (6.2 and later)
``cpus``         ``FIELD & CPUS{0-3}`` (6.6 and later)
``ustring``      ``FIELD.ustring`` (5.17 and later, and stable updates of 5.10 and 5.15)
``stacktrace``   the generic fields ``stacktrace`` and ``STACKTRACE`` (6.3 and later)
``common_cpu``   the generic field ``common_cpu``
"""

from __future__ import annotations

import re

ALL_FEATURES: frozenset[str] = frozenset(("function", "cpus", "ustring", "stacktrace", "common_cpu"))
"""What the newest kernel known here has; the default of every check."""

_SINCE = {
    "ustring": (5, 10),  # new in 5.17, and in the stable updates of 5.10 and 5.15 (seen in 5.10.223)
    "function": (6, 2),
    "cpus": (6, 6),
    "stacktrace": (6, 3),  # not in 6.1, in 6.12
}


def features_from_release(release: str) -> frozenset[str]:
    """The features of kernel ``release`` (``6.1.0-50-amd64``); a text without a version counts as the
    newest.
    """
    match = re.search(r"(\d+)\.(\d+)", release)
    if match is None:
        return ALL_FEATURES
    version = (int(match[1]), int(match[2]))
    return frozenset(name for name in ALL_FEATURES if version >= _SINCE.get(name, (0, 0)))


def features_from_btf_names(names: frozenset[str], release: str = "") -> frozenset[str]:
    """The features told by the kernel's own enumerators (``FILT_ERR_*``, as BTF lists them).

    ``names`` are the enumerator names found; without any ``FILT_ERR_`` among them ``release`` decides. An
    enumerator is surer than the version, because distributions backport: ``NO_FUNCTION`` came with
    ``.function``, ``INVALID_CPULIST`` with ``CPUS{}``.
    """
    known = features_from_release(release)
    if not any(name.startswith("FILT_ERR_") for name in names):
        return known
    told = {"function": "FILT_ERR_NO_FUNCTION" in names, "cpus": "FILT_ERR_INVALID_CPULIST" in names}
    return frozenset((known - told.keys()) | {name for name, there in told.items() if there})
