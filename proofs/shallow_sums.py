"""Where the proof of a shallow sum is cut, besides at ``magnitude`` and ``sign``.

A shallow adder has no signals where the spec has words: places of what it adds are sums of several. So
what is taken as free at a cut are just the neurons there, each as the circuit itself computes it from
the cuts before; what they have to do with the operands is a fact, which is proved and from then on
assumed of them. In order, p being the precision:

    x_reaches           whether x is at least y, signs aside
    x_excess, y_excess  [ex - ey >= 1], [ex - ey >= 2], ... of the exponents; and the other way round
    larger              the larger operand, in p + 3 places: which neuron of each place fires
    smaller             the smaller one, shifted, likewise; the last place stands for all that is lost
    sum                 larger plus smaller; larger less smaller, if signs are opposite

``sum`` is the signals of ``magnitude``: as such it is tied to the places that were added, then as
``magnitude`` to the operands, which takes no more than the definition of the spec's sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BVSGT,
    BVUGE,
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
from spikeproof.circuits.units.floating_point.shallow_addition import BELOW
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
    sign_extend,
    signed_constant,
    unpack,
    zero_extend,
)

COUNTS = ("x_reaches", "x_excess", "y_excess")
ADDENDS = ("larger", "smaller")


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
            Step(COUNTS, fact=self._counts),
            Step(("larger",), given=COUNTS[:1], fact=self._is_larger),
            Step(("smaller",), given=COUNTS, fact=self._is_smaller),
            Step(("sum",), given=ADDENDS, fact=self._is_sum),
            Step(("magnitude", "sign"), given=(*ADDENDS, "sum")),
        )

    @cached_property
    def _probed(self) -> Netlist:
        return self.circuit()

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for the cuts, and for the operands, which facts are about."""
        for name in ("x", "y"):
            probe(name, inputs[name])
        cuts = CircuitCuts(self._probed, inputs, probe, ())
        for names in (COUNTS, ADDENDS, ("sum",)):
            cuts.compute(names)
        return self.whole(inputs, probe)

    def _operands(self, values: Buses) -> tuple[Operand, Operand]:
        return unpack(self.fmt, values["x"]), unpack(self.fmt, values["y"])

    def _x_reaches(self, values: Buses) -> FNode:
        x, y = (BVExtract(values[name], 0, self.fmt.magnitude_bits - 1) for name in ("x", "y"))
        return BVUGE(x, y)

    def _addends(self, values: Buses) -> tuple[FNode, FNode]:
        """The significand of the larger operand, and that of the smaller one aligned to it."""
        x, y = self._operands(values)
        reaches = self._x_reaches(values)
        larger, smaller = (
            append_zeros(Ite(reaches, a.significand, b.significand), BELOW) for a, b in ((x, y), (y, x))
        )
        near, far = (Ite(reaches, a.exponent, b.exponent) for a, b in ((x, y), (y, x)))
        return larger, shift_right_jamming(smaller, BVSub(near, far))

    def _opposite(self, values: Buses) -> FNode:
        """Whether magnitudes are subtracted."""
        x, y = self._operands(values)
        alike = Iff(x.negative, y.negative)
        return alike if self.difference else Not(alike)

    # --- facts ----------------------------------------------------------------------------------

    def _counts(self, values: Buses) -> FNode:
        x, y = self._operands(values)
        return And(
            Iff(bit(values["x_reaches"], 0), self._x_reaches(values)),
            _is_excess(values["x_excess"], x.exponent, y.exponent),
            _is_excess(values["y_excess"], y.exponent, x.exponent),
        )

    def _is_larger(self, values: Buses) -> FNode:
        return is_word(values["larger"], self._addends(values)[0])

    def _is_smaller(self, values: Buses) -> FNode:
        return is_word(values["smaller"], self._addends(values)[1])

    def _is_sum(self, values: Buses) -> FNode:
        count = self.fmt.precision + BELOW
        larger, smaller = (_word(_places(values[name], count)) for name in ADDENDS)
        wide = values["sum"].bv_width()
        added = BVAdd(zero_extend(larger, wide), zero_extend(smaller, wide))
        subtracted = zero_extend(BVSub(larger, smaller), wide)
        return Equals(values["sum"], Ite(self._opposite(values), subtracted, added))


def _is_excess(steps: FNode, a: FNode, b: FNode) -> FNode:
    """That the K-th bit says whether a - b, of signed words, is more than K."""
    width = 1 + max(a.bv_width(), steps.bv_width().bit_length())
    excess = BVSub(sign_extend(a, width), sign_extend(b, width))
    reached = (BVSGT(excess, signed_constant(k, width)) for k in range(steps.bv_width()))
    return And(Iff(bit(steps, k), each) for k, each in enumerate(reached))


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
