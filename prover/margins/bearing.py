"""What every neuron of a circuit bears whatever its inputs, found from the sums that it can have.

Within these limits no neuron does anything but what it does without perturbation, and nor does the
circuit. They are exact of neurons, but of those that have too many sums, which bear no less; a circuit
may bear more, where some sums never occur in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.prover.margins.limits import CEILING, Limit

MOST_SUMS = 1 << 14
"""A neuron is looked at sum by sum if it cannot have more."""


@dataclass(frozen=True)
class Bearing:
    """The limits of each neuron, or of all.

    Attributes:
        below, above: noise on the drive, in units of the weights: down to ``-below``, less than
            ``above``. ``CEILING`` where it never fires, or always.
        spread: relative errors of weights, each synapse with its own.
    """

    below: Fraction
    above: Fraction
    spread: Limit

    @property
    def noise(self) -> Interval:
        """The noise: a neuron fires at its threshold, so that the lower end alone is in it."""
        return Interval(-self.below, self.above, high_open=True)


def bearing(netlist: Netlist) -> Bearing:
    """What every neuron of a circuit bears: the least of each."""
    kinds = {_kind(neuron): neuron for neuron in netlist.neurons}
    found = [neuron_bearing(neuron) for neuron in kinds.values()]
    return Bearing(
        min((each.below for each in found), default=CEILING),
        min((each.above for each in found), default=CEILING),
        min((each.spread for each in found), key=_order, default=Limit(CEILING, attained=False)),
    )


def neuron_bearing(neuron: Neuron) -> Bearing:
    """What a neuron bears. Takes time in proportion to the number of different sums of its weights."""
    scale = lcm(*(n.denominator for n in (neuron.threshold, neuron.bias, *_weights(neuron))))
    below, above, spread = CEILING, CEILING, Limit(CEILING, attained=False)
    for excess, total in _decisive(neuron):
        distance = Fraction(abs(excess), scale)
        fires = excess >= 0
        below, above = (min(below, distance), above) if fires else (below, min(above, distance))
        if total:
            spread = min(spread, Limit(Fraction(abs(excess), total), attained=fires), key=_order)
    return Bearing(below, above, spread)


def _decisive(neuron: Neuron) -> Iterator[tuple[int, int]]:
    """By how much sums exceed the threshold, and the weights in them; those that limits depend on.

    For the same inhibition the share that an excess is of the weights rises with excitation, or falls,
    on either side of the threshold: the ends of each side decide.
    """
    threshold, bias, weights = neuron.in_integers
    unit, total = gcd(*weights), sum(map(abs, weights))
    if total > MOST_SUMS * unit:
        # Of whatever sum: it is nowhere nearer, and has no more weights.
        excess = (bias - threshold) % unit
        yield from ((excess, total), (excess - unit, total))
        return
    excitations = _sums(weight for weight in weights if weight > 0)
    for inhibition in _sums(-weight for weight in weights if weight < 0):
        needed = threshold - bias + inhibition
        first = bisect_left(excitations, needed)
        ends = {0, first - 1, first, len(excitations) - 1} & set(range(len(excitations)))
        yield from ((excitations[end] - needed, excitations[end] + inhibition) for end in ends)


def _sums(weights: Iterable[int]) -> list[int]:
    """The sums of some of these, in order."""
    sums = {0}
    for weight in weights:
        sums |= {each + weight for each in sums}
    return sorted(sums)


def _weights(neuron: Neuron) -> list[Fraction]:
    return [Fraction(weight) for _, weight in neuron.synapses]


def _kind(neuron: Neuron) -> tuple[object, ...]:
    """What is equal of neurons that bear the same."""
    return neuron.threshold - neuron.bias, *sorted(_weights(neuron))


def _order(limit: Limit) -> tuple[Fraction, bool]:
    return limit.value, limit.attained
