"""A small program as one netlist: every instance of a unit with neurons of its own.

The netlist has an input bus for each element of each input, ``x`` if that is a single element, else
``x.0``, ``x.1`` or ``x.2.3`` by its place, and such output buses. The neurons of an instance stand
together, in the unit's order; instances stand in the order in which the program does operations, those
of a step with the last axis fastest. Two neurons without synapses are the bits of all constants, if
there are any. Where an instance has one element for two operands, two of its synapses may be one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np

from spikeproof.circuits.netlist import Bus, Netlist, Neuron, Weight
from spikeproof.circuits.programs.units import (
    RESULT,
    Units,
    every_module,
    require_units,
    width_of,
)
from spikeproof.specs.programs import (
    Array,
    Codes,
    Constant,
    Each,
    Meaning,
    Module,
    ProgramError,
    evaluate,
)

Synapses = tuple[tuple[int, Weight], ...]

MOST_NEURONS = 1 << 22
"""A program of more neurons is not flattened."""


def flattened(program: Module, units: Units) -> Netlist:
    """The netlist of a program's neurons.

    Raises:
        ProgramError: if an operation has no unit that fits, or there are too many neurons.
    """
    require_units(program, units)
    wiring = _Wiring(units)
    given = [wiring.inputs(array) for array in program.inputs.values()]
    if any(isinstance(step, Constant) for module in every_module(program) for step in module.steps):
        wiring.add_bits()
    found = evaluate(program, given, wiring)
    inputs = {
        bus: width_of(array.kind)
        for name, array in program.inputs.items()
        for bus in element_names(name, array)
    }
    outputs = {
        bus: wiring.bus(element, width_of(array.kind))
        for (name, array), elements in zip(program.results.items(), found, strict=True)
        for bus, element in zip(element_names(name, array), elements.reshape(-1), strict=True)
    }
    return Netlist(inputs, tuple(wiring.neurons), outputs)


def element_names(name: str, array: Array) -> list[str]:
    """The buses of an array's elements, the last axis fastest."""
    places = product(*map(range, array.shape))
    return [".".join((name, *map(str, place))) for place in places]


class _Wiring(Meaning):
    """Operations that append their units' neurons.

    Elements are numbers of buses; those of constants are negative, and tell the code: -1 - code.
    """

    def __init__(self, units: Units) -> None:
        self.units = units
        self.buses: list[Bus] = []
        self.neurons: list[Neuron] = []
        self.signals = 0
        self.bits: tuple[int, ...] = ()

    def inputs(self, array: Array) -> Codes:
        """New input bits for an array's elements."""
        width = width_of(array.kind)
        elements = np.empty(array.shape, dtype=object)
        for place in np.ndindex(array.shape):
            elements[place] = self.element(tuple(range(self.signals, self.signals + width)))
            self.signals += width
        return elements

    def add_bits(self) -> None:
        """Neurons for the bits of constants: one that never fires, and one that always does."""
        self.neurons += [Neuron((), Fraction(1, 2), bias) for bias in (0, 1)]
        self.bits = (self.signals, self.signals + 1)
        self.signals += len(self.bits)

    def element(self, bus: Bus) -> int:
        """The number of a bus."""
        self.buses.append(bus)
        return len(self.buses) - 1

    def bus(self, element: int, width: int) -> Bus:
        """The signals of an element of so many bits."""
        if element >= 0:
            return self.buses[element]
        return tuple(self.bits[-1 - element >> place & 1] for place in range(width))

    def constant(self, codes: Codes) -> Codes:
        """As ``Meaning.constant``."""
        return -1 - codes.astype(object)

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """The results' elements, each of a new instance."""
        unit = self.units[step.operation]
        results = np.empty(operands[0].shape, dtype=object)
        for place in np.ndindex(results.shape):
            elements = [int(each[place]) for each in operands]
            results[place] = self.element(self.instance(unit, elements))
        return results

    def instance(self, unit: Netlist, operands: Sequence[int]) -> Bus:
        """The result of a new instance of a unit."""
        if len(self.neurons) + len(unit.neurons) > MOST_NEURONS:
            raise ProgramError(f"no program of more than {MOST_NEURONS} neurons is made one netlist")
        widths = unit.inputs.values()
        buses = (self.bus(element, width) for element, width in zip(operands, widths, strict=True))
        signals = [signal for bus in buses for signal in bus]
        signals += range(self.signals, self.signals + len(unit.neurons))
        self.neurons += (
            replace(neuron, synapses=_renamed(neuron.synapses, signals)) for neuron in unit.neurons
        )
        self.signals += len(unit.neurons)
        return tuple(signals[signal] for signal in unit.outputs[RESULT])


def _renamed(synapses: Synapses, signals: Sequence[int]) -> Synapses:
    """Synapses from other signals; those from one, which two operands may be, are one synapse."""
    weights: dict[int, Weight] = defaultdict(int)
    for source, weight in synapses:
        weights[signals[source]] += weight
    return tuple((source, weight) for source, weight in weights.items() if weight)
