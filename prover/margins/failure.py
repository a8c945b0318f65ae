"""How likely a circuit of noisy neurons errs: bounds that hold, rounded outward.

On the drive of every neuron there is Gaussian noise of mean 0 and deviation sigma, in units of the
weights and independent of all other noise; potentials are cleared between evaluations. A neuron *errs*
if it does other than without noise for the spikes that it reads. A neuron whose drive is d away from its
threshold errs with probability e(d), the normal tail of d / sigma, whatever others do. A circuit errs on
an input if any output is other than without noise. Inputs are given: nothing is said of how likely they
are, but what holds of every input holds of every distribution.

*Upper bound.* If no neuron errs, nothing is wrong. As long as none errs all drives are those without
noise; so on a given input none errs with probability (1 - e(d_1)) (1 - e(d_2)) ..., the d being the
distances on that input. For all inputs at once, take for each neuron the least distance that any spikes
on its sources give.

*Lower bound.* For each neuron n let E_n be that n errs and no other neuron does. These exclude one
another. On E_n all signals are those of the circuit without noise in which n alone is inverted; n is
*decisive* on an input if that changes an output, which one evaluation tells. So the circuit errs with at
least the sum over decisive n of the probability of E_n, which is at least e(d_n) times the product over
all neurons of 1 - e at their least distance, since E_n may bring others nearer to their thresholds.

*Voting.* With every neuron made n times over, each with noise of its own, and the majority taken by a
neuron of weights 1 and threshold n/2, such a group errs independently of others too, and both arguments
hold of groups, with another e: see ``Redundancy``.

This module is trusted for the bounds that ``spikeproof margins --units`` shows; no theorem rests on it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.uncertainty import NOTHING, Interval, drive, exactly
from spikeproof.circuits.units.voting import require_copies
from spikeproof.prover.margins.enclosure import outward, power, tail, times

STEP = Fraction(1, 1_000_000)
"""Deviations at which a probability is reached are told to multiples of this."""

MOST_NOISE = 10**6
"""In units of the weights; no neuron does anything but by chance long before."""

LARGEST = Fraction(1)
"""The largest deviation that is tried: twice the margin of every gate."""

Distances = Mapping[Fraction, int]
"""How many neurons there are at each distance from their threshold."""


def require_deviation(sigma: Fraction) -> None:
    """Refuse what is no deviation of noise, or so large that no simulation can hold it.

    Raises:
        ValueError: if it is not positive, or above ``MOST_NOISE``.
    """
    advice = "use a positive deviation, in units of the weights"
    if sigma <= 0:
        raise ValueError(f"sigma is {sigma}; {advice}")
    if sigma > MOST_NOISE:
        raise ValueError(f"sigma is above {MOST_NOISE:,}; {advice}")


@dataclass(frozen=True)
class Redundancy:
    """How often every neuron is there.

    Attributes:
        copies: an odd number; 1 for no voting.
        ideal: whether the neurons that vote are without noise.

    Raises:
        NetlistError: if the number is not odd and positive.
    """

    copies: int = 1
    ideal: bool = False

    def __post_init__(self) -> None:
        require_copies(self.copies)

    def error(self, distance: Fraction, sigma: Fraction) -> Interval:
        """How likely a neuron, or a group of copies and a voter, errs at a distance from the threshold.

        Let b_k be the probability that k of n copies err, and t_k that a voter errs n/2 - k from its
        threshold. The group errs with

            sum over k < n/2 of  b_k t_k + b_(n-k) (1 - t_k).

        It grows with each t_k, since of copies that err with at most 1/2 fewer are likelier: b_k is at
        least b_(n-k). It grows with e(d), since a voter is likelier to err the more copies do.

        Raises:
            ValueError: if sigma is not positive.
        """
        require_deviation(sigma)
        single = tail(distance / sigma)
        if self.copies == 1:
            return single
        half = Fraction(self.copies, 2)
        fewer = range(self.copies // 2 + 1)
        voters = [NOTHING if self.ideal else tail((half - wrong) / sigma) for wrong in fewer]
        highest = min(single.high, Fraction(1, 2))
        return outward(
            self._outvoted(single.low, [voter.low for voter in voters]),
            self._outvoted(highest, [voter.high for voter in voters]),
        )

    def _outvoted(self, single: Fraction, voters: Sequence[Fraction]) -> Fraction:
        """The sum, for copies that err with one probability, and voters with others."""
        copies = self.copies
        counts = [
            math.comb(copies, k) * single**k * (1 - single) ** (copies - k) for k in range(copies + 1)
        ]
        terms = (
            counts[wrong] * voter + counts[copies - wrong] * (1 - voter)
            for wrong, voter in enumerate(voters)
        )
        return sum(terms, start=Fraction(0))


def least_distance(neuron: Neuron) -> Fraction:
    """How near a drive can come to the threshold at the least, whatever spikes it is made of.

    All drives are the bias and multiples of the greatest common divisor of the weights.
    """
    gap = Fraction(neuron.threshold - neuron.bias)
    weights = [Fraction(weight) for _, weight in neuron.synapses]
    if not weights:
        return abs(gap)
    scale = math.lcm(*(weight.denominator for weight in weights))
    divisor = Fraction(math.gcd(*(int(weight * scale) for weight in weights)), scale)
    above = gap % divisor
    return min(above, divisor - above)


@dataclass(frozen=True)
class Exposure:
    """A circuit on one input, and how far from erring it is.

    Attributes:
        inputs: the values of the input buses.
        distances: of all neurons on this input.
        decisive: of those which, if they alone err, change an output.
        least: of all neurons, the least whatever the input.
    """

    inputs: Mapping[str, int]
    distances: Distances
    decisive: Distances
    least: Distances

    @classmethod
    def of(cls, netlist: Netlist, inputs: Mapping[str, int]) -> Exposure:
        """The exposure of a circuit on an input."""
        changed, spikes = _with_each_inverted(netlist, inputs)
        distances = [abs(neuron.threshold - drive(neuron, spikes)) for neuron in netlist.neurons]
        return cls(
            inputs,
            Counter(distances),
            Counter(d for d, decisive in zip(distances, changed, strict=True) if decisive),
            Counter(map(least_distance, netlist.neurons)),
        )

    @property
    def weak(self) -> int:
        """How many decisive neurons are as near to the threshold as any neuron comes."""
        return self.decisive[min(self.least)]

    def failure(self, sigma: Fraction, redundancy: Redundancy) -> Interval:
        """How likely the circuit errs on this input.

        Raises:
            ValueError: if sigma is not positive.
        """
        alone = sum(n * redundancy.error(d, sigma).low for d, n in self.decisive.items())
        none_errs = _none_errs(self.least, sigma, redundancy).low
        return Interval(alone * none_errs, 1 - _none_errs(self.distances, sigma, redundancy).low)

    def failure_at_most(self, sigma: Fraction, redundancy: Redundancy) -> Fraction:
        """How likely the circuit errs at most, whatever the input.

        Raises:
            ValueError: if sigma is not positive.
        """
        return 1 - _none_errs(self.least, sigma, redundancy).low


def _none_errs(distances: Distances, sigma: Fraction, redundancy: Redundancy) -> Interval:
    """The probability that none of neurons at these distances errs."""
    result = exactly(1)
    for distance, count in distances.items():
        error = redundancy.error(distance, sigma)
        result = times(result, power(Interval(1 - error.high, 1 - error.low), count))
    return result


def _with_each_inverted(netlist: Netlist, inputs: Mapping[str, int]) -> tuple[list[bool], list[bool]]:
    """For each neuron, whether to invert it alone changes an output; and all signals as they are."""
    count, first = len(netlist.neurons), netlist.input_count
    signals = np.zeros((netlist.signal_count, count + 1), dtype=bool)
    given = boolean.one_input(inputs)
    signals[:first] = np.concatenate(
        [boolean.unpack_words(given[name], width) for name, width in netlist.inputs.items()]
    )
    for index, neuron in enumerate(netlist.neurons):
        signals[first + index] = boolean.fires(neuron, signals)
        signals[first + index, index] ^= True
    outputs = signals[sorted({signal for bus in netlist.outputs.values() for signal in bus})]
    changed = (outputs != outputs[:, -1:]).any(axis=0)
    return changed[:-1].tolist(), signals[:, -1].tolist()


def weakest(netlist: Netlist, candidates: Iterable[Mapping[str, int]]) -> Exposure:
    """The exposure on that of some inputs, on which most neurons are decisive and near to err."""
    return max((Exposure.of(netlist, inputs) for inputs in candidates), key=lambda each: each.weak)


def reached_at(exposure: Exposure, target: Fraction, redundancy: Redundancy) -> Interval:
    """Where the deviation is at which the circuit first errs with a given probability on some input.

    At the lower end, and below, it errs with less on every input, since every e grows with sigma. At the
    upper end it errs with more on the input of the exposure. In between the probability, which is
    continuous, reaches the target.

    Raises:
        ValueError: if the target is no probability, or not kept for certain at the least deviation,
            as where a neuron is at its threshold, or not exceeded for certain at any.
    """
    if not 0 < target < 1:
        raise ValueError(f"the probability is {target}; use one between 0 and 1")

    def below(step: int) -> bool:
        return exposure.failure_at_most(step * STEP, redundancy) < target

    def not_above(step: int) -> bool:
        return exposure.failure(step * STEP, redundancy).low <= target

    if not below(1):
        raise ValueError(f"no deviation is found at which the circuit errs with less than {target}")
    most = int(LARGEST / STEP)
    low = _last(below, 1, most)
    # The lower bound falls again where many neurons err at a time: no further than to where it is above.
    reached = next((k for k in _growing(low, most) if not not_above(k)), None)
    if reached is None:
        raise ValueError(f"no deviation is found at which the circuit surely errs with {target}")
    return Interval(low * STEP, (_last(not_above, low, reached) + 1) * STEP)


def _growing(start: int, most: int) -> Iterator[int]:
    """Steps from one on, each a hundredth larger."""
    while start < most:
        start += start // 100 + 1
        yield start


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """A step at which something holds that fails at the next; it holds at low, not at high."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
