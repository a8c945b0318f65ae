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

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import Form, bit, signal, xor
from spikeproof.circuits.units.functions.changes import Integers, Table, at_least
from spikeproof.circuits.units.libraries import HALF, GateLibrary

SCALES = tuple(2 ** (power / 2) for power in range(-4, 5))
"""How many neurons for changes there may be, beside what would do if all segments had them all."""

STEPS = (0.5, 0.2, 0.08)
"""By what part the number of neurons of one bit is changed, in search of fewer in all."""


# --- where to cut -------------------------------------------------------------------------------


class Cuts:
    """The search for how many neurons each bit gets: ``allowed``; segments are as long as these allow.

    All is in numbers of ``Table.places``, where alone segments begin.
    """

    def __init__(self, table: Table) -> None:
        self.bits = table.bits
        self.size = len(table.places)
        changed = np.diff(self.bits, axis=1) != 0
        self.changes = [np.append(np.flatnonzero(each) + 1, self.size) for each in changed]
        self.before = [np.append(0, np.cumsum(each)) for each in changed]
        self.allowed = [0] * table.width
        self.ends = np.full((table.width, self.size), self.size)
        self._search()

    @property
    def starts(self) -> list[int]:
        """Where segments begin, each as far from the one before as it can."""
        end = self.ends.min(axis=0)
        found = [0]
        while (place := end.item(found[-1])) < self.size:
            found.append(place)
        return found

    @property
    def cost(self) -> int:
        """Neurons of the first two levels."""
        return len(self.starts) - 1 + sum(self.allowed)

    def chosen(self, table: Table, starts: list[int], index: int) -> Integers:
        """For each segment and each change of a bit that it may have, where that is."""
        beyond = len(table.results)
        found = np.full((len(starts) + 1, self.allowed[index]), beyond)
        behind = False  # whether the first change of the segment before is at its place or behind it
        for segment, (start, end) in enumerate(pairwise([*starts, self.size])):
            within = self.changes[index][self.before[index][start] : self.before[index][end - 1]]
            first = int(self.bits[index][start])
            found[segment, first : first + len(within)] = table.places[within]
            if first:
                found[segment, 0] = found[segment - 1, 0] if behind else table.places[start]
            behind = first > 0 or len(within) > 0
        for segment in reversed(range(len(starts))):
            unused = found[segment] == beyond
            found[segment, unused] = found[segment + 1, unused]
        return found[:-1]

    def _allow(self, bit: int, count: int) -> None:
        # A bit that is 1 has used up a change; if none is left, it may stay 1 all the same.
        left = np.maximum(count - self.bits[bit], 0)
        last = len(self.changes[bit]) - 1
        self.ends[bit] = self.changes[bit][np.minimum(self.before[bit] + left, last)]
        self.allowed[bit] = count

    def _search(self) -> None:
        totals = np.array([len(each) - 1 for each in self.changes])
        usual = totals / max(1.0, float(totals.sum())) ** 0.5
        candidates = [np.ceil(usual * scale).astype(int).tolist() for scale in SCALES]
        best = min(candidates, key=self._cost_of)
        cost = self._cost_of(best)
        for step in STEPS:
            while (found := self._improved(cost, step)) < cost:
                cost = found

    def _cost_of(self, allowed: list[int]) -> int:
        for index, count in enumerate(allowed):
            self._allow(index, count)
        return self.cost

    def _improved(self, cost: int, step: float) -> int:
        """The cost after each bit was given more or fewer neurons, where that saves any."""
        for index in range(len(self.allowed)):
            for way in (-1, 1):
                count, kept = self.allowed[index], self.ends[index].copy()
                tried = count + way * max(1, round(count * step))
                if tried < 0:
                    continue
                self._allow(index, tried)
                if (found := self.cost) < cost:
                    cost = found
                else:
                    self.allowed[index], self.ends[index] = count, kept
        return cost


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
    come = [at_least(gates, x, int(table.places[start])) for start in starts[1:]]
    result = []
    for index, allowed in enumerate(cuts.allowed):
        if allowed == 0:
            values = table.bits[index][starts].astype(int).tolist()
            turns = zip(come, (new - old for old, new in pairwise(values)), strict=True)
            found = Form(values[0], {step: turn for step, turn in turns if turn}, 0, 1)
        else:
            chosen = cuts.chosen(table, starts, index).T.tolist()
            changes = [_come_to(gates, x, come, places) for places in chosen]
            found = sum((bit(each) * (-1) ** k for k, each in enumerate(changes)), Form())
        result.append(found.within(0, 1))
    return result


def _come_to(gates: GateLibrary, x: Bus, come: list[int], places: list[int]) -> int:
    """[x >= c], c being the place of the segment to which x has come."""
    steps = ((step, old - new) for step, (old, new) in zip(come, pairwise(places), strict=True))
    own = ((each, 1 << index) for index, each in enumerate(x))
    return gates.fires(places[0] - HALF, *own, *(step for step in steps if step[1]))
