"""sqrt(x^2 + y^2), exactly: the root of a sum of squares, digit by digit, and what remains of it.

    D      max(|x| - |y|, 0), of codes: a comparison sum clamps. So |y| + D is the larger of both, a,
           and |x| - D the smaller, b
    d      by how much the exponent of a exceeds that of b, from 0 to h + 1: comparators; h is half of
           the precision p, rounded down
    B      the significand of b, 2^(h - d) times, beside A, that of a 2^h times; of d > h it is 0
    R      the largest number with (2^(h - 1) R)^2 <= A^2 + B^2: the digits of the result, half of its
           last place, and another where the exponent is one more than that of a
    last   whether anything remains, rounding, and the code: that of a, with the significand exchanged

Where d > h, b is less than 2^(p - d) last places of a, and hypot between a and a + b^2 / (2 a), which is
less than half of one more: only that b is not 0 matters, and 1 is added to A^2. Subnormal numbers have
no first bit, and the exponent of the least normal ones: nothing is shifted.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import (
    NEVER,
    Bits,
    Form,
    all_and_reaches,
    all_of,
    bits,
    number,
    reaches,
    signals,
    unbounded,
)
from spikeproof.circuits.units.functions.root import root_and_rest
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

KEPT = frozenset({RoundingMode.TOWARD_ZERO, RoundingMode.DOWN, RoundingMode.TO_ODD})
"""Modes in which what overflows is the largest number, no result being negative."""


def hypotenuse_unit(
    gates: GateLibrary, x: Bus, y: Bus, fmt: Format, mode: RoundingMode, policy: OverflowPolicy
) -> Bus:
    """sqrt(x^2 + y^2) of two codes.

    Raises:
        ValueError: if the format has no infinity, or less than 3 fraction bits; of another policy than
            IEEE 754's; or if the library's neurons do not read sums.
    """
    if not gates.reads_sums:
        raise ValueError(
            f"hypot, digit by digit, is made of neurons that read sums, not of {gates.name} gates"
        )
    if not fmt.has_infinity or fmt.fraction_bits < 3 or policy is not OverflowPolicy.IEEE:
        raise ValueError(
            "hypot, digit by digit, is of formats of IEEE 754's shape, of 3 fraction bits or more, and "
            f"of its overflow; not of {fmt.name}, {policy.label}"
        )
    return _Hypotenuse(gates, fmt, mode).result(bits(x[:-1]), bits(y[:-1]))


class _Hypotenuse:
    def __init__(self, gates: GateLibrary, fmt: Format, mode: RoundingMode) -> None:
        self.gates, self.fmt, self.mode, self.sums = gates, fmt, mode, Sums(gates)

    def result(self, x: Bits, y: Bits) -> Bus:
        """The code of the result, of magnitude codes."""
        f, gates, sums, infinity = self.fmt.fraction_bits, self.gates, self.sums, self.fmt.infinity
        more = number(sums.digits(number(x) - number(y), len(x)))
        a, b = (sums.digits(form, len(x)) for form in (number(y) + more, number(x) - more))
        firsts = (1 << f, infinity, infinity + 1)
        (normal, special, nan), (b_normal, b_special, b_nan) = (
            sums.comparators(number(each), firsts) for each in (a, b)
        )
        apart = number(a[f:]) - number(b[f:]) - normal + b_normal
        digits, inexact = self._root((*a[:f], normal), (*b[:f], b_normal), apart, number(b))
        code = (number(a[f:]) - normal) * (1 << f) + self._rounded(digits, inexact)
        word = sums.digits(code, len(x))
        fraction, last, top = word[:f], word[f], word[f + 1 :]
        # Beyond the largest number, as of infinities and NaNs, the field has every digit 1.
        beyond = all_of(gates, *word[f:])
        if self.mode in KEPT:
            fraction = tuple(reaches(gates, each + beyond - 2 * special, 1) for each in fraction)
            last = reaches(gates, last - beyond + special, 1)
        else:
            fraction = tuple(reaches(gates, each - beyond, 1) for each in fraction)
        # A NaN, and no infinity beside it.
        quiet = reaches(gates, nan - b_special + b_nan, 1)
        first = (fraction[-1] + quiet).within(0, 1)
        return signals(gates, (*fraction[:-1], first, last, *top, NEVER))

    def _root(self, a: Bits, b: Bits, apart: Form, of_b: Form) -> tuple[Bits, Form]:
        """The digits of the result, and whether anything remains: of significands.

        Args:
            apart: by how much exponents differ.
            of_b: something that is 0 where b is.
        """
        half, sums = self.fmt.precision // 2, self.sums
        steps = sums.comparators(apart, range(1, half + 2))
        factor = sums.table(steps, [*(1 << half - d for d in range(half + 1)), 0])
        moved = sums.product(sums.digits(factor, half + 1), b)
        lost = all_and_reaches(self.gates, [steps[half]], of_b, 1)
        square = sums.square(a) * (1 << 2 * half) + sums.square(sums.digits(moved, len(b) + half)) + lost
        # Where nothing is rounded up, no half of a place is read.
        unread = self.mode in (RoundingMode.TOWARD_ZERO, RoundingMode.DOWN)
        digits, rest = root_and_rest(sums, square, len(a) + 2 - unread, 1 << half - 1 + unread)
        inexact = NEVER if unread else reaches(self.gates, unbounded(rest), 1)
        return (*[NEVER] * unread, *digits), inexact

    def _rounded(self, digits: Bits, inexact: Form) -> Form:
        """The rounded significand, and what its exponent has more, as a part of the code."""
        half, *kept, carry = digits
        moved = self.sums.given(tuple(kept), carry)
        significand = number(kept) - number(moved) + number(moved[1:])
        # One exponent more; and where the first bit of the significand was, it is again.
        exchanged = significand + carry * (2 << self.fmt.fraction_bits)
        up = self._up((1 - carry,), half, inexact, kept[0])
        return exchanged + up + self._up((carry,), kept[0], half + inexact, kept[1])

    def _up(self, when: Bits, half: Form, below: Form, last: Form) -> Form:
        """Whether rounding is up: by the digit below the last, and what is 0 where nothing follows."""
        least = 1
        match self.mode:
            case RoundingMode.NEAREST_EVEN:
                half, least = 4 * half + below + last, 5
            case RoundingMode.UP:
                half = half + below
            case RoundingMode.TO_ODD:
                when, half = (*when, 1 - last), half + below
            case RoundingMode.TOWARD_ZERO | RoundingMode.DOWN:
                return NEVER
        return all_and_reaches(self.gates, when, half, least)
