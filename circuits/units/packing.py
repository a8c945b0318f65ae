"""Units for words of several numbers: one beside the other, sharing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spikeproof.circuits.netlist import Block, Bus, Netlist, Neuron


def side_by_side(netlist: Netlist, count: int) -> Netlist:
    """So many copies of a netlist, each bus of which is those of the copies, the first one lowest.

    Probes, blocks and cells have the number of their copy at the end of their names.
    """
    copies = [_Copy(netlist, count, place) for place in range(count)]
    return Netlist(
        inputs={name: count * width for name, width in netlist.inputs.items()},
        neurons=tuple(copy.neuron(neuron) for copy in copies for neuron in netlist.neurons),
        outputs={
            name: tuple(signal for copy in copies for signal in copy.bus(bus))
            for name, bus in netlist.outputs.items()
        },
        probes={
            f"{name}.{copy.place}": copy.bus(bus)
            for copy in copies
            for name, bus in netlist.probes.items()
        },
        blocks=tuple(block for copy in copies for block in copy.blocks(netlist.blocks)),
        cells=tuple(block for copy in copies for block in copy.blocks(netlist.cells)),
    )


class _Copy:
    """Where the signals of a netlist are in one of its copies."""

    def __init__(self, netlist: Netlist, count: int, place: int) -> None:
        self.place = place
        self._signals: list[int] = []
        for name, width in netlist.inputs.items():
            first = count * netlist.input_buses[name][0] + place * width
            self._signals += range(first, first + width)
        first = count * netlist.input_count + place * len(netlist.neurons)
        self._signals += range(first, first + len(netlist.neurons))

    def bus(self, bus: Bus) -> Bus:
        return tuple(signal if signal < 0 else self._signals[signal] for signal in bus)

    def neuron(self, neuron: Neuron) -> Neuron:
        synapses = tuple((self._signals[source], weight) for source, weight in neuron.synapses)
        return Neuron(synapses, neuron.threshold, neuron.bias)

    def blocks(self, blocks: Iterable[Block]) -> Iterable[Block]:
        for block in blocks:
            name = f"{block.name}.{self.place}"
            yield Block(name, block.kind, self._buses(block.inputs), self._buses(block.outputs))

    def _buses(self, buses: Mapping[str, Bus]) -> dict[str, Bus]:
        return {name: self.bus(bus) for name, bus in buses.items()}
