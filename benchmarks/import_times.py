"""How long modules of PyTorch take to be imported that are written neuron by neuron.

python -m benchmarks.import_times [--neurons N]
"""

from __future__ import annotations

import argparse
import resource
import time

import torch

from spikeproof.circuits.doors.modules import from_module

BITS, OUTPUTS = 16, 8
SOURCES = (-1, -3, -8)
"""Which of the latest spikes a neuron reads."""


class Plain(torch.nn.Module):
    """Each neuron is a sum of three spikes, a comparison and a conversion: four operations."""

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.neurons = neurons

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The last spikes."""
        spikes = list(x.unbind(1))
        for index in range(self.neurons):
            a, b, c = (spikes[source] for source in SOURCES)
            fires = a + b - c >= 1.0 if index % 2 else a + b + c >= 2.0
            spikes.append(fires.float())
        return torch.stack(spikes[-OUTPUTS:], 1)


class Stateful(torch.nn.Module):
    """Each neuron leaks, adds a spike at a time, fires, and is reset: fourteen operations."""

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.neurons = neurons

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The last spikes; each potential is kept."""
        spikes, self.potentials = list(x.unbind(1)), []
        for index in range(self.neurons):
            potential = torch.zeros_like(spikes[0])
            for weight, source in zip((1.0, 1.0, 1.0 - 2.0 * (index % 2)), SOURCES, strict=True):
                potential = potential * 0.5 + weight * spikes[source]
            spike = (potential >= 0.5).float()
            self.potentials.append(potential - spike * 0.5)
            spikes.append(spike)
        return torch.stack(spikes[-OUTPUTS:], 1)


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, default=100_000)
    neurons = parser.parse_args().neurons
    for kind in (Plain, Stateful):
        started = time.process_time()
        netlist = from_module(kind(neurons), {"x": BITS}, {"y": OUTPUTS})
        taken = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{kind.__name__}: {len(netlist.neurons):,} neurons, {taken:.0f} s of processor time, "
            f"{1000 * taken / neurons:.2f} ms each; {peak:.1f} GiB so far",
            flush=True,
        )


if __name__ == "__main__":
    main()
