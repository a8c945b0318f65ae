"""That a circuit is cos(pi x) within a bound, on all inputs: by arithmetic on its program.

What the circuit's probes say of its words is a claim; here it is shown that a circuit of such words
computes cos(pi x), and how nearly. Sums of bits are compared term by term (``bit_sums``).

1. *Regions.* Where the result is constant it is the right one (``function_words``): the cosine falls
   from 0 to 1, and is 1 of all even numbers.
2. *Turn.* Elsewhere, for each sign and exponent field of x, the word V is |x| modulo 2, made of the bits
   of its significand, but for what is cut off: c. It is, if anything, of x up to 1/4 alone, and then
   cos(pi (|x| - c)) is cos(pi x) but for less than pi c pi (|x| + c), and that is at least 7/10.
3. *Fold.* Y is V's distance from the nearest odd multiple of 1/2: |cos(pi V)| is sin(pi Y). Of x beyond
   1/4 V is a multiple of the lowest digit that it has, and so is Y. A Y of 0 has a result of 0.
4. *Sine.* M is sin(pi Y) but for a share of it (``sine_rows``), and is rounded (``rounded_words``). The
   sign is that of V's quarter of a turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, constant
from spikeproof.prover.kernel.function_words import Region, require
from spikeproof.prover.kernel.turned_words import TurnedWords
from spikeproof.specs.formats import Format


def cosine_error(netlist: Netlist, fmt: Format) -> Fraction:
    """A t such that the result is what cos(pi x) (1 + s) rounds to, to nearest, for some s of at most t.

    For every x; ties are rounded up. Where the result is constant it is the one that is correctly
    rounded.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if it is not shown.
    """
    return _Cosine(netlist, fmt).error()


class _Turned(NamedTuple):
    """Of numbers of one exponent field: Y is 0, or at least so much; and what share V costs."""

    least: Fraction
    error: Fraction


class _Cosine(TurnedWords):
    def __init__(self, netlist: Netlist, fmt: Format) -> None:
        super().__init__(netlist, fmt, "cos_pi")

    def error(self) -> Fraction:
        """As ``cosine_error``."""
        sine, errors = self.sine_error(), []
        self.require_folded()
        for region in self.regions(self.product):
            require(region.fields[0] > 0, f"from {region.first:x} on there are subnormal numbers")
            turned = [self.turned(region, field) for field in region.fields]
            self.require_told(region.known, min(each.least for each in turned), sine)
            self.require_signs({**region.known, **self.apart})
            self.require_zero(region.known)
            errors.append(max(each.error for each in turned))
        return (1 + max(errors)) * (1 + max(-sine.low, sine.high)) - 1

    def told_by_ends(self, first: int, last: int) -> bool:
        """One number, no number, numbers up to 1, or even ones."""
        fmt = self.fmt
        least, most = (code & fmt.sign_mask - 1 for code in (first, last))
        is_even = least >> fmt.fraction_bits > fmt.bias + fmt.fraction_bits
        return least == most or least > fmt.infinity or most <= fmt.bias << fmt.fraction_bits or is_even

    # --- turn and fold --------------------------------------------------------------------------

    def turned(self, region: Region, field: int) -> _Turned:
        """V of |x|, of one exponent field."""
        unit, scale = 1 << self.fixed, Fraction(2) ** (field - self.fmt.bias)
        turn, off = self.modulo_2(region, field)
        cut, most = Fraction(max(-off.range.low, off.range.high)) / unit, 2 * scale
        if most <= Fraction(1, 4):
            require(cut <= Fraction(1, 8), "V is another number")
            return _Turned(Fraction(1, 8), 10 * cut * (most + cut) / Fraction(7, 10))
        require(not cut, "V is another number")
        return _Turned(self.grain(turn), Fraction(0))

    # --- sign and zero --------------------------------------------------------------------------

    def require_signs(self, known: Mapping[int, BitSum]) -> None:
        """That of each quarter, of a Y that is not 0."""
        within = self.distance.sum, Interval(1, self.distance.most)
        for n, quarter in enumerate(self.quarters()):
            signals = Signals(self.reader, {**known, **quarter}, (within,))
            self.require_sign(signals, negative=n in (1, 2))

    def require_zero(self, known: Mapping[int, BitSum]) -> None:
        """That of a Y of 0 the result is 0."""
        zero = {s: constant(0) for s in self.distance.apart}
        for quarter in self.quarters():
            code = self.code(Signals(self.reader, {**known, **zero, **quarter}))
            require(not code.terms, "cos(pi x) of 0 is another")
