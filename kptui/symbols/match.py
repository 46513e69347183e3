"""The C calls of the search. Apart from the rest because loading rapidfuzz costs 20 ms that the first list
needn't pay.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, repeat
from operator import contains, itemgetter

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, LCSseq

_index = itemgetter(2)
_WITHIN = 75.0  # "raed" in "vfs_read"


def subsequence(query: str, names: Sequence[str]) -> list[int]:
    """Indices of the ``names`` that have all letters of ``query`` in order, in order. At most some 8,000
    names a call: it holds the interpreter's lock.
    """
    if len(query) == 1:
        return list(compress(range(len(names)), map(contains, names, repeat(query))))
    found = process.extract(query, names, scorer=LCSseq.similarity, score_cutoff=len(query), limit=None)
    return list(map(_index, found))


def similar(query: str, names: Sequence[str], ratio: float) -> list[tuple[float, int]]:
    """(similarity 0..100, index) of the ``names`` that are at least ``ratio`` alike; the same limit."""
    found = process.extract(query, names, scorer=fuzz.ratio, score_cutoff=ratio, limit=None)
    return [(score, index) for _, score, index in found]


def edits(query: str, name: str) -> int:
    """The letters left out, put in, exchanged or swapped between the two."""
    return OSA.distance(query, name)


def common_positions(query: str, name: str) -> tuple[int, ...]:
    """Indices in ``name`` of the letters that it has in common with ``query``, in order."""
    return tuple(
        i
        for op in LCSseq.opcodes(query, name)
        if op.tag == "equal"
        for i in range(op.dest_start, op.dest_end)
    )


def within(word: str, name: str) -> bool:
    """Whether ``word`` is in ``name``, in order or misspelt by a letter or two in one place."""
    return (
        LCSseq.similarity(word, name) == len(word) or fuzz.partial_ratio(word, name, score_cutoff=_WITHIN) > 0
    )
