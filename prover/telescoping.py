"""Integer products by algebra instead of search.

Every adder cell of a multiplier satisfies a + b + c = sum + 2 carry, and every partial product is the
product of two bits. Both are checked for each cell, on its neurons, for all values of its inputs. Adding
up w times the equation of each cell, with the right weight w, everything cancels but

    sum over k of 2^k product[k]  =  sum over i, j of 2^(i+j) x[i] y[j].

The list of (cell, weight) is the log: anyone may add it up again. Linear in the number of cells.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product as all_choices

from circuits.netlist import ONE, ZERO, Block, Netlist

BUSES = {"full_adder": (("a", "b", "c"), ("carry", "sum")), "and": (("a", "b"), ("out",))}
"""Input and output buses of each kind of cell, all of one bit."""

DEEPEST_CELL = 100
"""Neurons on the longest path through a cell that is looked at."""


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
        if cell.kind != "full_adder":
            continue
        _require_form(cell, "full_adder")
        if weight := coefficients[cell.outputs["sum"][0]]:
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
    for index, weight in log.weights:
        cell = netlist.cells[index]
        _check_cell(netlist, cell, "full_adder")
        _add_equation(coefficients, cell, weight)
    # What is left must be the partial products, each with the weight of its two bits.
    del coefficients[ZERO]
    found: Counter[frozenset[int]] = Counter()
    partial_products = {
        signal: cell
        for cell in netlist.cells
        if cell.kind == "and"
        for signal in cell.outputs.get("out", ())
    }
    for signal, coefficient in coefficients.items():
        if coefficient == 0:
            continue
        if signal not in partial_products:
            raise TelescopingError(
                f"{block.name}: signal {signal} is left over with weight {coefficient}"
            )
        cell = partial_products[signal]
        _check_cell(netlist, cell, "and")
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
    for name in "abc":
        coefficients[cell.inputs[name][0]] += weight
    coefficients[cell.outputs["sum"][0]] -= weight
    coefficients[cell.outputs["carry"][0]] -= 2 * weight


def _require_form(cell: Block, kind: str) -> None:
    """Refuse a cell that has other buses than its kind."""
    buses = (tuple(sorted(cell.inputs)), tuple(sorted(cell.outputs)))
    one_bit_each = all(len(bus) == 1 for bus in (*cell.inputs.values(), *cell.outputs.values()))
    if cell.kind != kind or buses != BUSES[kind] or not one_bit_each:
        raise TelescopingError(f"{cell.name} is not a {kind} cell")


def _check_cell(netlist: Netlist, cell: Block, kind: str) -> None:
    """Check a cell's equation on all values of its inputs."""
    _require_form(cell, kind)
    names = BUSES[kind][0]
    for values in all_choices((0, 1), repeat=len(names)):
        known = {ZERO: 0, ONE: 1}
        # A constant input, or two inputs that are one signal, cannot take all values.
        if any(
            known.setdefault(cell.inputs[name][0], value) != value
            for name, value in zip(names, values, strict=True)
        ):
            continue
        outputs = {n: _evaluate(netlist, bus[0], known) for n, bus in cell.outputs.items()}
        if kind == "full_adder":
            holds = sum(values) == outputs["sum"] + 2 * outputs["carry"]
        else:
            holds = values[0] * values[1] == outputs["out"]
        if not holds:
            raise TelescopingError(f"{cell.name} is wrong for inputs {values}")


def _evaluate(netlist: Netlist, signal: int, known: dict[int, int], depth: int = 0) -> int:
    """The value of a signal, from known values of others."""
    if signal not in known:
        if signal < netlist.input_count or depth > DEEPEST_CELL:
            raise TelescopingError(f"signal {signal} is outside its cell")
        neuron = netlist.neurons[signal - netlist.input_count]
        total = sum(w * _evaluate(netlist, s, known, depth + 1) for s, w in neuron.synapses)
        known[signal] = int(total + neuron.bias >= neuron.threshold)
    return known[signal]
