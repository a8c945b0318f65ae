"""What earlier evaluations leave behind, where nothing resets the membranes between them.

Each evaluation a neuron's potential becomes V' = beta V + drive; it fires iff V' reaches the threshold;
what is left is V' less the threshold where it fired (soft reset), or 0 there (hard reset). Potentials
begin at 0.

The argument is proved in Coq: ``proofs/mechanised/leak.v``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist, Neuron, Weight
from spikeproof.circuits.physics.substrates import IONIC, Reset
from spikeproof.circuits.physics.uncertainty import (
    Interval,
    Tolerance,
    UncertainNeuron,
    drive,
    place,
    uncertain_netlist,
)

_SILENT = Fraction(0)

STAYS = "stays"
"""The output bus that says of each neuron, twice, that what is left is no more, and no less, than
allowed."""


def _share_kept(beta: Fraction) -> Fraction:
    return IONIC.parameters["beta"].value("beta", beta)


class ExactMembranes:
    """The potentials of a netlist's neurons, in exact arithmetic.

    Attributes:
        potentials: of each neuron, after what was evaluated so far.

    Raises:
        SubstrateError: if beta is not from 0 to 1.
    """

    def __init__(self, netlist: Netlist, beta: Fraction, reset: Reset) -> None:
        self._netlist, self._beta, self._reset = netlist, _share_kept(beta), reset
        self.potentials = [Fraction(0)] * len(netlist.neurons)

    def evaluate(
        self, bits: Sequence[bool], noise: Fraction | Sequence[Fraction] = _SILENT
    ) -> list[bool]:
        """All signals at the next evaluation.

        Args:
            bits: the inputs.
            noise: of all neurons, or of each.
        """
        spikes: list[bool] = list(bits)
        for index, neuron in enumerate(self._netlist.neurons):
            disturbance = noise if isinstance(noise, Fraction) else noise[index]
            potential = self._beta * self.potentials[index] + disturbance + drive(neuron, spikes)
            fired = potential >= neuron.threshold
            spent = neuron.threshold if self._reset is Reset.SOFT else potential
            self.potentials[index] = potential - spent if fired else potential
            spikes.append(fired)
        return spikes


def leaking_netlist(
    netlist: Netlist, beta: Fraction, reset: Reset, residuals: Sequence[Interval], noise: Interval
) -> Netlist:
    """One evaluation from any residual potentials within given intervals, with noise within one.

    Beside the netlist's outputs it has ``stays``, all 1 iff each residual potential is within its
    interval again. If that, and the outputs, are right for all inputs and doubts, and 0 is in every
    interval, they are so for ever: for this beta and for every smaller one, since beta V only gets less.

    An open end needs no other inequality: what is kept is below it, and so is the sum.

    Raises:
        SubstrateError: if beta is not from 0 to 1.
        ValueError: if potentials do not begin within the intervals.
    """
    _share_kept(beta)
    if any(_SILENT not in residual for residual in residuals):
        raise ValueError("0, where potentials begin, must be in every interval of residual potentials")
    tolerance = Tolerance(noise=noise)
    kept = [residual.scaled(beta) for residual in residuals]
    neurons = [
        UncertainNeuron.of(neuron, tolerance, left)
        for neuron, left in zip(netlist.neurons, kept, strict=True)
    ]
    single = uncertain_netlist(netlist, neurons)
    made = list(single.neurons)
    for index, neuron in enumerate(netlist.neurons):
        spike = place(netlist, netlist.input_count + index)
        terms = [(place(netlist, source), weight) for source, weight in neuron.synapses]
        before, after = kept[index] + noise, residuals[index]
        highest, lowest = neuron.bias + before.high - after.high, neuron.bias + before.low - after.low
        if reset is Reset.SOFT:
            above = below = neuron.threshold
        else:  # firing leaves 0, so that nothing is too much or too little
            enough = sum(
                (abs(Fraction(weight)) for _, weight in terms), start=abs(highest) + abs(lowest)
            )
            above, below = enough, -enough
        at_most = [*((source, -weight) for source, weight in terms), (spike, above)]
        at_least = [*terms, (spike, -below)]
        made += [_at_least(at_most, highest), _at_least(at_least, -lowest)]
    first = single.signal_count
    stays = tuple(range(first, first + 2 * len(netlist.neurons)))
    return Netlist(single.inputs, tuple(made), {**single.outputs, STAYS: stays})


def _at_least(terms: Sequence[tuple[int, Weight]], threshold: Weight) -> Neuron:
    return Neuron(tuple((source, weight) for source, weight in terms if weight), threshold)


def netlist_after(
    netlist: Netlist, beta: Fraction, reset: Reset, held: Sequence[bool], steps: int, noise: Fraction
) -> Netlist:
    """The next evaluation after ``steps`` of one input, with the same noise on every neuron each time.

    What is kept of each neuron's potential, and the noise, are part of its bias.
    """
    membranes = ExactMembranes(netlist, beta, reset)
    for _ in range(steps):
        membranes.evaluate(held, noise)
    biased = (
        replace(neuron, bias=neuron.bias + beta * potential + noise)
        for neuron, potential in zip(netlist.neurons, membranes.potentials, strict=True)
    )
    return Netlist(netlist.inputs, tuple(biased), netlist.outputs)
