"""Integer products by algebra instead of search.

Every adder cell of a multiplier satisfies a + b + c = sum + 2 carry, and every partial product is the
product of two bits. Both are checked for each cell, on its neurons, for all values of its inputs. Adding
up w times the equation of each cell, with the right weight w, everything cancels but

    sum over k of 2^k product[k]  =  sum over i, j of 2^(i+j) x[i] y[j]    modulo 2^n,

n being the width of the product; as both sides are less than 2^n, they are equal. A cell may be a whole
adder too, with x + y + carry_in = sum + 2^m carry; that is a claim for the engines. The list of (cell,
weight) is the log: anyone may add it up again. Linear in the number of cells.

Circuits that were not made for this have cells of two general kinds. A cell ``linear`` has the weight of
its buses' bits for their names (``2``, ``minus4``; ``0`` for what is read and has no part in the sum):

    sum of weight * bit, over its inputs  =  sum of weight * bit, over its outputs

for all values of its inputs. An output that is UNUSED stands for some integer, whichever: the equation
then holds modulo its weight. With few inputs that is tried on all their values, else it is a claim for
the engines. Its inputs may be ONE, for a constant, and an inverter or a counter of any size is such a
cell. A cell ``function`` is any function of a few bits. As an integer it is one polynomial in them, of
degree at most one in each: its coefficients are sums and differences of the function's values. What is
left in the end must add up, monomial by monomial, to that of x y. So rows that were recoded, inverted
or extended by signs are partial products like others.

Neurons that read sums have cells of three kinds more, ``count``, ``sum`` and ``digits``, whose equations
are those of a cell ``linear`` but need hold only where counts are in order: see
``prover.kernel.counting``.

The argument is proved in Coq: ``proofs/mechanised/telescoping.v``.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product as all_choices
from itertools import zip_longest

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVAdd, BVConcat, BVExtract, BVNot, Equals

from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Bus, Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, Site, free_cell, require_form
from spikeproof.prover.kernel.counting import (
    KINDS,
    Order,
    free_sum,
    order_of,
    require_count,
    require_digits,
)
from spikeproof.specs.symbolic import zero_extend

BUSES = {
    "and": (("a", "b"), ("out",)),
    "full_adder": (("a", "b", "c"), ("sum", "carry")),
    "adder": (("x", "y", "carry_in"), ("sum", "carry")),
}
"""Input and output buses of each kind of cell, all of one bit but for those of ``adder``."""

WEIGHTED = ("linear", *KINDS)
"""The kinds of cell whose buses are named by weights."""

EQUATIONS = ("full_adder", "adder", *WEIGHTED)
"""The kinds of cell that have an equation; the others are partial products."""

FEW_INPUTS = 8
"""A cell of so many different inputs is tried on all their values; of more, it is put to the engines."""

WEIGHT = re.compile(r"(?P<minus>minus)?(?P<size>0|[1-9][0-9]*)")
"""How a bus of a cell ``linear`` is called."""

DEEPEST_CELL = 100
"""Neurons on the longest path through a cell of one bit that is looked at."""


@dataclass(frozen=True)
class Log:
    """The weight of each cell's equation, by the cell's position in the netlist's cells."""

    weights: tuple[tuple[int, int], ...]


def product_claims(site: Site) -> Mapping[str, Claim]:
    """What remains to be proved for the result to be the operands' product: that large cells add.

    Args:
        site: both factors, and their product as wide as both; no facts are needed.

    Raises:
        AlgebraError: if the equations do not add up.
    """
    netlist, (x, y), (product,) = site.netlist, site.operands, site.results
    log = derive(netlist, product)
    check(netlist, x, y, product, log)
    adders = [cell for cell in (netlist.cells[i] for i, _ in log.weights) if _is_large(cell)]
    claim_of: dict[str, Callable[[Netlist, Block], Claim]] = {
        "adder": _adder_claim,
        "linear": _linear_claim,
        "sum": partial(_sum_claim, order=order_of(netlist)),
    }
    claims = {f"{cell.name} adds": claim_of[cell.kind](netlist, cell) for cell in adders}
    if len(claims) < len(adders):  # one would stand for the other
        raise AlgebraError("two adders have one name, or one is counted twice")
    return claims


def _is_large(cell: Block) -> bool:
    """Whether the equation of a cell is left to the engines."""
    return cell.kind in ("adder", "sum") or (cell.kind == "linear" and len(_inputs(cell)) > FEW_INPUTS)


def _adder_claim(netlist: Netlist, cell: Block) -> Claim:
    """x + y + carry_in = sum + 2^m carry."""
    adder = free_cell(netlist, cell)
    total = adder.outputs["sum"]
    if "carry" in adder.outputs:  # else the equation holds modulo 2^m
        total = BVConcat(adder.outputs["carry"], total)
    summands = (zero_extend(word, total.bv_width()) for word in adder.inputs.values())
    return Claim(adder.symbols, Equals(total, BVAdd(*summands)))


def _linear_claim(netlist: Netlist, cell: Block) -> Claim:
    """That the inputs' sum is the outputs', in enough bits that a difference between them shows."""
    free = free_cell(netlist, cell)
    width = _width(cell)
    given, found = (_weighted_sum(buses, width) for buses in (free.inputs, free.outputs))
    return Claim(free.symbols, Equals(found, given))


def _sum_claim(netlist: Netlist, cell: Block, order: Order) -> Claim:
    """The same of a cell that reads counts."""
    free, facts = free_sum(netlist, cell, _given(cell), order)
    width = _width(cell)
    given, found = (_weighted_sum(buses, width) for buses in (free.inputs, free.outputs))
    return Claim(free.symbols, Equals(found, given), facts)


def _given(cell: Block) -> Counter[int]:
    """What the inputs of a cell weigh whose buses are named by weights."""
    given: Counter[int] = Counter()
    for name, bus in cell.inputs.items():
        for signal in bus:
            given[signal] += _weight(name)
    return given


def _width(cell: Block) -> int:
    """In how many bits a difference between the two sides of a cell's equation shows."""
    modulus = _modulus(cell)
    if modulus & (modulus - 1):
        raise AlgebraError(f"{cell.name} is to hold modulo {modulus}, which is no power of 2")
    most = sum(abs(coefficient) for _, coefficient in _terms(cell))
    return max(1, modulus.bit_length() - 1 if modulus else most.bit_length())


def _weighted_sum(buses: Mapping[str, FNode], width: int) -> FNode:
    """The sum of bits by weight, modulo 2^width: as few words as hold them, and a constant.

    A bit of negative weight counts as its negation does: -w b = w (1 - b) - w.
    """
    columns: list[list[FNode]] = [[] for _ in range(width)]
    constant = 0
    for name, bus in buses.items():
        weight = _weight(name)
        word = bus if weight > 0 else BVNot(bus)
        constant += min(weight, 0) * bus.bv_width()
        for place, column in enumerate(columns):
            if abs(weight) >> place & 1:
                column.extend(BVExtract(word, k, k) for k in range(bus.bv_width()))
    total = BV(constant % (1 << width), width)
    for row in zip_longest(*columns, fillvalue=BV(0, 1)):
        word = row[0]
        for bit in row[1:]:
            word = BVConcat(bit, word)
        total = BVAdd(total, word)
    return total


def derive(netlist: Netlist, product: Bus) -> Log:
    """Find the weights, from the outputs of a multiplier back to its partial products."""
    modulus = 1 << len(product)
    coefficients = Counter({signal: 1 << k for k, signal in enumerate(product)})
    weights = []
    for index in reversed(range(len(netlist.cells))):
        cell = netlist.cells[index]
        if cell.kind not in EQUATIONS:
            continue
        _require_form(cell)
        signal, unit = next(_units(cell), (ZERO, 1))
        if weight := coefficients[signal] * unit % modulus:
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
    order = order_of(netlist)
    for index, weight in log.weights:
        cell = netlist.cells[index]
        if cell.kind not in EQUATIONS:
            raise AlgebraError(f"{cell.name} has no equation to add up")
        _check_cell(netlist, cell, order)
        _add_equation(coefficients, cell, weight, modulus)
    # What is left must be the partial products, each with the weight of its two bits.
    del coefficients[ZERO]
    found: Counter[Monomial] = Counter({frozenset(): coefficients.pop(ONE)})
    partial_products = {
        signal: cell
        for cell in netlist.cells
        if cell.kind in ("and", "function")
        for signal in cell.outputs.get("out", ())
    }
    for signal, coefficient in coefficients.items():
        if coefficient % modulus == 0:
            continue
        if signal not in partial_products:
            raise AlgebraError(f"signal {signal} is left over with weight {coefficient}")
        for monomial, factor in _monomials(netlist, partial_products[signal]).items():
            found[monomial] += coefficient * factor
    wanted = Counter({frozenset((a, b)): 1 << (i + j) for i, a in enumerate(x) for j, b in enumerate(y)})
    if len({*x, *y}) < len(x) + len(y):
        raise AlgebraError("an input bit of the product occurs twice")
    if any((found[each] - wanted[each]) % modulus for each in {*found, *wanted}):
        raise AlgebraError("the partial products do not make up x * y")


Monomial = frozenset[int]
"""The signals that are multiplied; none for the constant."""


def _monomials(netlist: Netlist, cell: Block) -> dict[Monomial, int]:
    """The polynomial that a partial product is of its inputs."""
    _check_cell(netlist, cell, {})
    if cell.kind == "and":
        return {frozenset((cell.inputs["a"][0], cell.inputs["b"][0])): 1}
    inputs, out = _inputs(cell), cell.outputs["out"][0]
    # By the set of the inputs that are 1; then, input by input, less the value where it is 0.
    coefficients = {
        frozenset(s for s in inputs if known[s]): _evaluate(netlist, out, known)
        for known in _assignments(inputs)
    }
    for signal in inputs:
        for monomial in coefficients:
            if signal in monomial:
                coefficients[monomial] -= coefficients[monomial - {signal}]
    return coefficients


def _inputs(cell: Block) -> list[int]:
    """The signals that a cell reads, constants aside."""
    return sorted({signal for bus in cell.inputs.values() for signal in bus} - {ZERO, ONE})


def _assignments(signals: Iterable[int]) -> Iterator[dict[int, int]]:
    """All values of signals, and those of the constants."""
    names = list(signals)
    for values in all_choices((0, 1), repeat=len(names)):
        yield {ZERO: 0, ONE: 1, **dict(zip(names, values, strict=True))}


def _weight(name: str) -> int:
    """The weight that the bits of a bus of this name have."""
    found = WEIGHT.fullmatch(name)
    if not found:
        raise AlgebraError(f"{name!r} is no weight")
    return -int(found["size"]) if found["minus"] else int(found["size"])


def _modulus(cell: Block) -> int:
    """Modulo what the equation of a cell ``linear`` holds; 0 if as it stands."""
    return math.gcd(*(_weight(name) for name, bus in cell.outputs.items() if UNUSED in bus))


def _units(cell: Block) -> Iterator[tuple[int, int]]:
    """Outputs of weight 1 or -1 in a cell's equation: its weight follows from what they are owed."""
    if cell.kind not in WEIGHTED:
        yield cell.outputs["sum"][0], 1
        return
    for name, bus in cell.outputs.items():
        if abs(_weight(name)) == 1:
            yield from ((signal, _weight(name)) for signal in bus)


def _terms(cell: Block) -> Iterator[tuple[int, int]]:
    """Signals and their coefficients in a cell's equation: inputs less outputs, which is zero."""
    if cell.kind in WEIGHTED:
        for sign, buses in ((1, cell.inputs), (-1, cell.outputs)):
            for name, bus in buses.items():
                yield from ((signal, sign * _weight(name)) for signal in bus)
        return
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
    if cell.kind in (*WEIGHTED, "function") and UNUSED in _inputs(cell):
        raise AlgebraError(f"{cell.name} has input bits that nothing reads")
    if cell.kind in WEIGHTED:
        for name in (*cell.inputs, *cell.outputs):
            _weight(name)
        return
    if cell.kind == "function":
        require_form(cell, ("in",), ("out",))
        if len(cell.outputs["out"]) != 1 or len(_inputs(cell)) > FEW_INPUTS:
            raise AlgebraError(f"{cell.name} is not one bit of at most {FEW_INPUTS}")
        return
    require_form(cell, *BUSES[cell.kind])
    widths = {name: len(bus) for name, bus in (*cell.inputs.items(), *cell.outputs.items())}
    one_bit = widths if cell.kind != "adder" else ("carry_in", "carry")
    if any(widths[name] != 1 for name in one_bit):
        raise AlgebraError(f"{cell.name} has a bus of more than one bit")
    if cell.kind == "adder" and not widths["x"] == widths["y"] == widths["sum"]:
        raise AlgebraError(f"{cell.name} has buses of different widths")


def _check_cell(netlist: Netlist, cell: Block, order: Order) -> None:
    """Check the equation of a small cell on all values of its inputs; large ones are left to a claim.

    Those of counts and digits are seen on their neurons.
    """
    _require_form(cell)
    if cell.kind == "function" or _is_large(cell):
        return  # any function will do
    if cell.kind in ("count", "digits"):
        require = require_count if cell.kind == "count" else require_digits
        require(netlist, cell, _given(cell), order)
        return
    if cell.kind == "linear":
        _check_linear(netlist, cell)
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


def _check_linear(netlist: Netlist, cell: Block) -> None:
    terms = [(signal, weight) for signal, weight in _terms(cell) if signal != UNUSED]
    modulus = _modulus(cell)
    for known in _assignments(_inputs(cell)):
        shown = tuple(known.values())[2:]
        difference = sum(weight * _evaluate(netlist, signal, known) for signal, weight in terms)
        if difference % modulus if modulus else difference:
            raise AlgebraError(f"{cell.name} is wrong for inputs {shown}")


def _evaluate(netlist: Netlist, signal: int, known: dict[int, int], depth: int = 0) -> int:
    """The value of a signal, from known values of others."""
    if signal not in known:
        if signal < netlist.input_count or depth > DEEPEST_CELL:
            raise AlgebraError(f"signal {signal} is outside its cell")
        neuron = netlist.neurons[signal - netlist.input_count]
        total = sum(w * _evaluate(netlist, s, known, depth + 1) for s, w in neuron.synapses)
        known[signal] = int(total + neuron.bias >= neuron.threshold)
    return known[signal]
