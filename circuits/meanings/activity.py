"""What evaluations take: spikes and synaptic operations, counted in membrane simulations.

Where sums are too large to be exact in these, neurons are evaluated in integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.meanings.membrane import EXACT_INTEGERS, MembraneSimulator
from spikeproof.circuits.netlist import Netlist, Neuron

BATCH = 256
"""Evaluations that are simulated together: what bounds memory."""


@dataclass(frozen=True)
class Activity:
    """Counts for each of some evaluations.

    Attributes:
        spikes: how many neurons fire; input bits are no neurons.
        operations: at how many synapses a spike arrives, be it of a neuron or of an input bit.
    """

    spikes: NDArray[np.int64]
    operations: NDArray[np.int64]


def activity(netlist: Netlist, inputs: Mapping[str, Words]) -> Iterator[Activity]:
    """The activity of evaluations from rest, in order, as many at a time as are simulated together.

    Args:
        inputs: for each input bus an array of unsigned integers, all of one length.

    Raises:
        ValueError: as ``boolean.evaluate``, or if a weight is not exact in float64.
    """
    count = boolean.require_inputs(netlist, inputs)
    simulator = MembraneSimulator(netlist) if all(map(_is_exact, netlist.neurons)) else None
    fan_outs = torch.zeros(netlist.signal_count, dtype=torch.int64)
    for neuron in netlist.neurons:
        for source, _ in neuron.synapses:
            fan_outs[source] += 1
    for start in range(0, count, BATCH):
        part = {name: words[start : start + BATCH] for name, words in inputs.items()}
        if simulator is None:
            fired = torch.from_numpy(boolean.evaluate_signals(netlist, part)).long()
        else:
            bits = {
                name: torch.from_numpy(boolean.unpack_words(part[name], width))
                for name, width in netlist.inputs.items()
            }
            fired = simulator.evaluate_signals(bits).long()
        spikes = fired[netlist.input_count :].sum(dim=0)
        yield Activity(spikes.numpy(), (fan_outs @ fired).numpy())


def _is_exact(neuron: Neuron) -> bool:
    """Whether float64 holds every sum of the neuron's weights, in whole numbers."""
    threshold, bias, weights = neuron.in_integers
    return sum(map(abs, (threshold, bias, *weights))) < EXACT_INTEGERS
