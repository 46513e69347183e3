"""The names of a table in the order in which a search tries them, with sieves that skip most of them.

Names are lower-cased, told apart (each once) and put into three pools: functions, data, noise. In a pool they
go by length, so that the first to match are the closest and a misspelling is looked for among its like.
They are cut into chunks; for a chunk and a letter one big integer has a bit for each name that contains the
letter. The sieves are made when a query first needs them. No step here works on more than a chunk, or on
more than the names of one length, at a time: it may run beside a screen.
"""

from __future__ import annotations

import marshal
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from operator import contains

from kptui.symbols import names as naming
from kptui.symbols import renames
from kptui.symbols.table import SymbolTable

CHUNK = 2048
TEXT, DATA, NOISE = range(3)  # the pools
AGAIN = 3
_FEW = 300  # names: below that, trying each is cheaper than making another sieve
_BITS = bytes.maketrans(b"01", b"\0\1")
_DIGITS = bytes.maketrans(b"\0\1", b"01")
_KIND_OF_TYPE = bytes(TEXT if code in naming.TEXT_CODES else DATA for code in range(256))


class Allowance:
    """How many sieves one keystroke may still make: they only save time, so a search can do without."""

    def __init__(self, sieves: int) -> None:
        self.sieves = sieves

    def take(self) -> bool:
        self.sieves -= 1
        return self.sieves >= 0


class Pool:
    """One kind of names. ``lower[k]`` is the k-th name in lower case, ``first[k]`` its first line in the
    table.
    """

    def __init__(self, lower: Sequence[str], first: array[int], types: bytes, modules: bytes) -> None:
        self.lower = lower
        self.first = first
        self.types = types  # of the first lines: the letters, and the numbers of the modules, two bytes each
        self.modules = modules
        self.chunks = (len(lower) + CHUNK - 1) // CHUNK
        self._sieves: list[dict[str, int]] = [{} for _ in range(self.chunks)]
        self._edges: dict[tuple[int, int], bytes] = {}  # of a chunk's names the letter at that place, 0 or -1

    def candidates(
        self, chunk: int, letters: Sequence[str], allowance: Allowance, mask: int = -1, *, dense: bool = False
    ) -> Sequence[int]:
        """Numbers of the names in ``chunk`` that may contain all ``letters`` (all that do, and perhaps
        more), of those that have a bit in ``mask``. ``dense``: all of the chunk where only a few have not.
        """
        if not mask:
            return ()
        start = chunk * CHUNK
        size = min(CHUNK, len(self.lower) - start)
        sieves = self._sieves[chunk]
        missing: list[str] = []
        for letter in letters:
            sieve = sieves.get(letter)
            if sieve is None:
                missing.append(letter)
            else:
                mask &= sieve
        for letter in missing:
            if (mask != -1 and mask.bit_count() < _FEW) or not allowance.take():
                break
            mask &= self._sieve(chunk, letter)
        if mask == -1 or (dense and 2 * mask.bit_count() > size):
            return range(start, start + size)
        return numbers_of(mask, start)

    def near(
        self, chunk: int, letters: Sequence[str], missing: int, allowance: Allowance, mask: int = -1
    ) -> Sequence[int]:
        """Numbers of the names in ``chunk`` that lack at most ``missing`` of ``letters`` (and perhaps more
        names), of those that have a bit in ``mask``.
        """
        start = chunk * CHUNK
        size = min(CHUNK, len(self.lower) - start)
        every = ((1 << size) - 1) & mask
        lacking = [every] + [
            0
        ] * missing  # lacking[n]: names that lack exactly n or fewer of the letters so far
        for n in range(1, missing + 1):
            lacking[n] = every
        for letter in letters:
            sieve = self._sieves[chunk].get(letter)
            if sieve is None:
                if not allowance.take():
                    continue
                sieve = self._sieve(chunk, letter)
            for n in range(missing, 0, -1):
                lacking[n] = (lacking[n] & sieve) | lacking[n - 1]
            lacking[0] &= sieve
        return numbers_of(lacking[missing], start)

    def edge(self, chunk: int, place: int, letter: str) -> int:
        """A bit for each name of ``chunk`` that begins (``place`` 0) or ends (-1) with ``letter``; perhaps for more."""
        code = letter.encode("latin-1", "replace")
        return bits_of(self._edge(chunk, place).translate(bytes(byte == code[0] for byte in range(256))))

    def _edge(self, chunk: int, place: int) -> bytes:
        letters = self._edges.get((chunk, place))
        if letters is None:
            names = self.lower[chunk * CHUNK : (chunk + 1) * CHUNK]
            letters = "".join([name[place] for name in names]).encode("latin-1", "replace")
            self._edges[chunk, place] = letters
        return letters

    def of_length(self, shortest: int, longest: int) -> range:
        """Numbers of the names from ``shortest`` to ``longest`` letters."""
        return range(
            bisect_left(self.lower, shortest, key=len),
            bisect_right(self.lower, longest, key=len),
        )

    def find(self, name: str) -> int | None:
        """The number of ``name`` (lower case), or None. Several names may differ in case only: the first."""
        same = self.of_length(len(name), len(name))
        try:
            return self.lower.index(name, same.start, same.stop)
        except ValueError:
            return None

    def warm(self, letters: str) -> Iterator[None]:
        """Make every sieve for ``letters``, and what is known of first and last ones, one at a step."""
        for chunk in range(self.chunks):
            for place in (0, -1):
                self._edge(chunk, place)
                yield
        for letter in letters:
            for chunk in range(self.chunks):
                if letter not in self._sieves[chunk]:
                    self._sieve(chunk, letter)
                    yield

    def pack_sieves(self) -> list[list[tuple[str, bytes]]]:
        return [
            [(letter, sieve.to_bytes(CHUNK // 8, "little")) for letter, sieve in sieves.items()]
            for sieves in self._sieves
        ]

    def take_sieves(self, packed: Sequence[Sequence[tuple[str, bytes]]]) -> None:
        for sieves, more in zip(self._sieves, packed, strict=True):
            for letter, sieve in more:
                sieves[letter] = int.from_bytes(sieve, "little")

    def _sieve(self, chunk: int, letter: str) -> int:
        names = self.lower[chunk * CHUNK : (chunk + 1) * CHUNK]
        has = bytes(map(contains, names, repeat(letter)))
        sieve = bits_of(has)
        self._sieves[chunk][letter] = sieve
        return sieve


def bits_of(flags: bytes) -> int:
    """A bit a byte of 0 or 1, the first one the lowest."""
    return int(flags.translate(_DIGITS)[::-1] or b"0", 2)


def numbers_of(mask: int, start: int) -> list[int]:
    """The places of the set bits, from ``start`` up."""
    count = mask.bit_count()
    if count < 64:
        found = []
        while mask:
            low = mask & -mask
            found.append(start + low.bit_length() - 1)
            mask ^= low
        return found
    bits = bin(mask)[:1:-1].encode().translate(_BITS)
    return list(compress(range(start, start + len(bits)), bits))


class NameIndex:
    """The pools of a table, and where names are that occur more than once: in a pool, and in all together. ``types``
    has a letter a line, ``rows`` its pool, or AGAIN where a line before has the same name in the same pool.
    """

    def __init__(self, table: SymbolTable) -> None:
        lower: tuple[list[str], ...] = ([], [], [])
        first = (array("I"), array("I"), array("I"))
        self._copies: dict[str, int] = {}
        self._others: tuple[dict[int, list[int]], ...] = ({}, {}, {})
        self.types = real_types(table)
        names, types, text = table.names, self.types, naming.TEXT_CODES
        for same_length in table.by_length():
            seen: tuple[dict[str, int], ...] = ({}, {}, {})
            again: list[tuple[int, int, int]] = []
            for i in same_length:
                name = names[i]
                kind = NOISE if name.startswith(naming.NOISE_PREFIXES) else TEXT if types[i] in text else DATA
                known = seen[kind].setdefault(name, i)
                if known != i:
                    self._copies[name] = self._copies.get(name, 1) + 1
                    again.append((kind, known, i))
            for name in seen[TEXT].keys() & seen[DATA].keys():
                self._copies[name] = self._copies.get(name, 1) + 1
            before = [len(numbers) for numbers in first]
            for kind, numbers in enumerate(seen):
                lower[kind].extend([fold(name) for name in numbers])
                first[kind].extend(numbers.values())
            for kind, known, i in again:  # the lines of one length are in order
                self._others[kind].setdefault(bisect_left(first[kind], known, before[kind]), []).append(i)
        self.pools = tuple(
            _pool(low, numbers, table, self.types) for low, numbers in zip(lower, first, strict=True)
        )
        self.rows = self._find_rows()
        self._named = dict(_that_are_aliases(self.pools[TEXT], table))

    def pack(self, table: SymbolTable) -> bytes:
        """All but the sieves for :meth:`unpack`, with what ``table`` (ours) knows of lengths."""
        pools = []
        for pool in self.pools:
            names = list(map(table.names.__getitem__, pool.first))
            folded = [(k, low) for k, low in enumerate(pool.lower) if low is not names[k]]
            pools.append((pool.first.tobytes(), folded, pool.types, pool.modules))
        lengths = [lines.tobytes() for lines in table.by_length()]
        return marshal.dumps((pools, self._copies, self._others, self._named, self.types, lengths))

    @classmethod
    def unpack(cls, data: bytes, table: SymbolTable) -> NameIndex:
        """The index that was packed into ``data``, of a table equal to ``table``, which learns the lengths, too."""
        packed, copies, others, named, real, lengths = marshal.loads(data)
        pools: list[Pool] = []
        for numbers, folded, types, modules in packed:
            first = array("I", numbers)
            lower = list(map(table.names.__getitem__, first))
            for k, low in folded:
                lower[k] = low
            pools.append(Pool(lower, first, types, modules))
        table.set_by_length([array("I", lines) for lines in lengths])
        index = cls.__new__(cls)
        index._copies = copies
        index._others = others
        index.types = real
        index._named = named
        index.pools = tuple(pools)
        index.rows = index._find_rows()
        return index

    def _find_rows(self) -> bytes:
        rows = bytearray(self.types.translate(_KIND_OF_TYPE))
        for line in self.pools[NOISE].first:
            rows[line] = NOISE
        for others in self._others:
            for again in others.values():
                for line in again:
                    rows[line] = AGAIN
        return bytes(rows)

    def pack_sieves(self) -> bytes:
        """The sieves that were made, for :meth:`take_sieves`."""
        return marshal.dumps([pool.pack_sieves() for pool in self.pools])

    def take_sieves(self, data: bytes) -> None:
        """Take over the sieves of an equal index. Safe on another thread while this one searches."""
        for pool, sieves in zip(self.pools, marshal.loads(data), strict=True):
            pool.take_sieves(sieves)

    def copies(self, name: str) -> int:
        """How many lines of the table have this name."""
        return self._copies.get(name, 1)

    def named(self, name: str) -> int | None:
        """The number, among the functions, of one that people call by other names; None for every other."""
        return self._named.get(name)

    def lines(self, kind: int, number: int) -> list[int]:
        """The table's lines of a name of a pool, in order."""
        return [self.pools[kind].first[number], *self._others[kind].get(number, ())]

    def repeated(self, kind: int) -> Iterator[tuple[int, int]]:
        """(number, line) of a pool's names for each line but the first."""
        for number, lines in self._others[kind].items():
            for line in lines:
                yield number, line

    def in_pools(self, flags: bytes) -> tuple[bytes, ...]:
        """Of a byte a line: that of each name's first line, pool by pool. In short steps."""
        return tuple(
            b"".join(
                bytes(map(flags.__getitem__, pool.first[start : start + CHUNK]))
                for start in range(0, len(pool.first), CHUNK)
            )
            for pool in self.pools
        )


def _that_are_aliases(pool: Pool, table: SymbolTable) -> Iterator[tuple[str, int]]:
    """Names that an alias may lead to, and their numbers."""
    for number, low in enumerate(pool.lower):
        if low.startswith(naming.SYSCALL_PREFIXES) or low.endswith(renames.PROFILED) or low in renames.KNOWN:
            yield table.names[pool.first[number]], number


def real_types(table: SymbolTable) -> bytes:
    """The letter of each line; ``d`` or ``D`` for data that kallsyms calls ``t`` or ``T``, as it does since 6.18."""
    types = bytearray(table.types, "ascii")
    bounds = table.code_bounds()
    if bounds:
        (start, end), (first, last) = bounds
        for line, letter in enumerate(types):
            if letter in naming.TEXT_CODES and not table.module_number(line):
                address = table.address(line)
                if address and not (start <= address < end or first <= address < last):
                    types[line] = _AS_DATA[letter]
    return bytes(types)


_AS_DATA = {ord(letter): ord("d" if letter.islower() else "D") for letter in naming.TEXT_TYPES}


def _pool(lower: list[str], first: array[int], table: SymbolTable, real: bytes) -> Pool:
    types = bytes(map(real.__getitem__, first))
    return Pool(lower, first, types, table.module_bytes(first))


def fold(name: str) -> str:
    """Lower case where that keeps the length; the same object when nothing changes."""
    if not name.isascii():
        return name
    lower = name.lower()
    return name if lower == name else lower
