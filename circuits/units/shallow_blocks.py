"""Blocks that shallow structures alone have, on their own, as ``integer.block_netlist`` has the others.

Within units they read forms and give forms, and so have no buses there at which a proof could be cut.
``specs.integers`` states what each computes, under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.circuits.units import shallow
from spikeproof.circuits.units.copies import built
from spikeproof.circuits.units.forms import (
    ALWAYS,
    Bits,
    all_of,
    any_of,
    bits,
    number,
    signal,
    signals,
)
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.libraries import (
    SHALLOW,
    GateLibrary,
    Structure,
    library_gates,
)
from spikeproof.circuits.units.shallow import Shifted, Thermometer, step_for


def sum_or_difference(gates: GateLibrary, x: Bits, y: Bits, opposite: Bits, borrow: Bits) -> Buses:
    """x + y, or x - y - borrow where ``opposite`` is 1 and that is not negative."""
    places = gates.structure.places
    found, carry = shallow.sum_or_difference(gates, x, y, opposite[0], borrow[0], places)
    return {"sum": signals(gates, found), "carry": (signal(gates, carry),)}


def excess(gates: GateLibrary, x: Bits, y: Bits) -> Buses:
    """The thermometer of x - y, as far as there are places: whether it is 1 or more, 2 or more, ..."""
    count = shallow.excess(gates, number(x), number(y), len(x), ALWAYS)
    return {"at_least": signals(gates, count.steps[1:])}


def shift_either(gates: GateLibrary, x: Bits, y: Bits, which: Bits, amount: Bits) -> Buses:
    """x, or y where ``which`` is 1, shifted right; ``sticky`` says whether any set bit was lost."""
    steps = shallow.thermometer(gates, amount, len(x)).steps[1:]
    parts = [
        Shifted(each, Thermometer((chosen, *(all_of(gates, step, chosen) for step in steps))))
        for each, chosen in ((x, 1 - which[0]), (y, which[0]))
    ]
    moved = shallow.shift_right(gates, *parts, step=step_for(len(x)))
    lost = (
        each
        for part in parts
        for each in shallow.any_chosen(gates, part.x, part.count.steps[1:], gates.structure.places)
    )
    return {"shifted": signals(gates, moved), "sticky": (signal(gates, any_of(gates, *lost)),)}


SHALLOW_BLOCKS: dict[str, Callable[..., dict[str, Bus]]] = {
    "sum_or_difference": sum_or_difference,
    "excess": excess,
    "shift_either": shift_either,
}
"""Every such block by kind."""


def shallow_block_netlist(
    library: str, kind: str, widths: Mapping[str, int], structure: Structure = SHALLOW
) -> Netlist:
    """A block on its own, with input buses of the given widths.

    Raises:
        KeyError: if the library or the kind does not exist.
        ValueError: if the library has no such structure.
    """
    gates = library_gates(library, structure)
    buses = {name: bits(gates.builder.input(name, width)) for name, width in widths.items()}
    return built(gates, SHALLOW_BLOCKS[kind](gates, **buses))
