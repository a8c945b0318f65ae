"""Formula meaning of a netlist: pySMT bit-vectors, neuron by neuron.

This is the meaning that theorems are about. A neuron fires iff the weights of its firing inputs, and its
bias, reach its threshold; synapses of sources with one formula count as one of all their weight. It is
told case by case, synapse after synapse, which for the neurons of arithmetic units comes to a few gates;
or, for neurons with so many different weights that there would be too many cases, by comparing the
signed sum.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from weakref import WeakKeyDictionary

from pysmt.environment import Environment, get_env
from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSLE,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVType,
    Equals,
    Ite,
    Not,
    Or,
    Symbol,
)

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist, Neuron, driven_by_neurons

Synapse = tuple[int, FNode]
"""An integer weight, and whether the source fires."""

MOST_CASES = 1 << 14
"""A neuron is read case by case if there are no more."""


_Read = tuple[int, int, tuple[int, ...], tuple[FNode, ...], bool]
"""A neuron in integers, its sources, and whether the last is told first. Sources are not told by number:
those of another environment have the same."""

_KNOWN: WeakKeyDictionary[Environment, dict[_Read, FNode]] = WeakKeyDictionary()
"""What was told of neurons: a proof tells most of them many times. It goes where formulas go."""


@dataclass
class Told:
    """What some last synapses were told to come to; it grows with what neurons read.

    Attributes:
        reached: for what may be needed of them: that they reach it.
        before: the same with one synapse more, a weight and a source by its number.
    """

    reached: dict[int, FNode] = field(default_factory=dict)
    before: defaultdict[tuple[int, int], Told] = field(default_factory=lambda: defaultdict(Told))


def input_symbols(netlist: Netlist) -> dict[str, FNode]:
    """A bit-vector symbol for each input bus, of the same name."""
    return {name: Symbol(name, BVType(width)) for name, width in netlist.inputs.items()}


def neuron_formula(
    neuron: Neuron, sources: Sequence[FNode], told: Told | None = None, *, last_first: bool = False
) -> FNode:
    """Boolean: whether the neuron fires.

    Args:
        sources: Booleans, one for each synapse in order.
        told: the cases of neurons before: others may read the same, or more. It grows.
        last_first: of synapses of one weight, whether the last is told first, and not the first.
    """
    threshold, bias, weights = neuron.in_integers
    read: dict[FNode, int] = {}  # by source, of which there may be copies
    for weight, source in zip(weights, sources, strict=True):
        read[source] = read.get(source, 0) + weight
    unit = math.gcd(*read.values()) or 1
    needed = -((bias - threshold) // unit)  # in units, rounded up
    synapses = [(weight // unit, source) for source, weight in read.items() if weight]
    in_turn = reversed(synapses) if last_first else synapses
    largest_first = sorted(in_turn, key=lambda synapse: -abs(synapse[0]))
    undecided = _undecided(largest_first, needed)
    if undecided is None:
        return _reached_by_sum(synapses, needed)
    return _reached_by_cases(largest_first, needed, undecided, Told() if told is None else told)


def _bounds(synapses: Sequence[Synapse]) -> tuple[list[int], list[int]]:
    """The least and the most that the last 0, 1, 2, ... synapses add up to."""
    least, most = [0], [0]
    for weight, _ in reversed(synapses):
        least.append(least[-1] + min(weight, 0))
        most.append(most[-1] + max(weight, 0))
    return least, most


def _undecided(synapses: Sequence[Synapse], needed: int) -> list[set[int]] | None:
    """Of each synapse and those after it, what may be needed and is not sure; None if too many cases."""
    least, most = _bounds(synapses)
    found: list[set[int]] = []
    coming, cases = {needed}, 0
    for start, (weight, _) in enumerate(synapses):
        others = len(synapses) - start
        undecided = {each for each in coming if least[others] < each <= most[others]}
        cases += len(undecided)
        if cases > MOST_CASES:
            return None
        found.append(undecided)
        coming = undecided | {each - weight for each in undecided}
    return found


def _reached_by_cases(
    synapses: Sequence[Synapse], needed: int, undecided: Sequence[set[int]], told: Told
) -> FNode:
    """That integer weights of what fires add up to what is needed: a decision diagram of small sums.

    All that matters of the first ones is what is still needed of the others; and that does not matter
    once these reach it in any case, or in none.

    Args:
        undecided: what may be needed, as ``_undecided`` has it.
        told: the cases of neurons before, with no synapse read; it grows.
    """
    least, most = _bounds(synapses)
    true, false = TRUE(), FALSE()
    below: dict[int, FNode] = {}

    def reached(sum_needed: int, others: int) -> FNode:
        """That so many last ones reach it."""
        if sum_needed <= least[others]:
            return true
        return false if sum_needed > most[others] else below[sum_needed]

    for others, (weight, source) in enumerate(reversed(synapses)):  # no recursion: they may be thousands
        below, told = told.reached, told.before[weight, source.node_id()]
        cases = told.reached
        for each in undecided[len(synapses) - 1 - others]:
            if each not in cases:
                cases[each] = _choice(source, reached(each - weight, others), reached(each, others))
    below = told.reached
    return reached(needed, len(synapses))


def _choice(condition: FNode, a: FNode, b: FNode) -> FNode:
    """``a`` if the condition holds, else ``b``."""
    if a is b:
        return a
    if a is TRUE():
        return condition if b is FALSE() else Or(condition, b)
    if a is FALSE():
        return And(Not(condition), b)
    if b is TRUE():
        return Or(Not(condition), a)
    if b is FALSE():
        return And(condition, a)
    return Ite(condition, a, b)


def _reached_by_sum(synapses: Sequence[Synapse], needed: int) -> FNode:
    """The same by comparing their signed sum, in enough bits that no partial sum wraps."""
    width = 1 + max(sum(abs(weight) for weight, _ in synapses), abs(needed)).bit_length()

    def constant(value: int) -> FNode:
        return BV(value % (1 << width), width)

    total, nothing = constant(0), constant(0)
    for weight, source in synapses:
        total = BVAdd(total, Ite(source, constant(weight), nothing))
    return BVSLE(constant(needed), total)


def bus_formulas(
    netlist: Netlist,
    buses: Mapping[str, Bus],
    inputs: Mapping[str, FNode],
    replaced: Mapping[int, FNode] | None = None,
    *,
    last_first: bool = False,
) -> dict[str, FNode]:
    """Buses of a netlist's signals as bit-vectors, in terms of those that stand for the input buses.

    Args:
        replaced: for some signals, the Boolean to take instead of what drives them.
        last_first: as ``neuron_formula`` has it.
    """
    given = (
        Equals(BVExtract(inputs[name], index, index), BV(1, 1))
        for name, width in netlist.inputs.items()
        for index in range(width)
    )
    signals = {**dict(enumerate(given)), **(replaced or {})}
    first, roots = netlist.input_count, chain.from_iterable(buses.values())
    told, known = Told(), _KNOWN.setdefault(get_env(), {})
    for signal in driven_by_neurons(netlist.neurons, first, roots, known=signals.keys()):
        neuron = netlist.neurons[signal - first]
        sources = [signals[source] for source, _ in neuron.synapses]
        threshold, bias, weights = neuron.in_integers
        read = (threshold, bias, tuple(weights), tuple(sources), last_first)
        if read not in known:
            known[read] = neuron_formula(neuron, sources, told, last_first=last_first)
        signals[signal] = known[read]
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


def outputs_of_input(netlist: Netlist, inputs: Mapping[str, int]) -> dict[str, FNode]:
    """The output buses on one input: each neuron's formula is a constant before another reads it."""
    given = (
        TRUE() if inputs[name] >> index & 1 else FALSE()
        for name, width in netlist.inputs.items()
        for index in range(width)
    )
    signals = dict(enumerate(given))
    first, roots = netlist.input_count, chain.from_iterable(netlist.outputs.values())
    for signal in driven_by_neurons(netlist.neurons, first, roots):
        neuron = netlist.neurons[signal - first]
        read = [signals[source] for source, _ in neuron.synapses]
        signals[signal] = neuron_formula(neuron, read).simplify()
    return {name: bus_formula(signals, bus).simplify() for name, bus in netlist.outputs.items()}
