"""Quotients by rows whose remainders are redundant, seen on what their neurons weigh.

A *count* is a thermometer of 2m steps for a number from -m to m: if the last step that is 1 is the k-th,
for k - m, and for -m if none is. It is *in order* if all steps before that are 1 too; then it is what
its steps add up to, less m. A remainder R is a count v_i for each place i, n + 1 of them, in the end:
the sum of 2^i v_i.

A row of k bits takes an M of n + k + 1 places in order with -2^k B <= M < 2^k B, for a B of n bits whose
last is 1. One cell gives a digit q, a count of m = 2^k - 1, another D, so that

    q and D are in order,    D = M - q B,    and    -B <= D < B.

That is seen on their neurons, of which each is 1 iff an integer E, which it adds up, is not negative.
Sums of signals lie within what they can be along each count, and for each bit that is a step of none.

*Digit.* A step says that q is j or more, and there is a number c, not negative, with which

    0  <=  M - (j - 1) B - c E  <  B + c.

So if it is 1, (j - 1) B <= M; if it is 0, E <= -1 and M < j B. Hence no step is 1 behind one that is 0;
of the last that is 1, and the one behind it, (q - 1) B <= M < (q + 1) B. Where there is no such step, M
is within that already. Of a step that is constant the one or the other is so with c = 0.

*Difference.* Steps of a place i compare one sum C_i with -m + 1, -m + 2, ..., m. So they are in order,
and the count is C_i if that is from -m to m. A neuron that says that a bit b of B is 1, and so is a sum
u of steps of q, which is 0 or 1, is the product u b. With these, as polynomials in steps and bits,

    sum of 2^i C_i  =  M - q B.

Hence what the last place can be: what there is below it is known, and -2^n < M - q B < 2^n.

M is 2^(k-1) A for the first row, A < 2B, and 2^k D of the row before for every other. If rows give n + 2
bits together, adding up gives A 2^(n+1) = Q B + D for the last D, Q being made up of the digits. In the
end, with a bit p that says whether D >= 0,

    remainder = D + (1 - p) B    and    quotient = Q - (1 - p)

modulo 2^n and 2^(n+2): what is left to the engines (``prover.kernel.settling``). The former is not less
than 0, and less than B: these are quotient and remainder.

The argument is proved in Coq: ``proofs/mechanised/redundant.v``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Bus, Netlist, Weight
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, cells_by_inputs
from spikeproof.prover.kernel.counting import Order, range_of
from spikeproof.prover.kernel.searching import (
    CONSTANT,
    Polynomial,
    added,
    minus,
    number,
    polynomial,
    times,
)
from spikeproof.prover.kernel.settling import (
    counts,
    last_range,
    order_of_steps,
    settled_quotient,
    settled_remainder,
    whole,
)

BUSES = {
    "redundant_digit": (("remainder", "divisor"), ("digit",)),
    "redundant_difference": (("remainder", "divisor", "digit"), ("difference",)),
    "settled_remainder": (("difference", "divisor"), ("positive", "remainder")),
    "settled_quotient": (("digits", "positive"), ("quotient",)),
}
"""Input and output buses of each kind of cell."""


def redundant_claims(
    netlist: Netlist, dividend: Bus, divisor: Bus, quotient: Bus, remainder: Bus
) -> dict[str, Claim]:
    """What remains to be proved, but that A < 2B and that the first bit of B is 1.

    Raises:
        AlgebraError: if there are no rows that begin with the operands and end with the results, or
            neurons of theirs add up other sums.
    """
    if UNUSED in (*dividend, *divisor):
        raise AlgebraError("an operand has a bit that nothing reads")
    cells = {kind: cells_by_inputs(netlist, kind, *buses) for kind, buses in BUSES.items()}
    ends = [cell.inputs["difference"] for cell in cells["settled_remainder"].values()]
    if len(ends) != 1 or len(ends[0]) % (2 * len(divisor) + 2):
        raise AlgebraError("there is no one remainder that is settled")
    most = len(ends[0]) // (2 * len(divisor) + 2)
    nothing = (ONE,) * most + (ZERO,) * most
    current = tuple(s for bit in dividend for s in (*nothing[:most], bit, *nothing[most + 1 :]))
    sizes: list[int] = []
    digits: Bus = ()
    while (left := len(quotient) - sum(sizes)) > 0:
        inputs = [(nothing * (k - (not sizes)) + current, divisor) for k in range(1, left + 1)]
        found = (k for k, given in enumerate(inputs, 1) if given in cells["redundant_digit"])
        if not (k := next(found, 0)):
            raise AlgebraError("no redundant_digit continues from the row before it")
        chosen = cells["redundant_digit"][inputs[k - 1]]
        digit = chosen.outputs["digit"]
        row = _only(cells, "redundant_difference", *inputs[k - 1], digit)
        current = row.outputs["difference"]
        if len(digit) != 2 * ((1 << k) - 1) or len(current) != len(ends[0]):
            raise AlgebraError(f"{chosen.name} or {row.name} has outputs of another width")
        words = _Words(netlist, inputs[k - 1][0], divisor, digit, most)
        _require_digit(words, chosen)
        _require_difference(words, row)
        sizes, digits = [k, *sizes], digit + digits
    last = _only(cells, "settled_remainder", current, divisor)
    both = _only(cells, "settled_quotient", digits, last.outputs["positive"])
    if last.outputs["remainder"] != remainder or both.outputs["quotient"] != quotient:
        raise AlgebraError("quotient and remainder are not those of the last row, settled")
    return {
        "remainder": settled_remainder(netlist, last, most),
        "quotient": settled_quotient(netlist, both, sizes),
    }


def _only(cells: Mapping[str, Mapping[tuple[Bus, ...], Block]], kind: str, *inputs: Bus) -> Block:
    if inputs not in cells[kind]:
        raise AlgebraError(f"no {kind} continues from the row before it")
    return cells[kind][inputs]


# --- rows ---------------------------------------------------------------------------------------


def _count(steps: Bus) -> Polynomial:
    """What a count is that is in order."""
    return polynomial(((ONE, -(len(steps) // 2)), *((step, 1) for step in steps)))


def _plus(found: Polynomial, more: Weight) -> Polynomial:
    return added((*found.items(), (CONSTANT, more)))


def _scaled(found: Polynomial, factor: Weight) -> Polynomial:
    return {monomial: weight * factor for monomial, weight in found.items()}


def _without_zeros(found: Polynomial) -> Polynomial:
    return {monomial: weight for monomial, weight in found.items() if weight}


@dataclass(frozen=True)
class _Words:
    """M, B and q of a row; steps of M and q are in order, and the last bit of B is 1."""

    netlist: Netlist
    minuend: Bus
    divisor: Bus
    digit: Bus
    most: int

    @cached_property
    def order(self) -> Order:
        """Of which count each step is, and which step of it."""
        return order_of_steps((*counts(self.minuend, self.most), self.digit))

    @cached_property
    def read(self) -> Polynomial:
        """M."""
        return whole([_count(steps) for steps in counts(self.minuend, self.most)])

    def range(self, found: Polynomial) -> tuple[Weight, Weight]:
        """Between what a sum of signals lies."""
        top = self.divisor[-1]
        fixed = found.get(CONSTANT, 0) + found.get(frozenset({top}), 0)
        weights = {signal: weight for monomial, weight in found.items() for signal in monomial - {top}}
        low, high = range_of(weights, self.order)
        return low + fixed, high + fixed

    def excess(self, signal: int) -> Polynomial:
        """An integer that is not negative iff a signal is 1: what it adds up, less what is enough.

        Raises:
            AlgebraError: if it is no neuron that adds up integers.
        """
        if signal in (ZERO, ONE):
            return {CONSTANT: 0 if signal == ONE else -1}
        if signal >= self.netlist.input_count:
            neuron = self.netlist.neurons[signal - self.netlist.input_count]
            if all(weight.denominator == 1 for _, weight in neuron.synapses):
                return _plus(polynomial(neuron.synapses), -ceil(neuron.threshold - neuron.bias))
        raise AlgebraError(f"signal {signal} of a row is no neuron that adds up integers")

    def written_out(self, found: Polynomial) -> Polynomial:
        """A sum of signals as a polynomial in steps and bits."""
        known = {*self.minuend, *self.divisor, *self.digit}
        return added(
            (monomial, weight * factor)
            for read, factor in found.items()
            for monomial, weight in ({read: 1} if read <= known else self._product(*read)).items()
        )

    def _product(self, signal: int) -> Polynomial:
        """A neuron that is 1 iff a bit of the divisor is, and a sum of steps of the digit."""
        excess = self.excess(signal)
        bits = [bit for bit in self.divisor if excess.get(frozenset({bit})) == 1]
        if len(bits) == 1:
            both = {frozenset(bits): 1}
            steps = _without_zeros(minus(_plus(excess, 2), both))
            low, high = self.range(steps)
            if frozenset().union(*steps) <= {*self.digit} and 0 <= low <= high <= 1:
                return times(steps, both)
        raise AlgebraError(f"signal {signal} of a row is no product of the digit and the divisor")


def _require_digit(words: _Words, cell: Block) -> None:
    """Refuse a digit that may leave more than the divisor, or less than minus that."""
    divisor = number(words.divisor)
    for j, signal in enumerate(words.digit, 1 - len(words.digit) // 2):
        excess = words.excess(signal)
        unit = _unit(words.read, excess)
        left = minus(
            words.read, added((*_scaled(divisor, j - 1).items(), *_scaled(excess, unit).items()))
        )
        is_enough = signal == ZERO or words.range(left)[0] >= 0
        is_needed = signal == ONE or words.range(minus(left, divisor))[1] < unit
        if unit < 0 or not (is_enough and is_needed):
            raise AlgebraError(f"signal {signal} of {cell.name} does not tell whether it is {j}")


def _unit(minuend: Polynomial, excess: Polynomial) -> Fraction:
    """How often a neuron's sum is in the minuend: by what weighs most there of what it reads."""
    read = minuend.keys() & excess.keys() - {CONSTANT}
    first = max(read, key=lambda monomial: (minuend[monomial], *monomial), default=None)
    return Fraction(0) if first is None else Fraction(minuend[first], excess[first])


def _require_difference(words: _Words, cell: Block) -> None:
    """Refuse counts that are not together what is left."""
    difference = counts(cell.outputs["difference"], words.most)
    places = [_compared(words, cell, steps) for steps in difference]
    left = minus(words.read, times(_count(words.digit), number(words.divisor)))
    if _without_zeros(minus(words.written_out(whole(places)), left)):
        raise AlgebraError(f"{cell.name} does not add up to what is left")
    unit = 1 << len(places) - 1
    ranges = [*map(words.range, places)]
    ranges[-1] = last_range(words.range(whole(places[:-1])), ranges[-1], unit)
    for steps, (low, high) in zip(difference, ranges, strict=True):
        numbered = list(enumerate(steps, 1 - words.most))
        never = (value for value, step in numbered if step == ZERO)
        always = (value for value, step in numbered if step == ONE)
        # What is constant must be so anyway.
        if high >= min(never, default=words.most + 1) or low < max(always, default=-words.most):
            raise AlgebraError(f"a place of {cell.name} may be out of its range")


def _compared(words: _Words, cell: Block, steps: Bus) -> Polynomial:
    """The one sum that the steps of a count compare with all numbers that it may reach."""
    sums = [
        _plus(words.excess(step), value)
        for value, step in enumerate(steps, 1 - words.most)
        if step not in (ZERO, ONE)
    ]
    if not sums:
        return {CONSTANT: steps.count(ONE) - words.most}
    if any(_without_zeros(minus(sums[0], each)) for each in sums):
        raise AlgebraError(f"the steps of a place of {cell.name} compare different sums")
    return sums[0]
