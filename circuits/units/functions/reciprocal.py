"""Reciprocals, exactly: the significand of 1 / x is a quotient of which rounding is a part.

    1     [|code| >= c] for nine classes of operands: ``_classes``
    2...  the digits of N // m, m being the significand of x as it stands, subnormal or not, and N a
          power of two that the class chooses: 2^(2f + 1), half or a quarter of it where x is subnormal,
          and where 1 / x is. So nothing is shifted. To nearest it is (2 N + m) // (2 m), upward
          (N + m - 1) // m; to odd, the last digit is 1 if anything remains.
    last  the exponent field, to which a quotient of 2^(f + 1) carries

With x = m 2^(e - b - f) and a field g of the result, N is 2^(2 b + 2 f - e - g). No quotient lies midway
between two numbers, since no odd number but 1 divides a power of two.

For zeros, overflows, infinities and NaNs N is beyond all digits, or below 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    all_of,
    bits,
    number,
    reaches,
    signals,
    unbounded,
)
from spikeproof.circuits.units.functions.machines import machine_of
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode


@dataclass(frozen=True)
class Class:
    """Operands from a magnitude code on.

    Attributes:
        first: that code.
        numerator: N.
        more: what the exponent field is more than that of a normal number by the same N.
        quiet: whether the result is a NaN.
    """

    first: int
    numerator: int
    more: int
    quiet: bool = False


def require_shape(fmt: Format) -> None:
    """Refuse formats in which reciprocals and their roots have other classes.

    Raises:
        ValueError: if it has no infinity, another bias than IEEE 754's, or less than 3 fraction bits.
    """
    if not fmt.has_infinity or fmt.maximum_exponent != fmt.bias or fmt.fraction_bits < 3:
        raise ValueError(
            f"reciprocals are of formats of IEEE 754's shape, of 3 fraction bits or more; not {fmt.name}"
        )


def _classes(fmt: Format, policy: OverflowPolicy, kept: bool) -> tuple[Class, ...]:
    """All classes of operands, in order.

    Args:
        kept: whether what overflows stays at the largest number.
    """
    f, most = fmt.fraction_bits, fmt.largest_finite >> fmt.fraction_bits
    beyond = 1 << 2 * f + 2
    infinite, largest = Class(0, -beyond, 3), Class(0, beyond, -1)
    out = {
        OverflowPolicy.IEEE: infinite,
        OverflowPolicy.SATURATE: largest,
        OverflowPolicy.NAN: Class(0, -beyond, 3, quiet=True),
    }[policy]
    over = largest if kept else out
    one = 1 << 2 * f + 1
    return (
        out,
        Class(1, over.numerator, over.more, over.quiet),
        Class((1 << f - 2) + 1, one >> 2, 1),
        Class(1 << f - 1, one >> 1, 0),
        Class(1 << f, one, 0),
        Class(most - 1 << f, one >> 1, 1),
        Class(most << f, one >> 2, 2),
        Class(fmt.infinity, -beyond, 0),
        Class(fmt.infinity + 1, -beyond, 2 << fmt.exponent_bits, quiet=True),
    )


def reciprocal_unit(
    gates: GateLibrary, x: Bus, fmt: Format, mode: RoundingMode, policy: OverflowPolicy
) -> Bus:
    """1 / x of a code.

    Raises:
        ValueError: as ``require_shape``.
    """
    require_shape(fmt)
    return _Reciprocal(gates, bits(x), fmt, mode).result(_classes(fmt, policy, kept=False), policy)


class _Reciprocal:
    def __init__(self, gates: GateLibrary, x: Bits, fmt: Format, mode: RoundingMode) -> None:
        self.gates, self.fmt, self.mode = gates, fmt, mode
        self.sums = machine_of(gates)
        *self.magnitude, self.sign = x

    def result(self, classes: tuple[Class, ...], policy: OverflowPolicy) -> Bus:
        """The code of the result."""
        f, sums = self.fmt.fraction_bits, self.sums
        steps = sums.comparators(number(self.magnitude), [each.first for each in classes[1:]])
        normal = steps[[each.first for each in classes].index(1 << f) - 1]
        significand = (*self.magnitude[:f], normal)
        kept = all_of(self.gates, steps[0] - steps[1], self._kept)
        largest = _classes(self.fmt, policy, kept=True)[1]

        def chosen(name: str) -> Form:
            usual = sums.table(steps, [int(getattr(each, name)) for each in classes])
            return usual + kept * int(getattr(largest, name) - getattr(classes[1], name))

        digits = self._rounded(chosen("numerator"), significand)
        field = 2 * self.fmt.bias - 2 - number(self.magnitude[f:]) + chosen("more") + number(digits[f:])
        quiet = chosen("quiet").within(0, 1)
        fraction = (*digits[: f - 1], (digits[f - 1] + quiet).within(0, 1))
        sign = all_of(self.gates, self.sign, 1 - quiet)
        return signals(self.gates, (*fraction, *sums.digits(field, self.fmt.exponent_bits), sign))

    def _rounded(self, numerator: Form, significand: Bits) -> Bits:
        """The digits of the rounded quotient, of which the first is 1 where there is nothing else."""
        size = self.fmt.precision + 1
        match self.mode:
            case RoundingMode.NEAREST_EVEN | RoundingMode.NEAREST_AWAY:
                numerator = 2 * numerator + number(significand)
                return self.sums.quotient(numerator, (NEVER, *significand), size)[0]
            case RoundingMode.TO_ODD:
                digits, rest = self.sums.quotient(numerator, (NEVER, *significand), size - 1)
                return (reaches(self.gates, unbounded(rest), 1), *digits)
            case RoundingMode.UP | RoundingMode.DOWN:
                away = bits(signals(self.gates, [1 - self._kept]))
                numerator = numerator + self.sums.product(away, significand) - away[0]
        return self.sums.quotient(numerator, significand, size)[0]

    @property
    def _kept(self) -> Form:
        """Whether what overflows stays at the largest number, as where rounding is toward zero."""
        match self.mode:
            case RoundingMode.NEAREST_EVEN | RoundingMode.NEAREST_AWAY:
                return NEVER
            case RoundingMode.UP:
                return self.sign
            case RoundingMode.DOWN:
                return 1 - self.sign
        return ALWAYS
