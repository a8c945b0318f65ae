"""How nearly a word of a circuit is sin(pi y), relatively: by rows of polynomials, and one product.

What the circuit's probes say of its words is a claim; here it is shown of the words ``distance`` (Y),
``rows``, ``power.0`` (G) and so on, and ``magnitude`` (M). y is Y / 2^f, from 0 to 1/2.

1. *Rows.* A count of Y's upper digits is h, and its lower ones are u, a fraction: y is h + u rows.
2. *Horner.* Each word is an entry of a table by h, plus or minus u times the word of the next degree,
   but for pairs of bits that are cut off, and digits that nobody reads. It is never above its most;
   where it would be negative it is 0, and what it should be is not: so it is no farther from that.
3. *Taylor.* g(y) = sin(pi y)/y is the integral of cos(t y) for t from 0 to pi: so its n-th derivative is
   at most pi^(n+1)/(n+1), everywhere. That bounds what its series leaves out: that of 0, which gives the
   coefficients around any y, beside which the entries are; and those, cut off at the last word. So G is
   g(y) but for an error of each row. g falls as y grows, and that makes the error a share of g.
4. *Product.* M is Y G: sin(pi y), with the same share.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, reduce
from math import ceil, comb, factorial, floor, prod
from operator import mul
from typing import NamedTuple

from spikeproof.circuits.netlist import ZERO, Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, exactly, number
from spikeproof.prover.kernel.function_words import BITS, NOTHING, Word, entries, joined, require
from spikeproof.prover.kernel.rounded_words import RoundedWords
from spikeproof.specs import enclosures
from spikeproof.specs.formats import Format

PI = Interval(*(Fraction(enclosures.pi(BITS) + error, 1 << BITS) for error in (-2, 2)))

TERMS = 48
"""Of the series around 0."""


class _Step(NamedTuple):
    """A word of Horner's: an entry by row, plus ``sign`` u times the word before, and ``off``."""

    word: Word
    entries: tuple[int, ...]
    sign: int
    off: Interval


class SineWords(RoundedWords):
    """The words of a circuit that has sines by rows.

    Attributes:
        fixed: f.
    """

    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        super().__init__(netlist, fmt, function)
        self.distance, self.product = self.probed("distance"), self.probed("magnitude")
        require(not self.distance.low and not self.product.low, "Y or M lacks digits")
        count, weights, least = self.count("rows")
        self.counted = count.signals
        lowest = min(weights, key=lambda s: weights[s], default=ZERO)
        require(lowest in self.distance.bus, "rows are of another number than Y")
        self.width = self.distance.bus.index(lowest)
        upper = {s: 1 << k for k, s in enumerate(self.distance.bus[self.width :])}
        places = [place - least for place in count.places]
        require(weights == upper, "rows are of another number than Y")
        require(places == [*range(1, len(places) + 1)], "rows are of other widths")
        self.row = len(places).bit_length()
        require(2 * len(places) == 1 << self.row, "rows do not end with 1/2")
        self.fixed = self.width + self.row
        degree = self.probes("power") - 1
        self.steps = [self.step(k, k == degree) for k in range(degree + 1)]
        self.guarded = floor(self.steps[0].entries[0] / PI.low * Fraction(4, 3)).bit_length() - 1
        self.places = self.fixed + self.guarded

    def step(self, k: int, is_last: bool) -> _Step:
        """The word of degree k."""
        word = self.probed(f"power.{k}")
        # Rows stand for themselves, with all digits of Y.
        known = {**self.distance.apart, **{s: number((s,)) for s in self.counted}}
        before = NOTHING
        if not is_last:
            next_word = self.probed(f"power.{k + 1}")
            known, before = {**known, **next_word.apart}, next_word.sum.times(1 << next_word.low)
        form = Signals(self.reader, known).form(word.bus[0])
        table = {s: form.terms.get(frozenset((s,)), 0) for s in self.counted}
        found = entries(
            self.counted, {s: int(weight) for s, weight in table.items()}, int(form.constant)
        )
        rest = form - BitSum.of((frozenset((s,)), weight) for s, weight in table.items())
        rest = rest - rest.of([(frozenset(), rest.constant)])
        within = self.distance.bus[: self.width]
        sign = 1 if rest.range.high > -rest.range.low else -1
        off = rest - number(within).by(before).times(Fraction(sign, 1 << self.width))
        # What digits that are not read would be worth.
        lost = Interval(1 - (1 << word.low), 0)
        return _Step(word, found, sign, off.range.plus(lost))

    # --- what is shown --------------------------------------------------------------------------

    def sine_error(self) -> Interval:
        """M is 2^places sin(pi y) (1 + t), for a t that lies within."""
        y, g = self.distance, self.steps[0].word
        require(not g.low, "G lacks digits")
        form = Signals(self.reader, {**y.apart, **g.apart}).form(self.product.bus[0])
        require(not (form - y.sum.by(g.sum)).terms, "M is another product")
        most = 1 << self.fixed - 1
        require(most <= y.most and most * g.most <= self.product.most, "M is clamped")
        return joined(map(self.quotient_error, range(len(self.counted) + 1)))

    def quotient_error(self, h: int) -> Interval:
        """What share of g G is off by, in a row."""
        before, errors = exactly(0), []
        for k, step in reversed(list(enumerate(self.steps))):
            multiple = before.joined(exactly(0)).times(step.sign)
            entry, exact = exactly(step.entries[h]).plus(step.off), self.coefficient(k, h)
            form = entry.plus(multiple)
            require(exact.low + multiple.low >= 0, f"power {k} should be negative")
            require(form.high <= step.word.most, f"power {k} is clamped")
            errors.append(entry.plus(exact.times(-1)).joined(exactly(0)).times(self.sign_of(k)))
            before = Interval(max(form.low, 0), form.high)
        least = self.coefficient(0, h + 1).low
        require(least > 0, "g is not positive")
        return reduce(Interval.plus, errors, self.beyond()).times(Fraction(1) / least)

    def sign_of(self, k: int) -> int:
        """That of u^k in G."""
        return prod(step.sign for step in self.steps[:k])

    def coefficient(self, k: int, h: int) -> Interval:
        """That of degree k of g around h rows, in units of the word, with the sign of u^k in G."""
        unit = Fraction(2) ** (self.guarded - self.row * k)
        return coefficient(k, Fraction(h, 1 << self.row)).times(unit * self.sign_of(k))

    def beyond(self) -> Interval:
        """What the series around a row leaves out."""
        n = len(self.steps)
        most = derivative(n) / factorial(n) * Fraction(2) ** (self.guarded - self.row * n)
        return Interval(-most, most)


# --- g ------------------------------------------------------------------------------------------


def derivative(n: int) -> Fraction:
    """More than the n-th derivative of g ever is: pi^(n+1)/(n+1)."""
    return Fraction(101, 32) ** (n + 1) / (n + 1)


@lru_cache(1)
def series() -> tuple[tuple[int, int], ...]:
    """The coefficients of y^0, y^2, ... of g around 0, enclosed, in units of 2^-BITS."""
    found = []
    for n in range(0, TERMS, 2):
        powers = Interval(*(end ** (n + 1) for end in PI))
        low, high = powers.times(Fraction((-1) ** (n // 2) << BITS, factorial(n + 1)))
        found.append((floor(low), ceil(high)))
    return tuple(found)


@lru_cache(1 << 14)
def coefficient(k: int, at: Fraction) -> Interval:
    """The coefficient of degree k, less than ``TERMS``, of g around a number that is not negative.

    By the series around 0 of g's k-th derivative over k!, whose derivatives are bounded as g's are.
    """
    beyond = derivative(TERMS) * at ** (TERMS - k) / (factorial(TERMS - k) * factorial(k))
    rest = ceil(beyond * (1 << BITS))
    factors = [
        comb(n, k) * at.numerator ** (n - k) * at.denominator ** (TERMS - n) if n >= k else 0
        for n in range(0, TERMS, 2)
    ]
    low, high = (sum(map(mul, each, factors)) for each in zip(*series(), strict=True))
    unit = at.denominator ** (TERMS - k)
    return Interval(
        Fraction(low // unit - rest, 1 << BITS), Fraction(-(-high // unit) + rest, 1 << BITS)
    )
