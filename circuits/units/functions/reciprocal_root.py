"""Reciprocal square roots, exactly: the root of a quotient, of which rounding is a part.

    1      [|code| >= c], for classes of operands and for leading zeros of subnormal ones
    2      d = x 4^h, with f places behind the point between 1 and 4: the significand of x, doubled where
           its exponent is even; of subnormals times a power of 4
    3...   N // d in two quotients, what remains of the first being a word: no number is much longer
           than twice the significand
    4...   the root of that, to nearest the largest Q with (2 Q - 1)^2 d <= 4 N
    last   the exponent field, to which a root of 2^(f + 1) carries

With d and Q as integers, Q / 2^(f + 1) is 1 / sqrt(d / 2^f) where Q^2 d = N = 2^(3 f + 2); and
Q^2 <= N // d says the same as Q^2 d <= N. Only d = 2^f has a root that is a number, and none lies midway
between two.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import (
    NEVER,
    Bits,
    Form,
    all_of,
    any_of,
    bits,
    number,
    reaches,
    signals,
    total,
)
from spikeproof.circuits.units.functions.machines import machine_of
from spikeproof.circuits.units.functions.reciprocal import require_shape
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import NEAREST, Format, OverflowPolicy, RoundingMode


def reciprocal_root_unit(
    gates: GateLibrary, x: Bus, fmt: Format, mode: RoundingMode, policy: OverflowPolicy
) -> Bus:
    """1 / sqrt(x) of a code.

    Raises:
        ValueError: as ``require_shape``; or if the root of the least number is too large.
    """
    require_shape(fmt)
    if fmt.fraction_bits > fmt.bias:
        raise ValueError(f"reciprocal roots are of formats of more exponent bits than {fmt.name}")
    return _ReciprocalRoot(gates, bits(x), fmt, mode).result(policy)


class _ReciprocalRoot:
    def __init__(self, gates: GateLibrary, x: Bits, fmt: Format, mode: RoundingMode) -> None:
        self.gates, self.fmt, self.mode, self.sums = gates, fmt, mode, machine_of(gates)
        *self.magnitude, self.sign = x
        f, code = fmt.fraction_bits, number(self.magnitude)
        self.fraction, self.field = tuple(self.magnitude[:f]), tuple(self.magnitude[f:])
        firsts = (1, 1 << f, fmt.infinity, fmt.infinity + 1)
        self.nonzero, self.normal, self.special, self.nan = self.sums.comparators(code, firsts)
        # A subnormal is to be multiplied by 4 as often as it lies below 2^end.
        ends = range(f, 0, -2)
        steps = self.sums.comparators(-code, [1 - 2**end for end in ends])
        self.below = tuple(zip(ends, steps, strict=True))

    def result(self, policy: OverflowPolicy) -> Bus:
        """The code of the result."""
        f, size = self.fmt.fraction_bits, self.fmt.exponent_bits
        zero = 1 - self.nonzero
        saturated = zero if policy is OverflowPolicy.SATURATE else NEVER
        undefined = self.sign + self.nonzero + self.nan
        if policy is OverflowPolicy.NAN:
            undefined = undefined + 2 * zero
        quiet = reaches(self.gates, undefined, 2)
        digits = self._significand(any_of(self.gates, zero, self.sign, self.special), saturated)
        # Of zero, too, what is added here clamps, but where the largest number is to be delivered.
        beyond = 2 << size
        field = self._field + number(digits[f:]) - beyond * self.special + 2 * beyond * quiet
        if policy is OverflowPolicy.SATURATE:
            below_all = 3 * self.fmt.bias // 2 + len(self.below) + 1
            field = field + zero * ((self.fmt.largest_finite >> f) - below_all)
        else:
            field = field + beyond * zero
        fraction = (*digits[: f - 1], (digits[f - 1] + quiet).within(0, 1))
        sign = all_of(self.gates, self.sign, zero, 1 - quiet)
        return signals(self.gates, (*fraction, *self.sums.digits(field, size), sign))

    @property
    def _field(self) -> Form:
        """The exponent field of the result, less 1; for roots below 2^(f + 1)."""
        odd, *half = self.field
        zeros = total(step for _, step in self.below[1:])
        return self.fmt.bias - 2 + (self.fmt.bias + 1) // 2 - number(half) - odd + zeros

    @property
    def _radicand(self) -> Bits:
        """d"""
        significand = (*self.fraction, self.normal)
        doubled = all_of(self.gates, self.normal, 1 - self.field[0])
        form = number(significand) + self.sums.product((doubled,), significand)
        for index, (end, step) in enumerate(self.below):
            form = form + 3 * 4**index * self.sums.product((step,), self.fraction[:end])
        return self.sums.digits(form, self.fmt.precision + 1)

    def _significand(self, zeroed: Form, saturated: Form) -> Bits:
        """The digits of the rounded root; all 0 or 1 where these are 1, of which the second counts."""
        radicand, size = self._radicand, self.fmt.precision + 1
        nearest = self.mode in NEAREST
        value = self._quotient(radicand, self.fmt.fraction_bits + 2 * nearest)
        value = value + (2 * saturated - zeroed) * (1 << 2 * size + 4)
        if nearest:
            return self.sums.root(value, size, 2, 1)
        if self.mode is RoundingMode.UP:
            return self.sums.root(value, size, 1, 1)
        (exact,) = self.sums.matches(radicand, [1 << self.fmt.fraction_bits])
        if self.mode is not RoundingMode.TO_ODD:
            return self.sums.root(value + exact, size)
        last = reaches(self.gates, 1 - exact - zeroed + 2 * saturated, 1)
        return (last, *self.sums.root(value + exact, size - 1, 2))

    def _quotient(self, radicand: Bits, size: int) -> Form:
        """2^(2 f + 2 + size) // d, or one less for the least d: so it has digits enough."""
        later = self.fmt.precision + 1
        first, rest = self.sums.quotient(Form() + (1 << self.fmt.fraction_bits + size), radicand, size)
        second, _ = self.sums.quotient(
            number(self.sums.digits(rest, later)) * (1 << later), radicand, later
        )
        return number(first) * (1 << later) + number(second)
