"""That a circuit is log(x), or log2(x), within a bound, on all inputs: by arithmetic on its program.

What the circuit's probes say of its words is a claim; here it is shown that a circuit of such words
computes log(x), and how nearly. Sums of bits are compared term by term (``bit_sums``).

1. *Regions.* Where the result is constant it is the right one (``function_words``). Elsewhere x is
   positive, and not on both sides of 1.
2. *Reduction.* x is 2^n (1 + R_0 / 2^f) exactly: of all normal numbers at once, whose n is a sum of
   bits of x; and of subnormal ones for each place of their leading one.
3. *Factors.* R_k, in units of U_k, is what is left: Y_k = 1 + R_k / U_k. A count of R_k chooses A_k, and
   Y_(k+1) = Y_k (1 - A_k s_k) but for pairs of bits that are cut off. It is never below 1.
4. *Sum.* Of z, what is left at last, z - z^2 / 2 is log(1 + z) but for pairs of the square, and for less
   than z^3 / 3. The word L adds it up with an entry of a table for each count, which is
   -log(1 - A_k s_k) nearly, and with n log(2), but for rounded weights. So L is log(x) but for an
   error that is the same for all x of a region. x next to 1 has the smallest log(x): it says how large
   the error may be beside log(x). Of log2(x), all of these are over ln(2).
5. *Rounding.* M is L or -L, and is rounded where its leading one is (``rounded_words``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import floor
from typing import NamedTuple

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, constant, exactly, number
from spikeproof.prover.kernel.function_words import (
    BITS,
    LN2,
    NOTHING,
    Region,
    Word,
    between,
    enclosed,
    entries,
    joined,
    logarithm_of_1_plus,
    logarithm_of_error,
    product_of,
    require,
)
from spikeproof.prover.kernel.rounded_words import RoundedWords
from spikeproof.specs import enclosures
from spikeproof.specs.exact import decode
from spikeproof.specs.formats import Format

SCALES = {
    "log": (exactly(1), LN2),
    "log2": (Interval(Fraction(1) / LN2.high, Fraction(1) / LN2.low), exactly(1)),
}
"""By function what natural logarithms are multiplied by, and the logarithm of 2."""


def logarithm_error(netlist: Netlist, fmt: Format, function: str = "log") -> Fraction:
    """A t such that the result is what log(x) (1 + s) rounds to, to nearest, for some s of at most t.

    Or log2(x). For every x; ties are rounded up. Where the result is constant it is the one that is
    correctly rounded.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if it is not shown.
    """
    return _Logarithm(netlist, fmt, function).error()


class _Case(NamedTuple):
    """Numbers of a region whose significands are moved alike.

    Attributes:
        known, within: what is known of signals, and of sums.
        fraction: R_0.
        n: and the largest magnitude that it has.
    """

    known: Mapping[int, BitSum]
    within: tuple[tuple[BitSum, Interval], ...]
    fraction: BitSum
    n: BitSum
    farthest: int


class _Rest(NamedTuple):
    """What is left of a number: 1 + word / unit; and within what the word lies."""

    word: Word
    unit: int
    within: Interval


class _Factor(NamedTuple):
    """What a count chooses.

    Attributes:
        steps: of the count.
        logarithms: of the factors of no step, of one, and so on.
        error: the logarithm of what is left is so much too large.
    """

    steps: Bus
    logarithms: tuple[Interval, ...]
    error: Interval


class _Logarithm(RoundedWords):
    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        super().__init__(netlist, fmt, function)
        self.scale, self.log_of_2 = SCALES[function]
        self.fraction, self.squared, self.logarithm = (
            self.probed(name) for name in ("rest.0", "squared", "logarithm")
        )
        require(not self.logarithm.low, "L lacks digits")
        self.least, self.weights = self.reader.form(self.logarithm.bus[0])
        bits = fmt.fraction_bits
        self.rests = [_Rest(self.fraction, 1 << bits, Interval(0, (1 << bits) - 1))]
        self.factors = []
        for k in range(self.probes("steps")):
            factor, rest = self.step(k, self.rests[-1])
            self.factors.append(factor)
            self.rests.append(rest)
        # What the top digit weighs in L is nearly a power of two times ``scale``.
        *_, (place, top) = ((k, s) for k, s in enumerate(self.squared.bus) if s >= 0)
        weight = Fraction(self.weights.get(top, 0) * self.rests[-1].unit, 1 << place)
        require(weight > 0, "L does not grow with what is left at last")
        self.places = floor(weight / self.scale.high * Fraction(4, 3)).bit_length() - 1
        self.unit = 1 << self.places

    # --- what is shown --------------------------------------------------------------------------

    def error(self) -> Fraction:
        """As ``logarithm_error``."""
        found = self.last(self.rests[-1])
        for factor in self.factors:
            found = found.plus(self.entries(factor)).plus(
                factor.error.times(self.scale.high * self.unit)
            )
        return max(self.region(region, found) for region in self.regions(self.logarithm))

    def region(self, region: Region, error: Interval) -> Fraction:
        """The error of a region beside log(x), if L less n log(2) has a known one."""
        sign, off = self.sign_of(region)
        error = joined(self.reduced(region, case) for case in self.cases(region)).plus(error)
        error = error.plus(exactly(off * sign))
        ends = (decode(self.fmt, code).rational for code in (region.first, region.last))
        values = joined(self.logarithm_of(end).times(self.unit) for end in ends)
        word = values.plus(error).plus(exactly(-off * sign))
        require(word.low >= 0 and word.high <= self.logarithm.most, "L is clamped")
        magnitude = values.times(sign)
        require(magnitude.low > 0, "M has another sign than log(x)")
        known = self.known(region)
        self.require_rounded(known, self.places, magnitude.plus(error.times(sign)))
        self.require_sign(Signals(self.reader, known), sign < 0)
        return Fraction(max(-error.low, error.high)) / magnitude.low

    def logarithm_of(self, x: Fraction) -> Interval:
        """log(x), or log2(x)."""
        found = enclosed(enclosures.logarithm(x, BITS)) if x != 1 else exactly(0)
        return product_of(found, self.scale)

    # --- reduction ------------------------------------------------------------------------------

    def cases(self, region: Region) -> Iterator[_Case]:
        """All normal numbers; and subnormal ones by the place of their leading one."""
        bits, bias, x = self.fmt.fraction_bits, self.fmt.bias, self.x
        require(region.first > 0 and region.sign > 0, "there are numbers that have no logarithm")
        if region.fields[-1]:
            normal = number(x[:-1]), Interval(max(region.first, 1 << bits), region.last)
            n = number(x[bits:-1]) - constant(bias)
            yield _Case({}, (normal,), number(x[:bits]), n, bias)
        for place in range(region.first.bit_length() - 1, min(bits, region.last.bit_length())):
            known = {s: constant(int(k == place)) for k, s in enumerate(x[:-1]) if k >= place}
            least = place + 1 - bits - bias
            yield _Case(known, (), number(x[:place], bits - place), constant(least), abs(least))

    def reduced(self, region: Region, case: _Case) -> Interval:
        """What L has beside tables and what is left at last, less n log(2)."""
        signals = Signals(self.reader, {**region.known, **case.known}, case.within)
        digits = (signals.signal(s).times(1 << k) for k, s in enumerate(self.fraction.bus))
        fraction = sum(digits, NOTHING)
        require(not (fraction - case.fraction).terms, "the significand is another")
        told = {*self.squared.bus, *(s for each in self.factors for s in each.steps)}
        others = {s: weight for s, weight in self.weights.items() if s not in told}
        power = signals.sum(self.least, others)
        farthest = case.farthest * (self.log_of_2.high - self.log_of_2.low) * self.unit
        error = (power - case.n.times(self.log_of_2.low * self.unit)).range
        return error.plus(Interval(-farthest, farthest))

    # --- factors --------------------------------------------------------------------------------

    def step(self, k: int, rest: _Rest) -> tuple[_Factor, _Rest]:
        """Factor number k, and what is left after it."""
        count, weights, least = self.count(f"steps.{k}")
        read = BitSum({frozenset((s,)): weight for s, weight in weights.items()})
        require(read == rest.word.sum and not rest.word.low, f"steps {k} are of another word")
        factor, chosen = self.chosen(count, f"factor.{k}")
        word = self.probed(f"rest.{k + 1}")
        form = Signals(self.reader, {**rest.word.apart, **factor.apart}).form(word.bus[0])
        ratio, taken = (form.terms.get(frozenset((each.bus[0],)), 0) for each in (rest.word, factor))
        unit = int(rest.unit * ratio)
        require(ratio > 0 > taken, f"factor {k} is of another size")
        share = Fraction(-taken, unit)
        multiple = (constant(1) - factor.sum.times(share)).times(ratio)
        exact = (rest.word.sum + constant(rest.unit)).by(multiple) - constant(unit)
        off = (form - exact).range
        places = [place - least for place in count.places]
        found = joined(
            each.plus(exactly(rest.unit)).times((1 - value * share) * ratio).plus(exactly(-unit))
            for each, value in zip(between(rest.within, places), chosen, strict=True)
            if each.low <= each.high
        )
        require(found.low >= 0, f"factor {k} is too small")
        # So where the form is negative, the word is no farther from what it should be than the form.
        within = Interval(max(found.low + off.low, 0), found.high + max(off.high, 0))
        require(within.high <= word.most, f"what factor {k} leaves is clamped")
        logarithms = tuple(logarithm_of_1_plus(-value * share) for value in chosen)
        return _Factor(count.signals, logarithms, logarithm_of_error(off, unit)), _Rest(
            word, unit, within
        )

    def entries(self, factor: _Factor) -> Interval:
        """The entries of a table, less what they should be."""
        found = entries(factor.steps, self.weights, 0)
        pairs = zip(found, factor.logarithms, strict=True)
        return joined(
            product_of(log, self.scale).times(self.unit).plus(exactly(entry)) for entry, log in pairs
        )

    def last(self, rest: _Rest) -> Interval:
        """What the last word is in L, less log(1 + z)."""
        require(not rest.word.low and not self.squared.low, "what is left at last lacks digits")
        z, share = rest.word.sum, Fraction(self.unit, rest.unit)
        form = Signals(self.reader, rest.word.apart).form(self.squared.bus[0])
        off = (form - z + z.by(z).times(Fraction(1, 2 * rest.unit))).range
        most = Fraction(rest.within.high, rest.unit)
        require(most <= 1, "what is left at last is large")
        require(rest.within.high + max(off.high, 0) <= self.squared.most, "z - z^2 / 2 is clamped")
        # As in ``step``: z - z^2 / 2 is not negative.
        error = Interval(min(off.low, 0) - most**3 / 3 * rest.unit, max(off.high, 0)).times(
            share * self.scale.high
        )
        weighted = BitSum.of(
            (frozenset((s,)), self.weights.get(s, 0)) for s in self.squared.bus if s >= 0
        )
        error = error.plus((weighted - self.squared.sum.times(share * self.scale.low)).range)
        return error.plus(Interval(self.squared.most * share * (self.scale.low - self.scale.high), 0))

    # --- rounding -------------------------------------------------------------------------------

    def sign_of(self, region: Region) -> tuple[int, int]:
        """The sign with which L is in M, and what M has beside it."""
        word = self.logarithm
        magnitude = self.magnitude(self.known(region))
        sign = magnitude.terms.get(frozenset((word.bus[0],)), 0)
        off = magnitude - word.sum.times(sign)
        require(abs(sign) == 1 and off.is_constant, "M is another word than L or -L")
        return int(sign), int(off.constant)

    def known(self, region: Region) -> dict[int, BitSum]:
        """What is known in a region, if the digits of L stand for themselves."""
        return {**region.known, **self.logarithm.apart}
