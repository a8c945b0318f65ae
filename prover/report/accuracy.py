"""How often a gate is right by chance: exactly, enclosed by rationals, and as simulated.

Accuracy is the share of right answers, all outputs right, with every input equally likely and every
neuron disturbed on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.uncertainty import Interval, drive, exactly
from spikeproof.prover.margins.confidence import confidence
from spikeproof.prover.margins.enclosure import outward, tail, times
from spikeproof.prover.margins.limits import Cell

Chance = Callable[[Neuron, Fraction], Interval]
"""From a neuron and its drive, the probability that it fires."""

SAMPLES = 100_000
"""Simulated evaluations, shared among the inputs."""


def noisy(sigma: Fraction) -> Chance:
    """Under Gaussian noise on the drive.

    Raises:
        ValueError: if the deviation is not positive.
    """
    _require_positive("sigma", sigma)
    return lambda neuron, given: tail((neuron.threshold - given) / sigma)


def varied(spread: Fraction) -> Chance:
    """Under a Gaussian relative deviation of the threshold, which must be positive.

    Raises:
        ValueError: if the deviation is not positive.
    """
    _require_positive("the spread", spread)
    return lambda neuron, given: tail((1 - given / neuron.threshold) / spread)


def _require_positive(name: str, value: Fraction) -> None:
    if value <= 0:
        raise ValueError(f"{name} is {value}; use a positive number")


def accuracy(netlist: Netlist, chance: Chance) -> Interval:
    """The accuracy of a small circuit, from 0 to 1."""
    cell = Cell(netlist)
    pairs = zip(cell.inputs, cell.logical, strict=True)
    rights = [_right(cell, bits, meant, chance) for bits, meant in pairs]
    mean = sum(rights, start=exactly(0)).scaled(Fraction(1, len(rights)))
    return outward(mean.low, mean.high)


def _right(cell: Cell, bits: Sequence[bool], meant: Sequence[bool], chance: Chance) -> Interval:
    """The probability that all outputs are as they are meant, for one input."""
    neurons = cell.netlist.neurons
    reached = {tuple(bits): exactly(1)}
    for index, neuron in enumerate(neurons):
        needed = {source for later in neurons[index + 1 :] for source, _ in later.synapses}
        grown: dict[tuple[bool, ...], Interval] = {}
        for spikes, probability in reached.items():
            fires = chance(neuron, drive(neuron, spikes))
            silent = Interval(1 - fires.high, 1 - fires.low)
            for spike, share in ((True, fires), (False, silent)):
                if len(spikes) in cell.read and spike != meant[len(spikes)]:
                    continue
                # States that differ in what nothing reads any more are one.
                after = (*spikes, spike)
                state = tuple(value and signal in needed for signal, value in enumerate(after))
                grown[state] = grown.get(state, exactly(0)) + times(probability, share)
        reached = grown
    return sum(reached.values(), start=exactly(0))


def simulated(netlist: Netlist, sigma: Fraction) -> Interval:
    """A confidence interval of the accuracy under noise, by membrane simulation."""
    import torch  # takes seconds to load, and no proof needs it

    from spikeproof.circuits.meanings.membrane import Membrane, MembraneSimulator

    cell = Cell(netlist)
    each = SAMPLES // len(cell.inputs)
    columns = torch.tensor(cell.inputs).T.repeat_interleave(each, dim=1)
    buses = {name: columns[list(bus)] for name, bus in netlist.input_buses.items()}
    results = MembraneSimulator(netlist, Membrane(noise=float(sigma))).evaluate(buses)
    right = torch.ones(columns.shape[1], dtype=torch.bool)
    for name, bus in netlist.outputs.items():
        meant = torch.tensor([[spikes[signal] for spikes in cell.logical] for signal in bus])
        right &= (results[name] == meant.repeat_interleave(each, dim=1)).all(dim=0)
    return confidence(int(right.sum()), columns.shape[1])
