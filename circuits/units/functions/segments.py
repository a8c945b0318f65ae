"""Least neurons, in depth 3: few segments of all inputs, in each of which every bit changes few times.

    1  for each segment but the first whether x has come to it
    2  for each bit and each k whether x has come to the k-th place in its segment where the bit changes;
       places that the segments choose: [x - c >= 0], c being a sum of weights of level 1
    3  each bit: it is 1 after its first change, 0 after its second, ...

A segment that begins with a bit of 1 has the first change of it behind it. Where no change is left in a
segment, c lies beyond it. So c never falls from one segment to the next, and its weights add up to no
more than there are inputs.

If bits change N times in all, S segments and N / S neurons for changes are about 2 sqrt(N) together:
what changes at random, as sines of large numbers do, costs little more than what is smooth. That so many
neurons do for any function is known: Siu, Roychowdhury and Kailath, "Depth-size tradeoffs for neural
computation", IEEE Transactions on Computers 40(12), 1991.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import Form, bit, signal, xor
from spikeproof.circuits.units.functions.changes import Integers, Table, at_least
from spikeproof.circuits.units.libraries import HALF, GateLibrary

Places = NDArray[np.int32]

SCALES = tuple(2 ** (power / 2) for power in range(-4, 5))
"""How many neurons for changes there may be, beside what would do if all segments had them all."""

STEPS = (0.5, 0.2, 0.08)
"""By what part the number of neurons of one bit is changed, in search of fewer in all."""


# --- where to cut -------------------------------------------------------------------------------


class Cuts:
    """The search for how many neurons each bit gets: ``allowed``; segments are as long as these allow.

    All is in numbers of ``Table.places``, where alone segments begin. ``ends`` says of each bit how far
    a segment goes that begins at each place, if this bit alone matters.
    """

    def __init__(self, table: Table) -> None:
        self.bits = table.bits.astype(np.int32)
        self.size = len(table.places)
        changed = np.diff(self.bits, axis=1) != 0
        self.changes = [
            np.append(np.flatnonzero(each) + 1, self.size).astype(np.int32) for each in changed
        ]
        self.before = np.zeros_like(self.bits)
        np.cumsum(changed, axis=1, out=self.before[:, 1:])
        self.allowed = [0] * table.width
        self.ends: list[Places] = []
        self._search()

    @property
    def starts(self) -> list[int]:
        """Where segments begin."""
        return _starts(reduce(np.minimum, self.ends))

    def chosen(self, table: Table, starts: list[int], index: int) -> Integers:
        """For each segment and each change of a bit that it may have, where that is."""
        beyond, segments = len(table.results), np.arange(len(starts))
        found = np.full((len(starts) + 1, self.allowed[index]), beyond)
        first, changes = self.bits[index][starts], self.changes[index][:-1]
        segment = np.searchsorted(starts, changes, side="right") - 1
        within = changes != np.take(starts, segment)
        changes, segment = changes[within], segment[within]
        has_any = np.isin(segments, segment)
        rank = np.arange(len(changes)) - np.searchsorted(segment, segment)
        found[segment, first[segment] + rank] = table.places[changes]
        # A first change that is behind a segment stays where it was in the one before, if that had it.
        behind = (first > 0) | has_any
        begins = (first > 0) & ~np.append(False, behind[:-1])
        found[:-1, 0][begins] = table.places[np.array(starts)[begins]]
        last = np.maximum.accumulate(np.where(begins | has_any & (first == 0), segments, 0))
        found[:-1, 0] = np.where(first > 0, found[last, 0], found[:-1, 0])
        # Changes that a segment does not have lie where they do in the next that has them.
        rows = np.where(found < beyond, np.arange(len(found))[:, None], len(starts))
        following = np.minimum.accumulate(rows[::-1])[::-1]
        return np.take_along_axis(found, following, axis=0)[:-1]

    def _ends_of(self, bit: int, count: int) -> Places:
        # A bit that is 1 has used up a change; if none is left, it may stay 1 all the same.
        left = np.maximum(count - self.bits[bit], 0)
        ends: Places = self.changes[bit].take(self.before[bit] + left, mode="clip")
        return ends

    def _search(self) -> None:
        totals = np.array([len(each) - 1 for each in self.changes])
        usual = totals / max(1.0, float(totals.sum())) ** 0.5
        candidates = [np.ceil(usual * scale).astype(int).tolist() for scale in SCALES]
        cost = min(self._cost_of(each) for each in candidates)
        self.allowed = next(each for each in candidates if self._cost_of(each) == cost)
        self.ends = self._all_ends(self.allowed)
        for step in STEPS:
            while (found := self._improved(cost, step)) < cost:
                cost = found

    def _all_ends(self, allowed: list[int]) -> list[Places]:
        return [self._ends_of(index, count) for index, count in enumerate(allowed)]

    def _cost_of(self, allowed: list[int]) -> int:
        """Neurons of the first two levels."""
        return _cost(reduce(np.minimum, self._all_ends(allowed)), sum(allowed))

    def _improved(self, cost: int, step: float) -> int:
        """The cost after each bit was given more or fewer neurons, where that saves any."""
        nowhere = np.full(self.size, self.size, np.int32)
        later = list(accumulate(reversed(self.ends), np.minimum, initial=nowhere))[-2::-1]
        earlier = nowhere
        for index in range(len(self.allowed)):
            others = np.minimum(earlier, later[index])
            for way in (-1, 1):
                count = self.allowed[index]
                tried = count + way * max(1, round(count * step))
                if tried < 0:
                    continue
                ends = self._ends_of(index, tried)
                found = _cost(np.minimum(others, ends), sum(self.allowed) - count + tried)
                if found < cost:
                    cost, self.allowed[index], self.ends[index] = found, tried, ends
            earlier = np.minimum(earlier, self.ends[index])
        return cost


def _starts(ends: Places) -> list[int]:
    """Where segments begin that are as long as their ends allow."""
    following, size, place = memoryview(ends.data), len(ends), 0
    found = []
    while place < size:
        found.append(place)
        place = following[place]
    return found


def _cost(ends: Places, allowed: int) -> int:
    """Neurons of the first two levels, of which so many are for changes."""
    return len(_starts(ends)) - 1 + allowed


# --- the circuit --------------------------------------------------------------------------------


def segments_unit(gates: GateLibrary, x: Bus, table: Table) -> Bus:
    """The result of a table.

    Where the results of the upper half are those of the lower but for their own top bit, that the other
    way for few ranges of inputs, as in functions that are odd or even, the lower half is made alone.
    """
    mirrored = _mirrored(table)
    if mirrored is None:
        return tuple(signal(gates, each) for each in _bits_of(gates, x, table))
    lower, turned = mirrored
    *places, top = _bits_of(gates, x[:-1], lower)
    turn = _alternating(gates, x, turned)
    return tuple(signal(gates, each) for each in (*places, xor(gates, top, turn)))


MOST_TURNS = 8
"""Ranges of inputs, ends of which take a neuron each."""


def _mirrored(table: Table) -> tuple[Table, NDArray[np.bool_]] | None:
    """The table of the lower half of the inputs, and for every input whether the top bit is turned."""
    lower, upper = table.results.reshape(2, -1)
    turned = lower != upper
    top = 1 << table.width - 1
    if np.any(turned & (lower ^ upper != top)) or np.count_nonzero(np.diff(turned)) > MOST_TURNS:
        return None
    return Table(lower, table.width), np.concatenate((np.zeros_like(turned), turned))


def _alternating(gates: GateLibrary, x: Bus, truths: NDArray[np.bool_]) -> Form:
    """Whether x is one of few ranges: a bit; a neuron for each of their ends."""
    places = np.flatnonzero(np.diff(truths)) + 1
    steps = [bit(at_least(gates, x, int(place))) for place in places]
    found = sum((step * (-1) ** index for index, step in enumerate(steps)), Form())
    return found.within(0, 1)


def _bits_of(gates: GateLibrary, x: Bus, table: Table) -> list[Form]:
    cuts = Cuts(table)
    starts = cuts.starts
    come = np.array([at_least(gates, x, int(table.places[start])) for start in starts[1:]], int)
    result = []
    for index, allowed in enumerate(cuts.allowed):
        if allowed == 0:
            values = table.bits[index][starts]
            found = Form(int(values[0]), dict(_steps(come, values)), 0, 1)
        else:
            chosen = cuts.chosen(table, starts, index).T
            changes = [_come_to(gates, x, come, places) for places in chosen]
            found = sum((bit(each) * (-1) ** k for k, each in enumerate(changes)), Form())
        result.append(found.within(0, 1))
    return result


def _steps(come: Integers, values: Integers) -> Iterator[tuple[int, int]]:
    """How values change from one segment to the next: by which neuron, and by how much."""
    turns = np.diff(values)
    changed = np.flatnonzero(turns)
    return zip(come[changed].tolist(), turns[changed].tolist(), strict=True)


def _come_to(gates: GateLibrary, x: Bus, come: Integers, places: Integers) -> int:
    """[x >= c], c being the place of the segment to which x has come."""
    weights = dict(_steps(come, -places))
    for index, each in enumerate(x):
        weights[each] = weights.get(each, 0) + (1 << index)
    return gates.fires(int(places[0]) - HALF, *weights.items())
