"""Netlists without inhibition: every signal on a wire of its own, and its complement on another.

Whoever supplies a circuit's inputs supplies their complements too; every output comes with its own. With
x' = 1 - x a synapse of weight -w on x is one of weight w on x', and a larger threshold. So each neuron
becomes two of positive weights, for its value and for the complement; a NOT is a swap of wires.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from spikeproof.circuits.netlist import (
    UNUSED,
    Bus,
    Netlist,
    NetlistBuilder,
    NetlistError,
    Neuron,
    Weight,
    driven_by_neurons,
)

COMPLEMENT = "_complement"
"""What the name of a bus of complements ends in."""

Rails = dict[int, tuple[int, int]]
"""Of each signal of a netlist the signals that carry its value and its complement."""


def with_complements(buses: Mapping[str, int]) -> dict[str, int]:
    """Buses by name, with their widths; then those of their complements."""
    return {**buses, **{name + COMPLEMENT: width for name, width in buses.items()}}


def without_complements(buses: Mapping[str, int]) -> dict[str, int]:
    """Buses by name, less those of the complements of others among them."""
    complements = {name + COMPLEMENT for name in buses}
    return {name: width for name, width in buses.items() if name not in complements}


def encoded(widths: Mapping[str, int], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all buses of these widths, complements too: numbers, or arrays of words."""
    return {
        name: values[name] if name in values else inverted(values[name.removesuffix(COMPLEMENT)], width)
        for name, width in widths.items()
    }


def inverted(value: Any, width: int) -> Any:
    """A number of so many bits, or an array of them, with every bit inverted."""
    ones = (1 << width) - 1
    return ones ^ value if isinstance(value, int) else value.dtype.type(ones) ^ value


def dual_rail_netlist(netlist: Netlist) -> Netlist:
    """The netlist on two rails: what its outputs depend on, with the probes of that.

    Inputs come first, then their complements in the same order: ``NAME_complement``. So do outputs.

    Raises:
        NetlistError: if a weight is no integer, or a sum may be just its threshold.
    """
    neurons, rails = _on_both_rails(netlist)

    def bus_on(rail: int, bus: Bus) -> Bus:
        return tuple(rails[s][rail] if s in rails else UNUSED if s >= 0 else s for s in bus)

    outputs = {name: bus_on(0, bus) for name, bus in netlist.outputs.items()}
    complements = {name + COMPLEMENT: bus_on(1, bus) for name, bus in netlist.outputs.items()}
    probes = {name: bus_on(0, bus) for name, bus in netlist.probes.items()}
    return Netlist(with_complements(netlist.inputs), neurons, {**outputs, **complements}, probes)


def rails(netlist: Netlist) -> Rails:
    """Where ``dual_rail_netlist`` has each signal that outputs depend on, and its complement."""
    return _on_both_rails(netlist)[1]


def _on_both_rails(netlist: Netlist) -> tuple[tuple[Neuron, ...], Rails]:
    """The neurons, and where they carry what; equal ones are one."""
    inputs = netlist.input_count
    rails: Rails = {signal: (signal, inputs + signal) for signal in range(inputs)}
    made: dict[Neuron, int] = {}

    def wire(neuron: Neuron) -> int:
        """The signal of a neuron: its source's, if it but repeats that."""
        if len(neuron.synapses) == 1:
            ((source, weight),) = neuron.synapses
            if 0 < neuron.threshold - neuron.bias <= weight:
                return source
        return made.setdefault(neuron, 2 * inputs + len(made))

    roots = {signal for bus in netlist.outputs.values() for signal in bus}
    for signal in driven_by_neurons(netlist.neurons, inputs, roots):
        neuron = netlist.neurons[signal - inputs]
        drive, total = _drive(neuron), sum(_size(weight) for _, weight in neuron.synapses)
        value, complement = (
            [(rails[source][rail ^ (weight < 0)], _size(weight)) for source, weight in neuron.synapses]
            for rail in (0, 1)
        )
        # The value fires from drive on: the complement where more than total - drive is left.
        rails[signal] = wire(_excitatory(value, drive)), wire(_excitatory(complement, total - drive))
    return tuple(made), rails


def _size(weight: Weight) -> Weight:
    return max(weight, -weight)


def _drive(neuron: Neuron) -> Fraction:
    """What the sum must reach once inhibition is turned into excitation by complements."""
    inhibition = sum(weight for _, weight in neuron.synapses if weight < 0)
    drive = Fraction(neuron.threshold - neuron.bias - inhibition)
    if drive.denominator == 1 or any(weight != int(weight) for _, weight in neuron.synapses):
        raise NetlistError(
            f"a neuron of threshold {neuron.threshold} has no dual rail; use integer weights and bias, "
            "and a threshold between the sums"
        )
    return drive


def _excitatory(synapses: Iterable[tuple[int, Weight]], threshold: Fraction) -> Neuron:
    """The neuron of these synapses; two that read one wire are one."""
    weights: dict[int, Weight] = {}
    for source, weight in synapses:
        weights[source] = weights.get(source, 0) + weight
    bias = 0 if threshold > 0 else 1 - math.ceil(threshold)  # of what is constant
    return Neuron(tuple(sorted(weights.items())), threshold + bias, bias)


class DualRailBuilder(NetlistBuilder):
    """Builds a netlist as others are built, and puts it on two rails at last."""

    def build(self, outputs: Mapping[str, Bus], *, keep_waypoints: bool = False) -> Netlist:
        """As ``NetlistBuilder.build``, on two rails."""
        return dual_rail_netlist(super().build(outputs, keep_waypoints=keep_waypoints))
