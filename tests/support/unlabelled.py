"""Our own circuits as somebody else's: without probes, cells or blocks, and in another order."""

from __future__ import annotations

import random
from dataclasses import replace

from spikeproof.circuits.netlist import Block, Netlist


def unlabelled(netlist: Netlist, seed: int = 0, *, keep_cells: bool = False) -> Netlist:
    """The circuit with nothing but neurons between its buses, in some other topological order.

    Args:
        keep_cells: of multipliers, dividers and roots.
    """
    rng, first = random.Random(seed), netlist.input_count
    waiting = {
        first + index: {source for source, _ in neuron.synapses if source >= first}
        for index, neuron in enumerate(netlist.neurons)
    }
    readers: dict[int, list[int]] = {}
    for signal, sources in waiting.items():
        for source in sources:
            readers.setdefault(source, []).append(signal)
    ready = [signal for signal, sources in waiting.items() if not sources]
    place = {signal: signal for signal in range(first)}
    order = []
    while ready:
        signal = ready.pop(rng.randrange(len(ready)))
        place[signal] = first + len(order)
        order.append(signal)
        for reader in readers.get(signal, ()):
            waiting[reader].discard(signal)
            if not waiting[reader]:
                ready.append(reader)

    def moved(bus):
        return tuple(place.get(signal, signal) for signal in bus)

    neurons = (netlist.neurons[signal - first] for signal in order)
    cells = netlist.cells if keep_cells else ()
    return Netlist(
        netlist.inputs,
        tuple(replace(n, synapses=tuple((place[s], w) for s, w in n.synapses)) for n in neurons),
        {name: moved(bus) for name, bus in netlist.outputs.items()},
        cells=tuple(
            Block(
                cell.name,
                cell.kind,
                {name: moved(bus) for name, bus in cell.inputs.items()},
                {name: moved(bus) for name, bus in cell.outputs.items()},
            )
            for cell in cells
        ),
    )
