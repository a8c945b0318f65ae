"""That a circuit is sin(pi x) within a bound, on all inputs: by arithmetic on its program.

What the circuit's probes say of its words is a claim; here it is shown that a circuit of such words
computes sin(pi x), and how nearly. Sums of bits are compared term by term (``bit_sums``).

1. *Regions.* Where the result is constant it is the right one (``function_words``): of numbers without a
   sine, and of whole ones, whose sine is a zero with their sign.
2. *Turn.* Elsewhere, for each sign and exponent field of x, the word V is |x| modulo 2, exactly
   (``turned_words``). Y is its distance from the nearest whole number: |sin(pi V)| is sin(pi Y). It is
   |x| up to 1/2, and a multiple of V's lowest digit beyond. A Y of 0 has a zero.
3. *Sine.* M is sin(pi Y) but for a share of it (``sine_rows``), and is rounded (``rounded_words``).
4. *Tiny.* Of numbers from 0 to some bound a word is the significand times pi, but for rounded
   weights: T, in units of the significand's last place. It is rounded there, or one or two places
   higher, where its leading one is p or p + 1 places above: of normal numbers it is one of these. pi x
   is sin(pi x) but for a share of (pi x)^2/6. Of subnormal x errors are beside the least number, of
   normal ones beside the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, constant, number
from spikeproof.prover.kernel.function_words import Region, between, require
from spikeproof.prover.kernel.sine_rows import PI
from spikeproof.prover.kernel.turned_words import TurnedWords
from spikeproof.specs.formats import Format


def sine_error(netlist: Netlist, fmt: Format) -> Fraction:
    """A t such that the result is what sin(pi x) (1 + s) rounds to, to nearest, for some s of at most t.

    Or, of subnormal x, what is so near to it as t times twice the least normal number. For every x; ties
    are rounded up. Where the result is constant it is the one that is correctly rounded.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if it is not shown.
    """
    return _Sine(netlist, fmt).error()


class _Sine(TurnedWords):
    def __init__(self, netlist: Netlist, fmt: Format) -> None:
        super().__init__(netlist, fmt, "sin_pi")
        self.tiny_total = self.probed("tiny.total")
        self.tiny_leading, _, _ = self.count("tiny.leading")
        places = self.tiny_leading.places
        self.tiny_base = 2 * places[0] - places[1]
        self.tiny_ends = [place - self.tiny_base for place in places]

    def error(self) -> Fraction:
        """As ``sine_error``."""
        sine, errors = self.sine_error(), []
        self.require_folded(whole=True)
        for region in self.regions(self.product):
            if not region.fields[0]:
                errors.append(self.tiny(region))
                continue
            least = min(self.least(region, field) for field in region.fields)
            self.require_told(region.known, least, sine)
            self.require_signs(region)
            self.require_zero(region)
        return max(*errors, -Fraction(sine.low), Fraction(sine.high))

    def told_by_ends(self, first: int, last: int) -> bool:
        """One number, no number, or whole ones."""
        fmt = self.fmt
        least, most = (code & fmt.sign_mask - 1 for code in (first, last))
        return (
            least == most
            or least > fmt.infinity
            or least >> fmt.fraction_bits >= fmt.bias + fmt.fraction_bits
        )

    def least(self, region: Region, field: int) -> Fraction:
        """What Y is at least if it is not 0, of one exponent field."""
        turn, off = self.modulo_2(region, field)
        require(not off.terms, "V is another number")
        scale = Fraction(2) ** (field - self.fmt.bias)
        return scale if 2 * scale <= Fraction(1, 2) else self.grain(turn)

    # --- sign and zero --------------------------------------------------------------------------

    def require_signs(self, region: Region) -> None:
        """That of each quarter, of a Y that is not 0."""
        within = self.distance.sum, Interval(1, self.distance.most)
        for n, quarter in enumerate(self.quarters()):
            known = {**region.known, **self.apart, **quarter}
            negative = (n in (2, 3)) != (region.sign < 0)
            self.require_sign(Signals(self.reader, known, (within,)), negative)

    def require_zero(self, region: Region) -> None:
        """That of a Y of 0 the result is a zero with the sign of x."""
        zero = {s: constant(0) for s in self.distance.apart}
        right = constant(self.fmt.sign_mask * (region.sign < 0))
        for quarter in self.quarters():
            code = self.code(Signals(self.reader, {**region.known, **zero, **quarter}))
            require(not (code - right).terms, "sin(pi x) of 0 is another")

    # --- tiny numbers ---------------------------------------------------------------------------

    def tiny(self, region: Region) -> Fraction:
        """The error of numbers from 0 on: of subnormal ones, and of all others together."""
        bits, most = self.fmt.fraction_bits, region.magnitudes.high
        fraction, field, one = number(self.x[:bits]), self.x[bits:-1], constant(1 << bits)
        require(region.magnitudes.low == 0, "T is of other numbers")
        known = {**region.known, **self.apart}
        subnormal = {**known, **{s: constant(0) for s in field}}
        off = self.multiplied(Signals(self.reader, subnormal), region, fraction, constant(0)) / 2
        if region.fields[-1]:
            within = number(field), Interval(1, region.fields[-1])
            upper = (number(field) - constant(1)).times(1 << bits)
            normal = Signals(self.reader, known, (within,))
            off = max(off, self.multiplied(normal, region, fraction + one, upper) / PI.low)
        return off / (1 << bits) + Fraction(10) * most * most / 6

    def multiplied(
        self, signals: Signals, region: Region, significand: BitSum, upper: BitSum
    ) -> Fraction:
        """How far T is from pi times the significand at most, in units of its last place.

        Args:
            upper: what the code is above the digits of T.
        """
        total, ends = self.tiny_total, self.tiny_ends
        form = signals.form(self.tiny_leading.signals[0]) - constant(self.tiny_base)
        low, high = form.range
        guard = total.low
        require(ends == [1 << self.fmt.precision + guard + k for k in (0, 1)], "T is compared otherwise")
        require(low >= 0 and high < 2 * ends[1] and high + (2 << guard) <= total.most, "T is clamped")
        for index, each in enumerate(between(form.range, ends)):
            if each.low <= each.high:
                told = {s: constant(int(k <= index)) for k, s in enumerate(self.tiny_leading.signals, 1)}
                self.require_code(
                    signals, told, form + constant(Fraction(1 << guard + index, 2)), index, upper
                )
        self.require_sign(signals, region.sign < 0)
        off = form - significand.times(PI.low * (1 << guard))
        more = significand.range.high * (PI.high - PI.low) * (1 << guard)
        return Fraction(max(-off.range.low + more, off.range.high)) / (1 << guard)

    def require_code(
        self, signals: Signals, told: Mapping[int, BitSum], rounded: BitSum, index: int, upper: BitSum
    ) -> None:
        """That the code is of T with half of its last place, moved down by some places."""
        known, total = {**signals.known, **told}, self.tiny_total
        form = Signals(self.reader, known, signals.within).form(total.bus[0])
        require(not (form - rounded).terms, "what is added to T is not half of the last place")
        code = Signals(self.reader, {**known, **total.apart}, signals.within).form(self.result.bus[0])
        digits = number(total.bus[index:]) + constant(index << self.fmt.fraction_bits) + upper
        require(not (code - digits).terms, "the code is of other digits than T's")
