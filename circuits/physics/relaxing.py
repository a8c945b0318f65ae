"""Executable meaning of a memristive neuron: spikes in continuous time, batched in PyTorch.

Between spikes a potential V relaxes to V exp(-t / tau); a spike adds the weight of its synapse, spikes
that come together add theirs together; the neuron fires as V reaches the threshold (Nature Electronics
7, 466, 2024).
"""

from __future__ import annotations

import torch
from torch import Tensor

from spikeproof.circuits.netlist import Neuron
from spikeproof.circuits.physics.substrates import MEMRISTIVE


def first_firing(neuron: Neuron, times: Tensor, tau: Tensor) -> Tensor:
    """When a neuron fires first, from rest, for each of a batch of trains of spikes.

    Args:
        times: of a spike at each synapse, in order, in ns; infinite where there is none. Shape
            (synapses, batch).
        tau: relaxation time in ns. Shape (batch).

    Returns:
        Times in ns, infinite where it does not fire. Shape (batch).

    Raises:
        SubstrateError: if a relaxation time is not in the range of the substrate.
        ValueError: if the neuron has a bias, which no spike brings, or not as many synapses.
    """
    for end in (tau.min(), tau.max()):
        MEMRISTIVE.parameters["tau"].value("tau", float(end))
    if neuron.bias or len(neuron.synapses) != len(times):
        raise ValueError("the neuron must have no bias, and a synapse for each row of times")
    arrivals, order = times.double().sort(dim=0)
    weights = torch.tensor([float(weight) for _, weight in neuron.synapses]).double()[order]
    never = torch.full_like(arrivals[:1], torch.inf)
    potential, last, fired = torch.zeros_like(arrivals[0]), arrivals[0], never[0]
    for time, weight, following in zip(arrivals, weights, torch.cat([arrivals[1:], never]), strict=True):
        arrives = time.isfinite()
        relaxed = potential * torch.exp(-(time - last) / tau) + weight
        potential, last = torch.where(arrives, relaxed, potential), torch.where(arrives, time, last)
        reached = arrives & (time < following) & (potential >= float(neuron.threshold))
        fired = torch.where(reached & fired.isinf(), time, fired)
    return fired
