"""Integer products by algebra instead of search.

Every adder cell of a multiplier satisfies a + b + c = sum + 2 carry, and every partial product is the
product of two bits. The first is checked once for each shape of cell, on its neurons; adding up w times
that equation over all cells, with the right weight w for each, everything cancels but

    sum over k of 2^k product[k]  =  sum over i, j of 2^(i+j) x[i] y[j].

The list of (cell, weight) is the log: anyone may add it up again. Linear in the number of cells.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product as all_choices

from circuits.netlist import ONE, UNUSED, ZERO, Block, Netlist

INPUT_NAMES = {"full_adder": ("a", "b", "c"), "and": ("a", "b")}


class TelescopingError(ValueError):
    """The equations do not add up to a product; the message says where."""


@dataclass(frozen=True)
class Log:
    """The weight of each adder cell's equation, by the cell's position in the netlist's cells."""

    weights: tuple[tuple[int, int], ...]


def derive(netlist: Netlist, block: Block) -> Log:
    """Find the weights, from the outputs of a multiplier back to its partial products."""
    coefficients = Counter({s: 1 << k for k, s in enumerate(block.outputs["product"])})
    weights = []
    for index in reversed(range(len(netlist.cells))):
        cell = netlist.cells[index]
        if cell.kind == "full_adder" and (weight := coefficients[cell.outputs["sum"][0]]):
            weights.append((index, weight))
            _add_equation(coefficients, cell, weight)
    return Log(tuple(weights))


def check(netlist: Netlist, block: Block, log: Log) -> None:
    """Check that a multiplier's output is the product of its inputs, by a log.

    Raises:
        TelescopingError: if a cell is not an adder, or the equations do not add up.
    """
    coefficients = Counter(dict.fromkeys((ZERO, ONE), 0))
    for k, signal in enumerate(block.outputs["product"]):
        coefficients[signal] += 1 << k
    shapes: set[object] = set()
    for index, weight in log.weights:
        cell = netlist.cells[index]
        if cell.kind != "full_adder":
            raise TelescopingError(f"{cell.name} is no adder cell")
        _check_cell(netlist, cell, shapes)
        _add_equation(coefficients, cell, weight)
    # What is left must be the partial products, each with the weight of its two bits.
    del coefficients[ZERO]
    found: Counter[frozenset[int]] = Counter()
    partial_products = {c.outputs["out"][0]: c for c in netlist.cells if c.kind == "and"}
    for signal, coefficient in coefficients.items():
        if coefficient == 0:
            continue
        if signal not in partial_products:
            raise TelescopingError(
                f"{block.name}: signal {signal} is left over with weight {coefficient}"
            )
        cell = partial_products[signal]
        _check_cell(netlist, cell, shapes)
        found[frozenset((cell.inputs["a"][0], cell.inputs["b"][0]))] += coefficient
    wanted = Counter(
        {
            frozenset((a, b)): 1 << (i + j)
            for i, a in enumerate(block.inputs["x"])
            for j, b in enumerate(block.inputs["y"])
        }
    )
    if len({*block.inputs["x"], *block.inputs["y"]}) < sum(map(len, block.inputs.values())):
        raise TelescopingError(f"{block.name}: an input bit occurs twice")
    if found != wanted:
        raise TelescopingError(f"{block.name}: the partial products do not make up x * y")


def _add_equation(coefficients: Counter[int], cell: Block, weight: int) -> None:
    """Add weight * (a + b + c - sum - 2 carry), which is zero."""
    for name, multiple in (("a", 1), ("b", 1), ("c", 1), ("sum", -1), ("carry", -2)):
        (signal,) = {**cell.inputs, **cell.outputs}[name]
        coefficients[signal] += multiple * weight


def _check_cell(netlist: Netlist, cell: Block, shapes: set[object]) -> None:
    """Check a cell's equation on all values of its inputs, once for each shape of its neurons."""
    shape = _shape(netlist, cell)
    if shape in shapes:
        return
    names = INPUT_NAMES[cell.kind]
    for values in all_choices((0, 1), repeat=len(names)):
        known = {ZERO: 0, ONE: 1}
        consistent = True
        for name, value in zip(names, values, strict=True):
            consistent &= known.setdefault(cell.inputs[name][0], value) == value
        if not consistent:
            continue  # a constant input, or two inputs that are one signal
        outputs = {n: _evaluate(netlist, bus[0], known) for n, bus in cell.outputs.items()}
        if cell.kind == "full_adder":
            holds = sum(values) == outputs["sum"] + 2 * outputs["carry"]
        else:
            holds = values[0] * values[1] == outputs["out"]
        if not holds:
            raise TelescopingError(f"{cell.name} is wrong for inputs {values}")
    shapes.add(shape)


def _evaluate(netlist: Netlist, signal: int, known: dict[int, int]) -> int:
    """The value of a signal, from known values of others."""
    if signal not in known:
        if signal < netlist.input_count:
            raise TelescopingError(f"signal {signal} is outside its cell")
        neuron = netlist.neurons[signal - netlist.input_count]
        total = sum(w * _evaluate(netlist, s, known) for s, w in neuron.synapses)
        known[signal] = int(total + neuron.bias >= neuron.threshold)
    return known[signal]


def _shape(netlist: Netlist, cell: Block) -> object:
    """The cell up to renaming of signals: its neurons in a fixed order, inputs numbered."""
    number: dict[int, int] = {ZERO: -1, ONE: -2, UNUSED: -3}
    for name in INPUT_NAMES[cell.kind]:
        number.setdefault(cell.inputs[name][0], len(number))
    inputs = tuple(number[cell.inputs[name][0]] for name in INPUT_NAMES[cell.kind])
    neurons = []

    def visit(signal: int) -> int:
        if signal not in number:
            if signal < netlist.input_count:
                raise TelescopingError(f"{cell.name} reads signal {signal}, outside the cell")
            neuron = netlist.neurons[signal - netlist.input_count]
            synapses = tuple((visit(s), w) for s, w in neuron.synapses)
            number[signal] = len(number)
            neurons.append((number[signal], synapses, neuron.threshold, neuron.bias))
        return number[signal]

    outputs = tuple(visit(bus[0]) for bus in cell.outputs.values())
    return cell.kind, inputs, outputs, tuple(neurons)
