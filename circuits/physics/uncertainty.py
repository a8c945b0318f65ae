"""Neurons whose quantities are known within intervals only, and the netlists that show what they can do.

Every neuron has perturbations of its own, and so has every synapse. For given spikes on its inputs a
neuron fires iff a sum of quantities, each anywhere in its interval, is at least 0. That sum takes every
value between its extremes; whether it *must* fire, and whether it *may*, is therefore a matter of its
lower and of its upper end, and each is a neuron itself, with exact weights. ``uncertain_netlist`` puts
both in the neuron's place, with a free input bit, its *doubt*, that decides wherever the neuron may but
need not fire:

    spike = must or (may and doubt)

The netlist's outputs for all values of ``doubt`` are just the outputs that the perturbed circuit can
have. A theorem about it is one about all real perturbations, and a counterexample says which neurons
err.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist, Neuron, Weight

DOUBT = "doubt"
"""The input bus that decides for neurons that may, but need not fire."""


@dataclass(frozen=True)
class Interval:
    """Exact rationals between two ends; an open end is not among them.

    Raises:
        ValueError: if it is empty.
    """

    low: Fraction
    high: Fraction
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            raise ValueError(f"{self} is empty")

    def __add__(self, other: Interval) -> Interval:
        return Interval(
            self.low + other.low,
            self.high + other.high,
            self.low_open or other.low_open,
            self.high_open or other.high_open,
        )

    def scaled(self, factor: Weight) -> Interval:
        """What the values are after multiplication by a constant."""
        if factor == 0:
            return NOTHING
        low, high = self.low * factor, self.high * factor
        if factor > 0:
            return Interval(low, high, self.low_open, self.high_open)
        return Interval(high, low, self.high_open, self.low_open)

    def __contains__(self, value: Fraction) -> bool:
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        return above and below

    def __str__(self) -> str:
        opening, closing = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{opening}{self.low}, {self.high}{closing}"


def exactly(value: Weight) -> Interval:
    """The interval of one value."""
    return Interval(Fraction(value), Fraction(value))


NOTHING = exactly(0)


@dataclass(frozen=True)
class Tolerance:
    """Within what each quantity of each neuron may lie.

    Attributes:
        noise: what is added to the drive, in units of the weights.
        threshold, weight: deviations relative to the nominal value; every synapse has its own.
    """

    noise: Interval = NOTHING
    threshold: Interval = NOTHING
    weight: Interval = NOTHING


@dataclass(frozen=True)
class UncertainNeuron:
    """Fires iff ``excess`` plus the weights of its firing inputs, all in their intervals, is at least 0.

    Attributes:
        excess: bias, noise and what is left of earlier potential, less the threshold.
    """

    synapses: tuple[tuple[int, Interval], ...]
    excess: Interval

    @classmethod
    def of(cls, neuron: Neuron, tolerance: Tolerance, residual: Interval = NOTHING) -> UncertainNeuron:
        """A neuron under a tolerance, with earlier potential left of which so much is kept."""
        one = exactly(1)
        weight, threshold = one + tolerance.weight, one + tolerance.threshold
        return cls(
            tuple((source, weight.scaled(nominal)) for source, nominal in neuron.synapses),
            exactly(neuron.bias) + tolerance.noise + residual + threshold.scaled(-neuron.threshold),
        )

    def total(self, spikes: Sequence[bool]) -> Interval:
        """Where the sum lies, given all signals."""
        parts = [self.excess, *(weight for source, weight in self.synapses if spikes[source])]
        return Interval(
            sum(part.low for part in parts),  # type: ignore[arg-type]
            sum(part.high for part in parts),  # type: ignore[arg-type]
            any(part.low_open for part in parts),
            any(part.high_open for part in parts),
        )

    def outcomes(self, spikes: Sequence[bool]) -> tuple[bool, ...]:
        """Whether it can stay silent, and whether it can fire: the values that its spike can have."""
        total = self.total(spikes)
        may = total.high > 0 or (total.high == 0 and not total.high_open)
        return tuple(spike for spike, possible in ((False, total.low < 0), (True, may)) if possible)

    def must(self) -> Neuron:
        """The neuron that fires iff this one must: even the lowest sum is at least 0."""
        return _neuron(((s, w.low) for s, w in self.synapses), self.excess.low)

    def may(self) -> Neuron:
        """The neuron that fires iff this one may: some sum is at least 0.

        Sums of upper ends are multiples of 1/scale. Every open end is lowered by so little that all of
        them together stay below 1/scale: a sum of 0 then counts iff no open end takes part. So little is
        1/scale over a power of two, since in binary sums then keep the form that they have without it.
        """
        scale = math.lcm(self.excess.high.denominator, *(w.high.denominator for _, w in self.synapses))
        little = Fraction(1, scale << (len(self.synapses) + 1).bit_length())

        def end(interval: Interval) -> Fraction:
            return interval.high - little if interval.high_open else interval.high

        return _neuron(((s, end(w)) for s, w in self.synapses), end(self.excess))


def _neuron(synapses: Iterable[tuple[int, Fraction]], excess: Fraction) -> Neuron:
    return Neuron(tuple((source, weight) for source, weight in synapses if weight), -excess)


def perturbed(netlist: Netlist, tolerance: Tolerance) -> tuple[UncertainNeuron, ...]:
    """All neurons of a netlist under one tolerance."""
    return tuple(UncertainNeuron.of(neuron, tolerance) for neuron in netlist.neurons)


def uncertain_netlist(netlist: Netlist, neurons: Sequence[UncertainNeuron]) -> Netlist:
    """The netlist with uncertain neurons in place of its own; they read the signals that those drive."""
    made: list[Neuron] = []
    for index, neuron in enumerate(neurons):
        spike = place(netlist, netlist.input_count + index)
        decided = Neuron(((netlist.input_count + index, 1), (spike - 2, 2), (spike - 1, 1)), 2)
        made += [_moved(netlist, neuron.must()), _moved(netlist, neuron.may()), decided]
    outputs = {name: tuple(place(netlist, s) for s in bus) for name, bus in netlist.outputs.items()}
    return Netlist({**netlist.inputs, DOUBT: len(neurons)}, tuple(made), outputs)


def place(netlist: Netlist, signal: int) -> int:
    """Where a signal of a netlist is found in ``uncertain_netlist``.

    Inputs come first, then a doubt for each neuron, then three neurons for each, of which the last
    decides.
    """
    inputs = netlist.input_count
    return signal if signal < inputs else inputs + len(netlist.neurons) + 3 * (signal - inputs) + 2


def _moved(netlist: Netlist, neuron: Neuron) -> Neuron:
    synapses = tuple((place(netlist, source), weight) for source, weight in neuron.synapses)
    return Neuron(synapses, neuron.threshold, neuron.bias)


# --- one circuit of definite quantities, run exactly ---------------------------------------------


def sample(neuron: UncertainNeuron, positions: Sequence[Fraction]) -> Neuron:
    """A definite neuron: each quantity so far between its ends, 0 at the lower, 1 at the upper.

    Args:
        positions: one for the excess, then one for each synapse.
    """

    def at(interval: Interval, position: Fraction) -> Fraction:
        return interval.low + position * (interval.high - interval.low)

    excess, *weights = positions
    synapses = ((s, at(w, p)) for (s, w), p in zip(neuron.synapses, weights, strict=True))
    return _neuron(synapses, at(neuron.excess, excess))


def drive(neuron: Neuron, spikes: Sequence[bool]) -> Fraction:
    """A neuron's bias and the weights of its firing inputs, given all signals."""
    return Fraction(neuron.bias + sum(weight for source, weight in neuron.synapses if spikes[source]))
