"""What every neuron of a circuit bears whatever its inputs, found from the sums that it can have.

Within these limits no neuron does anything but what it does without perturbation, and nor does the
circuit. They are exact of neurons; a circuit may bear more, where some sums never occur in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from heapq import heappop, heappush
from itertools import islice, product

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.sums import Sums
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.prover.margins.limits import CEILING, Limit

MOST_SUMS = 1000
"""Of a circuit's neurons so many sums are looked at; if these don't tell, limits are less than exact."""


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
    return _bearing({_kind(Sums.of(neuron)) for neuron in netlist.neurons})


def neuron_bearing(neuron: Neuron) -> Bearing:
    """What a neuron bears."""
    return _bearing({Sums.of(neuron)})


def _kind(sums: Sums) -> Sums:
    """What is equal of neurons that bear the same."""
    return replace(sums, weights=tuple(sorted(sums.weights)))


def _bearing(kinds: Iterable[Sums]) -> Bearing:
    below, above = (_least(kinds, (fires,), _distance).value for fires in (True, False))
    return Bearing(below, above, _least(kinds, (True, False), _share))


Measure = Callable[[Sums, int, int], Fraction]
"""From by how much a sum exceeds what is needed, and the weights in it, what would bring it across."""


def _distance(sums: Sums, excess: int, size: int) -> Fraction:
    return Fraction(abs(excess), sums.scale)


def _share(sums: Sums, excess: int, size: int) -> Fraction:
    return Fraction(abs(excess), size) if size else CEILING


@dataclass(frozen=True, order=True)
class _Candidate:
    """Sums of one excess: what would bring them across at least, and whether a neuron fires at them."""

    bound: Fraction
    fires: bool
    number: int
    excess: int
    sums: Sums = field(compare=False)
    further: Iterator[int] = field(compare=False)


def _least(kinds: Iterable[Sums], sides: tuple[bool, ...], measure: Measure) -> Limit:
    """The least measure of any sum; it is attained if the neuron fires at that sum.

    No sum is nearer to what is needed than a multiple of what its weights have in common, or has more
    than all weights: where that is least, it is looked which sum there is.
    """
    best = CEILING, False
    candidates: list[_Candidate] = []

    def add(number: int, sums: Sums, fires: bool, further: Iterator[int]) -> None:
        for excess in islice(further, 1):
            bound = measure(sums, excess, sums.size)
            heappush(candidates, _Candidate(bound, fires, number, excess, sums, further))

    for number, (sums, fires) in enumerate(product(kinds, sides)):
        add(number, sums, fires, sums.excesses(fires))
    for _ in range(MOST_SUMS):
        if not candidates or (candidates[0].bound, candidates[0].fires) >= best:
            return Limit(*best)
        first = heappop(candidates)
        places = first.sums.heaviest(first.excess)
        if places is not None:
            size = sum(abs(first.sums.weights[place]) for place in places)
            best = min(best, (measure(first.sums, first.excess, size), first.fires))
        add(first.number, first.sums, first.fires, first.further)
    return Limit(*min([best, *((each.bound, each.fires) for each in candidates)]))
