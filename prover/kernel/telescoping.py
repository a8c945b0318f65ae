"""Integer products by algebra instead of search.

Every adder cell of a multiplier satisfies a + b + c = sum + 2 carry, and every partial product is the
product of two bits. Both are checked for each cell, on its neurons, for all values of its inputs. Adding
up w times the equation of each cell, with the right weight w, everything cancels but

    sum over k of 2^k product[k]  =  sum over i, j of 2^(i+j) x[i] y[j]    modulo 2^n,

n being the width of the product; as both sides are less than 2^n, they are equal. A cell may be a whole
adder too, with x + y + carry_in = sum + 2^m carry; that is a claim for the engines. The list of (cell,
weight) is the log: anyone may add it up again. Linear in the number of cells.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product as all_choices

from pysmt.shortcuts import BVAdd, BVConcat, Equals

from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Bus, Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, Site, free_cell, require_form
from spikeproof.specs.symbolic import zero_extend

BUSES = {
    "and": (("a", "b"), ("out",)),
    "full_adder": (("a", "b", "c"), ("sum", "carry")),
    "adder": (("x", "y", "carry_in"), ("sum", "carry")),
}
"""Input and output buses of each kind of cell, all of one bit but for those of ``adder``."""

DEEPEST_CELL = 100
"""Neurons on the longest path through a cell of one bit that is looked at."""


@dataclass(frozen=True)
class Log:
    """The weight of each adder cell's equation, by the cell's position in the netlist's cells."""

    weights: tuple[tuple[int, int], ...]


def product_claims(site: Site) -> Mapping[str, Claim]:
    """What remains to be proved for the result to be the operands' product: that whole adders add.

    Args:
        site: both factors, and their product as wide as both; no facts are needed.

    Raises:
        AlgebraError: if the equations do not add up.
    """
    netlist, (x, y), (product,) = site.netlist, site.operands, site.results
    log = derive(netlist, product)
    check(netlist, x, y, product, log)
    adders = [cell for cell in (netlist.cells[i] for i, _ in log.weights) if cell.kind == "adder"]
    claims = {f"{cell.name} adds": _adder_claim(netlist, cell) for cell in adders}
    if len(claims) < len(adders):  # one would stand for the other
        raise AlgebraError("two adders have one name, or one is counted twice")
    return claims


def _adder_claim(netlist: Netlist, cell: Block) -> Claim:
    """x + y + carry_in = sum + 2^m carry."""
    adder = free_cell(netlist, cell)
    total = adder.outputs["sum"]
    if "carry" in adder.outputs:  # else the equation holds modulo 2^m
        total = BVConcat(adder.outputs["carry"], total)
    summands = (zero_extend(word, total.bv_width()) for word in adder.inputs.values())
    return Claim(adder.symbols, Equals(total, BVAdd(*summands)))


def derive(netlist: Netlist, product: Bus) -> Log:
    """Find the weights, from the outputs of a multiplier back to its partial products."""
    modulus = 1 << len(product)
    coefficients = Counter({signal: 1 << k for k, signal in enumerate(product)})
    weights = []
    for index in reversed(range(len(netlist.cells))):
        cell = netlist.cells[index]
        if cell.kind not in ("full_adder", "adder"):
            continue
        _require_form(cell)
        if weight := coefficients[cell.outputs["sum"][0]] % modulus:
            weights.append((index, weight))
            _add_equation(coefficients, cell, weight, modulus)
    return Log(tuple(weights))


def write_log(site: Site) -> bytes:
    """The log of a product, as JSON: a list of pairs of a cell's position and its weight.

    Weights are decimal strings, since few readers of JSON keep large integers whole.
    """
    weights = derive(site.netlist, *site.results).weights
    return json.dumps([[index, str(weight)] for index, weight in weights]).encode()


def check_log(site: Site, content: bytes) -> None:
    """Check what ``write_log`` wrote, but for the claims that whole adders add.

    Raises:
        AlgebraError: if it cannot be read, or the equations do not add up.
    """
    try:
        log = Log(tuple((int(index), int(weight)) for index, weight in json.loads(content)))
        (x, y), (product,) = site.operands, site.results
        check(site.netlist, x, y, product, log)
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError) as error:
        if isinstance(error, AlgebraError):
            raise
        raise AlgebraError(f"the log cannot be read: {error}") from None


def check(netlist: Netlist, x: Bus, y: Bus, product: Bus, log: Log) -> None:
    """Check that by the equations in a log the product of two buses is on a third.

    Raises:
        AlgebraError: if a cell is not what it says, or the equations do not add up.
    """
    if len(product) != len(x) + len(y):
        raise AlgebraError("the product is not as wide as both factors together")
    modulus = 1 << len(product)
    coefficients = Counter(dict.fromkeys((ZERO, ONE), 0))
    for k, signal in enumerate(product):
        coefficients[signal] += 1 << k
    for index, weight in log.weights:
        cell = netlist.cells[index]
        if cell.kind not in ("full_adder", "adder"):
            raise AlgebraError(f"{cell.name} has no equation to add up")
        _check_cell(netlist, cell)
        _add_equation(coefficients, cell, weight, modulus)
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
        if coefficient % modulus == 0:
            continue
        if signal not in partial_products:
            raise AlgebraError(f"signal {signal} is left over with weight {coefficient}")
        cell = partial_products[signal]
        _check_cell(netlist, cell)
        found[frozenset((cell.inputs["a"][0], cell.inputs["b"][0]))] += coefficient % modulus
    wanted = Counter({frozenset((a, b)): 1 << (i + j) for i, a in enumerate(x) for j, b in enumerate(y)})
    if len({*x, *y}) < len(x) + len(y):
        raise AlgebraError("an input bit of the product occurs twice")
    if found != wanted:
        raise AlgebraError("the partial products do not make up x * y")


def _terms(cell: Block) -> Iterator[tuple[int, int]]:
    """Signals and their coefficients in a cell's equation: inputs less outputs, which is zero."""
    for bus in cell.inputs.values():
        for place, signal in enumerate(bus):
            yield signal, 1 << place
    for place, signal in enumerate((*cell.outputs["sum"], *cell.outputs["carry"])):
        yield signal, -(1 << place)


def _add_equation(coefficients: Counter[int], cell: Block, weight: int, modulus: int) -> None:
    for signal, coefficient in _terms(cell):
        if signal != UNUSED:
            coefficients[signal] += weight * coefficient
        elif weight * coefficient % modulus:
            raise AlgebraError(f"{cell.name} has a bit that counts and that nothing reads")


def _require_form(cell: Block) -> None:
    """Refuse a cell that has other buses, or other widths, than its kind."""
    require_form(cell, *BUSES[cell.kind])
    widths = {name: len(bus) for name, bus in (*cell.inputs.items(), *cell.outputs.items())}
    one_bit = widths if cell.kind != "adder" else ("carry_in", "carry")
    if any(widths[name] != 1 for name in one_bit):
        raise AlgebraError(f"{cell.name} has a bus of more than one bit")
    if cell.kind == "adder" and not widths["x"] == widths["y"] == widths["sum"]:
        raise AlgebraError(f"{cell.name} has buses of different widths")


def _check_cell(netlist: Netlist, cell: Block) -> None:
    """Check the equation of a one-bit cell on all values of its inputs; adders are left to a claim."""
    _require_form(cell)
    if cell.kind == "adder":
        return
    names = BUSES[cell.kind][0]
    for values in all_choices((0, 1), repeat=len(names)):
        known = {ZERO: 0, ONE: 1}
        # A constant input, or two inputs that are one signal, cannot take all values.
        if any(
            known.setdefault(cell.inputs[name][0], value) != value
            for name, value in zip(names, values, strict=True)
        ):
            continue
        outputs = {n: _evaluate(netlist, bus[0], known) for n, bus in cell.outputs.items()}
        if cell.kind == "full_adder":
            holds = sum(values) == outputs["sum"] + 2 * outputs["carry"]
        else:
            holds = values[0] * values[1] == outputs["out"]
        if not holds:
            raise AlgebraError(f"{cell.name} is wrong for inputs {values}")


def _evaluate(netlist: Netlist, signal: int, known: dict[int, int], depth: int = 0) -> int:
    """The value of a signal, from known values of others."""
    if signal not in known:
        if signal < netlist.input_count or depth > DEEPEST_CELL:
            raise AlgebraError(f"signal {signal} is outside its cell")
        neuron = netlist.neurons[signal - netlist.input_count]
        total = sum(w * _evaluate(netlist, s, known, depth + 1) for s, w in neuron.synapses)
        known[signal] = int(total + neuron.bias >= neuron.threshold)
    return known[signal]
