"""Quotients by the invariants of rows whose remainders are redundant.

A *count* is a thermometer of 2m steps for a number from -m to m: if the last step that is 1 is the k-th,
for k - m, and for -m if none is. It is *in order* if all steps before that are 1 too. A remainder R is a
count v_i for each place i, n + 1 of them, in the end: the sum of 2^i v_i.

A row of k bits takes an M of n + k + 1 places with -2^k B <= M < 2^k B, for a B of n bits whose first is
1. One cell gives a digit q, a count of m = 2^k - 1, of which is proved, for any M and B in order,

    q is in order, and    -B <= M - q B < B,

and another D, of which is proved that it is in order, and place by place, for any q of which that holds,

    D = M - q B.

There the bits of every v_i are put in places of their own, the third with all above it: what v_i comes
to is (1st) + 2 (2nd) + 4 (3rd). So are those of q, whose last is its sign's. What there is in place i
together is the count of D there; in place n, with all that is above it.

M is 2^(k-1) A for the first row, A < 2B, and 2^k D of the row before for every other. If rows give n + 2
bits together, adding up gives A 2^(n+1) = Q B + D for the last D, Q being made up of the digits. In the
end, with a bit p that says whether D >= 0,

    remainder = D + (1 - p) B    and    quotient = Q - (1 - p)

modulo 2^n and 2^(n+2). The former is not less than 0, and less than B: these are quotient and remainder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSGE,
    BVSLT,
    And,
    BVAdd,
    BVExtract,
    BVLShl,
    BVNeg,
    BVSExt,
    BVSub,
    Equals,
    Iff,
    Implies,
    Ite,
)

from spikeproof.circuits.netlist import ONE, ZERO, Block, Bus, Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, FreeCell, cells_by_inputs, free_cell
from spikeproof.specs.symbolic import zero_extend

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
        AlgebraError: if there are no rows that begin with the operands and end with the results.
    """
    cells = {kind: cells_by_inputs(netlist, kind, *buses) for kind, buses in BUSES.items()}
    ends = [cell.inputs["difference"] for cell in cells["settled_remainder"].values()]
    if len(ends) != 1 or len(ends[0]) % (2 * len(divisor) + 2):
        raise AlgebraError("there is no one remainder that is settled")
    most = len(ends[0]) // (2 * len(divisor) + 2)
    nothing = (ONE,) * most + (ZERO,) * most
    current = tuple(s for bit in dividend for s in (*nothing[:most], bit, *nothing[most + 1 :]))
    claims: list[Claim] = []
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
        claims += [_digit_claim(netlist, chosen, most, k), _difference_claim(netlist, row, most, k)]
        sizes, digits = [k, *sizes], digit + digits
    last = _only(cells, "settled_remainder", current, divisor)
    both = _only(cells, "settled_quotient", digits, last.outputs["positive"])
    if last.outputs["remainder"] != remainder or both.outputs["quotient"] != quotient:
        raise AlgebraError("quotient and remainder are not those of the last row, settled")
    claims += [_remainder_claim(netlist, last, most), _quotient_claim(netlist, both, sizes)]
    different = {claim.goal: claim for claim in claims}
    return {f"row {number}": claim for number, claim in enumerate(different.values(), 1)}


def _only(cells: Mapping[str, Mapping[tuple[Bus, ...], Block]], kind: str, *inputs: Bus) -> Block:
    if inputs not in cells[kind]:
        raise AlgebraError(f"no {kind} continues from the row before it")
    return cells[kind][inputs]


# --- counts -------------------------------------------------------------------------------------

Steps = list[FNode]


def _counts(word: FNode, most: int) -> list[Steps]:
    """The steps of each of several counts that have as many."""
    steps = [Equals(BVExtract(word, k, k), BV(1, 1)) for k in range(word.bv_width())]
    return [steps[start : start + 2 * most] for start in range(0, len(steps), 2 * most)]


def _in_order(counts: Sequence[Steps]) -> FNode:
    return And(Implies(after, before) for steps in counts for before, after in pairwise(steps))


def _signed(value: int, size: int) -> FNode:
    return BV(value % (1 << size), size)


def _value(steps: Steps, size: int) -> FNode:
    """What a count stands for, in two's complement, as all words here."""
    most = len(steps) // 2
    found = _signed(-most, size)
    for value, step in enumerate(steps, 1 - most):
        found = Ite(step, _signed(value, size), found)
    return found


def _sum(words: Sequence[FNode], size: int) -> FNode:
    found = BV(0, size)
    for word in words:
        found = BVAdd(found, word)
    return found


def _number(places: Sequence[FNode], size: int) -> FNode:
    """Words of which each is worth twice the one before."""
    found = BV(0, size)
    for word in reversed(places):
        found = _sum((found, found, word), size)
    return found


def _is(word: FNode, k: int) -> FNode:
    """Whether a bit of a word is 1."""
    return Equals(BVExtract(word, k, k), BV(1, 1))


def _multiple(digit: Steps, k: int, divisor: FNode, size: int) -> FNode:
    """The divisor as often as a digit of k bits says."""
    found, q = BV(0, size), _value(digit, k + 1)
    doubled = zero_extend(divisor, size)
    for j in range(k + 1):
        taken = Ite(_is(q, j), doubled, BV(0, size))
        found = BVSub(found, taken) if j == k else BVAdd(found, taken)
        doubled = BVAdd(doubled, doubled)
    return found


def _within(word: FNode, divisor: FNode, doublings: int = 0) -> FNode:
    """Whether a word is not less than minus the divisor, doubled so often, and less than that."""
    most = zero_extend(divisor, word.bv_width())
    for _ in range(doublings):
        most = BVAdd(most, most)
    return And(BVSGE(word, BVNeg(most)), BVSLT(word, most))


# --- claims -------------------------------------------------------------------------------------


def _free(netlist: Netlist, cell: Block) -> tuple[FreeCell, dict[str, FNode]]:
    """A cell on its own, and all its buses."""
    free = free_cell(netlist, cell)
    if free.outputs.keys() < cell.outputs.keys():
        raise AlgebraError(f"{cell.name} has output bits that nothing reads")
    return free, {**free.inputs, **free.outputs}


class _Row:
    """The words of a row: M, B and q; of more bits than any of their sums has."""

    def __init__(self, buses: Mapping[str, FNode], most: int, k: int) -> None:
        self.minuend, self.divisor = _counts(buses["remainder"], most), buses["divisor"]
        (self.digit,) = _counts(buses["digit"], (1 << k) - 1)
        size = len(self.minuend) + most.bit_length() + 3
        values = [_value(steps, size) for steps in self.minuend]
        multiple = _multiple(self.digit, k, self.divisor, size)
        bounded = _within(BVSub(_number(values, size), multiple), self.divisor)
        self.in_order, self.chosen = _in_order(self.minuend), And(_in_order([self.digit]), bounded)
        self.is_given = And(self.in_order, _within(_number(values, size), self.divisor, k))


def _digit_claim(netlist: Netlist, cell: Block, most: int, k: int) -> Claim:
    """That the digit is in order, and what it leaves within bounds."""
    free, buses = _free(netlist, cell)
    row, width = _Row(buses, most, k), buses["divisor"].bv_width()
    invariant = And(row.is_given, _is(buses["divisor"], width - 1))
    return Claim(free.symbols, Implies(invariant, row.chosen))


def _difference_claim(netlist: Netlist, cell: Block, most: int, k: int) -> Claim:
    """That what is left is in order, and in every place what there is."""
    free, buses = _free(netlist, cell)
    row, width = _Row(buses, most, k), buses["divisor"].bv_width()
    left, size = _counts(buses["difference"], most), k + 5 + (most + k + 4).bit_length()
    *low, top = (_value(steps, size) for steps in row.minuend)
    columns: list[list[FNode]] = [[] for _ in range(len(low) + width + 3)]
    columns[len(low)].append(top)
    for i, word in enumerate(low):
        first, second = (zero_extend(BVExtract(word, j, j), size) for j in (0, 1))
        third = BVSExt(BVExtract(word, 2, size - 1), 2)
        for j, part in enumerate((first, second, third)):
            columns[i + j].append(part)
    q = _value(row.digit, k + 1)
    for j, i in product(range(k + 1), range(width)):
        both = And(_is(q, j), _is(row.divisor, i))
        columns[i + j].append(Ite(both, _signed(1 if j == k else -1, size), BV(0, size)))
    places = [_sum(column, size) for column in columns]
    places[width:] = [_number(places[width : width + k + 3], size)]
    equal = (Equals(_value(a, size), b) for a, b in zip(left, places, strict=True))
    goal = And(_in_order(left), *equal)
    return Claim(free.symbols, Implies(And(row.in_order, row.chosen), goal))


def _remainder_claim(netlist: Netlist, cell: Block, most: int) -> Claim:
    """That the sign of what is left is told, and the divisor added where that is negative."""
    free, buses = _free(netlist, cell)
    left, divisor = _counts(buses["difference"], most), buses["divisor"]
    size, width = len(left) + most.bit_length() + 3, divisor.bv_width()
    value, positive = _number([_value(steps, size) for steps in left], size), _is(buses["positive"], 0)
    corrected = BVAdd(value, Ite(positive, BV(0, size), zero_extend(divisor, size)))
    goal = And(
        Iff(positive, BVSGE(value, BV(0, size))),
        Equals(buses["remainder"], BVExtract(corrected, 0, width - 1)),
    )
    return Claim(free.symbols, Implies(And(_in_order(left), _within(value, divisor)), goal))


def _quotient_claim(netlist: Netlist, cell: Block, sizes: Sequence[int]) -> Claim:
    """That the quotient is the number of which these are the digits, or one less.

    Args:
        sizes: of digits, the bits that each stands for, from the last on.
    """
    free, buses = _free(netlist, cell)
    size, word = buses["quotient"].bv_width(), buses["digits"]
    found, order, read, place = BV(0, size), [], 0, 0
    for k in sizes:
        steps = 2 * ((1 << k) - 1)
        (digit,) = _counts(BVExtract(word, read, read + steps - 1), steps // 2)
        found = BVAdd(found, BVLShl(_value(digit, size), BV(place, size)))
        order.append(digit)
        read, place = read + steps, place + k
    less = Ite(_is(buses["positive"], 0), BV(0, size), BV(1, size))
    return Claim(free.symbols, Implies(_in_order(order), Equals(buses["quotient"], BVSub(found, less))))
