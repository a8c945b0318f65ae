"""That a circuit is e^x within a bound, on all inputs: by arithmetic on its program, and no search.

What the circuit's probes say of its words is a claim; here it is shown that a circuit of such words
computes e^x, and how nearly. Numbers are in units of 2^-p; sums of bits are compared term by term
(``bit_sums``).

1. *Regions.* Where the result is constant it is the right one (``function_words``).
2. *Magnitude.* Elsewhere, for each sign and exponent field of x the word X is made of the bits of its
   significand, each of a known weight: |x| is X plus what is cut off.
3. *Reduction.* V = x - n ln(2), but for rounded weights; and V is a multiple of the part of a sum of the
   bits of X of which n is the whole part, but for rounded weights again: it is from 0 to ln(2), nearly.
4. *Factors.* R_0 = V; R_k = R_(k-1) - L_k, an entry of a table that a count chooses by R_(k-1). What is
   left at last is U, and G_m = 2^p + U + U^2 / 2^(p+1) is 2^p e^U nearly: what is missing are pairs of
   the square, and the rest of the series, U^3 / 6 and so on. G_(k-1) = (1 + A_k / 2^P_k) G_k but for
   pairs that are cut off; and L_k is ln(1 + A_k / 2^P_k) nearly, entry by entry. So G_0 is e^V, nearly.
5. *Rounding.* For n of subnormal results one by one, and for all others together, the code is that of n
   plus the upper digits of G_0 and half of the last place: e^x (1 + t), rounded, with a small t. That it
   is in the right binade, and that no word is clamped, is seen by ranges.

All that is told of errors is added up in logarithms, which is rational but for ln(2) and the logarithms
of the tables: these are enclosed (``specs.enclosures``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import chain, pairwise
from math import floor
from typing import NamedTuple

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, constant, exactly, number
from spikeproof.prover.kernel.function_words import (
    LN2,
    NOTHING,
    FunctionWords,
    Region,
    Word,
    between,
    entries,
    joined,
    logarithm_of_1_plus,
    logarithm_of_error,
    require,
)
from spikeproof.specs.formats import Format


def exponential_error(netlist: Netlist, fmt: Format) -> Fraction:
    """A t such that the result is what e^x (1 + s) rounds to, to nearest, for some s of at most t.

    For every x; ties are rounded up. Where the result is constant it is the one that is correctly
    rounded.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if it is not shown.
    """
    return _Exponential(netlist, fmt).error()


class _Reduced(NamedTuple):
    """V of a region, x - n ln(2) less V, and n as a word: within what they lie."""

    rest: Interval
    error: Interval
    exponents: Interval


class _Case(NamedTuple):
    """Inputs of a region whose results are shifted alike.

    Attributes:
        known: what the bits of n are.
        shift: how far.
        within: what else is known of n.
    """

    region: Region
    known: Mapping[int, BitSum]
    shift: int
    within: tuple[tuple[BitSum, Interval], ...]


class _Factor(NamedTuple):
    """A factor that a count chooses.

    Attributes:
        places: what the rest has to reach for each.
        logarithms, values: of no step, of one, and so on: what is taken from the rest, and A.
        word: that A is.
    """

    places: tuple[int, ...]
    logarithms: tuple[int, ...]
    values: tuple[int, ...]
    word: Word

    def rest(self, before: Interval) -> Interval:
        """What is left of a rest: whole numbers."""
        found = zip(between(before, self.places), self.logarithms, strict=True)
        return joined(each.plus(exactly(-log)) for each, log in found if each.low <= each.high)


class _Exponential(FunctionWords):
    def __init__(self, netlist: Netlist, fmt: Format) -> None:
        super().__init__(netlist, fmt, "exp")
        sign = Signals(self.reader, {}).signal(self.sign)
        require(not sign.terms, "the result has a sign")
        self.magnitude, self.exponent, self.significand, self.least = (
            self.probed(name) for name in ("magnitude", "exponent", "significand", "least")
        )
        self.places = self.significand.low + fmt.fraction_bits
        self.unit = 1 << self.places
        self.constant, _ = self.reader.form(self.least.bus[0])
        self.offset = floor(self.constant / (self.unit * LN2.low) + Fraction(1, 2))
        self.deepest = self.offset - fmt.bias + 1
        count = self.probes("factor")
        self.powers = [self.probed(f"power.{k}") for k in range(count)]
        rests = [*(f"steps.{k}" for k in range(count)), "least"]
        self.factors = [self.factor(k, *pair) for k, pair in enumerate(pairwise(rests))]

    def factor(self, k: int, name: str, after: str) -> _Factor:
        """Factor number k, and what is taken from the rest for it."""
        count, weights, least = self.count(name)
        _, left = self.reader.form(self.probe(after)[0])
        taken = {s: weights.get(s, 0) - left.get(s, 0) for s in {*weights, *left}}
        others = {s for s, weight in taken.items() if weight} - {*count.signals}
        require(not others, f"factor {k} is not taken by its steps")
        word, chosen = self.chosen(count, f"factor.{k}")
        logarithms = entries(count.signals, taken, 0)
        # What counts and the last word read is the rest but for a constant, which is the last word's.
        places = tuple(place - least + self.constant for place in count.places)
        return _Factor(places, logarithms, chosen, word)

    # --- what is shown --------------------------------------------------------------------------

    def error(self) -> Fraction:
        """As ``exponential_error``."""
        regions = list(self.ordinary())
        cut = joined(map(self.cut, regions))
        reduced = [self.reduced(region, cut) for region in regions]
        rests = [joined(each.rest for each in reduced)]
        for factor in self.factors:
            rests.append(factor.rest(rests[-1]))
        logarithm = self.last(rests[-1])
        for k in reversed(range(1, len(self.factors))):
            self.require_room(self.powers[k], rests[k + 1], logarithm)
            form = Signals(self.reader, self.apart(k)).form(self.powers[k - 1].bus[0])
            logarithm = logarithm.plus(self.step(k, form))
        self.require_room(self.powers[0], rests[1], logarithm)
        cases = list(chain.from_iterable(map(self.cases, regions, (each.exponents for each in reduced))))
        logarithm = logarithm.plus(joined(map(self.rounded, cases)))
        self.require_binade(rests[0], logarithm)
        low, high = logarithm.plus(joined(each.error for each in reduced).times(Fraction(-1, self.unit)))
        require(low > -1 and high < 1, "nothing is known of the result")
        return Fraction(max(-low, high + high * high))

    # --- regions --------------------------------------------------------------------------------

    def ordinary(self) -> Iterator[Region]:
        """The regions where results are not constant: of numbers that are normal."""
        for region in self.regions():
            require(region.fields[0] > 0, f"from {region.first:x} on there are subnormal numbers")
            most = max(map(self.right, (region.first, region.last)))
            require(most <= self.fmt.largest_finite, f"from {region.first:x} on e^x is too large")
            yield region

    def cut(self, region: Region) -> Interval:
        """|x| less the word X."""
        bits, bias = self.fmt.fraction_bits, self.fmt.bias
        require(not self.magnitude.low, "X lacks digits")
        found = []
        for field in region.fields:
            exponent = {s: constant(field >> k & 1) for k, s in enumerate(self.x[bits:-1])}
            signals = Signals(self.reader, {**exponent, **region.known})
            digits = (signals.signal(s).times(1 << k) for k, s in enumerate(self.magnitude.bus))
            scale = Fraction(2) ** (field - bias - bits + self.places)
            magnitude = (number(self.x[:bits]) + constant(1 << bits)).times(scale)
            found.append((magnitude - sum(digits, NOTHING)).range)
        return joined(found)

    # --- reduction ------------------------------------------------------------------------------

    def reduced(self, region: Region, cut: Interval) -> _Reduced:
        """Within what V lies, and x - n ln(2) less V, and n as a word."""
        x, n = self.magnitude.sum, self.exponent.sum
        signals = Signals(self.reader, {**region.known, **self.magnitude.apart, **self.exponent.apart})
        scaled = signals.form(self.exponent.bus[0])
        rest = signals.form(self.probe("steps.0")[0]) + constant(self.constant)
        top, highest = frozenset((self.magnitude.bus[-1],)), 1 << len(self.magnitude.bus) - 1
        slope, unit = Fraction(scaled.terms.get(top, 0), highest), 1 << self.exponent.low
        require(slope * rest.terms.get(top, 0) > 0, "n does not grow as x does")
        near = region.magnitudes.times(self.unit).plus(cut.times(-1))
        whole = near.times(slope).plus((scaled - x.times(slope)).range)
        require(whole.low >= 0 and whole.high <= self.exponent.most, "n is clamped")
        exponents = Interval(floor(whole.low / unit), floor(whole.high / unit))
        share = rest.terms[top] / Fraction(scaled.terms[top])
        off = (rest - (scaled - n.times(unit)).times(share)).range
        ideal = x.times(region.sign) - (n - constant(self.offset)).times(LN2.low * self.unit)
        farthest = max(abs(Fraction(each) - self.offset) for each in (exponents.low, exponents.high))
        farthest *= (LN2.high - LN2.low) * self.unit
        error = (ideal - rest).range.plus(cut.times(region.sign)).plus(Interval(-farthest, farthest))
        return _Reduced(Interval(0, unit - 1).times(share).plus(off), error, exponents)

    # --- factors --------------------------------------------------------------------------------

    def last(self, rest: Interval) -> Interval:
        """The logarithm of what the last word is of e^rest."""
        word, unit = self.least, self.unit
        require(not word.low and rest.high <= word.most, "what is left at last is clamped")
        u = word.sum
        form = Signals(self.reader, word.apart).form(self.powers[-1].bus[0])
        require(form.range.low >= 0, "the last power may be negative")
        low, high = (form - u - u.by(u).times(Fraction(1, 2 * unit))).range
        most = Fraction(max(rest.high, 0), unit)
        require(most <= Fraction(1, 2), "what is left at last is large")
        # From u^3 / 6 on each term of the series is an eighth of the one before, or less: below u^3 / 5.
        clamped = Interval(0, max(-rest.low, 0)).times(Fraction(1, unit))
        return clamped.plus(logarithm_of_error(Interval(low - most**3 / 5 * unit, high), unit))

    def apart(self, k: int) -> dict[int, BitSum]:
        """That the words that are multiplied stand for themselves."""
        return {**self.powers[k].apart, **self.factors[k].word.apart}

    def step(self, k: int, form: BitSum) -> Interval:
        """The logarithm of what a form is of e^L_k times the word before, both with 2^p."""
        factor, power = self.factors[k], self.powers[k]
        require(not power.low, f"power {k} lacks digits")
        one = form.terms.get(frozenset((factor.word.bus[0],)), 0)
        require(0 < one < self.unit, f"factor {k} is of another size")
        share = Fraction(one, self.unit)
        multiple = factor.word.sum.times(share) + constant(1)
        product = multiple.by(power.sum + constant(self.unit)) - constant(self.unit)
        require(form.range.low >= 0, f"power {k} may be negative")
        found = logarithm_of_error((form - product).range, self.unit)
        pairs = zip(factor.values, factor.logarithms, strict=True)
        off = (
            logarithm_of_1_plus(value * share).plus(exactly(Fraction(-log, self.unit)))
            for value, log in pairs
        )
        return found.plus(joined(off))

    def require_room(self, word: Word, rest: Interval, logarithm: Interval) -> None:
        """That e^rest - 1 fits a word: it is at most y + y^2, for y up to 1."""
        y = max(Fraction(rest.high, self.unit) + logarithm.high, Fraction(0))
        require(y <= 1 and (y + y * y) * self.unit <= word.most, "a power is clamped")

    # --- rounding -------------------------------------------------------------------------------

    def cases(self, region: Region, exponents: Interval) -> Iterator[_Case]:
        """Every n of subnormal results; and all others together."""
        least, most = int(exponents.low), int(exponents.high)
        for n in range(least, min(most + 1, self.deepest)):
            known = {s: constant(n >> k & 1) for k, s in enumerate(self.exponent.bus) if s >= 0}
            yield _Case(region, known, self.deepest - n, ())
        if most >= self.deepest:
            others = self.exponent.sum, Interval(max(least, self.deepest), most)
            yield _Case(region, self.exponent.apart, 0, (others,))

    def rounded(self, case: _Case) -> Interval:
        """That the code is n and the upper digits; and as ``step``, of the first factor."""
        bits, word = self.fmt.fraction_bits, self.significand
        known = {**case.region.known, **case.known, **self.apart(0), **word.apart}
        signals = Signals(self.reader, known, case.within)
        code, total = (signals.form(each.bus[0]) for each in (self.result, word))
        n = sum(
            (case.known[s].times(1 << k) for k, s in enumerate(self.exponent.bus) if s >= 0), NOTHING
        )
        field = n - constant(self.deepest - case.shift)
        digits = number(word.bus[case.shift :])
        require(not (code - field.times(1 << bits) - digits).terms, "the code is of other digits")
        half = 1 << word.low + case.shift >> 1
        require(2 * self.unit + (1 << word.low) + half <= word.most, "the significand is clamped")
        return self.step(0, total - constant(self.unit + half))

    def require_binade(self, rest: Interval, logarithm: Interval) -> None:
        """That e^rest is less than 2 and half of the last place; e^y is at most 1 + y + y^2."""
        y = max(Fraction(rest.high, self.unit) + logarithm.high - LN2.low, Fraction(0))
        beyond = 2 * self.unit * (y + y * y)
        require(y <= 1 and beyond < 1 << self.significand.low - 1, "a power is of the next binade")
        require(self.result.most >= self.fmt.infinity and not self.result.low, "the result is clamped")
