"""Formula meaning of a netlist: pySMT bit-vectors, neuron by neuron.

This is the meaning that theorems are about. Each neuron becomes the comparison that defines it: the
signed sum of the weights of its firing inputs against its threshold, in enough bits never to wrap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVSLE, BVAdd, BVConcat, BVExtract, BVType, Equals, Ite, Symbol

from circuits.netlist import ONE, ZERO, Bus, Netlist, Neuron, driven_by_neurons


def input_symbols(netlist: Netlist) -> dict[str, FNode]:
    """A bit-vector symbol for each input bus, of the same name."""
    return {name: Symbol(name, BVType(width)) for name, width in netlist.inputs.items()}


def neuron_formula(neuron: Neuron, sources: list[FNode]) -> FNode:
    """Boolean: whether the neuron fires.

    Args:
        sources: Booleans, one for each synapse in order.
    """
    numbers = [neuron.threshold, neuron.bias, *(weight for _, weight in neuron.synapses)]
    scale = math.lcm(*(int(number.denominator) for number in numbers))
    threshold, bias, *weights = (int(number * scale) for number in numbers)
    # Two's complement wide enough for every partial sum and for the threshold.
    width = 1 + max(sum(map(abs, [bias, *weights])), abs(threshold)).bit_length()

    def constant(value: int) -> FNode:
        return BV(value % (1 << width), width)

    total, nothing = constant(bias), constant(0)
    for weight, source in zip(weights, sources, strict=True):
        total = BVAdd(total, Ite(source, constant(weight), nothing))
    return BVSLE(constant(threshold), total)


def bus_formulas(
    netlist: Netlist,
    buses: Mapping[str, Bus],
    inputs: Mapping[str, FNode],
    replaced: Mapping[int, FNode] | None = None,
) -> dict[str, FNode]:
    """Buses of a netlist's signals as bit-vectors, in terms of those that stand for the input buses.

    Args:
        replaced: for some signals, the Boolean to take instead of what drives them.
    """
    given = (
        Equals(BVExtract(inputs[name], index, index), BV(1, 1))
        for name, width in netlist.inputs.items()
        for index in range(width)
    )
    signals = {**dict(enumerate(given)), **(replaced or {})}
    first, roots = netlist.input_count, chain.from_iterable(buses.values())
    for signal in driven_by_neurons(netlist.neurons, first, roots, known=signals.keys()):
        neuron = netlist.neurons[signal - first]
        signals[signal] = neuron_formula(neuron, [signals[source] for source, _ in neuron.synapses])
    return {name: bus_formula(signals, bus) for name, bus in buses.items()}


def bus_formula(signals: Mapping[int, FNode], bus: Bus) -> FNode:
    """The bit-vector on a bus of signals and constants."""
    constants = {ZERO: BV(0, 1), ONE: BV(1, 1)}
    bits = [constants[s] if s in constants else Ite(signals[s], BV(1, 1), BV(0, 1)) for s in bus]
    word = bits[0]
    for bit in bits[1:]:
        word = BVConcat(bit, word)
    return word


def output_formulas(
    netlist: Netlist, inputs: Mapping[str, FNode], replaced: Mapping[int, FNode] | None = None
) -> dict[str, FNode]:
    """The output buses; see ``bus_formulas``."""
    return bus_formulas(netlist, netlist.outputs, inputs, replaced)
