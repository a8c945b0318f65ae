"""That a circuit is e^x within a bound, on all inputs: by arithmetic on its program, and no search.

The program (``circuits.meanings.programs``) is the netlist, neuron by neuron. What the circuit's probes
say of its words is a claim; here it is shown that a circuit of such words computes e^x, and how nearly.
Numbers are in units of 2^-p; sums of bits are compared term by term (``bit_sums``).

1. *Regions.* One word counts how many of some codes x has reached. Where the result is then constant, it
   is the right one at both ends, and so between them, since e^x is monotone, and so is rounding.
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

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from itertools import accumulate, chain, pairwise
from math import floor
from typing import NamedTuple

from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import Count, Digits, require_program
from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.prover.kernel.bit_sums import (
    BitSum,
    BoundError,
    Interval,
    Reader,
    Signals,
    bit,
    constant,
    exactly,
    number,
)
from spikeproof.specs import enclosures
from spikeproof.specs.exact import decode
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode
from spikeproof.specs.functions import compute

BITS = 256
"""Of enclosures."""

LN2 = Interval(*(Fraction(enclosures.ln2(BITS) + error, 1 << BITS) for error in (-2, 2)))
NOTHING = constant(0)


def exponential_error(netlist: Netlist, fmt: Format) -> Fraction:
    """A t such that the result is what e^x (1 + s) rounds to, to nearest, for some s of at most t.

    For every x; ties are rounded up. Where the result is constant it is the one that is correctly
    rounded.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if it is not shown.
    """
    program = read_program(netlist)
    require_program(netlist, program)
    return _Exponential(Reader(netlist, program), fmt).error()


class _Word(NamedTuple):
    """Digits of a word from one place on.

    Attributes:
        bus: of the digits; ZERO where there is none.
        low: the place of the first.
        most: what the whole word is clamped to.
    """

    bus: Bus
    low: int
    most: int

    @property
    def sum(self) -> BitSum:
        """The digits as a number."""
        return number(self.bus)

    @property
    def apart(self) -> dict[int, BitSum]:
        """That they stand for themselves."""
        return {signal: bit(signal) for signal in self.bus if signal >= 0}


class _Region(NamedTuple):
    """Numbers of one sign, from a code to another.

    Attributes:
        known: what that says of signals.
    """

    fmt: Format
    first: int
    last: int
    known: Mapping[int, BitSum]

    @property
    def sign(self) -> int:
        """1 or -1."""
        return -1 if self.first & self.fmt.sign_mask else 1

    @property
    def magnitudes(self) -> Interval:
        """From the least to the largest."""
        return Interval(*(decode(self.fmt, code).rational for code in (self.first, self.last)))

    @property
    def fields(self) -> range:
        """Their exponent fields."""
        first, last = (
            (code & self.fmt.sign_mask - 1) >> self.fmt.fraction_bits for code in (self.first, self.last)
        )
        return range(first, last + 1)


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

    region: _Region
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
    word: _Word

    def rest(self, before: Interval) -> Interval:
        """What is left of a rest: whole numbers."""
        lows = (before.low, *(max(before.low, place) for place in self.places))
        highs = (*(min(before.high, place - 1) for place in self.places), before.high)
        found = zip(lows, highs, self.logarithms, strict=True)
        return _joined(Interval(low - log, high - log) for low, high, log in found if low <= high)


class _Exponential:
    def __init__(self, reader: Reader, fmt: Format) -> None:
        self.reader, self.fmt = reader, fmt
        self.x = reader.netlist.input_buses["x"]
        *code, sign = reader.netlist.outputs["result"]
        _require(not Signals(reader, {}).signal(sign).terms, "the result has a sign")
        self.result = self.word(tuple(code))
        self.magnitude, self.exponent, self.significand, self.least = (
            self.probed(name) for name in ("magnitude", "exponent", "significand", "least")
        )
        self.places = self.significand.low + fmt.fraction_bits
        self.unit = 1 << self.places
        self.constant, _ = reader.form(self.least.bus[0])
        self.offset = floor(self.constant / (self.unit * LN2.low) + Fraction(1, 2))
        self.deepest = self.offset - fmt.bias + 1
        count = sum(name.startswith("factor.") for name in reader.netlist.probes)
        self.powers = [self.probed(f"power.{k}") for k in range(count)]
        rests = [*(f"steps.{k}" for k in range(count)), "least"]
        self.factors = [self.factor(k, *pair) for k, pair in enumerate(pairwise(rests))]

    # --- words ----------------------------------------------------------------------------------

    def probe(self, name: str) -> Bus:
        """The signals of a probe."""
        found = self.reader.netlist.probes.get(name, ())
        _require(bool(found), f"there is no probe {name!r}")
        return found

    def probed(self, name: str) -> _Word:
        """Digits that a probe has."""
        return self.word(self.probe(name))

    def word(self, bus: Bus) -> _Word:
        """All digits of a word from some place on."""
        word = self.reader.word(bus[0])
        _require(isinstance(word, Digits), f"{bus} is no word")
        assert isinstance(word, Digits)
        _require(all(len(levels) == 1 for _, levels in word.steps), "digits are found several at once")
        place_of = {levels[0]: place for place, levels in word.steps}
        low = place_of[bus[0]]
        wanted = {s: low + place for place, s in enumerate(bus) if s != ZERO}
        _require(
            wanted == {s: place for s, place in place_of.items() if place >= low}, f"{bus} lacks digits"
        )
        return _Word(bus, low, word.most)

    def count(self, name: str) -> tuple[Count, dict[int, int], int]:
        """A count, what it reads, and a constant that it reads besides."""
        word = self.reader.word(self.probe(name)[0])
        _require(isinstance(word, Count) and word.signals == self.probe(name), f"{name} is no count")
        assert isinstance(word, Count)
        least, weights = self.reader.form(word.signals[0])
        return word, dict(weights), least

    def factor(self, k: int, name: str, after: str) -> _Factor:
        """Factor number k, and what is taken from the rest for it."""
        count, weights, least = self.count(name)
        _, left = self.reader.form(self.probe(after)[0])
        taken = {s: weights.get(s, 0) - left.get(s, 0) for s in {*weights, *left}}
        word = self.probed(f"factor.{k}")
        first, values = self.reader.form(word.bus[0])
        others = {s for s, weight in (*taken.items(), *values.items()) if weight} - {*count.signals}
        _require(not others and not word.low, f"factor {k} is not chosen by its steps")
        logarithms, chosen = (
            tuple(accumulate((each.get(s, 0) for s in count.signals), initial=start))
            for each, start in ((taken, 0), (values, first))
        )
        _require(min(chosen) >= 0 and max(chosen) <= word.most, f"factor {k} is clamped")
        # What counts and the last word read is the rest but for a constant, which is the last word's.
        places = tuple(place - least + self.constant for place in count.places)
        return _Factor(places, logarithms, chosen, word)

    # --- what is shown --------------------------------------------------------------------------

    def error(self) -> Fraction:
        """As ``exponential_error``."""
        regions = list(self.regions())
        cut = _joined(map(self.cut, regions))
        reduced = [self.reduced(region, cut) for region in regions]
        rests = [_joined(each.rest for each in reduced)]
        for factor in self.factors:
            rests.append(factor.rest(rests[-1]))
        logarithm = self.last(rests[-1])
        for k in reversed(range(1, len(self.factors))):
            self.require_room(self.powers[k], rests[k + 1], logarithm)
            form = Signals(self.reader, self.apart(k)).form(self.powers[k - 1].bus[0])
            logarithm = logarithm.plus(self.step(k, form))
        self.require_room(self.powers[0], rests[1], logarithm)
        cases = list(chain.from_iterable(map(self.cases, regions, (each.exponents for each in reduced))))
        logarithm = logarithm.plus(_joined(map(self.rounded, cases)))
        self.require_binade(rests[0], logarithm)
        low, high = logarithm.plus(
            _joined(each.error for each in reduced).times(Fraction(-1, self.unit))
        )
        _require(low > -1 and high < 1, "nothing is known of the result")
        return Fraction(max(-low, high + high * high))

    # --- regions --------------------------------------------------------------------------------

    def regions(self) -> Iterator[_Region]:
        """Those where results are not constant; where they are, these are right."""
        count, weights, least = self.count("region")
        as_given = {signal: 1 << place for place, signal in enumerate(self.x)}
        _require((least, weights) == (0, as_given), "regions are of another number than x")
        ends = (0, *count.places, 1 << self.fmt.width)
        for index, (start, end) in enumerate(pairwise(ends)):
            known = {s: constant(int(k <= index)) for k, s in enumerate(count.signals, 1)}
            if start == end:
                continue
            region = _Region(self.fmt, start, end - 1, known)
            found = Signals(self.reader, known).form(self.result.bus[0])
            results = [self.right(code) for code in (region.first, region.last)]
            if found.is_constant:
                _require([found.constant] * 2 == results, f"from {start:x} on the constant is wrong")
                _require(self.is_row(region), f"from {start:x} on there are numbers of several kinds")
            else:
                finite = region.last & self.fmt.sign_mask - 1 <= self.fmt.largest_finite
                _require(finite and self.is_row(region), f"from {start:x} on there are other codes")
                _require(region.fields[0] > 0, f"from {start:x} on there are subnormal numbers")
                _require(max(results) <= self.fmt.largest_finite, f"from {start:x} on e^x is too large")
                sign = constant(int(region.sign < 0))
                yield region._replace(known={**known, self.x[-1]: sign})

    def right(self, x: int) -> int:
        """The correctly rounded result."""
        return compute("exp", self.fmt, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, x)

    def is_row(self, region: _Region) -> bool:
        """Whether all between are of one sign, and numbers or infinite; or all are NaNs."""
        kinds = {
            (code & self.fmt.sign_mask, self.fmt.is_nan(code)) for code in (region.first, region.last)
        }
        return len(kinds) == 1

    def cut(self, region: _Region) -> Interval:
        """|x| less the word X."""
        bits, bias = self.fmt.fraction_bits, self.fmt.bias
        _require(not self.magnitude.low, "X lacks digits")
        found = []
        for field in region.fields:
            exponent = {s: constant(field >> k & 1) for k, s in enumerate(self.x[bits:-1])}
            signals = Signals(self.reader, {**exponent, **region.known})
            digits = (signals.signal(s).times(1 << k) for k, s in enumerate(self.magnitude.bus))
            scale = Fraction(2) ** (field - bias - bits + self.places)
            magnitude = (number(self.x[:bits]) + constant(1 << bits)).times(scale)
            found.append((magnitude - sum(digits, NOTHING)).range)
        return _joined(found)

    # --- reduction ------------------------------------------------------------------------------

    def reduced(self, region: _Region, cut: Interval) -> _Reduced:
        """Within what V lies, and x - n ln(2) less V, and n as a word."""
        x, n = self.magnitude.sum, self.exponent.sum
        signals = Signals(self.reader, {**region.known, **self.magnitude.apart, **self.exponent.apart})
        scaled = signals.form(self.exponent.bus[0])
        rest = signals.form(self.probe("steps.0")[0]) + constant(self.constant)
        top, highest = frozenset((self.magnitude.bus[-1],)), 1 << len(self.magnitude.bus) - 1
        slope, unit = Fraction(scaled.terms.get(top, 0), highest), 1 << self.exponent.low
        _require(slope * rest.terms.get(top, 0) > 0, "n does not grow as x does")
        near = region.magnitudes.times(self.unit).plus(cut.times(-1))
        whole = near.times(slope).plus((scaled - x.times(slope)).range)
        _require(whole.low >= 0 and whole.high <= self.exponent.most, "n is clamped")
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
        _require(not word.low and rest.high <= word.most, "what is left at last is clamped")
        u = word.sum
        form = Signals(self.reader, word.apart).form(self.powers[-1].bus[0])
        _require(form.range.low >= 0, "the last power may be negative")
        low, high = (form - u - u.by(u).times(Fraction(1, 2 * unit))).range
        most = Fraction(max(rest.high, 0), unit)
        _require(most <= Fraction(1, 2), "what is left at last is large")
        # From u^3 / 6 on each term of the series is an eighth of the one before, or less: below u^3 / 5.
        clamped = Interval(0, max(-rest.low, 0)).times(Fraction(1, unit))
        return clamped.plus(self.logarithm(Interval(low - most**3 / 5 * unit, high)))

    def logarithm(self, off: Interval) -> Interval:
        """That of 1 + off / y, for all y of at least 2^p: ln(1 + z) is at least z - z^2."""
        low, high = (Fraction(each, self.unit) for each in (min(off.low, 0), max(off.high, 0)))
        _require(low >= Fraction(-1, 2), "errors are as large as what they are of")
        return Interval(low - low * low, high)

    def apart(self, k: int) -> dict[int, BitSum]:
        """That the words that are multiplied stand for themselves."""
        return {**self.powers[k].apart, **self.factors[k].word.apart}

    def step(self, k: int, form: BitSum) -> Interval:
        """The logarithm of what a form is of e^L_k times the word before, both with 2^p."""
        factor, power = self.factors[k], self.powers[k]
        _require(not power.low, f"power {k} lacks digits")
        one = form.terms.get(frozenset((factor.word.bus[0],)), 0)
        _require(0 < one < self.unit, f"factor {k} is of another size")
        share = Fraction(one, self.unit)
        multiple = factor.word.sum.times(share) + constant(1)
        product = multiple.by(power.sum + constant(self.unit)) - constant(self.unit)
        _require(form.range.low >= 0, f"power {k} may be negative")
        found = self.logarithm((form - product).range)
        pairs = zip(factor.values, factor.logarithms, strict=True)
        off = (
            _logarithm(value * share).plus(exactly(Fraction(-log, self.unit))) for value, log in pairs
        )
        return found.plus(_joined(off))

    def require_room(self, word: _Word, rest: Interval, logarithm: Interval) -> None:
        """That e^rest - 1 fits a word: it is at most y + y^2, for y up to 1."""
        y = max(Fraction(rest.high, self.unit) + logarithm.high, Fraction(0))
        _require(y <= 1 and (y + y * y) * self.unit <= word.most, "a power is clamped")

    # --- rounding -------------------------------------------------------------------------------

    def cases(self, region: _Region, exponents: Interval) -> Iterator[_Case]:
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
        _require(not (code - field.times(1 << bits) - digits).terms, "the code is of other digits")
        half = 1 << word.low + case.shift >> 1
        _require(2 * self.unit + (1 << word.low) + half <= word.most, "the significand is clamped")
        return self.step(0, total - constant(self.unit + half))

    def require_binade(self, rest: Interval, logarithm: Interval) -> None:
        """That e^rest is less than 2 and half of the last place; e^y is at most 1 + y + y^2."""
        y = max(Fraction(rest.high, self.unit) + logarithm.high - LN2.low, Fraction(0))
        beyond = 2 * self.unit * (y + y * y)
        _require(y <= 1 and beyond < 1 << self.significand.low - 1, "a power is of the next binade")
        _require(self.result.most >= self.fmt.infinity and not self.result.low, "the result is clamped")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BoundError(otherwise)


def _joined(intervals: Iterable[Interval]) -> Interval:
    """The numbers of all, and what is between."""
    return reduce(Interval.joined, intervals)


def _enclosed(enclosure: enclosures.Enclosure) -> Interval:
    unit = Fraction(2) ** enclosure.exponent
    return Interval(enclosure.low * unit, enclosure.high * unit)


def _logarithm(x: Fraction) -> Interval:
    """ln(1 + x)"""
    return _enclosed(enclosures.logarithm_of_1_plus(x, BITS)) if x else exactly(0)
