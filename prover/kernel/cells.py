"""Sites and cells: where an algebra is to show a function, and the gates, adders and rows it adds up.

Cells come with the circuit, and nothing in them is believed: their form is checked, and their equations
are proved of their neurons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVExtract, BVType, Equals, Symbol

from spikeproof.circuits.meanings.formula import bus_formula, neuron_formula
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Bus, Netlist, OneLineError
from spikeproof.prover.claims.obligation import Step


class AlgebraError(OneLineError, ValueError):
    """The circuit is not of the form that an algebra is about; the message says where."""


@dataclass(frozen=True)
class Site:
    """Where in a circuit an algebra is to show a function.

    Attributes:
        operands, results: the buses of the function's operands, and of what is said to be its results.
        free: symbols for the operands, as the facts name them.
        facts: what is known of the operands.
    """

    netlist: Netlist
    operands: tuple[Bus, ...]
    results: tuple[Bus, ...]
    free: tuple[FNode, ...] = ()
    facts: tuple[FNode, ...] = ()

    @classmethod
    def of(
        cls,
        netlist: Netlist,
        step: Step,
        free: tuple[FNode, ...] = (),
        facts: tuple[FNode, ...] = (),
    ) -> Site:
        """Where a step is, whose operands and results are probes."""
        operands, results = (
            tuple(netlist.probes[name] for name in names) for names in (step.given, step.names)
        )
        return cls(netlist, operands, results, free, facts)


@dataclass(frozen=True)
class FreeCell:
    """A cell on its own: its buses as bit-vectors over free symbols.

    ``symbols`` are what the inputs are made of; a constant input bit, or one that repeats another, is so
    in ``inputs`` too. Output buses with bits that nothing reads are left out.
    """

    symbols: Mapping[str, FNode]
    inputs: Mapping[str, FNode]
    outputs: Mapping[str, FNode]


def require_form(cell: Block, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    """Refuse a cell that has other buses than these.

    Raises:
        AlgebraError: naming the cell.
    """
    if set(cell.inputs) != set(inputs) or set(cell.outputs) != set(outputs):
        raise AlgebraError(f"{cell.name} has other buses than a {cell.kind}")


def cells_by_inputs(
    netlist: Netlist, kind: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> dict[tuple[Bus, ...], Block]:
    """The cells of a kind, by their input buses.

    Raises:
        AlgebraError: if one has other buses than these.
    """
    found = {}
    for cell in netlist.cells:
        if cell.kind == kind:
            require_form(cell, inputs, outputs)
            found[tuple(cell.inputs[name] for name in inputs)] = cell
    return found


def free_cell(netlist: Netlist, cell: Block) -> FreeCell:
    """A cell's outputs as its neurons make them of free inputs.

    Symbols are named by kind, bus and width, so that cells of one shape have the same formulas.

    Raises:
        AlgebraError: if the outputs depend on more than the inputs.
    """
    symbols = {
        name: Symbol(f"{cell.kind}.{name}.{len(bus)}", BVType(len(bus)))
        for name, bus in cell.inputs.items()
    }
    known: dict[int, FNode] = {}
    for name, bus in cell.inputs.items():
        for index, signal in enumerate(bus):
            known.setdefault(signal, Equals(BVExtract(symbols[name], index, index), BV(1, 1)))
    if UNUSED in known:
        raise AlgebraError(f"{cell.name} has input bits that nothing reads")
    read = {name: bus for name, bus in cell.outputs.items() if UNUSED not in bus}
    for signal in cone(netlist, cell.name, read, set(known)):
        neuron = netlist.neurons[signal - netlist.input_count]
        known[signal] = neuron_formula(neuron, [known[source] for source, _ in neuron.synapses])
    inputs, outputs = (
        {name: bus_formula(known, bus) for name, bus in buses.items()} for buses in (cell.inputs, read)
    )
    return FreeCell({symbol.symbol_name(): symbol for symbol in symbols.values()}, inputs, outputs)


def cone(netlist: Netlist, cell: str, outputs: Mapping[str, Bus], boundary: set[int]) -> list[int]:
    """The neurons between a cell's inputs and outputs, in order."""
    found: set[int] = set()
    pending = [signal for bus in outputs.values() for signal in bus]
    while pending:
        signal = pending.pop()
        if signal in boundary or signal in found or signal in (ZERO, ONE):
            continue
        if signal < netlist.input_count:
            raise AlgebraError(f"{cell} depends on signal {signal}, which is not among its inputs")
        found.add(signal)
        pending.extend(source for source, _ in netlist.neurons[signal - netlist.input_count].synapses)
    return sorted(found)
