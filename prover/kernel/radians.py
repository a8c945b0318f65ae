"""That a circuit is sin(x) or cos(x), of radians, within a bound, on all inputs: by arithmetic.

What the circuit's probes say of its words is a claim; here it is shown that a circuit of such words
computes the function, and how nearly. Sums of bits are compared term by term (``bit_sums``).

1. *Regions.* Where the result is constant it is the right one (``function_words``): there x is up to 1,
   or no number. Where it is x itself, sin(x) rounds to x, as that of 0 is 0: x - x^3/6 < sin(x) < x for
   positive x, and x^2/6 is at most 2^-(p+1), half of the least distance of two neighbours beside x.
2. *Turn.* Elsewhere, for each exponent field of x, V is a sum of the bits of its significand, and each
   weighs what it does of x / pi, modulo 2, but for an error; sines have a constant of 1/2. So V is
   |x| / pi, or 1/2 more, modulo 2, but for e at most.
3. *Distance.* |x| / pi is at least d from any multiple of 1/2, by ``multiples``; and d is more than e.
   So V is in the quarter of a turn in which it should be, and Y, its distance from the nearest odd
   multiple of 1/2, is within e of what that should be, y (``turned_words``).
4. *Sine.* The logarithm of sin(pi y) has a slope of pi cot(pi y), which is at most 1 / y, and what lies
   between y and Y is at least d - e: so sin(pi Y) is off by a share of at most z + z^2, for
   z = e / (d - e) of at most 1. M is sin(pi Y) but for a share of it (``sine_rows``), and is rounded
   (``rounded_words``). The sign is that of the quarter; of sines the other one, for negative x again.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import NONE, BitSum, Interval, Signals, constant, exactly, number
from spikeproof.prover.kernel.function_words import Region, joined, require
from spikeproof.prover.kernel.multiples import distance_from_right_angles, inverse_of_right_angle
from spikeproof.prover.kernel.turned_words import TurnedWords
from spikeproof.specs.formats import Format


def radians_error(netlist: Netlist, fmt: Format, function: str) -> Fraction:
    """A t such that the result is what f(x) (1 + s) rounds to, to nearest, for some s of at most t.

    For every x; ties are rounded up. Where the result is constant, or x, it is the one that is correctly
    rounded.

    Args:
        function: f, ``sin`` or ``cos``.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if it is not shown.
    """
    return _Radians(netlist, fmt, function).error()


class _Radians(TurnedWords):
    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        super().__init__(netlist, fmt, function)
        self.is_sine = function == "sin"
        self.angle = self.word(self.probe("turn"))
        require(not self.angle.low, "V lacks digits")
        self.least, self.weights = self.blocks()

    def blocks(self) -> tuple[int, dict[int, dict[int, int]]]:
        """A constant, and by block what the bits of the moved significand weigh in V."""
        moved, blocks = self.probe("moved"), self.probe("block")
        apart = {s: number((s,)) for s in (*moved, *blocks)}
        form = Signals(self.reader, apart).form(self.angle.bus[0])
        weights: dict[int, dict[int, int]] = {block: {} for block in blocks}
        for pair, weight in form.terms.items():
            if pair != NONE:
                both = [[s for s in pair if s in word] for word in (blocks, moved)]
                require(len(pair) == 2 and all(len(each) == 1 for each in both), "V is of other words")
                (block,), (place,) = both
                weights[block][place] = int(weight)
        return int(form.constant), weights

    def error(self) -> Fraction:
        """As ``radians_error``."""
        sine = self.sine_error()
        self.require_folded()
        errors = [self.region(region, sine) for region in self.regions(self.product)]
        return max(errors)

    def told_by_ends(self, first: int, last: int) -> bool:
        """One number, no number, or numbers up to 1."""
        least, most = (code & self.fmt.sign_mask - 1 for code in (first, last))
        one = self.fmt.bias << self.fmt.fraction_bits
        return least == most or least > self.fmt.infinity or most <= one

    # --- regions --------------------------------------------------------------------------------

    def region(self, region: Region, sine: Interval) -> Fraction:
        """What share of f(x) the number that is rounded is off by, in a region.

        Args:
            sine: what M is off by.
        """
        if self.is_passed(region):
            return Fraction(0)
        require(region.fields[0] > 0, f"from {region.first:x} on there are subnormal numbers")
        off = joined(self.turned(region, field) for field in region.fields)
        most = Fraction(max(-off.low, off.high), 1 << self.fixed)
        distance = distance_from_right_angles(self.fmt, region.fields) / 2
        require(2 * most <= distance, "V does not tell how far x is from a multiple of pi/2")
        share = most / (distance - most)
        self.require_told(region.known, distance - most, sine)
        self.require_signs(region)
        return (1 + share + share * share) * (1 + max(-sine.low, sine.high)) - 1

    def is_passed(self, region: Region) -> bool:
        """Whether results are x, which is then right."""
        most = region.magnitudes.high
        if not self.is_sine or most * most > Fraction(6, 2 << self.fmt.precision):
            return False
        code = self.code(Signals(self.reader, {**region.known, **self.product.apart}))
        sign = constant(self.fmt.sign_mask * (region.sign < 0))
        return not (code - number(self.x[:-1]) - sign).terms

    # --- turn -----------------------------------------------------------------------------------

    def turned(self, region: Region, field: int) -> Interval:
        """What V is beyond |x| / pi, or 1/2 more, modulo 2, in its units, of one exponent field."""
        bits = self.fmt.fraction_bits
        exponent = {s: constant(field >> k & 1) for k, s in enumerate(self.x[bits:-1])}
        form = self.form(Signals(self.reader, {**exponent, **region.known}))
        require(form.range.low >= 0 and form.range.high <= self.angle.most, "V is clamped")
        places = [NONE, *(frozenset((s,)) for s in self.x[:bits])]
        require(not form.terms.keys() - {*places}, "V is of other signals than x")
        weights = [int(form.terms.get(place, 0)) for place in places]
        weights[0] -= self.is_sine << self.fixed - 1
        first, *others = self.offs(weights, field)
        return reduce(Interval.plus, (off.joined(exactly(0)) for off in others), first)

    def form(self, signals: Signals) -> BitSum:
        """V, where in which block a number is is known."""
        found = constant(self.least)
        for block, weights in self.weights.items():
            which = signals.signal(block)
            require(which.is_constant, "a block is not told by the exponent")
            if which.constant:
                found = found + signals.sum(0, weights)
        return found

    def offs(self, weights: list[int], field: int) -> Iterator[Interval]:
        """What the significand's first bit, which is 1, and the others weigh beyond what they should."""
        fmt, inverse = self.fmt, inverse_of_right_angle(self.fmt)
        # x's last place is 2^exponent times 2/pi in units of V, of which there are 2^(fixed + 1) in 2.
        exponent = field - fmt.bias - fmt.fraction_bits + self.fixed - 1
        require(exponent >= 0, "V lacks places")
        turn = 2 << self.fixed + inverse.bits
        for place, weight in zip((fmt.fraction_bits, *range(fmt.fraction_bits)), weights, strict=True):
            low, high = (end << exponent + place for end in (inverse.low, inverse.high))
            off = weight << inverse.bits
            off += (low - off + turn // 2) // turn * turn
            yield Interval(
                Fraction(off - high, 1 << inverse.bits), Fraction(off - low, 1 << inverse.bits)
            )

    def require_signs(self, region: Region) -> None:
        """That of each quarter."""
        turned = self.is_sine and region.sign > 0
        for n, quarter in enumerate(self.quarters()):
            signals = Signals(self.reader, {**region.known, **self.apart, **quarter})
            self.require_sign(signals, negative=(n in (1, 2)) != turned)
