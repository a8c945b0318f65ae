"""What redundant remainders and digits come to in binary: two claims of ``prover.kernel.redundant``.

The bits of a count v_i are put in places of their own, the third with all above it: v_i comes to (1st) +
2 (2nd) + 4 (3rd). So are those of a digit, whose last is its sign's. Each place p_i is a sum of steps of
counts that are in order, and the number is the sum of 2^i p_i. In a claim places are free, within what
they can be; what a neuron reads of steps is a sum of multiples of places, or the neuron is refused.

Of places, from the first on, it is told what they carry, and what they leave:

    c_(i+1) = floor((p_i + c_i) / 2),    r_i = p_i + c_i - 2 c_(i+1),    c_0 = 0.

So the sum of 2^i p_i, i < n, is that of 2^i r_i, and 2^n c_n. Circuits tell by many places at once what
is carried: that it is the same is for the engines.

The argument is proved in Coq: ``proofs/mechanised/redundant.v``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import pairwise

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVUGT,
    BVULT,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVSExt,
    BVType,
    Equals,
    Iff,
    Implies,
    Ite,
    Or,
    Symbol,
)

from spikeproof.circuits.meanings.formula import bus_formula, neuron_formula
from spikeproof.circuits.netlist import ONE, UNUSED, Block, Bus, Netlist, Neuron, Weight
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, cone
from spikeproof.prover.kernel.counting import Order, range_of
from spikeproof.prover.kernel.searching import CONSTANT, Monomial, Polynomial, added, minus, polynomial
from spikeproof.specs.symbolic import zero_extend

Range = tuple[Weight, Weight]
Places = list[Polynomial]


def counts(bus: Bus, most: int) -> list[Bus]:
    """The steps of each of several counts from -most to most."""
    return [bus[start : start + 2 * most] for start in range(0, len(bus), 2 * most)]


def order_of_steps(numbers: Iterable[Bus]) -> Order:
    """Of which count each step is, and which step of it."""
    return {step: (place, k) for place, steps in enumerate(numbers) for k, step in enumerate(steps, 1)}


def whole(places: Iterable[Polynomial]) -> Polynomial:
    """What places add up to, of which each is worth twice the one before."""
    return added(
        (monomial, weight * (1 << index))
        for index, place in enumerate(places)
        for monomial, weight in place.items()
    )


def last_range(below: Range, own: Range, unit: int) -> Range:
    """What a last place can be, of weight ``unit``, of a number that is less than that, as minus it is.

    Args:
        below: within what all other places are together.
        own: within what it is at any rate.
    """
    low, high = below
    return max(own[0], -((unit - 1 + high) // unit)), min(own[1], (unit - 1 - low) // unit)


def settled_remainder(netlist: Netlist, cell: Block, most: int) -> Claim:
    """That the sign of a remainder is told, and the divisor added where that is negative.

    The remainder is not less than minus the divisor, and less than that.
    """
    width = len(cell.inputs["divisor"])
    difference = counts(cell.inputs["difference"], most)
    found = _places(width + 3, ((i, 2, steps) for i, steps in enumerate(difference)))
    places = [*found[:width], whole(found[width:])]
    order = order_of_steps(difference)
    ranges = [_range(place, order) for place in places]
    ranges[width] = last_range(_range(whole(places[:width]), order), ranges[width], 1 << width)
    free = _Free.of(netlist, cell, "difference", places, ranges)
    divisor, positive = free.bus("divisor"), _is(free.bus("positive"), 0)
    *low, last = free.words
    more = [
        BVAdd(place, zero_extend(BVExtract(divisor, i, i), free.size)) for i, place in enumerate(low)
    ]
    rest, carry = _told(low)
    above = BVAdd(last, carry)
    wide = BVAdd(zero_extend(rest, width + 1), zero_extend(divisor, width + 1))
    none, minus_one = _signed(0, free.size), _signed(-1, free.size)
    # Less than the divisor; or negative, and with that added not.
    given = Or(
        And(Equals(above, none), BVULT(rest, divisor)),
        And(Equals(above, minus_one), _is(wide, width)),
    )
    goal = And(
        Iff(positive, Equals(above, none)),
        Equals(free.bus("remainder"), Ite(positive, rest, _told(more)[0])),
    )
    return Claim(free.symbols, Implies(given, goal))


def settled_quotient(netlist: Netlist, cell: Block, sizes: Sequence[int]) -> Claim:
    """That the quotient is the number of which these are the digits, or one less.

    Args:
        sizes: of digits, the bits that each stands for, from the last on.
    """
    digits, numbers, first, start = cell.inputs["digits"], [], 0, 0
    for size in sizes:
        end = start + 2 * ((1 << size) - 1)
        numbers.append((first, size, digits[start:end]))
        first, start = first + size, end
    places = _places(first + 1, numbers)[:first]
    order = order_of_steps(steps for _, _, steps in numbers)
    free = _Free.of(netlist, cell, "digits", places, [_range(place, order) for place in places])
    less = Ite(_is(free.bus("positive"), 0), _signed(0, free.size), _signed(-1, free.size))
    found, _ = _told([BVAdd(free.words[0], less), *free.words[1:]])
    return Claim(free.symbols, Equals(free.bus("quotient"), found))


# --- places -------------------------------------------------------------------------------------


def _values(steps: Bus) -> range:
    """What a count may stand for."""
    return range(-(len(steps) // 2), len(steps) // 2 + 1)


def _part(steps: Bus, parts: Sequence[int]) -> Polynomial:
    """What is told of each number that a count may stand for, as the sum of its changes."""
    changes = (after - before for before, after in pairwise(parts))
    return polynomial(((ONE, parts[0]), *zip(steps, changes, strict=True)))


def _places(number: int, numbers: Iterable[tuple[int, int, Bus]]) -> Places:
    """What is in so many places.

    Args:
        numbers: the first place of each count, and how many of its bits have places of their own.
    """
    found: list[list[tuple[Monomial, Weight]]] = [[] for _ in range(number)]
    for first, bits, steps in numbers:
        for k in range(bits):
            found[first + k] += _part(steps, [value >> k & 1 for value in _values(steps)]).items()
        found[first + bits] += _part(steps, [value >> bits for value in _values(steps)]).items()
    return [added(terms) for terms in found]


def _range(found: Polynomial, order: Order) -> Range:
    """Within what a sum of steps lies."""
    steps = {signal: weight for monomial, weight in found.items() for signal in monomial}
    low, high = range_of(steps, order)
    return low + found.get(CONSTANT, 0), high + found.get(CONSTANT, 0)


@dataclass
class _Free:
    """A cell of which one input is read by places alone; these and its other inputs are free.

    Attributes:
        size: in how many bits words of places are: there is room for what is added to them.
        symbols: what is free.
        words: the places.
        known: formulas of signals; of each place some beyond the netlist's, which are its bits.
        equations: sums that are 0, by a step that no other of them has further on.
    """

    netlist: Netlist
    cell: Block
    size: int
    symbols: dict[str, FNode] = field(default_factory=dict)
    words: list[FNode] = field(default_factory=list)
    known: dict[int, FNode] = field(default_factory=dict)
    equations: list[tuple[Monomial, Polynomial]] = field(default_factory=list)

    @classmethod
    def of(
        cls, netlist: Netlist, cell: Block, name: str, places: Places, ranges: Sequence[Range]
    ) -> _Free:
        """The cell with these places, each within its range, of the bus of a name.

        Raises:
            AlgebraError: if a neuron reads something else of it, or other signals.
        """
        if any(UNUSED in bus for bus in (*cell.inputs.values(), *cell.outputs.values())):
            raise AlgebraError(f"{cell.name} has input or output bits that nothing reads")
        most = max(abs(int(end)) for each in ranges for end in each)
        found = cls(netlist, cell, most.bit_length() + 4)
        for place, (low, high) in zip(places, ranges, strict=True):
            found._add_place(place, int(low), int(high))
        for each, bus in cell.inputs.items():
            if each != name:
                symbol = found._symbol(each, len(bus))
                for k, signal in enumerate(bus):
                    found.known.setdefault(signal, _is(symbol, k))
        for signal in cone(netlist, cell.name, cell.outputs, {*found.known, *cell.inputs[name]}):
            found.known[signal] = found._fires(netlist.neurons[signal - netlist.input_count])
        return found

    def bus(self, name: str) -> FNode:
        """A bus, of what is free."""
        return bus_formula(self.known, {**self.cell.inputs, **self.cell.outputs}[name])

    def _symbol(self, name: str, width: int) -> FNode:
        symbol = Symbol(f"{self.cell.kind}.{name}.{width}", BVType(width))
        self.symbols[symbol.symbol_name()] = symbol
        return symbol

    def _add_place(self, place: Polynomial, low: int, high: int) -> None:
        """A place is its lowest number and a free word, but at most its highest."""
        width = max(1, (high - low).bit_length())
        word, most = self._symbol(f"place{len(self.words)}", width), BV(high - low, width)
        word = Ite(BVUGT(word, most), most, word)
        self.words.append(BVAdd(zero_extend(word, self.size), _signed(low, self.size)))
        first = self.netlist.signal_count + len(self.known)
        bits = {first + k: _is(word, k) for k in range(width)}
        self.known.update(bits)
        told = ((frozenset({bit}), 1 << k) for k, bit in enumerate(bits))
        equation = self._by_places(minus(place, added(((CONSTANT, low), *told))))
        steps = (each for each in equation if each and not each <= self.known.keys())
        if (step := next(steps, None)) is not None:
            self.equations.append((step, equation))

    def _by_places(self, found: Polynomial) -> Polynomial:
        """The same sum without steps, as far as equations have it."""
        for step, equation in self.equations:
            if factor := Fraction(found.get(step, 0)) / Fraction(equation[step]):
                found = added((*found.items(), *((each, -factor * w) for each, w in equation.items())))
        return {monomial: weight for monomial, weight in found.items() if weight}

    def _fires(self, neuron: Neuron) -> FNode:
        read = dict(self._by_places(polynomial(neuron.synapses)))
        constant = read.pop(CONSTANT, 0)
        sources = [source for (source,) in read]
        if not self.known.keys() >= {*sources}:
            raise AlgebraError(f"a neuron of {self.cell.name} reads a part of a place")
        synapses = tuple(enumerate(read.values()))
        alike = Neuron(synapses, neuron.threshold, neuron.bias + constant)
        return neuron_formula(alike, [self.known[source] for source in sources])


def _signed(value: int, size: int) -> FNode:
    return BV(value % (1 << size), size)


def _is(word: FNode, k: int) -> FNode:
    """Whether a bit of a word is 1."""
    return Equals(BVExtract(word, k, k), BV(1, 1))


def _told(places: Sequence[FNode]) -> tuple[FNode, FNode]:
    """In binary what places come to, and what the last one carries."""
    carry, found = BV(0, places[0].bv_width()), []
    for place in places:
        summed = BVAdd(place, carry)
        found.append(BVExtract(summed, 0, 0))
        carry = BVSExt(BVExtract(summed, 1, summed.bv_width() - 1), 1)
    return reduce(lambda low, bit: BVConcat(bit, low), found), carry
