"""Multipliers of unsigned integers in the textbooks' structures, of plain gates alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist, NetlistBuilder

Columns = list[list[int]]
"""Bits by the place that they count."""


class Gates(ABC):
    """A set of gates; what it hasn't is made of what it has."""

    def __init__(self, builder: NetlistBuilder) -> None:
        self.builder = builder

    def fires(self, threshold: int, *synapses: tuple[int, int]) -> int:
        return self.builder.neuron(synapses, threshold)

    def not_(self, a: int) -> int:
        return self.fires(0, (a, -1))

    def and_(self, a: int, b: int) -> int:
        return self.fires(2, (a, 1), (b, 1))

    def or_(self, a: int, b: int) -> int:
        return self.fires(1, (a, 1), (b, 1))

    @abstractmethod
    def xor(self, a: int, b: int) -> int: ...

    def mux(self, select: int, a: int, b: int) -> int:
        return self.or_(self.and_(select, a), self.and_(self.not_(select), b))

    def half_adder(self, a: int, b: int) -> tuple[int, int]:
        return self.xor(a, b), self.and_(a, b)

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        half = self.xor(a, b)
        return self.xor(half, c), self.or_(self.and_(a, b), self.and_(half, c))


class XorAnd(Gates):
    """Full adders of two half adders; an exclusive or is OR without AND."""

    def xor(self, a: int, b: int) -> int:
        return self.and_(self.or_(a, b), self.not_(self.and_(a, b)))


class Majority(Gates):
    """Threshold neurons: the carry is a majority, the sum reads it."""

    def xor(self, a: int, b: int) -> int:
        return self.fires(1, (a, 1), (b, 1), (self.and_(a, b), -2))

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        carry = self.fires(2, (a, 1), (b, 1), (c, 1))
        return self.fires(1, (a, 1), (b, 1), (c, 1), (carry, -2)), carry


class Nand(Gates):
    """One gate."""

    def nand(self, a: int, b: int) -> int:
        return self.fires(-1, (a, -1), (b, -1))

    def not_(self, a: int) -> int:
        return self.nand(a, a)

    def and_(self, a: int, b: int) -> int:
        return self.not_(self.nand(a, b))

    def or_(self, a: int, b: int) -> int:
        return self.nand(self.not_(a), self.not_(b))

    def xor(self, a: int, b: int) -> int:
        both = self.nand(a, b)
        return self.nand(self.nand(a, both), self.nand(b, both))

    def mux(self, select: int, a: int, b: int) -> int:
        return self.nand(self.nand(select, a), self.nand(self.not_(select), b))

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        half = self.xor(a, b)
        return self.xor(half, c), self.nand(self.nand(a, b), self.nand(half, c))


# --- partial products -----------------------------------------------------------------------------


def simple(gates: Gates, x: Bus, y: Bus) -> Columns:
    columns: Columns = [[] for _ in (*x, *y)]
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            columns[i + j].append(gates.and_(a, b))
    return columns


def booth(gates: Gates, x: Bus, y: Bus) -> Columns:
    """Digits -2 to 2 of x; rows inverted where negative, with what that lacks, and signs folded."""
    width = len(x) + len(y)
    columns: Columns = [[] for _ in range(width)]
    constant = 0
    padded = (ZERO, *x, ZERO, ZERO)
    for low in range(0, len(x) + 1, 2):
        before, bit, after = padded[low : low + 3]
        one = gates.xor(before, bit)
        two = gates.and_(gates.xor(bit, after), gates.not_(one))
        extended = (ZERO, *y, ZERO)
        for place in range(len(y) + 1):
            size = gates.or_(gates.and_(one, extended[place + 1]), gates.and_(two, extended[place]))
            _put(columns, low + place, gates.xor(after, size))
        _put(columns, low, after)
        _put(columns, low + len(y) + 1, gates.not_(after))
        constant -= 1 << (low + len(y) + 1)
    for place in range(width):
        if constant >> place & 1:
            columns[place].append(ONE)
    return columns


def _put(columns: Columns, place: int, bit: int) -> None:
    if place < len(columns) and bit != ZERO:
        columns[place].append(bit)


# --- reduction to two rows ------------------------------------------------------------------------


def _reduce(gates: Gates, columns: Columns, limit: Callable[[int], int]) -> Columns:
    """Full and half adders until no column is higher than the limit for its height, as Dadda does."""
    kept: Columns = [[] for _ in columns]
    carried: Columns = [[] for _ in (*columns, 0)]
    highest = limit(max(map(len, columns)))
    for place, column in enumerate(columns):
        bits = list(column)
        while len(bits) + len(carried[place]) > highest and len(bits) > 1:
            three = len(bits) + len(carried[place]) > highest + 1 and len(bits) > 2
            taken, bits = bits[: 2 + three], bits[2 + three :]
            total, carry = gates.full_adder(*taken) if three else gates.half_adder(*taken)
            bits.append(total)
            _put(carried, place + 1, carry)
        kept[place] = bits + carried[place]
    return kept


def dadda(gates: Gates, columns: Columns) -> Columns:
    def below(height: int) -> int:
        limit = 2
        while limit * 3 // 2 < height:
            limit = limit * 3 // 2
        return limit

    while max(map(len, columns)) > 2:
        columns = _reduce(gates, columns, below)
    return columns


def wallace(gates: Gates, columns: Columns) -> Columns:
    while max(map(len, columns)) > 2:
        after: Columns = [[] for _ in (*columns, 0)]
        for place, column in enumerate(columns):
            for start in range(0, len(column), 3):
                group = column[start : start + 3]
                if len(group) == 1:
                    after[place] += group
                    continue
                adder = gates.full_adder if len(group) == 3 else gates.half_adder
                total, carry = adder(*group)
                _put(after, place, total)
                _put(after, place + 1, carry)
        columns = after[:-1]
    return columns


def array(gates: Gates, columns: Columns) -> Columns:
    """Row after row: a bit more of each column at a time."""
    rows: Columns = [column[:2] for column in columns]
    for level in range(2, max(map(len, columns))):
        joined = [row + column[level : level + 1] for row, column in zip(rows, columns, strict=True)]
        rows = dadda(gates, joined)
    return rows


def compressors(gates: Gates, columns: Columns) -> Columns:
    """Four bits and a carry to two bits and a carry, of exclusive ors and choices."""
    while max(map(len, columns)) > 3:
        after: Columns = [[] for _ in (*columns, 0)]
        arriving: list[int] = []
        for place, column in enumerate(columns):
            leaving: list[int] = []
            for start in range(0, len(column), 4):
                group = column[start : start + 4]
                if len(group) < 4:
                    after[place] += group
                    continue
                a, b, c, d = group
                given = arriving.pop() if arriving else ZERO
                low, high = gates.xor(a, b), gates.xor(c, d)
                both = gates.xor(low, high)
                _put(after, place, gates.xor(both, given))
                leaving.append(gates.mux(low, c, a))
                _put(after, place + 1, gates.mux(both, given, d))
            after[place] += arriving
            arriving = leaving
        columns = after[:-1]
    return dadda(gates, columns)


# --- last adders ----------------------------------------------------------------------------------


def ripple(gates: Gates, x: Bus, y: Bus, carry: int = ZERO) -> Bus:
    total = []
    for a, b in zip(x, y, strict=True):
        digit, carry = gates.full_adder(a, b, carry)
        total.append(digit)
    return (*total, carry)


def select(gates: Gates, x: Bus, y: Bus) -> Bus:
    """Blocks of four, for both carries."""
    total: list[int] = []
    carry = ZERO
    for low in range(0, len(x), 4):
        a, b = x[low : low + 4], y[low : low + 4]
        without, with_ = ripple(gates, a, b), ripple(gates, a, b, ONE)
        *digits, carry = (gates.mux(carry, p, q) for p, q in zip(with_, without, strict=True))
        total += digits
    return (*total, carry)


Spans = list[tuple[int, int]]
"""Generate and propagate of each place, with those below."""


def _prefix(scheme: Callable[[int, Callable[[int, int], None]], None]):
    def adder(gates: Gates, x: Bus, y: Bus) -> Bus:
        half = [gates.xor(a, b) for a, b in zip(x, y, strict=True)]
        spans = [(gates.and_(a, b), p) for a, b, p in zip(x, y, half, strict=True)]

        def join(high: int, low: int) -> None:
            (g, p), (g_low, p_low) = spans[high], spans[low]
            spans[high] = gates.or_(g, gates.and_(p, g_low)), gates.and_(p, p_low)

        scheme(len(x), join)
        carries = [ZERO, *(generate for generate, _ in spans)]
        return (*(gates.xor(p, c) for p, c in zip(half, carries, strict=False)), carries[-1])

    return adder


def _kogge_stone(width: int, join: Callable[[int, int], None]) -> None:
    reach = 1
    while reach < width:
        for place in reversed(range(reach, width)):
            join(place, place - reach)
        reach *= 2


def _brent_kung(width: int, join: Callable[[int, int], None]) -> None:
    reach = 1
    while reach < width:
        for place in range(2 * reach - 1, width, 2 * reach):
            join(place, place - reach)
        reach *= 2
    while reach > 1:
        reach //= 2
        for place in range(3 * reach - 1, width, 2 * reach):
            join(place, place - reach)


def _sklansky(width: int, join: Callable[[int, int], None]) -> None:
    reach = 1
    while reach < width:
        for place in range(width):
            if place & reach:
                join(place, (place & -reach) - 1)
        reach *= 2


PARTIAL_PRODUCTS = {"simple": simple, "booth": booth}
TREES = {"array": array, "wallace": wallace, "dadda": dadda, "compressors": compressors}
ADDERS = {
    "ripple": ripple,
    "select": select,
    "kogge_stone": _prefix(_kogge_stone),
    "brent_kung": _prefix(_brent_kung),
    "sklansky": _prefix(_sklansky),
}
GATES = {"xor_and": XorAnd, "majority": Majority, "nand": Nand}


def multiplier(
    width: int,
    rows: str = "simple",
    tree: str = "wallace",
    adder: str = "ripple",
    gates: str = "xor_and",
) -> Netlist:
    """x times y: both of this width, the product of twice as many bits."""
    builder = NetlistBuilder()
    x, y = builder.input("x", width), builder.input("y", width)
    made = GATES[gates](builder)
    columns = TREES[tree](made, PARTIAL_PRODUCTS[rows](made, x, y))
    first, second = (tuple(column[k] if k < len(column) else ZERO for column in columns) for k in (0, 1))
    total = ADDERS[adder](made, first, second)[: 2 * width]
    return builder.build({"product": total})
