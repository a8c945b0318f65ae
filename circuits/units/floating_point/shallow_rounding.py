"""The back end of shallow units: rounding, range check, packing and special cases, in three levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    Least,
    all_and,
    all_and_reaches,
    any_of,
    reaches,
    signal,
)
from spikeproof.circuits.units.integer import Buses
from spikeproof.specs.formats import OverflowPolicy, RoundingMode, Specials


@dataclass(frozen=True)
class Unrounded:
    """A finite result before rounding.

    Attributes:
        sign: 1 for negative.
        exponent: the exponent field less one, 0 wherever the first bit of ``kept`` is 0; of zero of no
            use.
        kept: the significand, of the format's precision, the hidden bit at its top.
        guard: the place below it.
        sticky: whether there is anything further below.
        zero: whether there is nothing at all.
    """

    sign: Form
    exponent: Bits
    kept: Bits
    guard: Form
    sticky: Form
    zero: Form


@dataclass(frozen=True)
class Special:
    """When a result is none of finite operands; each a bit.

    Attributes:
        positive, negative: it is an infinity of that sign, unless it is not a number.
        nan: it is not a number.
        invalid: that is signalled.
    """

    positive: Form
    negative: Form
    nan: Form
    invalid: Form


class ShallowRounder:
    """Rounds and packs, in a mode of IEEE 754 and by its convention."""

    def __init__(self, rounder: Rounder) -> None:
        assert isinstance(rounder.mode, RoundingMode)
        self.gates, self.fmt, self.policy = rounder.gates, rounder.fmt, rounder.policy
        self.mode = rounder.mode

    def deliver(self, x: Unrounded, special: Special) -> Buses:
        """``result``, and ``flags`` in the order of ``specs.formats.FLAGS``."""
        fmt, gates = self.fmt, self.gates
        carries = self._carries(x)
        fraction = [
            (place + carries[k] - 2 * carries[k + 1]).within(0, 1) for k, place in enumerate(x.kept[:-1])
        ]
        if self.mode is RoundingMode.TO_ODD:
            fraction[0] = any_of(gates, x.kept[0], x.guard, x.sticky)
        into_field = x.kept[-1] + carries[-1]
        field = self._field(x.exponent, into_field)
        overflow = self._overflow(x, into_field)
        to_infinity, to_largest = self._directions(x.sign, *overflow)
        infinite, largest = self._infinity, fmt.largest_finite
        nan = fmt.canonical_nan if fmt.has_nan else fmt.largest_finite
        magnitude = tuple(
            signal(
                gates,
                overridden(
                    place,
                    *(((x.zero, False),) if k >= fmt.fraction_bits else ()),
                    (to_infinity, bool(infinite >> k & 1)),
                    (to_largest, bool(largest >> k & 1)),
                    (special.positive + special.negative, bool(infinite >> k & 1)),
                    (special.nan, bool(nan >> k & 1)),
                ),
            )
            for k, place in enumerate((*fraction, *field))
        )
        sign = self._sign(x, carries[0], to_infinity, special, bool(nan >> fmt.magnitude_bits & 1))
        result = (*magnitude, sign)
        gates.builder.probe("result", result)
        overflows = reaches(gates, *overflow)
        return {"result": result, "flags": self._flags(x, overflows, special)}

    def _carries(self, x: Unrounded) -> list[Form]:
        """The carry into each kept place but the hidden bit, and into that: by one neuron each."""
        return [
            all_and_reaches(self.gates, x.kept[:k], *self._rounds_up(x, x.kept[0] if k == 0 else ALWAYS))
            for k in range(len(x.kept))
        ]

    def _rounds_up(self, x: Unrounded, last: Form) -> Least:
        """When one is added in the last place, which is as told."""
        some = x.guard + x.sticky
        match self.mode:
            case RoundingMode.NEAREST_EVEN if last is ALWAYS:
                return x.guard, 1
            case RoundingMode.NEAREST_EVEN:
                return x.guard + some + last, 3
            case RoundingMode.NEAREST_AWAY:
                return x.guard, 1
            case RoundingMode.UP:
                return some - 2 * x.sign, 1
            case RoundingMode.DOWN:
                return some + 2 * x.sign, 3
        return NEVER, 1

    def _field(self, exponent: Bits, into: Form) -> Bits:
        """The exponent field: exponent plus what is carried into it, which is up to 2."""
        carries = [into, *(self._carry(exponent[: k + 1], into) for k in range(len(exponent)))]
        return tuple(
            (place + carries[k] - 2 * carries[k + 1]).within(0, 1) for k, place in enumerate(exponent)
        )

    def _carry(self, exponent: Bits, into: Form) -> Form:
        return reaches(self.gates, *_carried(exponent, into))

    def _overflow(self, x: Unrounded, into_field: Form) -> Least:
        """When the rounded magnitude is beyond the largest finite one."""
        low, high = x.exponent[:2], x.exponent[2:]
        match self.fmt.specials:
            case Specials.IEEE:  # the field is all ones; the exponent is not
                return all_and(high, 2 * low[1] + low[0] + into_field, 3)
            case Specials.FN:  # the field is, and the fraction; or what is carried into the field is 2
                return _carried(x.exponent, x.kept[-1] + self._all_ones(x))
        return _carried(x.exponent, into_field)

    def _all_ones(self, x: Unrounded) -> Form:
        """Whether the fraction becomes all ones, or is so and has a carry."""
        first, (form, least) = x.kept[0], self._rounds_up(x, NEVER)
        if self.mode is RoundingMode.TO_ODD:
            form, least = x.guard + x.sticky, 1
        either = first * max(0, least - form.low) + form
        return all_and_reaches(self.gates, x.kept[1:-1], either, least)

    def _directions(self, sign: Form, form: Form, least: int) -> tuple[Form, Form]:
        """Whether an overflow delivers infinity, and whether the largest finite number."""
        match self.mode:
            case RoundingMode.NEAREST_EVEN | RoundingMode.NEAREST_AWAY:
                return reaches(self.gates, form, least), NEVER
            case RoundingMode.TOWARD_ZERO | RoundingMode.TO_ODD:
                return NEVER, reaches(self.gates, form, least)
        up = 1 - sign if self.mode is RoundingMode.UP else sign
        return (
            all_and_reaches(self.gates, [up], form, least),
            all_and_reaches(self.gates, [1 - up], form, least),
        )

    @property
    def _infinity(self) -> int:
        """The code delivered where IEEE 754 calls for an infinity, but for its sign if it has one."""
        match self.policy:
            case OverflowPolicy.IEEE:
                return self.fmt.infinity
            case OverflowPolicy.SATURATE:
                return self.fmt.largest_finite
        return self.fmt.canonical_nan

    def _sign(
        self, x: Unrounded, rounds_up: Form, to_infinity: Form, special: Special, of_nan: bool
    ) -> int:
        sign = x.sign
        if not self.fmt.has_negative_zero:
            some = any_of(self.gates, *x.kept, rounds_up)
            sign = (sign + some - 1).within(-1, 1)
        infinities = ((special.positive, False), (special.negative, True))
        if self.policy is OverflowPolicy.NAN:
            of_infinity = bool(self._infinity >> self.fmt.magnitude_bits & 1)
            infinities = (
                (to_infinity, of_infinity),
                (special.positive + special.negative, of_infinity),
            )
        return signal(self.gates, overridden(sign, *infinities, (special.nan, of_nan)))

    def _flags(self, x: Unrounded, overflow: Form, special: Special) -> tuple[int, ...]:
        lost = x.guard + x.sticky
        special_ones = special.positive + special.negative + special.nan
        finite = {
            "overflow": overflow,
            "underflow": lost - 2 * x.kept[-1],
            "inexact": lost + overflow,
        }
        return (
            signal(self.gates, special.invalid),
            signal(self.gates, NEVER),
            *(signal(self.gates, overridden(form, (special_ones, False))) for form in finite.values()),
        )


def _carried(exponent: Sequence[Form], into: Form) -> Least:
    """When places have a carry: all but the first are 1, and that with what comes in is 2 or more."""
    return all_and(exponent[1:], exponent[0] + into, 2)


def overridden(form: Form, *cases: tuple[Form, bool]) -> Form:
    """A form of which what counts is whether it is 1 or more; that is as each case says while it is so.

    The last case that holds decides: it outweighs all before it.
    """
    for condition, value in cases:
        weight = max(0, 1 - form.low) if value else max(0, form.high)
        if condition.high:
            form = form + condition * (weight if value else -weight)
    return form
