"""Cosines of a part V of two half turns, as sines: V is folded at its odd multiples of 1/2.

Y is V's distance from the nearest odd multiple of 1/2: |cos(pi V)| is sin(pi Y), for any V from 0 to 2.
Of the words ``turn`` (V) and ``distance`` (Y) that is shown for both values of V's digit of 1/2. Or V is
folded at whole numbers: |sin(pi V)| is sin(pi Y), if Y is the distance from the nearest.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import gcd

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, constant, number
from spikeproof.prover.kernel.function_words import NOTHING, Region, require
from spikeproof.prover.kernel.sine_rows import SineWords
from spikeproof.specs.formats import Format


class TurnedWords(SineWords):
    """The words of a circuit that has cosines by rows of sines.

    Attributes:
        turn: the digits of V, from the place that is the lowest of Y's.
        half, odd: those of 1/2 and 1.
        apart: that of all words on the way the digits stand for themselves.
    """

    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        super().__init__(netlist, fmt, function)
        self.turn = self.probe("turn")[: self.fixed + 1]
        require(len(self.turn) == self.fixed + 1, "V has another unit than Y")
        *self.within, self.half, self.odd = self.turn
        self.apart = {**self.distance.apart, **self.product.apart}

    def require_folded(self, whole: bool = False) -> None:
        """That Y is what V is beyond a multiple of 1/2, or in even quarters 1/2 less that.

        Args:
            whole: in odd ones.
        """
        v, half = number(tuple(self.within)), 1 << self.fixed - 1
        apart = {s: number((s,)) for s in self.within}
        for quarter, y in enumerate((v, constant(half) - v) if whole else (constant(half) - v, v)):
            known = {**apart, self.half: constant(quarter)}
            form = Signals(self.reader, known).form(self.distance.bus[0])
            require(not (form - y).terms, "Y is another distance")

    def quarters(self) -> list[Mapping[int, BitSum]]:
        """What says in which quarter of a turn V is; of the second and third cosines are negative."""
        return [{self.half: constant(n & 1), self.odd: constant(n >> 1)} for n in range(4)]

    def modulo_2(self, region: Region, field: int) -> tuple[BitSum, BitSum]:
        """V of numbers of one exponent field, of normal ones; and |x| less V modulo 2, in its units."""
        fmt, x, unit = self.fmt, self.x, 1 << self.fixed
        bits, scale = fmt.fraction_bits, Fraction(2) ** (field - fmt.bias)
        exponent = {s: constant(field >> k & 1) for k, s in enumerate(x[bits:-1])}
        signals = Signals(self.reader, {**exponent, **region.known})
        digits = (signals.signal(s).times(1 << k) for k, s in enumerate(self.turn))
        turn = sum(digits, NOTHING)
        magnitude = (number(x[:bits]) + constant(1 << bits)).times(scale * unit / (1 << bits))
        off = BitSum.of((s, w) for s, w in (magnitude - turn).terms.items() if w % (2 * unit))
        return turn, off

    def grain(self, turn: BitSum) -> Fraction:
        """What V and 1/2 are multiples of, and so is Y."""
        return Fraction(
            gcd(1 << self.fixed - 1, *(int(w) for w in turn.terms.values())), 1 << self.fixed
        )

    def require_told(self, known: Mapping[int, BitSum], least: Fraction, sine: Interval) -> None:
        """That results are rounded, of Y that are 0 or at least so much.

        Args:
            sine: what share M is off by.
        """
        low, high = (1 + error for error in sine)
        require(low > 0, "nothing is known of M")
        # sin(pi y) grows, and is at least 4 sin(pi/4) y, for y up to 1/4.
        least = min(Fraction(1, 4), least) * Fraction(14, 5)
        within = Interval(least * low, high).times(1 << self.places)
        known = {**known, **self.apart}
        more = self.magnitude(known) - self.product.sum
        require(not more.terms, "what is rounded is another word than M")
        self.require_rounded(known, self.places, within)
