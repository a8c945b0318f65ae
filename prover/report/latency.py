"""How deep sums of products are that are made of units: counted from the units' own neurons.

Bits of a result come at different times, and a unit that reads them waits for each only where it needs
it, so that what is made of units is not as deep as its units together.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from spikeproof.circuits.netlist import Bus, Netlist

Times = tuple[int, ...]
"""For each bit of a bus, least significant first, the neurons on the longest path to it."""


def output_times(netlist: Netlist, inputs: Mapping[str, Times]) -> dict[str, Times]:
    """When the outputs of a circuit come, by when its inputs do; constants are always there."""
    levels = [time for name in netlist.inputs for time in inputs[name]]
    for neuron in netlist.neurons:
        levels.append(1 + max((levels[source] for source, _ in neuron.synapses), default=0))

    def times(bus: Bus) -> Times:
        return tuple(levels[signal] if signal >= 0 else 0 for signal in bus)

    return {name: times(bus) for name, bus in netlist.outputs.items()}


class SumOfProducts:
    """Products of pairs of numbers, and their sum in some order: one output of a linear layer.

    Args:
        multiply, add: units with inputs ``x`` and ``y`` and an output ``result``, of one format.
    """

    def __init__(self, multiply: Netlist, add: Netlist) -> None:
        self._product = output_times(multiply, {name: (0,) * w for name, w in multiply.inputs.items()})[
            "result"
        ]
        self._sum = cache(lambda x, y: output_times(add, {"x": x, "y": y})["result"])

    def tree(self, count: int) -> int:
        """The depth if neighbours are added, then sums of neighbours, and so on; one left over waits."""
        terms = [self._product] * count
        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            terms = [*(self._sum(x, y) for x, y in pairs), *terms[len(terms) & ~1 :]]
        return max(terms[0])

    def chain(self, count: int) -> int:
        """The depth if one is added after the other."""
        total = self._product
        for _ in range(count - 1):
            total = self._sum(total, self._product)
        return max(total)
