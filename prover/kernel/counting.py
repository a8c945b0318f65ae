"""Counts: neurons that read one sum and say whether it reaches 1, 2, 3, ...; and sums of such counts.

The steps t_1, t_2, ... of a count read the same synapses, and their thresholds rise. So they are *in
order*: whatever the sum is, t_k is 1 only if all before it are. That is seen on the neurons, and all
that follows rests on it. A cell ``count`` has buses named by weights, as a cell ``linear`` has; its
outputs are steps of weight 1, the k-th of which is

    t_k  =  [sum of weight * bit, over its inputs  >=  k]

and all of them together are that sum if it is never negative and never more than there are steps. The
range of a sum whose bits are steps of earlier counts is that of its partial sums along each of these:
so t_1 - t_2 + t_3 is 0 or 1, the last bit of a count of up to 3. A structural check, no search.

A cell ``digits`` has the digits of such a sum instead, of weights 1, 2, 4, ..., each found by a neuron
that reads all of the sum and the digits above it: see ``prover.kernel.searching``.

A cell ``sum`` may read steps of counts likewise, and is a claim for the engines. In it a count is a
word n of as few bits as hold it, and t_k is [n >= k]: which says that the steps are in order and no
more. Where the weights with which a neuron reads steps add up, for every count, to a sum of bits of n,
it reads these instead.

The argument is proved in Coq: ``proofs/mechanised/counting.v``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, pairwise

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVUGE, BVULE, BVConcat, BVExtract, BVType, Equals, Ite, Symbol

from spikeproof.circuits.meanings.formula import bus_formula, neuron_formula
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Netlist, Neuron, Weight
from spikeproof.prover.kernel.cells import AlgebraError, FreeCell, cone
from spikeproof.prover.kernel.searching import polynomial, require_search

KINDS = ("count", "sum", "digits")

Order = Mapping[int, tuple[int, int]]
"""Of each step of a count: the position of its cell, and which step it is, from 1."""

Weights = Mapping[int, Weight]
"""By signal."""


def order_of(netlist: Netlist) -> Order:
    """The steps of all cells ``count``.

    Raises:
        AlgebraError: if those of a cell are not in order.
    """
    order: dict[int, tuple[int, int]] = {}
    for index, cell in enumerate(netlist.cells):
        if cell.kind == "count":
            steps = _steps(netlist, cell)
            for lower, higher in pairwise(map(_sum_and_least, steps)):
                if lower[0] != higher[0] or lower[1] > higher[1]:
                    raise AlgebraError(f"the steps of {cell.name} are not in order")
            for k, signal in enumerate(cell.outputs["1"], 1):
                order.setdefault(signal, (index, k))
    return order


def _steps(netlist: Netlist, cell: Block) -> list[Neuron]:
    if set(cell.outputs) != {"1"} or min(cell.outputs["1"]) < netlist.input_count:
        raise AlgebraError(f"{cell.name} has outputs that are no steps of a count")
    return [netlist.neurons[signal - netlist.input_count] for signal in cell.outputs["1"]]


def _sum_and_least(neuron: Neuron) -> tuple[Weights, Weight]:
    """What a neuron adds up, and what that has to reach."""
    return dict(neuron.synapses), neuron.threshold - neuron.bias


def require_count(netlist: Netlist, cell: Block, given: Weights, order: Order) -> None:
    """Refuse a cell whose steps are not together the sum of what it reads.

    Raises:
        AlgebraError: naming the cell.
    """
    for k, neuron in enumerate(_steps(netlist, cell), 1):
        read, least = _sum_and_least(neuron)
        if read != given or not k - 1 < least <= k:
            raise AlgebraError(f"step {k} of {cell.name} is another neuron")
    low, high = range_of(given, order)
    if low < 0 or high > len(cell.outputs["1"]):
        raise AlgebraError(f"what {cell.name} counts is not within its steps")


def require_digits(netlist: Netlist, cell: Block, given: Weights, order: Order) -> None:
    """Refuse a cell whose digits are not those of the sum of what it reads.

    Raises:
        AlgebraError: naming the cell.
    """
    places = [cell.outputs.get(str(1 << k), ()) for k in range(len(cell.outputs))]
    if any(len(bus) != 1 for bus in places):
        raise AlgebraError(f"{cell.name} has outputs that are no digits")
    digits = tuple(signal for bus in places for signal in bus)
    bits = {signal: weight for signal, weight in given.items() if signal not in (ZERO, ONE)}
    low, high = (each + given.get(ONE, 0) for each in range_of(bits, order))
    if low < 0 or high >= 1 << len(digits):
        raise AlgebraError(f"what {cell.name} adds up is not within its digits")
    require_search(netlist, digits, polynomial(given.items()), lambda d: d, {*given, *digits})


def range_of(weights: Weights, order: Order) -> tuple[Weight, Weight]:
    """What a sum of signals is at least and at most, where steps of counts are in order."""
    sums = [
        list(accumulate((weights[signal] for _, signal in steps), initial=0))
        for steps in _by_count(weights, order).values()
    ]
    return sum(map(min, sums)), sum(map(max, sums))


Group = tuple[int, ...]
"""A count, by the position of its cell; or a signal that is a step of none, as (-1, signal)."""


def _group(signal: int, order: Order) -> tuple[Group, int]:
    """The count of which a signal is a step, and which one."""
    if signal not in order:
        return (-1, signal), 1
    index, k = order[signal]
    return (index,), k


def _by_count(signals: Iterable[int], order: Order) -> dict[Group, list[tuple[int, int]]]:
    """Steps by count, in order, each with its signal."""
    groups: dict[Group, list[tuple[int, int]]] = defaultdict(list)
    for signal in signals:
        group, k = _group(signal, order)
        groups[group].append((k, signal))
    return {group: sorted(groups[group]) for group in sorted(groups)}


# --- sums of counts -----------------------------------------------------------------------------


def free_sum(
    netlist: Netlist, cell: Block, given: Weights, order: Order
) -> tuple[FreeCell, tuple[FNode, ...]]:
    """A cell ``sum`` on its own, and what is so of its symbols: that no count is more than its steps.

    Args:
        given: what its inputs weigh.

    Raises:
        AlgebraError: if the outputs depend on more than the inputs.
    """
    counts = _Counts(netlist, cell, given, order)
    known = {signal: counts.bit(signal) for signal in given}
    read = {name: bus for name, bus in cell.outputs.items() if UNUSED not in bus}
    for signal in cone(netlist, cell.name, read, set(known)):
        neuron = netlist.neurons[signal - netlist.input_count]
        terms = list(counts.terms(dict(neuron.synapses), known))
        synapses = tuple((position, weight) for position, (weight, _) in enumerate(terms))
        alike = Neuron(synapses, neuron.threshold, neuron.bias)
        known[signal] = neuron_formula(alike, [source for _, source in terms])
    outputs = {name: bus_formula(known, bus) for name, bus in read.items()}
    return FreeCell(counts.symbols, counts.inputs(known), outputs), counts.facts


class _Counts:
    """What a cell reads: counts as words, other signals as bits. Symbols are named by position."""

    def __init__(self, netlist: Netlist, cell: Block, given: Weights, order: Order) -> None:
        if min(given, default=UNUSED) < 0:
            raise AlgebraError(f"{cell.name} reads a constant, a bit that is not there, or nothing")
        self.given, self.order = given, order
        self.most: dict[Group, int] = {}
        self.words: dict[Group, FNode] = {}
        for position, group in enumerate(_by_count(given, order)):
            most = 1 if len(group) > 1 else len(netlist.cells[group[0]].outputs["1"])
            width = most.bit_length()
            self.most[group] = most
            self.words[group] = Symbol(f"sum.{position}.{width}", BVType(width))

    @property
    def symbols(self) -> dict[str, FNode]:
        return {word.symbol_name(): word for word in self.words.values()}

    @property
    def facts(self) -> tuple[FNode, ...]:
        """That no count is more than it has steps, where its word could be."""
        return tuple(
            BVULE(word, BV(self.most[group], word.bv_width()))
            for group, word in self.words.items()
            if (self.most[group] + 1).bit_length() == word.bv_width()
        )

    def bit(self, signal: int) -> FNode:
        """A signal that the cell reads, of its symbols."""
        group, k = _group(signal, self.order)
        word = self.words[group]
        return BVUGE(word, BV(k, word.bv_width()))

    def inputs(self, known: Mapping[int, FNode]) -> dict[str, FNode]:
        """What the cell reads, by weight as its buses are."""
        buses: dict[str, FNode] = {}
        for weight, source in self.terms(self.given, known):
            name = str(weight) if weight > 0 else f"minus{-weight}"
            word = Ite(source, BV(1, 1), BV(0, 1))
            buses[name] = BVConcat(word, buses[name]) if name in buses else word
        return buses

    def terms(self, weights: Weights, known: Mapping[int, FNode]) -> Iterator[tuple[Weight, FNode]]:
        """Weights and bits of the same sum: bits of a count in place of its steps, where that is so."""
        for group, steps in _by_count(weights, self.order).items():
            signals = {signal for _, signal in steps}
            places = None
            if signals <= self.given.keys():
                places = _in_binary({k: weights[signal] for k, signal in steps}, self.most[group])
            if places is None:
                yield from ((weights[signal], known[signal]) for signal in signals)
                continue
            for index, weight in enumerate(places):
                if weight:
                    bit = BVExtract(self.words[group], index, index)
                    yield weight, Equals(bit, BV(1, 1))


def _in_binary(steps: Weights, most: int) -> list[Weight] | None:
    """What the bits of a count weigh in a sum of its steps, by step; None if it is no sum of bits."""
    sums = list(accumulate((steps.get(k, 0) for k in range(1, most + 1)), initial=0))
    places = [sums[1 << index] for index in range(most.bit_length())]
    for count, along in enumerate(sums):
        if along != sum(weight for index, weight in enumerate(places) if count >> index & 1):
            return None
    return places
