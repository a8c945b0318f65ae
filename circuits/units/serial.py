"""Bit-serial integer units: clocked circuits that take and give a bit in each step, the lowest first.

Each has a state that begins as 0. ``specs.integers`` states what they compute once unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from spikeproof.circuits.clocked import (
    ClockedNetlist,
    Schedule,
    buses_of,
    held,
    in_turn,
    train,
    unrolled,
)
from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.circuits.units.integer import adder_cell, partial_product
from spikeproof.circuits.units.libraries import GateLibrary, library_gates

START = "start"
"""An input of one bit: whether states are read as what they begin as, whatever they were."""


def fresh(gates: GateLibrary, start: int, state: Bus) -> Bus:
    """A state, or 0 in the step in which the circuit is started again."""
    kept = gates.not_(start)
    return tuple(gates.and_(bit, kept) for bit in state)


def _states(gates: GateLibrary, start: bool, **widths: int) -> tuple[Bus, ...]:
    """Input buses for states, as they are to be read; before them ``START``, if it is asked for."""
    signal = gates.builder.input(START, 1)[0] if start else None
    buses = [gates.builder.input(name, width) for name, width in widths.items()]
    return tuple(bus if signal is None else fresh(gates, signal, bus) for bus in buses)


def serial_adder(library: str, start: bool = False) -> ClockedNetlist:
    """x + y: one full adder that reads its own carry of the step before. Outputs ``sum``."""
    gates = library_gates(library)
    (x,), (y,) = (gates.builder.input(name, 1) for name in "xy")
    ((carry,),) = _states(gates, start, carry=1)
    total, above = gates.full_adder(x, y, carry)
    return ClockedNetlist(gates.builder.build({"sum": (total,), "carry": (above,)}), {"carry": 0})


def serial_comparator(library: str, start: bool = False) -> ClockedNetlist:
    """Whether x < y, of the bits so far: what is higher decides, where it differs."""
    gates = library_gates(library)
    (x,), (y,) = (gates.builder.input(name, 1) for name in "xy")
    ((less,),) = _states(gates, start, less=1)
    less_now = gates.majority(gates.not_(x), y, less)
    return ClockedNetlist(gates.builder.build({"less": (less_now,)}), {"less": 0})


def serial_multiplier(library: str, width: int, start: bool = False) -> ClockedNetlist:
    """x * y, of bits of x and the whole of y: a full adder for each bit of y, in a row.

    Output ``product``. What the row has added up so far moves down by a place in each step, and carries
    stay where they are.
    """
    gates = library_gates(library)
    (x,), y = gates.builder.input("x", 1), gates.builder.input("y", width)
    above, carries = _states(gates, start, above=width - 1, carries=width)
    product, above, carries = product_row(gates, x, y, above, carries)
    step = gates.builder.build({"product": (product,), "above": above, "carries": carries})
    return ClockedNetlist(step, {"above": 0, "carries": 0})


def product_row(gates: GateLibrary, bit: int, y: Bus, above: Bus, carries: Bus) -> tuple[int, Bus, Bus]:
    """A step of a product: its bit, and what is above it, and carries, for the next."""
    sums, kept = [], []
    for place, high, carry in zip(y, (*above, ZERO), carries, strict=True):
        total, left = adder_cell(gates, partial_product(gates, bit, place), high, carry)
        sums.append(total)
        kept.append(left)
    return sums[0], tuple(sums[1:]), tuple(kept)


@dataclass(frozen=True)
class SerialUnit:
    """A bit-serial unit.

    Attributes:
        make: from a library, the width of words, and whether it can be started again, the circuit.
        steps: of a width, how many it runs.
        outputs: of a width, the words that it gives.
        held: inputs of which all bits are there in each step.
    """

    make: Callable[[str, int, bool], ClockedNetlist]
    steps: Callable[[int], int]
    outputs: Callable[[int], dict[str, list[tuple[int, str, int]]]]
    held: tuple[str, ...] = ()

    def schedule(self, clocked: ClockedNetlist, width: int, again: bool = False) -> Schedule:
        """Words x and y, bit by bit, in a circuit that begins; or is started again after anything."""
        steps = self.steps(width)
        words = {"x": width, "y": width}
        inputs = {
            name: held(bus, steps) if name in self.held else in_turn(bus, steps)
            for name, bus in buses_of(words).items()
        }
        if not again:
            return Schedule(words, inputs, self.outputs(width))
        states = {name: clocked.step.inputs[name] for name in clocked.initial}
        buses = buses_of({**words, **states})
        inputs[START] = in_turn((ONE,), steps)
        before = {name: buses[name] for name in states}
        return Schedule({**words, **states}, inputs, self.outputs(width), before)


SERIAL_UNITS: dict[str, SerialUnit] = {
    "add": SerialUnit(
        lambda library, width, start: serial_adder(library, start),
        steps=lambda width: width,
        outputs=lambda width: {"sum": train("sum", range(width)), "carry": [(width - 1, "carry", 0)]},
    ),
    "less_than": SerialUnit(
        lambda library, width, start: serial_comparator(library, start),
        steps=lambda width: width,
        outputs=lambda width: {"out": [(width - 1, "less", 0)]},
    ),
    "multiply": SerialUnit(
        serial_multiplier,
        steps=lambda width: 2 * width,
        outputs=lambda width: {"product": train("product", range(2 * width))},
        held=("y",),
    ),
}
"""By operation, as in ``specs.integers.BLOCKS``."""


def serial_netlist(library: str, operation: str, width: int, again: bool = False) -> Netlist:
    """A bit-serial unit unrolled: inputs ``x`` and ``y``, outputs as of the block of its name.

    It has all that its cells give: the algebra of products asks for carries that are 0 in the end.

    Args:
        again: of a circuit that is started again in its first step: what states were before it are
            inputs too, by their names.
    """
    unit = SERIAL_UNITS[operation]
    clocked = unit.make(library, width, again)
    netlist = unrolled(clocked, unit.schedule(clocked, width, again), keep_cells=True)
    words = {name: netlist.input_buses[name] for name in "xy"}
    return replace(netlist, probes={**netlist.probes, **words, **netlist.outputs})
