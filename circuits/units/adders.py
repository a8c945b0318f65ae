"""Integer linear forms of gates, where no neuron reads a sum: full adders, and comparisons bit by bit.

A weight is a sum of few powers of two and their negatives; a signal that counts negatively counts as its
complement and a constant. So there are columns of bits of one weight, which full adders bring down to a
digit each, from the lowest up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.libraries import GateLibrary

TOGETHER = 4
"""Bits that are compared with all numbers at once: several comparisons share what comes of these."""


def signed_digits(weight: int) -> Iterator[tuple[int, int]]:
    """Places and signs of the fewest powers of two that add up to a weight: the non-adjacent form."""
    place = 0
    while weight:
        if weight & 1:
            sign = 2 - weight % 4
            yield place, sign
            weight -= sign
        weight >>= 1
        place += 1


Column = list[tuple[int, int, int]]
"""Signals of one weight as a heap: when a signal is there, then which comes first, and the signal."""


def summed(gates: GateLibrary, constant: int, weights: Mapping[int, int], size: int) -> Bus:
    """A constant plus signals times weights, modulo 2^size."""
    columns: list[list[int]] = [[] for _ in range(size)]
    for signal, weight in weights.items():
        for place, sign in signed_digits(weight):
            if place < size:
                columns[place].append(signal if sign > 0 else gates.not_(signal))
                constant -= (sign < 0) << place
    digits, carried = [], Column()
    for place, signals in enumerate(columns):
        given = [*signals, ONE] if constant >> place & 1 else signals
        column = [*((0, order - len(given), signal) for order, signal in enumerate(given)), *carried]
        digit, carried = _added(gates, column)
        digits.append(digit)
    return tuple(digits)


def _added(gates: GateLibrary, column: Column) -> tuple[int, Column]:
    """The digit of a column, and what is carried: what is there first is added first."""
    heapify(column)
    carried: Column = []
    while len(column) > 1:
        (_, _, a), (second, _, b) = heappop(column), heappop(column)
        if column:
            last, _, c = heappop(column)
            total, carry = gates.full_adder(a, b, c)
        else:
            last = second
            total, carry = gates.half_adder(a, b)
        when = max(second + 2, last + 1)
        heappush(column, (when, len(carried), total))
        carried.append((when, len(carried), carry))
    return (column[0][2] if column else ZERO), carried


def at_least(gates: GateLibrary, bus: Bus, least: int) -> int:
    """[number on the bus >= least]: of some bits at a time, from the lowest up.

    [high, low >= h, l] is [high >= h + 1], or [high >= h] and [low >= l].
    """
    if least <= 0 or least >> len(bus):
        return ONE if least <= 0 else ZERO
    reached = ONE
    for first in range(0, len(bus), TOGETHER):
        some = bus[first : first + TOGETHER]
        number = least >> first & (1 << len(some)) - 1
        more, enough = (_few_at_least(gates, some, each) for each in (number + 1, number))
        reached = gates.or_(more, gates.and_(enough, reached))
    return reached


def _few_at_least(gates: GateLibrary, bus: Bus, least: int) -> int:
    """The same of few bits, one by one."""
    if least >> len(bus):
        return ZERO
    reached = ONE
    for place, signal in enumerate(bus):
        reached = (gates.and_ if least >> place & 1 else gates.or_)(signal, reached)
    return reached


def reached(
    gates: GateLibrary, constant: int, weights: Mapping[int, int], bounds: tuple[int, int], least: int
) -> int:
    """[constant plus signals times weights >= least].

    Args:
        bounds: within which the sum is; ``least`` is above the lower one, and not above the other.
    """
    if set(map(abs, weights.values())) == {1}:
        needed = least - constant + sum(weight < 0 for weight in weights.values())
        if needed in (1, len(weights)):
            literals = [s if weight > 0 else gates.not_(s) for s, weight in weights.items()]
            return gates.wide_or(literals) if needed == 1 else gates.wide_and(literals)
    low, high = bounds
    word = summed(gates, constant - low, weights, (high - low).bit_length())
    return at_least(gates, word, least - low)


def choice(gates: GateLibrary, select: int, one: int, zero: int) -> int:
    """``one`` where ``select`` is 1, else ``zero``: the complement of ``select`` is made once."""
    if one == ONE:
        return gates.or_(select, zero)
    if zero == ONE:
        return gates.or_(gates.not_(select), one)
    return gates.or_(gates.and_(select, one), gates.and_(gates.not_(select), zero))
