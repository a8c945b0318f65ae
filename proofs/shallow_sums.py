"""Where the proof of a shallow sum is cut, besides at ``magnitude`` and ``sign``.

A shallow adder has no signals where the spec has words: places of what it adds are sums of several. So
what is taken as free at a cut are just the neurons there, each as the circuit itself computes it from
the cuts before; what they have to do with the operands is a fact, which is proved and from then on
assumed of them. In order, p being the precision:

    x_reaches           whether x is at least y, signs aside
    x_excess, y_excess  [ex - ey >= 1], [ex - ey >= 2], ... of the exponents; and the other way round
    larger              the larger operand, in p + 3 places: which neuron of each place fires
    smaller             the smaller one, shifted, likewise
    lost                its last place, which stands for all that is lost
    addends             the signals of these three: one of a place at most is 1, and the larger is no
                        less than the smaller
    sum                 larger plus smaller; larger less smaller, if signs are opposite

``sum`` is the signals of ``magnitude``: as such it is tied to the places that were added, about which
``addends`` says all that matters; then as ``magnitude`` to the operands, which takes no more than the
definition of the spec's sum. Facts say which operand is larger, and by how much its exponent, in the
formulas that the spec has for it: search need not find that others come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVUGE,
    BVUGT,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVSub,
    Equals,
    Iff,
    Ite,
    Not,
    Or,
)

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.shallow_addition import ADDENDS, BELOW
from spikeproof.proofs.circuit_cuts import CircuitCuts
from spikeproof.prover.claims.obligation import Step
from spikeproof.specs.formats import Format
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import (
    Operand,
    Probe,
    append_zeros,
    bit,
    from_bool,
    shift_right_jamming,
    smaller,
    unpack,
    zero_extend,
)

COUNTS = ("x_reaches", "x_excess", "y_excess")


@dataclass(frozen=True)
class ShallowSum:
    """The cuts of a shallow x + y, or x - y.

    Attributes:
        difference: whether it is x - y.
        circuit: the unit with all its cuts.
        whole: what its outputs should be, with the probes ``magnitude`` and ``sign``.
    """

    fmt: Format
    difference: bool
    circuit: Callable[[], Netlist] = field(compare=False)
    whole: Callable[[Buses, Probe], Buses] = field(compare=False)

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the operands to ``magnitude`` and ``sign``."""
        return (
            Step(("x_reaches",), fact=self._is_reached),
            Step(("x_excess",), fact=self._is_excess_of_x),
            Step(("y_excess",), fact=self._is_excess_of_y),
            Step(("larger",), ("x_reaches",), fact=self._is_larger),
            Step(("smaller",), COUNTS, fact=self._is_smaller),
            Step(("lost",), COUNTS, fact=self._is_lost),
            Step(("addends",), ADDENDS, fact=self._are_addends),
            Step(("sum",), ("addends",), fact=self._is_sum),
            Step(("magnitude", "sign"), ("sum", "addends", *ADDENDS), cases=self._by_signs),
        )

    @cached_property
    def _probed(self) -> Netlist:
        return self.circuit()

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for the cuts, and for the operands, which facts are about."""
        for name in ("x", "y"):
            probe(name, inputs[name])
        cuts = CircuitCuts(self._probed, inputs, probe, ())
        for names in (COUNTS, ADDENDS, ("addends",), ("sum",)):
            cuts.compute(names)
        return self.whole(inputs, probe)

    def _operands(self, values: Buses) -> tuple[Operand, Operand]:
        return unpack(self.fmt, values["x"]), unpack(self.fmt, values["y"])

    def _reaches(self, values: Buses) -> FNode:
        return Not(smaller(*self._operands(values)))

    def _excess(self, values: Buses) -> FNode:
        """By how much the exponent of the larger operand is more than the other's."""
        x, y = self._operands(values)
        reaches = self._reaches(values)
        return BVSub(*(Ite(reaches, a.exponent, b.exponent) for a, b in ((x, y), (y, x))))

    def _larger(self, values: Buses) -> FNode:
        """The significand of the larger operand."""
        x, y = self._operands(values)
        return append_zeros(Ite(self._reaches(values), x.significand, y.significand), BELOW)

    def _smaller(self, values: Buses) -> FNode:
        """That of the smaller one, aligned to it."""
        x, y = self._operands(values)
        significand = Ite(self._reaches(values), y.significand, x.significand)
        return shift_right_jamming(append_zeros(significand, BELOW), self._excess(values))

    def _opposite(self, values: Buses) -> FNode:
        """Whether magnitudes are subtracted."""
        x, y = self._operands(values)
        alike = Iff(x.negative, y.negative)
        return alike if self.difference else Not(alike)

    def _by_signs(self, values: Buses) -> dict[str, FNode]:
        """What signs the addends have."""
        x, _ = self._operands(values)
        opposite = self._opposite(values)
        return by_signs(Ite(self._reaches(values), x.negative, Iff(x.negative, Not(opposite))), opposite)

    # --- facts ----------------------------------------------------------------------------------

    def _is_reached(self, values: Buses) -> FNode:
        return Iff(bit(values["x_reaches"], 0), self._reaches(values))

    def _is_excess_of_x(self, values: Buses) -> FNode:
        return _is_excess(values["x_excess"], self._reaches(values), self._excess(values))

    def _is_excess_of_y(self, values: Buses) -> FNode:
        return _is_excess(values["y_excess"], Not(self._reaches(values)), self._excess(values))

    def _is_larger(self, values: Buses) -> FNode:
        return is_word(values["larger"], self._larger(values))

    def _is_smaller(self, values: Buses) -> FNode:
        return is_word(values["smaller"], BVExtract(self._smaller(values), 1))

    def _is_lost(self, values: Buses) -> FNode:
        return is_word(values["lost"], BVExtract(self._smaller(values), 0, 0))

    def _places(self, values: Buses) -> Iterator[tuple[FNode, int]]:
        """Of each of ``ADDENDS`` what ``addends`` has of it, and how many places that is."""
        last = self.fmt.precision + BELOW
        start = 0
        for name, count in zip(ADDENDS, (last, last - 1, 1), strict=True):
            end = start + values[name].bv_width()
            yield BVExtract(values["addends"], start, end - 1), count
            start = end

    def _words(self, values: Buses) -> tuple[FNode, FNode]:
        """The larger addend and the smaller one."""
        larger, smaller, lost = (word_of(*each) for each in self._places(values))
        return larger, BVConcat(smaller, lost)

    def _are_addends(self, values: Buses) -> FNode:
        exclusive = (is_exclusive(*each) for each in self._places(values))
        return And(BVUGE(*self._words(values)), *exclusive)

    def _is_sum(self, values: Buses) -> FNode:
        larger, smaller = self._words(values)
        wide = values["sum"].bv_width()
        added = BVAdd(zero_extend(larger, wide), zero_extend(smaller, wide))
        subtracted = zero_extend(BVSub(larger, smaller), wide)
        return Equals(values["sum"], Ite(self._opposite(values), subtracted, added))


def _is_excess(steps: FNode, larger: FNode, excess: FNode) -> FNode:
    """That the K-th bit says whether an operand is the larger one, and by more than K."""
    wide = zero_extend(excess, max(excess.bv_width(), steps.bv_width().bit_length()))
    more = (BVUGT(wide, BV(k, wide.bv_width())) for k in range(steps.bv_width()))
    return And(Iff(bit(steps, k), And(larger, each)) for k, each in enumerate(more))


def by_signs(negative: FNode, opposite: FNode) -> dict[str, FNode]:
    """Into which cases a sum is split: the spec negates what is negative, adds, and negates again.

    Args:
        negative: whether the first of two addends is.
        opposite: whether the other's sign is not that of the first.
    """
    signs = {"positive": Not(negative), "negative": negative}
    kinds = {"like signs": Not(opposite), "opposite signs": opposite}
    return {f"{sign}, {kind}": And(signs[sign], kinds[kind]) for sign, kind in product(signs, kinds)}


def is_word(bus: FNode, word: FNode) -> FNode:
    """That the bits of places are a word's, and that one at most of each place is 1."""
    return And(Equals(word_of(bus, word.bv_width()), word), is_exclusive(bus, word.bv_width()))


def is_exclusive(bus: FNode, count: int) -> FNode:
    """That one bit at most of each of so many places is 1."""
    clashes = (And(pair) for place in _places(bus, count) for pair in combinations(place, 2))
    return And(map(Not, clashes))


def word_of(bus: FNode, count: int) -> FNode:
    """The word of so many places, each of which is 1 if any bit of it is."""
    return _word(_places(bus, count))


def _places(bus: FNode, count: int) -> list[list[FNode]]:
    """The bits of each place, of which all have as many."""
    each = bus.bv_width() // count
    return [[bit(bus, k * each + i) for i in range(each)] for k in range(count)]


def _word(places: Sequence[Sequence[FNode]]) -> FNode:
    """The word of which each place is 1 if any bit of it is."""
    word, *others = (from_bool(Or(place), 1) for place in places)
    for place in others:
        word = BVConcat(place, word)
    return word
